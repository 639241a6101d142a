/* Running states of windows: what enters and leaves a span is added and taken away. Private to
 * engine/feature. */
#ifndef BINNACLE_FEATURE_STATES_PRIV_H
#define BINNACLE_FEATURE_STATES_PRIV_H

#include "engine/feature/series_priv.h"

/* Entries [tail, head) are in the span. */
struct span_state {
    uint32_t tail, head;
    uint32_t positives;
    uint32_t unused;
};

#define SUM_PARTS     4
#define SQUARES_PARTS 6

/* Followed by SUM_PARTS or SQUARES_PARTS doubles. */
struct sum_state {
    uint32_t n;      /* values that are there */
    int32_t n_parts; /* -1: they need more parts than there are; the window is looked at instead */
    double parts[];
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
void state_free(const struct state_view *view);

double entry_value(const struct series_layout *layout, const struct series *series, uint32_t number,
                   uint32_t column);
uint64_t entry_hash(const struct series_layout *layout, const struct series *series,
                    uint32_t number, uint32_t column);
unsigned entry_label(const struct series_layout *layout, const struct series *series,
                     uint32_t number);

#endif
