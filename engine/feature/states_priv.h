/* Running states of windows: what enters and leaves a span is added and taken away. Private to
 * engine/feature. */
#ifndef BINNACLE_FEATURE_STATES_PRIV_H
#define BINNACLE_FEATURE_STATES_PRIV_H

#include "engine/feature/fixed.h"
#include "engine/feature/series_priv.h"

/* Entries [tail, head) are in the span. */
struct span_state {
    uint32_t tail, head;
    uint32_t positives;
    uint32_t unused;
};

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
};

size_t state_size(enum state_kind kind);

/* What a state is of. */
struct state_view {
    const struct series_layout *layout;
    const struct series *series;
    const struct state_plan *plan;
};

/* The newest entry of the span comes in, at its end. False: out of memory. */
bool state_enter(const struct state_view *view, uint32_t number, size_t *bytes);
/* The oldest leaves. */
void state_leave(const struct state_view *view, uint32_t number);
/* Entry `number` was put in, later ones have moved up by one; `inside`: it is in the span. */
bool state_late(const struct state_view *view, uint32_t number, bool inside, size_t *bytes);
/* Asks for the memory behind a state. */
void state_prefetch(const struct state_view *view);
void state_free(const struct state_view *view);

double entry_value(const struct series_layout *layout, const struct series *series, uint32_t number,
                   uint32_t column);
uint64_t entry_hash(const struct series_layout *layout, const struct series *series,
                    uint32_t number, uint32_t column);
unsigned entry_label(const struct series_layout *layout, const struct series *series,
                     uint32_t number);

#endif
