/* `score` and `replay`: files through the same path as live events. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/commands.h"
#include "app/interrupt.h"
#include "app/pace.h"
#include "app/progress.h"
#include "app/session.h"
#include "engine/base/json.h"
#include "engine/base/crypto.h"
#include "engine/reasons.h"
#include "engine/record/ledger.h"

#define OUTPUT_BYTES (256u << 20)

/* ---- score ---- */

struct score_run {
    struct session *session;
    struct buffer out;
};

static enum status print_answers(void *context, struct worker *worker, const struct answer *answers,
                                 size_t n, const struct file_source *file, struct error *error)
{
    (void)file;
    struct score_run *run = context;
    enum status status = worker_wait(worker, error);
    if (status == STATUS_IO)
        status = session_await_disk(run->session, NULL, error);
    if (status != STATUS_OK)
        return status;
    buffer_reset(&run->out);
    for (size_t i = 0; i < n; i++) {
        answer_json(worker, &answers[i], &run->out);
        buffer_append_char(&run->out, '\n');
    }
    if (fwrite(run->out.data, 1, run->out.size, stdout) != run->out.size)
        return error_set(error, STATUS_IO, "stdout: cannot be written: %s", strerror(errno));
    return STATUS_OK;
}

static enum status score_files(const struct cli_args *args, struct session *session, int reasons,
                               struct error *error)
{
    struct worker_options options = {.reasons = reasons, .always = true, .wait_for_room = true};
    struct worker *worker = NULL;
    struct score_run run = {.session = session};
    buffer_init(&run.out, OUTPUT_BYTES);
    enum status status = worker_create(session->engine, &options, &worker, error);
    for (int i = 0; i < cli_n_arguments(args) && status == STATUS_OK; i++)
        status = session_run_file(session, worker, cli_argument(args, i), -1, NULL, print_answers,
                                  &run, error);
    worker_destroy(worker);
    buffer_free(&run.out);
    return status;
}

int command_score(const struct cli_args *args)
{
    if (cli_need(args, "config") != EXIT_DONE)
        return EXIT_FAILED;
    int reasons = 0;
    const char *wanted = cli_text(args, "reasons");
    if (!reasons_parse(wanted, &reasons))
        return cli_usage(args, "--reasons is a number or 'all', not '%s'", wanted);
    struct session_options options = {
        .config_dir = cli_text(args, "config"),
        .model_file = cli_text(args, "model"),
        .ledger_dir = cli_text(args, "ledger"),
    };
    struct session session = {0};
    struct error error;
    enum status status = session_open(&options, &session, &error);
    if (status == STATUS_OK)
        status = score_files(args, &session, reasons, &error);
    if (status == STATUS_OK && fflush(stdout) != 0)
        status = error_set(&error, STATUS_IO, "stdout: cannot be written: %s", strerror(errno));
    session_close(&session);
    return status == STATUS_OK ? EXIT_DONE : cli_fail(args, &error);
}

/* ---- replay ---- */

struct replay_run {
    struct session *session;
    struct progress progress;
    struct pace *pace;
    struct interrupt *interrupt;
    int64_t events, accepted, quarantined, duplicates;
    int64_t decisions[DECISION_COUNT];
};

static enum status count_answers(void *context, struct worker *worker, const struct answer *answers,
                                 size_t n, const struct file_source *file, struct error *error)
{
    (void)worker;
    (void)error;
    struct replay_run *run = context;
    for (size_t i = 0; i < n; i++) {
        run->events++;
        if (answers[i].kind == ANSWER_DECIDED) {
            run->accepted++;
            run->decisions[answers[i].outcome->decision]++;
        } else if (answers[i].kind == ANSWER_DUPLICATE) {
            run->duplicates++;
        } else {
            run->quarantined++;
        }
    }
    int64_t size = file_source_size(file);
    double ratio = size > 0 ? (double)file_source_position(file) / (double)size : -1;
    progress_update(&run->progress, ratio, run->events);
    pace_keep(run->pace, run->session->clock, run->interrupt);
    return STATUS_OK;
}

static void print_summary(const struct replay_run *run, double seconds)
{
    struct ledger_stats stats;
    ledger_stats(engine_ledger(run->session->engine), &stats);
    struct buffer out;
    buffer_init(&out, 1u << 16);
    struct json_writer json;
    json_begin(&json, &out);
    json_object(&json, NULL);
    json_int(&json, "events", run->events);
    json_int(&json, "accepted", run->accepted);
    json_int(&json, "quarantined", run->quarantined);
    json_int(&json, "duplicates", run->duplicates);
    json_object(&json, "decisions");
    for (int i = 0; i < DECISION_COUNT; i++)
        json_int(&json, decision_name((enum decision)i), run->decisions[i]);
    json_object_end(&json);
    json_number(&json, "seconds", seconds);
    json_number(&json, "events_per_s", seconds > 0 ? (double)run->events / seconds : 0);
    json_int(&json, "tree_size", (int64_t)stats.tree_size);
    json_hex(&json, "root", stats.root, SHA256_SIZE);
    json_object_end(&json);
    printf(SLICE_FORMAT "\n", SLICE_ARGS(buffer_slice(&out)));
    buffer_free(&out);
}

static enum status replay_files(const struct cli_args *args, struct replay_run *run,
                                struct error *error)
{
    struct worker_options options = session_worker_options(run->session);
    options.wait_for_room = true;
    struct worker *worker = NULL;
    enum status status = worker_create(run->session->engine, &options, &worker, error);
    for (int i = 0; i < cli_n_arguments(args) && status == STATUS_OK; i++)
        status = session_run_file(run->session, worker, cli_argument(args, i), i, run->interrupt,
                                  count_answers, run, error);
    if (status == STATUS_OK || status == STATUS_END)
        status = session_await_disk(run->session, run->interrupt, error);
    worker_destroy(worker);
    return status;
}

static int check_replay(const struct cli_args *args, struct pace *pace)
{
    if (!cli_text(args, "config") || !cli_text(args, "ledger"))
        return cli_usage(args, "--config DIR and --ledger DIR are needed");
    if (cli_n_arguments(args) > MAX_SOURCES)
        return cli_usage(args, "at most %d files at once", MAX_SOURCES);
    if (!pace_parse(cli_text(args, "speed"), pace))
        return cli_usage(args, "--speed is 'max' or a factor above 0, not '%s'",
                         cli_text(args, "speed"));
    return EXIT_DONE;
}

static bool is_interrupted(void *context)
{
    return interrupt_came(context);
}

int command_replay(const struct cli_args *args)
{
    struct pace pace;
    int code = check_replay(args, &pace);
    if (code != EXIT_DONE)
        return code;
    struct session_options options = {
        .config_dir = cli_text(args, "config"),
        .model_file = cli_text(args, "model"),
        .ledger_dir = cli_text(args, "ledger"),
        .event_time = true,
        .n_sources = cli_n_arguments(args),
    };
    for (int i = 0; i < options.n_sources; i++)
        options.sources[i] = source_name(cli_argument(args, i));
    struct session session = {0};
    struct replay_run run = {.session = &session, .pace = &pace};
    struct error error;
    enum status status = interrupt_create(&run.interrupt, &error);
    options.interrupted = is_interrupted;
    options.context = run.interrupt;
    if (status == STATUS_OK)
        status = session_open(&options, &session, &error);
    progress_begin(&run.progress, "replay", "events");
    int64_t started_ns = monotonic_ns();
    if (status == STATUS_OK)
        status = replay_files(args, &run, &error);
    progress_end(&run.progress);
    if (status == STATUS_OK)
        print_summary(&run, (double)(monotonic_ns() - started_ns) / 1e9);
    session_close(&session);
    interrupt_destroy(run.interrupt);
    return status == STATUS_OK ? EXIT_DONE : cli_fail(args, &error);
}
