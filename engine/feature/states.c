/* The running states: exact sums, exact sums of squares, monotonic deques for minimum and maximum,
 * counts for distinct values. Each entry enters and leaves a state once, so an event in order costs
 * amortised constant time; a late one costs at most the length of a deque. Under the shard's lock.
 */
#include "engine/feature/states_priv.h"

#include <math.h>
#include <string.h>

#include "engine/feature/exact.h"

size_t state_size(enum state_kind kind)
{
    static const size_t sizes[STATE_KINDS] = {
        [STATE_SUM] = sizeof(struct sum_state),   [STATE_SQUARES] = sizeof(struct squares_state),
        [STATE_MIN] = sizeof(struct deque_state), [STATE_MAX] = sizeof(struct deque_state),
        [STATE_DISTINCT] = sizeof(struct counts),
    };
    return sizes[kind];
}

static void *state_of(const struct state_view *view)
{
    return view->series->states + view->plan->offset;
}

static double value_in(const struct state_view *view, const void *entry)
{
    return entry_value(view->layout, entry, view->plan->column);
}

static double value_of(const struct state_view *view, uint32_t number)
{
    return value_in(view, series_entry(view->layout, view->series, number));
}

static void keep_parts(struct sum_head *head, int n_parts)
{
    head->form = n_parts < 0 ? SUM_LOOKED : SUM_EXPANDED;
    head->n_parts = n_parts < 0 ? 0 : (uint16_t)n_parts;
}

/* A number comes that is not on the grid, or the sum is too large for it: from now on, until the
 * window is empty, it is an expansion. */
static void expand(struct sum_head *head, double *into, const double *parts, int n_parts)
{
    keep_parts(head, n_parts);
    memcpy(into, parts, head->n_parts * sizeof *parts);
}

static void look_at_column(const struct state_view *view, struct move *move)
{
    if (move->column == view->plan->column)
        return;
    move->column = view->plan->column;
    move->value = value_in(view, move->entry);
    move->on_grid = fixed_of(move->value, &move->steps);
    if (!move->enters)
        move->steps = -move->steps;
}

static void sum_expand(struct sum_state *state, const struct move *move)
{
    struct sum_head *head = &state->head;
    if (head->form == SUM_FIXED) {
        double parts[SUM_PARTS];
        int n_parts = fixed_sum_parts(&state->fixed, parts, SUM_PARTS);
        expand(head, state->parts, parts, n_parts);
    }
    if (head->form == SUM_EXPANDED)
        keep_parts(head, exact_add(state->parts, head->n_parts, SUM_PARTS,
                                   move->enters ? move->value : -move->value));
}

static void sum_move(struct sum_state *state, const struct move *move)
{
    struct sum_head *head = &state->head;
    if (isnan(move->value))
        return;
    head->n += move->enters ? 1u : -1u;
    if (head->n == 0)
        *state = (struct sum_state){0};
    else if (head->form != SUM_FIXED || !move->on_grid || !fixed_add(&state->fixed, move->steps))
        sum_expand(state, move);
}

static void squares_expand(struct squares_state *state, const struct move *move)
{
    struct sum_head *head = &state->head;
    if (head->form == SUM_FIXED) {
        double parts[SQUARES_PARTS];
        int n_parts = fixed_squares_parts(&state->fixed, parts, SQUARES_PARTS);
        expand(head, state->parts, parts, n_parts);
    }
    if (head->form == SUM_EXPANDED)
        keep_parts(head, exact_add_square(state->parts, head->n_parts, SQUARES_PARTS, move->value,
                                          move->enters ? 1 : -1));
}

static void squares_move(struct squares_state *state, const struct move *move)
{
    struct sum_head *head = &state->head;
    if (isnan(move->value))
        return;
    head->n += move->enters ? 1u : -1u;
    if (head->n == 0)
        *state = (struct squares_state){0};
    else if (head->form != SUM_FIXED || !move->on_grid)
        squares_expand(state, move);
    else if (!move->enters)
        fixed_take_square(&state->fixed, move->steps);
    else if (!fixed_add_square(&state->fixed, move->steps))
        squares_expand(state, move);
}

/* Whether the first of two values makes the second needless: it stays as long and is as good. */
static bool beats(const struct state_view *view, double a, double b)
{
    return view->plan->kind == STATE_MIN ? a <= b : a >= b;
}

static uint32_t deque_at(const struct deque_state *deque, uint32_t i)
{
    return deque->numbers[(deque->first + i) & (deque->capacity - 1)];
}

static bool deque_grow(struct deque_state *deque, struct pool *pool, size_t *bytes)
{
    uint32_t capacity = deque->capacity ? deque->capacity * 2 : 4;
    uint32_t *numbers = pool_take(pool, capacity * sizeof *numbers);
    if (!numbers)
        return false;
    for (uint32_t i = 0; i < deque->n; i++)
        numbers[i] = deque_at(deque, i);
    *bytes += (capacity - deque->capacity) * sizeof *numbers;
    pool_give(pool, deque->numbers, deque->capacity * sizeof *numbers);
    deque->numbers = numbers;
    deque->first = 0;
    deque->capacity = capacity;
    return true;
}

static void note_best(const struct state_view *view, struct deque_state *deque)
{
    if (deque->n > 0)
        deque->best = value_of(view, deque_at(deque, 0));
}

static bool deque_push(const struct state_view *view, uint32_t number, double value, size_t *bytes)
{
    struct deque_state *deque = state_of(view);
    if (isnan(value))
        return true;
    if (deque->n > 0 && beats(view, value, deque->best))
        deque->n = 0; /* better than the best: none of them needs to be looked at */
    while (deque->n > 0 && beats(view, value, value_of(view, deque_at(deque, deque->n - 1))))
        deque->n--;
    if (deque->n == deque->capacity && !deque_grow(deque, view->layout->pool, bytes))
        return false;
    if (deque->n == 0)
        deque->best = value;
    deque->numbers[(deque->first + deque->n++) & (deque->capacity - 1)] = number;
    return true;
}

static void deque_leave(const struct state_view *view, uint32_t number)
{
    struct deque_state *deque = state_of(view);
    if (deque->n == 0 || deque_at(deque, 0) != number)
        return;
    deque->first = (deque->first + 1) & (deque->capacity - 1);
    deque->n--;
    note_best(view, deque);
}

/* Numbers from the late one on move up; then it takes its place, unless a later one is as good,
 * and what it makes needless before it goes. */
static bool deque_late(const struct state_view *view, uint32_t number, bool inside, size_t *bytes)
{
    struct deque_state *deque = state_of(view);
    if (deque->n == deque->capacity && !deque_grow(deque, view->layout->pool, bytes))
        return false;
    uint32_t mask = deque->capacity - 1;
    uint32_t at = deque->n;
    while (at > 0 && (int32_t)(deque_at(deque, at - 1) - number) >= 0) {
        at--;
        deque->numbers[(deque->first + at) & mask]++;
    }
    double value = value_of(view, number);
    if (!inside || isnan(value))
        return true;
    if (at < deque->n && beats(view, value_of(view, deque_at(deque, at)), value))
        return true;
    uint32_t keep = at;
    while (keep > 0 && beats(view, value, value_of(view, deque_at(deque, keep - 1))))
        keep--;
    uint32_t n_after = deque->n - at;
    if (keep == at)
        for (uint32_t i = n_after; i > 0; i--)
            deque->numbers[(deque->first + at + i) & mask] = deque_at(deque, at + i - 1);
    else
        for (uint32_t i = 0; i < n_after; i++)
            deque->numbers[(deque->first + keep + 1 + i) & mask] = deque_at(deque, at + i);
    deque->numbers[(deque->first + keep) & mask] = number;
    deque->n = keep + 1 + n_after;
    note_best(view, deque);
    return true;
}

static bool distinct_add(const struct state_view *view, uint64_t hash, size_t *bytes)
{
    struct counts *counts = state_of(view);
    size_t before = counts_bytes(counts);
    if (hash != 0 && !counts_add(counts, view->layout->pool, hash))
        return false;
    *bytes += counts_bytes(counts) - before;
    return true;
}

static bool distinct_move(const struct state_view *view, const struct move *move, size_t *bytes)
{
    uint64_t hash = entry_hash(view->layout, move->entry, view->plan->column);
    if (move->enters)
        return distinct_add(view, hash, bytes);
    if (hash != 0)
        counts_remove(state_of(view), hash);
    return true;
}

static bool extreme_move(const struct state_view *view, const struct move *move, size_t *bytes)
{
    if (move->enters)
        return deque_push(view, move->number, move->value, bytes);
    deque_leave(view, move->number);
    return true;
}

static inline bool move_one(const struct state_view *view, struct move *move, size_t *bytes)
{
    if (view->plan->kind == STATE_DISTINCT)
        return distinct_move(view, move, bytes);
    look_at_column(view, move);
    if (view->plan->kind == STATE_SUM)
        sum_move(state_of(view), move);
    else if (view->plan->kind == STATE_SQUARES)
        squares_move(state_of(view), move);
    else
        return extreme_move(view, move, bytes);
    return true;
}

bool states_move(const struct series_layout *layout, struct series *series,
                 const struct state_plan *plans, size_t n, struct move *move)
{
    for (size_t i = 0; i < n; i++) {
        const struct state_view view = {layout, series, &plans[i]};
        if (!move_one(&view, move, &series->bytes))
            return false;
    }
    return true;
}

bool state_late(const struct state_view *view, uint32_t number, bool inside, size_t *bytes)
{
    if (view->plan->kind == STATE_MIN || view->plan->kind == STATE_MAX)
        return deque_late(view, number, inside, bytes);
    struct move move = move_of(series_entry(view->layout, view->series, number), number, true);
    return !inside || move_one(view, &move, bytes);
}

void state_prefetch(const struct state_view *view)
{
    const struct deque_state *deque = state_of(view);
    const struct counts *counts = state_of(view);
    switch (view->plan->kind) {
    case STATE_MIN:
    case STATE_MAX:
        __builtin_prefetch(deque->numbers, 1);
        break;
    case STATE_DISTINCT:
        __builtin_prefetch(counts->cells, 1);
        __builtin_prefetch(counts->cells + 4, 1);
        break;
    default:
        break;
    }
}

void state_free(const struct state_view *view)
{
    const struct deque_state *deque = state_of(view);
    struct pool *pool = view->layout->pool;
    if (view->plan->kind == STATE_MIN || view->plan->kind == STATE_MAX)
        pool_give(pool, deque->numbers, deque->capacity * sizeof *deque->numbers);
    else if (view->plan->kind == STATE_DISTINCT)
        counts_free(state_of(view), pool);
}
