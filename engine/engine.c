/* Builds a service out of its parts and takes it down again. Which thread: the one that starts the
 * program; the readers below are for any. */
#include "engine/engine.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/json.h"
#include "engine/checkpoint.h"
#include "engine/monitor/monitor.h"
#include "engine/shadow.h"

#define LABEL_ARENA_BYTES (4u << 20)

static void find_personal_fields(struct engine *engine)
{
    for (size_t i = 0; i < engine->schema->n_fields; i++) {
        if (engine->schema->fields[i].pii)
            engine->pii_fields[engine->n_pii_fields++] = (int)i;
    }
}

/* A model that was trained on scaled features says so itself. */
static enum status read_scaling(struct engine *engine, int i, struct error *error)
{
    const char *text = model_attribute(engine->models[i], SCALING_ATTRIBUTE);
    return feature_scaling_read(engine->features, slice_of(text), &engine->scalings[i], error);
}

static enum status load_models(struct engine *engine, struct error *error)
{
    for (int i = 0; i < engine->parts.n_models; i++) {
        const struct engine_model *model = &engine->parts.models[i];
        enum status status =
            model_load(model->path, model->name, model->version, &engine->models[i], error);
        if (status == STATUS_OK)
            status = scorer_create(engine->models[i], engine->features, &engine->scorers[i], error);
        if (status == STATUS_OK)
            status = read_scaling(engine, i, error);
        if (status != STATUS_OK) {
            error_prefix(error, "cannot use the model %s (version \"%s\")", model->name,
                         model->version);
            return status;
        }
    }
    return STATUS_OK;
}

static enum status put_traffic(struct engine *engine, const struct engine_arm *arms, int n_arms,
                               struct error *error)
{
    struct traffic_arm made[TRAFFIC_MAX_ARMS] = {0};
    if (n_arms > TRAFFIC_MAX_ARMS)
        return error_set(error, STATUS_INVALID, "at most %d arms share the traffic",
                         TRAFFIC_MAX_ARMS);
    for (int i = 0; i < n_arms; i++) {
        const struct engine_model *model = &engine->parts.models[arms[i].model];
        made[i].role = (enum traffic_role)arms[i].variant;
        snprintf(made[i].model, sizeof made[i].model, "%s", model->name);
        snprintf(made[i].version, sizeof made[i].version, "%s", model->version);
        made[i].share_percent = arms[i].share_percent < 0 ? (double)NAN : arms[i].share_percent;
        made[i].handle = engine->scorers[arms[i].model];
    }
    return traffic_set(engine->traffic, made, (size_t)n_arms, error);
}

static enum status open_ledger(struct engine *engine, struct error *error)
{
    struct engine_parts *parts = &engine->parts;
    if (!parts->ledger_dir)
        return STATUS_OK;
    struct ledger_options options = {
        .dir = parts->ledger_dir,
        .clock = parts->clock,
        .log = parts->log,
        .queue_rows = (size_t)parts->queue_rows,
        .heads_file = parts->heads_file,
        .batch_us = parts->batch_us,
        .interrupted = parts->interrupted,
        .context = parts->context,
        .group_ms = parts->batch_us / 2000, /* half of it to gather, half of it to write */
        .head_posts = parts->head_posts,
        .n_head_posts = parts->n_head_posts,
    };
    enum status status = ledger_open(&options, &engine->ledger, error);
    if (status == STATUS_OK)
        status = ledger_use_features(engine->ledger, engine->features, error);
    for (int i = 0; i < parts->n_sources && status == STATUS_OK; i++)
        status = ledger_source(engine->ledger, parts->sources[i], &engine->ledger_sources[i]);
    if (status == STATUS_OK)
        status = reader_open(parts->ledger_dir, &engine->reader, error);
    if (status == STATUS_OK)
        status = reader_open(parts->ledger_dir, &engine->repeats, error);
    if (status == STATUS_OK)
        engine->pseudonyms = ledger_pseudonyms(engine->ledger);
    return status;
}

static enum status open_windows(struct engine *engine, struct error *error)
{
    const struct engine_parts *parts = &engine->parts;
    struct feature_store_options options = {
        .max_bytes = (size_t)parts->max_memory_bytes,
        .online_store = parts->online_store,
        .log = parts->log,
    };
    enum status status = feature_store_create(parts->views, &options, &engine->store, error);
    if (status == STATUS_OK)
        status = feature_scratch_create(engine->store, &engine->scratch, error);
    int64_t span_us = contract_unique_within_us(parts->contract);
    if (status == STATUS_OK && span_us > 0) {
        struct unique_options unique = {.span_us = span_us};
        status = unique_create(&unique, &engine->unique, error);
    }
    return status;
}

static enum status prepare_labels(struct engine *engine, struct error *error)
{
    lock_init(&engine->reader_lock, "engine.reader");
    lock_init(&engine->repeats_lock, "engine.repeats");
    engine->arena = arena_create(LABEL_ARENA_BYTES);
    if (!engine->arena)
        return error_set(error, STATUS_MEMORY, "out of memory");
    return decoder_create(engine->schema, true, &engine->decoder, error);
}

/* The model of the first arm that is a champion; traffic_set() has seen to it that there is one. */
static int champion_of(const struct engine_arm *arms, int n_arms)
{
    for (int i = 0; i < n_arms; i++) {
        if (arms[i].variant == VARIANT_CHAMPION)
            return arms[i].model;
    }
    return 0;
}

static enum status build(struct engine *engine, struct error *error)
{
    const struct engine_parts *parts = &engine->parts;
    enum status status = load_models(engine, error);
    if (status == STATUS_OK)
        status = traffic_create(MAX_WORKERS, NULL, &engine->traffic, error);
    if (status == STATUS_OK && parts->n_models > 0)
        status = put_traffic(engine, parts->arms, parts->n_arms, error);
    if (status == STATUS_OK)
        status = prepare_labels(engine, error);
    if (status == STATUS_OK)
        status = open_windows(engine, error);
    if (status == STATUS_OK)
        status = engine_observe_create(engine, error);
    atomic_store(&engine->champion, champion_of(parts->arms, parts->n_arms));
    if (status == STATUS_OK && parts->n_models > 0)
        status = engine_use_reference(engine, champion_of(parts->arms, parts->n_arms), error);
    if (status == STATUS_OK)
        status = shadow_create(engine, &engine->shadow, error);
    if (status == STATUS_OK)
        status = open_ledger(engine, error);
    if (status == STATUS_OK)
        status = engine_history_create(engine, error);
    if (status == STATUS_OK && engine->ledger)
        status = engine_recover(engine, error);
    if (status == STATUS_OK)
        engine_history_begin(engine);
    if (status == STATUS_OK && !parts->event_time)
        observe_rewind(engine->observe, clock_now_us(parts->clock));
    if (status == STATUS_OK && engine->ledger && parts->checkpoint_rows > 0)
        status = checkpoint_thread_start(engine, &engine->checkpoints, error);
    return status;
}

enum status engine_create(const struct engine_parts *parts, struct engine **engine,
                          struct error *error)
{
    *engine = NULL;
    struct engine *made = calloc(1, sizeof *made);
    if (!made)
        return error_set(error, STATUS_MEMORY, "out of memory");
    made->magic = ENGINE_MAGIC;
    made->parts = *parts;
    made->schema = contract_schema(parts->contract);
    atomic_init(&made->rules, parts->rules);
    lock_init(&made->rules_lock, "engine.rules");
    made->features = feature_views_schema(parts->views);
    gate_init(&made->gate);
    find_personal_fields(made);
    enum status status = build(made, error);
    if (status != STATUS_OK) {
        made->failed = true;
        engine_destroy(made);
        return status;
    }
    *engine = made;
    return STATUS_OK;
}

static void close_ledger(struct engine *engine)
{
    if (!engine->ledger)
        return;
    struct error error;
    if (engine->reader && !engine->failed &&
        ledger_flush(engine->ledger, 5000, &error) == STATUS_OK &&
        checkpoint_write(engine, CHECKPOINT_HERE, &error) != STATUS_OK)
        log_write(engine->parts.log, LOG_WARN, "engine", "checkpoint_failed",
                  "%s; the next start reads the ledger instead", error.message);
    /* The ledger last: whoever closes a day file last folds its journal into it. */
    reader_close(engine->repeats);
    reader_close(engine->reader);
    if (ledger_close(engine->ledger, &error) != STATUS_OK)
        log_write(engine->parts.log, LOG_ERROR, "record", "close_failed", "%s", error.message);
}

void engine_destroy(struct engine *engine)
{
    if (!engine)
        return;
    assert(engine->magic == ENGINE_MAGIC);
    shadow_destroy(engine->shadow);
    checkpoint_thread_stop(engine->checkpoints);
    close_ledger(engine);
    monitor_destroy(engine->monitor);
    if (engine->observe)
        observe_set_sink(engine->observe, &(struct observe_sink){.context = NULL});
    history_destroy(engine->history);
    indicators_destroy(engine->indicators);
    observe_destroy(engine->observe);
    unique_destroy(engine->unique);
    feature_scratch_destroy(engine->scratch);
    feature_store_destroy(engine->store);
    if (engine->traffic)
        traffic_destroy(engine->traffic);
    for (int i = 0; i < engine->parts.n_models; i++) {
        feature_scaling_destroy(engine->scalings[i]);
        scorer_destroy(engine->scorers[i]);
        model_release(engine->models[i]);
    }
    decoder_destroy(engine->decoder);
    for (int i = 0; i < engine->n_read_again; i++)
        rules_release(engine->read_again[i]);
    lock_destroy(&engine->rules_lock);
    if (engine->arena) {
        arena_destroy(engine->arena);
        lock_destroy(&engine->repeats_lock);
        lock_destroy(&engine->reader_lock);
    }
    gate_destroy(&engine->gate);
    engine->magic = 0;
    free(engine);
}

struct ledger *engine_ledger(struct engine *engine)
{
    return engine->ledger;
}

struct observe *engine_observe(struct engine *engine)
{
    return engine->observe;
}

struct history_store *engine_history(struct engine *engine)
{
    return engine->history;
}

struct traffic *engine_traffic(struct engine *engine)
{
    return engine->traffic;
}

const struct engine_parts *engine_parts(const struct engine *engine)
{
    return &engine->parts;
}

int engine_source(const struct engine *engine, int source)
{
    return engine->ledger && source >= 0 ? engine->ledger_sources[source] : -1;
}

int64_t engine_position(struct engine *engine, int source, int32_t part)
{
    if (!engine->ledger || source < 0)
        return -1;
    return ledger_position(engine->ledger, engine->parts.sources[source], part);
}

const char *engine_identity(const struct engine *engine)
{
    return engine->ledger ? ledger_identity(engine->ledger) : "";
}

static void describe_action(const struct engine *engine, const struct engine_arm *arms, int n_arms,
                            const char *reason, struct buffer *out)
{
    struct json_writer json;
    json_begin(&json, out);
    json_object(&json, NULL);
    json_array(&json, "traffic");
    for (int i = 0; i < n_arms; i++) {
        const struct engine_model *model = &engine->parts.models[arms[i].model];
        json_object(&json, NULL);
        json_text(&json, "variant", variant_name(arms[i].variant));
        json_text(&json, "model", model->name);
        json_text(&json, "version", model->version);
        json_number(&json, "share",
                    arms[i].share_percent < 0 ? (double)NAN : arms[i].share_percent);
        json_object_end(&json);
    }
    json_array_end(&json);
    if (reason && reason[0])
        json_text(&json, "reason", reason);
    json_object_end(&json);
}

static enum status submit_action(struct engine *engine, const char *who, const char *what,
                                 struct slice arguments, unsigned flags, struct error *error)
{
    struct ledger_entry entry = {
        .kind = ENTRY_ACTION,
        .position.source = -1,
        .action = {.who = who,
                   .what = what,
                   .arguments = arguments,
                   .at_us = clock_now_us(engine->parts.clock)},
    };
    return ledger_submit(engine->ledger, &entry, 1, flags, NULL, error);
}

enum status engine_act(struct engine *engine, const char *who, const char *what,
                       struct slice arguments, struct error *error)
{
    return engine->ledger ? submit_action(engine, who, what, arguments, SUBMIT_REFUSE, error)
                          : STATUS_OK;
}

/* Into the place that is kept in the ledger's queue. */
static enum status record_action(struct engine *engine, const char *who, const char *what,
                                 struct slice arguments, struct error *error)
{
    if (!engine->ledger)
        return STATUS_OK;
    enum status status = submit_action(engine, who, what, arguments, SUBMIT_RESERVED, error);
    if (status != STATUS_OK)
        ledger_unreserve(engine->ledger, 1);
    return status;
}

static enum status record_traffic(struct engine *engine, const struct engine_arm *arms, int n_arms,
                                  const char *who, const char *reason, struct error *error)
{
    struct buffer arguments;
    buffer_init(&arguments, 1u << 16);
    describe_action(engine, arms, n_arms, reason, &arguments);
    enum status status = record_action(engine, who, "traffic", buffer_slice(&arguments), error);
    buffer_free(&arguments);
    return status;
}

static void keep_rules(struct engine *engine, struct rules *take)
{
    lock_take(&engine->rules_lock);
    if (engine->n_read_again == MAX_RULE_SETS) {
        rules_release(engine->read_again[0]);
        memmove(engine->read_again, engine->read_again + 1,
                (size_t)--engine->n_read_again * sizeof(struct rules *));
    }
    engine->read_again[engine->n_read_again++] = take;
    atomic_store_explicit(&engine->rules, take, memory_order_release);
    lock_release(&engine->rules_lock);
}

static enum status record_rules(struct engine *engine, const struct rules *rules, const char *who,
                                const char *reason, struct error *error)
{
    struct buffer arguments;
    struct json_writer json;
    buffer_init(&arguments, 1u << 16);
    json_begin(&json, &arguments);
    json_object(&json, NULL);
    json_int(&json, "rules", (int64_t)rules_count(rules));
    if (reason[0])
        json_text(&json, "reason", reason);
    json_object_end(&json);
    enum status status = record_action(engine, who, "rules", buffer_slice(&arguments), error);
    buffer_free(&arguments);
    return status;
}

enum status engine_set_rules(struct engine *engine, struct rules *rules, const char *who,
                             const char *reason, struct error *error)
{
    enum status status = engine->ledger ? ledger_reserve(engine->ledger, 1, error) : STATUS_OK;
    if (status != STATUS_OK) {
        error_prefix(error, "the rules stay as they are");
        return status;
    }
    keep_rules(engine, rules_acquire(rules));
    return record_rules(engine, rules, who, reason, error);
}

enum status engine_settle(struct engine *engine, struct error *error)
{
    uint64_t ticket;
    if (!engine->ledger)
        return STATUS_OK;
    enum status status = ledger_submit(engine->ledger, NULL, 0, SUBMIT_REFUSE, &ticket, error);
    if (status == STATUS_OK)
        status = ledger_settle(engine->ledger, ticket, ENGINE_PATIENCE_MS, error);
    return status;
}

static enum status apply_traffic(struct engine *engine, const struct engine_arm *arms, int n_arms,
                                 struct error *error)
{
    enum status status = put_traffic(engine, arms, n_arms, error);
    if (status != STATUS_OK)
        return status;
    engine_arms_changed(engine);
    int champion = champion_of(arms, n_arms);
    if (champion != atomic_exchange(&engine->champion, champion))
        status = engine_use_reference(engine, champion, error);
    return status;
}

/* What cannot be recorded is not done: the row's place is kept before anything changes. */
enum status engine_set_traffic(struct engine *engine, const struct engine_arm *arms, int n_arms,
                               const char *who, const char *reason, struct error *error)
{
    enum status status = engine->ledger ? ledger_reserve(engine->ledger, 1, error) : STATUS_OK;
    if (status != STATUS_OK) {
        error_prefix(error, "the split stays as it is");
        return status;
    }
    status = apply_traffic(engine, arms, n_arms, error);
    if (status == STATUS_OK)
        return record_traffic(engine, arms, n_arms, who, reason, error);
    if (engine->ledger)
        ledger_unreserve(engine->ledger, 1);
    return status;
}
