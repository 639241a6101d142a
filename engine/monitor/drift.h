/* Population stability index: how far a distribution has moved from its reference, and how much of
 * that is only the noise of a small sample. */
#ifndef BINNACLE_MONITOR_DRIFT_H
#define BINNACLE_MONITOR_DRIFT_H

#include <stdint.h>

#include "engine/base/status.h"
#include "engine/base/yaml.h"
#include "engine/observe/bins.h"
#include "engine/observe/observe.h"
#include "engine/observe/snapshot.h"

struct drift_options {
    int64_t window_us;        /* what "now" is: 1 h */
    double threshold;         /* PSI above this is drift: 0.3 */
    int64_t min_events;       /* fewer are no data: 200 */
    int64_t n_bins;           /* 10 */
    int64_t reference_events; /* the first so many events are the reference: 2000 */
};

void drift_defaults(struct drift_options *options);
/* The `drift:` node: {window, threshold, min_events, bins, reference_events}. NULL: defaults. */
MUST_USE enum status drift_read(const struct yaml_node *node, struct drift_options *options,
                                struct error *error);

/* Sum over the bins of (q - p) * ln(q / p), p being the reference's share and q the current one.
 * Each count has 1/2 added before shares are taken (Jeffreys' prior; the divisor grows by half the
 * number of bins), so that an empty bin is a small share and not an infinite index. Bins empty on
 * both sides are left out. *contribution (may be NULL), n_bins of them: each bin's term. NaN, and
 * NaN terms, when either side has no events at all. n_bins is at most MAX_BINS. */
double drift_psi(const uint64_t *reference, const uint64_t *current, int n_bins,
                 double *contribution);

/* What PSI reaches in the share `quantile` of samples when nothing has drifted: PSI divided by
 * (1/n + 1/m) follows a chi-square distribution with n_bins - 1 degrees of freedom (B. Yurdakul,
 * "Statistical Properties of Population Stability Index", Western Michigan University 2018). NaN
 * when n or m is 0 or n_bins < 2. */
double drift_noise(int n_bins, uint64_t n, uint64_t m, double quantile);

/* Fills everything but the name. Fewer than min_events: PSI is shown, the state is no data. A PSI
 * that noise alone could give (its 95th percentile) is OK, whatever the threshold. */
void drift_judge(const struct drift_options *options, const struct binning *binning,
                 const uint64_t counts[MAX_BINS], struct drift_status *status);

/* Fills measures, the share of missing values and the bins; call after drift_judge(). JS is the
 * root of the divergence, base 2. */
void drift_measure(const struct binning *binning, const uint64_t counts[MAX_BINS],
                   struct drift_status *status);

/* The measures by value, of n values in any order, of which each stands for as many as its weight:
 * Kolmogorov-Smirnov at the points of the reference (exact there), Wasserstein over its standard
 * deviation. With too few of them NaN. Scratch is the caller's, and any. */
struct drift_sampled {
    uint64_t n;
    struct drift_measure ks, wasserstein;
};
struct drift_scratch {
    struct observed_value values[OBSERVE_SAMPLE];
    double sorted[OBSERVE_SAMPLE], upto[OBSERVE_SAMPLE], pooled[2 * MAX_VALUE_POINTS];
};
void drift_sample(const struct value_points *points, struct drift_scratch *scratch, size_t n,
                  struct drift_sampled *out);

/* What is said of all features together, n of them: p-values adjusted (Benjamini-Hochberg), rising
 * shares of missing values, values that the reference has not, what of a drift is not more than
 * chance taken back, the verdict. Whoever has no data keeps that. */
void drift_judge_all(struct drift_status *features, int n, struct drift_verdict *verdict);

#endif
