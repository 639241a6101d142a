/* A copy of the recent cells, and sums over it. */
#include "engine/observe/slices_priv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CELLS_AT_ONCE 16

/* Where the copies of a view go. */
struct copies {
    uint32_t *rows;
    double *amounts, *declined;
    struct cell_extra *extras;
};

static void copy_cell(const struct slices *slices, int64_t stamp, int i, const struct copies *to)
{
    size_t width = (size_t)slices->n_counters, n_extras = (size_t)slices->n_extras;
    int cell = (int)(stamp % SLICE_CELLS);
    slices_clear_extras(to->extras + (size_t)i * n_extras, slices->n_extras);
    if (slices->stamps[cell] != stamp)
        return;
    memcpy(to->rows + (size_t)i * width, slices->rows + (size_t)cell * width,
           width * sizeof *to->rows);
    to->amounts[i] = slices->amounts[cell];
    to->declined[i] = slices->declined[cell];
    memcpy(to->extras + (size_t)i * n_extras, slices->extras + (size_t)cell * n_extras,
           n_extras * sizeof *to->extras);
}

/* Some at a time, so that whoever counts waits for those only. Each cell is whole. */
static void copy_cells(struct slices *slices, int64_t first, int n, const struct copies *to)
{
    for (int i = 0; i < n; i += CELLS_AT_ONCE) {
        lock_take(&slices->lock);
        for (int k = i; k < n && k < i + CELLS_AT_ONCE; k++)
            copy_cell(slices, first + k, k, to);
        lock_release(&slices->lock);
    }
}

static bool copy_all(struct slices *slices, int64_t first, struct slices_view *view)
{
    size_t n = (size_t)view->n_cells, n_extras = (size_t)slices->n_extras;
    size_t size = 2 * sizeof(double) + n_extras * sizeof(struct cell_extra) +
                  (size_t)slices->n_counters * sizeof(uint32_t);
    double *amounts = calloc(n, size);
    if (!amounts)
        return false;
    struct copies to = {.amounts = amounts, .declined = amounts + n};
    to.extras = (struct cell_extra *)(amounts + 2 * n);
    to.rows = (uint32_t *)(to.extras + n * n_extras);
    copy_cells(slices, first, view->n_cells, &to);
    view->extras = to.extras;
    view->rows = to.rows;
    view->amounts = to.amounts;
    view->declined = to.declined;
    view->memory = amounts;
    return true;
}

bool slices_view(struct slices *slices, int64_t now_us, struct slices_view *view)
{
    *view = (struct slices_view){.series = slices->series,
                                 .n_series = slices->n_series,
                                 .n_counters = slices->n_counters,
                                 .now_us = now_us,
                                 .extra_of = slices->extra_of,
                                 .n_fields = slices->schema ? (int)slices->schema->n_fields : 0,
                                 .n_extras = slices->n_extras,
                                 .amount_field = slices->amount >= 0 ? slices->amount_field : NULL};
    int64_t last = now_us / SLICE_CELL_US, first = last - SLICE_CELLS + 1;
    lock_take(&slices->lock);
    bool any = slices->first_stamp > 0 && slices->first_stamp <= last;
    first = first < slices->first_stamp ? slices->first_stamp : first;
    view->newest_event_us = slices->newest_event_us;
    for (int i = 0; i < RULES - 1; i++)
        view->rules[i] = slices->rules[i][0] ? slices->rules[i] : NULL;
    lock_release(&slices->lock);
    view->n_cells = any ? (int)(last - first + 1) : 0;
    view->start_us = first * SLICE_CELL_US;
    return any && copy_all(slices, first, view);
}

void slices_view_free(struct slices_view *view)
{
    free(view->memory);
    view->memory = NULL;
}

const struct slice_series *slices_find(const struct slices_view *view, enum series_kind kind,
                                       int field)
{
    for (int i = 0; i < view->n_series; i++) {
        if (view->series[i].kind == kind && (field < 0 || view->series[i].field == field))
            return &view->series[i];
    }
    return NULL;
}

static const struct cell_extra *extra_at(const struct slices_view *view, int field, int cell)
{
    int place = field >= 0 && field < view->n_fields ? view->extra_of[field] : -1;
    return place < 0 ? NULL : &view->extras[(size_t)cell * (size_t)view->n_extras + (size_t)place];
}

double slices_distinct(const struct slices_view *view, int field, int from, int to)
{
    struct sketch all = {{0}};
    for (int cell = from; cell < to; cell++) {
        const struct cell_extra *extra = extra_at(view, field, cell);
        if (extra)
            sketch_merge(&all, &extra->sketch);
    }
    double count = sketch_count(&all);
    return count > 0 ? count : (double)NAN;
}

void slices_range(const struct slices_view *view, int field, int from, int to, double *low,
                  double *high)
{
    double least = INFINITY, most = -INFINITY;
    for (int cell = from; cell < to; cell++) {
        const struct cell_extra *extra = extra_at(view, field, cell);
        least = extra ? fmin(least, extra->low) : least;
        most = extra ? fmax(most, extra->high) : most;
    }
    *low = least <= most ? least : (double)NAN;
    *high = least <= most ? most : (double)NAN;
}
