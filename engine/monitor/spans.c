/* Running sums of a view's rows, once of all cells and once without those in trouble. Reads no
 * clock; runs in whichever thread asks. */
#include "engine/monitor/spans.h"

#include <stdlib.h>

static bool in_trouble(const struct slices_view *view, int cell, const struct trouble *troubles,
                       int n)
{
    int64_t from_us = slices_cell_us(view, cell), to_us = from_us + SLICE_CELL_US;
    for (int i = 0; i < n; i++) {
        if (to_us > troubles[i].from_us && from_us < troubles[i].to_us)
            return true;
    }
    return false;
}

bool span_sums_make(const struct slices_view *view, const struct trouble *troubles, int n_troubles,
                    struct span_sums *sums)
{
    size_t width = (size_t)view->n_counters, rows = (size_t)view->n_cells + 1;
    *sums = (struct span_sums){.view = view,
                               .all = calloc(rows * width + 1, sizeof *sums->all),
                               .usual = calloc(rows * width + 1, sizeof *sums->usual)};
    if (!sums->all || !sums->usual) {
        span_sums_free(sums);
        return false;
    }
    for (int cell = 0; cell < view->n_cells; cell++) {
        const uint32_t *row = view->rows + (size_t)cell * width;
        uint32_t *all = sums->all + (size_t)cell * width;
        uint32_t *usual = sums->usual + (size_t)cell * width;
        bool counts = !in_trouble(view, cell, troubles, n_troubles);
        for (size_t i = 0; i < width; i++) {
            all[width + i] = all[i] + row[i];
            usual[width + i] = usual[i] + (counts ? row[i] : 0);
        }
    }
    return true;
}

void span_sums_free(struct span_sums *sums)
{
    free(sums->all);
    free(sums->usual);
    sums->all = sums->usual = NULL;
}

static uint64_t difference(const struct span_sums *sums, const uint32_t *rows, int c, int from,
                           int to)
{
    size_t width = (size_t)sums->view->n_counters;
    return (uint32_t)(rows[(size_t)to * width + (size_t)c] -
                      rows[(size_t)from * width + (size_t)c]);
}

uint64_t span_count(const struct span_sums *sums, int c, int from, int to)
{
    return difference(sums, sums->all, c, from, to);
}

uint64_t span_usual(const struct span_sums *sums, int c, int from, int to)
{
    return difference(sums, sums->usual, c, from, to);
}

int span_baseline_from(int from)
{
    int first = from - BASELINE_CELLS;
    return first > STARTING_CELLS ? first : STARTING_CELLS;
}
