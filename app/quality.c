/* Puts together what rooms know of the data: the slices of recent minutes, expectations over them,
 * and the history's hours. The tick reads and judges; a lock is held only where its findings are
 * handed over. */
#include "app/quality.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/seasons.h"
#include "engine/base/json.h"
#include "engine/base/thread.h"
#include "engine/monitor/expect.h"
#include "engine/monitor/quality.h"
#include "engine/observe/observe.h"

#define EVERY_US (5 * US_PER_S)

struct quality {
    const struct session *session;
    struct expectations *expectations;
    struct seasons seasons; /* of the thread that reads */
    int64_t judged_us;      /* of the thread that judges */
    struct lock lock;       /* of all that follows: what others see */
    struct season shown[MAX_SEASONS];
    int n_shown;
    struct quality_status status;
};

enum status quality_create(const struct session *session, struct quality **quality,
                           struct error *error)
{
    *quality = NULL;
    struct quality *made = calloc(1, sizeof *made);
    if (!made)
        return error_set(error, STATUS_MEMORY, "out of memory");
    made->session = session;
    enum status status = config_expectations(session->config, &made->expectations, error);
    if (status != STATUS_OK) {
        free(made);
        return status;
    }
    lock_init(&made->lock, "quality");
    *quality = made;
    return STATUS_OK;
}

void quality_destroy(struct quality *quality)
{
    if (!quality)
        return;
    lock_destroy(&quality->lock);
    seasons_free(&quality->seasons);
    expectations_destroy(quality->expectations);
    free(quality);
}

/* ---- a look at recent minutes ---- */

struct look {
    struct slices_view view;
    struct span_sums sums;
    struct quality_window window;
};

static bool look_begin(const struct quality *quality, int64_t now_us, struct look *look)
{
    struct slices *slices = observe_slices(engine_observe(quality->session->engine));
    if (!slices_view(slices, now_us, &look->view))
        return false;
    if (!span_sums_make(&look->view, NULL, 0, &look->sums)) {
        slices_view_free(&look->view);
        return false;
    }
    look->window = quality_window(&look->view, QUALITY_CELLS);
    return true;
}

static void look_end(struct look *look)
{
    span_sums_free(&look->sums);
    slices_view_free(&look->view);
}

/* ---- the snapshot's part ---- */

static void take_worst(struct quality_status *status, enum health state, const char *name,
                       const char *why)
{
    if (state <= status->state)
        return;
    status->state = state;
    if (state > HEALTH_OK)
        snprintf(status->why, sizeof status->why, "%s: %s", name, why);
}

static void judge_fields(const struct look *look, struct quality_status *status)
{
    for (int field = 0; field < look->view.n_fields; field++) {
        struct field_quality one;
        quality_of_field(&look->sums, &look->window, field, &one);
        take_worst(status, one.state, one.name, one.why);
        /* A field that may be missing is known by how usual that is. */
        double more = one.missing - one.usual_missing;
        if (more > status->missing_ratio || isnan(status->missing_ratio))
            status->missing_ratio = fmax(more, 0);
        if (!isnan(one.invalid) && !(one.invalid <= status->invalid_ratio))
            status->invalid_ratio = one.invalid;
    }
}

static void judge_expectations(const struct quality *quality, const struct look *look,
                               struct quality_status *status)
{
    for (int i = 0; i < expectations_count(quality->expectations); i++) {
        struct expectation_state one;
        expectation_judge(quality->expectations, i, &look->sums, &one);
        status->expectations_failed += one.state == EXPECTATION_FAILED;
        status->expectations_nodata += one.state == EXPECTATION_NODATA;
        if (one.state == EXPECTATION_FAILED)
            take_worst(status, HEALTH_TICKET, one.name, one.check);
    }
}

/* Those that were read last. */
static void judge_seasons(struct quality *quality, struct quality_status *status)
{
    struct season seasons[MAX_SEASONS];
    lock_take(&quality->lock);
    int n = quality->n_shown;
    memcpy(seasons, quality->shown, sizeof seasons);
    lock_release(&quality->lock);
    for (int i = 0; i < n; i++) {
        const struct season *season = &seasons[i];
        status->anomalies += season->state == HEALTH_TICKET;
        if (season->state == HEALTH_TICKET)
            take_worst(status, HEALTH_TICKET, season->series, season->why);
        if (strcmp(season->series, "events_per_s") != 0)
            continue;
        status->volume_per_s = season->value;
        status->volume_usual_per_s = season->usual.median;
        status->volume_z = season->z;
        if (season->usual.basis == SEASONAL_NONE)
            status->volume_usual_per_s = (double)NAN;
    }
}

static void judge(struct quality *quality, int64_t now_us, struct quality_status *status)
{
    const double none = (double)NAN;
    struct span_quality span;
    struct look look;
    *status = (struct quality_status){.used = true,
                                      .missing_ratio = none,
                                      .invalid_ratio = none,
                                      .duplicate_ratio = none,
                                      .age_p95_s = none,
                                      .feature_lag_s = none,
                                      .volume_per_s = none,
                                      .volume_usual_per_s = none,
                                      .volume_z = none};
    judge_seasons(quality, status);
    if (!look_begin(quality, now_us, &look))
        return;
    quality_of_span(&look.sums, &look.window, &span);
    status->n = span.accepted + span.quarantined;
    status->duplicate_ratio = span.duplicate_ratio;
    status->age_p95_s = span.age_p95_s;
    status->feature_lag_s = span.feature_lag_s;
    take_worst(status, span.state, "events", "old when they come");
    judge_fields(&look, status);
    judge_expectations(quality, &look, status);
    look_end(&look);
}

void quality_tick(struct quality *quality, struct snapshot *snapshot)
{
    struct quality_status judged;
    bool due = quality->judged_us == 0 || snapshot->time_us - quality->judged_us >= EVERY_US;
    if (due) {
        quality->judged_us = snapshot->time_us;
        judge(quality, snapshot->time_us, &judged);
    }
    lock_take(&quality->lock);
    if (due)
        quality->status = judged;
    snapshot->quality = quality->status;
    lock_release(&quality->lock);
}

void quality_read(struct quality *quality, int64_t changed_us, int64_t now_us)
{
    struct engine *engine = quality->session->engine;
    struct history_store *history = engine_history(engine);
    /* Hours of the week are those of a service that people wait for. */
    if (!history || engine_parts(engine)->event_time)
        return;
    seasons_look(&quality->seasons, history, now_us, changed_us);
    lock_take(&quality->lock);
    memcpy(quality->shown, quality->seasons.list, sizeof quality->shown);
    quality->n_shown = quality->seasons.n;
    lock_release(&quality->lock);
}

/* ---- what is asked over HTTP ---- */

static void reasons_json(const struct field_quality *field, struct json_writer *json)
{
    json_object(json, "reasons");
    for (int i = 0; i < VIOLATION_CODES; i++) {
        if (field->reasons[i] > 0)
            json_int(json, violation_name((enum violation_code)i), (int64_t)field->reasons[i]);
    }
    json_object_end(json);
}

static void categories_json(const struct look *look, const struct field_quality *field,
                            struct json_writer *json)
{
    size_t prefix = strlen(field->name) + 1;
    int n = 0;
    for (int i = 0; i < look->view.n_series; i++) {
        const struct slice_series *series = &look->view.series[i];
        uint64_t now = 0, before = 0;
        if (series->kind != SERIES_SLICE || series->field != field->field)
            continue;
        for (int c = 0; c < SLICE_SCORE; c++) {
            now += span_count(&look->sums, series->first + c, look->window.from, look->window.to);
            before +=
                span_count(&look->sums, series->first + c, look->window.base, look->window.from);
        }
        if (n++ == 0)
            json_array(json, "categories");
        json_object(json, NULL);
        json_text(json, "value", series->name + prefix);
        json_number(json, "ratio", field->n ? (double)now / (double)field->n : (double)NAN);
        json_number(json, "usual_ratio",
                    field->n_usual ? (double)before / (double)field->n_usual : (double)NAN);
        json_object_end(json);
    }
    if (n > 0)
        json_array_end(json);
    else
        json_null(json, "categories");
}

static void field_json(const struct look *look, const struct field *schema, int index,
                       struct json_writer *json)
{
    struct field_quality field;
    quality_of_field(&look->sums, &look->window, index, &field);
    json_object(json, NULL);
    json_text(json, "field", schema->name);
    json_text(json, "type", field_type_name(schema->type));
    json_text(json, "state", health_name(field.state));
    json_text_or_null(json, "why", field.why);
    json_int(json, "n", (int64_t)field.n);
    json_number(json, "null_ratio", field.missing);
    json_number(json, "usual_null_ratio", field.usual_missing);
    json_number(json, "usual_ratio", field.usual_missing);
    json_number(json, "completeness", 1 - field.missing);
    json_number(json, "invalid_ratio", field.invalid);
    json_number(json, "usual_invalid_ratio", field.usual_invalid);
    json_number(json, "validity", 1 - field.invalid);
    reasons_json(&field, json);
    json_number(json, "distinct", round(field.distinct));
    json_number(json, "unique_ratio",
                field.n > 0 && !isnan(field.distinct) ? fmin(field.distinct / (double)field.n, 1)
                                                      : (double)NAN);
    json_number(json, "min", field.low);
    json_number(json, "max", field.high);
    json_number(json, "distance", field.distance);
    categories_json(look, &field, json);
    json_object_end(json);
}

static void recent_json(struct quality *quality, const struct look *look, struct json_writer *json)
{
    const struct schema *schema = contract_schema(quality->session->config->contract);
    struct span_quality span;
    quality_of_span(&look->sums, &look->window, &span);
    json_time(json, "from", span.from_us);
    json_time(json, "to", span.to_us);
    json_array(json, "fields");
    for (size_t i = 0; i < schema->n_fields; i++)
        field_json(look, &schema->fields[i], (int)i, json);
    json_array_end(json);
    json_object(json, "freshness");
    json_text(json, "state", health_name(span.state));
    json_number(json, "age_p50_s", span.age_p50_s);
    json_number(json, "age_p95_s", span.age_p95_s);
    json_number(json, "feature_lag_s", span.feature_lag_s);
    json_object_end(json);
    json_object(json, "duplicates");
    json_int(json, "n", (int64_t)span.duplicates);
    json_number(json, "ratio", span.duplicate_ratio);
    json_object_end(json);
    json_array(json, "schema_versions");
    json_object(json, NULL);
    json_text(json, "contract", schema->name);
    json_text(json, "version", schema->version);
    json_int(json, "n", (int64_t)(span.accepted + span.quarantined));
    json_object_end(json);
    json_array_end(json);
}

static void expectations_json(const struct quality *quality, const struct look *look,
                              struct json_writer *json)
{
    json_array(json, "expectations");
    for (int i = 0; i < expectations_count(quality->expectations); i++) {
        struct expectation_state one;
        expectation_judge(quality->expectations, i, &look->sums, &one);
        json_object(json, NULL);
        json_text(json, "name", one.name);
        json_text(json, "check", one.check);
        json_int(json, "over_s", one.over_us / US_PER_S);
        json_text(json, "state", expectation_state_name(&one));
        json_object_end(json);
    }
    json_array_end(json);
}

static void seasons_json(const struct quality *quality, struct json_writer *json)
{
    const struct season *volume = NULL;
    json_array(json, "anomalies");
    for (int i = 0; i < quality->n_shown; i++) {
        season_json(&quality->shown[i], json, NULL);
        if (strcmp(quality->shown[i].series, "events_per_s") == 0)
            volume = &quality->shown[i];
    }
    json_array_end(json);
    if (volume)
        season_json(volume, json, "volume");
    else
        json_null(json, "volume");
}

void quality_json(struct quality *quality, int64_t now_us, struct buffer *out)
{
    struct json_writer json;
    struct look look;
    json_begin(&json, out);
    json_object(&json, NULL);
    lock_take(&quality->lock);
    json_text(&json, "state", health_name(quality->status.state));
    json_text_or_null(&json, "why", quality->status.why);
    seasons_json(quality, &json);
    lock_release(&quality->lock);
    if (look_begin(quality, now_us, &look)) {
        recent_json(quality, &look, &json);
        expectations_json(quality, &look, &json);
        look_end(&look);
    } else {
        json_array(&json, "fields");
        json_array_end(&json);
        json_array(&json, "expectations");
        json_array_end(&json);
    }
    json_object_end(&json);
}
