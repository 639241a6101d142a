/* Once a tick: sums over the burn windows become objectives, bins become drift (drift_live.c). Also
 * the judge of each five-minute slice, called by observe when the slice is over. monitor_fill runs
 * in the tick's thread; the judge in whichever moves the windows, and only reads what never
 * changes. */
#include "engine/monitor/monitor.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/monitor/drift_live.h"

#define PAST_HOURS     24
#define PAST_SLICES    36
#define MIN_PAST_HOURS 6

struct monitor {
    struct monitor_options options;
    struct observe *observe;
    enum health states[MAX_SNAPSHOT_SLOS];
    int64_t since_us[MAX_SNAPSHOT_SLOS];
    struct drift_live *drift;
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
    observe->sample_window_us = options->drift.window_us;
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
    monitor->drift = drift_live_create(&monitor->options, observe);
    if (!monitor->drift) {
        free(monitor);
        return NULL;
    }
    observe_set_judge(observe, judge, monitor);
    return monitor;
}

void monitor_destroy(struct monitor *monitor)
{
    if (!monitor)
        return;
    observe_set_judge(monitor->observe, NULL, NULL);
    drift_live_destroy(monitor->drift);
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
        status->reach_us = age_us;
        slo_count(slo, &ever, &status->ever_counted, &status->ever_bad);
        slo_forecast(slo, &looked_at, age_us >= slo->window_us, now_us, status);
        slo_sentence(slo, now_us, status);
        note_state(monitor, i, now_us, status);
    }
    snapshot->n_slos = set->n;
}

void monitor_fill(struct monitor *monitor, struct observe *observe, int64_t now_us,
                  int64_t start_us, struct snapshot *snapshot)
{
    atomic_store(&monitor->history_us, start_us > 0 ? now_us - start_us : 0);
    fill_slos(monitor, observe, now_us, start_us, snapshot);
    drift_live_fill(monitor->drift, now_us, start_us, snapshot);
}
