/* The joined outcomes from the inside: for truth.c and truth_file.c. */
#ifndef BINNACLE_MONITOR_TRUTH_PRIV_H
#define BINNACLE_MONITOR_TRUTH_PRIV_H

#include "engine/monitor/truth.h"

#define TRUTH_PERIODS 120
#define TRUTH_COHORT  64 /* bytes of a cohort's name */

struct truth {
    struct truth_options options;
    struct truth_counts counts;
    struct truth_row *rows; /* a ring of options.keep */
    size_t n, next;         /* filled; where the next one goes */
    uint32_t *buckets;      /* first row + 1 of each */
    size_t n_buckets;
    struct truth_period *periods; /* TRUTH_PERIODS, oldest first */
    size_t n_periods;
    char cohorts[TRUTH_MAX_COHORTS][TRUTH_COHORT];
    size_t n_cohorts;
    struct cbpe *cbpe;
    size_t n_reference;
    uint64_t learned_at; /* labels there were when it was last learned */
    struct detector *detector;
    uint64_t n_errors, n_detections;
    struct truth_detection detections[TRUTH_DETECTIONS]; /* a ring by n_detections */
};

/* A row of an earlier run into its place; rows come in their order. */
void truth_restore_row(struct truth *truth, const struct truth_row *row);

#endif
