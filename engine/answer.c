/* The JSON answer to one event, as POST /v1/score, `score` and `replay` give it. A fresh decision
 * is shown through the same writer as a recorded one, so the two cannot differ. */
#include <string.h>

#include "engine/base/json.h"
#include "engine/record/row.h"
#include "engine/worker_priv.h"

static struct slice text(const char *borrowed)
{
    return slice_of(borrowed ? borrowed : "");
}

static int row_reasons(const struct outcome *outcome, struct row_reason *out)
{
    for (int i = 0; i < outcome->n_reasons; i++) {
        const struct reason *reason = &outcome->reasons[i];
        out[i] = (struct row_reason){text(reason->code), reason->feature, reason->value,
                                     reason->contribution};
    }
    return outcome->n_reasons;
}

static void decided_json(const struct item *item, struct buffer *out)
{
    const struct outcome *outcome = &item->outcome;
    struct row_reason reasons[MAX_FEATURES];
    struct ledger_row row = {
        .kind = ROW_DECISION,
        .index = item->ledger_index,
        .at_us = outcome->decided_at_us,
        .event_id = item->id,
        .entity = item->entity,
        .event_us = outcome->event->time_us,
        .input = item->input,
        .features = outcome->features.values,
        .n_features = outcome->features.schema->n_features,
        .score = outcome->score,
        .margin = outcome->margin,
        .decision = outcome->decision,
        .rule = text(outcome->rule),
        .reasons = reasons,
        .n_reasons = row_reasons(outcome, reasons),
        .model = text(outcome->model),
        .model_version = text(outcome->model_version),
        .variant = outcome->variant,
        .latency_us = outcome->latency_us,
        .names = outcome->features.schema,
    };
    memcpy(row.trace_id, outcome->trace_id, sizeof row.trace_id);
    row_answer_json(&row, false, -1, out);
}

static void event_id_json(const struct event *event, struct json_writer *json)
{
    const struct value *id = &event->values[event->schema->id];
    json_value(json, "event_id", id);
}

static void quarantined_json(const struct answer *answer, struct buffer *out)
{
    struct json_writer json;
    json_begin(&json, out);
    json_object(&json, NULL);
    event_id_json(answer->event, &json);
    event_violations_json(answer->event, &json, "quarantined");
    json_object_end(&json);
}

static void unavailable_json(const struct error *error, struct buffer *out)
{
    struct json_writer json;
    json_begin(&json, out);
    json_object(&json, NULL);
    json_text(&json, "title", "Overloaded");
    json_int(&json, "status", 503);
    json_text(&json, "detail", error->message);
    json_int(&json, "retry_after_s", error->retry_after_s ? error->retry_after_s : 1);
    json_object_end(&json);
}

/* The row was waited for: see worker_settle(). */
static enum status recorded_json(struct engine *engine, uint64_t index, struct buffer *out,
                                 struct error *error)
{
    struct error cause;
    struct ledger_row row;
    lock_take(&engine->repeats_lock);
    enum status status = reader_row(engine->repeats, index, &row, &cause);
    if (status == STATUS_OK)
        row_answer_json(&row, true, -1, out);
    lock_release(&engine->repeats_lock);
    if (status == STATUS_OK)
        return status;
    log_write(engine->parts.log, LOG_ERROR, "engine", "row_unreadable", "row %llu: %s",
              (unsigned long long)index, cause.message);
    return error_set(error, status,
                     "decided and recorded, but the record cannot be read at present");
}

enum status engine_recorded_answer(struct engine *engine, uint64_t ledger_index, struct buffer *out,
                                   struct error *error)
{
    enum status status = engine_await_row(engine, ledger_index, error);
    return status == STATUS_OK ? recorded_json(engine, ledger_index, out, error) : status;
}

static bool duplicate_json(struct worker *worker, const struct answer *answer, struct buffer *out)
{
    struct engine *engine = worker->engine;
    if (engine->ledger && answer->ledger_index != UINT64_MAX) {
        struct error error;
        if (recorded_json(engine, answer->ledger_index, out, &error) == STATUS_OK)
            return true;
        unavailable_json(&error, out);
        return false;
    }
    struct json_writer json;
    json_begin(&json, out);
    json_object(&json, NULL);
    event_id_json(answer->event, &json);
    json_bool(&json, "duplicate", true);
    json_object_end(&json);
    return true;
}

bool answer_json(struct worker *worker, const struct answer *answer, struct buffer *out)
{
    switch (answer->kind) {
    case ANSWER_DECIDED:
        decided_json(&worker->items[answer->item], out);
        return true;
    case ANSWER_DUPLICATE:
        return duplicate_json(worker, answer, out);
    case ANSWER_CONFLICT:
    case ANSWER_QUARANTINED:
        quarantined_json(answer, out);
        return true;
    case ANSWER_REFUSED:
        break;
    }
    unavailable_json(worker_refusal(worker), out);
    return false;
}

static void problem_members(const struct answer *answer, struct json_writer *json)
{
    bool conflict = answer->kind == ANSWER_CONFLICT;
    json_text(json, "title",
              conflict ? "The event id belongs to other content" : "The event breaks the contract");
    json_int(json, "status", conflict ? 409 : 422);
    event_violations_json(answer->event, json, "errors");
    json_int(json, "quarantine_id", (int64_t)answer->quarantine_id);
}

void answer_problem_json(const struct answer *answer, struct buffer *out)
{
    struct json_writer json;
    json_begin(&json, out);
    json_object(&json, NULL);
    problem_members(answer, &json);
    json_object_end(&json);
}

void answer_line_json(struct worker *worker, const struct answer *answer, struct buffer *out)
{
    if (answer->kind != ANSWER_CONFLICT && answer->kind != ANSWER_QUARANTINED) {
        (void)answer_json(worker, answer, out);
        return;
    }
    struct json_writer json;
    json_begin(&json, out);
    json_object(&json, NULL);
    event_id_json(answer->event, &json);
    event_violations_json(answer->event, &json, "quarantined");
    problem_members(answer, &json);
    json_object_end(&json);
}

struct slice answer_entity(const struct worker *worker, const struct answer *answer)
{
    return worker->items[answer->item].entity;
}
