/* The windows' inside, shared by counting (windows.c) and storing (windows_store.c). */
#ifndef BINNACLE_OBSERVE_WINDOWS_PRIV_H
#define BINNACLE_OBSERVE_WINDOWS_PRIV_H

#include "engine/observe/windows.h"

enum level { LEVEL_SECOND, LEVEL_MINUTE, LEVEL_SLICE, LEVEL_HOUR, LEVELS };

/* Cells keyed by time / width; the slot of a key is key modulo n. */
struct ring {
    int64_t width_us;
    int n;
    int64_t newest; /* key */
};

#define RECENT_SLOTS (13) /* of five seconds: the last minute and the cell that is being filled */
#define HOUR_SLOTS   745  /* 31 days and the hour that is being filled */
#define MINUTE_SLOTS 370
#define BIN_SLOTS    290 /* slices whose bins are kept: a day */

struct windows {
    struct windows_options options;
    slice_judge *judge;
    void *judge_context;
    const struct binning *binnings;
    bool started; /* false until the first time is known */
    int64_t now_us;
    int64_t judged_minute, judged_slice; /* keys: these and all before are settled */
    struct ring levels[LEVELS];
    struct tally *tallies[LEVELS];
    bool *counted[LEVELS]; /* by slot: false while the tally is all zero and needs no clearing */
    int64_t youngest_us[MINUTE_SLOTS]; /* age of the newest event in it; INT64_MAX: none */
    struct ring recent;                /* latencies of the last minute */
    struct histogram (*recent_latency)[1 + MAX_ARMS]; /* all, then by arm */
    struct histogram *hour_latency;
    struct ring bin_ring;       /* of slices */
    uint32_t (*bins)[MAX_BINS]; /* BIN_SLOTS times n_columns */
    uint64_t binned[BIN_SLOTS]; /* observations with codes in each slice */
};

static inline int ring_slot(const struct ring *ring, int64_t key)
{
    int64_t slot = key % ring->n;
    return (int)(slot < 0 ? slot + ring->n : slot);
}

static inline bool ring_holds(const struct ring *ring, int64_t key)
{
    return key <= ring->newest && key > ring->newest - ring->n;
}

static inline uint32_t (*slice_bins(const struct windows *windows, int slot))[MAX_BINS]
{
    return windows->bins + (size_t)slot * (size_t)windows->options.n_columns;
}

#endif
