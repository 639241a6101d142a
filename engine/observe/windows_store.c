/* Windows as bytes: the clock, each ring's newest key, then every cell that is not empty with its
 * slot, as varints. What is read back is checked slot by slot, so that a damaged file cannot write
 * outside a ring. The caller holds the lock. */
#include "engine/observe/windows.h"

#include <string.h>

#include "engine/observe/varint.h"
#include "engine/observe/windows_priv.h"

#define TALLY_COUNTS (sizeof(struct tally) / sizeof(uint64_t))
#define END_OF_CELLS UINT64_C(0) /* slots are written plus one */

static bool all_zero(const uint64_t *counts, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (counts[i])
            return false;
    }
    return true;
}

static void put_tallies(struct buffer *out, const struct tally *tallies, int n)
{
    for (int slot = 0; slot < n; slot++) {
        const uint64_t *counts = (const uint64_t *)&tallies[slot];
        if (all_zero(counts, TALLY_COUNTS))
            continue;
        varint_put(out, (uint64_t)slot + 1);
        for (size_t i = 0; i < TALLY_COUNTS; i++)
            varint_put(out, counts[i]);
    }
    varint_put(out, END_OF_CELLS);
}

static bool take_slot(struct slice *bytes, uint64_t n, uint64_t *slot, bool *more)
{
    if (!varint_take(bytes, slot) || *slot > n)
        return false;
    *more = *slot != END_OF_CELLS;
    *slot -= *more;
    return true;
}

static bool take_tallies(struct slice *bytes, struct tally *tallies, int n)
{
    uint64_t slot;
    bool more;
    while (take_slot(bytes, (uint64_t)n, &slot, &more)) {
        if (!more)
            return true;
        uint64_t *counts = (uint64_t *)&tallies[slot];
        for (size_t i = 0; i < TALLY_COUNTS; i++) {
            if (!varint_take(bytes, &counts[i]))
                return false;
        }
    }
    return false;
}

static void put_histogram(struct buffer *out, uint64_t slot, const struct histogram *histogram)
{
    varint_put(out, slot + 1);
    varint_put(out, histogram->n);
    varint_put(out, histogram->sum);
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        if (histogram->buckets[i] == 0)
            continue;
        varint_put(out, i + 1);
        varint_put(out, histogram->buckets[i]);
    }
    varint_put(out, END_OF_CELLS);
}

static bool take_histogram(struct slice *bytes, struct histogram *histogram)
{
    if (!varint_take(bytes, &histogram->n) || !varint_take(bytes, &histogram->sum))
        return false;
    uint64_t bucket, count;
    bool more;
    while (take_slot(bytes, HISTOGRAM_BUCKETS, &bucket, &more)) {
        if (!more)
            return true;
        if (!varint_take(bytes, &count) || count > UINT32_MAX)
            return false;
        histogram->buckets[bucket] = (uint32_t)count;
    }
    return false;
}

static void put_histograms(struct buffer *out, const struct histogram *histograms, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (histograms[i].n > 0)
            put_histogram(out, i, &histograms[i]);
    }
    varint_put(out, END_OF_CELLS);
}

static bool take_histograms(struct slice *bytes, struct histogram *histograms, size_t n)
{
    uint64_t slot;
    bool more;
    while (take_slot(bytes, n, &slot, &more)) {
        if (!more)
            return true;
        if (!take_histogram(bytes, &histograms[slot]))
            return false;
    }
    return false;
}

static void put_bins(const struct windows *windows, struct buffer *out)
{
    for (int slot = 0; slot < BIN_SLOTS; slot++) {
        if (windows->binned[slot] == 0)
            continue;
        varint_put(out, (uint64_t)slot + 1);
        varint_put(out, windows->binned[slot]);
        uint32_t(*bins)[MAX_BINS] = slice_bins(windows, slot);
        for (int c = 0; c < windows->options.n_columns; c++) {
            for (int i = 0; i < MAX_BINS; i++)
                varint_put(out, bins[c][i]);
        }
    }
    varint_put(out, END_OF_CELLS);
}

static bool take_slice(struct windows *windows, struct slice *bytes, int slot)
{
    uint64_t count;
    uint32_t(*bins)[MAX_BINS] = slice_bins(windows, slot);
    if (!varint_take(bytes, &windows->binned[slot]))
        return false;
    for (int c = 0; c < windows->options.n_columns; c++) {
        for (int i = 0; i < MAX_BINS; i++) {
            if (!varint_take(bytes, &count) || count > UINT32_MAX)
                return false;
            bins[c][i] = (uint32_t)count;
        }
    }
    return true;
}

static bool take_bins(struct windows *windows, struct slice *bytes)
{
    uint64_t slot;
    bool more;
    while (take_slot(bytes, BIN_SLOTS, &slot, &more)) {
        if (!more)
            return true;
        if (!take_slice(windows, bytes, (int)slot))
            return false;
    }
    return false;
}

void windows_encode(const struct windows *windows, struct buffer *out)
{
    varint_put(out, windows->started);
    varint_put_signed(out, windows->now_us);
    varint_put_signed(out, windows->judged_minute);
    varint_put_signed(out, windows->judged_slice);
    for (int i = 0; i < LEVELS; i++) {
        varint_put_signed(out, windows->levels[i].newest);
        put_tallies(out, windows->tallies[i], windows->levels[i].n);
    }
    for (int i = 0; i < MINUTE_SLOTS; i++)
        varint_put_signed(out, windows->youngest_us[i]);
    varint_put_signed(out, windows->recent.newest);
    put_histograms(out, &windows->recent_latency[0][0], (size_t)RECENT_SLOTS * (1 + MAX_ARMS));
    put_histograms(out, windows->hour_latency, HOUR_SLOTS);
    varint_put_signed(out, windows->bin_ring.newest);
    put_bins(windows, out);
}

bool windows_decode(struct windows *windows, struct slice *bytes)
{
    uint64_t started;
    bool whole = varint_take(bytes, &started) && varint_take_signed(bytes, &windows->now_us) &&
                 varint_take_signed(bytes, &windows->judged_minute) &&
                 varint_take_signed(bytes, &windows->judged_slice);
    windows->started = whole && started == 1;
    for (int i = 0; whole && i < LEVELS; i++) {
        whole = varint_take_signed(bytes, &windows->levels[i].newest) &&
                take_tallies(bytes, windows->tallies[i], windows->levels[i].n);
        memset(windows->counted[i], true, (size_t)windows->levels[i].n);
    }
    for (int i = 0; whole && i < MINUTE_SLOTS; i++)
        whole = varint_take_signed(bytes, &windows->youngest_us[i]);
    return whole && varint_take_signed(bytes, &windows->recent.newest) &&
           take_histograms(bytes, &windows->recent_latency[0][0],
                           (size_t)RECENT_SLOTS * (1 + MAX_ARMS)) &&
           take_histograms(bytes, windows->hour_latency, HOUR_SLOTS) &&
           varint_take_signed(bytes, &windows->bin_ring.newest) && take_bins(windows, bytes);
}
