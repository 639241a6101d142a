/* Fills the list of changes: at the start and the end, once a tick from the alerts; and gives it
 * out as JSON. What operators do is listed where it is done, in backend.c. */
#include "app/watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/backend.h"
#include "app/causes.h"
#include "app/incidents.h"
#include "app/quality.h"
#include "engine/base/encoding.h"
#include "engine/base/file.h"
#include "engine/base/json.h"
#include "engine/record/incident_list.h"

#define MOST_CHANGES 1000 /* of one answer */
#define RECENT_US    (30 * US_PER_MIN)

struct seen_alert {
    char name[NAME_SIZE];
    bool firing;
};

struct watch {
    const struct session *session;
    struct changes *changes;
    struct seen_alert alerts[MAX_SNAPSHOT_ALERTS];
    int n_alerts;
    struct quality *quality;
    struct incidents *incidents;
    struct causes *causes;
    struct snapshot_board *board; /* borrowed; NULL until watch_table() */
    int64_t changed_us; /* when something was last changed here; 0: never. The notes' thread */
};

static int64_t now_us(const struct watch *watch)
{
    return clock_now_us(watch->session->clock);
}

/* ---- what was changed lately ---- */

static bool could_be_cause(enum change_kind kind, enum explain_change_kind *as)
{
    static const struct {
        enum change_kind kind;
        enum explain_change_kind as;
    } table[] = {
        {CHANGE_SPLIT, EXPLAIN_SPLIT},       {CHANGE_RULES, EXPLAIN_RULES},
        {CHANGE_CONTRACT, EXPLAIN_CONTRACT}, {CHANGE_MODEL, EXPLAIN_MODEL},
        {CHANGE_FEATURES, EXPLAIN_MODEL},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (table[i].kind == kind) {
            *as = table[i].as;
            return true;
        }
    }
    return false;
}

/* For explanations, which wait for no file: they are made before alerts are sent. */
static void read_changes(struct watch *watch, int64_t at_us)
{
    struct explain_change recent[CAUSES_CHANGES];
    struct change *list = NULL;
    struct error error;
    size_t n;
    int n_recent = 0;
    if (changes_read(watch->changes, at_us - RECENT_US, at_us + 1, CAUSES_CHANGES, &list, &n,
                     &error) != STATUS_OK)
        return;
    for (size_t i = 0; i < n; i++) {
        struct explain_change *change = &recent[n_recent];
        if (list[i].kind != CHANGE_ALERT && list[i].kind != CHANGE_LABEL)
            watch->changed_us = list[i].at_us;
        if (!could_be_cause(list[i].kind, &change->kind))
            continue;
        change->at_us = list[i].at_us;
        snprintf(change->what, sizeof change->what, "%s", list[i].what);
        n_recent++;
    }
    free(list);
    causes_set_changes(watch->causes, recent, n_recent);
}

/* ---- the start and the end ---- */

/* `digest` is filled in here. */
static void compare_file(struct watch *watch, struct change_part part, const char *path,
                         const char *who)
{
    struct file_sum sum;
    struct error error;
    char hex[2 * SHA256_SIZE + 1];
    if (!path || file_sum(path, &sum, &error) != STATUS_OK)
        return;
    hex_encode(sum.sha256, SHA256_SIZE, hex);
    part.digest = hex;
    changes_compare(watch->changes, now_us(watch), who, &part);
}

static void compare_named(struct watch *watch, enum change_kind kind, const char *name)
{
    char *path = name ? config_path(watch->session->config, name) : NULL;
    compare_file(watch, (struct change_part){.kind = kind, .name = name}, path, "");
    free(path);
}

static void compare_all(struct watch *watch)
{
    const struct config *config = watch->session->config;
    const struct engine_parts *parts = engine_parts(watch->session->engine);
    compare_named(watch, CHANGE_CONFIG, "binnacle.yaml");
    compare_named(watch, CHANGE_CONTRACT, config->contract_file);
    compare_named(watch, CHANGE_FEATURES, config->features_file);
    compare_named(watch, CHANGE_RULES, config->rules_file);
    for (int i = 0; i < parts->n_models; i++) {
        char name[160];
        snprintf(name, sizeof name, "model %s@%s", parts->models[i].name, parts->models[i].version);
        compare_file(watch, (struct change_part){.kind = CHANGE_MODEL, .name = name},
                     parts->models[i].path, "");
    }
    backend_compare_split(watch->session->engine, watch->changes, "", NULL);
}

static void list(struct watch *watch, enum change_kind kind, const char *what)
{
    struct change change = {.at_us = now_us(watch), .kind = kind};
    snprintf(change.what, sizeof change.what, "%s", what);
    changes_add(watch->changes, &change);
}

static enum status open_lists(struct watch *watch, struct error *error)
{
    const char *dir = engine_parts(watch->session->engine)->ledger_dir;
    struct log *log = watch->session->log;
    char *changes = NULL, *incidents = NULL;
    enum status status = STATUS_OK;
    if (dir && (asprintf(&changes, "%s/" CHANGES_NAME, dir) < 0 ||
                asprintf(&incidents, "%s/" INCIDENTS_NAME, dir) < 0))
        status = error_set(error, STATUS_MEMORY, "out of memory");
    if (status == STATUS_OK)
        status = changes_open(changes, log, &watch->changes, error);
    if (status == STATUS_OK)
        status = incidents_open(incidents, log, &watch->incidents, error);
    free(changes);
    free(incidents);
    return status;
}

static void destroy(struct watch *watch)
{
    incidents_close(watch->incidents);
    changes_close(watch->changes);
    quality_destroy(watch->quality);
    causes_destroy(watch->causes);
    free(watch);
}

enum status watch_create(const struct session *session, struct watch **watch, struct error *error)
{
    *watch = NULL;
    struct watch *made = calloc(1, sizeof *made);
    if (!made)
        return error_set(error, STATUS_MEMORY, "out of memory");
    made->session = session;
    made->causes = causes_create(session);
    enum status status = made->causes ? quality_create(session, &made->quality, error)
                                      : error_set(error, STATUS_MEMORY, "out of memory");
    if (status == STATUS_OK)
        status = open_lists(made, error);
    if (status != STATUS_OK) {
        destroy(made);
        return status;
    }
    list(made, CHANGE_START, "binnacle " BINNACLE_VERSION " started");
    compare_all(made);
    read_changes(made, now_us(made));
    *watch = made;
    return STATUS_OK;
}

void watch_destroy(struct watch *watch)
{
    if (!watch)
        return;
    list(watch, CHANGE_STOP, "binnacle " BINNACLE_VERSION " stopped");
    destroy(watch);
}

struct changes *watch_changes(struct watch *watch)
{
    return watch ? watch->changes : NULL;
}

/* ---- alerts ---- */

static bool was_firing(const struct watch *watch, const char *name)
{
    for (int i = 0; i < watch->n_alerts; i++) {
        if (strcmp(watch->alerts[i].name, name) == 0)
            return watch->alerts[i].firing;
    }
    return false;
}

static bool is_firing(const struct snapshot *snapshot, const char *name)
{
    for (int i = 0; i < snapshot->n_alerts; i++) {
        if (strcmp(snapshot->alerts[i].name, name) == 0)
            return strcmp(snapshot->alerts[i].state, "firing") == 0;
    }
    return false;
}

static void list_alert(struct watch *watch, int64_t at_us, const char *name, const char *how,
                       const char *summary)
{
    struct change change = {.at_us = at_us, .kind = CHANGE_ALERT};
    snprintf(change.what, sizeof change.what, "%s %s%s%s", name, how, summary[0] ? ": " : "",
             summary);
    changes_add(watch->changes, &change);
}

static void list_alerts(struct watch *watch, const struct snapshot *snapshot)
{
    for (int i = 0; i < snapshot->n_alerts; i++) {
        const struct alert_status *alert = &snapshot->alerts[i];
        if (strcmp(alert->state, "firing") == 0 && !was_firing(watch, alert->name))
            list_alert(watch, snapshot->time_us, alert->name, "fires", alert->summary);
    }
    for (int i = 0; i < watch->n_alerts; i++) {
        if (watch->alerts[i].firing && !is_firing(snapshot, watch->alerts[i].name))
            list_alert(watch, snapshot->time_us, watch->alerts[i].name, "is over", "");
    }
    watch->n_alerts = snapshot->n_alerts;
    for (int i = 0; i < snapshot->n_alerts; i++) {
        struct seen_alert *seen = &watch->alerts[i];
        snprintf(seen->name, sizeof seen->name, "%s", snapshot->alerts[i].name);
        seen->firing = strcmp(snapshot->alerts[i].state, "firing") == 0;
    }
}

/* ---- what is wrong ---- */

void watch_quality(struct watch *watch, struct snapshot *snapshot)
{
    if (watch)
        quality_tick(watch->quality, snapshot);
}

void watch_explain(struct watch *watch, struct snapshot *snapshot)
{
    struct explanation last;
    if (!watch)
        return;
    causes_tick(watch->causes, incidents_triggered(watch->incidents, snapshot), snapshot, &last);
    incidents_tick(watch->incidents, &last, snapshot);
}

void watch_tick(struct watch *watch, const struct snapshot *snapshot)
{
    /* While the disk does not answer, nothing is read or written here: it is made up for later. */
    if (!watch || !snapshot_disk_answers(snapshot))
        return;
    list_alerts(watch, snapshot);
    changes_labels(watch->changes, snapshot->time_us, 0, 0);
    incidents_save(watch->incidents);
    read_changes(watch, snapshot->time_us);
    quality_read(watch->quality, watch->changed_us, snapshot->time_us);
    causes_save(watch->causes);
}

/* ---- what is asked over HTTP ---- */

static int changes_get(void *context, int64_t from_us, int64_t to_us, struct buffer *out,
                       struct error *error)
{
    struct watch *watch = context;
    struct change *list;
    size_t n;
    enum status status =
        changes_read(watch->changes, from_us, to_us, MOST_CHANGES, &list, &n, error);
    if (status != STATUS_OK)
        return 503;
    struct json_writer json;
    json_begin(&json, out);
    json_object(&json, NULL);
    json_array(&json, "changes");
    for (size_t i = 0; i < n; i++) {
        json_object(&json, NULL);
        json_time(&json, "at", list[i].at_us);
        json_text(&json, "kind", change_kind_name(list[i].kind));
        json_text(&json, "what", list[i].what);
        json_text(&json, "who", list[i].who[0] ? list[i].who : NULL);
        json_text(&json, "reason", list[i].reason[0] ? list[i].reason : NULL);
        json_object_end(&json);
    }
    json_array_end(&json);
    json_object_end(&json);
    free(list);
    return 200;
}

static int quality_get(void *context, struct buffer *out, struct error *error)
{
    struct watch *watch = context;
    (void)error;
    quality_json(watch->quality, now_us(watch), out);
    return 200;
}

/* Trouble may be over while alerts on it still fire: who was paged is told both. */
static void firing_json(const struct watch *watch, struct json_writer *json)
{
    const struct snapshot *snapshot = snapshot_acquire(watch->board);
    if (!snapshot)
        return;
    snapshot_firing_json(snapshot, json, "firing");
    snapshot_release(snapshot);
}

static int explain_get(void *context, struct buffer *out, struct error *error)
{
    struct watch *watch = context;
    struct json_writer json;
    struct explanation explanation;
    (void)error;
    causes_now(watch->causes, &explanation);
    json_begin(&json, out);
    json_object(&json, NULL);
    explanation_members(&explanation, &json);
    incidents_json(watch->incidents, &json);
    firing_json(watch, &json);
    json_object_end(&json);
    return 200;
}

/* ---- files read again ---- */

static enum status read_again(struct watch *watch, const char *path, const char *actor,
                              const char *reason, struct error *error)
{
    const struct session *session = watch->session;
    const struct config *config = session->config;
    struct rules *rules = NULL;
    enum status status = rules_load(path, contract_schema(config->contract),
                                    feature_views_schema(config->views), &rules, error);
    if (status == STATUS_OK)
        status = engine_set_rules(session->engine, rules, actor, reason, error);
    rules_release(rules);
    return status;
}

/* Reads the rules file again and decides by it from now on, listed under the name of `actor` with
 * the reason ("": none), logged either way; appends {"reloaded":[...]}. A file that is wrong, or
 * the same as before, changes nothing. Any thread. */
static enum status reload_rules(struct watch *watch, const char *actor, const char *reason,
                                struct buffer *out, struct error *error)
{
    const char *name = watch->session->config->rules_file, *who = actor ? actor : "";
    struct log *log = watch->session->log;
    struct json_writer json;
    char *path = config_path(watch->session->config, name);
    if (!path)
        return error_set(error, STATUS_MEMORY, "out of memory");
    enum status status = read_again(watch, path, who, reason, error);
    if (status == STATUS_OK) {
        struct change_part part = {.kind = CHANGE_RULES, .name = name, .reason = reason};
        compare_file(watch, part, path, who);
        log_write(log, LOG_INFO, "rules", "reloaded", "%s decides from now on%s%s", name,
                  reason[0] ? ": " : "", reason);
        json_begin(&json, out);
        json_object(&json, NULL);
        json_array(&json, "reloaded");
        json_text(&json, NULL, name);
        json_array_end(&json);
        json_object_end(&json);
    } else {
        log_write(log, LOG_WARN, "rules", "reload_refused",
                  "%s; the rules of before go on: mend the file, then binnacle reload",
                  error->message);
    }
    free(path);
    return status;
}

static int reload(void *context, const char *actor, const char *reason, struct buffer *out,
                  struct error *error)
{
    enum status status = reload_rules(context, actor, reason, out, error);
    return status == STATUS_OK                               ? 200
           : status == STATUS_IO || status == STATUS_FULL    ? 503
           : status == STATUS_MEMORY || status == STATUS_END ? 503
                                                             : 422;
}

void watch_table(struct watch *watch, struct web_backend *table)
{
    watch->board = table->board;
    table->watch = watch;
    table->changes = changes_get;
    table->explain = explain_get;
    table->quality = quality_get;
    table->reload = reload;
}
