/* What is measured of a feature's bins beside PSI, and what is said of all features together: pure
 * functions of counts. One thread. */
#include <math.h>
#include <string.h>

#include "engine/monitor/drift.h"
#include "engine/stats/chi_square.h"
#include "engine/stats/discovery.h"
#include "engine/stats/distance.h"
#include "engine/stats/null.h"
#include "engine/stats/samples.h"
#include "engine/stats/special.h"

#define ALPHA         0.05 /* of what is found, so much may be false */
#define LEAST_RISE    0.02 /* of the share of missing values, that anybody is told of */
#define DATASET_RATIO 0.5

struct counts {
    double reference[MAX_BINS], live[MAX_BINS]; /* counts */
    double p[MAX_BINS], q[MAX_BINS], pooled[MAX_BINS];
    double n, m;
};

static bool make_counts(const struct binning *binning, const uint64_t live[MAX_BINS],
                        struct counts *counts)
{
    counts->n = counts->m = 0;
    for (int i = 0; i < MAX_BINS; i++) {
        counts->reference[i] = (double)binning->reference[i];
        counts->live[i] = (double)live[i];
        counts->n += counts->reference[i];
        counts->m += counts->live[i];
    }
    for (int i = 0; i < MAX_BINS; i++) {
        counts->p[i] = counts->reference[i] / counts->n;
        counts->q[i] = counts->live[i] / counts->m;
        counts->pooled[i] = (counts->reference[i] + counts->live[i]) / (counts->n + counts->m);
    }
    return counts->n > 0 && counts->m > 0 && binning->n_reference > 0;
}

static struct drift_measure measure_distance(const struct counts *counts, enum distance distance,
                                             double statistic)
{
    struct null_result null =
        null_of_distance(distance, statistic, counts->pooled, MAX_BINS, counts->n, counts->m);
    return (struct drift_measure){statistic, null.expected, null.p_value};
}

void drift_measure(const struct binning *binning, const uint64_t counts[MAX_BINS],
                   struct drift_status *status)
{
    struct counts both;
    status->binning = *binning;
    memcpy(status->live, counts, sizeof status->live);
    status->p_adjusted = status->missing_reference_ratio = status->missing_live_ratio = NAN;
    status->nulls_risen = status->unseen = status->vanished = false;
    for (int i = 0; i < DRIFT_METHODS; i++)
        status->measures[i] = (struct drift_measure){NAN, NAN, NAN};
    if (!make_counts(binning, counts, &both))
        return;
    status->missing_reference_ratio = both.p[MISSING_BIN];
    status->missing_live_ratio = both.q[MISSING_BIN];
    double js = distance_of(DISTANCE_JS_BASE_2, both.p, both.q, MAX_BINS, NULL);
    double tvd = distance_of(DISTANCE_TVD, both.p, both.q, MAX_BINS, NULL);
    status->measures[DRIFT_PSI] = measure_distance(&both, DISTANCE_PSI, status->psi);
    status->measures[DRIFT_JS] = measure_distance(&both, DISTANCE_JS_BASE_2, js);
    status->measures[DRIFT_TVD] = measure_distance(&both, DISTANCE_TVD, tvd);
    struct chi_square chi = chi_square_samples(both.reference, both.live, MAX_BINS, false, NULL);
    status->measures[DRIFT_CHISQUARE] =
        (struct drift_measure){chi.statistic, chi.freedom, chi.p_value};
}

/* How likely a rise as large of the share of missing values is by chance; 1 where nobody minds. */
static double rise_by_chance(const struct drift_status *status)
{
    double p = status->missing_reference_ratio, q = status->missing_live_ratio;
    double n = (double)status->n_reference, m = (double)status->n;
    if (isnan(p) || isnan(q))
        return NAN;
    return q - p < LEAST_RISE ? 1 : special_normal_above(samples_share_z(q * m, m, p * n, n));
}

/* How likely so many values are by chance that a column of few has not in the reference, if the
 * next of its n would have been the first: 1 where there are none, or where many values are usual.
 */
static double unseen_by_chance(const struct drift_status *status)
{
    double unseen = 0;
    for (int i = 0; i < MAX_BINS; i++) {
        if (status->binning.few && binning_outside(&status->binning, i) &&
            status->binning.reference[i] == 0)
            unseen += (double)status->live[i];
    }
    if (unseen == 0)
        return 1;
    return special_binomial_at_least(unseen, (double)status->n,
                                     1 / ((double)status->n_reference + 1));
}

static void judge_again(struct drift_status *status, double rise, double unseen)
{
    if (status->state == HEALTH_NODATA)
        return;
    if (status->state == HEALTH_TICKET && status->p_adjusted > ALPHA)
        status->state = HEALTH_OK;
    status->nulls_risen = rise <= ALPHA;
    status->unseen = unseen <= ALPHA;
    status->vanished = status->missing_live_ratio >= 1 && status->missing_reference_ratio < 1;
    if (status->nulls_risen || status->unseen || status->vanished)
        status->state = HEALTH_TICKET;
}

void drift_judge_all(struct drift_status *features, int n, struct drift_verdict *verdict)
{
    double p[MAX_SNAPSHOT_DRIFT] = {0}, rise[MAX_SNAPSHOT_DRIFT] = {0};
    double unseen[MAX_SNAPSHOT_DRIFT] = {0};
    *verdict = (struct drift_verdict){.drifted_ratio = NAN};
    for (int i = 0; i < n; i++) {
        bool data = features[i].state != HEALTH_NODATA;
        p[i] = data ? features[i].measures[DRIFT_PSI].p_value : NAN;
        rise[i] = data ? rise_by_chance(&features[i]) : NAN;
        unseen[i] = data ? unseen_by_chance(&features[i]) : NAN;
    }
    /* Without memory to sort them in they stay as they are: more is reported, not less. */
    bool adjusted = discovery_adjust(p, (size_t)n, p) == STATUS_OK;
    adjusted = adjusted && discovery_adjust(rise, (size_t)n, rise) == STATUS_OK;
    adjusted = adjusted && discovery_adjust(unseen, (size_t)n, unseen) == STATUS_OK;
    (void)adjusted;
    for (int i = 0; i < n; i++) {
        features[i].p_adjusted = p[i];
        judge_again(&features[i], rise[i], unseen[i]);
        verdict->n_features += features[i].state != HEALTH_NODATA;
        verdict->n_drifted += features[i].state > HEALTH_OK;
    }
    if (verdict->n_features == 0)
        return;
    verdict->drifted_ratio = (double)verdict->n_drifted / verdict->n_features;
    verdict->drift = verdict->drifted_ratio >= DATASET_RATIO;
}
