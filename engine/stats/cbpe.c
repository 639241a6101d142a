/* CBPE. In: a labelled reference, then chunks of scores and decisions. Out: what each metric of a
 * chunk is expected to be, with bands and thresholds, and what it was once labels are there.
 *
 * A calibrated score p says that the row is a positive with probability p: a predicted positive is
 * p of a true and 1 - p of a false one. Sums of these are fractional confusion counts; the curve
 * under which AUC lies has one corner a row, from the highest uncalibrated score down. Source:
 * NannyML 0.13, performance_estimation/confidence_based/metrics.py, whose rounding of cumulated
 * counts to five decimals is kept. Any thread. */
#include "engine/stats/cbpe_priv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/stats/calibration.h"
#include "engine/stats/classify.h"

#define BAND      3 /* sampling errors */
#define DEVIATION 3 /* standard deviations of the reference's chunks */

static const double not_defined = (double)NAN;

/* Limits of a metric; thresholds and bands do not leave them. */
static const struct {
    const char *name;
    double lowest, highest;
    bool ranks; /* needs no predictions */
} kinds[CBPE_COUNT] = {
    [CBPE_ROC_AUC] = {"roc_auc", 0, 1, true},
    [CBPE_AVERAGE_PRECISION] = {"average_precision", 0, 1, true},
    [CBPE_F1] = {"f1", 0, 1, false},
    [CBPE_PRECISION] = {"precision", 0, 1, false},
    [CBPE_RECALL] = {"recall", 0, 1, false},
    [CBPE_SPECIFICITY] = {"specificity", 0, 1, false},
    [CBPE_ACCURACY] = {"accuracy", 0, 1, false},
    [CBPE_TRUE_POSITIVE] = {"true_positive", 0, (double)INFINITY, false},
    [CBPE_TRUE_NEGATIVE] = {"true_negative", 0, (double)INFINITY, false},
    [CBPE_FALSE_POSITIVE] = {"false_positive", 0, (double)INFINITY, false},
    [CBPE_FALSE_NEGATIVE] = {"false_negative", 0, (double)INFINITY, false},
    [CBPE_BUSINESS_VALUE] = {"business_value", -(double)INFINITY, (double)INFINITY, false},
};

const char *cbpe_name(enum cbpe_metric metric)
{
    return kinds[metric].name;
}

bool cbpe_needs_predictions(enum cbpe_metric metric)
{
    return !kinds[metric].ranks;
}

bool cbpe_choose(const char *name, bool metrics[CBPE_COUNT])
{
    bool found = strcmp(name, "confusion_matrix") == 0;
    for (int i = CBPE_TRUE_POSITIVE; found && i <= CBPE_FALSE_NEGATIVE; i++)
        metrics[i] = true;
    for (int i = 0; !found && i < CBPE_COUNT; i++) {
        found = strcmp(name, kinds[i].name) == 0;
        metrics[i] = metrics[i] || found;
    }
    return found;
}

/* ---- from counts ---- */

static double ratio(double part, double whole)
{
    return whole != 0 ? part / whole : 0;
}

/* The value of a metric that is a function of counts, as sklearn's and NannyML's estimates have it:
 * 0 where a denominator is 0. */
static double metric_of_counts(const struct cbpe *cbpe, enum cbpe_metric metric,
                               const struct cbpe_counts *counts)
{
    const double(*value)[2] = cbpe->options.business_value;
    double tp = counts->tp, fp = counts->fp, fn = counts->fn, tn = counts->tn;
    switch (metric) {
    case CBPE_F1:
        return ratio(tp, tp + 0.5 * (fp + fn));
    case CBPE_PRECISION:
        return ratio(tp, tp + fp);
    case CBPE_RECALL:
        return ratio(tp, tp + fn);
    case CBPE_SPECIFICITY:
        return ratio(tn, tn + fp);
    case CBPE_ACCURACY:
        return (tp + tn) / counts->n;
    case CBPE_TRUE_POSITIVE:
        return tp;
    case CBPE_TRUE_NEGATIVE:
        return tn;
    case CBPE_FALSE_POSITIVE:
        return fp;
    case CBPE_FALSE_NEGATIVE:
        return fn;
    case CBPE_BUSINESS_VALUE:
        return tp * value[1][1] + tn * value[0][0] + fp * value[0][1] + fn * value[1][0];
    case CBPE_ROC_AUC:
    case CBPE_AVERAGE_PRECISION:
    case CBPE_COUNT:
        break;
    }
    return not_defined;
}

static void count(struct cbpe_counts *counts, bool predicted, double p)
{
    if (predicted) {
        counts->tp += p;
        counts->fp += 1 - p;
    } else {
        counts->fn += p;
        counts->tn += 1 - p;
    }
    counts->n += 1;
}

/* ---- realized ---- */

static double realized_counts(const struct cbpe *cbpe, const struct cbpe_columns *columns,
                              size_t first, size_t n, enum cbpe_metric metric)
{
    struct cbpe_counts counts = {0};
    for (size_t i = first; i < first + n; i++) {
        if (!isnan(columns->labels[i]) && !isnan(columns->predictions[i]))
            count(&counts, columns->predictions[i] != 0, columns->labels[i]);
    }
    double positives = counts.tp + counts.fn, predicted = counts.tp + counts.fp;
    bool one_class =
        positives == 0 || positives == counts.n || predicted == 0 || predicted == counts.n;
    if (counts.n == 0)
        return not_defined;
    if ((metric == CBPE_F1 || metric == CBPE_PRECISION || metric == CBPE_RECALL) && one_class)
        return not_defined;
    if (metric == CBPE_SPECIFICITY && counts.tn + counts.fp == 0)
        return not_defined;
    return metric_of_counts(cbpe, metric, &counts);
}

static enum status realized_ranks(const struct cbpe_columns *columns, size_t first, size_t n,
                                  enum cbpe_metric metric, double *out, struct error *error)
{
    double *pairs = calloc(2 * n + 1, sizeof *pairs), *labels = pairs + n;
    size_t kept = 0;
    if (!pairs)
        return error_set(error, STATUS_MEMORY, "out of memory for a chunk");
    for (size_t i = first; i < first + n; i++) {
        if (isnan(columns->labels[i]) || isnan(columns->scores[i]))
            continue;
        pairs[kept] = columns->scores[i];
        labels[kept++] = columns->labels[i];
    }
    bool auc = metric == CBPE_ROC_AUC;
    enum status status =
        classify_ranks(pairs, labels, kept, auc ? out : NULL, auc ? NULL : out, error);
    free(pairs);
    return status;
}

/* From the truth; NaN where NannyML gives none. */
static enum status realized_metric(const struct cbpe *cbpe, const struct cbpe_columns *columns,
                                   size_t first, size_t n, enum cbpe_metric metric, double *out,
                                   struct error *error)
{
    *out = not_defined;
    if (!columns->labels)
        return STATUS_OK;
    if (kinds[metric].ranks)
        return realized_ranks(columns, first, n, metric, out, error);
    *out = realized_counts(cbpe, columns, first, n, metric);
    return STATUS_OK;
}

/* ---- estimated ---- */

struct sure {
    double score, p;
    size_t place;
};

static int by_score_descending(const void *a, const void *b)
{
    const struct sure *x = a, *y = b;
    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    return (x->place > y->place) - (x->place < y->place);
}

static double rounded(double count)
{
    return rint(count * 1e5) / 1e5;
}

static double estimate_auc(const struct sure *rows, size_t n, double all_tp, double all_fp)
{
    double sum = 0, tps = 0, tpr = 0, fpr = 0;
    for (size_t i = 0; i < n; i++) {
        tps += rows[i].p;
        double next_tpr = rounded(tps) / rounded(all_tp);
        double next_fpr = rounded((double)(i + 1) - tps) / rounded(all_fp);
        if (next_fpr < fpr)
            return not_defined; /* counts fell by rounding: no curve */
        sum += (next_fpr - fpr) * (next_tpr + tpr) / 2;
        tpr = next_tpr;
        fpr = next_fpr;
    }
    return sum;
}

static double estimate_average_precision(const struct sure *rows, size_t n, double all_tp)
{
    double sum = 0, tps = 0, recall = 0;
    for (size_t i = 0; i < n; i++) {
        tps += rows[i].p;
        double next = rounded(tps) / rounded(all_tp);
        sum += (next - recall) * (rounded(tps) / (double)(i + 1));
        recall = next;
    }
    return sum;
}

/* A score as the calibration sees it. */
static double calibrated_score(const struct cbpe *cbpe, double score)
{
    return cbpe->calibrated ? isotonic_at(&cbpe->isotonic, score) : score;
}

static enum status estimate_ranks(const struct cbpe *cbpe, const struct cbpe_columns *columns,
                                  size_t first, size_t n, enum cbpe_metric metric, double *out,
                                  double *n_rows, struct error *error)
{
    struct sure *rows = calloc(n + 1, sizeof *rows);
    size_t kept = 0;
    double tps = 0;
    if (!rows)
        return error_set(error, STATUS_MEMORY, "out of memory for a chunk");
    for (size_t i = first; i < first + n; i++) {
        if (!isnan(columns->scores[i])) {
            rows[kept] =
                (struct sure){columns->scores[i], calibrated_score(cbpe, columns->scores[i]), kept};
            kept++;
        }
    }
    qsort(rows, kept, sizeof *rows, by_score_descending);
    for (size_t i = 0; i < kept; i++)
        tps += rows[i].p; /* in the order of the curve, so that it ends at 1 */
    *n_rows = (double)kept;
    if (kept)
        *out = metric == CBPE_ROC_AUC ? estimate_auc(rows, kept, tps, (double)kept - tps)
                                      : estimate_average_precision(rows, kept, tps);
    free(rows);
    return STATUS_OK;
}

static void estimate_counts(const struct cbpe *cbpe, const struct cbpe_columns *columns,
                            size_t first, size_t n, enum cbpe_metric metric, double *out,
                            double *n_rows)
{
    struct cbpe_counts counts = {0};
    for (size_t i = first; i < first + n; i++) {
        if (!isnan(columns->scores[i]) && !isnan(columns->predictions[i]))
            count(&counts, columns->predictions[i] != 0,
                  calibrated_score(cbpe, columns->scores[i]));
    }
    *n_rows = counts.n;
    if (counts.n > 0)
        *out = metric_of_counts(cbpe, metric, &counts);
}

/* Counts and values add up over rows: their error grows with n, that of a share falls. */
static double sampling_error(const struct cbpe *cbpe, enum cbpe_metric metric, double n)
{
    double error = cbpe->deviations[metric] / sqrt(n * cbpe->shares[metric]);
    return metric >= CBPE_TRUE_POSITIVE ? error * n : error;
}

static double limit_below(double value, double lowest)
{
    return value < lowest ? lowest : value; /* NaN stays */
}

static double limit_above(double value, double highest)
{
    return value > highest ? highest : value;
}

enum status cbpe_estimate(const struct cbpe *cbpe, const struct cbpe_columns *columns, size_t first,
                          size_t n, enum cbpe_metric metric, struct cbpe_estimate *out,
                          struct error *error)
{
    double estimated = not_defined, n_rows = 0;
    enum status status = STATUS_OK;
    if (kinds[metric].ranks)
        status = estimate_ranks(cbpe, columns, first, n, metric, &estimated, &n_rows, error);
    else
        estimate_counts(cbpe, columns, first, n, metric, &estimated, &n_rows);
    double deviation = n_rows > 0 ? sampling_error(cbpe, metric, n_rows) : not_defined;
    *out = (struct cbpe_estimate){
        .estimated = estimated,
        .sampling_error = deviation,
        .lower = limit_below(estimated - BAND * deviation, kinds[metric].lowest),
        .upper = limit_above(estimated + BAND * deviation, kinds[metric].highest),
        .lower_threshold = cbpe->lower_thresholds[metric],
        .upper_threshold = cbpe->upper_thresholds[metric],
        .alert = estimated < cbpe->lower_thresholds[metric] ||
                 estimated > cbpe->upper_thresholds[metric],
    };
    if (status == STATUS_OK)
        status = realized_metric(cbpe, columns, first, n, metric, &out->realized, error);
    return status;
}

/* ---- learning ---- */

static enum status check_reference(const struct cbpe_columns *reference, struct error *error)
{
    if (reference->n == 0)
        return error_set(error, STATUS_INVALID, "the reference has no rows");
    for (size_t i = 0; i < reference->n; i++) {
        if (isnan(reference->scores[i]) || isnan(reference->labels[i]))
            return error_set(error, STATUS_INVALID,
                             "row %zu of the reference has no %s: every row of it needs both",
                             i + 1, isnan(reference->scores[i]) ? "score" : "label");
    }
    return STATUS_OK;
}

static enum status learn_thresholds(struct cbpe *cbpe, const struct cbpe_columns *reference,
                                    enum cbpe_metric metric, struct error *error)
{
    size_t size = cbpe->options.chunk_size, n_chunks = (reference->n + size - 1) / size;
    double sum = 0, squares = 0, counted = 0;
    double *values = calloc(n_chunks, sizeof *values);
    enum status status = values ? STATUS_OK : error_set(error, STATUS_MEMORY, "out of memory");
    for (size_t i = 0; status == STATUS_OK && i < n_chunks; i++) {
        size_t first = i * size, n = reference->n - first < size ? reference->n - first : size;
        status = realized_metric(cbpe, reference, first, n, metric, &values[i], error);
        if (!isnan(values[i])) {
            sum += values[i];
            counted += 1;
        }
    }
    double mean = sum / counted;
    for (size_t i = 0; status == STATUS_OK && i < n_chunks; i++)
        squares += isnan(values[i]) ? 0 : (values[i] - mean) * (values[i] - mean);
    double reach = DEVIATION * sqrt(squares / counted);
    cbpe->lower_thresholds[metric] = limit_below(mean - reach, kinds[metric].lowest);
    cbpe->upper_thresholds[metric] = limit_above(mean + reach, kinds[metric].highest);
    free(values);
    return status;
}

static enum status learn(struct cbpe *cbpe, const struct cbpe_columns *reference,
                         struct error *error)
{
    enum status status = check_reference(reference, error);
    if (status == STATUS_OK)
        status = calibration_helps(reference->scores, reference->labels, reference->n,
                                   &cbpe->calibrated, error);
    if (status == STATUS_OK && cbpe->calibrated)
        status = isotonic_fit(reference->scores, reference->labels, reference->n, &cbpe->isotonic,
                              error);
    for (int i = 0; status == STATUS_OK && i < CBPE_COUNT; i++) {
        if (!cbpe->options.metrics[i])
            continue;
        status = cbpe_learn_error(cbpe, reference, (enum cbpe_metric)i, error);
        if (status == STATUS_OK)
            status = learn_thresholds(cbpe, reference, (enum cbpe_metric)i, error);
    }
    return status;
}

enum status cbpe_fit(const struct cbpe_columns *reference, const struct cbpe_options *options,
                     struct cbpe **cbpe, struct error *error)
{
    struct cbpe *made = calloc(1, sizeof *made);
    if (!made)
        return error_set(error, STATUS_MEMORY, "out of memory for an estimator");
    made->options = *options;
    enum status status = learn(made, reference, error);
    if (status == STATUS_OK)
        *cbpe = made;
    else
        cbpe_destroy(made);
    return status;
}

void cbpe_destroy(struct cbpe *cbpe)
{
    if (!cbpe)
        return;
    isotonic_free(&cbpe->isotonic);
    free(cbpe);
}

bool cbpe_is_calibrated(const struct cbpe *cbpe)
{
    return cbpe->calibrated;
}
