/* `estimate`: how good a model is on rows whose truth is not known yet. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/commands.h"
#include "app/output.h"
#include "engine/base/json.h"
#include "engine/base/number.h"
#include "engine/base/table.h"
#include "engine/stats/cbpe.h"

#define JSON_BYTES ((size_t)1 << 30)

enum { SCORE, PREDICTION, LABEL, N_COLUMNS };

/* One file's columns; NULL where it has none. */
struct rows {
    double *columns[N_COLUMNS];
    size_t n, capacity;
};

static void rows_free(struct rows *rows)
{
    for (int i = 0; i < N_COLUMNS; i++)
        free(rows->columns[i]);
}

static struct cbpe_columns columns_of(const struct rows *rows)
{
    return (struct cbpe_columns){.scores = rows->columns[SCORE],
                                 .predictions = rows->columns[PREDICTION],
                                 .labels = rows->columns[LABEL],
                                 .n = rows->n};
}

/* ---- reading ---- */

static const char *problem_with(int column, double number)
{
    if (isnan(number))
        return NULL; /* missing */
    if (column == SCORE)
        return number >= 0 && number <= 1 ? NULL : "a score is from 0 to 1";
    if (number == 0 || number == 1)
        return NULL;
    return column == LABEL ? "a label is 0 or 1" : "a prediction is 0 or 1";
}

static enum status make_room(struct rows *rows, const int *places, size_t n, struct error *error)
{
    if (rows->n + n <= rows->capacity)
        return STATUS_OK;
    size_t capacity = 2 * (rows->n + n);
    for (int i = 0; i < N_COLUMNS; i++) {
        double *grown =
            places[i] < 0 ? NULL : reallocarray(rows->columns[i], capacity, sizeof *grown);
        if (places[i] >= 0 && !grown)
            return error_set(error, STATUS_MEMORY, "out of memory after %zu rows", rows->n);
        rows->columns[i] = grown;
    }
    rows->capacity = capacity;
    return STATUS_OK;
}

static enum status take_column(const struct table *table, int column, size_t place, size_t n,
                               double *out, struct error *error)
{
    size_t good = table_doubles(table, place, 0, n, out);
    if (good < n)
        return table_not_a_number(table, good, place, error);
    for (size_t i = 0; i < n; i++) {
        const char *problem = problem_with(column, out[i]);
        if (problem)
            return error_set(error, STATUS_INVALID, "%s, line %" PRId64 ", column %s: %s, not %.9g",
                             table_path(table), table_line(table, i),
                             table_column_name(table, place), problem, out[i]);
    }
    return STATUS_OK;
}

static enum status read_blocks(struct table *table, const int *places, struct rows *rows,
                               struct error *error)
{
    size_t n;
    enum status status;
    while ((status = table_next(table, &n, error)) == STATUS_OK) {
        status = make_room(rows, places, n, error);
        for (int i = 0; status == STATUS_OK && i < N_COLUMNS; i++) {
            if (places[i] >= 0)
                status =
                    take_column(table, i, (size_t)places[i], n, rows->columns[i] + rows->n, error);
        }
        if (status != STATUS_OK)
            return status;
        rows->n += n;
    }
    return status == STATUS_END ? STATUS_OK : status;
}

/* Labels may be absent from a file that is estimated on. */
static enum status read_file(const char *path, const char *const names[N_COLUMNS],
                             bool needs_labels, struct rows *rows, struct error *error)
{
    struct table *table;
    int places[N_COLUMNS];
    enum status status = table_open(path, &table, error);
    if (status != STATUS_OK)
        return status;
    for (int i = 0; i < N_COLUMNS; i++) {
        places[i] = -1;
        if (status == STATUS_OK && names[i])
            status = table_find_only(table, names[i], &places[i], error);
        if (status == STATUS_OK && names[i] && places[i] < 0 && (i != LABEL || needs_labels))
            status = error_set(error, STATUS_INVALID, "%s has no column %s", path, names[i]);
    }
    if (status == STATUS_OK)
        status = read_blocks(table, places, rows, error);
    table_close(table);
    if (status == STATUS_OK && rows->n == 0)
        status = error_set(error, STATUS_INVALID, "%s has no rows", path);
    return status;
}

/* ---- printing ---- */

/* Where the chunks go: as JSON, or as lines of a table. */
struct report {
    const struct cbpe *cbpe;
    struct cbpe_options options;
    const struct rows *current;
    bool json;
    struct buffer text;
    struct json_writer writer;
};

static void write_number(struct report *report, const char *name, double number)
{
    if (report->json)
        json_number(&report->writer, name, number);
    else if (isnan(number))
        buffer_printf(&report->text, " %12s", "-");
    else
        buffer_printf(&report->text, " %12.6g", number);
}

static void write_estimate(struct report *report, size_t first, size_t n, enum cbpe_metric metric,
                           const struct cbpe_estimate *estimate)
{
    struct json_writer *writer = &report->writer;
    if (report->json) {
        json_object(writer, NULL);
        json_int(writer, "start", (int64_t)first);
        json_int(writer, "end", (int64_t)(first + n - 1));
        json_int(writer, "n", (int64_t)n);
        json_text(writer, "metric", cbpe_name(metric));
    } else {
        buffer_printf(&report->text, "%9zu %9zu %-17s", first, first + n - 1, cbpe_name(metric));
    }
    write_number(report, "estimated", estimate->estimated);
    write_number(report, "realized", estimate->realized);
    write_number(report, "sampling_error", estimate->sampling_error);
    write_number(report, "lower", estimate->lower);
    write_number(report, "upper", estimate->upper);
    write_number(report, "lower_threshold", estimate->lower_threshold);
    write_number(report, "upper_threshold", estimate->upper_threshold);
    if (report->json) {
        json_bool(writer, "alert", estimate->alert);
        json_object_end(writer);
    } else {
        buffer_append_text(&report->text, estimate->alert ? "  ALERT\n" : "\n");
    }
}

static enum status write_chunks(struct report *report, struct error *error)
{
    struct cbpe_columns columns = columns_of(report->current);
    size_t size = report->options.chunk_size;
    for (size_t first = 0; first < columns.n; first += size) {
        size_t n = columns.n - first < size ? columns.n - first : size;
        for (int i = 0; i < CBPE_COUNT; i++) {
            struct cbpe_estimate estimate;
            if (!report->options.metrics[i])
                continue;
            enum status status = cbpe_estimate(report->cbpe, &columns, first, n,
                                               (enum cbpe_metric)i, &estimate, error);
            if (status != STATUS_OK)
                return status;
            write_estimate(report, first, n, (enum cbpe_metric)i, &estimate);
        }
    }
    return STATUS_OK;
}

static enum status print_report(struct report *report, size_t n_reference, struct error *error)
{
    struct json_writer *writer = &report->writer;
    if (report->json) {
        json_begin(writer, &report->text);
        json_object(writer, NULL);
        json_int(writer, "n_reference", (int64_t)n_reference);
        json_int(writer, "n_current", (int64_t)report->current->n);
        json_bool(writer, "calibrated", cbpe_is_calibrated(report->cbpe));
        json_array(writer, "chunks");
    } else {
        buffer_printf(&report->text,
                      "%zu rows of reference, scores %s\n"
                      "    first      last metric               estimated     realized"
                      "     sampling        lower        upper   lower lim.   upper lim.\n",
                      n_reference, cbpe_is_calibrated(report->cbpe) ? "calibrated" : "as they are");
    }
    enum status status = write_chunks(report, error);
    if (report->json) {
        json_array_end(writer);
        json_object_end(writer);
        buffer_append_char(&report->text, '\n');
    }
    if (status == STATUS_OK && report->text.overflow)
        status = error_set(error, STATUS_MEMORY, "out of memory for the chunks");
    if (status == STATUS_OK)
        status = output_write(stdout, "-", buffer_slice(&report->text), error);
    if (status == STATUS_OK && fflush(stdout) != 0)
        status = error_set(error, STATUS_IO, "stdout: cannot be written: %s", strerror(errno));
    return status;
}

/* ---- the command ---- */

static int choose_metrics(const struct cli_args *args, struct cbpe_options *options)
{
    const char *at = cli_text(args, "metric");
    for (int i = 0; !at && i < CBPE_BUSINESS_VALUE; i++)
        options->metrics[i] = cli_has(args, "pred") || !cbpe_needs_predictions((enum cbpe_metric)i);
    while (at) {
        char name[32];
        size_t size = strcspn(at, ",");
        snprintf(name, sizeof name, "%.*s", (int)(size < 31 ? size : 31), at);
        if (!cbpe_choose(name, options->metrics))
            return cli_usage(args,
                             "--metric %s: there are roc_auc, average_precision, f1, precision, "
                             "recall, specificity, accuracy, confusion_matrix and business_value",
                             name);
        at = at[size] ? at + size + 1 : NULL;
    }
    for (int i = 0; i < CBPE_COUNT; i++) {
        if (options->metrics[i] && cbpe_needs_predictions((enum cbpe_metric)i) &&
            !cli_has(args, "pred"))
            return cli_usage(args, "%s looks at decisions: --pred COL is needed",
                             cbpe_name((enum cbpe_metric)i));
    }
    return EXIT_DONE;
}

/* "TN,FP,FN,TP" */
static int take_values(const struct cli_args *args, struct cbpe_options *options)
{
    const char *at = cli_text(args, "business-value");
    if (options->metrics[CBPE_BUSINESS_VALUE] && !at)
        return cli_usage(args, "business_value needs --business-value TN,FP,FN,TP");
    for (int i = 0; at && i < 4; i++) {
        size_t size = strcspn(at, ",");
        double *value = &options->business_value[i / 2][i % 2];
        if (!number_parse(slice_make(at, size), value) || !isfinite(*value) ||
            (at[size] == ',') != (i < 3))
            return cli_usage(args, "--business-value is four numbers: TN,FP,FN,TP");
        at += size + 1;
    }
    return EXIT_DONE;
}

static int take_options(const struct cli_args *args, struct cbpe_options *options)
{
    if (!cli_text(args, "reference") || !cli_text(args, "current"))
        return cli_usage(args, "--reference FILE and --current FILE are needed");
    if (!cli_text(args, "score") || !cli_text(args, "label"))
        return cli_usage(args, "--score COL and --label COL are needed");
    if (cli_need(args, "chunk-size") != EXIT_DONE)
        return EXIT_FAILED;
    options->chunk_size = (size_t)cli_int(args, "chunk-size");
    options->seed = (uint32_t)cli_int(args, "seed");
    int code = choose_metrics(args, options);
    return code == EXIT_DONE ? take_values(args, options) : code;
}

int command_estimate(const struct cli_args *args)
{
    struct report report = {.json = cli_flag(args, "json")};
    struct rows reference = {0}, current = {0};
    struct cbpe *cbpe = NULL;
    struct error error;
    int code = take_options(args, &report.options);
    if (code != EXIT_DONE)
        return code;
    const char *const names[N_COLUMNS] = {cli_text(args, "score"), cli_text(args, "pred"),
                                          cli_text(args, "label")};
    buffer_init(&report.text, JSON_BYTES);
    enum status status = read_file(cli_text(args, "reference"), names, true, &reference, &error);
    if (status == STATUS_OK)
        status = read_file(cli_text(args, "current"), names, false, &current, &error);
    struct cbpe_columns columns = columns_of(&reference);
    if (status == STATUS_OK)
        status = cbpe_fit(&columns, &report.options, &cbpe, &error);
    if (status == STATUS_OK) {
        report.cbpe = cbpe;
        report.current = &current;
        status = print_report(&report, reference.n, &error);
    }
    cbpe_destroy(cbpe);
    rows_free(&current);
    rows_free(&reference);
    buffer_free(&report.text);
    return status == STATUS_OK ? EXIT_DONE : cli_fail(args, &error);
}
