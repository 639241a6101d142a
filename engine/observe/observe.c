/* The writing side: outcomes (outcomes.c) and other happenings come in from the pipeline's workers,
 * become small observations in the worker's shard, and are poured into the windows when the shard
 * is full or the tick asks. Looking up arms and bins happens on the worker's side of the lock, so
 * the windows are held only for adding. Nothing is allocated after creation but when a reference is
 * made. */
#include "engine/observe/observe.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/observe/bin_stage.h"
#include "engine/observe/observe_priv.h"

/* ---- life ---- */

void observe_options_init(struct observe_options *options)
{
    *options = (struct observe_options){
        .latency_limits_us = {200000},
        .freshness_limit_us = INT64_C(120) * 1000000,
        .n_bins = MAX_VALUE_BINS,
        .reference_events = 2000,
        .sample_window_us = US_PER_HOUR,
    };
}

static enum status make_shards(struct observe *observe)
{
    observe->shards = calloc(SHARDS, sizeof *observe->shards);
    if (!observe->shards)
        return STATUS_MEMORY;
    for (int i = 0; i < SHARDS; i++) {
        lock_init(&observe->shards[i].lock, "observe_shard");
        observe->shards[i].codes = calloc(SHARD_CAPACITY, observe->codes_width);
        if (!observe->shards[i].codes)
            return STATUS_MEMORY;
    }
    return STATUS_OK;
}

static int count_columns(const struct observe_options *options)
{
    size_t features = options->features ? options->features->n_features : 0;
    return features + 1 < MAX_COLUMNS ? (int)features + 1 : MAX_COLUMNS;
}

enum status observe_create(const struct observe_options *options, struct observe **observe,
                           struct error *error)
{
    if (options->n_bins < 2 || options->n_bins > MAX_VALUE_BINS || options->reference_events < 0 ||
        options->reference_events > 1000000)
        return error_set(error, STATUS_INVALID,
                         "drift needs 2 to %d bins and at most 1000000 reference events",
                         MAX_VALUE_BINS);
    struct observe *made = calloc(1, sizeof *made);
    if (!made)
        return error_set(error, STATUS_MEMORY, "out of memory for counters");
    made->magic = OBSERVE_MAGIC;
    made->options = *options;
    made->n_columns = count_columns(options);
    made->codes_width = bin_stage_width(made->n_columns);
    lock_init(&made->lock, "observe");
    struct windows_options windows = {.n_columns = made->n_columns,
                                      .freshness_limit_us = options->freshness_limit_us};
    memcpy(windows.latency_limits_us, options->latency_limits_us, sizeof windows.latency_limits_us);
    made->windows = windows_create(&windows);
    made->slices = slices_create(&options->slices);
    made->drift_slices = drift_slices_create(made->n_columns, options->sample_window_us);
    made->shadow_slices = drift_slices_create(made->n_columns, options->sample_window_us);
    atomic_init(&made->shadow_arm, NO_ARM);
    if (!made->windows || !made->slices || !made->drift_slices || !made->shadow_slices ||
        make_shards(made) != STATUS_OK) {
        observe_destroy(made);
        return error_set(error, STATUS_MEMORY, "out of memory for counters");
    }
    observe_renew_reference(made);
    *observe = made;
    return STATUS_OK;
}

void observe_destroy(struct observe *observe)
{
    if (!observe)
        return;
    for (int i = 0; observe->shards && i < SHARDS; i++) {
        struct shard *shard = &observe->shards[i];
        if (!shard->lock.name)
            break;
        reference_release(shard->reference);
        free(shard->codes);
        lock_destroy(&shard->lock);
    }
    free(observe->shards);
    slices_destroy(observe->slices);
    drift_slices_destroy(observe->drift_slices);
    drift_slices_destroy(observe->shadow_slices);
    reference_release(observe->reference);
    free(observe->collected);
    windows_destroy(observe->windows);
    lock_destroy(&observe->lock);
    observe->magic = 0;
    free(observe);
}

/* ---- shards ---- */

struct shard *observe_shard_take(struct observe *observe, int worker)
{
    observe_assert(observe);
    struct shard *shard = &observe->shards[(unsigned)worker % SHARDS];
    lock_take(&shard->lock);
    return shard;
}

static void add_totals(struct tally *totals, const struct observation *observation)
{
    totals->accepted += observation->kind == OBSERVED_OUTCOME;
    totals->quarantined += observation->kind == OBSERVED_QUARANTINE;
    totals->duplicates += observation->kind == OBSERVED_DUPLICATE;
    totals->errors += observation->kind == OBSERVED_ERROR;
    if (observation->kind == OBSERVED_OUTCOME)
        totals->decisions[observation->decision]++;
}

/* Those from `first` to `end`; returns `end`. */
static int tell_sink(struct observe *observe, const struct observations *all, int first, int end)
{
    const struct observations some = {
        .list = all->list + first,
        .codes = all->codes ? all->codes + (size_t)first * all->codes_width : NULL,
        .codes_width = all->codes_width,
        .n = end - first};
    if (some.n > 0)
        observe->sink.take(observe->sink.context, &some);
    return end;
}

/* For the windows and for the sink. What the windows judge on the way is told to the sink as well:
 * by then it has taken all that came before. */
static void pour_into(struct observe *observe, struct shard *shard, unsigned places)
{
    bool same_cuts = shard->reference == observe->reference;
    bool to_sink = places & OBSERVE_SINK && observe->sink.context;
    const struct observations all = {.list = shard->observations,
                                     .codes = same_cuts ? shard->codes : NULL,
                                     .codes_width = observe->codes_width,
                                     .n = shard->n};
    int told = 0;
    for (int first = 0; places & OBSERVE_WINDOWS && first < all.n;) {
        if (to_sink && windows_judges_by(observe->windows, all.list[first].at_us))
            told = tell_sink(observe, &all, told, first);
        first = windows_put(observe->windows, &all, first);
    }
    if (to_sink)
        (void)tell_sink(observe, &all, told, all.n);
    for (int i = 0; i < all.n; i++)
        add_totals(&observe->totals, &all.list[i]);
    shard->n = 0;
}

static void pour_locked(struct observe *observe, struct shard *shard)
{
    pour_into(observe, shard, OBSERVE_WINDOWS | OBSERVE_SINK);
}

void observe_shard_pour_recorded(struct observe *observe, struct shard *shard, unsigned places)
{
    lock_take(&observe->lock);
    struct tally before = observe->totals;
    pour_into(observe, shard, places);
    observe->totals = before;
    lock_release(&observe->lock);
}

void observe_shard_pour(struct observe *observe, struct shard *shard)
{
    lock_assert_held(&shard->lock);
    if (shard->n == 0)
        return;
    lock_take(&observe->lock);
    pour_locked(observe, shard);
    lock_release(&observe->lock);
}

void observe_pour_all(struct observe *observe)
{
    for (int i = 0; i < SHARDS; i++) {
        struct shard *shard = observe_shard_take(observe, i);
        observe_shard_pour(observe, shard);
        lock_release(&shard->lock);
    }
}

void observe_shard_renew(struct observe *observe, struct shard *shard)
{
    if (atomic_load_explicit(&observe->generation, memory_order_acquire) == shard->generation)
        return;
    lock_take(&observe->lock);
    pour_locked(observe, shard);
    reference_release(shard->reference);
    shard->reference = observe->reference;
    if (shard->reference)
        atomic_fetch_add(&shard->reference->users, 1);
    memcpy(shard->arms, observe->arms, sizeof shard->arms);
    shard->generation = atomic_load(&observe->generation);
    lock_release(&observe->lock);
}

struct observation *observe_shard_slot(struct observe *observe, struct shard *shard, int64_t at_us,
                                       enum observation_kind kind)
{
    if (shard->n == SHARD_CAPACITY)
        observe_shard_pour(observe, shard);
    struct observation *slot = &shard->observations[shard->n++];
    *slot = (struct observation){.at_us = at_us,
                                 .event_us = at_us,
                                 .latency_us = -1,
                                 .age_us = INT64_MAX,
                                 .kind = (uint8_t)kind,
                                 .arm = NO_ARM};
    return slot;
}

/* ---- everything else that happens ---- */

static void happened(struct observe *observe, int worker, int64_t now_us,
                     enum observation_kind kind)
{
    struct shard *shard = observe_shard_take(observe, worker);
    (void)observe_shard_slot(observe, shard, now_us, kind);
    lock_release(&shard->lock);
}

void observe_quarantine(struct observe *observe, int worker, const struct event *event,
                        int64_t now_us)
{
    struct shard *shard = observe_shard_take(observe, worker);
    struct observation *slot = observe_shard_slot(observe, shard, now_us, OBSERVED_QUARANTINE);
    for (int i = 0; i < event->n_violations && i < MAX_VIOLATIONS; i++) {
        enum violation_code code = event->violations[i].code;
        uint32_t bit = UINT32_C(1) << code;
        shard->reasons[code] += !(slot->reasons & bit);
        slot->reasons |= bit;
    }
    if (observe->sink.context)
        slot->labels = observe->sink.refused(observe->sink.context, event);
    lock_release(&shard->lock);
    slices_quarantine(observe->slices, event, now_us);
}

void observe_duplicate(struct observe *observe, int worker, int64_t now_us)
{
    happened(observe, worker, now_us, OBSERVED_DUPLICATE);
    slices_count(observe->slices, SLICED_DUPLICATES, now_us);
}

void observe_error(struct observe *observe, int worker, int64_t now_us)
{
    happened(observe, worker, now_us, OBSERVED_ERROR);
    slices_count(observe->slices, SLICED_ERRORS, now_us);
}

void observe_label(struct observe *observe, int64_t now_us, int label, int64_t delay_us)
{
    slices_label(observe->slices, now_us, label, delay_us);
}

void observe_ticked(struct observe *observe, const struct snapshot *snapshot)
{
    slices_tick(observe->slices, snapshot);
}

struct slices *observe_slices(struct observe *observe)
{
    return observe->slices;
}
