/* A copy of the recent cells, and sums over it. */
#include "engine/observe/slices_priv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool was_away(const struct slices *slices, int64_t stamp)
{
    for (int i = 0; i < slices->n_away; i++) {
        if (stamp >= slices->away[i].from && stamp < slices->away[i].to)
            return true;
    }
    return false;
}

/* Where the copies of a view go. */
struct copies {
    int64_t *stamps;
    uint32_t *rows;
    double *amounts, *declined;
    struct cell_extra *extras;
    bool *away;
};

static void copy_cell(const struct slices *slices, int i, const struct copies *to)
{
    size_t width = (size_t)slices->n_counters, n_extras = (size_t)slices->n_extras;
    int64_t stamp = to->stamps[i];
    int cell = (int)(stamp % SLICE_CELLS);
    slices_clear_extras(to->extras + (size_t)i * n_extras, slices->n_extras);
    to->away[i] = was_away(slices, stamp);
    if (slices->stamps[cell] != stamp)
        return;
    memcpy(to->rows + (size_t)i * width, slices->rows + (size_t)cell * width,
           width * sizeof *to->rows);
    to->amounts[i] = slices->amounts[cell];
    to->declined[i] = slices->declined[cell];
    memcpy(to->extras + (size_t)i * n_extras, slices->extras + (size_t)cell * n_extras,
           n_extras * sizeof *to->extras);
}

/* Some at a time. Each cell is whole. */
static void copy_cells(struct slices *slices, int n, const struct copies *to)
{
    for (int i = 0; i < n; i += CELLS_AT_ONCE) {
        lock_take(&slices->lock);
        for (int k = i; k < n && k < i + CELLS_AT_ONCE; k++)
            copy_cell(slices, k, to);
        lock_release(&slices->lock);
    }
}

static bool copy_all(struct slices *slices, const int64_t *stamps, struct slices_view *view)
{
    size_t n = (size_t)view->n_cells, n_extras = (size_t)slices->n_extras;
    size_t size = sizeof(int64_t) + 2 * sizeof(double) + n_extras * sizeof(struct cell_extra) +
                  (size_t)slices->n_counters * sizeof(uint32_t) + sizeof(bool);
    int64_t *memory = calloc(n, size);
    if (!memory)
        return false;
    struct copies to = {.stamps = memory, .amounts = (double *)(memory + n)};
    to.declined = to.amounts + n;
    to.extras = (struct cell_extra *)(to.declined + n);
    to.rows = (uint32_t *)(to.extras + n * n_extras);
    to.away = (bool *)(to.rows + n * (size_t)slices->n_counters);
    memcpy(to.stamps, stamps, n * sizeof *stamps);
    copy_cells(slices, view->n_cells, &to);
    view->stamps = to.stamps;
    view->away = to.away;
    view->extras = to.extras;
    view->rows = to.rows;
    view->amounts = to.amounts;
    view->declined = to.declined;
    view->memory = memory;
    return true;
}

/* Which cells there are up to this time; returns how many. The lock is held. */
static int list_cells(const struct slices *slices, int64_t now_us, bool skips_away,
                      int64_t stamps[SLICE_CELLS])
{
    int64_t last = now_us / SLICE_CELL_US, first = last - SLICE_CELLS + 1;
    int n = 0;
    if (slices->first_stamp == 0)
        return 0;
    first = first < slices->first_stamp ? slices->first_stamp : first;
    for (int64_t stamp = first; stamp <= last; stamp++) {
        if (!skips_away || !was_away(slices, stamp))
            stamps[n++] = stamp;
    }
    return n;
}

static bool view_of(struct slices *slices, int64_t now_us, bool skips_away,
                    struct slices_view *view)
{
    int64_t stamps[SLICE_CELLS];
    *view = (struct slices_view){.series = slices->series,
                                 .n_series = slices->n_series,
                                 .n_counters = slices->n_counters,
                                 .now_us = now_us,
                                 .extra_of = slices->extra_of,
                                 .n_fields = slices->schema ? (int)slices->schema->n_fields : 0,
                                 .n_extras = slices->n_extras,
                                 .amount_field = slices->amount >= 0 ? slices->amount_field : NULL};
    lock_take(&slices->lock);
    view->n_cells = list_cells(slices, now_us, skips_away, stamps);
    view->newest_event_us = slices->newest_event_us;
    for (int i = 0; i < RULES - 1; i++)
        view->rules[i] = slices->rules[i][0] ? slices->rules[i] : NULL;
    lock_release(&slices->lock);
    view->start_us = view->n_cells > 0 ? stamps[0] * SLICE_CELL_US : now_us;
    return view->n_cells > 0 && copy_all(slices, stamps, view);
}

bool slices_view(struct slices *slices, int64_t now_us, struct slices_view *view)
{
    return view_of(slices, now_us, false, view);
}

bool slices_view_there(struct slices *slices, int64_t now_us, struct slices_view *view)
{
    return view_of(slices, now_us, true, view);
}

int slices_cells_there(const struct slices_view *view, int from, int to)
{
    int n = 0;
    for (int cell = from; cell < to; cell++)
        n += !view->away || !view->away[cell];
    return n;
}

int64_t slices_cell_us(const struct slices_view *view, int cell)
{
    if (!view->stamps)
        return view->start_us + cell * SLICE_CELL_US;
    if (cell < view->n_cells)
        return view->stamps[cell] * SLICE_CELL_US;
    return (view->stamps[view->n_cells - 1] + 1) * SLICE_CELL_US;
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
