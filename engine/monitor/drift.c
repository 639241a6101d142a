/* Population stability index and its sampling noise: pure functions of counts. The index is the
 * symmetric Kullback-Leibler divergence (Jeffreys 1946) of two binned samples; its distribution
 * under no drift is Yurdakul's (2018). */
#include "engine/monitor/drift.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>

#include "engine/base/clock.h"
#include "engine/stats/distance.h"
#include "engine/stats/special.h"

#define NOISE_QUANTILE 0.95

static const struct config_key drift_keys[] = {
    {"window", CONFIG_DURATION, offsetof(struct drift_options, window_us), false, 300, 86400,
     "how much of the past is compared with the reference (1h)"},
    {"threshold", CONFIG_NUMBER, offsetof(struct drift_options, threshold), false, 0.01, 100,
     "PSI above this is drift (0.3)"},
    {"min_events", CONFIG_INT, offsetof(struct drift_options, min_events), false, 20, 1000000,
     "fewer events than this are no data (200)"},
    {"bins", CONFIG_INT, offsetof(struct drift_options, n_bins), false, 2, MAX_VALUE_BINS,
     "bins per feature, besides those below, above and for missing values (10)"},
    {"reference_events", CONFIG_INT, offsetof(struct drift_options, reference_events), false, 100,
     100000, "the first so many decisions are the reference (2000)"},
    {NULL, CONFIG_STRING, 0, false, 0, 0, NULL},
};

void drift_defaults(struct drift_options *options)
{
    *options = (struct drift_options){
        .window_us = US_PER_HOUR,
        .threshold = 0.3,
        .min_events = 200,
        .n_bins = MAX_VALUE_BINS,
        .reference_events = 2000,
    };
}

enum status drift_read(const struct yaml_node *node, struct drift_options *options,
                       struct error *error)
{
    drift_defaults(options);
    return node ? config_read(node, drift_keys, options, error) : STATUS_OK;
}

/* How many bins are not empty on both sides. */
static int bins_used(const uint64_t *reference, const uint64_t *current, int n_bins)
{
    int used = 0;
    for (int i = 0; i < n_bins; i++)
        used += reference[i] > 0 || current[i] > 0;
    return used;
}

double drift_psi(const uint64_t *reference, const uint64_t *current, int n_bins,
                 double *contribution)
{
    double counts[2][MAX_BINS], shares[2][MAX_BINS], m = 0, n = 0;
    assert(n_bins <= MAX_BINS);
    for (int i = 0; i < n_bins; i++) {
        m += counts[0][i] = (double)reference[i];
        n += counts[1][i] = (double)current[i];
        if (contribution)
            contribution[i] = NAN;
    }
    if (m == 0 || n == 0)
        return NAN;
    distance_smooth(counts[0], counts[1], (size_t)n_bins, shares[0], shares[1]);
    return distance_of(DISTANCE_PSI, shares[0], shares[1], (size_t)n_bins, contribution);
}

double drift_noise(int n_bins, uint64_t n, uint64_t m, double quantile)
{
    if (n == 0 || m == 0 || n_bins < 2)
        return NAN;
    return special_chi_square_quantile(1 - quantile, n_bins - 1) * (1 / (double)n + 1 / (double)m);
}

void drift_judge(const struct drift_options *options, const struct binning *binning,
                 const uint64_t counts[MAX_BINS], struct drift_status *status)
{
    int used = bins_used(binning->reference, counts, MAX_BINS);
    uint64_t n = 0;
    for (int i = 0; i < MAX_BINS; i++)
        n += counts[i];
    status->n = n;
    status->n_reference = binning->n_reference;
    status->threshold = options->threshold;
    status->psi =
        binning->n_reference ? drift_psi(binning->reference, counts, MAX_BINS, NULL) : NAN;
    /* One bin on both sides cannot differ: no noise and no drift either. */
    status->noise = used < 2 && n > 0 && binning->n_reference
                        ? 0
                        : drift_noise(used, n, binning->n_reference, NOISE_QUANTILE);
    if (isnan(status->psi) || n < (uint64_t)options->min_events)
        status->state = HEALTH_NODATA;
    else if (status->psi > options->threshold && status->psi > status->noise)
        status->state = HEALTH_TICKET;
    else
        status->state = HEALTH_OK;
}
