/* The rows of a CSV file through a model, batch by batch. One thread; memory is bounded by a batch
 * and a block of the table. */
#include "engine/model/predict_file.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/base/number.h"
#include "engine/base/table.h"
#include "engine/base/yaml.h"
#include "engine/model/model_file.h"

#define BATCH_FLOATS ((size_t)1 << 20)
#define BATCH_ROWS   4096

struct predictor {
    const struct model *model;
    const struct predict_options *options;
    struct error *error;
    FILE *out;
    struct table *table;
    int *column; /* of each model feature */
    size_t n_features;
    size_t n_rounds; /* 0: all */
    size_t batch;    /* rows it may hold */
    float *rows, *results;
    int64_t n_written;
};

static void warn(const struct predictor *predictor, const char *format, ...) PRINTF_LIKE(2, 3);

static void warn(const struct predictor *predictor, const char *format, ...)
{
    char message[512];
    va_list arguments;
    if (!predictor->options->warn)
        return;
    va_start(arguments, format);
    (void)vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    predictor->options->warn(predictor->options->context, message);
}

/* ---- columns ---- */

struct header_cell {
    const char *name;
    int column;
};

static int by_name(const void *a, const void *b)
{
    const struct header_cell *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order ? order : (x->column > y->column) - (x->column < y->column);
}

/* The header's names, sorted. */
struct header {
    struct header_cell *cells;
    size_t n;
};

static enum status sort_header(struct predictor *predictor, struct header *header)
{
    header->n = table_n_columns(predictor->table);
    header->cells = calloc(header->n, sizeof *header->cells);
    if (!header->cells)
        return error_set(predictor->error, STATUS_MEMORY, "out of memory");
    for (size_t i = 0; i < header->n; i++)
        header->cells[i] = (struct header_cell){table_column_name(predictor->table, i), (int)i};
    qsort(header->cells, header->n, sizeof *header->cells, by_name);
    return STATUS_OK;
}

/* The place of the first column of that name in the sorted header; header->n: there is none. */
static size_t find_cell(const struct header *header, const char *name)
{
    size_t low = 0, high = header->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(header->cells[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < header->n && strcmp(header->cells[low].name, name) == 0 ? low : header->n;
}

static bool is_named_twice(const struct header *header, size_t cell)
{
    return cell + 1 < header->n &&
           strcmp(header->cells[cell].name, header->cells[cell + 1].name) == 0;
}

static enum status missing_column(struct predictor *predictor, const struct header *header,
                                  const char *name)
{
    const char **names = calloc(header->n, sizeof *names);
    for (size_t i = 0; names && i < header->n; i++)
        names[i] = header->cells[i].name;
    const char *nearest = names ? nearest_word(name, names, header->n) : NULL;
    error_set(predictor->error, STATUS_INVALID,
              "the header has no column \"%.100s\", which the model wants%s%.100s%s", name,
              nearest ? "; the nearest is \"" : "", nearest ? nearest : "", nearest ? "\"" : "");
    free(names);
    return STATUS_INVALID;
}

static enum status match_by_position(struct predictor *predictor)
{
    size_t n_columns = table_n_columns(predictor->table);
    if (n_columns < predictor->n_features)
        return error_set(predictor->error, STATUS_INVALID,
                         "the header has %zu columns, the model wants %zu", n_columns,
                         predictor->n_features);
    for (size_t i = 0; i < predictor->n_features; i++)
        predictor->column[i] = (int)i;
    if (n_columns > predictor->n_features)
        warn(predictor,
             "columns are taken by position: the first %zu of %zu, because the model's feature "
             "names are not in the header",
             predictor->n_features, n_columns);
    else
        warn(predictor, "columns are taken by position, because the model's feature names are not "
                        "in the header");
    return STATUS_OK;
}

static enum status match_by_name(struct predictor *predictor, const struct header *header,
                                 const char *const *names)
{
    size_t n_found = 0, missing = 0;
    for (size_t i = predictor->n_features; i-- > 0;) {
        size_t cell = find_cell(header, names[i]);
        if (cell == header->n) {
            missing = i;
            continue;
        }
        if (is_named_twice(header, cell))
            return error_set(predictor->error, STATUS_INVALID,
                             "two columns are named \"%.100s\": which one is meant cannot be known",
                             names[i]);
        predictor->column[i] = header->cells[cell].column;
        n_found++;
    }
    if (n_found == predictor->n_features)
        return STATUS_OK;
    return n_found ? missing_column(predictor, header, names[missing])
                   : match_by_position(predictor);
}

static enum status match_columns(struct predictor *predictor)
{
    const char *const *names = model_feature_names(predictor->model);
    if (!names)
        return match_by_position(predictor);
    struct header header = {0};
    enum status status = sort_header(predictor, &header);
    if (!status)
        status = match_by_name(predictor, &header, names);
    free(header.cells);
    return status;
}

/* ---- rows ---- */

/* Rows from `first` on of the table's block, at most `n`, into predictor->rows. */
static enum status take_rows(struct predictor *predictor, size_t first, size_t n)
{
    for (size_t i = 0; i < predictor->n_features; i++) {
        size_t column = (size_t)predictor->column[i];
        size_t done = table_floats(predictor->table, column, first, n, predictor->rows + i,
                                   predictor->n_features);
        if (done < n)
            return table_not_a_number(predictor->table, first + done, column, predictor->error);
    }
    return STATUS_OK;
}

/* ---- results ---- */

static void write_number(struct predictor *predictor, float number, char after)
{
    char text[NUMBER_TEXT_SIZE] = "nan";
    size_t size = 3;
    if (isfinite(number))
        size = float_format(number, text);
    else if (isinf(number))
        size = (size_t)snprintf(text, sizeof text, number > 0 ? "inf" : "-inf");
    text[size] = after;
    (void)fwrite(text, 1, size + 1, predictor->out);
}

static enum status write_batch(struct predictor *predictor, size_t n)
{
    const struct predict_options *options = predictor->options;
    size_t width = predictor->n_features;
    enum status status;
    if (options->contribs)
        status = model_contribs_rounds(predictor->model, predictor->n_rounds, predictor->rows, n,
                                       width, predictor->results, predictor->error);
    else
        status =
            model_predict_rounds(predictor->model, predictor->n_rounds, predictor->rows, n, width,
                                 options->margin ? predictor->results : NULL,
                                 options->margin ? NULL : predictor->results, predictor->error);
    if (status)
        return status;
    size_t per_row = options->contribs ? width + 1 : 1;
    for (size_t i = 0; i < n * per_row; i++)
        write_number(predictor, predictor->results[i], (i + 1) % per_row ? ',' : '\n');
    predictor->n_written += (int64_t)n;
    if (options->progress)
        options->progress(options->context, table_position(predictor->table),
                          table_size(predictor->table));
    if (ferror(predictor->out))
        return error_set(predictor->error, STATUS_IO, "the output cannot be written: %s",
                         strerror(errno));
    return STATUS_OK;
}

/* A CSV cell, quoted where it must be. */
static void write_name(FILE *out, const char *name)
{
    if (!strpbrk(name, ",\"\r\n")) {
        (void)fputs(name, out);
        return;
    }
    (void)fputc('"', out);
    for (; *name; name++) {
        if (*name == '"')
            (void)fputc('"', out);
        (void)fputc(*name, out);
    }
    (void)fputc('"', out);
}

static void write_header(struct predictor *predictor)
{
    const char *const *names = model_feature_names(predictor->model);
    for (size_t i = 0; i < predictor->n_features; i++) {
        if (names)
            write_name(predictor->out, names[i]);
        else
            (void)fprintf(predictor->out, "f%zu", i);
        (void)fputc(',', predictor->out);
    }
    (void)fputs("bias\n", predictor->out);
}

/* ---- the whole ---- */

static enum status choose_rounds(struct predictor *predictor)
{
    int64_t best = model_best_iteration(predictor->model);
    if (!predictor->options->best_iteration)
        return STATUS_OK;
    if (best < 0)
        return error_set(predictor->error, STATUS_INVALID,
                         "the model has no best iteration: it was not saved after early stopping");
    predictor->n_rounds = (size_t)best + 1;
    return STATUS_OK;
}

static enum status allocate(struct predictor *predictor)
{
    size_t width = predictor->n_features + 1;
    predictor->batch = BATCH_FLOATS / width;
    if (predictor->batch > BATCH_ROWS)
        predictor->batch = BATCH_ROWS;
    predictor->column = calloc(width, sizeof *predictor->column);
    predictor->rows = malloc(predictor->batch * width * sizeof(float));
    predictor->results = malloc(predictor->batch * width * sizeof(float));
    if (!predictor->column || !predictor->rows || !predictor->results)
        return error_set(predictor->error, STATUS_MEMORY, "out of memory");
    return STATUS_OK;
}

/* One block of the table, batch by batch. */
static enum status predict_block(struct predictor *predictor, size_t n_rows)
{
    enum status status = STATUS_OK;
    for (size_t first = 0; !status && first < n_rows; first += predictor->batch) {
        size_t left = n_rows - first, n = left < predictor->batch ? left : predictor->batch;
        status = take_rows(predictor, first, n);
        if (!status)
            status = write_batch(predictor, n);
    }
    return status;
}

static enum status run(struct predictor *predictor)
{
    enum status status = match_columns(predictor);
    if (status)
        return error_prefix(predictor->error, "%s", table_path(predictor->table));
    if (predictor->options->contribs)
        write_header(predictor);
    size_t n_rows;
    while (!(status = table_next(predictor->table, &n_rows, predictor->error)))
        if ((status = predict_block(predictor, n_rows)))
            return status;
    if (status != STATUS_END)
        return status;
    return fflush(predictor->out) ? error_set(predictor->error, STATUS_IO,
                                              "the output cannot be written: %s", strerror(errno))
                                  : STATUS_OK;
}

enum status predict_file(const struct model *model, const char *path, FILE *out,
                         const struct predict_options *options, int64_t *n_rows,
                         struct error *error)
{
    struct predictor predictor = {.model = model,
                                  .options = options,
                                  .error = error,
                                  .out = out,
                                  .n_features = model_n_features(model)};
    enum status status = choose_rounds(&predictor);
    if (!status)
        status = allocate(&predictor);
    if (!status)
        status = table_open(path, &predictor.table, error);
    if (!status)
        status = run(&predictor);
    if (n_rows)
        *n_rows = predictor.n_written;
    table_close(predictor.table);
    free(predictor.column);
    free(predictor.rows);
    free(predictor.results);
    return status;
}
