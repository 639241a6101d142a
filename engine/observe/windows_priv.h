/* The windows' inside, shared by their clock (windows.c), counting (windows_count.c) and
 * storing (windows_store.c). */
#ifndef BINNACLE_OBSERVE_WINDOWS_PRIV_H
#define BINNACLE_OBSERVE_WINDOWS_PRIV_H

#include "engine/base/clock.h"
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

/* What workers hold back is poured in at every tick; by then a cell has all it will get. */
#define GRACE_US (30 * US_PER_S)

/* The cells of one second, looked up once for all that happens in it; NULL: too old for the ring.
 * Good until the clock leaves its second. */
struct place {
    int64_t from_us, to_us; /* equal: none looked up */
    struct tally *tallies[LEVELS];
    int64_t *youngest_us;
    struct histogram *recent, *hour;
    uint32_t (*bins)[MAX_BINS];
    uint64_t *binned;
};

struct windows {
    struct windows_options options;
    slice_judge *judge;
    void *judge_context;
    const struct observe_sink *sink; /* NULL: nobody is told */
    const struct binning *binnings;
    struct tally ever; /* all that was counted here, for counters that only grow */
    bool started;      /* false until the first time is known */
    int64_t now_us;
    int64_t second_end_us; /* of the second that now_us is in: until then no ring moves */
    int64_t verdict_us;    /* no minute or slice is to be judged before */
    struct place place;
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

static inline int64_t ring_key(const struct ring *ring, int64_t time_us)
{
    int64_t key = time_us / ring->width_us;
    return key * ring->width_us > time_us ? key - 1 : key;
}

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

/* When a minute or slice is judged; INT64_MAX stands for none. */
static inline int64_t windows_verdict_us(int64_t key, int64_t width_us)
{
    return key == INT64_MAX ? INT64_MAX : (key + 1) * width_us + GRACE_US;
}

/* Where a level counts what happens at this time; NULL when it is too old for the level. */
struct tally *windows_cell(struct windows *windows, enum level level, int64_t time_us);

#endif
