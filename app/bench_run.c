/* Measures for `bench`: batches through a worker with its stages timed and decoding and checking
 * alone; bench_scores.c has scores and contributions alone. Everything is written into one
 * temporary folder. Stages are timed by what the thread used of a processor, so that what else runs
 * on the machine weighs little. One thread beside the ledger's own. */
#include "app/bench.h"

#include <errno.h>
#include <ftw.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/bench_events.h"
#include "app/bench_scores.h"
#include "app/dataset.h"
#include "app/demo.h"
#include "app/session.h"
#include "engine/base/clock.h"

#define RUNS          5
#define MODEL_ROUNDS  100
#define MODEL_DEPTH   6
#define TRAINING_ROWS ((size_t)16 * MAX_BATCH)
#define OPEN_FOLDERS  16

struct bench {
    const struct bench_options *options;
    struct bench_figures *figures;
    char folder[512], config[640], ledger[640], model[640];
    const char *model_file; /* NULL: as configured */
    struct bench_events *events;
    struct session session;
    struct worker *worker, *explaining; /* the second with all reasons of every decision */
    struct answer *answers;
    float *rows; /* served vectors, n_rows of them, to score alone */
    size_t n_rows;
};

static enum status interrupted(const struct bench *bench, struct error *error)
{
    return bench_interrupted(bench->options->interrupt, error);
}

/* ---- the temporary folder ---- */

static enum status make_folder(const char *path, struct error *error)
{
    if (mkdir(path, 0700) != 0)
        return error_set(error, STATUS_IO, "%s: cannot be made: %s", path, strerror(errno));
    return STATUS_OK;
}

static enum status make_folders(struct bench *bench, struct error *error)
{
    const char *parent = getenv("TMPDIR");
    snprintf(bench->folder, sizeof bench->folder, "%s/binnacle-bench-XXXXXX",
             parent && parent[0] == '/' && strlen(parent) < 400 ? parent : "/tmp");
    if (!mkdtemp(bench->folder)) {
        enum status failed =
            error_set(error, STATUS_IO, "%s: cannot be made: %s", bench->folder, strerror(errno));
        bench->folder[0] = '\0';
        return failed;
    }
    snprintf(bench->config, sizeof bench->config, "%s/config", bench->folder);
    snprintf(bench->ledger, sizeof bench->ledger, "%s/ledger", bench->folder);
    snprintf(bench->model, sizeof bench->model, "%s/model.json", bench->folder);
    enum status status = make_folder(bench->config, error);
    if (status == STATUS_OK)
        status = make_folder(bench->ledger, error);
    return status;
}

static int remove_one(const char *path, const struct stat *facts, int kind, struct FTW *place)
{
    (void)facts;
    (void)kind;
    (void)place;
    return remove(path);
}

static void remove_folders(const struct bench *bench)
{
    if (bench->folder[0] && nftw(bench->folder, remove_one, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS))
        fprintf(stderr, "binnacle bench: %s: cannot be removed: %s\n", bench->folder,
                strerror(errno));
}

/* ---- a model, where none is given ---- */

static enum status learn(struct bench *bench, struct dataset *dataset, struct error *error)
{
    enum status status = STATUS_OK;
    while (dataset->n < TRAINING_ROWS && status == STATUS_OK) {
        size_t before = dataset->n;
        status = bench_events_fill(bench->events, MAX_BATCH, error);
        size_t n = bench_events_count(bench->events);
        if (status == STATUS_OK)
            status = worker_process(bench->worker, bench_events_at(bench->events, 0), n,
                                    bench->answers, error);
        for (size_t i = 0; i < n && status == STATUS_OK; i++) {
            int label = bench_events_label(bench->events, i);
            if (bench->answers[i].kind == ANSWER_DECIDED && label >= 0)
                status = dataset_add(dataset, bench->answers[i].outcome->features.values, label,
                                     bench->answers[i].event->time_us, 0, error);
        }
        if (status == STATUS_OK && dataset->n == before)
            status = bench_events_refused(bench->events, bench->answers, n, error);
        if (status == STATUS_OK)
            status = interrupted(bench, error);
    }
    return status;
}

static enum status train(struct bench *bench, struct error *error)
{
    struct worker_options worker = {.wait_for_room = true};
    struct dataset dataset;
    struct train_options parameters;
    dataset_init(&dataset, feature_views_schema(bench->session.config->views));
    train_defaults(&parameters);
    enum status status = worker_create(bench->session.engine, &worker, &bench->worker, error);
    if (status == STATUS_OK)
        status = learn(bench, &dataset, error);
    if (status == STATUS_OK)
        status = train_options_read(bench->session.config->train, &parameters, error);
    parameters.rounds = MODEL_ROUNDS;
    parameters.max_depth = MODEL_DEPTH;
    if (status == STATUS_OK)
        status =
            dataset_train(&dataset, bench->session.config->views, &parameters, bench->model, error);
    if (status == STATUS_OK)
        bench->model_file = bench->model;
    worker_destroy(bench->worker);
    bench->worker = NULL;
    dataset_free(&dataset);
    return status;
}

static enum status choose_model(struct bench *bench, struct session_options *options,
                                struct error *error)
{
    options->features_only = true;
    enum status status = session_open(options, &bench->session, error);
    bool has_model =
        bench->model_file || (bench->session.config && bench->session.config->n_models > 0);
    if (status == STATUS_OK && !has_model)
        status = bench->options->input
                     ? error_set(error, STATUS_INVALID,
                                 "%s/binnacle.yaml names no models; give one with --model FILE",
                                 options->config_dir)
                     : train(bench, error);
    session_close(&bench->session);
    options->features_only = false;
    options->model_file = bench->model_file;
    return status;
}

/* ---- the stages ---- */

struct sample {
    double stage_ns[STAGE_COUNT], writer_ns, per_s;
};

struct runs {
    struct sample plain[RUNS], explained[RUNS];
    int n_explained;
};

/* The rows of the first accepted events, for scores alone. */
static void keep_rows(struct bench *bench, size_t n)
{
    for (size_t i = 0; i < n && bench->n_rows < MAX_BATCH; i++) {
        if (bench->answers[i].kind != ANSWER_DECIDED)
            continue;
        const struct feature_vector *vector = &bench->answers[i].outcome->features;
        memcpy(bench->rows + bench->n_rows++ * vector->schema->n_features, vector->values,
               vector->schema->n_features * sizeof(float));
    }
}

static enum status run_batches(struct bench *bench, int64_t *n_accepted, struct error *error)
{
    size_t n_events = bench_events_count(bench->events);
    enum status status = STATUS_OK;
    for (size_t first = 0; first < n_events && status == STATUS_OK; first += CACHED_BATCH) {
        size_t n = n_events - first < CACHED_BATCH ? n_events - first : CACHED_BATCH;
        status = worker_process(bench->worker, bench_events_at(bench->events, first), n,
                                bench->answers, error);
        for (size_t i = 0; i < n && status == STATUS_OK; i++)
            *n_accepted += bench->answers[i].kind == ANSWER_DECIDED;
        if (status == STATUS_OK && bench->n_rows < MAX_BATCH)
            keep_rows(bench, n);
        if (status == STATUS_OK && *n_accepted == 0)
            status = bench_events_refused(bench->events, bench->answers, n, error);
        if (status == STATUS_OK)
            status = interrupted(bench, error);
    }
    return status == STATUS_OK ? worker_wait(bench->worker, error) : status;
}

static enum status run_once(struct bench *bench, struct sample *sample, int64_t *n_accepted,
                            struct error *error)
{
    struct pipeline_profile profile = {{0}};
    worker_profile(bench->worker, &profile);
    int64_t began_ns = monotonic_ns();
    int64_t others_ns = process_cpu_ns() - thread_cpu_ns();
    enum status status = run_batches(bench, n_accepted, error);
    double n = (double)bench_events_count(bench->events);
    others_ns = process_cpu_ns() - thread_cpu_ns() - others_ns;
    sample->per_s = n * 1e9 / (double)(monotonic_ns() - began_ns);
    sample->writer_ns = (double)others_ns / n;
    for (int i = 0; i < STAGE_COUNT; i++)
        sample->stage_ns[i] = (double)profile.ns[i] / n;
    worker_profile(bench->worker, NULL);
    return status;
}

/* Runs of fresh events, explained ones beside the others so that both see the same machine. Only
 * whole runs count; a file may hold fewer than five. */
static enum status run_pairs(struct bench *bench, struct runs *runs, struct error *error)
{
    struct bench_figures *figures = bench->figures;
    struct worker *plain = bench->worker;
    int64_t n_explained = 0;
    enum status status = STATUS_OK;
    for (int run = 0; run < 2 * RUNS && status == STATUS_OK; run++) {
        bool explained = run % 2;
        status = bench_events_fill(bench->events, bench->options->n_events, error);
        if (status != STATUS_OK || bench_events_count(bench->events) < figures->n_events)
            break;
        bench->worker = explained ? bench->explaining : plain;
        status = explained ? run_once(bench, &runs->explained[run / 2], &n_explained, error)
                           : run_once(bench, &runs->plain[run / 2], &figures->n_accepted, error);
        bench->worker = plain;
        runs->n_explained += explained;
        figures->n_runs += !explained;
    }
    return status;
}

/* The first run, of the events at hand, warms up. */
static enum status run_all(struct bench *bench, struct runs *runs, struct error *error)
{
    struct bench_figures *figures = bench->figures;
    int64_t n_warm = 0;
    enum status status = run_once(bench, &runs->plain[0], &n_warm, error);
    figures->n_events = bench_events_count(bench->events);
    if (status == STATUS_OK)
        status = run_pairs(bench, runs, error);
    if (status == STATUS_OK &&
        figures->n_runs == 0) { /* the file holds no more: the first counts */
        figures->n_runs = 1;
        figures->n_accepted = n_warm;
    }
    figures->n_answered = (int64_t)figures->n_events * figures->n_runs;
    return status;
}

static double total_ns(const struct sample *sample)
{
    double total = sample->writer_ns;
    for (int stage = 0; stage < STAGE_COUNT; stage++)
        total += sample->stage_ns[stage];
    return total;
}

static void take_explained(const struct runs *runs, struct bench_figures *figures)
{
    double values[RUNS];
    size_t n = (size_t)runs->n_explained;
    figures->explained_ns = figures->explained_durable_per_s = NAN;
    if (n == 0)
        return;
    for (size_t i = 0; i < n; i++)
        values[i] = total_ns(&runs->explained[i]);
    figures->explained_ns = bench_median(values, n);
    for (size_t i = 0; i < n; i++)
        values[i] = runs->explained[i].per_s;
    figures->explained_durable_per_s = bench_median(values, n);
}

static void take_medians(const struct sample *samples, struct bench_figures *figures)
{
    double values[RUNS];
    size_t n = (size_t)figures->n_runs;
    figures->total_ns = 0;
    for (int stage = 0; stage < STAGE_COUNT; stage++) {
        for (size_t i = 0; i < n; i++)
            values[i] = samples[i].stage_ns[stage];
        figures->stage_ns[stage] = bench_median(values, n);
        figures->total_ns += figures->stage_ns[stage];
    }
    for (size_t i = 0; i < n; i++)
        values[i] = samples[i].writer_ns;
    figures->writer_ns = bench_median(values, n);
    figures->total_ns += figures->writer_ns;
    for (size_t i = 0; i < n; i++)
        values[i] = samples[i].per_s;
    figures->durable_per_s = bench_median(values, n);
}

/* ---- the model ---- */

/* The model that the champion's traffic gets. */
static enum status look_at_model(struct bench *bench, struct error *error)
{
    const struct engine_parts *parts = engine_parts(bench->session.engine);
    const struct engine_model *champion = &parts->models[0];
    for (int i = 0; i < parts->n_arms; i++) {
        if (parts->arms[i].variant == VARIANT_CHAMPION)
            champion = &parts->models[parts->arms[i].model];
    }
    struct model *model = NULL;
    enum status status =
        model_load(champion->path, champion->name, champion->version, &model, error);
    if (status == STATUS_OK) {
        struct bench_figures *figures = bench->figures;
        snprintf(figures->model, sizeof figures->model, "%s",
                 bench->model_file == bench->model ? "trained in place" : champion->name);
        snprintf(figures->kernel, sizeof figures->kernel, "%s", model_kernel(model));
        figures->n_trees = model_n_trees(model);
        figures->n_features = model_n_features(model);
        struct bench_rows rows = {
            .schema = feature_views_schema(bench->session.config->views),
            .rows = bench->rows,
            .n_rows = bench->n_rows,
            .interrupt = bench->options->interrupt,
        };
        status = bench_scores(model, &rows, figures, error);
    }
    model_release(model);
    return status;
}

/* ---- all of it ---- */

static enum status measure(struct bench *bench, struct error *error)
{
    struct worker_options worker = {.reasons = 3, .wait_for_room = true};
    struct worker_options all = {.reasons = -1, .always = true, .wait_for_room = true};
    struct runs runs = {0};
    struct bench_figures *figures = bench->figures;
    size_t width = feature_views_schema(bench->session.config->views)->n_features;
    bench->rows = calloc(MAX_BATCH * width, sizeof *bench->rows);
    if (!bench->rows)
        return error_set(error, STATUS_MEMORY, "out of memory");
    enum status status = worker_create(bench->session.engine, &worker, &bench->worker, error);
    if (status == STATUS_OK)
        status = worker_create(bench->session.engine, &all, &bench->explaining, error);
    if (status == STATUS_OK)
        status = bench_events_prepare(bench->events, bench->worker, error);
    if (status == STATUS_OK)
        status = bench_events_fill(bench->events, bench->options->n_events, error);
    if (status == STATUS_OK && bench_events_count(bench->events) == 0)
        status = bench_events_refused(bench->events, bench->answers, 0, error);
    if (status == STATUS_OK)
        status = bench_events_time(bench->events, bench->session.config->contract,
                                   &figures->parse_ns, &figures->contract_ns, error);
    if (status == STATUS_OK)
        status = run_all(bench, &runs, error);
    if (status != STATUS_OK)
        return status;
    take_medians(runs.plain, figures);
    take_explained(&runs, figures);
    return look_at_model(bench, error);
}

static enum status open_and_measure(struct bench *bench, struct error *error)
{
    struct session_options options = {
        .config_dir = bench->options->config_dir ? bench->options->config_dir : bench->config,
        .event_time = true,
        .own_windows = true,
    };
    bench->model_file = bench->options->model_file;
    enum status status = STATUS_OK;
    if (!bench->options->config_dir)
        status = demo_write_config(bench->config, error);
    if (status == STATUS_OK)
        status = choose_model(bench, &options, error);
    options.ledger_dir = bench->ledger;
    if (status == STATUS_OK)
        status = session_open(&options, &bench->session, error);
    if (status == STATUS_OK)
        status = measure(bench, error);
    return status;
}

enum status bench_run(const struct bench_options *options, struct bench_figures *figures,
                      struct error *error)
{
    struct bench bench = {.options = options, .figures = figures};
    *figures = (struct bench_figures){.one_row_ns = NAN};
    bench.answers = calloc(MAX_BATCH, sizeof *bench.answers);
    enum status status = STATUS_OK;
    if (!bench.answers)
        status = error_set(error, STATUS_MEMORY, "out of memory");
    if (status == STATUS_OK)
        status = bench_events_create(options->input, options->n_events, &bench.events, error);
    if (status == STATUS_OK)
        status = make_folders(&bench, error);
    if (status == STATUS_OK)
        status = open_and_measure(&bench, error);
    worker_destroy(bench.explaining);
    worker_destroy(bench.worker);
    session_close(&bench.session);
    bench_events_destroy(bench.events);
    free(bench.rows);
    free(bench.answers);
    remove_folders(&bench);
    return status;
}
