/* Windows to numbers: from the running states for the newest entry (running.c), by looking at the
 * window's entries for a late one and for sums whose parts do not fit. Both give the same to the
 * last bit, since sums are exact. Under the shard's lock. */
#include <assert.h>
#include <math.h>

#include "engine/feature/exact.h"
#include "engine/feature/states_priv.h"

struct exact_sum {
    uint32_t n;
    int n_parts;
    double parts[EXACT_MAX_PARTS];
};

/* A window of entries [tail, head), as seen from entry `number`. */
struct window {
    const struct series_layout *layout;
    const struct series *series;
    const struct window_plan *plan;
    uint32_t number, tail, head;
};

static double value_at(const struct window *window, uint32_t number)
{
    return entry_value(window->layout, series_entry(window->layout, window->series, number),
                       window->plan->column);
}

/* The first entry up to `end` later than `time_us`. */
static uint32_t first_after(const struct window *window, int64_t time_us, uint32_t end)
{
    uint32_t low = window->series->first;
    while (low != end) {
        uint32_t middle = low + (end - low) / 2;
        if (series_time(window->layout, window->series, middle) <= time_us)
            low = middle + 1;
        else
            end = middle;
    }
    return low;
}

static void find_window(struct window *window)
{
    const struct span *span = &window->layout->stream->spans[window->plan->span];
    int64_t time_us = series_time(window->layout, window->series, window->number);
    int64_t to = time_us - span->delay_us;
    window->head = first_after(window, to, window->number + 1);
    window->tail = first_after(window, to - span->window_us, window->head);
}

static double positives(const struct window *window)
{
    uint32_t n = 0;
    for (uint32_t i = window->tail; i != window->head; i++)
        n += entry_label(series_entry(window->layout, window->series, i)) == LABEL_POSITIVE;
    return n;
}

static void look_at_sums(const struct window *window, struct exact_sum *sum,
                         struct exact_sum *squares)
{
    *sum = *squares = (struct exact_sum){0};
    for (uint32_t i = window->tail; i != window->head; i++) {
        double value = value_at(window, i);
        if (isnan(value))
            continue;
        sum->n++;
        sum->n_parts = exact_add(sum->parts, sum->n_parts, EXACT_MAX_PARTS, value);
        if (window->plan->squares != NO_STATE)
            squares->n_parts =
                exact_add_square(squares->parts, squares->n_parts, EXACT_MAX_PARTS, value, 1);
        assert(sum->n_parts >= 0 && squares->n_parts >= 0);
    }
}

/* n values, their rounded sum and, where asked for, n^2 times their variance. */
struct moments {
    double n, sum, spread;
};

static void moments(const struct window *window, struct moments *out)
{
    bool wants_spread = window->plan->squares != NO_STATE;
    struct exact_sum all, all_squares;
    look_at_sums(window, &all, &all_squares);
    out->n = all.n;
    out->sum = exact_round(all.parts, all.n_parts);
    out->spread = wants_spread ? exact_spread(all.parts, all.n_parts, all_squares.parts,
                                              all_squares.n_parts, all.n)
                               : 0;
}

static double of_moments(const struct window *window)
{
    const struct window_plan *plan = window->plan;
    struct moments m;
    moments(window, &m);
    if (m.n == 0)
        return plan->empty;
    switch (plan->function) {
    case WINDOW_SUM:
        return m.sum;
    case WINDOW_STD:
        return m.n > plan->ddof ? sqrt(m.spread / (m.n * (m.n - plan->ddof))) : plan->empty;
    case WINDOW_RATIO_TO_MEAN: {
        double mean = m.sum / m.n;
        return mean != 0 ? value_at(window, window->number) / mean : plan->empty;
    }
    default:
        return m.sum / m.n;
    }
}

static double extreme(const struct window *window)
{
    double best = NAN;
    for (uint32_t i = window->tail; i != window->head; i++) {
        double value = value_at(window, i);
        if (isnan(best) || (window->plan->function == WINDOW_MIN ? value < best : value > best))
            best = value;
    }
    return isnan(best) ? window->plan->empty : best;
}

static bool distinct(const struct window *window, struct counts *scratch, double *out)
{
    counts_reset(scratch);
    for (uint32_t i = window->tail; i != window->head; i++) {
        uint64_t hash = entry_hash(window->layout, series_entry(window->layout, window->series, i),
                                   window->plan->column);
        if (hash != 0 && !counts_add(scratch, NULL, hash))
            return false;
    }
    *out = scratch->used;
    return true;
}

/* The entry before, if it is in the window. */
static double of_previous(const struct window *window)
{
    if (window->number == window->tail)
        return window->plan->empty;
    uint32_t before = window->number - 1;
    if (window->plan->function == WINDOW_LAG) {
        double value = value_at(window, before);
        return isnan(value) ? window->plan->empty : value;
    }
    return (double)(series_time(window->layout, window->series, window->number) -
                    series_time(window->layout, window->series, before)) /
           1e6;
}

static bool look(const struct series_layout *layout, const struct series *series,
                 const struct window_plan *plan, uint32_t number, struct counts *scratch,
                 double *out)
{
    struct window window = {.layout = layout, .series = series, .plan = plan, .number = number};
    find_window(&window);
    uint32_t n = window.head - window.tail;
    switch (plan->function) {
    case WINDOW_COUNT:
        *out = n;
        return true;
    case WINDOW_POSITIVES:
        *out = positives(&window);
        return true;
    case WINDOW_RATE:
        *out = n ? positives(&window) / n : plan->empty;
        return true;
    case WINDOW_MIN:
    case WINDOW_MAX:
        *out = extreme(&window);
        return true;
    case WINDOW_DISTINCT:
        return distinct(&window, scratch, out);
    case WINDOW_SINCE_LAST:
    case WINDOW_LAG:
        *out = of_previous(&window);
        return true;
    default:
        *out = of_moments(&window);
        return true;
    }
}

void looked_feature(const struct series_layout *layout, const struct series *series,
                    const struct window_plan *plan, uint32_t number, struct counts *scratch,
                    double *out)
{
    if (!look(layout, series, plan, number, scratch, out))
        *out = NAN;
}

void series_features(const struct series_layout *layout, const struct series *series,
                     uint32_t number, struct counts *scratch, double *outputs)
{
    const struct stream *stream = layout->stream;
    if (number == series->first + series->n - 1) {
        running_features(layout, series, scratch, outputs);
        return;
    }
    for (size_t i = 0; i < stream->n_windows; i++)
        looked_feature(layout, series, &stream->windows[i], number, scratch,
                       &outputs[stream->windows[i].output]);
}
