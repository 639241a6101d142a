/* Numbers counted against the points of a reference, in memory that does not grow with them. */
#ifndef BINNACLE_MONITOR_POINT_COUNTS_H
#define BINNACLE_MONITOR_POINT_COUNTS_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/monitor/columns.h"

struct point_counts;

/* Counts against `reference`, which is borrowed for this call. `values`: its values are the points;
 * else its smallest, its deciles and its largest. NULL when out of memory. One thread. */
struct point_counts *point_counts_create(const struct column *reference, bool values);
void point_counts_destroy(struct point_counts *counts);

/* Counts n numbers, NaN: missing; they are overwritten. Returns how many were missing. */
size_t point_counts_add(struct point_counts *counts, double *numbers, size_t n);

/* What was counted, as the numbers of a column: `values`, `upto`, `mean`, `deviation`. False when
 * out of memory. */
bool point_counts_finish(const struct point_counts *counts, struct column *column);

#endif
