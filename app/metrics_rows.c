/* Reads the columns that `metrics` asks for out of a CSV table, block by block. One thread. */
#include "app/metrics_rows.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "engine/base/clock.h"
#include "engine/base/hash.h"
#include "engine/base/number.h"
#include "engine/base/table.h"

enum { SCORE, LABEL, AMOUNT, ENTITY, TIME, COHORT, N_COLUMNS };

struct reading {
    struct table *table;
    struct metrics_rows *rows;
    int columns[N_COLUMNS]; /* -1: not asked for */
};

static enum status find_columns(struct reading *reading, const struct metrics_columns *columns,
                                struct error *error)
{
    const char *const names[N_COLUMNS] = {columns->score,  columns->label, columns->amount,
                                          columns->entity, columns->time,  columns->cohort};
    for (int i = 0; i < N_COLUMNS; i++) {
        reading->columns[i] = -1;
        if (!names[i])
            continue;
        enum status status = table_find_only(reading->table, names[i], &reading->columns[i], error);
        if (status != STATUS_OK)
            return status;
        if (reading->columns[i] < 0)
            return error_set(error, STATUS_INVALID, "%s has no column %s",
                             table_path(reading->table), names[i]);
    }
    return STATUS_OK;
}

static struct slice text_of(const struct reading *reading, size_t row, int column)
{
    return slice_trim(table_cell(reading->table, row, (size_t)reading->columns[column]));
}

#define SHOWN_BYTES 40

/* The beginning of a cell for a message, where a zero byte would end the text. */
static const char *shown(struct slice text, char out[4 * SHOWN_BYTES + 1])
{
    size_t used = 0;
    for (size_t i = 0; i < text.size && i < SHOWN_BYTES; i++) {
        size_t size = text.data[i] ? 1 : 4;
        memcpy(out + used, text.data[i] ? text.data + i : "\\x00", size);
        used += size;
    }
    out[used] = '\0';
    return out;
}

static enum status wrong(const struct reading *reading, size_t row, int column, const char *what,
                         struct error *error)
{
    char text[4 * SHOWN_BYTES + 1];
    return error_set(error, STATUS_INVALID, "%s, line %" PRId64 ", column %s: %s, not \"%s\"",
                     table_path(reading->table), table_line(reading->table, row),
                     table_column_name(reading->table, (size_t)reading->columns[column]), what,
                     shown(text_of(reading, row, column), text));
}

static bool number_of(const struct reading *reading, size_t row, int column, double *number)
{
    return number_parse(text_of(reading, row, column), number) && !isnan(*number);
}

/* A time, or a number of seconds. */
static bool day_of(const struct reading *reading, size_t row, int64_t *day)
{
    int64_t time_us;
    double seconds;
    if (time_parse(text_of(reading, row, TIME), &time_us)) {
        *day = time_day(time_us);
        return true;
    }
    if (!number_of(reading, row, TIME, &seconds) || !(fabs(seconds) < 1e14))
        return false;
    *day = (int64_t)floor(seconds / 86400);
    return true;
}

/* Cohorts are few: they are looked through. */
static enum status cohort_of(const struct reading *reading, size_t row, size_t *cohort,
                             struct error *error)
{
    struct metrics_rows *rows = reading->rows;
    struct slice text = text_of(reading, row, COHORT);
    for (size_t i = 0; i < rows->n_cohorts; i++) {
        if (slice_is(text, rows->cohorts[i])) {
            *cohort = i;
            return STATUS_OK;
        }
    }
    if (rows->n_cohorts == METRICS_MAX_COHORTS)
        return error_set(error, STATUS_INVALID,
                         "%s, line %" PRId64 ": the column %s has more than %d values",
                         table_path(reading->table), table_line(reading->table, row),
                         table_column_name(reading->table, (size_t)reading->columns[COHORT]),
                         METRICS_MAX_COHORTS);
    char *name = strndup(text.size ? text.data : "", text.size);
    if (!name)
        return error_set(error, STATUS_MEMORY, "out of memory");
    *cohort = rows->n_cohorts;
    rows->cohorts[rows->n_cohorts++] = name;
    return STATUS_OK;
}

static struct metrics_row *new_row(struct metrics_rows *rows)
{
    struct metrics_row *grown = array_grow(rows->rows, rows->n, &rows->capacity, sizeof *grown);
    if (!grown)
        return NULL;
    rows->rows = grown;
    struct metrics_row *row = &grown[rows->n++];
    *row = (struct metrics_row){.judged.amount = 1};
    return row;
}

static enum status take_row(const struct reading *reading, size_t at, struct error *error)
{
    double label;
    if (table_is_missing(text_of(reading, at, LABEL))) {
        reading->rows->n_unlabelled++;
        return STATUS_OK;
    }
    struct metrics_row *row = new_row(reading->rows);
    if (!row)
        return error_set(error, STATUS_MEMORY, "out of memory after %zu rows", reading->rows->n);
    if (!number_of(reading, at, LABEL, &label) || (label != 0 && label != 1))
        return wrong(reading, at, LABEL, "a label is 0 or 1", error);
    row->judged.positive = label != 0;
    if (!number_of(reading, at, SCORE, &row->judged.score))
        return wrong(reading, at, SCORE, "a score is a number", error);
    if (reading->columns[AMOUNT] >= 0 && table_is_missing(text_of(reading, at, AMOUNT)))
        row->judged.amount = NAN; /* left out of the cost, and counted */
    else if (reading->columns[AMOUNT] >= 0 &&
             (!number_of(reading, at, AMOUNT, &row->judged.amount) ||
              !isfinite(row->judged.amount)))
        return wrong(reading, at, AMOUNT, "an amount is a number", error);
    if (reading->columns[TIME] >= 0 && !day_of(reading, at, &row->day))
        return wrong(reading, at, TIME, "a time is ISO-8601 or seconds", error);
    if (reading->columns[ENTITY] >= 0) {
        struct slice entity = text_of(reading, at, ENTITY);
        row->entity = hash64(entity.data, entity.size, 0);
    }
    return reading->columns[COHORT] >= 0 ? cohort_of(reading, at, &row->cohort, error) : STATUS_OK;
}

static enum status read_rows(struct reading *reading, struct error *error)
{
    size_t n;
    enum status status;
    while ((status = table_next(reading->table, &n, error)) == STATUS_OK) {
        for (size_t i = 0; i < n; i++) {
            status = take_row(reading, i, error);
            if (status != STATUS_OK)
                return status;
        }
    }
    return status == STATUS_END ? STATUS_OK : status;
}

enum status metrics_rows_read(const char *path, const struct metrics_columns *columns,
                              struct metrics_rows *rows, struct error *error)
{
    struct reading reading = {.rows = rows};
    *rows = (struct metrics_rows){.cohorts = calloc(METRICS_MAX_COHORTS, sizeof *rows->cohorts)};
    if (!rows->cohorts)
        return error_set(error, STATUS_MEMORY, "out of memory");
    enum status status = table_open(path, &reading.table, error);
    if (status != STATUS_OK)
        return status;
    status = find_columns(&reading, columns, error);
    if (status == STATUS_OK)
        status = read_rows(&reading, error);
    table_close(reading.table);
    return status;
}

void metrics_rows_free(struct metrics_rows *rows)
{
    for (size_t i = 0; i < rows->n_cohorts; i++)
        free(rows->cohorts[i]);
    free(rows->cohorts);
    free(rows->rows);
}
