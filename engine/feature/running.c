/* Windows of an entity's newest event, from the running states: nothing of the past is looked at.
 * Under the shard's lock. */
#include <math.h>

#include "engine/feature/exact.h"
#include "engine/feature/states_priv.h"

/* What the windows are read from. */
struct reading {
    const struct series_layout *layout;
    const struct series *series;
    const struct span_state *spans;
    const unsigned char *states;
    const void *newest; /* entry */
    uint32_t number;    /* of it */
    /* The sum rounded last: windows that follow each other are often of the same one. */
    const struct sum_state *rounded;
    double sum;
};

static double own_value(const struct reading *reading, const struct window_plan *plan)
{
    return entry_value(reading->layout, reading->newest, plan->column);
}

/* Correctly rounded. */
static double sum_of(struct reading *reading, const struct sum_state *state)
{
    if (reading->rounded != state) {
        reading->rounded = state;
        reading->sum = state->head.form == SUM_FIXED
                           ? fixed_round(&state->fixed)
                           : exact_round(state->parts, state->head.n_parts);
    }
    return reading->sum;
}

/* Both as expansions, where not both are on the grid. */
static bool mixed_spread(const struct sum_state *sum, const struct squares_state *squares,
                         double *out)
{
    double sum_parts[EXACT_MAX_PARTS], squares_parts[EXACT_MAX_PARTS];
    const double *a = sum->parts, *b = squares->parts;
    int n_a = sum->head.n_parts, n_b = squares->head.n_parts;
    if (sum->head.form == SUM_LOOKED || squares->head.form == SUM_LOOKED)
        return false;
    if (sum->head.form == SUM_FIXED)
        n_a = fixed_sum_parts(&sum->fixed, sum_parts, EXACT_MAX_PARTS), a = sum_parts;
    if (squares->head.form == SUM_FIXED)
        n_b = fixed_squares_parts(&squares->fixed, squares_parts, EXACT_MAX_PARTS),
        b = squares_parts;
    *out = exact_spread(a, n_a, b, n_b, sum->head.n);
    return true;
}

static bool standard_deviation(const struct reading *reading, const struct window_plan *plan,
                               const struct sum_state *sum, double *out)
{
    const struct squares_state *squares = (const void *)(reading->states + plan->squares_at);
    double n = sum->head.n, spread = 0;
    if (n <= plan->ddof) {
        *out = plan->empty;
        return true;
    }
    if (sum->head.form == SUM_FIXED && squares->head.form == SUM_FIXED)
        spread = fixed_spread(&sum->fixed, &squares->fixed, sum->head.n);
    else if (!mixed_spread(sum, squares, &spread))
        return false;
    *out = sqrt(spread / (n * (n - plan->ddof)));
    return true;
}

static bool of_sums(struct reading *reading, const struct window_plan *plan, double *out)
{
    const struct sum_state *state = (const void *)(reading->states + plan->state_at);
    if (state->head.n == 0) {
        *out = plan->empty;
        return true;
    }
    if (plan->function == WINDOW_STD)
        return standard_deviation(reading, plan, state, out);
    if (state->head.form == SUM_LOOKED)
        return false;
    double sum = sum_of(reading, state);
    double mean = sum / state->head.n;
    if (plan->function == WINDOW_SUM)
        *out = sum;
    else if (plan->function == WINDOW_MEAN)
        *out = mean;
    else
        *out = mean != 0 ? own_value(reading, plan) / mean : plan->empty;
    return true;
}

static double extreme(const struct reading *reading, const struct window_plan *plan)
{
    const struct deque_state *deque = (const void *)(reading->states + plan->state_at);
    return deque->n ? deque->best : plan->empty;
}

static double distinct(const struct reading *reading, const struct window_plan *plan)
{
    const struct counts *counts = (const void *)(reading->states + plan->state_at);
    return counts->used;
}

/* The entry before, if it is in the window. */
static double of_previous(const struct reading *reading, const struct window_plan *plan)
{
    if (reading->number == reading->spans[plan->span].tail)
        return plan->empty;
    const void *before = series_entry(reading->layout, reading->series, reading->number - 1);
    if (plan->function == WINDOW_LAG) {
        double value = entry_value(reading->layout, before, plan->column);
        return isnan(value) ? plan->empty : value;
    }
    return (double)(*(const int64_t *)reading->newest - *(const int64_t *)before) / 1e6;
}

static double rate(const struct span_state *span, double empty)
{
    uint32_t n = span->head - span->tail;
    return n ? (double)span->positives / n : empty;
}

/* False: the states do not hold it. */
static bool read_window(struct reading *reading, const struct window_plan *plan, double *out)
{
    const struct span_state *span = &reading->spans[plan->span];
    switch (plan->function) {
    case WINDOW_COUNT:
        *out = span->head - span->tail;
        return true;
    case WINDOW_POSITIVES:
        *out = span->positives;
        return true;
    case WINDOW_RATE:
        *out = rate(span, plan->empty);
        return true;
    case WINDOW_MIN:
    case WINDOW_MAX:
        *out = extreme(reading, plan);
        return true;
    case WINDOW_DISTINCT:
        *out = distinct(reading, plan);
        return true;
    case WINDOW_SINCE_LAST:
    case WINDOW_LAG:
        *out = of_previous(reading, plan);
        return true;
    default:
        return of_sums(reading, plan, out);
    }
}

void running_features(const struct series_layout *layout, const struct series *series,
                      struct counts *scratch, double *outputs)
{
    const struct stream *stream = layout->stream;
    const uint32_t number = series->first + series->n - 1;
    struct reading reading = {
        .layout = layout,
        .series = series,
        .spans = (const void *)series->states,
        .states = series->states,
        .newest = series_entry(layout, series, number),
        .number = number,
    };
    for (size_t i = 0; i < stream->n_windows; i++) {
        const struct window_plan *plan = &stream->windows[i];
        double *out = &outputs[plan->output];
        if (!read_window(&reading, plan, out))
            looked_feature(layout, series, plan, number, scratch, out);
    }
}
