/* What people do from a screen: the row in the ledger says who, what and why, and is written before
 * it is done. Any thread. */
#include "app/inquiry_act.h"

#include <stdio.h>
#include <stdlib.h>

#include "app/retry.h"
#include "engine/base/json.h"

#define MOST_IDS     1000
#define MOST_MINUTES (7 * 24 * 60)

/* The body as an object, and its "reason", which everybody has to give. */
static enum status read_body(struct slice body, struct json **document, const char **reason,
                             struct error *error)
{
    *document = NULL;
    enum status status = json_parse(body, document, error);
    if (status != STATUS_OK)
        return status;
    *reason = json_as_text(json_get(*document, "reason"), "");
    return (*reason)[0] ? STATUS_OK
                        : error_set(error, STATUS_INVALID, "reason: why it is done is needed");
}

/* A row of the ledger, on the disk when this returns. */
static enum status write_down(const struct inquiry *inquiry, const char *actor, const char *what,
                              struct slice body, struct error *error)
{
    enum status status = engine_act(inquiry->parts.engine, actor, what, body, error);
    return status == STATUS_OK ? engine_settle(inquiry->parts.engine, error) : status;
}

/* ---- retry ---- */

static enum status read_ids(const struct json *document, uint64_t *ids, size_t *n,
                            struct error *error)
{
    const struct json *list = json_get(document, "ids");
    if (!list || json_kind(list) != JSON_ARRAY || json_size(list) == 0 ||
        json_size(list) > MOST_IDS)
        return error_set(error, STATUS_INVALID, "ids: a list of 1 to %d quarantine_ids is needed",
                         MOST_IDS);
    for (const struct json *item = json_first(list); item; item = json_next(item)) {
        double id = json_kind(item) == JSON_NUMBER ? json_as_number(item, -1) : -1;
        if (!(id >= 1 && id < 9e15) || id != (double)(uint64_t)id)
            return error_set(error, STATUS_INVALID, "ids: a quarantine_id is a number from 1 on");
        ids[(*n)++] = (uint64_t)id;
    }
    return STATUS_OK;
}

static enum status put_answer(void *context, struct slice answer, struct error *error)
{
    (void)error;
    json_raw(context, NULL, answer);
    return STATUS_OK;
}

static enum status run_retry(struct inquiry *inquiry, struct retry *retry, struct json_writer *json,
                             struct retry_count *count, struct error *error)
{
    json_array(json, "answers");
    enum status status = retry_run(retry, inquiry->parts.engine, &inquiry->parts.workers,
                                   put_answer, json, count, error);
    json_array_end(json);
    json_int(json, "retried", (int64_t)(count->accepted + count->quarantined));
    json_int(json, "accepted", (int64_t)count->accepted);
    json_int(json, "quarantined", (int64_t)count->quarantined);
    return status;
}

static enum status retry_ids(struct inquiry *inquiry, const uint64_t *ids, size_t n,
                             struct slice body, const char *actor, struct buffer *out,
                             struct error *error)
{
    struct quarantine_filter filter;
    struct retry *retry = NULL;
    struct retry_count count = {0};
    struct json_writer json;
    const char *dir = engine_parts(inquiry->parts.engine)->ledger_dir;
    quarantine_filter_init(&filter);
    filter.status = QUARANTINE_OPEN;
    enum status status = dir ? retry_read(dir, &filter, ids, n, &retry, error)
                             : error_set(error, STATUS_UNSUPPORTED,
                                         "there is no quarantine "
                                         "without a ledger");
    if (status == STATUS_OK)
        status = write_down(inquiry, actor, "quarantine retry", body, error);
    if (status == STATUS_OK) {
        json_begin(&json, out);
        json_object(&json, NULL);
        status = run_retry(inquiry, retry, &json, &count, error);
        json_object_end(&json);
    }
    retry_destroy(retry);
    return status;
}

int inquiry_retry(void *context, struct slice body, const char *actor, struct buffer *out,
                  struct error *error)
{
    struct inquiry *inquiry = context;
    struct json *document;
    const char *reason;
    size_t n = 0;
    uint64_t *ids = calloc(MOST_IDS, sizeof *ids);
    if (!ids) {
        (void)error_set(error, STATUS_MEMORY, "out of memory");
        return 503;
    }
    enum status status = read_body(body, &document, &reason, error);
    if (status == STATUS_OK)
        status = read_ids(document, ids, &n, error);
    if (status == STATUS_OK) {
        lock_take(&inquiry->retrying);
        status = retry_ids(inquiry, ids, n, body, actor, out, error);
        lock_release(&inquiry->retrying);
    }
    json_destroy(document);
    free(ids);
    if (status != STATUS_OK)
        buffer_reset(out);
    return web_code(status);
}

/* ---- alerts ---- */

static const char *const act_names[] = {
    [WEB_ACKNOWLEDGE] = "alert acknowledge", [WEB_SILENCE] = "alert silence"};

static enum status read_minutes(const struct json *document, enum web_alert_act act,
                                int64_t *length_us, struct error *error)
{
    double minutes = json_as_number(json_get(document, "minutes"), -1);
    *length_us = 0;
    if (act == WEB_ACKNOWLEDGE)
        return STATUS_OK;
    if (!(minutes >= 1 && minutes <= MOST_MINUTES))
        return error_set(error, STATUS_INVALID, "minutes: a number from 1 to %d is needed",
                         MOST_MINUTES);
    *length_us = (int64_t)(minutes * 60e6);
    return STATUS_OK;
}

static void list_change(const struct inquiry *inquiry, enum web_alert_act act, const char *alert,
                        const char *actor, const char *reason, int64_t at_us)
{
    struct change change = {.at_us = at_us, .kind = CHANGE_ALERT};
    snprintf(change.what, sizeof change.what, "%s %s", alert,
             act == WEB_SILENCE ? "silenced" : "acknowledged");
    snprintf(change.who, sizeof change.who, "%s", actor);
    snprintf(change.reason, sizeof change.reason, "%s", reason);
    changes_add(inquiry->parts.changes, &change);
}

int inquiry_alert(void *context, enum web_alert_act act, struct slice body, const char *actor,
                  struct buffer *out, struct error *error)
{
    struct inquiry *inquiry = context;
    struct json *document;
    const char *reason;
    int64_t length_us = 0, now_us = clock_now_us(engine_parts(inquiry->parts.engine)->clock);
    enum status status = read_body(body, &document, &reason, error);
    const char *alert = json_as_text(document ? json_get(document, "alert") : NULL, "");
    if (status == STATUS_OK)
        status = read_minutes(document, act, &length_us, error);
    if (status == STATUS_OK && !alerts_has(inquiry->parts.alerts, alert))
        status = error_set(error, STATUS_NOT_FOUND, "there is no alert called %.100s", alert);
    if (status == STATUS_OK)
        status = write_down(inquiry, actor, act_names[act], body, error);
    if (status == STATUS_OK)
        status = act == WEB_SILENCE
                     ? alerts_silence(inquiry->parts.alerts, alert, now_us + length_us, error)
                     : alerts_acknowledge(inquiry->parts.alerts, alert, actor, error);
    if (status == STATUS_OK) {
        struct json_writer json;
        list_change(inquiry, act, alert, actor, reason, now_us);
        json_begin(&json, out);
        json_object(&json, NULL);
        json_text(&json, "alert", alert);
        json_time_or_null(&json, "until", length_us ? now_us + length_us : 0);
        json_object_end(&json);
    }
    json_destroy(document);
    return web_code(status);
}
