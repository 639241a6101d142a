/* The columns of a CSV file as what they are: numbers or categories. */
#ifndef BINNACLE_MONITOR_COLUMNS_H
#define BINNACLE_MONITOR_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/buffer.h"
#include "engine/base/status.h"
#include "engine/monitor/categories.h"

struct column {
    char *name;
    bool there;   /* the file has it */
    bool text;    /* not all its cells are numbers or missing */
    bool whole;   /* numbers written without point and exponent, none missing */
    bool boolean; /* True and False in any case, none missing */
    bool single;  /* values are floats: what is held against them is rounded to float first */
    size_t n_rows, n_missing;
    double *values; /* numbers: sorted, without the missing ones */
    size_t n_values;
    /* NULL: each stands for itself. Else how many numbers lie up to each value, of which there is
     * one each; moments are then those of the numbers, and of an incomplete list not all values
     * that there are are in it: what lies between two stands at the upper one. */
    double *upto;
    double before; /* how many of upto lie below values[0] and are not looked at */
    bool complete;
    double mean, deviation;
    size_t n_odd;                 /* texts where the reference has numbers */
    struct categories categories; /* text: sorted, without the missing ones */
};

/* A file read: plain data, freed by columns_free(). */
struct columns {
    char *path;
    struct column *list;
    size_t n, n_rows;
    int spool;            /* what can be read once put aside, -1: none */
    struct column *score; /* of a model's profile: its scores; NULL */
};

/* Takes a file, of which nothing is read yet; standard input ("-") and what else can be read once
 * are put aside. */
MUST_USE enum status columns_take(const char *path, struct columns *columns, struct error *error);
/* Appends the first `most` bytes of it, unpacked. */
MUST_USE enum status columns_text(const struct columns *columns, size_t most, struct buffer *text,
                                  struct error *error);
/* The names of its columns, without its rows. STATUS_INVALID: two are the same. */
MUST_USE enum status columns_names(struct columns *columns, struct error *error);
/* Both: takes a file and its columns' names. */
MUST_USE enum status columns_open(const char *path, struct columns *columns, struct error *error);
struct column *columns_find(const struct columns *columns, const char *name);
/* Reads the columns of both files that are marked `there` and in both: of a column with text in
 * either file both are text. Memory is eight bytes a number; files are read twice when there is
 * text. `b` may be empty (no path). */
MUST_USE enum status columns_read(struct columns *a, struct columns *b, struct error *error);
void columns_free(struct columns *columns);
void column_clear(struct column *column); /* what is in it */

/* ---- a column's numbers ---- */

/* Makes a column of n floats `stride` apart, NaN: missing. False when out of memory. */
bool columns_from_floats(struct column *column, const char *name, const float *values, size_t n,
                         size_t stride);

/* How many there are; up to a limit; below it. */
double column_total(const struct column *column);
double column_not_above(const struct column *column, double limit);
double column_below(const struct column *column, double limit);
/* The same column without infinities; borrows. */
struct column column_finite(const struct column *column);
/* As cuts_quantiles(), of finite ones. */
size_t column_quantiles(const struct column *finite, size_t n_bins, double *edges);
/* Of finite ones; NaN when there are none. */
void column_moments(const struct column *finite, double *mean, double *deviation);

struct table;
/* Opens the file's table once more. */
MUST_USE enum status columns_table(const struct columns *columns, struct table **table,
                                   struct error *error);

#endif
