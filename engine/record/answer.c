/* A row as JSON: the answer that the caller got, and the line of `binnacle query`. Any thread. */
#include "engine/record/row.h"

#include <stdio.h>

#include "engine/base/crypto.h"
#include "engine/base/json.h"

static const char *feature_name(const struct ledger_row *row, int feature)
{
    if (!row->names || feature < 0 || (size_t)feature >= row->names->n_features)
        return NULL;
    return row->names->names[feature];
}

static void write_reasons(struct json_writer *json, const struct ledger_row *row, int max_reasons)
{
    json_array(json, "reasons");
    for (int i = 0; i < row->n_reasons && (max_reasons < 0 || i < max_reasons); i++) {
        const struct row_reason *reason = &row->reasons[i];
        json_object(json, NULL);
        json_string(json, "code", reason->code);
        json_text(json, "feature", feature_name(row, reason->feature));
        json_float(json, "value", reason->value);
        json_float(json, "contribution", reason->contribution);
        json_object_end(json);
    }
    json_array_end(json);
}

static void write_answer(struct json_writer *json, const struct ledger_row *row, bool duplicate,
                         int max_reasons)
{
    json_string(json, "event_id", row->event_id);
    json_text(json, "decision", decision_name(row->decision));
    json_float(json, "score", row->score);
    write_reasons(json, row, max_reasons);
    json_string(json, "rule", row->rule);
    json_object(json, "model");
    json_string(json, "name", row->model);
    json_string(json, "version", row->model_version);
    json_text(json, "variant", variant_name(row->variant));
    json_object_end(json);
    json_hex(json, "trace_id", row->trace_id, sizeof row->trace_id);
    if (row->latency_us < 0) /* a replay measures none */
        json_null(json, "latency_us");
    else
        json_int(json, "latency_us", row->latency_us);
    if (row->index == UINT64_MAX) /* nothing was recorded */
        json_null(json, "ledger_index");
    else
        json_int(json, "ledger_index", (int64_t)row->index);
    json_bool(json, "duplicate", duplicate);
}

void row_answer_json(const struct ledger_row *row, bool duplicate, int max_reasons,
                     struct buffer *out)
{
    struct json_writer json;
    json_begin(&json, out);
    json_object(&json, NULL);
    write_answer(&json, row, duplicate, max_reasons);
    json_object_end(&json);
}

static void write_features(struct json_writer *json, const struct ledger_row *row)
{
    json_object(json, "features");
    for (size_t i = 0; i < row->n_features; i++) {
        char number[32];
        const char *name = feature_name(row, (int)i);
        if (!name) {
            snprintf(number, sizeof number, "f%zu", i);
            name = number;
        }
        json_float(json, name, row->features[i]);
    }
    json_object_end(json);
}

static void write_shadows(struct json_writer *json, const struct ledger_row *row)
{
    if (row->n_shadows == 0)
        return;
    json_array(json, "shadows");
    for (int i = 0; i < row->n_shadows; i++) {
        json_object(json, NULL);
        json_string(json, "name", row->shadows[i].model);
        json_string(json, "version", row->shadows[i].version);
        json_float(json, "score", row->shadows[i].score);
        json_object_end(json);
    }
    json_array_end(json);
}

void row_query_json(const struct ledger_row *row, struct buffer *out)
{
    struct json_writer json;
    json_begin(&json, out);
    json_object(&json, NULL);
    write_answer(&json, row, false, -1);
    json_time(&json, "event_ts", row->event_us);
    json_time(&json, "decided_at", row->at_us);
    json_string(&json, "entity", row->entity);
    json_float(&json, "margin", row->margin);
    write_shadows(&json, row);
    write_features(&json, row);
    json_recorded(&json, "input", row->input);
    json_object_end(&json);
}
