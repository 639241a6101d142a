/* CSV tables with a header, read in blocks of rows and taken column by column. */
#ifndef BINNACLE_BASE_TABLE_H
#define BINNACLE_BASE_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "engine/base/slice.h"
#include "engine/base/status.h"

struct table;

/* Longest record, header included. */
#define TABLE_MAX_RECORD  ((size_t)16 << 20)
#define TABLE_MAX_COLUMNS 131072

/* Opens a CSV file (.gz by name, "-": standard input) and reads its header; columns are separated
 * by commas, quoted as RFC 4180 has it, line breaks within quotes included. STATUS_INVALID when
 * there is no header. The error names the path. One thread at a time. */
MUST_USE enum status table_open(const char *path, struct table **table, struct error *error);
/* The same, of a file that errors call `name`. */
MUST_USE enum status table_open_as(const char *path, const char *name, struct table **table,
                                   struct error *error);
void table_close(struct table *table);

const char *table_path(const struct table *table);
size_t table_n_columns(const struct table *table);
/* Zero-terminated, trimmed, the table's. */
const char *table_column_name(const struct table *table, size_t column);
/* The first column of this name, -1 when there is none. */
int table_find(const struct table *table, const char *name);
/* The only column of this name, -1 when there is none. STATUS_INVALID: there are two. */
MUST_USE enum status table_find_only(const struct table *table, const char *name, int *column,
                                     struct error *error);

/* The next block of rows (at least one); its cells are valid until the next call. STATUS_END at the
 * end. STATUS_INVALID names the line: a record with more or fewer cells than the header, a quote
 * left open, a record too long. Empty lines are skipped where there are several columns; with one
 * column they are an empty cell. */
MUST_USE enum status table_next(struct table *table, size_t *n_rows, struct error *error);

/* The text of a cell of the block, without its quotes, not trimmed. */
struct slice table_cell(const struct table *table, size_t row, size_t column);
/* The line on which a row of the block begins, from 1. */
int64_t table_line(const struct table *table, size_t row);

/* Rows [first, first + n) of a column of the block as numbers, NaN for missing cells
 * (table_is_missing); cells are trimmed. Returns how many are numbers or missing before the first
 * that is neither: n when all are. */
size_t table_doubles(const struct table *table, size_t column, size_t first, size_t n, double *out);
/* The same, each rounded to float once: out[i * stride]. */
size_t table_floats(const struct table *table, size_t column, size_t first, size_t n, float *out,
                    size_t stride);

/* Empty, or one of the words that pandas takes for missing, as it writes them: NA N/A n/a nan NaN
 * null NULL None <NA> #N/A and their kin. (Numbers read nan in any case, as well.) */
bool table_is_missing(struct slice trimmed);
/* error_set() with the place of a cell that is not a number. */
enum status table_not_a_number(const struct table *table, size_t row, size_t column,
                               struct error *error);

/* Bytes of the (compressed) file consumed and its size, for progress bars; size 0 if unknown. */
int64_t table_position(const struct table *table);
int64_t table_size(const struct table *table);

#endif
