/* Sampling errors of CBPE: how far a metric of a chunk strays by chance, learned from the reference
 * (NannyML, sampling_error/binary_classification.py). In: labelled rows. Out: a deviation and the
 * share of rows that count, so that n rows have the error deviation / sqrt(n * share).
 *
 * A metric that is a share of rows has the deviation of a 0-1 variable. AUC's is that of the rank
 * of positives among negatives (Mann-Whitney); rows of equal score stand in the input's order.
 * Average precision's is found by resampling, as numpy's generator would draw after
 * `numpy.random.seed`. */
#include "engine/stats/cbpe_priv.h"

#include <math.h>
#include <stdlib.h>

#include "engine/stats/twister.h"

#define RESAMPLES     50
#define MAX_RESAMPLED 50000

static double of_share(double hits, double n)
{
    double share = hits / n; /* NaN for n = 0 */
    return sqrt(share * (1 - share));
}

static struct cbpe_counts count_rows(const struct cbpe_columns *reference)
{
    struct cbpe_counts counts = {0};
    for (size_t i = 0; i < reference->n; i++) {
        double prediction = reference->predictions[i];
        if (isnan(prediction))
            continue;
        bool positive = reference->labels[i] != 0, predicted = prediction != 0;
        counts.tp += predicted && positive;
        counts.fp += predicted && !positive;
        counts.fn += !predicted && positive;
        counts.tn += !predicted && !positive;
        counts.n += 1;
    }
    return counts;
}

static double of_business_value(const struct cbpe *cbpe, const struct cbpe_counts *counts)
{
    const double(*value)[2] = cbpe->options.business_value;
    double n = counts->n;
    double mean = (counts->tp * value[1][1] + counts->tn * value[0][0] + counts->fp * value[0][1] +
                   counts->fn * value[1][0]) /
                  n;
    return sqrt((counts->tp * pow(value[1][1] - mean, 2) + counts->tn * pow(value[0][0] - mean, 2) +
                 counts->fp * pow(value[0][1] - mean, 2) +
                 counts->fn * pow(value[1][0] - mean, 2)) /
                n);
}

static void of_counts(struct cbpe *cbpe, enum cbpe_metric metric, const struct cbpe_counts *counts)
{
    double tp = counts->tp, fp = counts->fp, fn = counts->fn, tn = counts->tn, n = counts->n;
    double *deviation = &cbpe->deviations[metric], *share = &cbpe->shares[metric];
    double relevant = tp + fp + fn;
    *share = 1;
    switch (metric) {
    case CBPE_F1:
        *deviation = of_share(tp, relevant) * (relevant / ((fn + fp) * 0.5 + tp));
        *share = relevant / n;
        break;
    case CBPE_PRECISION:
        *deviation = of_share(tp, tp + fp);
        *share = (tp + fp) / n;
        break;
    case CBPE_RECALL:
        *deviation = of_share(tp, tp + fn);
        *share = (tp + fn) / n;
        break;
    case CBPE_SPECIFICITY:
        *deviation = of_share(tn, tn + fp);
        *share = (tn + fp) / n;
        break;
    case CBPE_ACCURACY:
        *deviation = of_share(tp + tn, n);
        break;
    case CBPE_TRUE_POSITIVE:
        *deviation = of_share(tp, n);
        break;
    case CBPE_TRUE_NEGATIVE:
        *deviation = of_share(tn, n);
        break;
    case CBPE_FALSE_POSITIVE:
        *deviation = of_share(fp, n);
        break;
    case CBPE_FALSE_NEGATIVE:
        *deviation = of_share(fn, n);
        break;
    case CBPE_BUSINESS_VALUE:
        *deviation = of_business_value(cbpe, counts);
        break;
    case CBPE_ROC_AUC:
    case CBPE_AVERAGE_PRECISION:
    case CBPE_COUNT:
        break;
    }
}

/* ---- by rank ---- */

struct ranked {
    double score;
    bool positive;
    size_t place;
};

static int by_score(const void *a, const void *b)
{
    const struct ranked *p = a, *q = b;
    if (p->score != q->score)
        return p->score < q->score ? -1 : 1;
    return (p->place > q->place) - (p->place < q->place);
}

static struct ranked *rank_rows(const struct cbpe_columns *reference, bool mirrored)
{
    struct ranked *rows = calloc(reference->n, sizeof *rows);
    for (size_t i = 0; rows && i < reference->n; i++)
        rows[i] = (struct ranked){
            mirrored ? 1 - reference->scores[i] : reference->scores[i],
            (reference->labels[i] != 0) != mirrored,
            i,
        };
    if (rows)
        qsort(rows, reference->n, sizeof *rows, by_score);
    return rows;
}

/* The rarer class counts as the positive one. A positive that stands first of all is left out, as
 * NannyML does. */
static enum status of_auc(struct cbpe *cbpe, const struct cbpe_columns *reference,
                          struct error *error)
{
    double n = (double)reference->n, positives = 0, sum = 0, squares = 0, counted = 0;
    for (size_t i = 0; i < reference->n; i++)
        positives += reference->labels[i] != 0;
    bool mirrored = positives / n > 0.5;
    struct ranked *rows = rank_rows(reference, mirrored);
    if (!rows)
        return error_set(error, STATUS_MEMORY, "out of memory for a sampling error");
    positives = mirrored ? n - positives : positives;
    for (size_t i = 1; i < reference->n; i++) {
        if (!rows[i].positive)
            continue;
        double below = ((double)i - counted) / (n - positives);
        sum += below;
        squares += below * below;
        counted += 1;
    }
    free(rows);
    cbpe->deviations[CBPE_ROC_AUC] =
        counted > 0 ? sqrt(fmax(squares / counted - sum / counted * (sum / counted), 0))
                    : (double)NAN;
    cbpe->shares[CBPE_ROC_AUC] = positives / n;
    return STATUS_OK;
}

/* Average precision of the rows, each as often as it was drawn; rows stand in ascending order. */
static double drawn_precision(const struct ranked *rows, const uint32_t *times, size_t n)
{
    double above = 0, positives = 0, sum = 0;
    for (size_t i = n; i > 0;) {
        double score = rows[i - 1].score, tied = 0;
        for (; i > 0 && rows[i - 1].score == score; i--) {
            uint32_t here = times[rows[i - 1].place];
            above += here;
            tied += rows[i - 1].positive ? here : 0;
        }
        positives += tied;
        if (tied > 0)
            sum += tied * positives / above;
    }
    return positives > 0 ? sum / positives : 0;
}

static enum status of_average_precision(struct cbpe *cbpe, const struct cbpe_columns *reference,
                                        struct error *error)
{
    size_t n = reference->n, size = n / 2 < MAX_RESAMPLED ? n / 2 : MAX_RESAMPLED;
    double values[RESAMPLES], mean = 0, variance = 0, positives = 0;
    struct twister twister;
    cbpe->deviations[CBPE_AVERAGE_PRECISION] = (double)NAN;
    cbpe->shares[CBPE_AVERAGE_PRECISION] = 1 / (double)size;
    for (size_t i = 0; i < n; i++)
        positives += reference->labels[i] != 0;
    if (positives == 0 || size == 0)
        return STATUS_OK;
    struct ranked *rows = rank_rows(reference, false);
    uint32_t *times = calloc(n, sizeof *times);
    if (rows && times) {
        twister_seed_numpy(&twister, cbpe->options.seed);
        for (int k = 0; k < RESAMPLES; k++) {
            for (size_t i = 0; i < n; i++)
                times[i] = 0;
            for (size_t i = 0; i < size; i++)
                times[twister_upto_numpy(&twister, (uint32_t)(n - 1))]++;
            values[k] = drawn_precision(rows, times, n);
            mean += values[k] / RESAMPLES;
        }
        for (int k = 0; k < RESAMPLES; k++)
            variance += (values[k] - mean) * (values[k] - mean) / RESAMPLES;
        cbpe->deviations[CBPE_AVERAGE_PRECISION] = sqrt(variance);
    }
    enum status status =
        rows && times ? STATUS_OK
                      : error_set(error, STATUS_MEMORY, "out of memory for a sampling error");
    free(times);
    free(rows);
    return status;
}

enum status cbpe_learn_error(struct cbpe *cbpe, const struct cbpe_columns *reference,
                             enum cbpe_metric metric, struct error *error)
{
    if (metric == CBPE_ROC_AUC)
        return of_auc(cbpe, reference, error);
    if (metric == CBPE_AVERAGE_PRECISION)
        return of_average_precision(cbpe, reference, error);
    struct cbpe_counts counts = count_rows(reference);
    of_counts(cbpe, metric, &counts);
    return STATUS_OK;
}
