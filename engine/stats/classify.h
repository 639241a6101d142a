/* How good the scores of a binary classifier are against the truth, with confidence intervals. */
#ifndef BINNACLE_STATS_CLASSIFY_H
#define BINNACLE_STATS_CLASSIFY_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/status.h"

struct classify_row {
    double score;
    double amount; /* what a missed positive costs is multiplied by it; 1 where amounts do not
                      count; NaN: not known, and the row is left out of the cost */
    bool positive;
    bool predicted; /* the decision, where options.decided says that it is there */
};

enum classify_figure {
    CLASSIFY_AUC,               /* area under the ROC curve, ties count half (Mann-Whitney U) */
    CLASSIFY_AVERAGE_PRECISION, /* sum of (R_k - R_k-1) P_k over distinct scores, no interpolation
                                 */
    CLASSIFY_BRIER,
    CLASSIFY_LOG_LOSS, /* natural log; scores clipped to [eps, 1 - eps], eps = 2^-52 */
    CLASSIFY_ECE,      /* expected calibration error over bins of equal width (lo, hi] */
    CLASSIFY_PRECISION,
    CLASSIFY_RECALL,
    CLASSIFY_F1,
    CLASSIFY_COST, /* mean of the costs of wrong decisions per row */
    CLASSIFY_COUNT,
};

struct classify_options {
    double threshold;  /* a score at or above it is a predicted positive ... */
    bool decided;      /* ... unless rows say themselves what was predicted */
    double confidence; /* of the intervals, such as 0.95 */
    int n_bins;        /* of the calibration error, 1 to CLASSIFY_MAX_BINS */
    double cost_false_positive, cost_false_negative; /* NaN both: no cost figure */
};

#define CLASSIFY_MAX_BINS 1000

/* threshold 0.5, confidence 0.95, 10 bins, no costs. */
struct classify_options classify_defaults(void);

/* Not defined (no rows, one class only where two are needed, scores that are no probabilities):
 * NaN. */
struct classify_value {
    double value, low, high;
};

struct classify_result {
    size_t n, positives;
    size_t true_positives, false_positives, false_negatives, true_negatives;
    double cost_total;      /* NaN without costs */
    size_t amounts_missing; /* rows left out of it; 0 without costs */
    struct classify_value figures[CLASSIFY_COUNT];
};

/* "auc", "average_precision", ... */
const char *classify_name(enum classify_figure figure);
/* How its interval is made, in a few words with the source. */
const char *classify_interval_name(enum classify_figure figure);

/* Values as scikit-learn's roc_auc_score, average_precision_score, brier_score_loss, log_loss,
 * precision_score, recall_score and f1_score give them; ece over the bins of its calibration_curve.
 * Intervals: DeLong, DeLong and Clarke-Pearson 1988 for auc; logit for average precision (Boyd, Eng
 * and Page 2013); Wilson 1927 for precision and recall, and for f1 through tp of tp + fp + fn, of
 * which it is a monotone function; normal for means; basic bootstrap over the bins for ece.
 * brier, log_loss and ece need scores from 0 to 1. Scores are not NaN (STATUS_INVALID names the
 * row, from 1). `rows` is sorted in place. O(n log n). */
MUST_USE enum status classify(struct classify_row *rows, size_t n,
                              const struct classify_options *options, struct classify_result *out,
                              struct error *error);

/* AUC and average precision alone, of columns that stay as they are; labels are 0 or not, scores
 * not NaN. NaN where they are not defined; either may be NULL. */
MUST_USE enum status classify_ranks(const double *scores, const double *labels, size_t n,
                                    double *auc, double *average_precision, struct error *error);

/* How many standard deviations of a normal variable hold `confidence` of it, two-sided. */
double classify_deviations(double confidence);

#endif
