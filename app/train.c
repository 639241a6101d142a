/* `train` and `features`: events through contract and windows, without a model. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "app/commands.h"
#include "app/dataset.h"
#include "app/output.h"
#include "app/progress.h"
#include "app/session.h"
#include "engine/base/hash.h"
#include "engine/base/json.h"
#include "engine/base/number.h"

#define OUTPUT_BYTES (256u << 20)

static void show_progress(struct progress *progress, const struct file_source *file, int64_t events)
{
    int64_t size = file_source_size(file);
    progress_update(progress, size > 0 ? (double)file_source_position(file) / (double)size : -1,
                    events);
}

static enum status open_features(const struct cli_args *args, struct session *session,
                                 struct worker **worker, struct error *error)
{
    struct session_options options = {
        .config_dir = cli_text(args, "config"), .event_time = true, .features_only = true};
    struct worker_options worker_options = {.wait_for_room = true};
    enum status status = session_open(&options, session, error);
    if (status == STATUS_OK)
        status = worker_create(session->engine, &worker_options, worker, error);
    return status;
}

/* ---- features ---- */

struct features_run {
    struct output output;
    const char *name; /* of the output */
    struct buffer out;
    struct progress progress;
    int64_t events, quarantined;
};

/* RFC 4180: quoted when it must be. */
static void append_cell(struct buffer *out, struct slice text)
{
    if (!memchr(text.data, ',', text.size) && !memchr(text.data, '"', text.size) &&
        !memchr(text.data, '\n', text.size)) {
        buffer_append_slice(out, text);
        return;
    }
    buffer_append_char(out, '"');
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '"')
            buffer_append_char(out, '"');
        buffer_append_char(out, text.data[i]);
    }
    buffer_append_char(out, '"');
}

static void append_header(const struct feature_schema *schema, struct buffer *out)
{
    buffer_append_text(out, "event_id");
    for (size_t i = 0; i < schema->n_features; i++) {
        buffer_append_char(out, ',');
        append_cell(out, slice_of(schema->names[i]));
    }
    buffer_append_char(out, '\n');
}

static void append_row(const struct answer *answer, struct buffer *out)
{
    const struct value *id = &answer->event->values[answer->event->schema->id];
    if (id->type == VALUE_STRING)
        append_cell(out, id->string);
    else
        buffer_printf(out, "%.17g", id->number);
    const struct feature_vector *features = &answer->outcome->features;
    for (size_t i = 0; i < features->schema->n_features; i++) {
        buffer_append_char(out, ',');
        if (!isnan(features->values[i]))
            buffer_printf(out, "%.9g", (double)features->values[i]);
    }
    buffer_append_char(out, '\n');
}

static enum status print_features(void *context, struct worker *worker,
                                  const struct answer *answers, size_t n,
                                  const struct file_source *file, struct error *error)
{
    (void)worker;
    struct features_run *run = context;
    buffer_reset(&run->out);
    for (size_t i = 0; i < n; i++) {
        if (answers[i].kind == ANSWER_DECIDED)
            append_row(&answers[i], &run->out);
        else
            run->quarantined++;
    }
    run->events += (int64_t)n;
    show_progress(&run->progress, file, run->events);
    return output_write(run->output.file, run->name, buffer_slice(&run->out), error);
}

static enum status write_features(const struct cli_args *args, struct session *session,
                                  struct worker *worker, struct features_run *run,
                                  struct error *error)
{
    run->name = cli_text(args, "output");
    enum status status = output_open(run->name, &run->output, error);
    if (status != STATUS_OK)
        return status;
    append_header(feature_views_schema(session->config->views), &run->out);
    status = output_write(run->output.file, run->name, buffer_slice(&run->out), error);
    for (int i = 0; i < cli_n_arguments(args) && status == STATUS_OK; i++)
        status = session_run_file(session, worker, cli_argument(args, i), -1, NULL, print_features,
                                  run, error);
    if (status == STATUS_OK)
        status = output_commit(&run->output, error);
    return status;
}

int command_features(const struct cli_args *args)
{
    if (cli_need(args, "config") != EXIT_DONE)
        return EXIT_FAILED;
    struct session session = {0};
    struct worker *worker = NULL;
    struct features_run run = {0};
    struct error error;
    buffer_init(&run.out, OUTPUT_BYTES);
    progress_begin(&run.progress, "features", "events");
    enum status status = open_features(args, &session, &worker, &error);
    if (status == STATUS_OK)
        status = write_features(args, &session, worker, &run, &error);
    progress_end(&run.progress);
    if (status == STATUS_OK && run.quarantined > 0)
        fprintf(stderr,
                "binnacle features: %lld of %lld %s broke the contract and %s left "
                "out; `binnacle contract check` says why\n",
                (long long)run.quarantined, (long long)run.events,
                number_noun((uint64_t)run.events, "event", "events"),
                number_noun((uint64_t)run.quarantined, "is", "are"));
    output_discard(&run.output);
    buffer_free(&run.out);
    worker_destroy(worker);
    session_close(&session);
    return status == STATUS_OK ? EXIT_DONE : cli_fail(args, &error);
}

/* ---- train ---- */

struct train_run {
    const struct schema *schema;
    int label; /* field */
    int64_t train_from_us, train_to_us, test_from_us, test_to_us;
    struct dataset train, between, test;
    struct progress progress;
    int64_t events, unlabelled;
};

/* -1: null or not a label. */
static int label_of(const struct value *value)
{
    if (value->type == VALUE_NUMBER && (value->number == 0 || value->number == 1))
        return (int)value->number;
    if (value->type == VALUE_BOOL)
        return value->boolean;
    return -1;
}

static uint64_t entity_of(const struct train_run *run, const struct event *event)
{
    int field = run->schema->entity < 0 ? run->schema->id : run->schema->entity;
    const struct value *value = &event->values[field];
    if (value->type == VALUE_STRING)
        return hash64(value->string.data, value->string.size, 0);
    return hash64(&value->number, sizeof value->number, 0);
}

static struct dataset *dataset_for(struct train_run *run, int64_t time_us)
{
    if (time_us >= run->train_from_us && time_us < run->train_to_us)
        return &run->train;
    if (time_us >= run->test_from_us && time_us < run->test_to_us)
        return &run->test;
    if (time_us >= run->train_to_us && time_us < run->test_from_us)
        return &run->between;
    return NULL;
}

static enum status collect(void *context, struct worker *worker, const struct answer *answers,
                           size_t n, const struct file_source *file, struct error *error)
{
    (void)worker;
    struct train_run *run = context;
    for (size_t i = 0; i < n; i++) {
        if (answers[i].kind != ANSWER_DECIDED)
            continue;
        const struct event *event = answers[i].event;
        struct dataset *dataset = dataset_for(run, event->time_us);
        int label = label_of(&event->values[run->label]);
        if (!dataset || label < 0) {
            run->unlabelled += dataset != NULL;
            continue;
        }
        enum status status = dataset_add(dataset, answers[i].outcome->features.values, label,
                                         event->time_us, entity_of(run, event), error);
        if (status != STATUS_OK)
            return status;
    }
    run->events += (int64_t)n;
    show_progress(&run->progress, file, run->events);
    return STATUS_OK;
}

static int read_ranges(const struct cli_args *args, struct train_run *run)
{
    run->train_from_us = cli_has(args, "train-from") ? cli_time_us(args, "train-from") : INT64_MIN;
    run->train_to_us = cli_has(args, "train-to") ? cli_time_us(args, "train-to") : INT64_MAX;
    run->test_from_us = cli_has(args, "test-from") ? cli_time_us(args, "test-from") : INT64_MAX;
    run->test_to_us = cli_has(args, "test-to") ? cli_time_us(args, "test-to") : INT64_MAX;
    if (run->train_from_us >= run->train_to_us)
        return cli_usage(args, "--train-from must be before --train-to");
    if (cli_has(args, "test-from") && run->test_from_us < run->train_to_us)
        return cli_usage(args, "--test-from must not be before --train-to: the model would be "
                               "tested on what it has seen");
    return EXIT_DONE;
}

static enum status find_label(const struct cli_args *args, const struct schema *schema,
                              struct train_run *run, struct error *error)
{
    run->schema = schema;
    run->label =
        cli_has(args, "label") ? schema_find(schema, cli_text(args, "label")) : schema->label;
    if (run->label < 0)
        return error_set(error, STATUS_INVALID,
                         "the contract %s has no label field%s%s; give one with --label",
                         schema->name, cli_has(args, "label") ? " " : "",
                         cli_has(args, "label") ? cli_text(args, "label") : "");
    return STATUS_OK;
}

static enum status read_data(const struct cli_args *args, struct session *session,
                             struct worker *worker, struct train_run *run, struct error *error)
{
    enum status status = STATUS_OK;
    if (cli_has(args, "data"))
        status = session_run_file(session, worker, cli_text(args, "data"), -1, NULL, collect, run,
                                  error);
    for (int i = 0; i < cli_n_arguments(args) && status == STATUS_OK; i++)
        status =
            session_run_file(session, worker, cli_argument(args, i), -1, NULL, collect, run, error);
    return status;
}

static void print_result(const struct cli_args *args, const struct train_run *run,
                         const struct test_result *result)
{
    if (!cli_flag(args, "json")) {
        printf("trained on %zu %s\n", run->train.n, number_noun(run->train.n, "row", "rows"));
        if (cli_has(args, "test-from"))
            printf("tested on %zu %s, %zu positive: AUC %.3f  AP %.3f  CP@%lld %.3f\n", result->n,
                   number_noun(result->n, "row", "rows"), result->n_positives, result->auc,
                   result->average_precision, (long long)cli_int(args, "top"),
                   result->card_precision);
        return;
    }
    struct buffer out;
    struct json_writer json;
    buffer_init(&out, 1u << 16);
    json_begin(&json, &out);
    json_object(&json, NULL);
    json_int(&json, "trained_on", (int64_t)run->train.n);
    json_int(&json, "n", (int64_t)result->n);
    json_int(&json, "positives", (int64_t)result->n_positives);
    json_number(&json, "auc", result->auc);
    json_number(&json, "average_precision", result->average_precision);
    json_int(&json, "top", cli_int(args, "top"));
    json_number(&json, "card_precision", result->card_precision);
    json_object_end(&json);
    printf(SLICE_FORMAT "\n", SLICE_ARGS(buffer_slice(&out)));
    buffer_free(&out);
}

static enum status test_model(const struct cli_args *args, struct train_run *run,
                              struct test_result *result, struct error *error)
{
    *result = (struct test_result){0, 0, (double)NAN, (double)NAN, (double)NAN};
    if (!cli_has(args, "test-from"))
        return STATUS_OK;
    struct model *model;
    enum status status = model_load(cli_text(args, "output"), "trained", "1", &model, error);
    if (status != STATUS_OK)
        return status;
    status =
        dataset_test(&run->train, &run->between, &run->test, run->test_from_us - run->train_to_us,
                     (size_t)cli_int(args, "top"), model, result, error);
    model_release(model);
    return status;
}

static enum status train_on(const struct cli_args *args, struct session *session,
                            struct worker *worker, struct train_run *run,
                            struct test_result *result, struct error *error)
{
    const struct feature_schema *schema = feature_views_schema(session->config->views);
    dataset_init(&run->train, schema);
    dataset_init(&run->between, schema);
    dataset_init(&run->test, schema);
    struct train_options options;
    train_defaults(&options);
    enum status status = train_options_read(session->config->train, &options, error);
    if (status == STATUS_OK)
        status = find_label(args, contract_schema(session->config->contract), run, error);
    if (status == STATUS_OK)
        status = read_data(args, session, worker, run, error);
    progress_end(&run->progress);
    if (status == STATUS_OK && run->train.n == 0)
        status = error_set(error, STATUS_INVALID,
                           "no labelled event is in the training range (%lld events read)",
                           (long long)run->events);
    if (status == STATUS_OK)
        status = dataset_train(&run->train, session->config->views, &options,
                               cli_text(args, "output"), error);
    if (status == STATUS_OK)
        status = test_model(args, run, result, error);
    return status;
}

int command_train(const struct cli_args *args)
{
    if (!cli_text(args, "config") || !cli_text(args, "output"))
        return cli_usage(args, "--config DIR and -o MODEL are needed");
    if (!cli_has(args, "data") && cli_n_arguments(args) == 0)
        return cli_usage(args, "--data FILE is needed");
    struct train_run run = {0};
    int code = read_ranges(args, &run);
    if (code != EXIT_DONE)
        return code;
    struct session session = {0};
    struct worker *worker = NULL;
    struct test_result result;
    struct error error;
    progress_begin(&run.progress, "features", "events");
    enum status status = open_features(args, &session, &worker, &error);
    if (status == STATUS_OK)
        status = train_on(args, &session, worker, &run, &result, &error);
    if (status == STATUS_OK)
        print_result(args, &run, &result);
    dataset_free(&run.test);
    dataset_free(&run.between);
    dataset_free(&run.train);
    worker_destroy(worker);
    session_close(&session);
    return status == STATUS_OK ? EXIT_DONE : cli_fail(args, &error);
}
