/* Opens a configuration folder, fills the engine's parts from it, and runs files through it. One
 * thread. */
#include "app/session.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/buffer.h"
#include "engine/reasons.h"
#include "engine/record/ledger.h"

#define BATCH_ARENA_BYTES (64u << 20)
#define AWAIT_MS          200

const char *source_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static enum status add_model(struct session *session, struct engine_parts *parts, const char *name,
                             const char *version, char *path, struct error *error)
{
    if (!path)
        return error_set(error, STATUS_MEMORY, "out of memory");
    session->paths[session->n_paths++] = path;
    parts->models[parts->n_models++] = (struct engine_model){name, version, path};
    return STATUS_OK;
}

static int find_model(const struct config *config, const struct traffic_arm *arm)
{
    for (int i = 0; i < config->n_models; i++) {
        if (strcmp(config->models[i].name, arm->model) == 0 &&
            strcmp(config->models[i].version, arm->version) == 0)
            return i;
    }
    return -1;
}

static enum status configured_models(struct session *session, struct engine_parts *parts,
                                     struct error *error)
{
    const struct config *config = session->config;
    enum status status = STATUS_OK;
    for (int i = 0; i < config->n_models && status == STATUS_OK; i++) {
        const struct config_model *model = &config->models[i];
        status = add_model(session, parts, model->name, model->version,
                           config_path(config, model->file), error);
    }
    for (size_t i = 0; i < config->n_arms && status == STATUS_OK; i++) {
        const struct traffic_arm *arm = &config->arms[i];
        parts->arms[parts->n_arms++] = (struct engine_arm){
            .variant = (enum variant)arm->role,
            .model = find_model(config, arm),
            .share_percent = isnan(arm->share_percent) ? -1 : arm->share_percent,
        };
    }
    return status;
}

/* The model given on the command line scores everything: the configured split is not used. */
static enum status given_model(struct session *session, struct engine_parts *parts,
                               const struct session_options *options, struct error *error)
{
    const char *name = options->model_name ? options->model_name : source_name(options->model_file);
    const char *version = options->model_version ? options->model_version : "file";
    enum status status =
        add_model(session, parts, name, version, strdup(options->model_file), error);
    parts->arms[parts->n_arms++] = (struct engine_arm){VARIANT_CHAMPION, 0, -1};
    if (status != STATUS_OK || !options->canary_file)
        return status;
    parts->arms[parts->n_arms++] = (struct engine_arm){VARIANT_CANARY, 1, 0};
    return add_model(session, parts, name, "canary", strdup(options->canary_file), error);
}

static enum status fill_models(struct session *session, const struct session_options *options,
                               struct engine_parts *parts, struct error *error)
{
    const struct config *config = session->config;
    if (options->features_only)
        return STATUS_OK;
    if (options->model_file)
        return given_model(session, parts, options, error);
    if (config->n_models == 0)
        return error_set(error, STATUS_INVALID,
                         "%s/binnacle.yaml names no models; give one with --model FILE, or train "
                         "one with `binnacle train`",
                         config->folder);
    return configured_models(session, parts, error);
}

static enum status fill_heads(struct session *session, struct engine_parts *parts,
                              struct error *error)
{
    const struct config *config = session->config;
    const struct heads_config *heads = &config->ledger.heads;
    if (heads->file) {
        char *path = config_path(config, heads->file);
        if (!path)
            return error_set(error, STATUS_MEMORY, "out of memory");
        session->paths[session->n_paths++] = path;
        parts->heads_file = path;
    }
    if (!heads->topic && !heads->has_webhook)
        return STATUS_OK;
    enum status status = heads_open(heads, &config->kafka, session->log, &session->heads, error);
    if (status == STATUS_OK)
        parts->head_posts = heads_posts(session->heads, &parts->n_head_posts);
    return status;
}

static enum status fill_ledger(struct session *session, const struct session_options *options,
                               struct engine_parts *parts, struct error *error)
{
    const struct config_ledger *ledger = &session->config->ledger;
    parts->batch_us = strcmp(ledger->durability, "batch") == 0 ? ledger->batch_us : 0;
    parts->queue_rows = ledger->queue_rows;
    parts->checkpoint_rows = ledger->checkpoint_rows;
    parts->checkpoint_us = ledger->checkpoint_us;
    parts->ledger_dir = options->ledger_dir;
    if (options->use_configured_ledger) {
        enum status status = fill_heads(session, parts, error);
        if (status != STATUS_OK)
            return status;
    }
    if (parts->ledger_dir || !options->use_configured_ledger || !ledger->dir)
        return STATUS_OK;
    char *path = config_path(session->config, ledger->dir);
    if (!path)
        return error_set(error, STATUS_MEMORY, "out of memory");
    session->paths[session->n_paths++] = path;
    parts->ledger_dir = path;
    return STATUS_OK;
}

static enum status build(struct session *session, const struct session_options *options,
                         struct error *error)
{
    const struct config *config = session->config;
    struct engine_parts parts = {
        .service = config->service,
        .contract = config->contract,
        .views = config->views,
        .rules = config->rules,
        .n_sources = options->n_sources,
        .clock = session->clock,
        .event_time = options->event_time,
        .log = session->log,
        .source_kind = options->source_kind ? options->source_kind : "file",
        .objectives = config->objectives,
        .drift = config->drift,
        .history = config->history,
        .online_store = options->own_windows ? "embedded" : config->online_store,
        .max_memory_bytes = config->max_memory_mb << 20,
        .interrupted = options->interrupted,
        .context = options->context,
    };
    memcpy(parts.sources, options->sources, sizeof parts.sources);
    enum status status = fill_models(session, options, &parts, error);
    if (status == STATUS_OK)
        status = fill_ledger(session, options, &parts, error);
    if (status == STATUS_OK)
        status = engine_create(&parts, &session->engine, error);
    return status;
}

static enum status name_topic(struct session *session, struct session_options *options,
                              struct error *error)
{
    char *name = NULL;
    if (asprintf(&name, "kafka:%s", session->config->kafka.topic) < 0)
        return error_set(error, STATUS_MEMORY, "out of memory");
    session->paths[session->n_paths++] = name;
    options->sources[options->n_sources++] = name;
    return STATUS_OK;
}

/* Files are scored on their events' own clock, everything else on the wall's. */
static enum status choose_source(struct session *session, struct session_options *options,
                                 struct error *error)
{
    const struct config *config = session->config;
    const char *path = options->input ? options->input : config->source.path;
    bool file = options->input || strcmp(config->source.type, "file") == 0;
    options->source_kind = file ? "file" : config->source.type;
    options->event_time = file;
    if (file && path)
        options->sources[options->n_sources++] = source_name(path);
    return strcmp(options->source_kind, "kafka") == 0 ? name_topic(session, options, error)
                                                      : STATUS_OK;
}

enum status session_open(const struct session_options *given, struct session *session,
                         struct error *error)
{
    struct session_options chosen = *given;
    const struct session_options *options = &chosen;
    enum status status = config_load(options->config_dir, &session->config, error);
    if (status != STATUS_OK)
        return status;
    if (chosen.choose_source)
        status = choose_source(session, &chosen, error);
    if (status != STATUS_OK)
        return status;
    if (!session->log)
        session->log = log_create(STDERR_FILENO, LOG_WARN, false);
    session->clock = options->event_time ? clock_create_event(0) : clock_create_steady();
    if (!session->log || !session->clock)
        return error_set(error, STATUS_MEMORY, "out of memory");
    return build(session, options, error);
}

struct worker_options session_worker_options(const struct session *session)
{
    const char *reasons = session->config->reasons;
    struct worker_options options = {.reasons = DEFAULT_REASONS};
    options.always = reasons && reasons_parse(reasons, &options.reasons);
    return options;
}

enum status session_await_disk(struct session *session, struct interrupt *interrupt,
                               struct error *error)
{
    struct ledger *ledger = engine_ledger(session->engine);
    struct ledger_stats stats;
    enum status status = STATUS_OK;
    while (ledger && (status = ledger_flush(ledger, -1, error)) == STATUS_IO) {
        ledger_stats(ledger, &stats);
        if (stats.health == LEDGER_FAILED || interrupt_wait(interrupt, AWAIT_MS))
            break;
    }
    return status;
}

bool session_await_writing(const struct session *session)
{
    struct ledger *ledger = engine_ledger(session->engine);
    const struct engine_parts *parts = engine_parts(session->engine);
    struct ledger_stats stats = {.health = LEDGER_OK};
    if (ledger)
        ledger_stats(ledger, &stats);
    bool waited = stats.health == LEDGER_RETRYING;
    while (stats.health == LEDGER_RETRYING &&
           !(parts->interrupted && parts->interrupted(parts->context))) {
        (void)interrupt_wait(NULL, AWAIT_MS);
        ledger_stats(ledger, &stats);
    }
    return waited;
}

void session_close(struct session *session)
{
    engine_destroy(session->engine);
    heads_close(session->heads);
    clock_destroy(session->clock);
    log_destroy(session->log);
    config_destroy(session->config);
    for (int i = 0; i < session->n_paths; i++)
        free(session->paths[i]);
    *session = (struct session){0};
}

/* Reads up to a batch of records; *n is 0 at the end of the file. */
static enum status read_batch(struct file_source *file, struct arena *arena, int source,
                              size_t most, struct raw_event *events, size_t *n, struct error *error)
{
    arena_reset(arena);
    enum event_format format = file_source_format(file);
    for (*n = 0; *n < most; (*n)++) {
        struct file_record record;
        enum status status = file_source_next(file, arena, &record, error);
        if (status == STATUS_END || (status == STATUS_FULL && *n > 0))
            return STATUS_OK;
        if (status != STATUS_OK)
            return status;
        events[*n] = (struct raw_event){
            .bytes = record.raw,
            .format = format,
            .position = {.source = source, .offset = record.line},
        };
    }
    return STATUS_OK;
}

static enum status run_batches(const struct session *session, size_t most, struct worker *worker,
                               struct file_source *file, int source, struct interrupt *interrupt,
                               answers_visitor *each, void *context, struct error *error)
{
    struct raw_event *events = calloc(MAX_BATCH, sizeof *events);
    struct answer *answers = calloc(MAX_BATCH, sizeof *answers);
    struct arena *arena = arena_create(BATCH_ARENA_BYTES);
    enum status status = STATUS_OK;
    if (!events || !answers || !arena)
        status = error_set(error, STATUS_MEMORY, "out of memory");
    while (status == STATUS_OK && !interrupt_came(interrupt)) {
        size_t n;
        (void)session_await_writing(session);
        status = read_batch(file, arena, source, most, events, &n, error);
        if (status != STATUS_OK || n == 0)
            break;
        status = worker_process(worker, events, n, answers, error);
        if (status == STATUS_OK)
            status = each(context, worker, answers, n, file, error);
    }
    arena_destroy(arena);
    free(answers);
    free(events);
    return status;
}

enum status session_run_file(struct session *session, struct worker *worker, const char *path,
                             int source, struct interrupt *interrupt, answers_visitor *each,
                             void *context, struct error *error)
{
    struct file_source *file = NULL;
    enum status status = file_source_open(path, FILE_AUTO, &file, error);
    if (status != STATUS_OK)
        return status;
    if (file_source_format(file) == FORMAT_CSV) {
        status = worker_csv_header(worker, file_source_header(file), error);
        if (status != STATUS_OK)
            error_prefix(error, "%s", path);
    }
    int64_t done = engine_position(session->engine, source, 0);
    if (status == STATUS_OK && done > 0)
        status = file_source_resume(file, done, error);
    if (status == STATUS_OK)
        status =
            run_batches(session, session->batch ? session->batch : CACHED_BATCH, worker, file,
                        engine_source(session->engine, source), interrupt, each, context, error);
    file_source_close(file);
    return status;
}
