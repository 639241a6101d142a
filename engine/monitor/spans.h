/* Counts of any stretch of recent time in one subtraction, with or without what was trouble then.
 */
#ifndef BINNACLE_MONITOR_SPANS_H
#define BINNACLE_MONITOR_SPANS_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/observe/slices.h"

/* Spans of cells that count as trouble and not as what is usual. */
struct trouble {
    int64_t from_us, to_us;
};

/* Sums over any cells in one subtraction: row i holds the counts of cells [0, i). */
struct span_sums {
    const struct slices_view *view;
    uint32_t *all;   /* n_cells + 1 rows */
    uint32_t *usual; /* the same without the cells in trouble */
};
bool span_sums_make(const struct slices_view *view, const struct trouble *troubles, int n_troubles,
                    struct span_sums *sums); /* false: out of memory */
void span_sums_free(struct span_sums *sums);
/* Counter c over the cells [from, to). */
uint64_t span_count(const struct span_sums *sums, int c, int from, int to);
uint64_t span_usual(const struct span_sums *sums, int c, int from, int to);

#define BASELINE_CELLS 150 /* five minutes before */
#define BASELINE_LEAST 8
#define STARTING_CELLS 2 /* of a service: not usual yet */
/* The first cell that windows beginning at `from` are compared with. */
int span_baseline_from(int from);

#endif
