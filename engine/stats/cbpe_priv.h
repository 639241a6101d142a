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

/* Fills deviations[metric] and shares[metric]. */
MUST_USE enum status cbpe_learn_error(struct cbpe *cbpe, const struct cbpe_columns *reference,
                                      enum cbpe_metric metric, struct error *error);

#endif
