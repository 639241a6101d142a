/* CSV tables in blocks: the bytes of a block are scanned for the ends of cells once, then columns
 * are read out of it while it is still in the processor's cache. A record that lies across the end
 * of a block is moved to the front of the next, together with the ends already found. Memory is
 * bounded by a block and the longest record. */
#include "engine/base/table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/input.h"
#include "engine/base/number.h"
#include "engine/base/number_short.h"
#include "engine/base/table_scan.h"

#define FIRST_CAPACITY ((size_t)256 << 10)

struct table {
    struct input *input;
    char *path;
    struct table_scan scan; /* of the block; all its text is the table's */
    size_t capacity;        /* bytes of text; as many ends and rows */
    size_t begin;           /* where the next record begins */
    size_t cell;            /* the end of its first cell in scan.ends */
    int64_t line;           /* of the block's first byte */
    uint32_t *rows;         /* of each row of the block its first cell */
    size_t n_columns, n_rows;
    char **names;
    char *name_text;
};

/* ---- the block ---- */

static enum status no_memory(const struct table *table, struct error *error)
{
    return error_set(error, STATUS_MEMORY, "%s: out of memory", table->path);
}

static enum status grow(struct table *table, size_t capacity, struct error *error)
{
    char *text = realloc(table->scan.text, capacity + TABLE_SCAN_MARGIN);
    if (text)
        table->scan.text = text;
    uint32_t *ends = realloc(table->scan.ends, (capacity + 1) * sizeof *ends);
    if (ends)
        table->scan.ends = ends;
    uint32_t *rows = realloc(table->rows, (capacity + 1) * sizeof *rows);
    if (rows)
        table->rows = rows;
    if (!text || !ends || !rows)
        return no_memory(table, error);
    table->capacity = capacity;
    memset(table->scan.text + table->scan.size, 0, capacity + TABLE_SCAN_MARGIN - table->scan.size);
    return STATUS_OK;
}

static int64_t count_lines(const char *text, size_t size)
{
    int64_t n = 0;
    const char *end = text + size;
    while ((text = memchr(text, '\n', (size_t)(end - text)))) {
        n++;
        text++;
    }
    return n;
}

/* Moves the unfinished record to the front. */
static void drop_rows(struct table *table)
{
    struct table_scan *scan = &table->scan;
    size_t gone = table->begin;
    table->line += count_lines(scan->text, gone);
    scan->size -= gone;
    memmove(scan->text, scan->text + gone, scan->size);
    scan->from -= gone;
    scan->n_ends -= table->cell;
    for (size_t i = 0; i < scan->n_ends; i++)
        scan->ends[i] = scan->ends[table->cell + i] - (uint32_t)gone;
    table->begin = table->cell = table->n_rows = 0;
}

static void skip_byte_order_mark(struct table *table)
{
    struct table_scan *scan = &table->scan;
    if (scan->size >= 3 && memcmp(scan->text, "\xef\xbb\xbf", 3) == 0) {
        scan->size -= 3;
        memmove(scan->text, scan->text + 3, scan->size);
    }
}

/* Whether the last line has its break. */
static bool ends_with_break(const struct table_scan *scan)
{
    if (scan->from < scan->size)
        return false;
    return scan->n_ends == 0 || scan->text[scan->ends[scan->n_ends - 1]] == '\n';
}

/* Fills the block and finds the cells in it. */
static enum status refill(struct table *table, bool first, struct error *error)
{
    struct table_scan *scan = &table->scan;
    enum status status = STATUS_OK;
    if (!first)
        drop_rows(table);
    if (!first && scan->size > table->capacity / 2) {
        if (table->capacity >= 2 * TABLE_MAX_RECORD)
            return error_set(error, STATUS_INVALID, "%s: line %lld is longer than %zu MiB",
                             table->path, (long long)table->line, TABLE_MAX_RECORD >> 20);
        status = grow(table, 2 * table->capacity, error);
    }
    while (!status && !scan->last && scan->size < table->capacity) {
        size_t got = 0;
        status = input_read(table->input, scan->text + scan->size, table->capacity - scan->size,
                            &got, error);
        scan->size += got;
        scan->last = got == 0;
    }
    if (status)
        return status;
    if (first)
        skip_byte_order_mark(table);
    table_scan(scan);
    if (scan->last && !scan->open_quote && !scan->after_quote && !ends_with_break(scan)) {
        scan->ends[scan->n_ends++] = (uint32_t)scan->size;
        scan->text[scan->size++] = '\n'; /* into the margin at most */
        scan->from = scan->size;
    }
    return STATUS_OK;
}

/* ---- records ---- */

static size_t cell_begin(const struct table *table, size_t cell)
{
    return cell == 0 ? 0 : (size_t)table->scan.ends[cell - 1] + 1;
}

static int64_t line_at(const struct table *table, size_t place)
{
    return table->line + count_lines(table->scan.text, place);
}

static bool is_blank(const struct table *table, size_t cell)
{
    size_t begin = cell_begin(table, cell), end = table->scan.ends[cell];
    return table->scan.text[end] == '\n' &&
           slice_trim(slice_make(table->scan.text + begin, end - begin)).size == 0;
}

/* The record whose first cell is at table->cell has not n_columns cells. */
static enum status wrong_width(struct table *table, struct error *error)
{
    const struct table_scan *scan = &table->scan;
    size_t n = 0, cell = table->cell;
    while (cell + n < scan->n_ends && scan->text[scan->ends[cell + n]] == ',')
        n++;
    return error_set(error, STATUS_INVALID, "%s: line %lld has %zu cells, the header %zu",
                     table->path, (long long)line_at(table, table->begin), n + 1, table->n_columns);
}

static enum status quote_fault(const struct table *table, struct error *error)
{
    return error_set(error, STATUS_INVALID, "%s: line %lld: %s", table->path,
                     (long long)line_at(table, table->scan.from),
                     table->scan.open_quote ? "a quote is left open"
                                            : "a cell goes on behind its closing quote");
}

/* Whether the n_columns cells from table->cell on are a record. */
static bool is_record(const struct table *table)
{
    const char *text = table->scan.text;
    const uint32_t *ends = table->scan.ends + table->cell;
    size_t last = table->n_columns - 1;
    unsigned breaks = 0;
    for (size_t i = 0; i < last; i++)
        breaks |= text[ends[i]] != ',';
    return !breaks && text[ends[last]] == '\n';
}

/* Collects the whole records of the block. */
static enum status take_rows(struct table *table, struct error *error)
{
    struct table_scan *scan = &table->scan;
    table->n_rows = 0;
    while (table->cell < scan->n_ends) {
        bool blank = table->n_columns > 1 && is_blank(table, table->cell);
        if (!blank && table->cell + table->n_columns > scan->n_ends)
            break;
        if (!blank && !is_record(table))
            return wrong_width(table, error);
        if (!blank)
            table->rows[table->n_rows++] = (uint32_t)table->cell;
        table->cell += blank ? 1 : table->n_columns;
        table->begin = (size_t)scan->ends[table->cell - 1] + 1;
    }
    return STATUS_OK;
}

enum status table_next(struct table *table, size_t *n_rows, struct error *error)
{
    *n_rows = 0;
    for (;;) {
        enum status status = take_rows(table, error);
        *n_rows = table->n_rows;
        if (status || table->n_rows > 0)
            return status;
        const struct table_scan *scan = &table->scan;
        if (scan->after_quote || (scan->open_quote && scan->last))
            return quote_fault(table, error);
        if (scan->last)
            return table->cell < scan->n_ends ? wrong_width(table, error) : STATUS_END;
        status = refill(table, false, error);
        if (status)
            return status;
    }
}

/* ---- the header ---- */

static struct slice cell_text(const struct table *table, size_t cell)
{
    const char *text = table->scan.text;
    size_t begin = cell_begin(table, cell), end = table->scan.ends[cell];
    if (end > begin && text[end] == '\n' && text[end - 1] == '\r')
        end--;
    if (end > begin && text[begin] == '"') {
        while (text[end - 1] != '"')
            end--;
        begin++;
        end--;
    }
    return slice_make(text + begin, end - begin);
}

static enum status keep_names(struct table *table, size_t first, struct error *error)
{
    size_t size = 0, used = 0;
    for (size_t i = 0; i < table->n_columns; i++)
        size += cell_text(table, first + i).size + 1;
    table->name_text = malloc(size);
    table->names = calloc(table->n_columns, sizeof *table->names);
    if (!table->name_text || !table->names)
        return no_memory(table, error);
    for (size_t i = 0; i < table->n_columns; i++) {
        struct slice name = slice_trim(cell_text(table, first + i));
        table->names[i] = table->name_text + used;
        if (name.size)
            memcpy(table->names[i], name.data, name.size);
        table->names[i][name.size] = '\0';
        used += name.size + 1;
    }
    return STATUS_OK;
}

/* The cells of the first line that is not empty. */
static enum status read_header(struct table *table, struct error *error)
{
    struct table_scan *scan = &table->scan;
    enum status status = refill(table, true, error);
    while (!status) {
        while (table->cell < scan->n_ends && is_blank(table, table->cell))
            table->begin = (size_t)scan->ends[table->cell++] + 1;
        size_t end = table->cell;
        while (end < scan->n_ends && scan->text[scan->ends[end]] == ',')
            end++;
        if (end < scan->n_ends) {
            size_t first = table->cell;
            table->n_columns = end + 1 - first;
            table->cell = end + 1;
            table->begin = (size_t)scan->ends[end] + 1;
            if (table->n_columns > TABLE_MAX_COLUMNS)
                return error_set(error, STATUS_INVALID, "%s: %zu columns are more than %d",
                                 table->path, table->n_columns, TABLE_MAX_COLUMNS);
            return keep_names(table, first, error);
        }
        if (scan->after_quote || (scan->open_quote && scan->last))
            return quote_fault(table, error);
        if (scan->last)
            return error_set(error, STATUS_INVALID, "%s: the file is empty: a header is needed",
                             table->path);
        status = refill(table, false, error);
    }
    return status;
}

enum status table_open(const char *path, struct table **table, struct error *error)
{
    return table_open_as(path, path, table, error);
}

enum status table_open_as(const char *path, const char *name, struct table **table,
                          struct error *error)
{
    *table = NULL;
    struct table *opened = calloc(1, sizeof *opened);
    if (!opened)
        return error_set(error, STATUS_MEMORY, "%s: out of memory", path);
    opened->line = 1;
    opened->path = strdup(name);
    enum status status = opened->path ? grow(opened, FIRST_CAPACITY, error)
                                      : error_set(error, STATUS_MEMORY, "%s: out of memory", name);
    if (!status)
        status = input_open_as(path, name, TABLE_MAX_RECORD, &opened->input, error);
    if (!status)
        status = read_header(opened, error);
    if (status)
        table_close(opened);
    else
        *table = opened;
    return status;
}

void table_close(struct table *table)
{
    if (!table)
        return;
    input_close(table->input);
    free(table->scan.text);
    free(table->scan.ends);
    free(table->rows);
    free((void *)table->names);
    free(table->name_text);
    free(table->path);
    free(table);
}

const char *table_path(const struct table *table)
{
    return table->path;
}

size_t table_n_columns(const struct table *table)
{
    return table->n_columns;
}

const char *table_column_name(const struct table *table, size_t column)
{
    return table->names[column];
}

int table_find(const struct table *table, const char *name)
{
    for (size_t i = 0; i < table->n_columns; i++) {
        if (strcmp(table->names[i], name) == 0)
            return (int)i;
    }
    return -1;
}

enum status table_find_only(const struct table *table, const char *name, int *column,
                            struct error *error)
{
    *column = table_find(table, name);
    for (size_t i = (size_t)*column + 1; *column >= 0 && i < table->n_columns; i++) {
        if (strcmp(table->names[i], name) == 0)
            return error_set(error, STATUS_INVALID, "%s: two columns are named \"%.100s\"",
                             table->path, name);
    }
    return STATUS_OK;
}

/* ---- cells ---- */

struct slice table_cell(const struct table *table, size_t row, size_t column)
{
    return cell_text(table, table->rows[row] + column);
}

int64_t table_line(const struct table *table, size_t row)
{
    return line_at(table, cell_begin(table, table->rows[row]));
}

bool table_is_missing(struct slice trimmed)
{
    static const char *const words[] = {
        "NA",   "N/A",  "n/a",  "nan", "NaN",      "-nan",   "-NaN",    "null",    "NULL",
        "None", "<NA>", "#N/A", "#NA", "#N/A N/A", "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN"};
    if (trimmed.size == 0 || trimmed.size > 8)
        return trimmed.size == 0;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (slice_is(trimmed, words[i]))
            return true;
    }
    return false;
}

/* Trimmed, without a call where there is nothing to trim. */
static inline struct slice number_text(const struct table *table, size_t row, size_t column)
{
    struct slice cell = table_cell(table, row, column);
    if (cell.size > 0 && cell.data[0] > ' ' && cell.data[cell.size - 1] > ' ')
        return cell;
    return slice_trim(cell);
}

typedef bool number_reader(const char *text, size_t size, double *out);

/* How many cells from `first` on are a few digits as they stand, as most are. The margin behind the
 * text is there to be read. */
static inline __attribute__((always_inline)) size_t short_numbers(const struct table *table,
                                                                  size_t column, size_t first,
                                                                  size_t n, double *out,
                                                                  number_reader *read)
{
    for (size_t i = 0; i < n; i++) {
        size_t cell = table->rows[first + i] + column, begin = cell_begin(table, cell);
        if (!read(table->scan.text + begin, table->scan.ends[cell] - begin, &out[i]))
            return i;
    }
    return n;
}

#ifdef __x86_64__
__attribute__((target("avx2"))) static size_t
short_numbers_avx2(const struct table *table, size_t column, size_t first, size_t n, double *out)
{
    return short_numbers(table, column, first, n, out, number_short_avx2);
}
#endif

static size_t short_numbers_plain(const struct table *table, size_t column, size_t first, size_t n,
                                  double *out)
{
    return short_numbers(table, column, first, n, out, number_short);
}

size_t table_doubles(const struct table *table, size_t column, size_t first, size_t n, double *out)
{
    size_t (*quickly)(const struct table *, size_t, size_t, size_t, double *) = short_numbers_plain;
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx2"))
        quickly = short_numbers_avx2;
#endif
    for (size_t i = 0; i < n; i++) {
        i += quickly(table, column, first + i, n - i, out + i);
        if (i == n)
            break;
        struct slice cell = number_text(table, first + i, column);
        if (number_parse(cell, &out[i]))
            continue;
        if (!table_is_missing(cell))
            return i;
        out[i] = NAN;
    }
    return n;
}

size_t table_floats(const struct table *table, size_t column, size_t first, size_t n, float *out,
                    size_t stride)
{
    for (size_t i = 0; i < n; i++) {
        struct slice cell = number_text(table, first + i, column);
        if (float_parse(cell, &out[i * stride]))
            continue;
        if (!table_is_missing(cell))
            return i;
        out[i * stride] = NAN;
    }
    return n;
}

enum status table_not_a_number(const struct table *table, size_t row, size_t column,
                               struct error *error)
{
    struct slice cell = slice_trim(table_cell(table, row, column));
    return error_set(error, STATUS_INVALID,
                     "%s: line %lld, column %zu: \"" SLICE_FORMAT "\" is not a number", table->path,
                     (long long)table_line(table, row), column + 1,
                     cell.size > 40 ? 40 : (int)cell.size, cell.data);
}

int64_t table_position(const struct table *table)
{
    return input_position(table->input);
}

int64_t table_size(const struct table *table)
{
    return input_size(table->input);
}
