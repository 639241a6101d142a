/* Detectors that watch the rate of errors, 0 (right) or 1 (wrong):
 *   DDM     J. Gama, P. Medas, G. Castillo, P. Rodrigues, "Learning with drift detection", SBIA
 * 2004 EDDM    M. Baena-Garcia et al., "Early drift detection method", 2006 HDDM-A  I. Frias-Blanco
 * et al., "Online and non-parametric drift detection methods based on Hoeffding's bounds", IEEE
 * TKDE 27(3), 2014, with the average as estimator In the order of operations of River, so that both
 * round alike. In: one number at a time. Out: whether it is a drift. */
#include "engine/stats/detector_priv.h"

#include <math.h>

/* ---- DDM ---- */

enum { DDM_WARM_START, DDM_WARNING, DDM_DRIFT };

static const struct detector_parameter ddm_parameters[] = {
    [DDM_WARM_START] = {"warm_start", DETECTOR_INTEGER, 30, 0, 1e9, NULL,
                        "numbers before the first judgement"},
    [DDM_WARNING] = {"warning_threshold", DETECTOR_NUMBER, 2, 0, 1e9, NULL,
                     "standard deviations that are a warning; changes no position"},
    [DDM_DRIFT] = {"drift_threshold", DETECTOR_NUMBER, 3, 0, 1e9, NULL,
                   "standard deviations above the lowest rate that are a drift"},
    {0},
};

struct ddm {
    struct detector_mean rate;
    double lowest_rate, lowest_deviation, lowest_sum;
};

static size_t ddm_size(const double *values)
{
    (void)values;
    return sizeof(struct ddm);
}

static void ddm_reset(void *state, const double *values)
{
    (void)values;
    *(struct ddm *)state = (struct ddm){.lowest_sum = (double)INFINITY};
}

static bool ddm_update(void *state, const double *values, double number)
{
    struct ddm *ddm = state;
    detector_mean_add(&ddm->rate, number);
    double rate = ddm->rate.mean;
    double deviation = sqrt(fmax(rate * (1 - rate), 0) / ddm->rate.n);
    if (!(ddm->rate.n > values[DDM_WARM_START]))
        return false;
    if (rate + deviation <= ddm->lowest_sum) {
        ddm->lowest_rate = rate;
        ddm->lowest_deviation = deviation;
        ddm->lowest_sum = rate + deviation;
    }
    return rate + deviation > ddm->lowest_rate + values[DDM_DRIFT] * ddm->lowest_deviation;
}

const struct detector_class detector_ddm = {
    .name = "ddm",
    .parameters = ddm_parameters,
    .size = ddm_size,
    .reset = ddm_reset,
    .update = ddm_update,
    .restart = -1,
    .errors_only = true,
};

/* ---- EDDM ---- */

enum { EDDM_WARM_START, EDDM_ALPHA, EDDM_BETA };

static const struct detector_parameter eddm_parameters[] = {
    [EDDM_WARM_START] = {"warm_start", DETECTOR_INTEGER, 30, 0, 1e9, NULL,
                         "numbers, and errors, before the first judgement"},
    [EDDM_ALPHA] = {"alpha", DETECTOR_NUMBER, 0.95, 0, 1, NULL,
                    "share of the largest distance that is a warning; changes no position"},
    [EDDM_BETA] = {"beta", DETECTOR_NUMBER, 0.9, 0, 1, NULL,
                   "share of the largest distance under which it is a drift"},
    {0},
};

struct eddm {
    struct detector_mean distance; /* from one error to the next */
    double squares;                /* about its mean, summed */
    double largest;                /* mean + 2 deviations so far */
    double n, last_error;
};

static size_t eddm_size(const double *values)
{
    (void)values;
    return sizeof(struct eddm);
}

static void eddm_reset(void *state, const double *values)
{
    (void)values;
    *(struct eddm *)state = (struct eddm){.largest = -1};
}

static bool eddm_update(void *state, const double *values, double number)
{
    struct eddm *eddm = state;
    eddm->n += 1;
    if (number != 1)
        return false;
    double distance = eddm->n - eddm->last_error, before = eddm->distance.mean;
    detector_mean_add(&eddm->distance, distance);
    eddm->squares += (distance - before) * (distance - eddm->distance.mean);
    eddm->last_error = eddm->n;
    if (!(eddm->n > values[EDDM_WARM_START]))
        return false;
    double n_errors = eddm->distance.n;
    double variance = n_errors > 1 ? eddm->squares / (n_errors - 1) : 0;
    double reach = eddm->distance.mean + 2 * pow(variance, 0.5);
    if (reach > eddm->largest) {
        eddm->largest = reach;
        return false;
    }
    return n_errors > values[EDDM_WARM_START] && reach / eddm->largest < values[EDDM_BETA];
}

static const char *eddm_contradiction(const double *values)
{
    return values[EDDM_ALPHA] < values[EDDM_BETA] ? "alpha is at least beta" : NULL;
}

const struct detector_class detector_eddm = {
    .name = "eddm",
    .parameters = eddm_parameters,
    .size = eddm_size,
    .reset = eddm_reset,
    .update = eddm_update,
    .contradiction = eddm_contradiction,
    .restart = -1,
};

/* ---- HDDM-A ---- */

enum { HDDM_DRIFT, HDDM_WARNING, HDDM_TWO_SIDED };

static const struct detector_parameter hddm_a_parameters[] = {
    [HDDM_DRIFT] = {"drift_confidence", DETECTOR_NUMBER, 0.001, 1e-300, 1, NULL,
                    "probability of a false drift"},
    [HDDM_WARNING] = {"warning_confidence", DETECTOR_NUMBER, 0.005, 1e-300, 1, NULL,
                      "probability of a false warning; changes no position"},
    [HDDM_TWO_SIDED] = {"two_sided_test", DETECTOR_BOOL, 0, 0, 1, NULL,
                        "a rate that falls is a drift, too"},
    {0},
};

struct hddm_a {
    struct detector_mean all;
    struct detector_mean lowest, highest; /* the cut points: where the mean stood lowest, highest */
};

static size_t hddm_a_size(const double *values)
{
    (void)values;
    return sizeof(struct hddm_a);
}

static void hddm_a_reset(void *state, const double *values)
{
    (void)values;
    *(struct hddm_a *)state = (struct hddm_a){0};
}

static double hoeffding_bound(double n, double confidence)
{
    return sqrt(1.0 / (2 * n) * log(1.0 / confidence));
}

/* Whether the mean since the cut point is further off, `by`, than both samples allow. */
static bool has_moved(const struct detector_mean *cut, const struct detector_mean *all, double by,
                      double confidence)
{
    if (cut->n == all->n)
        return false;
    double m = (all->n - cut->n) / cut->n * (1.0 / all->n);
    return by >= sqrt(m / 2 * log(2.0 / confidence));
}

static bool hddm_a_update(void *state, const double *values, double number)
{
    struct hddm_a *hddm = state;
    double confidence = values[HDDM_DRIFT];
    struct detector_mean *all = &hddm->all, *lowest = &hddm->lowest, *highest = &hddm->highest;
    detector_mean_add(all, number);
    if (lowest->n == 0)
        *lowest = *highest = *all;
    double bound = hoeffding_bound(all->n, confidence);
    if (lowest->mean + hoeffding_bound(lowest->n, confidence) >= all->mean + bound)
        *lowest = *all;
    if (highest->mean - hoeffding_bound(highest->n, confidence) <= all->mean - bound)
        *highest = *all;
    return has_moved(lowest, all, all->mean - lowest->mean, confidence) ||
           (values[HDDM_TWO_SIDED] != 0 &&
            has_moved(highest, all, highest->mean - all->mean, confidence));
}

const struct detector_class detector_hddm_a = {
    .name = "hddm_a",
    .parameters = hddm_a_parameters,
    .size = hddm_a_size,
    .reset = hddm_a_reset,
    .update = hddm_a_update,
    .restart = -1,
};
