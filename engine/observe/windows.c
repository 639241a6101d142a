/* The clock of counting by time, verdicts and sums; what is counted comes in by windows_count.c.
 * Every observation enters one cell of each ring; moving the clock clears the cells it skips, never
 * more than a ring has, so a jump over years costs what a full ring costs. When a minute or a slice
 * of five minutes has been over for GRACE_US it is judged once (freshness, drift) and the verdict
 * counted like an observation at that moment: so verdicts live in every window, long after the
 * cells they came from are gone. The caller holds the lock. */
#include "engine/observe/windows.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/observe/windows_priv.h"

#define RECENT_WIDTH_US (5 * US_PER_S)
#define SETTLED_NOTHING INT64_MIN

static const struct ring level_shapes[LEVELS] = {
    [LEVEL_SECOND] = {.width_us = US_PER_S, .n = 330},
    [LEVEL_MINUTE] = {.width_us = US_PER_MIN, .n = MINUTE_SLOTS},
    [LEVEL_SLICE] = {.width_us = SLICE_US, .n = 870},
    [LEVEL_HOUR] = {.width_us = US_PER_HOUR, .n = HOUR_SLOTS},
};

/* The longest window that each level is asked for. */
static const int64_t level_spans_us[LEVELS] = {
    [LEVEL_SECOND] = 5 * US_PER_MIN,
    [LEVEL_MINUTE] = 6 * US_PER_HOUR,
    [LEVEL_SLICE] = 3 * US_PER_DAY,
    [LEVEL_HOUR] = OBSERVE_MAX_WINDOW_US,
};

struct windows *windows_create(const struct windows_options *options)
{
    struct windows *windows = calloc(1, sizeof *windows);
    if (!windows)
        return NULL;
    windows->options = *options;
    bool complete = true;
    for (int i = 0; i < LEVELS; i++) {
        windows->levels[i] = level_shapes[i];
        windows->tallies[i] = calloc((size_t)level_shapes[i].n, sizeof(struct tally));
        windows->counted[i] = calloc((size_t)level_shapes[i].n, sizeof *windows->counted[i]);
        complete = complete && windows->tallies[i] && windows->counted[i];
    }
    windows->recent = (struct ring){.width_us = RECENT_WIDTH_US, .n = RECENT_SLOTS};
    windows->bin_ring = (struct ring){.width_us = SLICE_US, .n = BIN_SLOTS};
    windows->recent_latency = calloc(RECENT_SLOTS, sizeof *windows->recent_latency);
    windows->hour_latency = calloc(HOUR_SLOTS, sizeof *windows->hour_latency);
    windows->bins = calloc(BIN_SLOTS * (size_t)options->n_columns, sizeof *windows->bins);
    for (int i = 0; i < MINUTE_SLOTS; i++)
        windows->youngest_us[i] = INT64_MAX;
    windows->judged_minute = windows->judged_slice = SETTLED_NOTHING;
    windows->verdict_us = windows->second_end_us = INT64_MIN; /* nothing is known yet */
    if (!complete || !windows->recent_latency || !windows->hour_latency || !windows->bins) {
        windows_destroy(windows);
        return NULL;
    }
    return windows;
}

void windows_destroy(struct windows *windows)
{
    if (!windows)
        return;
    for (int i = 0; i < LEVELS; i++) {
        free(windows->tallies[i]);
        free(windows->counted[i]);
    }
    free(windows->recent_latency);
    free(windows->hour_latency);
    free(windows->bins);
    free(windows);
}

void windows_set_judge(struct windows *windows, slice_judge *judge, void *context)
{
    windows->judge = judge;
    windows->judge_context = context;
}

void windows_inherit_judge(struct windows *windows, const struct windows *from)
{
    windows_set_judge(windows, from->judge, from->judge_context);
    windows->sink = from->sink;
}

void windows_set_sink(struct windows *windows, const struct observe_sink *sink)
{
    windows->sink = sink;
}

void windows_set_binnings(struct windows *windows, const struct binning *binnings)
{
    windows->binnings = binnings;
    size_t n = BIN_SLOTS * (size_t)windows->options.n_columns;
    memset(windows->bins, 0, n * sizeof *windows->bins);
    memset(windows->binned, 0, sizeof windows->binned);
}

/* ---- moving the clock ---- */

/* The first key to clear on the way to `key`; the ring then stands at `key`. */
static int64_t ring_move(struct ring *ring, int64_t key)
{
    int64_t from = ring->newest + 1;
    if (from <= key - ring->n)
        from = key - ring->n + 1;
    if (key > ring->newest)
        ring->newest = key;
    return from;
}

static void move_levels(struct windows *windows, int64_t time_us)
{
    for (int i = 0; i < LEVELS; i++) {
        struct ring *ring = &windows->levels[i];
        int64_t key = ring_key(ring, time_us);
        for (int64_t k = ring_move(ring, key); k <= key; k++) {
            int slot = ring_slot(ring, k);
            if (windows->counted[i][slot])
                memset(&windows->tallies[i][slot], 0, sizeof(struct tally));
            windows->counted[i][slot] = false;
            if (i == LEVEL_MINUTE)
                windows->youngest_us[slot] = INT64_MAX;
            if (i == LEVEL_HOUR && windows->hour_latency[slot].n > 0)
                memset(&windows->hour_latency[slot], 0, sizeof(struct histogram));
        }
    }
}

static void move_recent(struct windows *windows, int64_t time_us)
{
    int64_t key = ring_key(&windows->recent, time_us);
    for (int64_t k = ring_move(&windows->recent, key); k <= key; k++) {
        struct histogram *cell = windows->recent_latency[ring_slot(&windows->recent, k)];
        for (int i = 0; i <= MAX_ARMS; i++) {
            if (cell[i].n > 0)
                memset(&cell[i], 0, sizeof cell[i]);
        }
    }
}

static void move_bins(struct windows *windows, int64_t time_us)
{
    int64_t key = ring_key(&windows->bin_ring, time_us);
    for (int64_t k = ring_move(&windows->bin_ring, key); k <= key; k++) {
        int slot = ring_slot(&windows->bin_ring, k);
        if (windows->binned[slot] == 0)
            continue;
        size_t size = (size_t)windows->options.n_columns * sizeof *windows->bins;
        memset(slice_bins(windows, slot), 0, size);
        windows->binned[slot] = 0;
    }
}

static void move_all(struct windows *windows, int64_t time_us)
{
    if (time_us <= windows->now_us)
        return;
    windows->now_us = time_us;
    if (time_us < windows->second_end_us)
        return; /* no ring has a cell shorter than a second */
    windows->second_end_us = (ring_key(&windows->levels[LEVEL_SECOND], time_us) + 1) * US_PER_S;
    windows->place = (struct place){0};
    move_levels(windows, time_us);
    move_recent(windows, time_us);
    move_bins(windows, time_us);
}

/* ---- verdicts on what is over ---- */

static void count_everywhere(struct windows *windows, int64_t time_us, const struct tally *counts)
{
    for (int i = 0; i < LEVELS; i++) {
        struct tally *cell = windows_cell(windows, (enum level)i, time_us);
        if (cell)
            tally_add(cell, counts);
    }
    tally_add(&windows->ever, counts);
    if (windows->sink && windows->sink->context)
        windows->sink->verdict(windows->sink->context, time_us, counts);
}

static void judge_minute(struct windows *windows, int64_t key, int64_t time_us)
{
    const struct ring *ring = &windows->levels[LEVEL_MINUTE];
    int64_t age_us = windows->youngest_us[ring_slot(ring, key)];
    struct tally verdict = {0};
    if (age_us < windows->options.freshness_limit_us)
        verdict.fresh_minutes = 1;
    else
        verdict.stale_minutes = 1;
    count_everywhere(windows, time_us, &verdict);
}

static void judge_slice(struct windows *windows, int64_t key, int64_t time_us)
{
    if (!windows->judge || !windows->binnings)
        return;
    int slot = ring_slot(&windows->bin_ring, key);
    enum slice_verdict verdict = windows->judge(
        windows->judge_context, windows->binnings,
        (const uint32_t(*)[MAX_BINS])slice_bins(windows, slot), windows->options.n_columns);
    struct tally counts = {0};
    counts.steady_slices = verdict == SLICE_STEADY;
    counts.drifted_slices = verdict == SLICE_DRIFTED;
    if (verdict != SLICE_TOO_FEW)
        count_everywhere(windows, time_us, &counts);
}

/* The next key after `judged` that holds something; INT64_MAX: none. */
static int64_t next_minute(const struct windows *windows)
{
    const struct ring *ring = &windows->levels[LEVEL_MINUTE];
    int64_t key = windows->judged_minute + 1;
    if (key <= ring->newest - ring->n)
        key = ring->newest - ring->n + 1;
    for (; key <= ring->newest; key++) {
        if (windows->youngest_us[ring_slot(ring, key)] != INT64_MAX)
            return key;
    }
    return INT64_MAX;
}

static int64_t next_slice(const struct windows *windows)
{
    const struct ring *ring = &windows->bin_ring;
    int64_t key = windows->judged_slice + 1;
    if (key <= ring->newest - ring->n)
        key = ring->newest - ring->n + 1;
    for (; key <= ring->newest; key++) {
        if (windows->binned[ring_slot(ring, key)] > 0)
            return key;
    }
    return INT64_MAX;
}

/* Judges in order of time what is over by `time_us`, the clock following from verdict to verdict,
 * so that each stands in the windows at its own moment. */
static void settle(struct windows *windows, int64_t time_us)
{
    for (;;) {
        int64_t minute = next_minute(windows), slice = next_slice(windows);
        int64_t minute_at = windows_verdict_us(minute, US_PER_MIN);
        int64_t slice_at = windows_verdict_us(slice, SLICE_US);
        int64_t at_us = minute_at < slice_at ? minute_at : slice_at;
        windows->verdict_us = at_us;
        if (at_us > time_us)
            return;
        move_all(windows, at_us);
        if (minute_at == at_us) {
            judge_minute(windows, minute, at_us);
            windows->judged_minute = minute;
        } else {
            judge_slice(windows, slice, at_us);
            windows->judged_slice = slice;
        }
    }
}

static void start_at(struct windows *windows, int64_t time_us)
{
    windows->started = true;
    windows->now_us = time_us;
    for (int i = 0; i < LEVELS; i++)
        windows->levels[i].newest = ring_key(&windows->levels[i], time_us);
    windows->recent.newest = ring_key(&windows->recent, time_us);
    windows->bin_ring.newest = ring_key(&windows->bin_ring, time_us);
    windows->judged_minute = windows->levels[LEVEL_MINUTE].newest - MINUTE_SLOTS;
    windows->judged_slice = windows->bin_ring.newest - BIN_SLOTS;
}

/* Forgets what lies after the ring's cell `key`, and stands there. */
static int64_t ring_rewind(struct ring *ring, int64_t key)
{
    int64_t last = ring->newest;
    ring->newest = key;
    return last - key >= ring->n ? key + ring->n : last;
}

void windows_rewind(struct windows *windows, int64_t time_us)
{
    if (!windows->started || time_us >= windows->now_us)
        return;
    for (int i = 0; i < LEVELS; i++) {
        struct ring *ring = &windows->levels[i];
        int64_t key = ring_key(ring, time_us);
        for (int64_t k = ring_rewind(ring, key); k > key; k--) {
            int slot = ring_slot(ring, k);
            memset(&windows->tallies[i][slot], 0, sizeof(struct tally));
            windows->counted[i][slot] = false;
            if (i == LEVEL_MINUTE)
                windows->youngest_us[slot] = INT64_MAX;
            if (i == LEVEL_HOUR)
                memset(&windows->hour_latency[slot], 0, sizeof(struct histogram));
        }
    }
    int64_t key = ring_key(&windows->recent, time_us);
    for (int64_t k = ring_rewind(&windows->recent, key); k > key; k--)
        memset(windows->recent_latency[ring_slot(&windows->recent, k)], 0,
               (MAX_ARMS + 1) * sizeof(struct histogram));
    key = ring_key(&windows->bin_ring, time_us);
    for (int64_t k = ring_rewind(&windows->bin_ring, key); k > key; k--) {
        int slot = ring_slot(&windows->bin_ring, k);
        memset(slice_bins(windows, slot), 0,
               (size_t)windows->options.n_columns * sizeof *windows->bins);
        windows->binned[slot] = 0;
    }
    windows->now_us = time_us;
    windows->verdict_us = windows->second_end_us = INT64_MIN;
    windows->place = (struct place){0};
    int64_t minute = windows->levels[LEVEL_MINUTE].newest, slice = windows->bin_ring.newest;
    if (windows->judged_minute >= minute)
        windows->judged_minute = minute - 1;
    if (windows->judged_slice >= slice)
        windows->judged_slice = slice - 1;
}

bool windows_judges_by(const struct windows *windows, int64_t time_us)
{
    return windows->started && time_us > windows->now_us && time_us >= windows->verdict_us;
}

void windows_advance(struct windows *windows, int64_t now_us)
{
    if (!windows->started) {
        start_at(windows, now_us);
    } else if (now_us > windows->now_us) {
        if (now_us >= windows->verdict_us)
            settle(windows, now_us);
        move_all(windows, now_us);
    }
}

void windows_clear_arm(struct windows *windows, int arm)
{
    for (int i = 0; i < LEVELS; i++) {
        for (int slot = 0; slot < windows->levels[i].n; slot++)
            windows->tallies[i][slot].arms[arm] = 0;
    }
    for (int slot = 0; slot < RECENT_SLOTS; slot++)
        memset(&windows->recent_latency[slot][1 + arm], 0, sizeof(struct histogram));
}

/* ---- reading ---- */

/* The first key of (now - window, now], at most a whole ring back. */
static int64_t first_key(const struct windows *windows, const struct ring *ring, int64_t window_us)
{
    int64_t key = ring_key(ring, windows->now_us - window_us);
    return key <= ring->newest - ring->n ? ring->newest - ring->n + 1 : key;
}

void windows_sum(const struct windows *windows, int64_t window_us, struct tally *sum)
{
    memset(sum, 0, sizeof *sum);
    enum level level = LEVEL_SECOND;
    while (level < LEVEL_HOUR && window_us > level_spans_us[level])
        level++;
    const struct ring *ring = &windows->levels[level];
    for (int64_t k = first_key(windows, ring, window_us); k <= ring->newest; k++)
        tally_add(sum, &windows->tallies[level][ring_slot(ring, k)]);
}

void windows_past(const struct windows *windows, int64_t width_us, struct tally *sums, int n)
{
    enum level level = width_us == SLICE_US ? LEVEL_SLICE : LEVEL_HOUR;
    const struct ring *ring = &windows->levels[level];
    memset(sums, 0, (size_t)n * sizeof *sums);
    for (int i = 0; i < n; i++) {
        int64_t key = ring->newest - n + i; /* the newest is still being filled */
        if (windows->started && ring_holds(ring, key))
            sums[i] = windows->tallies[level][ring_slot(ring, key)];
    }
}

static void recent_latency(const struct windows *windows, int which, struct histogram *sum)
{
    memset(sum, 0, sizeof *sum);
    for (int slot = 0; slot < RECENT_SLOTS; slot++)
        histogram_merge(sum, &windows->recent_latency[slot][which]);
}

void windows_latency(const struct windows *windows, int64_t window_us, struct histogram *sum)
{
    if (window_us <= US_PER_MIN) {
        recent_latency(windows, 0, sum);
        return;
    }
    memset(sum, 0, sizeof *sum);
    const struct ring *ring = &windows->levels[LEVEL_HOUR];
    for (int64_t k = first_key(windows, ring, window_us); k <= ring->newest; k++)
        histogram_merge(sum, &windows->hour_latency[ring_slot(ring, k)]);
}

void windows_arm_latency(const struct windows *windows, int arm, struct histogram *sum)
{
    recent_latency(windows, 1 + arm, sum);
}

void windows_bins(const struct windows *windows, int column, int64_t window_us,
                  uint64_t counts[MAX_BINS])
{
    memset(counts, 0, MAX_BINS * sizeof *counts);
    const struct ring *ring = &windows->bin_ring;
    for (int64_t k = first_key(windows, ring, window_us); k <= ring->newest; k++) {
        const uint32_t *cell = slice_bins(windows, ring_slot(ring, k))[column];
        for (int i = 0; i < MAX_BINS; i++)
            counts[i] += cell[i];
    }
}

void windows_verdict(struct windows *windows, int64_t time_us, const struct tally *verdict)
{
    if (windows->started)
        count_everywhere(windows, time_us, verdict);
}

const struct tally *windows_ever(const struct windows *windows)
{
    return &windows->ever;
}
