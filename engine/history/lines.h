/* The values of a question: for each combination of labels a line, point by point. */
#ifndef BINNACLE_HISTORY_LINES_H
#define BINNACLE_HISTORY_LINES_H

#include "engine/history/measure.h"
#include "engine/history/range.h"

#define MAX_VALUES ((size_t)1 << 20) /* of all lines together */

struct line {
    uint64_t labels;
    double *values; /* by point, then by measure; NaN: no data */
};

struct lines {
    size_t n_points;
    int n_measures;
    const struct measure *const *measures; /* borrowed */
    struct line list[MAX_GROUPS];
    int n;
    double *nothing; /* as a line's: what is said of a group that has nothing */
    size_t point;    /* the next one, while it is read */
    bool too_many, no_memory;
};

/* Reads a range of n_points into lines that are all zero but for n_points and the measures; a long
 * one in two threads. STATUS_INVALID: more than MAX_VALUES. Whatever comes, lines_free() them. */
MUST_USE enum status lines_read(struct history_store *history, const struct range *range,
                                struct lines *lines, struct error *error);
void lines_free(struct lines *lines);

#endif
