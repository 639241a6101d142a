/* Metrics of scores against labels, from one sort. In: rows of score and truth. Out: each figure
 * with its confidence interval. Definitions are scikit-learn's; the sources of the intervals stand
 * in the header. Any thread. */
#include "engine/stats/classify.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "engine/base/order.h"
#include "engine/stats/twister.h"

#define RESAMPLES 1000
#define SEED      42

static const double not_defined = (double)NAN;

static const struct {
    const char *name, *interval;
} figures[CLASSIFY_COUNT] = {
    [CLASSIFY_AUC] = {"auc", "delong"},
    [CLASSIFY_AVERAGE_PRECISION] = {"average_precision", "logit (Boyd 2013)"},
    [CLASSIFY_BRIER] = {"brier", "normal"},
    [CLASSIFY_LOG_LOSS] = {"log_loss", "normal"},
    [CLASSIFY_ECE] = {"ece", "basic bootstrap over bins"},
    [CLASSIFY_PRECISION] = {"precision", "wilson"},
    [CLASSIFY_RECALL] = {"recall", "wilson"},
    [CLASSIFY_F1] = {"f1", "wilson of tp/(tp+fp+fn)"},
    [CLASSIFY_COST] = {"cost", "normal"},
};

const char *classify_name(enum classify_figure figure)
{
    return figures[figure].name;
}

const char *classify_interval_name(enum classify_figure figure)
{
    return figures[figure].interval;
}

struct classify_options classify_defaults(void)
{
    return (struct classify_options){.threshold = 0.5,
                                     .confidence = 0.95,
                                     .n_bins = 10,
                                     .cost_false_positive = (double)NAN,
                                     .cost_false_negative = (double)NAN};
}

/* Newton's method on the complementary error function, from the side where it cannot overshoot. */
double classify_deviations(double confidence)
{
    double beyond = (1 - confidence) / 2, z = 0;
    for (int i = 0; i < 200; i++) {
        double density = exp(-z * z / 2) / sqrt(2 * 3.14159265358979323846);
        double step = (erfc(z / sqrt(2.0)) / 2 - beyond) / density;
        z += step;
        if (fabs(step) < 1e-14 * (1 + z))
            break;
    }
    return z;
}

/* ---- intervals ---- */

static double within(double value, double low, double high)
{
    return fmin(fmax(value, low), high);
}

static struct classify_value around(double value, double deviation, double z, double highest)
{
    return (struct classify_value){
        value, isnan(deviation) ? deviation : within(value - z * deviation, 0, highest),
        isnan(deviation) ? deviation : within(value + z * deviation, 0, highest)};
}

/* The interval that Wilson's score method gives a share of `hits` in `n`; NaN for n = 0. */
static struct classify_value wilson_value(double hits, double n, double z)
{
    if (!(n > 0))
        return (struct classify_value){not_defined, not_defined, not_defined};
    double share = hits / n, centre = (share + z * z / (2 * n)) / (1 + z * z / n);
    double half = z / (1 + z * z / n) * sqrt(share * (1 - share) / n + z * z / (4 * n * n));
    return (struct classify_value){share, hits <= 0 ? 0 : fmax(centre - half, 0),
                                   hits >= n ? 1 : fmin(centre + half, 1)};
}

/* Of a mean of n terms, by their sum and sum of squares. */
static struct classify_value of_mean(double sum, double squares, size_t n_rows, double z,
                                     double highest)
{
    double n = (double)n_rows;
    if (n_rows == 0)
        return (struct classify_value){not_defined, not_defined, not_defined};
    double variance = n_rows > 1 ? fmax(squares - sum * sum / n, 0) / (n - 1) : not_defined;
    return around(sum / n, sqrt(variance / n), z, highest);
}

static void start(size_t n, struct classify_result *out)
{
    *out = (struct classify_result){.n = n, .cost_total = not_defined};
    for (int i = 0; i < CLASSIFY_COUNT; i++)
        out->figures[i] = (struct classify_value){not_defined, not_defined, not_defined};
}

/* ---- by rank ---- */

static int by_score_descending(const void *a, const void *b)
{
    double x = ((const struct classify_row *)a)->score, y = ((const struct classify_row *)b)->score;
    return (x < y) - (x > y);
}

/* Rows of one score, and what stands above them. */
struct tie {
    double positives, negatives;             /* of this score */
    double positives_above, negatives_above; /* of higher ones */
};

/* The next group of equal scores; false at the end. */
static bool next_tie(const struct classify_row *rows, size_t n, size_t *at, struct tie *tie)
{
    if (*at >= n)
        return false;
    tie->positives_above += tie->positives;
    tie->negatives_above += tie->negatives;
    tie->positives = tie->negatives = 0;
    for (double score = rows[*at].score; *at < n && rows[*at].score == score; ++*at) {
        tie->positives += rows[*at].positive;
        tie->negatives += !rows[*at].positive;
    }
    return true;
}

/* The two sums of squares of DeLong's structural components about their mean. */
static double delong_deviation(const struct classify_row *rows, size_t n, double auc,
                               double positives, double negatives)
{
    double of_positives = 0, of_negatives = 0;
    struct tie tie = {0};
    for (size_t at = 0; next_tie(rows, n, &at, &tie);) {
        double below = negatives - tie.negatives_above - tie.negatives;
        double positive = (below + tie.negatives / 2) / negatives - auc;
        double negative = (tie.positives_above + tie.positives / 2) / positives - auc;
        of_positives += tie.positives * positive * positive;
        of_negatives += tie.negatives * negative * negative;
    }
    if (positives < 2 || negatives < 2)
        return not_defined;
    return sqrt(of_positives / (positives - 1) / positives +
                of_negatives / (negatives - 1) / negatives);
}

static struct classify_value logit_interval(double share, double n, double z)
{
    if (!(share > 0 && share < 1))
        return wilson_value(share * n, n, z);
    double logit = log(share / (1 - share)), deviation = 1 / sqrt(n * share * (1 - share));
    return (struct classify_value){share, 1 / (1 + exp(z * deviation - logit)),
                                   1 / (1 + exp(-z * deviation - logit))};
}

static void rank_figures(const struct classify_row *rows, size_t n, double z,
                         struct classify_result *out)
{
    double pairs = 0, precision_sum = 0;
    struct tie tie = {0};
    for (size_t at = 0; next_tie(rows, n, &at, &tie);) {
        pairs += tie.negatives * (tie.positives_above + 0.5 * tie.positives);
        precision_sum += tie.positives * (tie.positives_above + tie.positives) / (double)at;
    }
    double positives = tie.positives_above + tie.positives;
    double negatives = tie.negatives_above + tie.negatives;
    out->positives = (size_t)positives;
    if (positives > 0 && negatives > 0) {
        double auc = pairs / (positives * negatives);
        out->figures[CLASSIFY_AUC] =
            around(auc, delong_deviation(rows, n, auc, positives, negatives), z, 1);
    }
    if (positives > 0)
        out->figures[CLASSIFY_AVERAGE_PRECISION] =
            logit_interval(precision_sum / positives, positives, z);
}

enum status classify_ranks(const double *scores, const double *labels, size_t n, double *auc,
                           double *average_precision, struct error *error)
{
    struct classify_result result;
    struct classify_row *rows = calloc(n + 1, sizeof *rows);
    if (!rows)
        return error_set(error, STATUS_MEMORY, "out of memory for %zu scores", n);
    for (size_t i = 0; i < n; i++)
        rows[i] = (struct classify_row){scores[i], 1, labels[i] != 0, false};
    start(n, &result);
    qsort(rows, n, sizeof *rows, by_score_descending);
    rank_figures(rows, n, 1, &result);
    if (auc)
        *auc = result.figures[CLASSIFY_AUC].value;
    if (average_precision)
        *average_precision = result.figures[CLASSIFY_AVERAGE_PRECISION].value;
    free(rows);
    return STATUS_OK;
}

/* ---- by value ---- */

static void value_figures(const struct classify_row *rows, size_t n, double z,
                          struct classify_result *out)
{
    double brier = 0, brier_squares = 0, loss = 0, loss_squares = 0;
    for (size_t i = 0; i < n; i++) {
        double away = rows[i].score - (rows[i].positive ? 1 : 0), square = away * away;
        double clipped = within(rows[i].score, DBL_EPSILON, 1 - DBL_EPSILON);
        double surprise = rows[i].positive ? -log(clipped) : -log1p(-clipped);
        brier += square;
        brier_squares += square * square;
        loss += surprise;
        loss_squares += surprise * surprise;
    }
    out->figures[CLASSIFY_BRIER] = of_mean(brier, brier_squares, n, z, 1);
    out->figures[CLASSIFY_LOG_LOSS] = of_mean(loss, loss_squares, n, z, (double)INFINITY);
}

/* ---- calibration ---- */

struct residuals {
    double sum, squares; /* of score - truth */
};

/* The bin (lo, hi] of equal width that a score from 0 to 1 is in, by scikit-learn's edges. */
static int bin_of(double score, int n_bins)
{
    double width = 1.0 / n_bins;
    int bin = (int)(score / width);
    while (bin > 0 && !(score > bin * width))
        bin--;
    while (bin + 1 < n_bins && score > (bin + 1) * width)
        bin++;
    return bin < n_bins ? bin : n_bins - 1;
}

static double normal(struct twister *twister)
{
    double u = (twister_next(twister) + 1.0) / 4294967297.0,
           v = twister_next(twister) / 4294967296.0;
    return sqrt(-2 * log(u)) * cos(2 * 3.14159265358979323846 * v);
}

/* Sums of residuals are redrawn bin by bin from the normal distribution that they have by the
 * central limit theorem; the interval is mirrored at the value, because the error is biased
 * upwards. */
static struct classify_value bootstrap(const struct residuals *bins, int n_bins, double n,
                                       double error, double confidence)
{
    double drawn[RESAMPLES];
    struct twister twister;
    twister_seed_numpy(&twister, SEED);
    for (int i = 0; i < RESAMPLES; i++) {
        drawn[i] = 0;
        for (int k = 0; k < n_bins; k++) {
            if (bins[k].squares > 0)
                drawn[i] += fabs(bins[k].sum + sqrt(bins[k].squares) * normal(&twister)) / n;
        }
    }
    qsort(drawn, RESAMPLES, sizeof *drawn, order_doubles);
    int cut = (int)((1 - confidence) / 2 * RESAMPLES);
    return (struct classify_value){error, within(2 * error - drawn[RESAMPLES - 1 - cut], 0, error),
                                   within(2 * error - drawn[cut], error, 1)};
}

static void calibration(const struct classify_row *rows, size_t n,
                        const struct classify_options *options, struct classify_result *out)
{
    struct residuals bins[CLASSIFY_MAX_BINS] = {0};
    double error = 0;
    for (size_t i = 0; i < n; i++) {
        struct residuals *bin = &bins[bin_of(rows[i].score, options->n_bins)];
        double away = rows[i].score - (rows[i].positive ? 1 : 0);
        bin->sum += away;
        bin->squares += away * away;
    }
    for (int k = 0; k < options->n_bins; k++)
        error += fabs(bins[k].sum) / (double)n;
    out->figures[CLASSIFY_ECE] =
        bootstrap(bins, options->n_bins, (double)n, error, options->confidence);
}

/* ---- by decision ---- */

static void decision_figures(const struct classify_row *rows, size_t n,
                             const struct classify_options *options, double z,
                             struct classify_result *out)
{
    bool has_costs = !isnan(options->cost_false_positive) && !isnan(options->cost_false_negative);
    double cost = 0, squares = 0;
    size_t n_costs = 0;
    for (size_t i = 0; i < n; i++) {
        bool positive = rows[i].positive;
        bool predicted = options->decided ? rows[i].predicted : rows[i].score >= options->threshold;
        out->true_positives += predicted && positive;
        out->false_positives += predicted && !positive;
        out->false_negatives += !predicted && positive;
        out->true_negatives += !predicted && !positive;
        n_costs += isnan(rows[i].amount) ? 0 : 1;
        if (has_costs && predicted != positive && !isnan(rows[i].amount)) {
            double of_row = predicted ? options->cost_false_positive
                                      : options->cost_false_negative * rows[i].amount;
            cost += of_row;
            squares += of_row * of_row;
        }
    }
    double tp = (double)out->true_positives, fp = (double)out->false_positives,
           fn = (double)out->false_negatives;
    struct classify_value share = wilson_value(tp, tp + fp + fn, z);
    out->figures[CLASSIFY_PRECISION] = wilson_value(tp, tp + fp, z);
    out->figures[CLASSIFY_RECALL] = wilson_value(tp, tp + fn, z);
    out->figures[CLASSIFY_F1] =
        (struct classify_value){2 * tp / (2 * tp + fp + fn), 2 * share.low / (1 + share.low),
                                2 * share.high / (1 + share.high)};
    out->cost_total = has_costs && n_costs ? cost : not_defined;
    out->amounts_missing = has_costs ? n - n_costs : 0;
    if (has_costs)
        out->figures[CLASSIFY_COST] = of_mean(cost, squares, n_costs, z, (double)INFINITY);
}

enum status classify(struct classify_row *rows, size_t n, const struct classify_options *options,
                     struct classify_result *out, struct error *error)
{
    bool probabilities = n > 0;
    for (size_t i = 0; i < n; i++) {
        if (isnan(rows[i].score))
            return error_set(error, STATUS_INVALID, "row %zu has no score", i + 1);
        probabilities = probabilities && rows[i].score >= 0 && rows[i].score <= 1;
    }
    double z = classify_deviations(options->confidence);
    start(n, out);
    if (n)
        qsort(rows, n, sizeof *rows, by_score_descending);
    rank_figures(rows, n, z, out);
    decision_figures(rows, n, options, z, out);
    if (probabilities) {
        value_figures(rows, n, z, out);
        calibration(rows, n, options, out);
    }
    return STATUS_OK;
}
