/* What detector.c hands to the methods: each has its state in one block that begins as zeros. */
#ifndef BINNACLE_STATS_DETECTOR_PRIV_H
#define BINNACLE_STATS_DETECTOR_PRIV_H

#include "engine/stats/detector.h"

/* A running mean, updated in the order of operations that River's `stats.Mean` has. */
struct detector_mean {
    double n, mean;
};

static inline void detector_mean_add(struct detector_mean *mean, double number)
{
    mean->n += 1;
    mean->mean += (1 / mean->n) * (number - mean->mean);
}

struct detector_class {
    const char *name;
    const struct detector_parameter *parameters;
    size_t (*size)(const double *values); /* of the state */
    /* As if nothing had been read; also before the first number. */
    void (*reset)(void *state, const double *values);
    bool (*update)(void *state, const double *values, double number);
    /* What is wrong with the values together, or NULL; may be NULL. */
    const char *(*contradiction)(const double *values);
    /* The place of the parameter that keeps the state after a detection when it is 0; -1: none. */
    int restart;
    bool errors_only; /* reads numbers from 0 to 1 */
};

extern const struct detector_class detector_adwin, detector_ddm, detector_eddm, detector_hddm_a,
    detector_page_hinkley, detector_kswin;

#endif
