/* The reading side: once a tick the shards are poured, the windows moved to now, and what they hold
 * is written into the snapshot. Run by the tick's thread; the histories and rates advance with it.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/observe/observe_priv.h"

#define NS_PER_S        INT64_C(1000000000)
#define RATE_WINDOW_NS  (10 * NS_PER_S)
#define HISTORY_STEP_NS (NS_PER_S * 9 / 10) /* ticks are not exact to the millisecond */

static void summarize(const struct histogram *histogram, struct latency_summary *summary)
{
    summary->p50 = histogram_quantile(histogram, 0.50);
    summary->p95 = histogram_quantile(histogram, 0.95);
    summary->p99 = histogram_quantile(histogram, 0.99);
    summary->n = histogram->n;
}

static void fill_since_start(const struct latency_since_start *latency, struct latency_counts *out)
{
    uint64_t below = 0;
    for (int i = 0; i < LATENCY_BOUNDS; i++) {
        below += atomic_load_explicit(&latency->buckets[i], memory_order_relaxed);
        out->under[i] = below;
    }
    /* The total from the buckets too: read one by one while others count, n could disagree. */
    out->n = below + atomic_load_explicit(&latency->buckets[LATENCY_BOUNDS], memory_order_relaxed);
    out->sum_us = atomic_load_explicit(&latency->sum_us, memory_order_relaxed);
}

/* Newest first over all shards: by time, then by place in the ledger. */
static int newer(const void *a, const void *b)
{
    const struct recent_decision *x = a, *y = b;
    if (x->decided_at_us != y->decided_at_us)
        return x->decided_at_us > y->decided_at_us ? -1 : 1;
    return (x->ledger_index < y->ledger_index) - (x->ledger_index > y->ledger_index);
}

/* Keeps the newest MAX_SNAPSHOT_DECISIONS of what is in `all`. */
static size_t keep_newest(struct recent_decision *all, size_t n)
{
    qsort(all, n, sizeof *all, newer);
    return n < MAX_SNAPSHOT_DECISIONS ? n : MAX_SNAPSHOT_DECISIONS;
}

static void fill_from_shards(struct observe *observe, struct snapshot *snapshot)
{
    struct recent_decision all[2 * MAX_SNAPSHOT_DECISIONS];
    uint64_t reasons[VIOLATION_CODES] = {0};
    size_t n = 0;
    for (int i = 0; i < SHARDS; i++) {
        struct shard *shard = &observe->shards[i];
        lock_take(&shard->lock);
        observe_shard_pour(observe, shard);
        for (int code = 0; code < VIOLATION_CODES; code++)
            reasons[code] += shard->reasons[code];
        size_t here = shard->recent_count < MAX_SNAPSHOT_DECISIONS ? (size_t)shard->recent_count
                                                                   : MAX_SNAPSHOT_DECISIONS;
        memcpy(all + n, shard->recent, here * sizeof *all);
        lock_release(&shard->lock);
        n = keep_newest(all, n + here);
    }
    memcpy(snapshot->recent, all, n * sizeof *all);
    snapshot->n_recent = (int)n;
    for (int code = 0; code < VIOLATION_CODES; code++) {
        if (reasons[code] == 0 || snapshot->n_quarantine == MAX_SNAPSHOT_REASONS)
            continue;
        struct count_status *count = &snapshot->quarantine[snapshot->n_quarantine++];
        strncpy(count->name, violation_name((enum violation_code)code), NAME_SIZE - 1);
        count->n = reasons[code];
    }
}

static void fill_totals(const struct observe *observe, struct snapshot *snapshot)
{
    const struct tally *totals = &observe->totals;
    snapshot->accepted_total = totals->accepted;
    snapshot->quarantined_total = totals->quarantined;
    snapshot->duplicate_total = totals->duplicates;
    snapshot->error_total = totals->errors;
    snapshot->events_total =
        totals->accepted + totals->quarantined + totals->duplicates + totals->errors;
    memcpy(snapshot->decisions_total, totals->decisions, sizeof totals->decisions);
}

/* Events per second between now and the newest sample that is at least ten seconds old (or the
 * oldest there is). */
static double rate(const struct observe *observe, int64_t monotonic_ns, uint64_t events)
{
    const struct rate_sample *from = NULL;
    for (int i = 0; i < observe->n_rates; i++) {
        if (!from || monotonic_ns - observe->rates[i].monotonic_ns >= RATE_WINDOW_NS)
            from = &observe->rates[i];
    }
    int64_t passed_ns = from ? monotonic_ns - from->monotonic_ns : 0;
    if (passed_ns < HISTORY_STEP_NS)
        return NAN;
    return (double)(events - from->events) * (double)NS_PER_S / (double)passed_ns;
}

static void sample_rate(struct observe *observe, int64_t monotonic_ns, uint64_t events)
{
    if (observe->n_rates > 0 &&
        monotonic_ns - observe->rates[observe->n_rates - 1].monotonic_ns < HISTORY_STEP_NS)
        return;
    if (observe->n_rates == RATE_SAMPLES) {
        observe->n_rates--;
        memmove(observe->rates, observe->rates + 1, (RATE_SAMPLES - 1) * sizeof *observe->rates);
    }
    observe->rates[observe->n_rates++] = (struct rate_sample){monotonic_ns, events};
}

/* The last second's rate, for the history; NaN before there is one. */
static double last_rate(const struct observe *observe, int64_t monotonic_ns, uint64_t events)
{
    if (observe->n_rates == 0)
        return NAN;
    const struct rate_sample *last = &observe->rates[observe->n_rates - 1];
    int64_t passed_ns = monotonic_ns - last->monotonic_ns;
    return passed_ns > 0 ? (double)(events - last->events) * (double)NS_PER_S / (double)passed_ns
                         : NAN;
}

static void history_add(struct history *history, double value)
{
    if (history->n == HISTORY_POINTS) {
        history->n--;
        memmove(history->points, history->points + 1,
                (HISTORY_POINTS - 1) * sizeof *history->points);
    }
    history->points[history->n++] = (float)value;
}

static void fill_history(struct observe *observe, int64_t monotonic_ns, double rate_now,
                         struct snapshot *snapshot)
{
    if (observe->history_ns == 0 || monotonic_ns - observe->history_ns >= HISTORY_STEP_NS) {
        uint64_t decided = 0;
        for (int i = 0; i < DECISION_COUNT; i++)
            decided += snapshot->decisions[i];
        double declined = (double)snapshot->decisions[DECISION_DECLINE];
        history_add(&observe->rate_history, rate_now);
        history_add(&observe->p99_history, snapshot->latency_us.p99);
        history_add(&observe->decline_history, decided ? declined / (double)decided : NAN);
        observe->history_ns = monotonic_ns;
    }
    snapshot->rate_history = observe->rate_history;
    snapshot->p99_history = observe->p99_history;
    snapshot->decline_history = observe->decline_history;
}

static void fill_arms(const struct observe *observe, const struct tally *minute,
                      struct histogram *scratch, struct snapshot *snapshot)
{
    for (int i = 0; i < MAX_ARMS; i++) {
        const struct arm *arm = &observe->arms[i];
        if (!arm->used || (isnan(arm->share_wanted) && minute->arms[i] == 0))
            continue;
        struct arm_status *status = &snapshot->arms[snapshot->n_arms++];
        status->variant = arm->variant;
        memcpy(status->model, arm->model, sizeof status->model);
        memcpy(status->version, arm->version, sizeof status->version);
        status->share_wanted = isnan(arm->share_wanted) ? 0 : arm->share_wanted;
        status->n = minute->arms[i];
        status->judged = i == atomic_load(&observe->shadow_arm);
        status->share_measured =
            minute->accepted ? (double)minute->arms[i] / (double)minute->accepted : NAN;
        windows_arm_latency(observe->windows, i, scratch);
        summarize(scratch, &status->latency_us);
    }
}

static void fill_from_windows(struct observe *observe, struct histogram *scratch,
                              struct snapshot *snapshot)
{
    struct tally minute, hour, day;
    windows_sum(observe->windows, US_PER_MIN, &minute);
    windows_sum(observe->windows, US_PER_HOUR, &hour);
    windows_sum(observe->windows, US_PER_DAY, &day);
    windows_latency(observe->windows, US_PER_MIN, scratch);
    summarize(scratch, &snapshot->latency_us);
    /* What nothing older than an hour stands behind is not yet usual. */
    bool is_usual_known = day.accepted > hour.accepted;
    for (int i = 0; i < DECISION_COUNT; i++) {
        snapshot->decisions[i] = minute.decisions[i];
        if (is_usual_known)
            snapshot->decisions_usual[i] = day.decisions[i] - minute.decisions[i];
    }
    memcpy(snapshot->score_bins, hour.score_bins, sizeof hour.score_bins);
    fill_arms(observe, &minute, scratch, snapshot);
}

void observe_rewind(struct observe *observe, int64_t now_us)
{
    observe_pour_all(observe);
    lock_take(&observe->lock);
    windows_rewind(observe->windows, now_us);
    lock_release(&observe->lock);
    drift_slices_rewind(observe->drift_slices, now_us);
    drift_slices_rewind(observe->shadow_slices, now_us);
}

void observe_fill(struct observe *observe, int64_t now_us, int64_t monotonic_ns,
                  struct snapshot *snapshot)
{
    observe_assert(observe);
    struct histogram *scratch = malloc(sizeof *scratch);
    snapshot->n_quarantine = snapshot->n_arms = snapshot->n_recent = 0;
    fill_from_shards(observe, snapshot);
    fill_since_start(&observe->decision_latency, &snapshot->decision_latency);
    fill_since_start(&observe->answer_latency, &snapshot->answer_latency);
    lock_take(&observe->lock);
    windows_advance(observe->windows, now_us);
    fill_totals(observe, snapshot);
    if (scratch)
        fill_from_windows(observe, scratch, snapshot);
    snapshot->events_per_s = rate(observe, monotonic_ns, snapshot->events_total);
    fill_history(observe, monotonic_ns, last_rate(observe, monotonic_ns, snapshot->events_total),
                 snapshot);
    sample_rate(observe, monotonic_ns, snapshot->events_total);
    lock_release(&observe->lock);
    free(scratch);
    drift_slices_advance(observe->drift_slices, now_us);
    drift_slices_advance(observe->shadow_slices, now_us);
}

void observe_sum(struct observe *observe, int64_t window_us, struct tally *sum)
{
    observe_assert(observe);
    lock_take(&observe->lock);
    windows_sum(observe->windows, window_us, sum);
    lock_release(&observe->lock);
}

void observe_latency(struct observe *observe, int64_t window_us, struct histogram *sum)
{
    observe_assert(observe);
    lock_take(&observe->lock);
    windows_latency(observe->windows, window_us, sum);
    lock_release(&observe->lock);
}

void observe_past(struct observe *observe, int64_t width_us, struct tally *sums, int n)
{
    observe_assert(observe);
    lock_take(&observe->lock);
    windows_past(observe->windows, width_us, sums, n);
    lock_release(&observe->lock);
}

void observe_ever(struct observe *observe, struct tally *sum)
{
    observe_assert(observe);
    lock_take(&observe->lock);
    *sum = *windows_ever(observe->windows);
    lock_release(&observe->lock);
}
