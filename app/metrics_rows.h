/* Scores with their truth out of a CSV file: what `metrics` measures. */
#ifndef BINNACLE_APP_METRICS_ROWS_H
#define BINNACLE_APP_METRICS_ROWS_H

#include <stddef.h>
#include <stdint.h>

#include "engine/base/status.h"
#include "engine/stats/classify.h"

#define METRICS_MAX_COHORTS 1000

/* Names of columns; NULL: not asked for. */
struct metrics_columns {
    const char *score, *label, *amount, *entity, *time, *cohort;
};

struct metrics_row {
    struct classify_row judged;
    uint64_t entity; /* a hash of its text */
    int64_t day;
    size_t cohort;
};

struct metrics_rows {
    struct metrics_row *rows; /* in the order of the file */
    size_t n, capacity;
    size_t n_unlabelled; /* left out */
    char **cohorts;      /* in the order in which they came */
    size_t n_cohorts;
};

/* Reads the whole file. STATUS_INVALID names the line: a row without a score, a label that is not 0
 * or 1, an amount or a time that is none, a cohort too many. Free in any case. */
MUST_USE enum status metrics_rows_read(const char *path, const struct metrics_columns *columns,
                                       struct metrics_rows *rows, struct error *error);
void metrics_rows_free(struct metrics_rows *rows);

#endif
