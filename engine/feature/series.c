/* One entity's events in a ring sorted by time, equal times in order of arrival, shared by all of
 * its windows; each span keeps the numbers of its first entry and of the first beyond it. In order
 * an event is appended and the spans move on; a late one is put in its place and what is behind it
 * moves up. Under the shard's lock. */
#include "engine/feature/series_priv.h"

#include <assert.h>
#include <string.h>

#include "engine/feature/states_priv.h"

static unsigned char *entry_at(const struct series_layout *layout, const struct series *series,
                               uint32_t number)
{
    return series_entry(layout, series, number);
}

static uint64_t *entry_id(const struct series_layout *layout, const struct series *series,
                          uint32_t number)
{
    assert(layout->ids);
    return (uint64_t *)(void *)(entry_at(layout, series, number) + sizeof(int64_t));
}

static struct span_state *span_states(const struct series *series)
{
    return (struct span_state *)(void *)series->states;
}

static struct state_view state_view(const struct series_layout *layout, const struct series *series,
                                    size_t state)
{
    return (struct state_view){layout, series, &layout->stream->states[state]};
}

void series_layout_init(struct series_layout *layout, const struct stream *stream,
                        struct pool *pool, bool ids, int64_t lateness_us)
{
    size_t value_at = sizeof(int64_t) + (ids ? sizeof(uint64_t) : 0);
    size_t hash_at = value_at + stream->n_values * sizeof(double);
    *layout = (struct series_layout){
        .stream = stream,
        .pool = pool,
        .ids = ids,
        .value_at = value_at,
        .hash_at = hash_at,
        .stride = hash_at + stream->n_hashes * sizeof(uint64_t),
        .keep_us = lateness_us == INT64_MAX ? INT64_MAX : stream->horizon_us + lateness_us,
    };
}

void series_init(const struct series_layout *layout, struct series *series, unsigned char *states)
{
    *series = (struct series){.states = states};
    for (size_t i = 0; i < layout->stream->n_spans; i++) {
        struct span_state *state = &span_states(series)[i];
        state->tail_us = state->head_us = NO_TIME;
    }
}

void series_prefetch(const struct series_layout *layout, const struct series *series,
                     int64_t time_us)
{
    const struct stream *stream = layout->stream;
    if (!series->ring)
        return;
    uint32_t end = series->first + series->n;
    __builtin_prefetch(entry_at(layout, series, end - 1), 1);
    __builtin_prefetch(entry_at(layout, series, end), 1);
    for (size_t i = 0; i < stream->n_spans; i++) {
        const struct span_state *state = &span_states(series)[i];
        int64_t to = time_us - stream->spans[i].delay_us;
        if (state->tail_us <= to - stream->spans[i].window_us)
            __builtin_prefetch(entry_at(layout, series, state->tail));
        if (state->head_us <= to)
            __builtin_prefetch(entry_at(layout, series, state->head));
    }
    for (size_t i = 0; i < stream->n_states; i++) {
        struct state_view view = {layout, series, &stream->states[i]};
        state_prefetch(&view);
    }
}

void series_free(const struct series_layout *layout, struct series *series)
{
    for (size_t i = 0; i < layout->stream->n_states; i++) {
        struct state_view view = state_view(layout, series, i);
        state_free(&view);
    }
    pool_give(layout->pool, series->ring, series->capacity * layout->stride);
    series->ring = NULL;
}

/* Gives the ring another capacity, at least n. */
static bool resize(const struct series_layout *layout, struct series *series, uint32_t capacity)
{
    unsigned char *ring = pool_take(layout->pool, capacity * layout->stride);
    if (!ring)
        return false;
    for (uint32_t i = 0; i < series->n; i++) {
        uint32_t number = series->first + i;
        memcpy(ring + (number & (capacity - 1)) * layout->stride, entry_at(layout, series, number),
               layout->stride);
    }
    pool_give(layout->pool, series->ring, series->capacity * layout->stride);
    series->bytes += capacity * layout->stride;
    series->bytes -= series->capacity * layout->stride;
    series->ring = ring;
    series->capacity = capacity;
    return true;
}

static bool is_positive(const struct series_layout *layout, const void *entry)
{
    return layout->ids && entry_label(entry) == LABEL_POSITIVE;
}

/* The times that stand in the series and its spans, after entries have changed their places. */
static void note_times(const struct series_layout *layout, struct series *series)
{
    uint32_t end = series->first + series->n;
    series->oldest_us = series->n ? series_time(layout, series, series->first) : 0;
    series->newest_us = series->n ? series_time(layout, series, end - 1) : 0;
    for (size_t i = 0; i < layout->stream->n_spans; i++) {
        struct span_state *state = &span_states(series)[i];
        state->tail_us =
            state->tail != state->head ? series_time(layout, series, state->tail) : NO_TIME;
        state->head_us = state->head != end ? series_time(layout, series, state->head) : NO_TIME;
    }
}

static bool enter(const struct series_layout *layout, struct series *series, size_t span)
{
    struct span_state *state = &span_states(series)[span];
    const struct span *plan = &layout->stream->spans[span];
    const void *entry = entry_at(layout, series, state->head);
    struct move move = move_of(entry, state->head, true);
    if (!states_move(layout, series, &layout->stream->states[plan->first_state], plan->n_states,
                     &move))
        return false;
    state->positives += is_positive(layout, entry);
    if (state->tail == state->head)
        state->tail_us = state->head_us;
    state->head++;
    bool more = state->head != series->first + series->n;
    state->head_us = more ? series_time(layout, series, state->head) : NO_TIME;
    return true;
}

static void leave(const struct series_layout *layout, struct series *series, size_t span)
{
    struct span_state *state = &span_states(series)[span];
    const struct span *plan = &layout->stream->spans[span];
    const void *entry = entry_at(layout, series, state->tail);
    struct move move = move_of(entry, state->tail, false);
    (void)states_move(layout, series, &layout->stream->states[plan->first_state], plan->n_states,
                      &move); /* what leaves needs no memory */
    state->positives -= is_positive(layout, entry);
    state->tail++;
    bool more = state->tail != state->head;
    state->tail_us = more ? series_time(layout, series, state->tail) : NO_TIME;
}

/* Moves every span on to where it is at `time_us`. */
static bool advance(const struct series_layout *layout, struct series *series, int64_t time_us)
{
    for (size_t i = 0; i < layout->stream->n_spans; i++) {
        const struct span_state *state = &span_states(series)[i];
        const struct span *span = &layout->stream->spans[i];
        int64_t to = time_us - span->delay_us, from = to - span->window_us;
        while (state->head_us <= to)
            if (!enter(layout, series, i))
                return false;
        while (state->tail_us <= from)
            leave(layout, series, i);
    }
    return true;
}

/* The entry just appended enters the spans without delay, all older ones being in them already. */
static bool enter_newest(const struct series_layout *layout, struct series *series, void *entry)
{
    const struct stream *stream = layout->stream;
    bool positive = is_positive(layout, entry);
    struct move move = move_of(entry, series->first + series->n - 1, true);
    for (size_t i = 0; i < stream->n_spans; i++) {
        const struct span *span = &stream->spans[i];
        struct span_state *state = &span_states(series)[i];
        if (span->delay_us != 0) {
            if (state->head_us == NO_TIME)
                state->head_us = series->newest_us;
            continue;
        }
        if (!states_move(layout, series, &stream->states[span->first_state], span->n_states, &move))
            return false;
        if (state->tail == state->head)
            state->tail_us = series->newest_us;
        state->head++;
        state->positives += positive;
    }
    return true;
}

/* Forgets what no window, nor that of an event as late as allowed, will look at. */
static void drop(const struct series_layout *layout, struct series *series, int64_t time_us)
{
    if (layout->keep_us == INT64_MAX)
        return;
    while (series->n > 0 && series->oldest_us <= time_us - layout->keep_us) {
        series->first++;
        series->n--;
        if (series->n > 0)
            series->oldest_us = series_time(layout, series, series->first);
    }
    if (series->capacity > 8 && series->n < series->capacity / 4)
        (void)resize(layout, series, series->capacity / 2);
}

void series_write(const struct series_layout *layout, const struct entry *entry, void *bytes)
{
    const struct stream *stream = layout->stream;
    unsigned char *at = bytes;
    memcpy(at, &entry->time_us, sizeof entry->time_us);
    if (layout->ids)
        memcpy(at + sizeof entry->time_us, &entry->id, sizeof entry->id);
    for (size_t i = 0; i < stream->n_values; i++)
        memcpy(at + layout->value_at + i * sizeof(double), &entry->columns[stream->values[i]],
               sizeof(double));
    for (size_t i = 0; i < stream->n_hashes; i++)
        memcpy(at + layout->hash_at + i * sizeof(uint64_t), &entry->hashes[stream->hashes[i]],
               sizeof(uint64_t));
}

void series_read(const struct series_layout *layout, const void *bytes, double *columns,
                 uint64_t *hashes, struct entry *entry)
{
    const struct stream *stream = layout->stream;
    const unsigned char *at = bytes;
    *entry = (struct entry){.columns = columns, .hashes = hashes};
    memcpy(&entry->time_us, at, sizeof entry->time_us);
    if (layout->ids)
        memcpy(&entry->id, at + sizeof entry->time_us, sizeof entry->id);
    for (size_t i = 0; i < stream->n_values; i++)
        memcpy(&columns[stream->values[i]], at + layout->value_at + i * sizeof(double),
               sizeof(double));
    for (size_t i = 0; i < stream->n_hashes; i++)
        memcpy(&hashes[stream->hashes[i]], at + layout->hash_at + i * sizeof(uint64_t),
               sizeof(uint64_t));
}

/* The first entry later than `time_us`, or the end. */
static uint32_t first_after(const struct series_layout *layout, const struct series *series,
                            int64_t time_us)
{
    uint32_t low = 0, high = series->n;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (series_time(layout, series, series->first + middle) <= time_us)
            low = middle + 1;
        else
            high = middle;
    }
    return series->first + low;
}

static bool insert_late(const struct series_layout *layout, struct series *series,
                        const struct entry *entry, uint32_t number)
{
    int64_t newest_us = series->newest_us;
    for (uint32_t i = series->first + series->n; i != number; i--)
        memcpy(entry_at(layout, series, i), entry_at(layout, series, i - 1), layout->stride);
    series_write(layout, entry, entry_at(layout, series, number));
    series->n++;
    for (size_t i = 0; i < layout->stream->n_spans; i++) {
        const struct span *span = &layout->stream->spans[i];
        struct span_state *state = &span_states(series)[i];
        int64_t to = newest_us - span->delay_us;
        bool entered = entry->time_us <= to;
        bool left = entry->time_us <= to - span->window_us;
        state->head += entered;
        state->tail += left;
        if (entered && !left && (entry->id & LABEL_MASK) == LABEL_POSITIVE)
            state->positives++;
        for (size_t j = 0; j < span->n_states; j++) {
            struct state_view view = state_view(layout, series, span->first_state + j);
            if (!state_late(&view, number, entered && !left, &series->bytes))
                return false;
        }
    }
    note_times(layout, series);
    return true;
}

bool series_insert(const struct series_layout *layout, struct series *series,
                   const struct entry *entry, uint32_t *number)
{
    bool late = series->n > 0 && entry->time_us < series->newest_us;
    if (!late) {
        if (!advance(layout, series, entry->time_us))
            return false;
        drop(layout, series, entry->time_us);
    }
    if (series->n == series->capacity &&
        !resize(layout, series, series->capacity ? series->capacity * 2 : 4))
        return false;
    if (late) {
        *number = first_after(layout, series, entry->time_us);
        return insert_late(layout, series, entry, *number);
    }
    if (series->n == 0)
        series->oldest_us = entry->time_us;
    series->newest_us = entry->time_us;
    *number = series->first + series->n++;
    unsigned char *at = entry_at(layout, series, *number);
    series_write(layout, entry, at);
    return enter_newest(layout, series, at);
}

bool series_reserve(const struct series_layout *layout, struct series *series, uint32_t n)
{
    uint32_t capacity = 4;
    while (capacity < n)
        capacity *= 2;
    return capacity <= series->capacity || resize(layout, series, capacity);
}

bool series_restore(const struct series_layout *layout, struct series *series)
{
    note_times(layout, series);
    return advance(layout, series, series->newest_us);
}

bool series_find(const struct series_layout *layout, const struct series *series, int64_t time_us,
                 uint64_t id, uint32_t *number)
{
    uint32_t at = first_after(layout, series, time_us);
    while (at != series->first && series_time(layout, series, at - 1) == time_us) {
        at--;
        if (((*entry_id(layout, series, at) ^ id) & ~(uint64_t)LABEL_MASK) == 0) {
            *number = at;
            return true;
        }
    }
    return false;
}

void series_set_label(const struct series_layout *layout, struct series *series, uint32_t number,
                      unsigned label)
{
    uint64_t *id = entry_id(layout, series, number);
    bool was = (*id & LABEL_MASK) == LABEL_POSITIVE, is = label == LABEL_POSITIVE;
    *id = (*id & ~(uint64_t)LABEL_MASK) | label;
    for (size_t i = 0; i < layout->stream->n_spans; i++) {
        struct span_state *state = &span_states(series)[i];
        if (number - state->tail < state->head - state->tail)
            state->positives += (uint32_t)is - (uint32_t)was;
    }
}

bool series_in_reach(const struct series_layout *layout, const struct series *series,
                     uint32_t number)
{
    for (size_t i = 0; i < layout->stream->n_spans; i++)
        if ((int32_t)(number - span_states(series)[i].tail) >= 0)
            return true;
    return false;
}
