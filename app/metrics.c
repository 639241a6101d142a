/* `metrics`: scores of a file against their truth. */
#include <inttypes.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/commands.h"
#include "app/metrics_rows.h"
#include "app/output.h"
#include "engine/base/json.h"
#include "engine/stats/classify_json.h"
#include "engine/stats/top_k.h"

#define JSON_BYTES   (64u << 20)
#define COHORT_BYTES (1u << 20)

struct measuring {
    const struct cli_args *args;
    struct classify_options options;
    struct metrics_rows rows;
    size_t k;                    /* 0: precision@k is not asked for */
    struct classify_row *judged; /* room for all rows */
    struct top_k_event *events;
};

struct measured {
    struct classify_result figures;
    struct top_k top;
};

#define ALL_COHORTS SIZE_MAX

static enum status measure(struct measuring *measuring, size_t cohort, struct measured *out,
                           struct error *error)
{
    size_t n = 0;
    for (size_t i = 0; i < measuring->rows.n; i++) {
        const struct metrics_row *row = &measuring->rows.rows[i];
        if (cohort != ALL_COHORTS && row->cohort != cohort)
            continue;
        measuring->judged[n] = row->judged;
        measuring->events[n++] = (struct top_k_event){.entity = row->entity,
                                                      .day = row->day,
                                                      .score = row->judged.score,
                                                      .positive = row->judged.positive};
    }
    enum status status = classify(measuring->judged, n, &measuring->options, &out->figures, error);
    if (status == STATUS_OK && measuring->k)
        status = top_k_precision(measuring->events, n, measuring->k, &out->top, error);
    return status;
}

static struct classify_value top_interval(const struct measuring *measuring,
                                          const struct top_k *top)
{
    double half = classify_deviations(measuring->options.confidence) * top->standard_error;
    if (isnan(half))
        return (struct classify_value){top->precision, half, half};
    return (struct classify_value){top->precision, fmax(top->precision - half, 0),
                                   fmin(top->precision + half, 1)};
}

/* ---- JSON ---- */

static void write_top_k(const struct measuring *measuring, const struct top_k *top,
                        struct json_writer *writer)
{
    if (!measuring->k)
        return;
    struct classify_value value = top_interval(measuring, top);
    json_object(writer, "precision_at_k");
    json_int(writer, "k", (int64_t)measuring->k);
    json_int(writer, "days", (int64_t)top->n_days);
    json_number(writer, "value", top->precision);
    if (isnan(value.low)) {
        json_null(writer, "ci");
    } else {
        json_array(writer, "ci");
        json_number(writer, NULL, value.low);
        json_number(writer, NULL, value.high);
        json_array_end(writer);
    }
    json_object_end(writer);
}

static enum status write_cohorts(struct measuring *measuring, struct json_writer *writer,
                                 struct error *error)
{
    json_object(writer, "by");
    json_text(writer, "column", cli_text(measuring->args, "by"));
    json_array(writer, "cohorts");
    for (size_t i = 0; i < measuring->rows.n_cohorts; i++) {
        struct measured measured;
        enum status status = measure(measuring, i, &measured, error);
        if (status != STATUS_OK)
            return status;
        json_object(writer, NULL);
        json_text(writer, "value", measuring->rows.cohorts[i]);
        classify_json(writer, &measured.figures);
        write_top_k(measuring, &measured.top, writer);
        json_object_end(writer);
    }
    json_array_end(writer);
    json_object_end(writer);
    return STATUS_OK;
}

static enum status print_json(struct measuring *measuring, const struct measured *all,
                              struct error *error)
{
    struct buffer text;
    struct json_writer writer;
    buffer_init(&text, JSON_BYTES);
    json_begin(&writer, &text);
    json_object(&writer, NULL);
    classify_json(&writer, &all->figures);
    classify_methods_json(&writer, !isnan(measuring->options.cost_false_positive));
    json_number(&writer, "confidence", measuring->options.confidence);
    json_number(&writer, "threshold", measuring->options.threshold);
    json_int(&writer, "unlabelled", (int64_t)measuring->rows.n_unlabelled);
    write_top_k(measuring, &all->top, &writer);
    enum status status = STATUS_OK;
    if (cli_text(measuring->args, "by"))
        status = write_cohorts(measuring, &writer, error);
    json_object_end(&writer);
    buffer_append_char(&text, '\n');
    if (status == STATUS_OK && text.overflow)
        status = error_set(error, STATUS_MEMORY, "out of memory for the figures");
    if (status == STATUS_OK)
        status = output_write(stdout, "-", buffer_slice(&text), error);
    buffer_free(&text);
    return status;
}

/* ---- for people ---- */

static void print_value(const char *name, const struct classify_value *figure, const char *method)
{
    if (isnan(figure->value))
        printf("  %-18s no data\n", name);
    else if (isnan(figure->low) || isnan(figure->high))
        printf("  %-18s %.6g\n", name, figure->value);
    else
        printf("  %-18s %-10.6g %.6g to %.6g (%s)\n", name, figure->value, figure->low,
               figure->high, method);
}

static void print_figures(const struct measuring *measuring, const struct measured *measured)
{
    const struct classify_result *figures = &measured->figures;
    printf("%zu rows, %zu positive\n", figures->n, figures->positives);
    for (int i = 0; i < CLASSIFY_COUNT; i++) {
        if (i != CLASSIFY_COST || !isnan(figures->cost_total))
            print_value(classify_name((enum classify_figure)i), &figures->figures[i],
                        classify_interval_name((enum classify_figure)i));
    }
    if (measuring->k) {
        struct classify_value top = top_interval(measuring, &measured->top);
        print_value("precision_at_k", &top, "normal");
    }
}

/* A value comes from a file: no terminal may obey it. */
static void print_cohort(const char *column, const char *value)
{
    struct buffer text;
    buffer_init(&text, COHORT_BYTES);
    (void)json_escape(slice_of(value), &text);
    printf("\n%s = %.*s: ", column, (int)text.size, text.data ? text.data : "");
    buffer_free(&text);
}

static enum status print_text(struct measuring *measuring, const struct measured *all,
                              struct error *error)
{
    print_figures(measuring, all);
    if (measuring->rows.n_unlabelled)
        printf("%zu rows have no label and are left out\n", measuring->rows.n_unlabelled);
    for (size_t i = 0; i < measuring->rows.n_cohorts; i++) {
        struct measured measured;
        enum status status = measure(measuring, i, &measured, error);
        if (status != STATUS_OK)
            return status;
        print_cohort(cli_text(measuring->args, "by"), measuring->rows.cohorts[i]);
        print_figures(measuring, &measured);
    }
    return STATUS_OK;
}

/* ---- the command ---- */

static int take_options(const struct cli_args *args, struct measuring *measuring)
{
    if (!cli_text(args, "score") || !cli_text(args, "label"))
        return cli_usage(args, "--score COL and --label COL are needed");
    if (cli_has(args, "cost-fp") != cli_has(args, "cost-fn"))
        return cli_usage(args, "--cost-fp and --cost-fn are given together");
    if (cli_has(args, "amount") && !cli_has(args, "cost-fn"))
        return cli_usage(args, "--amount is for --cost-fn");
    if (!cli_has(args, "entity") && (cli_has(args, "k") || cli_has(args, "time")))
        return cli_usage(args, "--k and --time are for --entity COL");
    measuring->options = classify_defaults();
    measuring->options.threshold = cli_number(args, "threshold");
    measuring->options.confidence = cli_number(args, "confidence");
    measuring->options.n_bins = (int)cli_int(args, "bins");
    if (cli_has(args, "cost-fp")) {
        measuring->options.cost_false_positive = cli_number(args, "cost-fp");
        measuring->options.cost_false_negative = cli_number(args, "cost-fn");
    }
    measuring->k = cli_has(args, "entity") ? (size_t)cli_int(args, "k") : 0;
    return EXIT_DONE;
}

static enum status run(struct measuring *measuring, struct error *error)
{
    const struct cli_args *args = measuring->args;
    const struct metrics_columns columns = {
        .score = cli_text(args, "score"),
        .label = cli_text(args, "label"),
        .amount = cli_text(args, "amount"),
        .entity = cli_text(args, "entity"),
        .time = cli_text(args, "time"),
        .cohort = cli_text(args, "by"),
    };
    struct measured all;
    enum status status =
        metrics_rows_read(cli_argument(args, 0), &columns, &measuring->rows, error);
    if (status != STATUS_OK)
        return status;
    measuring->judged = calloc(measuring->rows.n + 1, sizeof *measuring->judged);
    measuring->events = calloc(measuring->rows.n + 1, sizeof *measuring->events);
    if (!measuring->judged || !measuring->events)
        return error_set(error, STATUS_MEMORY, "out of memory for %zu rows", measuring->rows.n);
    status = measure(measuring, ALL_COHORTS, &all, error);
    if (status == STATUS_OK)
        status = cli_flag(args, "json") ? print_json(measuring, &all, error)
                                        : print_text(measuring, &all, error);
    if (status == STATUS_OK && fflush(stdout) != 0)
        status = error_set(error, STATUS_IO, "stdout: cannot be written: %s", strerror(errno));
    return status;
}

int command_metrics(const struct cli_args *args)
{
    struct measuring measuring = {.args = args};
    struct error error;
    int code = take_options(args, &measuring);
    if (code != EXIT_DONE)
        return code;
    enum status status = run(&measuring, &error);
    free(measuring.events);
    free(measuring.judged);
    metrics_rows_free(&measuring.rows);
    return status == STATUS_OK ? EXIT_DONE : cli_fail(args, &error);
}
