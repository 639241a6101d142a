/* Counts of both sides over the same bins. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/monitor/compare_priv.h"
#include "engine/stats/cuts.h"

#define FIRST_BINS 16

void compare_tally_free(struct compare_tally *tally)
{
    for (size_t i = 0; tally->labels && i < tally->n; i++)
        free(tally->labels[i]);
    free((void *)tally->labels);
    free(tally->reference);
    free(tally->current);
    free(tally->contribution);
    *tally = (struct compare_tally){0};
}

static bool grow_array(double **array, size_t capacity)
{
    double *grown = realloc(*array, capacity * sizeof *grown);
    if (grown)
        *array = grown;
    return grown != NULL;
}

static bool grow(struct compare_tally *tally)
{
    size_t capacity = tally->capacity ? 2 * tally->capacity : FIRST_BINS;
    char **labels = realloc((void *)tally->labels, capacity * sizeof *labels);
    if (labels)
        tally->labels = labels;
    bool done = labels && grow_array(&tally->reference, capacity) &&
                grow_array(&tally->current, capacity) && grow_array(&tally->contribution, capacity);
    if (done)
        tally->capacity = capacity;
    return done;
}

void compare_tally_add(struct compare_tally *tally, const char *label, size_t label_size,
                       double reference, double current)
{
    if (tally->failed || (tally->n == tally->capacity && !grow(tally))) {
        tally->failed = true;
        return;
    }
    char *copy = label ? strndup(label, label_size) : NULL;
    tally->failed = label && !copy;
    tally->labels[tally->n] = copy;
    tally->reference[tally->n] = reference;
    tally->current[tally->n] = current;
    tally->contribution[tally->n] = 0;
    tally->n++;
}

/* The end of the run of values equal to the one at `at`, if that is `value`. */
static size_t run_end(const struct column *column, size_t at, double value)
{
    while (at < column->n_values && column->values[at] == value)
        at++;
    return at;
}

static double numbers_between(const struct column *column, size_t from, size_t to)
{
    if (!column->upto || from == to)
        return (double)(to - from);
    return column->upto[to - 1] - (from ? column->upto[from - 1] : column->before);
}

static void number_values(struct compare_tally *tally, const struct column *a,
                          const struct column *b)
{
    char label[32];
    for (size_t i = 0, j = 0; i < a->n_values || j < b->n_values;) {
        bool from_a = j == b->n_values || (i < a->n_values && a->values[i] < b->values[j]);
        double value = from_a ? a->values[i] : b->values[j];
        size_t end_a = run_end(a, i, value), end_b = run_end(b, j, value);
        int size = snprintf(label, sizeof label, "%g", value);
        compare_tally_add(tally, label, (size_t)size, numbers_between(a, i, end_a),
                          numbers_between(b, j, end_b));
        i = end_a;
        j = end_b;
    }
}

static void text_values(struct compare_tally *tally, const struct categories *a,
                        const struct categories *b)
{
    for (size_t i = 0, j = 0; i < a->n || j < b->n;) {
        int order = i == a->n   ? 1
                    : j == b->n ? -1
                                : slice_compare(a->list[i].text, b->list[j].text);
        struct slice text = order <= 0 ? a->list[i].text : b->list[j].text;
        compare_tally_add(tally, text.data, text.size, order <= 0 ? (double)a->list[i].count : 0,
                          order >= 0 ? (double)b->list[j].count : 0);
        i += order <= 0;
        j += order >= 0;
    }
}

void compare_tally_values(struct compare_tally *tally, const struct column *reference,
                          const struct column *current)
{
    if (reference->text)
        text_values(tally, &reference->categories, &current->categories);
    else
        number_values(tally, reference, current);
}

void compare_tally_edges(struct compare_tally *tally, const struct column *reference,
                         const struct column *current, const double *edges, size_t n_bins)
{
    double *counts = calloc(2 * n_bins, sizeof *counts);
    char label[80];
    tally->failed = tally->failed || !counts;
    if (!counts)
        return;
    cuts_count(reference->values, reference->n_values, edges, n_bins, counts);
    cuts_count(current->values, current->n_values, edges, n_bins, counts + n_bins);
    for (size_t i = 0; i < n_bins; i++) {
        int size = snprintf(label, sizeof label, "[%g, %g%c", edges[i], edges[i + 1],
                            i + 1 == n_bins ? ']' : ')');
        compare_tally_add(tally, label, (size_t)size, counts[i], counts[n_bins + i]);
    }
    free(counts);
}

double compare_tally_total(const double *counts, size_t n)
{
    double total = 0;
    for (size_t i = 0; i < n; i++)
        total += counts[i];
    return total;
}

void compare_tally_shares(const double *counts, size_t n, double total, double *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = counts[i] / total;
}
