/* The doors of a service other than its events: the ledger's database, the split, the rules file.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "app/drill.h"
#include "app/output.h"
#include "app/remote.h"
#include "engine/base/clock.h"
#include "engine/base/db.h"
#include "engine/base/file.h"
#include "engine/base/json.h"
#include "engine/base/thread.h"

#define TRAFFIC_PATH     "/api/v1/traffic"
#define RELOAD_PATH      "/api/v1/reload"
#define FILE_BYTES       (1u << 20)
#define RESTORE_TRIES    60
#define RESTORE_PAUSE_US 500000

static enum status call(struct drill *drill, const char *method, const char *path,
                        struct slice body, struct buffer *reply, struct error *error)
{
    int code;
    enum status status =
        remote_call(drill->url, method, path, drill->authorization[0] ? drill->authorization : NULL,
                    body, &code, reply, error);
    if (status != STATUS_OK || code == 200)
        return status;
    return remote_refusal(drill->url, path, code, buffer_slice(reply), error);
}

/* ---- the ledger's lock ---- */

struct drill_lock {
    struct drill *drill;
    struct db *db;
    int64_t held_ms, free_ms;
    struct thread *thread;
};

/* A service that gets its turn in between may hold the lock itself: then it is asked for again. */
static void hold(void *context)
{
    struct drill_lock *lock = context;
    struct error error;
    while (!atomic_load(&lock->drill->over)) {
        if (db_begin(lock->db, &error) != STATUS_OK) {
            drill_pause(lock->drill, 5);
            continue;
        }
        drill_pause(lock->drill, lock->held_ms < 0 ? lock->drill->for_ms : lock->held_ms);
        db_rollback(lock->db);
        drill_pause(lock->drill, lock->free_ms);
    }
}

static enum status newest_day(const struct drill *drill, char *path, size_t size,
                              struct error *error)
{
    for (int back = 0; back < 400; back++) {
        char day[64];
        time_t then = (time_t)(clock_now_us(drill->clock) / US_PER_S) - (time_t)back * 86400;
        struct tm parts;
        gmtime_r(&then, &parts);
        strftime(day, sizeof day, "%Y-%m-%d.db", &parts);
        snprintf(path, size, "%s/%s", drill->ledger, day);
        FILE *file = fopen(path, "r+");
        if (file) {
            fclose(file);
            return STATUS_OK;
        }
    }
    return error_set(
        error, STATUS_NOT_FOUND,
        "%s: no day file of the ledger is there that may be written: this drill has to "
        "run on the machine of the service, as its user",
        drill->ledger[0] ? drill->ledger : "the service has no ledger");
}

enum status drill_lock_start(struct drill *drill, int64_t held_ms, int64_t free_ms,
                             struct drill_lock **lock, struct error *error)
{
    char path[1200];
    *lock = NULL;
    enum status status = newest_day(drill, path, sizeof path, error);
    if (status != STATUS_OK)
        return status;
    struct drill_lock *made = calloc(1, sizeof *made);
    if (!made)
        return error_set(error, STATUS_MEMORY, "out of memory");
    *made = (struct drill_lock){.drill = drill, .held_ms = held_ms, .free_ms = free_ms};
    status = db_open(path, DB_WRITE, DB_SYNC_NORMAL, &made->db, error);
    if (status == STATUS_OK)
        status = thread_start("drill-lock", hold, made, &made->thread, error);
    if (status != STATUS_OK) {
        db_close(made->db);
        free(made);
        return status;
    }
    *lock = made;
    return STATUS_OK;
}

void drill_lock_stop(struct drill_lock *lock)
{
    if (!lock)
        return;
    thread_join(lock->thread);
    db_abandon(lock->db);
    free(lock);
}

/* ---- the split ---- */

/* The running split with another share for its canary. The champion takes what is left. */
static enum status write_split(struct slice running, double canary, const char *reason,
                               struct buffer *out, struct error *error)
{
    struct json *document;
    struct json_writer json;
    bool found = false;
    enum status status = json_parse(running, &document, error);
    if (status != STATUS_OK)
        return status;
    json_begin(&json, out);
    json_object(&json, NULL);
    json_array(&json, "traffic");
    const struct json *list = json_get(document, "traffic");
    for (const struct json *arm = list ? json_first(list) : NULL; arm; arm = json_next(arm)) {
        const char *variant = json_as_text(json_get(arm, "variant"), "");
        double share = json_as_number(json_get(arm, "share"), 0);
        bool is_canary = strcmp(variant, "canary") == 0;
        json_object(&json, NULL);
        json_text(&json, "variant", variant);
        json_text(&json, "model", json_as_text(json_get(arm, "model"), ""));
        json_text(&json, "version", json_as_text(json_get(arm, "version"), ""));
        if (strcmp(variant, "champion") != 0)
            json_number(&json, "share", is_canary && !isnan(canary) ? canary : share);
        json_object_end(&json);
        found = found || is_canary;
    }
    json_array_end(&json);
    json_text(&json, "reason", reason);
    json_object_end(&json);
    json_destroy(document);
    return found ? STATUS_OK
                 : error_set(error, STATUS_INVALID,
                             "the service has no canary: add one to `traffic:` with a share of 0");
}

static enum status put_split(struct drill *drill, double canary, const char *reason,
                             struct error *error)
{
    struct buffer body, reply;
    buffer_init(&body, FILE_BYTES);
    buffer_init(&reply, REMOTE_REPLY_BYTES);
    enum status status = write_split(buffer_slice(&drill->split), canary, reason, &body, error);
    if (status == STATUS_OK)
        status = call(drill, "PUT", TRAFFIC_PATH, buffer_slice(&body), &reply, error);
    buffer_free(&reply);
    buffer_free(&body);
    return status;
}

enum status drill_set_canary(struct drill *drill, double share_percent, const char *reason,
                             struct error *error)
{
    enum status status = STATUS_OK;
    if (drill->split.size == 0)
        status = remote_get(drill->url, TRAFFIC_PATH, &drill->split, error);
    if (status == STATUS_OK)
        status = put_split(drill, share_percent, reason, error);
    drill->split_changed = drill->split_changed || status == STATUS_OK;
    return status;
}

/* ---- the rules ---- */

static enum status read_rules(struct drill *drill, struct error *error)
{
    struct error why;
    enum status status = file_read_whole(drill->rules, &drill->rules_before, &why);
    if (status == STATUS_OK)
        return STATUS_OK;
    /* Part of it must never be written back for the whole. */
    buffer_reset(&drill->rules_before);
    return error_set(error, status,
                     "%s; this drill has to run on the machine of the service, as its user, and "
                     "nothing was changed",
                     why.message);
}

static enum status write_rules(struct drill *drill, struct slice text, struct error *error)
{
    struct output output;
    struct buffer reply;
    buffer_init(&reply, REMOTE_REPLY_BYTES);
    enum status status = output_open(drill->rules, &output, error);
    if (status == STATUS_OK)
        status = output_write(output.file, drill->rules, text, error);
    if (status == STATUS_OK)
        status = output_commit(&output, error);
    output_discard(&output);
    if (status == STATUS_OK)
        status = call(drill, "POST", RELOAD_PATH, slice_of("{}"), &reply, error);
    buffer_free(&reply);
    return status;
}

/* "rules:" at the beginning of a line: after it the first rule stands. */
static const char *place_of_rules(struct slice text)
{
    static const char key[] = "\nrules:";
    const size_t size = sizeof key - 2; /* without the line end before it */
    bool first = text.size >= size && memcmp(text.data, key + 1, size) == 0;
    const char *end = text.data + text.size;
    const char *found = first ? text.data : memmem(text.data, text.size, key, size + 1);
    const char *line = found ? memchr(found + 1, '\n', (size_t)(end - found - 1)) : NULL;
    return line ? line + 1 : NULL;
}

enum status drill_add_rule(struct drill *drill, const char *rule, struct error *error)
{
    enum status status = STATUS_OK;
    struct buffer text;
    if (drill->rules_before.size == 0)
        status = read_rules(drill, error);
    if (status != STATUS_OK)
        return status;
    struct slice before = buffer_slice(&drill->rules_before);
    const char *place = place_of_rules(before);
    if (!place)
        return error_set(error, STATUS_INVALID, "%s: no line `rules:`", drill->rules);
    size_t head = (size_t)(place - before.data);
    buffer_init(&text, FILE_BYTES);
    buffer_append_slice(&text, slice_make(before.data, head));
    buffer_append_text(&text, rule);
    buffer_append_slice(&text, slice_make(place, before.size - head));
    drill->rules_changed = true;
    status = write_rules(drill, buffer_slice(&text), error);
    buffer_free(&text);
    return status;
}

static enum status restore_once(struct drill *drill, struct error *error)
{
    enum status status = STATUS_OK, other = STATUS_OK;
    struct error rules;
    if (drill->split_changed)
        status = put_split(drill, (double)NAN, "taken back", error);
    if (drill->rules_changed)
        other = write_rules(drill, buffer_slice(&drill->rules_before), &rules);
    drill->split_changed = drill->split_changed && status != STATUS_OK;
    drill->rules_changed = drill->rules_changed && other != STATUS_OK;
    if (status == STATUS_OK && other != STATUS_OK)
        *error = rules;
    return status != STATUS_OK ? status : other;
}

/* A service that was hurt takes orders again only when it is well. */
enum status drill_restore(struct drill *drill, struct error *error)
{
    enum status status = restore_once(drill, error);
    for (int i = 0; i < RESTORE_TRIES && status != STATUS_OK; i++) {
        pause_us(RESTORE_PAUSE_US);
        status = restore_once(drill, error);
    }
    return status;
}
