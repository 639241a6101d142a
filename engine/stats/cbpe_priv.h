/* What the files of the estimation share: rows of a chunk, counts, and the three computations. */
#ifndef BINNACLE_STATS_CBPE_PRIV_H
#define BINNACLE_STATS_CBPE_PRIV_H

#include "engine/stats/cbpe.h"
#include "engine/stats/isotonic.h"

struct cbpe {
    struct cbpe_options options;
    bool calibrated;
    struct isotonic isotonic;
    /* Sampling error of n rows: deviation / sqrt(n * share); per metric. */
    double deviations[CBPE_COUNT], shares[CBPE_COUNT];
    double lower_thresholds[CBPE_COUNT], upper_thresholds[CBPE_COUNT];
};

/* Confusion counts; fractional where they are estimated. */
struct cbpe_counts {
    double tp, fp, fn, tn;
    double n; /* rows that were counted */
};

/* The value of a metric that is a function of counts, as sklearn's and NannyML's estimates have it:
 * 0 where a denominator is 0. */
double cbpe_of_counts(const struct cbpe *cbpe, enum cbpe_metric metric,
                      const struct cbpe_counts *counts);
/* From the truth; NaN where NannyML gives none. */
MUST_USE enum status cbpe_realized(const struct cbpe *cbpe, const struct cbpe_columns *columns,
                                   size_t first, size_t n, enum cbpe_metric metric, double *out,
                                   struct error *error);
/* Fills deviations[metric] and shares[metric]. */
MUST_USE enum status cbpe_learn_error(struct cbpe *cbpe, const struct cbpe_columns *reference,
                                      enum cbpe_metric metric, struct error *error);

#endif
