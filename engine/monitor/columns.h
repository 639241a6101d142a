/* The columns of a CSV file as what they are: numbers or categories. */
#ifndef BINNACLE_MONITOR_COLUMNS_H
#define BINNACLE_MONITOR_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/status.h"
#include "engine/monitor/categories.h"

struct column {
    char *name;
    bool there;   /* the file has it */
    bool text;    /* not all its cells are numbers or missing */
    bool whole;   /* numbers written without point and exponent, none missing */
    bool boolean; /* True and False in any case, none missing */
    size_t n_rows, n_missing;
    double *values; /* numbers: sorted, without the missing ones */
    size_t n_values;
    struct categories categories; /* text: sorted, without the missing ones */
};

/* A file read: plain data, freed by columns_free(). */
struct columns {
    char *path;
    struct column *list;
    size_t n, n_rows;
    int spool; /* standard input put aside, -1: none */
};

/* Missing: empty, or one of NA N/A n/a nan NaN null NULL None <NA> #N/A and their kin, which pandas
 * takes for missing, too. */
bool columns_is_missing(struct slice cell);

/* The names of a file's columns, without its rows. */
MUST_USE enum status columns_open(const char *path, struct columns *columns, struct error *error);
struct column *columns_find(const struct columns *columns, const char *name);
/* Reads the columns of both files that are marked `there` and in both: of a column with text in
 * either file both are text. Memory is eight bytes a number; files are read twice when there is
 * text. */
MUST_USE enum status columns_read(struct columns *a, struct columns *b, struct error *error);
void columns_free(struct columns *columns);

#endif
