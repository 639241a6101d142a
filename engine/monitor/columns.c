/* Two CSV files read into columns. A column is taken for numbers until a cell is something else;
 * then the file is read again for the texts of such columns. One thread. */
#include "engine/monitor/columns.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/input.h"
#include "engine/base/number.h"
#include "engine/base/table.h"
#include "engine/stats/cuts.h"
#include "engine/stats/samples.h"

#define FIRST_VALUES 1024
#define COPY_BYTES   65536
#define PLACE_SIZE   32

static enum status no_memory(const struct columns *columns, struct error *error)
{
    return error_set(error, STATUS_MEMORY, "%s: out of memory for its columns", columns->path);
}

/* ---- opening ---- */

/* What can be read once, as standard input or a named pipe, is copied into a file without a name.
 */
static enum status spool(struct columns *columns, FILE *from, struct error *error)
{
    char block[COPY_BYTES];
    FILE *file = from ? tmpfile() : NULL;
    size_t got;
    bool failed = !file;
    while (!failed && (got = fread(block, 1, sizeof block, from)) > 0)
        failed = fwrite(block, 1, got, file) != got;
    failed = failed || fflush(file) != 0 || ferror(from);
    columns->spool = failed ? -1 : dup(fileno(file));
    int code = errno;
    if (file)
        (void)fclose(file);
    return columns->spool < 0 ? error_set(error, STATUS_IO, "%s cannot be put aside: %s",
                                          columns->path, strerror(code))
                              : STATUS_OK;
}

static enum status spool_what_is_read_once(struct columns *columns, struct error *error)
{
    struct stat file;
    if (strcmp(columns->path, "-") == 0)
        return spool(columns, stdin, error);
    if (stat(columns->path, &file) != 0 || S_ISREG(file.st_mode) || S_ISDIR(file.st_mode))
        return STATUS_OK; /* reading it says what is wrong with it */
    FILE *from = fopen(columns->path, "rbe");
    enum status status = spool(columns, from, error);
    if (from)
        (void)fclose(from);
    return status;
}

/* Where the file's bytes are to be read. */
static const char *place_of(const struct columns *columns, char spooled[PLACE_SIZE])
{
    if (columns->spool < 0)
        return columns->path;
    (void)snprintf(spooled, PLACE_SIZE, "/dev/fd/%d", columns->spool);
    return spooled;
}

enum status columns_table(const struct columns *columns, struct table **table, struct error *error)
{
    char spooled[PLACE_SIZE];
    return table_open_as(place_of(columns, spooled), columns->path, table, error);
}

enum status columns_text(const struct columns *columns, size_t most, struct buffer *text,
                         struct error *error)
{
    char spooled[PLACE_SIZE], block[4096];
    struct input *input = NULL;
    size_t got = 1;
    enum status status =
        input_open_as(place_of(columns, spooled), columns->path, sizeof block, &input, error);
    while (!status && got > 0 && most > 0) {
        status = input_read(input, block, most < sizeof block ? most : sizeof block, &got, error);
        most -= got;
        if (!status && !buffer_append(text, block, got))
            status = no_memory(columns, error);
    }
    input_close(input);
    return status;
}

static enum status take_names(struct columns *columns, const struct table *table,
                              struct error *error)
{
    size_t n = table_n_columns(table);
    columns->list = calloc(n, sizeof *columns->list);
    if (!columns->list)
        return no_memory(columns, error);
    for (size_t i = 0; i < n; i++) {
        columns->list[i].name = strdup(table_column_name(table, i));
        columns->list[i].there = true;
        columns->n++;
        if (!columns->list[i].name)
            return no_memory(columns, error);
        if (columns_find(columns, columns->list[i].name) != &columns->list[i])
            return error_set(error, STATUS_INVALID, "%s: two columns are named \"%.100s\"",
                             columns->path, columns->list[i].name);
    }
    return STATUS_OK;
}

enum status columns_take(const char *path, struct columns *columns, struct error *error)
{
    *columns = (struct columns){.spool = -1};
    columns->path = strdup(path);
    if (!columns->path)
        return error_set(error, STATUS_MEMORY, "%s: out of memory", path);
    return spool_what_is_read_once(columns, error);
}

enum status columns_names(struct columns *columns, struct error *error)
{
    struct table *table = NULL;
    enum status status = columns_table(columns, &table, error);
    if (!status)
        status = take_names(columns, table, error);
    table_close(table);
    return status;
}

enum status columns_open(const char *path, struct columns *columns, struct error *error)
{
    enum status status = columns_take(path, columns, error);
    return status ? status : columns_names(columns, error);
}

struct column *columns_find(const struct columns *columns, const char *name)
{
    for (size_t i = 0; i < columns->n; i++) {
        if (strcmp(columns->list[i].name, name) == 0)
            return &columns->list[i];
    }
    return NULL;
}

/* ---- numbers ---- */

static bool is_whole(struct slice cell)
{
    for (size_t i = 0; i < cell.size; i++) {
        if ((cell.data[i] < '0' || cell.data[i] > '9') && cell.data[i] != '-' &&
            cell.data[i] != '+')
            return false;
    }
    return true;
}

static void take_number(struct column *column, struct slice cell)
{
    double number;
    if (!number_parse(cell, &number)) {
        struct slice text = slice_trim(cell);
        if (table_is_missing(text))
            number = NAN;
        else if (text.size == cell.size || !number_parse(text, &number))
            column->text = true;
        cell = text;
    }
    if (column->text)
        return;
    if (isnan(number)) {
        column->n_missing++;
        return;
    }
    column->whole = column->whole && is_whole(cell);
    column->values[column->n_values++] = number;
}

static bool make_room(struct column *column, size_t capacity)
{
    double *values = realloc(column->values, capacity * sizeof *values);
    if (values)
        column->values = values;
    return values != NULL;
}

static enum status read_numbers(struct columns *columns, struct error *error)
{
    struct table *table;
    size_t n_rows, capacity = 0;
    enum status status = columns_table(columns, &table, error);
    if (status)
        return status;
    for (size_t i = 0; i < columns->n; i++)
        columns->list[i].whole = true;
    while (!status && !(status = table_next(table, &n_rows, error))) {
        bool grow = columns->n_rows + n_rows > capacity;
        while (columns->n_rows + n_rows > capacity)
            capacity = capacity ? 2 * capacity : FIRST_VALUES;
        for (size_t i = 0; i < columns->n && !status; i++) {
            struct column *column = &columns->list[i];
            if (!column->there || column->text)
                continue;
            if (grow && !make_room(column, capacity))
                status = no_memory(columns, error);
            for (size_t row = 0; !status && row < n_rows && !column->text; row++)
                take_number(column, table_cell(table, row, i));
        }
        columns->n_rows += n_rows;
    }
    table_close(table);
    return status == STATUS_END ? STATUS_OK : status;
}

/* ---- texts ---- */

static bool is_boolean(struct slice cell)
{
    return (cell.size == 4 && strncasecmp(cell.data, "true", 4) == 0) ||
           (cell.size == 5 && strncasecmp(cell.data, "false", 5) == 0);
}

static bool take_text(struct column *column, struct slice cell)
{
    if (table_is_missing(cell)) {
        column->n_missing++;
        return true;
    }
    column->boolean = column->boolean && is_boolean(cell);
    return categories_add(&column->categories, cell, 1) == STATUS_OK;
}

static void forget_numbers(struct columns *columns)
{
    for (size_t i = 0; i < columns->n; i++) {
        struct column *column = &columns->list[i];
        if (!column->text)
            continue;
        free(column->values);
        column->values = NULL;
        column->n_values = column->n_missing = 0;
        column->whole = false;
        column->boolean = true;
    }
}

static enum status read_texts(struct columns *columns, struct error *error)
{
    struct table *table;
    size_t n_rows, n_texts = 0;
    for (size_t i = 0; i < columns->n; i++)
        n_texts += columns->list[i].there && columns->list[i].text;
    if (n_texts == 0)
        return STATUS_OK;
    forget_numbers(columns);
    enum status status = columns_table(columns, &table, error);
    if (status)
        return status;
    while (!status && !(status = table_next(table, &n_rows, error))) {
        for (size_t i = 0; i < columns->n && !status; i++) {
            struct column *column = &columns->list[i];
            for (size_t row = 0; column->there && column->text && row < n_rows && !status; row++) {
                if (!take_text(column, table_cell(table, row, i)))
                    status = no_memory(columns, error);
            }
        }
    }
    table_close(table);
    return status == STATUS_END ? STATUS_OK : status;
}

static void put_in_order(struct columns *columns)
{
    for (size_t i = 0; i < columns->n; i++) {
        struct column *column = &columns->list[i];
        column->n_rows = columns->n_rows;
        column->whole = column->whole && column->n_missing == 0 && column->n_values > 0;
        column->boolean = column->boolean && column->n_missing == 0;
        if (column->text)
            categories_sort(&column->categories);
        else
            samples_sort(column->values, column->n_values);
    }
}

/* What is text on one side is text on both; what is on one side only is read there. */
static void agree(struct columns *a, struct columns *b)
{
    for (size_t i = 0; i < a->n; i++) {
        struct column *other = columns_find(b, a->list[i].name);
        if (other && a->list[i].there && other->there)
            a->list[i].text = other->text = a->list[i].text || other->text;
    }
}

enum status columns_read(struct columns *a, struct columns *b, struct error *error)
{
    enum status status = read_numbers(a, error);
    if (!status && b->path)
        status = read_numbers(b, error);
    if (status)
        return status;
    agree(a, b);
    status = read_texts(a, error);
    if (!status)
        status = read_texts(b, error);
    put_in_order(a);
    put_in_order(b);
    return status;
}

void column_clear(struct column *column)
{
    free(column->name);
    free(column->values);
    free(column->upto);
    categories_free(&column->categories);
}

void columns_free(struct columns *columns)
{
    for (size_t i = 0; i < columns->n; i++)
        column_clear(&columns->list[i]);
    if (columns->score)
        column_clear(columns->score);
    free(columns->score);
    free(columns->list);
    free(columns->path);
    if (columns->spool >= 0)
        close(columns->spool);
    *columns = (struct columns){.spool = -1};
}

/* ---- a column's numbers ---- */

bool columns_from_floats(struct column *column, const char *name, const float *values, size_t n,
                         size_t stride)
{
    *column = (struct column){.there = true, .single = true, .n_rows = n};
    column->name = strdup(name);
    column->values = calloc(n + 1, sizeof *column->values);
    if (!column->name || !column->values)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (isnan(values[i * stride]))
            column->n_missing++;
        else
            column->values[column->n_values++] = (double)values[i * stride];
    }
    samples_sort(column->values, column->n_values);
    return true;
}

/* How many numbers the first n values stand for. */
static double numbers_of(const struct column *column, size_t n)
{
    if (!column->upto)
        return (double)n;
    return n ? column->upto[n - 1] - column->before : 0;
}

double column_total(const struct column *column)
{
    return numbers_of(column, column->n_values);
}

double column_not_above(const struct column *column, double limit)
{
    return numbers_of(column, cuts_not_above(column->values, column->n_values, limit));
}

double column_below(const struct column *column, double limit)
{
    return numbers_of(column, cuts_below(column->values, column->n_values, limit));
}

struct column column_finite(const struct column *column)
{
    struct column finite = *column;
    while (finite.n_values > 0 && isinf(finite.values[finite.n_values - 1]))
        finite.n_values--;
    while (finite.n_values > 0 && isinf(finite.values[0])) {
        if (finite.upto)
            finite.before = *finite.upto++;
        finite.values++;
        finite.n_values--;
    }
    return finite;
}

size_t column_quantiles(const struct column *finite, size_t n_bins, double *edges)
{
    size_t n = finite->n_values, n_edges = 0, at = 0;
    double total = column_total(finite);
    if (!finite->upto || n <= n_bins)
        return cuts_quantiles(finite->values, n, n_bins, edges);
    for (size_t k = 1; k < n_bins; k++) {
        double place = floor(((double)k * total - 1) / (double)n_bins); /* of the sorted numbers */
        while (at + 1 < n && numbers_of(finite, at + 1) <= place)
            at++;
        if (at + 1 < n && (n_edges == 0 || finite->values[at] > edges[n_edges - 1]))
            edges[n_edges++] = finite->values[at];
    }
    return n_edges;
}

void column_moments(const struct column *finite, double *mean, double *deviation)
{
    *mean = finite->mean;
    *deviation = finite->deviation;
    if (!finite->upto)
        samples_moments(finite->values, finite->n_values, mean, deviation);
}
