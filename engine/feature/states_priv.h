/* Running states of windows: what enters and leaves a span is added and taken away. Private to
 * engine/feature. */
#ifndef BINNACLE_FEATURE_STATES_PRIV_H
#define BINNACLE_FEATURE_STATES_PRIV_H

#include "engine/feature/fixed.h"
#include "engine/feature/series_priv.h"

/* Entries [tail, head) are in the span. Their times stand here too, so that the ring is looked at
 * only when one of them leaves or enters. */
struct span_state {
    uint32_t tail, head;
    uint32_t positives;
    uint32_t unused;
    int64_t tail_us; /* NO_TIME: nothing is in the span */
    int64_t head_us; /* NO_TIME: nothing is ahead of it */
};

#define NO_TIME INT64_MAX

#define SUM_PARTS     4
#define SQUARES_PARTS 6

/* How a sum is kept: on the grid while everything in the window is, else as an expansion; where
 * that needs more parts than there are, the window is looked at instead. An empty one is zeroed
 * memory. */
enum sum_form { SUM_FIXED, SUM_EXPANDED, SUM_LOOKED };

struct sum_head {
    uint32_t n; /* values that are there */
    uint16_t form, n_parts;
};

struct sum_state {
    struct sum_head head;
    union {
        struct fixed_sum fixed;
        double parts[SUM_PARTS];
    };
};

struct squares_state {
    struct sum_head head;
    union {
        struct fixed_squares fixed;
        double parts[SQUARES_PARTS];
    };
};

/* Numbers of entries, each better (less or equal for the minimum) than all before it. */
struct deque_state {
    uint32_t *numbers;
    uint32_t first, n, capacity;
    uint32_t unused;
    double best; /* the first one's value: reading it from its entry would be a wait for memory */
};

size_t state_size(enum state_kind kind);

/* What a state is of. */
struct state_view {
    const struct series_layout *layout;
    const struct series *series;
    const struct state_plan *plan;
};

/* An entry that enters or leaves states, with what was found out about the column at hand: several
 * states in a row are of one column. */
struct move {
    const void *entry;
    uint32_t number;
    bool enters;
    uint32_t column; /* NO_COLUMN: none yet */
    double value;    /* NaN: missing */
    bool on_grid;
    int128 steps; /* negative where it leaves */
};

#define NO_COLUMN UINT32_MAX

static inline struct move move_of(const void *entry, uint32_t number, bool enters)
{
    return (struct move){.entry = entry, .number = number, .enters = enters, .column = NO_COLUMN};
}

/* As the newest or the oldest entry of the span that n states in a row are of. False: out of
 * memory. */
bool states_move(const struct series_layout *layout, struct series *series,
                 const struct state_plan *plans, size_t n, struct move *move);
/* Entry `number` was put in, later ones have moved up by one; `inside`: it is in the span. */
bool state_late(const struct state_view *view, uint32_t number, bool inside, size_t *bytes);
/* Asks for the memory behind a state. */
void state_prefetch(const struct state_view *view);
void state_free(const struct state_view *view);

static inline double entry_value(const struct series_layout *layout, const void *entry,
                                 uint32_t column)
{
    const void *values = (const unsigned char *)entry + layout->value_at;
    return ((const double *)values)[column];
}

static inline uint64_t entry_hash(const struct series_layout *layout, const void *entry,
                                  uint32_t column)
{
    const void *hashes = (const unsigned char *)entry + layout->hash_at;
    return ((const uint64_t *)hashes)[column];
}

/* LABEL_...; the entries carry ids. */
static inline unsigned entry_label(const void *entry)
{
    return (unsigned)(((const uint64_t *)entry)[1] & LABEL_MASK);
}

#endif
