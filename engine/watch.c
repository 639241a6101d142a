/* The watching side of a service: what is counted, judged and put into the snapshot. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine_priv.h"
#include "engine/model/model.h"
#include "engine/model/reference.h"
#include "engine/monitor/monitor.h"
#include "engine/monitor/profile.h"
#include "engine/recorded.h"
#include "engine/shadow.h"

static void tell_arms(struct engine *engine)
{
    struct traffic_arm arms[TRAFFIC_MAX_ARMS];
    struct observe_arm told[TRAFFIC_MAX_ARMS];
    size_t n = traffic_describe(engine->traffic, arms, TRAFFIC_MAX_ARMS);
    for (size_t i = 0; i < n; i++) {
        double share = isnan(arms[i].share_percent) ? 100 : arms[i].share_percent;
        told[i] = (struct observe_arm){(enum variant)arms[i].role, arms[i].model, arms[i].version,
                                       share / 100};
    }
    observe_set_arms(engine->observe, told, (int)n);
}

/* How far back each column of the drift monitor reaches. In a shared online store others may have
 * filled the windows before us: how warm they are is not known, and they count as full. */
static void set_reaches(const struct feature_views *views, const char *online_store,
                        struct monitor_options *options)
{
    bool shared = online_store && strcmp(online_store, "embedded") != 0;
    size_t n = feature_views_schema(views)->n_features;
    for (size_t i = 0; i < n; i++) {
        int64_t reach_us = shared ? 0 : feature_views_reach_us(views, i);
        options->reach_us[i + 1] =
            feature_views_is_calendar(views, i) ? MONITOR_UNWATCHED : reach_us;
        if (reach_us > options->reach_us[0])
            options->reach_us[0] = reach_us;
    }
}

/* What recent minutes are told apart by: the fields that have few words. */
static void describe_fields(const struct engine *engine, struct slice_field *fields)
{
    for (size_t i = 0; i < engine->schema->n_fields; i++) {
        const struct field_rule *rule = contract_rule(engine->parts.contract, (int)i);
        fields[i] = (struct slice_field){rule->words, rule->words ? rule->n_words : 0};
    }
}

enum status engine_observe_create(struct engine *engine, struct error *error)
{
    struct monitor_options options;
    struct observe_options observe;
    monitor_options_init(&options);
    observe_options_init(&observe);
    observe.features = engine->features;
    struct slice_field fields[MAX_FIELDS];
    describe_fields(engine, fields);
    observe.slices = (struct slices_options){engine->schema, fields};
    enum status status =
        monitor_read(engine->parts.objectives, engine->parts.drift, &options, &observe, error);
    if (status == STATUS_OK)
        status = observe_create(&observe, &engine->observe, error);
    if (status != STATUS_OK)
        return status;
    set_reaches(engine->parts.views, engine->parts.online_store, &options);
    engine->monitor = monitor_create(&options, engine->observe);
    if (!engine->monitor)
        return error_set(error, STATUS_MEMORY, "out of memory");
    engine->objectives = options.objectives;
    engine_arms_changed(engine);
    return STATUS_OK;
}

static bool has_view_of(const struct engine *engine, const struct model *model)
{
    const char *const *names = model_feature_names(model);
    if (!names || model_n_features(model) != engine->features->n_features)
        return false;
    for (size_t i = 0; i < engine->features->n_features; i++) {
        if (strcmp(names[i], engine->features->names[i]) != 0)
            return false;
    }
    return true;
}

static enum status set_reference(struct engine *engine, int model, const float *rows, size_t n,
                                 struct error *error)
{
    size_t width = engine->features->n_features;
    struct scorer_scratch *scratch = NULL;
    float *scores = calloc(n, sizeof *scores);
    float *scaled = reallocarray(NULL, n * width, sizeof *scaled);
    enum status status = scores && scaled ? scorer_scratch_create(n, MAX_FEATURES, &scratch, error)
                                          : error_set(error, STATUS_MEMORY, "out of memory");
    if (status == STATUS_OK) {
        feature_scaling_apply(engine->scalings[model], width, rows, n, scaled);
        status = scorer_score(engine->scorers[model], scratch, scaled, n, NULL, scores, error);
    }
    if (status == STATUS_OK)
        status = observe_set_reference(engine->observe, rows, scores, n, error);
    scorer_scratch_destroy(scratch);
    free(scaled);
    free(scores);
    return status;
}

static enum status use_rows(struct engine *engine, int model, const char *text, struct error *error)
{
    float *rows;
    size_t n;
    enum status status =
        reference_read(slice_of(text), engine->features->n_features, &rows, &n, error);
    if (status == STATUS_OK)
        status = set_reference(engine, model, rows, n, error);
    free(rows);
    return status;
}

/* A column that the service watches, by what the model's profile says of it. */
static enum status use_column(struct engine *engine, const struct columns *profile, int column,
                              struct binning *binning, struct value_points *points,
                              struct error *error)
{
    const char *name = observe_column_name(engine->observe, column);
    const struct column *of = column == 0 ? profile->score : columns_find(profile, name);
    if (!of || of->text)
        return error_set(error, STATUS_CORRUPT,
                         "the attribute " PROFILE_ATTRIBUTE " says nothing of \"%.100s\"", name);
    profile_binning(of, observe_value_bins(engine->observe), binning);
    profile_points(of, points);
    return STATUS_OK;
}

/* As it was computed when the model was trained. */
static enum status use_profile(struct engine *engine, const char *text, struct error *error)
{
    size_t n = (size_t)observe_columns(engine->observe);
    struct columns profile = {.spool = -1};
    struct binning *binnings = calloc(n, sizeof *binnings);
    struct value_points *points = calloc(n, sizeof *points);
    enum status status = binnings && points
                             ? profile_read(slice_of(text), PROFILE_ATTRIBUTE, &profile, error)
                             : error_set(error, STATUS_MEMORY, "out of memory");
    for (size_t i = 0; i < n && !status; i++)
        status = use_column(engine, &profile, (int)i, &binnings[i], &points[i], error);
    if (!status)
        status = observe_set_binnings(engine->observe, binnings, points, error);
    columns_free(&profile);
    free(points);
    free(binnings);
    return status;
}

/* A model trained before profiles were, or elsewhere: what drift is measured against is a guess. */
static void say_without_profile(struct engine *engine, const struct model *model, bool rows)
{
    log_write(engine->parts.log, LOG_INFO, "drift", "no_profile",
              "model %s carries no profile of what it was trained on: %s are what drift is "
              "measured against; `binnacle train` writes one into the model",
              model_name(model), rows ? "its sample of training rows" : "the next decisions");
}

enum status engine_use_reference(struct engine *engine, int model, struct error *error)
{
    const struct model *of = engine->models[model];
    bool same_view = has_view_of(engine, of);
    const char *profile = same_view ? model_attribute(of, PROFILE_ATTRIBUTE) : NULL;
    const char *rows = same_view ? model_attribute(of, REFERENCE_ATTRIBUTE) : NULL;
    if (!profile)
        say_without_profile(engine, of, rows != NULL);
    enum status status = STATUS_OK;
    if (profile)
        status = use_profile(engine, profile, error);
    else if (rows)
        status = use_rows(engine, model, rows, error);
    else
        observe_renew_reference(engine->observe);
    return status == STATUS_OK ? status : error_prefix(error, "model %s", model_name(of));
}

void engine_arms_changed(struct engine *engine)
{
    if (engine->parts.n_models > 0)
        tell_arms(engine);
}

void engine_observe_row(struct engine *engine, const struct ledger_row *row,
                        const struct event *event, unsigned places)
{
    struct recorded_texts texts;
    struct outcome outcome;
    const struct event aged = {.time_us = row->event_us}; /* how old it was is always known */
    engine_recorded_outcome(row, engine->features, &texts, &outcome);
    outcome.event = event ? event : &aged;
    observe_recorded(engine->observe, &outcome, event, places);
}

/* It decides no more while what it would decide cannot be recorded. */
static bool find_ready(const struct record_status *record, char *why, size_t size)
{
    if (record->state != RECORD_WRITES)
        snprintf(why, size, "the ledger is not written: %.150s", record->problem);
    else if (record->wait_us > (double)LEDGER_LONGEST_WAIT_US)
        snprintf(why, size,
                 "the disk of the ledger is slow: what waits for it now will take %.0f s",
                 ceil(record->wait_us / 1e6));
    return why[0] == '\0';
}

static void fill_health(struct engine *engine, const struct ledger_stats *stats,
                        struct record_status *record)
{
    static const enum record_state states[] = {[LEDGER_OK] = RECORD_WRITES,
                                               [LEDGER_RETRYING] = RECORD_RETRYING,
                                               [LEDGER_FAILED] = RECORD_FAILED};
    bool writes = stats->health == LEDGER_OK;
    int64_t now_us = clock_now_us(engine->parts.clock);
    *record = (struct record_status){
        .used = true,
        .state = states[stats->health],
        .since_us = stats->stopped_us,
        .not_written_s = writes ? 0 : (double)stats->current_stop_us / 1e6,
        .last_from_us = stats->last_stop_us,
        .last_to_us = stats->last_resume_us,
        .stops = stats->stops,
        .stopped_s = (double)stats->not_written_us / 1e6,
        .failed_writes = stats->errors,
        .refused = atomic_load(&engine->refused),
        .unconfirmed = atomic_load(&engine->unconfirmed),
        .batch_us = engine->parts.batch_us,
        .lock_waited_us = stats->lock_waited_us,
        .commit_us = stats->commit_us ? (double)stats->commit_us : (double)NAN,
        .wait_us = writes ? (double)stats->wait_us : (double)NAN,
    };
    if (record->since_us > now_us) /* the clock was set back since */
        record->since_us = now_us;
    snprintf(record->problem, sizeof record->problem, "%.199s", stats->problem);
}

static void fill_ledger_queues(const struct ledger_stats *stats, struct queue_statuses *queues)
{
    queues_add(queues, "personal_values", stats->subjects_waiting, stats->subjects_capacity,
               stats->subjects_full);
    if (stats->heads_capacity > 0)
        queues_add(queues, "head_file", stats->heads_waiting, stats->heads_capacity,
                   stats->heads_dropped);
}

static void fill_record(struct engine *engine, struct snapshot *snapshot)
{
    const double none = (double)NAN;
    struct ledger_stats stats = {.high_us = INT64_MIN};
    snapshot->record =
        (struct record_status){.not_written_s = none, .commit_us = none, .wait_us = none};
    if (engine->ledger) {
        ledger_stats(engine->ledger, &stats);
        snapshot->tree_size = stats.tree_size;
        memcpy(snapshot->root, stats.root, sizeof snapshot->root);
        snapshot->ledger_reopened = stats.reopened;
        snapshot->ledger_damaged_files = stats.damaged_files;
        snapshot->ledger_lost_rows = stats.lost_rows;
        snprintf(snapshot->ledger_damage, sizeof snapshot->ledger_damage, "%s", stats.damage);
        snapshot->queue_depth = stats.queue_rows;
        snapshot->queue_capacity = stats.queue_capacity;
        fill_health(engine, &stats, &snapshot->record);
        fill_ledger_queues(&stats, &snapshot->queues);
    }
    clock_watch(engine, stats.high_us, snapshot);
    snapshot->ready =
        find_ready(&snapshot->record, snapshot->not_ready, sizeof snapshot->not_ready);
}

static void fill_history(struct engine *engine, int64_t now_us, struct history_status *status,
                         struct queue_statuses *queues)
{
    struct history_store *history = engine->history;
    struct history_stats stats;
    history_tick(history, now_us);
    if (engine->indicators)
        indicators_slices(engine->indicators, history, engine->observe, now_us);
    history_stats(history, &stats);
    status->lost_minutes = stats.lost_minutes;
    status->waiting = stats.waiting;
    memcpy(status->problem, stats.problem, sizeof status->problem);
    queues_add(queues, "history", stats.waiting, stats.capacity, stats.lost_minutes);
}

static void fill_features(struct engine *engine, struct snapshot *snapshot)
{
    struct feature_usage usage;
    feature_store_usage(engine->store, &usage);
    snapshot->feature_entities = usage.entities;
    snapshot->feature_bytes = usage.bytes;
    if (usage.shared)
        queues_add(&snapshot->queues, "online_store", usage.pending, usage.pending_capacity,
                   usage.pending_lost);
}

void engine_fill(struct engine *engine, struct snapshot *snapshot)
{
    int64_t now_us = clock_now_us(engine->parts.clock);
    traffic_collect(engine->traffic);
    snapshot->time_us = now_us;
    snapshot->event_time = engine->parts.event_time;
    snprintf(snapshot->service, sizeof snapshot->service, "%s", engine->parts.service);
    snprintf(snapshot->source, sizeof snapshot->source, "%s", engine->parts.source_kind);
    observe_fill(engine->observe, now_us, monotonic_ns(), snapshot);
    monitor_fill(engine->monitor, engine->observe, now_us, atomic_load(&engine->start_us),
                 snapshot);
    fill_record(engine, snapshot);
    if (engine->history)
        fill_history(engine, now_us, &snapshot->kept, &snapshot->queues);
    fill_features(engine, snapshot);
    if (engine->shadow)
        shadow_queue(engine->shadow, &snapshot->queues);
    observe_ticked(engine->observe, snapshot);
}

const struct slo_set *engine_objectives(const struct engine *engine)
{
    return &engine->objectives;
}
