/* Once a tick: counts of the window against the reference. What looks at values is dear, so only
 * some columns' are looked at in each tick, one after another; the others keep what was found. */
#include "engine/monitor/drift_live.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/clock.h"

#define SAMPLED_A_TICK 8

/* Of everybody's decisions (the score's, the champion's), of the canary's, or of what a shadow has
 * scored. */
enum whose { OF_ALL, OF_CANARY, OF_SHADOW, WHOSE };
static const enum variant variants[WHOSE] = {VARIANT_COUNT, VARIANT_CANARY, VARIANT_SHADOW};

struct drift_live {
    const struct monitor_options *options;
    struct observe *observe;
    enum health states[WHOSE][MAX_COLUMNS + 1]; /* the last: decisions */
    int64_t since_us[WHOSE][MAX_COLUMNS + 1];
    struct drift_sampled sampled[WHOSE][MAX_COLUMNS];
    int next; /* column that is to be looked at */
    struct value_points points;
    struct drift_scratch scratch;
};

struct drift_live *drift_live_create(const struct monitor_options *options, struct observe *observe)
{
    static const struct drift_measure none = {NAN, NAN, NAN};
    struct drift_live *live = calloc(1, sizeof *live);
    if (!live)
        return NULL;
    live->options = options;
    live->observe = observe;
    for (int whose = 0; whose < WHOSE; whose++) {
        for (int i = 0; i < MAX_COLUMNS; i++)
            live->sampled[whose][i] = (struct drift_sampled){0, none, none};
    }
    return live;
}

void drift_live_destroy(struct drift_live *live)
{
    free(live);
}

/* ---- by value ---- */

/* `any` false: there are no values of theirs, which is known without looking through the sample. */
static void look_at(struct drift_live *live, enum whose whose, int column, bool any)
{
    enum variant variant = whose == OF_ALL && column == 0 ? VARIANT_CHAMPION : variants[whose];
    struct drift_sampled *sampled = &live->sampled[whose][column];
    size_t n = any ? observe_values(live->observe, column, variant, live->scratch.values) : 0;
    drift_sample(&live->points, &live->scratch, n, sampled);
}

static void look_at_some(struct drift_live *live, const bool any[WHOSE])
{
    int n_columns = observe_columns(live->observe);
    for (int i = 0; i < SAMPLED_A_TICK && i < n_columns; i++) {
        int column = live->next++ % n_columns;
        if (!observe_points(live->observe, column, &live->points))
            live->points.n = 0;
        for (int whose = 0; whose < WHOSE; whose++)
            look_at(live, (enum whose)whose, column, any[whose]);
    }
    live->next %= n_columns;
}

/* ---- features ---- */

/* Since when it has been in its state. */
static void note_state(struct drift_live *live, enum whose whose, int column, int64_t now_us,
                       struct drift_status *status)
{
    enum health *state = &live->states[whose][column];
    int64_t *since_us = &live->since_us[whose][column];
    if (status->state != *state || *since_us == 0) {
        *state = status->state;
        *since_us = now_us;
    }
    status->since_us = *since_us;
}

static void copy_name(struct drift_status *status, const char *name)
{
    strncpy(status->feature, name, NAME_SIZE - 1);
    status->feature[NAME_SIZE - 1] = '\0';
}

static void fill_column(struct drift_live *live, enum whose whose, int column,
                        struct drift_status *status)
{
    const struct drift_options *options = &live->options->drift;
    const struct drift_sampled *sampled = &live->sampled[whose][column];
    struct binning binning;
    uint64_t counts[MAX_BINS];
    if (!observe_binning(live->observe, column, &binning))
        memset(&binning, 0, sizeof binning);
    if (whose != OF_ALL)
        observe_variant_bins(live->observe, variants[whose], column, counts);
    else
        observe_bins(live->observe, column, options->window_us, counts);
    drift_judge(options, &binning, counts, status);
    copy_name(status, observe_column_name(live->observe, column));
    drift_measure(&binning, counts, status);
    status->measures[DRIFT_KS] = sampled->ks;
    status->measures[DRIFT_WASSERSTEIN] = sampled->wasserstein;
    status->n_sample = sampled->n;
    status->warm_us = 0;
}

/* How far beyond noise, for the order on the screens; what has no data comes last. */
static double excess(const struct drift_status *status)
{
    if (status->state == HEALTH_NODATA || isnan(status->psi))
        return -INFINITY;
    return status->psi - status->noise;
}

static int more_drifted(const void *a, const void *b)
{
    double x = excess(a), y = excess(b);
    if (x != y)
        return x > y ? -1 : 1;
    return strcmp(((const struct drift_status *)a)->feature,
                  ((const struct drift_status *)b)->feature);
}

/* The number stays, but it says how full the windows are rather than what has drifted. */
static void set_warming(struct drift_status *status, int64_t warm_us)
{
    status->state = HEALTH_NODATA;
    status->warm_us = warm_us;
}

static int fill_columns(struct drift_live *live, enum whose whose, int64_t now_us, int64_t start_us,
                        struct drift_status *list, struct drift_verdict *verdict)
{
    const int64_t *reach_us = live->options->reach_us;
    int n = 0, columns[MAX_SNAPSHOT_DRIFT];
    int64_t history_us = start_us > 0 ? now_us - start_us : 0;
    for (int i = 0; i < observe_columns(live->observe) && n < MAX_SNAPSHOT_DRIFT; i++) {
        if (reach_us[i] == MONITOR_UNWATCHED)
            continue;
        fill_column(live, whose, i, &list[n]);
        if (history_us < reach_us[i])
            set_warming(&list[n], start_us > 0 ? start_us + reach_us[i] : 0);
        columns[n++] = i;
    }
    drift_judge_all(list, n, verdict);
    for (int i = 0; i < n; i++)
        note_state(live, whose, columns[i], now_us, &list[i]);
    qsort(list, (size_t)n, sizeof *list, more_drifted);
    return n;
}

/* ---- decisions ---- */

/* By the day before the window, whose decisions are what is usual. */
static void fill_decisions(struct drift_live *live, enum whose whose, int64_t now_us,
                           const uint64_t canary[DECISION_COUNT], struct drift_status *status)
{
    const struct drift_options *options = &live->options->drift;
    struct tally window, longer;
    struct binning binning = {.n_edges = DECISION_COUNT - 1};
    uint64_t counts[MAX_BINS] = {0};
    observe_sum(live->observe, options->window_us, &window);
    observe_sum(live->observe, options->window_us + US_PER_DAY, &longer);
    for (int i = 0; i < DECISION_COUNT; i++) {
        uint64_t all = window.decisions[i];
        counts[i] = whose == OF_CANARY ? canary[i] : all > canary[i] ? all - canary[i] : 0;
        binning.reference[i] = longer.decisions[i] > all ? longer.decisions[i] - all : 0;
        binning.n_reference += binning.reference[i];
    }
    drift_judge(options, &binning, counts, status);
    drift_measure(&binning, counts, status);
    copy_name(status, "decisions");
    status->of_decisions = true;
    status->warm_us = 0;
    status->p_adjusted = status->measures[DRIFT_PSI].p_value;
    if (binning.n_reference < (uint64_t)options->min_events)
        status->state = HEALTH_NODATA;
    note_state(live, whose, MAX_COLUMNS, now_us, status);
}

/* Whether a shadow has scored anything lately. */
static bool has_shadow(const struct drift_live *live)
{
    uint64_t counts[MAX_BINS], n = 0;
    observe_variant_bins(live->observe, VARIANT_SHADOW, 0, counts);
    for (int i = 0; i < MAX_BINS; i++)
        n += counts[i];
    return n > 0;
}

void drift_live_fill(struct drift_live *live, int64_t now_us, int64_t start_us,
                     struct snapshot *snapshot)
{
    uint64_t canary[DECISION_COUNT], n_canary = 0;
    observe_canary_decisions(live->observe, canary);
    for (int i = 0; i < DECISION_COUNT; i++)
        n_canary += canary[i];
    const bool any[WHOSE] = {true, n_canary > 0, has_shadow(live)};
    look_at_some(live, any);
    snapshot->n_drift =
        fill_columns(live, OF_ALL, now_us, start_us, snapshot->drift, &snapshot->drift_verdict);
    fill_decisions(live, OF_ALL, now_us, canary, &snapshot->decision_drift);
    snapshot->n_canary_drift = snapshot->n_shadow_drift = 0;
    if (any[OF_CANARY]) {
        snapshot->n_canary_drift = fill_columns(live, OF_CANARY, now_us, start_us,
                                                snapshot->canary_drift, &snapshot->canary_verdict);
        fill_decisions(live, OF_CANARY, now_us, canary, &snapshot->canary_decision_drift);
    }
    if (any[OF_SHADOW])
        snapshot->n_shadow_drift = fill_columns(live, OF_SHADOW, now_us, start_us,
                                                snapshot->shadow_drift, &snapshot->shadow_verdict);
}
