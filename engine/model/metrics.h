/* How good scores are against the truth. */
#ifndef BINNACLE_MODEL_METRICS_H
#define BINNACLE_MODEL_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/status.h"

/* Values are NaN where they are not defined (no rows; one class only for auc and
 * average_precision). */
struct metrics {
    size_t n;
    size_t positives;
    double auc;               /* area under the ROC curve, ties count half (Mann-Whitney U) */
    double average_precision; /* sum of (R_k - R_k-1) P_k over distinct scores, no interpolation */
    double brier;
    double log_loss; /* natural log; scores clipped to [eps, 1 - eps], eps = 2^-52 */
};

/* `labels` are 0 or 1; `scores` must not be NaN (STATUS_INVALID). O(n log n). */
MUST_USE enum status metrics_compute(const float *scores, const float *labels, size_t n,
                                     struct metrics *out, struct error *error);

/* One scored transaction for card precision. */
struct card_event {
    uint64_t card; /* any number that is the customer's alone */
    int64_t day;   /* whole days, ascending from any origin */
    float score;
    bool fraud;
};

/* Card precision@k as the Fraud Detection Handbook (Le Borgne et al. 2022, section 4.3) defines
 * it: each day, customers are ranked by their highest score, those found fraudulent among the top
 * k of an earlier day are left out from then on, precision is fraudulent customers among the top k
 * over k, and the days are averaged. Ties go to the lower card. NaN without events.
 * `events` is sorted in place. */
MUST_USE enum status metrics_card_precision(struct card_event *events, size_t n, size_t k,
                                            double *out, struct error *error);

#endif
