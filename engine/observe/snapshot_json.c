/* The snapshot as JSON: GET /api/v1/snapshot and the frames of /live. Members may be added here,
 * never renamed or taken away; what has no data is null. Any thread. */
#include "engine/observe/snapshot.h"

#include <math.h>

#include "engine/base/crypto.h"
#include "engine/base/json.h"

#define SCHEMA_VERSION 1

static void latency_json(struct json_writer *json, const struct latency_summary *latency)
{
    json_object(json, "latency_us");
    json_number(json, "p50", latency->p50);
    json_number(json, "p95", latency->p95);
    json_number(json, "p99", latency->p99);
    json_int(json, "n", (int64_t)latency->n);
    json_object_end(json);
}

static void decisions_json(struct json_writer *json, const char *key,
                           const uint64_t counts[DECISION_COUNT])
{
    json_object(json, key);
    for (int i = 0; i < DECISION_COUNT; i++)
        json_int(json, decision_name((enum decision)i), (int64_t)counts[i]);
    json_object_end(json);
}

static void totals_json(struct json_writer *json, const struct snapshot *snapshot)
{
    json_object(json, "totals");
    json_int(json, "events", (int64_t)snapshot->events_total);
    json_int(json, "accepted", (int64_t)snapshot->accepted_total);
    json_int(json, "quarantined", (int64_t)snapshot->quarantined_total);
    json_int(json, "duplicates", (int64_t)snapshot->duplicate_total);
    json_int(json, "errors", (int64_t)snapshot->error_total);
    json_object_end(json);
}

static void reasons_json(struct json_writer *json, const struct snapshot *snapshot)
{
    json_object(json, "quarantine");
    for (int i = 0; i < snapshot->n_quarantine; i++)
        json_int(json, snapshot->quarantine[i].name, (int64_t)snapshot->quarantine[i].n);
    json_object_end(json);
}

static void score_json(struct json_writer *json, const struct snapshot *snapshot)
{
    json_array(json, "score_bins");
    for (int i = 0; i < SCORE_BINS; i++)
        json_int(json, NULL, (int64_t)snapshot->score_bins[i]);
    json_array_end(json);
}

static void traffic_json(struct json_writer *json, const struct snapshot *snapshot)
{
    json_array(json, "traffic");
    for (int i = 0; i < snapshot->n_arms; i++) {
        const struct arm_status *arm = &snapshot->arms[i];
        json_object(json, NULL);
        json_text(json, "variant", variant_name(arm->variant));
        json_text(json, "role", variant_name(arm->variant));
        json_text(json, "model", arm->model);
        json_text(json, "version", arm->version);
        json_number(json, "share_wanted", arm->share_wanted);
        json_number(json, "share_measured", arm->share_measured);
        json_int(json, "n", (int64_t)arm->n);
        if (arm->variant == VARIANT_SHADOW)
            json_bool(json, "judged", arm->judged);
        latency_json(json, &arm->latency_us);
        json_object_end(json);
    }
    json_array_end(json);
}

static void pairs_json(struct json_writer *json, const struct slo_status *slo)
{
    json_array(json, "pairs");
    for (int i = 0; i < SLO_PAIRS; i++) {
        const struct slo_pair *pair = &slo->pairs[i];
        json_object(json, NULL);
        json_text(json, "long", burn_window_name(pair->wide));
        json_text(json, "short", burn_window_name(pair->narrow));
        json_number(json, "burn", pair->rate);
        json_text(json, "severity", health_name(pair->severity));
        json_bool(json, "fires", pair->fires);
        json_text_or_null(json, "note", pair->note);
        json_object_end(json);
    }
    json_array_end(json);
}

static void forecast_json(struct json_writer *json, const struct slo_forecast *forecast)
{
    json_object(json, "forecast");
    json_time_or_null(json, "runs_out_at", forecast->runs_out_us);
    json_time_or_null(json, "earliest", forecast->earliest_us);
    json_time_or_null(json, "latest", forecast->latest_us);
    if (forecast->basis_us)
        json_int(json, "based_on_s", forecast->basis_us / 1000000);
    else
        json_null(json, "based_on_s");
    json_object_end(json);
}

static void slo_json(struct json_writer *json, const struct slo_status *slo)
{
    json_object(json, NULL);
    json_text(json, "name", slo->name);
    json_number(json, "target", slo->target);
    json_number(json, "attainment", slo->attainment);
    json_number(json, "budget_left", slo->budget_left);
    json_object(json, "burn");
    for (int i = 0; i < BURN_WINDOWS; i++)
        json_number(json, burn_window_name((enum burn_window)i), slo->burn[i]);
    json_object_end(json);
    json_object(json, "bad");
    for (int i = 0; i < BURN_WINDOWS; i++)
        json_int(json, burn_window_name((enum burn_window)i), (int64_t)slo->bad[i]);
    json_object_end(json);
    json_int(json, "n", (int64_t)slo->n);
    json_int(json, "window_s", slo->window_us / 1000000);
    json_int(json, "reach_s", slo->reach_us / 1000000);
    if (slo->latency_limit_us > 0)
        json_int(json, "latency_limit_us", slo->latency_limit_us);
    json_text(json, "state", health_name(slo->state));
    json_time_or_null(json, "since", slo->since_us);
    json_text(json, "unit", slo->unit);
    json_object(json, "counted");
    for (int i = 0; i < BURN_WINDOWS; i++)
        json_int(json, burn_window_name((enum burn_window)i), (int64_t)slo->counted[i]);
    json_object_end(json);
    json_int(json, "min_bad", (int64_t)slo->min_bad);
    json_int(json, "min_counted", (int64_t)slo->min_counted);
    pairs_json(json, slo);
    forecast_json(json, &slo->forecast);
    json_text(json, "sentence", slo->sentence);
    json_object_end(json);
}

static void measures_json(struct json_writer *json, const struct drift_status *drift)
{
    const struct drift_measure *measures = drift->measures;
    json_number(json, "expected_null", measures[DRIFT_PSI].expected);
    json_number(json, "p_value", measures[DRIFT_PSI].p_value);
    json_number(json, "p_adjusted", drift->p_adjusted);
    json_number(json, "js", measures[DRIFT_JS].statistic);
    json_number(json, "chisquare", measures[DRIFT_CHISQUARE].statistic);
    json_number(json, "chisquare_p_value", measures[DRIFT_CHISQUARE].p_value);
    json_number(json, "tvd", measures[DRIFT_TVD].statistic);
    json_number(json, "ks", measures[DRIFT_KS].statistic);
    json_number(json, "ks_p_value", measures[DRIFT_KS].p_value);
    json_number(json, "wasserstein", measures[DRIFT_WASSERSTEIN].statistic);
    json_int(json, "n_sample", (int64_t)drift->n_sample);
    json_number(json, "missing_reference_ratio", drift->missing_reference_ratio);
    json_number(json, "missing_live_ratio", drift->missing_live_ratio);
    json_bool(json, "nulls_risen", drift->nulls_risen);
    json_bool(json, "unseen", drift->unseen);
    json_bool(json, "vanished", drift->vanished);
}

static void verdict_members(struct json_writer *json, const struct drift_verdict *verdict)
{
    json_int(json, "features", verdict->n_features);
    json_int(json, "drifted", verdict->n_drifted);
    json_number(json, "drift_share", verdict->n_features ? verdict->drifted_ratio : (double)NAN);
    if (verdict->n_features)
        json_bool(json, "dataset_drift", verdict->drift);
    else
        json_null(json, "dataset_drift");
}

static void drift_json(struct json_writer *json, const char *key, const struct drift_status *drift)
{
    json_object(json, key);
    json_text(json, "feature", drift->feature);
    json_number(json, "psi", drift->psi);
    json_number(json, "noise", drift->noise);
    json_int(json, "n", (int64_t)drift->n);
    json_int(json, "n_reference", (int64_t)drift->n_reference);
    json_number(json, "threshold", drift->threshold);
    json_text(json, "state", health_name(drift->state));
    json_time_or_null(json, "warm_at", drift->warm_us);
    json_time_or_null(json, "since", drift->since_us);
    measures_json(json, drift);
    json_object_end(json);
}

/* All its features together, its score, and, where it decides, its decisions; null: it has done
 * nothing lately. */
static void variant_drift_json(struct json_writer *json, const char *key,
                               const struct drift_status *list, int n,
                               const struct drift_verdict *verdict,
                               const struct drift_status *decisions)
{
    const struct drift_status *score = drift_find(list, n, "score");
    if (n == 0) {
        json_null(json, key);
        return;
    }
    json_object(json, key);
    verdict_members(json, verdict);
    if (score)
        drift_json(json, "score", score);
    else
        json_null(json, "score");
    if (decisions)
        drift_json(json, "decisions", decisions);
    json_object_end(json);
}

static void alert_json(struct json_writer *json, const struct alert_status *alert)
{
    json_object(json, NULL);
    json_text(json, "name", alert->name);
    json_text(json, "state", alert->state);
    json_text(json, "severity", alert->severity);
    json_text(json, "summary", alert->summary);
    json_time_or_null(json, "since", alert->since_us);
    json_number(json, "value", alert->value);
    json_time_or_null(json, "silent_until", alert->silent_until_us);
    json_text_or_null(json, "acknowledged_by", alert->acknowledged_by);
    json_object_end(json);
}

void snapshot_firing_json(const struct snapshot *snapshot, struct json_writer *json,
                          const char *key)
{
    json_array(json, key);
    for (int i = 0; i < snapshot->n_alerts; i++)
        if (strcmp(snapshot->alerts[i].state, "firing") == 0)
            alert_json(json, &snapshot->alerts[i]);
    json_array_end(json);
}

static void judged_json(struct json_writer *json, const struct snapshot *snapshot)
{
    json_array(json, "slo");
    for (int i = 0; i < snapshot->n_slos; i++)
        slo_json(json, &snapshot->slos[i]);
    json_array_end(json);
    json_array(json, "drift");
    for (int i = 0; i < snapshot->n_drift; i++)
        drift_json(json, NULL, &snapshot->drift[i]);
    json_array_end(json);
    json_object(json, "drift_dataset");
    verdict_members(json, &snapshot->drift_verdict);
    json_object_end(json);
    variant_drift_json(json, "drift_canary", snapshot->canary_drift, snapshot->n_canary_drift,
                       &snapshot->canary_verdict, &snapshot->canary_decision_drift);
    variant_drift_json(json, "drift_shadow", snapshot->shadow_drift, snapshot->n_shadow_drift,
                       &snapshot->shadow_verdict, NULL);
    if (snapshot->decision_drift.feature[0])
        drift_json(json, "drift_decisions", &snapshot->decision_drift);
    else
        json_null(json, "drift_decisions");
    json_array(json, "alerts");
    for (int i = 0; i < snapshot->n_alerts; i++)
        alert_json(json, &snapshot->alerts[i]);
    json_array_end(json);
}

static void recent_json(struct json_writer *json, const struct snapshot *snapshot)
{
    json_array(json, "recent");
    for (int i = 0; i < snapshot->n_recent; i++) {
        const struct recent_decision *recent = &snapshot->recent[i];
        json_object(json, NULL);
        json_text(json, "event_id", recent->event_id);
        json_time(json, "decided_at", recent->decided_at_us);
        json_text(json, "decision", decision_name(recent->decision));
        json_text(json, "variant", variant_name(recent->variant));
        json_float(json, "score", recent->score);
        json_text(json, "rule", recent->rule);
        if (recent->ledger_index == UINT64_MAX)
            json_null(json, "ledger_index");
        else
            json_int(json, "ledger_index", (int64_t)recent->ledger_index);
        json_object_end(json);
    }
    json_array_end(json);
}

static void history_json(struct json_writer *json, const char *key, const struct history *history)
{
    json_array(json, key);
    for (int i = 0; i < history->n; i++)
        json_float(json, NULL, history->points[i]);
    json_array_end(json);
}

static void tiers_json(struct json_writer *json, const struct snapshot *snapshot)
{
    if (snapshot->n_tiers == 0)
        return;
    json_object(json, "tiers");
    for (int i = 0; i < snapshot->n_tiers; i++) {
        json_object(json, snapshot->tiers[i].name);
        json_int(json, "days", (int64_t)snapshot->tiers[i].days);
        json_int(json, "bytes", snapshot->tiers[i].bytes);
        json_object_end(json);
    }
    json_object_end(json);
    json_int(json, "tiers_behind_s", snapshot->tiers_behind_s);
    json_text_or_null(json, "tiers_problem", snapshot->tiers_problem);
}

static void record_json(struct json_writer *json, const struct snapshot *snapshot)
{
    const struct record_status *record = &snapshot->record;
    json_object(json, "ledger");
    json_int(json, "tree_size", (int64_t)snapshot->tree_size);
    json_hex(json, "root", snapshot->root, sizeof snapshot->root);
    json_text(json, "state", record->used ? record_state_name(record->state) : NULL);
    json_text_or_null(json, "problem", record->problem);
    json_time_or_null(json, "not_written_since", record->since_us);
    json_number(json, "not_written_s", record->not_written_s);
    json_time_or_null(json, "last_stop_from", record->last_from_us);
    json_time_or_null(json, "last_stop_to", record->last_to_us);
    json_int(json, "stops", (int64_t)record->stops);
    json_number(json, "stopped_s", record->stopped_s);
    json_int(json, "failed_writes", (int64_t)record->failed_writes);
    json_int(json, "refused", (int64_t)record->refused);
    json_int(json, "unconfirmed", (int64_t)record->unconfirmed);
    json_text(json, "durability", !record->used ? NULL : record->batch_us ? "batch" : "commit");
    json_int(json, "may_lose_us", record->batch_us);
    json_number(json, "commit_us", record->commit_us);
    json_number(json, "wait_us", record->wait_us);
    tiers_json(json, snapshot);
    json_int(json, "reopened", (int64_t)snapshot->ledger_reopened);
    json_int(json, "damaged_files", (int64_t)snapshot->ledger_damaged_files);
    json_int(json, "lost_rows", (int64_t)snapshot->ledger_lost_rows);
    json_text_or_null(json, "damage", snapshot->ledger_damage);
    json_object_end(json);
}

static void clock_json(struct json_writer *json, const struct clock_status *clock)
{
    json_object(json, "machine_clock");
    json_number(json, "ahead_s", clock->ahead_s);
    json_number(json, "behind_record_s", clock->behind_record_s);
    json_number(json, "last_step_s", clock->last_step_s);
    json_time_or_null(json, "last_step_at", clock->last_step_us);
    json_int(json, "steps", (int64_t)clock->steps);
    json_number(json, "future_ratio", clock->future_ratio);
    json_int(json, "future", (int64_t)clock->future);
    json_object_end(json);
}

static void machine_json(struct json_writer *json, const struct snapshot *snapshot)
{
    record_json(json, snapshot);
    clock_json(json, &snapshot->clock);
    json_object(json, "queue");
    json_int(json, "depth", (int64_t)snapshot->queue_depth);
    json_int(json, "capacity", (int64_t)snapshot->queue_capacity);
    json_object_end(json);
    queues_json(&snapshot->queues, json);
    json_object(json, "features");
    json_int(json, "entities", (int64_t)snapshot->feature_entities);
    json_int(json, "bytes", (int64_t)snapshot->feature_bytes);
    json_object_end(json);
    json_object(json, "kept_history");
    json_int(json, "lost_minutes", (int64_t)snapshot->kept.lost_minutes);
    json_int(json, "waiting_minutes", (int64_t)snapshot->kept.waiting);
    json_text_or_null(json, "problem", snapshot->kept.problem);
    json_object_end(json);
    json_object(json, "outbox");
    json_int(json, "waiting", (int64_t)snapshot->outbox.waiting);
    json_int(json, "sent", (int64_t)snapshot->outbox.sent);
    json_int(json, "dead", (int64_t)snapshot->outbox.dead);
    json_time_or_null(json, "oldest", snapshot->outbox.oldest_us);
    json_object_end(json);
    if (snapshot->kafka.used) {
        json_object(json, "kafka");
        json_bool(json, "connected", snapshot->kafka.connected);
        json_int(json, "partitions", (int64_t)snapshot->kafka.partitions);
        json_number(json, "lag", snapshot->kafka.lag);
        json_time_or_null(json, "paused_since", snapshot->kafka.paused_us);
        json_text(json, "paused_why",
                  snapshot->kafka.paused_us > 0 ? snapshot->kafka.paused_why : NULL);
        json_object_end(json);
    }
    json_bool(json, "ready", snapshot->ready);
    json_text(json, "not_ready", snapshot->ready ? NULL : snapshot->not_ready);
}

static void quality_json(struct json_writer *json, const struct quality_status *quality)
{
    if (!quality->used) {
        json_null(json, "quality");
        return;
    }
    json_object(json, "quality");
    json_text(json, "state", health_name(quality->state));
    json_text_or_null(json, "why", quality->why);
    json_int(json, "n", (int64_t)quality->n);
    json_number(json, "missing_ratio", quality->missing_ratio);
    json_number(json, "invalid_ratio", quality->invalid_ratio);
    json_number(json, "duplicate_ratio", quality->duplicate_ratio);
    json_number(json, "age_p95_s", quality->age_p95_s);
    json_number(json, "feature_lag_s", quality->feature_lag_s);
    json_number(json, "volume_per_s", quality->volume_per_s);
    json_number(json, "volume_usual_per_s", quality->volume_usual_per_s);
    json_number(json, "volume_z", quality->volume_z);
    json_int(json, "expectations_failed", (int64_t)quality->expectations_failed);
    json_int(json, "expectations_nodata", (int64_t)quality->expectations_nodata);
    json_int(json, "anomalies", (int64_t)quality->anomalies);
    json_object_end(json);
}

void snapshot_json(const struct snapshot *snapshot, struct buffer *out)
{
    struct json_writer json;
    json_begin(&json, out);
    json_object(&json, NULL);
    json_int(&json, "schema", SCHEMA_VERSION);
    json_int(&json, "seq", (int64_t)snapshot->seq);
    json_time(&json, "time", snapshot->time_us);
    json_time(&json, "started", snapshot->started_us);
    json_text(&json, "clock", snapshot->event_time ? "event" : "wall");
    json_text(&json, "service", snapshot->service);
    json_text(&json, "source", snapshot->source);
    json_bool(&json, "staging", snapshot->staging);
    json_number(&json, "events_per_s", snapshot->events_per_s);
    totals_json(&json, snapshot);
    latency_json(&json, &snapshot->latency_us);
    decisions_json(&json, "decisions", snapshot->decisions);
    decisions_json(&json, "decisions_usual", snapshot->decisions_usual);
    score_json(&json, snapshot);
    reasons_json(&json, snapshot);
    traffic_json(&json, snapshot);
    judged_json(&json, snapshot);
    recent_json(&json, snapshot);
    json_object(&json, "history");
    history_json(&json, "events_per_s", &snapshot->rate_history);
    history_json(&json, "p99_us", &snapshot->p99_history);
    history_json(&json, "decline_share", &snapshot->decline_history);
    json_object_end(&json);
    machine_json(&json, snapshot);
    quality_json(&json, &snapshot->quality);
    if (snapshot->explanation.n_causes > 0)
        explanation_json(&snapshot->explanation, &json, "explanation");
    else
        json_null(&json, "explanation");
    incident_json(&snapshot->incident, &json, "incident");
    performance_status_json(&snapshot->performance, &json);
    json_object_end(&json);
}
