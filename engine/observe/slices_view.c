/* A copy of the recent cells, and sums over it: the lock is held for the copying only. */
#include "engine/observe/slices_priv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void copy_cells(struct slices *slices, int64_t first, struct slices_view *view,
                       uint32_t *rows, double *amounts, double *declined, struct cell_extra *extras)
{
    size_t width = (size_t)slices->n_counters, n_extras = (size_t)slices->n_extras;
    for (int i = 0; i < view->n_cells; i++) {
        int64_t stamp = first + i;
        int cell = (int)(stamp % SLICE_CELLS);
        slices_clear_extras(extras + (size_t)i * n_extras, slices->n_extras);
        if (slices->stamps[cell] != stamp)
            continue;
        memcpy(rows + (size_t)i * width, slices->rows + (size_t)cell * width, width * sizeof *rows);
        amounts[i] = slices->amounts[cell];
        declined[i] = slices->declined[cell];
        memcpy(extras + (size_t)i * n_extras, slices->extras + (size_t)cell * n_extras,
               n_extras * sizeof *extras);
    }
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
    lock_take(&slices->lock);
    int64_t last = now_us / SLICE_CELL_US, first = last - SLICE_CELLS + 1;
    if (first < slices->first_stamp)
        first = slices->first_stamp;
    bool any = slices->first_stamp > 0 && first <= last;
    view->n_cells = any ? (int)(last - first + 1) : 0;
    view->start_us = first * SLICE_CELL_US;
    size_t n = (size_t)view->n_cells, width = (size_t)slices->n_counters;
    size_t extras_size = (size_t)slices->n_extras * sizeof(struct cell_extra);
    double *amounts =
        any ? calloc(1, n * (2 * sizeof(double) + extras_size + width * sizeof(uint32_t))) : NULL;
    if (amounts) {
        struct cell_extra *extras = (struct cell_extra *)(amounts + 2 * n);
        uint32_t *rows = (uint32_t *)(extras + n * (size_t)slices->n_extras);
        copy_cells(slices, first, view, rows, amounts, amounts + n, extras);
        view->extras = extras;
        view->newest_event_us = slices->newest_event_us;
        view->rows = rows;
        view->amounts = amounts;
        view->declined = amounts + n;
        view->memory = amounts;
        for (int i = 0; i < RULES - 1; i++)
            view->rules[i] = slices->rules[i][0] ? slices->rules[i] : NULL;
    }
    lock_release(&slices->lock);
    return amounts != NULL;
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
