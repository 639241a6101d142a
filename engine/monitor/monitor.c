/* Once a tick: sums over the burn windows become objectives, bins become drift. Also the judge of
 * each five-minute slice, called by observe when the slice is over. monitor_fill runs in the tick's
 * thread; the judge in whichever moves the windows, and only reads what never changes. */
#include "engine/monitor/monitor.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/clock.h"

#define PAST_HOURS     24
#define PAST_SLICES    36
#define MIN_PAST_HOURS 6

struct monitor {
    struct monitor_options options;
    struct observe *observe;
    enum health states[MAX_SNAPSHOT_SLOS];
    int64_t since_us[MAX_SNAPSHOT_SLOS];
    enum health drift_states[MAX_COLUMNS];
    int64_t drift_since_us[MAX_COLUMNS];
    atomic_llong history_us; /* that windows have seen, as of the last tick */
};

void monitor_options_init(struct monitor_options *options)
{
    slo_defaults(&options->objectives);
    drift_defaults(&options->drift);
    memset(options->reach_us, 0, sizeof options->reach_us);
}

enum status monitor_read(const struct yaml_node *objectives, const struct yaml_node *drift,
                         struct monitor_options *options, struct observe_options *observe,
                         struct error *error)
{
    enum status status = slo_read(objectives, &options->objectives, error);
    if (status == STATUS_OK)
        status = drift_read(drift, &options->drift, error);
    if (status == STATUS_OK)
        status = slo_options(&options->objectives, observe, error);
    if (status != STATUS_OK)
        return status;
    observe->n_bins = (int)options->drift.n_bins;
    observe->reference_events = options->drift.reference_events;
    return STATUS_OK;
}

/* Windows that reach further back than what has been seen hold less than those of the reference. */
static bool is_warming(struct monitor *monitor, int column)
{
    return atomic_load(&monitor->history_us) < monitor->options.reach_us[column];
}

/* The objective is about the score: what the service says. Single features are shown beside it;
 * hours and weekdays among them move all day long without anything being wrong. */
static enum slice_verdict judge(void *context, const struct binning *binnings,
                                const uint32_t (*counts)[MAX_BINS], int n_columns)
{
    struct monitor *monitor = context;
    uint64_t score[MAX_BINS];
    if (is_warming(monitor, 0))
        return SLICE_TOO_FEW;
    for (int i = 0; i < MAX_BINS; i++)
        score[i] = n_columns > 0 ? counts[0][i] : 0;
    struct drift_status status;
    drift_judge(&monitor->options.drift, &binnings[0], score, &status);
    if (status.state == HEALTH_NODATA)
        return SLICE_TOO_FEW;
    return status.state == HEALTH_OK ? SLICE_STEADY : SLICE_DRIFTED;
}

struct monitor *monitor_create(const struct monitor_options *options, struct observe *observe)
{
    struct monitor *monitor = calloc(1, sizeof *monitor);
    if (!monitor)
        return NULL;
    monitor->options = *options;
    monitor->observe = observe;
    observe_set_judge(observe, judge, monitor);
    return monitor;
}

void monitor_destroy(struct monitor *monitor)
{
    if (!monitor)
        return;
    observe_set_judge(monitor->observe, NULL, NULL);
    free(monitor);
}

/* The last day by hours; for a service that is younger, the last three hours by slices. */
struct past {
    struct tally hours[PAST_HOURS], slices[PAST_SLICES];
};

static struct slo_past choose_past(const struct past *past, int64_t age_us)
{
    if (age_us >= MIN_PAST_HOURS * US_PER_HOUR)
        return (struct slo_past){US_PER_HOUR, past->hours, PAST_HOURS};
    return (struct slo_past){SLICE_US, past->slices, PAST_SLICES};
}

static void note_state(struct monitor *monitor, int i, int64_t now_us, struct slo_status *status)
{
    if (status->state != monitor->states[i] || monitor->since_us[i] == 0) {
        monitor->states[i] = status->state;
        monitor->since_us[i] = now_us;
    }
    status->since_us = monitor->since_us[i];
}

static void fill_slos(struct monitor *monitor, struct observe *observe, int64_t now_us,
                      int64_t start_us, struct snapshot *snapshot)
{
    struct tally burn[BURN_WINDOWS], whole;
    struct past past;
    struct tally ever;
    int64_t whole_us = 0, age_us = start_us > 0 ? now_us - start_us : 0;
    for (int i = 0; i < BURN_WINDOWS; i++)
        observe_sum(observe, burn_window_us((enum burn_window)i), &burn[i]);
    observe_ever(observe, &ever);
    observe_past(observe, US_PER_HOUR, past.hours, PAST_HOURS);
    observe_past(observe, SLICE_US, past.slices, PAST_SLICES);
    struct slo_past looked_at = choose_past(&past, age_us);
    const struct slo_set *set = &monitor->options.objectives;
    for (int i = 0; i < set->n; i++) {
        const struct slo *slo = &set->slos[i];
        struct slo_status *status = &snapshot->slos[i];
        if (slo->window_us != whole_us)
            observe_sum(observe, slo->window_us, &whole);
        whole_us = slo->window_us;
        slo_judge(slo, burn, &whole, status);
        slo_count(slo, &ever, &status->ever_counted, &status->ever_bad);
        slo_forecast(slo, &looked_at, age_us >= slo->window_us, now_us, status);
        slo_sentence(slo, now_us, status);
        note_state(monitor, i, now_us, status);
    }
    snapshot->n_slos = set->n;
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

/* Since when a column has been in its state. */
static void note_drift_state(struct monitor *monitor, int column, int64_t now_us,
                             struct drift_status *status)
{
    if (status->state != monitor->drift_states[column] || monitor->drift_since_us[column] == 0) {
        monitor->drift_states[column] = status->state;
        monitor->drift_since_us[column] = now_us;
    }
    status->since_us = monitor->drift_since_us[column];
}

static void fill_drift(struct monitor *monitor, struct observe *observe, int64_t now_us,
                       int64_t start_us, struct snapshot *snapshot)
{
    int n = 0, columns[MAX_SNAPSHOT_DRIFT];
    for (int i = 0; i < observe_columns(observe) && n < MAX_SNAPSHOT_DRIFT; i++) {
        if (monitor->options.reach_us[i] == MONITOR_UNWATCHED)
            continue;
        struct drift_status *status = &snapshot->drift[n++];
        struct binning binning;
        uint64_t counts[MAX_BINS];
        if (!observe_binning(observe, i, &binning))
            memset(&binning, 0, sizeof binning);
        observe_bins(observe, i, monitor->options.drift.window_us, counts);
        drift_judge(&monitor->options.drift, &binning, counts, status);
        strncpy(status->feature, observe_column_name(observe, i), NAME_SIZE - 1);
        status->feature[NAME_SIZE - 1] = '\0';
        drift_measure(&binning, counts, status);
        status->warm_us = 0;
        columns[n - 1] = i;
        if (is_warming(monitor, i))
            set_warming(status, start_us > 0 ? start_us + monitor->options.reach_us[i] : 0);
    }
    drift_judge_all(snapshot->drift, n, &snapshot->drift_verdict);
    for (int i = 0; i < n; i++)
        note_drift_state(monitor, columns[i], now_us, &snapshot->drift[i]);
    qsort(snapshot->drift, (size_t)n, sizeof *snapshot->drift, more_drifted);
    snapshot->n_drift = n;
}

void monitor_note_time(struct monitor *monitor, int64_t now_us, int64_t start_us)
{
    atomic_store(&monitor->history_us, start_us > 0 ? now_us - start_us : 0);
}

void monitor_fill(struct monitor *monitor, struct observe *observe, int64_t now_us,
                  int64_t start_us, struct snapshot *snapshot)
{
    monitor_note_time(monitor, now_us, start_us);
    fill_slos(monitor, observe, now_us, start_us, snapshot);
    fill_drift(monitor, observe, now_us, start_us, snapshot);
}
