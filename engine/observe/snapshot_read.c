/* The JSON of snapshot_json() read back into a snapshot, for screens of another process. What is
 * absent or null is "no data"; members that are not known are passed over, lists that are longer
 * than a snapshot holds are cut. What the JSON does not carry (totals by decision, latency counts)
 * stays zero. Any thread. */
#include "engine/observe/snapshot.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/base/encoding.h"
#include "engine/base/json.h"

#define SCHEMA_VERSION 1

static void read_text(const struct json *object, const char *key, char *out, size_t size)
{
    snprintf(out, size, "%s", json_as_text(json_get(object, key), ""));
}

static uint64_t count_of(const struct json *json)
{
    double number = json_as_number(json, 0);
    return number > 0 && number < 0x1p63 ? (uint64_t)number : 0;
}

static uint64_t read_count(const struct json *object, const char *key)
{
    return count_of(json_get(object, key));
}

static double read_number(const struct json *object, const char *key)
{
    return json_as_number(json_get(object, key), NAN);
}

static int64_t read_time(const struct json *object, const char *key)
{
    int64_t time_us = 0;
    const char *text = json_as_text(json_get(object, key), "");
    return time_parse(slice_of(text), &time_us) ? time_us : 0;
}

static enum health read_health(const struct json *object)
{
    const char *text = json_as_text(json_get(object, "state"), "");
    for (int i = HEALTH_NODATA; i <= HEALTH_PAGE; i++)
        if (strcmp(text, health_name((enum health)i)) == 0)
            return (enum health)i;
    return HEALTH_NODATA;
}

static enum variant read_variant(const struct json *object)
{
    enum variant found = variant_find(json_as_text(json_get(object, "variant"), ""));
    return found == VARIANT_COUNT ? VARIANT_CHAMPION : found;
}

static enum decision read_decision(const struct json *object)
{
    const char *text = json_as_text(json_get(object, "decision"), "");
    for (int i = 0; i < DECISION_COUNT; i++)
        if (strcmp(text, decision_name((enum decision)i)) == 0)
            return (enum decision)i;
    return DECISION_REVIEW;
}

static void read_latency(const struct json *object, struct latency_summary *latency)
{
    const struct json *from = json_get(object, "latency_us");
    latency->p50 = read_number(from, "p50");
    latency->p95 = read_number(from, "p95");
    latency->p99 = read_number(from, "p99");
    latency->n = read_count(from, "n");
}

static void read_decisions(const struct json *object, const char *key,
                           uint64_t counts[DECISION_COUNT])
{
    const struct json *from = json_get(object, key);
    for (int i = 0; i < DECISION_COUNT; i++)
        counts[i] = read_count(from, decision_name((enum decision)i));
}

static void read_arm(const struct json *from, void *to)
{
    struct arm_status *arm = to;
    arm->variant = read_variant(from);
    read_text(from, "model", arm->model, sizeof arm->model);
    read_text(from, "version", arm->version, sizeof arm->version);
    arm->share_wanted = read_number(from, "share_wanted");
    arm->share_measured = read_number(from, "share_measured");
    arm->n = read_count(from, "n");
    arm->judged = json_as_bool(json_get(from, "judged"), false);
    read_latency(from, &arm->latency_us);
}

static enum burn_window read_window(const struct json *from, const char *key)
{
    const char *name = json_as_text(json_get(from, key), "");
    for (int i = 0; i < BURN_WINDOWS; i++) {
        if (strcmp(name, burn_window_name((enum burn_window)i)) == 0)
            return (enum burn_window)i;
    }
    return BURN_5M;
}

static void read_pairs(const struct json *list, struct slo_status *slo)
{
    for (int i = 0; i < SLO_PAIRS; i++) {
        const struct json *from = list ? json_item(list, (size_t)i) : NULL;
        struct slo_pair *pair = &slo->pairs[i];
        pair->wide = read_window(from, "long");
        pair->narrow = read_window(from, "short");
        pair->rate = read_number(from, "burn");
        const char *severity = json_as_text(json_get(from, "severity"), "");
        pair->severity = strcmp(severity, "page") == 0 ? HEALTH_PAGE : HEALTH_TICKET;
        pair->fires = json_as_bool(json_get(from, "fires"), false);
        read_text(from, "note", pair->note, sizeof pair->note);
    }
}

static void read_forecast(const struct json *from, struct slo_forecast *forecast)
{
    forecast->basis_us = (int64_t)read_count(from, "based_on_s") * US_PER_S;
    forecast->runs_out_us = read_time(from, "runs_out_at");
    forecast->earliest_us = read_time(from, "earliest");
    forecast->latest_us = read_time(from, "latest");
}

static void read_slo(const struct json *from, void *to)
{
    struct slo_status *slo = to;
    read_text(from, "name", slo->name, sizeof slo->name);
    slo->target = read_number(from, "target");
    slo->attainment = read_number(from, "attainment");
    slo->budget_left = read_number(from, "budget_left");
    for (int i = 0; i < BURN_WINDOWS; i++) {
        const char *window = burn_window_name((enum burn_window)i);
        slo->burn[i] = read_number(json_get(from, "burn"), window);
        slo->bad[i] = read_count(json_get(from, "bad"), window);
        slo->counted[i] = read_count(json_get(from, "counted"), window);
    }
    slo->n = read_count(from, "n");
    slo->window_us = (int64_t)read_count(from, "window_s") * US_PER_S;
    slo->reach_us = (int64_t)read_count(from, "reach_s") * US_PER_S;
    slo->latency_limit_us = (int64_t)read_count(from, "latency_limit_us");
    slo->state = read_health(from);
    slo->since_us = read_time(from, "since");
    read_text(from, "unit", slo->unit, sizeof slo->unit);
    slo->min_bad = read_count(from, "min_bad");
    slo->min_counted = read_count(from, "min_counted");
    read_pairs(json_get(from, "pairs"), slo);
    read_forecast(json_get(from, "forecast"), &slo->forecast);
    read_text(from, "sentence", slo->sentence, sizeof slo->sentence);
}

static void read_drift(const struct json *from, void *to)
{
    struct drift_status *drift = to;
    read_text(from, "feature", drift->feature, sizeof drift->feature);
    drift->psi = read_number(from, "psi");
    drift->noise = read_number(from, "noise");
    drift->threshold = read_number(from, "threshold");
    drift->n = read_count(from, "n");
    drift->n_reference = read_count(from, "n_reference");
    drift->state = read_health(from);
    drift->warm_us = read_time(from, "warm_at");
    drift->since_us = read_time(from, "since");
    drift->p_adjusted = read_number(from, "p_adjusted");
    drift->missing_reference_ratio = read_number(from, "missing_reference_ratio");
    drift->missing_live_ratio = read_number(from, "missing_live_ratio");
    drift->nulls_risen = json_as_bool(json_get(from, "nulls_risen"), false);
    struct drift_measure *measures = drift->measures;
    for (int i = 0; i < DRIFT_METHODS; i++)
        measures[i] = (struct drift_measure){NAN, NAN, NAN};
    measures[DRIFT_PSI] = (struct drift_measure){drift->psi, read_number(from, "expected_null"),
                                                 read_number(from, "p_value")};
    measures[DRIFT_JS].statistic = read_number(from, "js");
    measures[DRIFT_CHISQUARE].statistic = read_number(from, "chisquare");
    measures[DRIFT_CHISQUARE].p_value = read_number(from, "chisquare_p_value");
    measures[DRIFT_TVD].statistic = read_number(from, "tvd");
    measures[DRIFT_KS].statistic = read_number(from, "ks");
    measures[DRIFT_KS].p_value = read_number(from, "ks_p_value");
    measures[DRIFT_WASSERSTEIN].statistic = read_number(from, "wasserstein");
    drift->n_sample = read_count(from, "n_sample");
    drift->unseen = json_as_bool(json_get(from, "unseen"), false);
    drift->vanished = json_as_bool(json_get(from, "vanished"), false);
}

static void read_verdict(const struct json *from, struct drift_verdict *verdict)
{
    verdict->n_features = (int)read_count(from, "features");
    verdict->n_drifted = (int)read_count(from, "drifted");
    verdict->drifted_ratio = read_number(from, "drift_share");
    verdict->drift = json_as_bool(json_get(from, "dataset_drift"), false);
}

/* Of the features only the score is told. Returns how many are listed. */
static int read_variant_drift(const struct json *from, struct drift_status *list,
                              struct drift_verdict *verdict)
{
    const struct json *score = json_get(from, "score");
    if (!json_get(score, "feature"))
        return 0;
    read_verdict(from, verdict);
    read_drift(score, &list[0]);
    return 1;
}

static void read_decision_drift(const struct json *from, struct drift_status *drift)
{
    if (json_get(from, "feature"))
        read_drift(from, drift);
}

static void read_alert(const struct json *from, void *to)
{
    struct alert_status *alert = to;
    read_text(from, "name", alert->name, sizeof alert->name);
    read_text(from, "state", alert->state, sizeof alert->state);
    read_text(from, "severity", alert->severity, sizeof alert->severity);
    read_text(from, "summary", alert->summary, sizeof alert->summary);
    alert->since_us = read_time(from, "since");
    alert->value = read_number(from, "value");
    alert->silent_until_us = read_time(from, "silent_until");
    read_text(from, "acknowledged_by", alert->acknowledged_by, sizeof alert->acknowledged_by);
}

static void read_recent(const struct json *from, void *to)
{
    struct recent_decision *recent = to;
    read_text(from, "event_id", recent->event_id, sizeof recent->event_id);
    recent->decided_at_us = read_time(from, "decided_at");
    recent->decision = read_decision(from);
    recent->variant = read_variant(from);
    recent->score = (float)read_number(from, "score");
    read_text(from, "rule", recent->rule, sizeof recent->rule);
    const struct json *index = json_get(from, "ledger_index");
    recent->ledger_index = index && json_kind(index) == JSON_NUMBER ? count_of(index) : UINT64_MAX;
}

static void read_reason(const struct json *from, void *to)
{
    struct count_status *count = to;
    snprintf(count->name, sizeof count->name, "%s", json_item_key(from));
    count->n = count_of(from);
}

/* Fills `list` from a JSON list or an object's members; returns how many. */
static int read_list(const struct json *object, const char *key,
                     void (*read)(const struct json *from, void *to), void *list, size_t size,
                     int maximum)
{
    const struct json *from = json_get(object, key);
    int n = 0;
    for (const struct json *item = from ? json_first(from) : NULL; item && n < maximum;
         item = json_next(item))
        read(item, (char *)list + size * (size_t)n++);
    return n;
}

#define READ_LIST(object, key, read, list)                                                         \
    read_list(object, key, read, list, sizeof *(list), (int)(sizeof(list) / sizeof *(list)))

static void read_history(const struct json *object, const char *key, struct history *history)
{
    const struct json *from = json_get(json_get(object, "history"), key);
    for (const struct json *item = from ? json_first(from) : NULL;
         item && history->n < HISTORY_POINTS; item = json_next(item))
        history->points[history->n++] = (float)json_as_number(item, NAN);
}

static void read_bins(const struct json *object, uint64_t bins[SCORE_BINS])
{
    const struct json *from = json_get(object, "score_bins");
    int n = 0;
    for (const struct json *item = from ? json_first(from) : NULL; item && n < SCORE_BINS;
         item = json_next(item))
        bins[n++] = count_of(item);
}

static void read_head(const struct json *from, struct snapshot *snapshot)
{
    snapshot->seq = read_count(from, "seq");
    snapshot->time_us = read_time(from, "time");
    snapshot->started_us = read_time(from, "started");
    snapshot->event_time = strcmp(json_as_text(json_get(from, "clock"), ""), "event") == 0;
    read_text(from, "service", snapshot->service, sizeof snapshot->service);
    read_text(from, "source", snapshot->source, sizeof snapshot->source);
    snapshot->events_per_s = read_number(from, "events_per_s");
    const struct json *totals = json_get(from, "totals");
    snapshot->events_total = read_count(totals, "events");
    snapshot->accepted_total = read_count(totals, "accepted");
    snapshot->quarantined_total = read_count(totals, "quarantined");
    snapshot->duplicate_total = read_count(totals, "duplicates");
    snapshot->error_total = read_count(totals, "errors");
    snapshot->ready = json_as_bool(json_get(from, "ready"), false);
    read_text(from, "not_ready", snapshot->not_ready, sizeof snapshot->not_ready);
}

static enum record_state read_record_state(const char *name)
{
    for (enum record_state state = RECORD_WRITES; state <= RECORD_FAILED; state++) {
        if (strcmp(name, record_state_name(state)) == 0)
            return state;
    }
    return RECORD_WRITES;
}

static void read_record(const struct json *ledger, struct record_status *record)
{
    const char *state = json_as_text(json_get(ledger, "state"), NULL);
    *record = (struct record_status){
        .used = state != NULL,
        .state = state ? read_record_state(state) : RECORD_WRITES,
        .since_us = read_time(ledger, "not_written_since"),
        .not_written_s = read_number(ledger, "not_written_s"),
        .last_from_us = read_time(ledger, "last_stop_from"),
        .last_to_us = read_time(ledger, "last_stop_to"),
        .stops = read_count(ledger, "stops"),
        .stopped_s = read_number(ledger, "stopped_s"),
        .failed_writes = read_count(ledger, "failed_writes"),
        .refused = read_count(ledger, "refused"),
        .unconfirmed = read_count(ledger, "unconfirmed"),
        .batch_us = (int64_t)read_count(ledger, "may_lose_us"),
        .commit_us = read_number(ledger, "commit_us"),
        .wait_us = read_number(ledger, "wait_us"),
    };
    read_text(ledger, "problem", record->problem, sizeof record->problem);
}

static void read_clock(const struct json *from, struct clock_status *clock)
{
    *clock = (struct clock_status){
        .ahead_s = read_number(from, "ahead_s"),
        .behind_record_s = read_number(from, "behind_record_s"),
        .last_step_s = read_number(from, "last_step_s"),
        .last_step_us = read_time(from, "last_step_at"),
        .steps = read_count(from, "steps"),
        .future_ratio = read_number(from, "future_ratio"),
        .future = read_count(from, "future"),
    };
}

static void read_tiers(const struct json *ledger, struct snapshot *snapshot)
{
    const struct json *tiers = json_get(ledger, "tiers");
    for (const struct json *from = json_first(tiers); from && snapshot->n_tiers < MAX_TIERS;
         from = json_next(from)) {
        struct tier_status *tier = &snapshot->tiers[snapshot->n_tiers++];
        snprintf(tier->name, sizeof tier->name, "%s", json_item_key(from));
        tier->days = read_count(from, "days");
        tier->bytes = (int64_t)read_count(from, "bytes");
    }
    snapshot->tiers_behind_s = (int64_t)read_count(ledger, "tiers_behind_s");
    read_text(ledger, "tiers_problem", snapshot->tiers_problem, sizeof snapshot->tiers_problem);
}

static void read_machine(const struct json *from, struct snapshot *snapshot)
{
    const struct json *ledger = json_get(from, "ledger"), *queue = json_get(from, "queue");
    const struct json *features = json_get(from, "features"), *outbox = json_get(from, "outbox");
    snapshot->tree_size = read_count(ledger, "tree_size");
    const char *root = json_as_text(json_get(ledger, "root"), "");
    if (!hex_decode(slice_of(root), snapshot->root, sizeof snapshot->root))
        memset(snapshot->root, 0, sizeof snapshot->root);
    read_record(ledger, &snapshot->record);
    read_clock(json_get(from, "machine_clock"), &snapshot->clock);
    const struct json *kept = json_get(from, "kept_history");
    snapshot->kept.lost_minutes = read_count(kept, "lost_minutes");
    snapshot->kept.waiting = read_count(kept, "waiting_minutes");
    read_text(kept, "problem", snapshot->kept.problem, sizeof snapshot->kept.problem);
    read_tiers(ledger, snapshot);
    snapshot->ledger_reopened = read_count(ledger, "reopened");
    snapshot->ledger_damaged_files = read_count(ledger, "damaged_files");
    snapshot->ledger_lost_rows = read_count(ledger, "lost_rows");
    read_text(ledger, "damage", snapshot->ledger_damage, sizeof snapshot->ledger_damage);
    snapshot->queue_depth = read_count(queue, "depth");
    snapshot->queue_capacity = read_count(queue, "capacity");
    queues_read(json_get(from, "queues"), &snapshot->queues);
    snapshot->feature_entities = read_count(features, "entities");
    snapshot->feature_bytes = read_count(features, "bytes");
    snapshot->outbox.waiting = read_count(outbox, "waiting");
    snapshot->outbox.sent = read_count(outbox, "sent");
    snapshot->outbox.dead = read_count(outbox, "dead");
    snapshot->outbox.oldest_us = read_time(outbox, "oldest");
    const struct json *kafka = json_get(from, "kafka");
    snapshot->kafka = (struct kafka_status){
        .used = kafka != NULL,
        .connected = json_as_bool(json_get(kafka, "connected"), false),
        .partitions = read_count(kafka, "partitions"),
        .lag = read_number(kafka, "lag"),
        .paused_us = read_time(kafka, "paused_since"),
    };
    read_text(kafka, "paused_why", snapshot->kafka.paused_why, sizeof snapshot->kafka.paused_why);
}

static void read_quality(const struct json *from, struct quality_status *quality)
{
    *quality = (struct quality_status){
        .used = json_first(from) != NULL,
        .state = read_health(from),
        .n = read_count(from, "n"),
        .missing_ratio = read_number(from, "missing_ratio"),
        .invalid_ratio = read_number(from, "invalid_ratio"),
        .duplicate_ratio = read_number(from, "duplicate_ratio"),
        .age_p95_s = read_number(from, "age_p95_s"),
        .feature_lag_s = read_number(from, "feature_lag_s"),
        .volume_per_s = read_number(from, "volume_per_s"),
        .volume_usual_per_s = read_number(from, "volume_usual_per_s"),
        .volume_z = read_number(from, "volume_z"),
        .expectations_failed = read_count(from, "expectations_failed"),
        .expectations_nodata = read_count(from, "expectations_nodata"),
        .anomalies = read_count(from, "anomalies"),
    };
    read_text(from, "why", quality->why, sizeof quality->why);
}

static void read_all_drift(const struct json *from, struct snapshot *snapshot)
{
    const struct json *canary = json_get(from, "drift_canary");
    snapshot->n_drift = READ_LIST(from, "drift", read_drift, snapshot->drift);
    read_verdict(json_get(from, "drift_dataset"), &snapshot->drift_verdict);
    read_decision_drift(json_get(from, "drift_decisions"), &snapshot->decision_drift);
    snapshot->n_canary_drift =
        read_variant_drift(canary, snapshot->canary_drift, &snapshot->canary_verdict);
    read_decision_drift(json_get(canary, "decisions"), &snapshot->canary_decision_drift);
    snapshot->n_shadow_drift = read_variant_drift(
        json_get(from, "drift_shadow"), snapshot->shadow_drift, &snapshot->shadow_verdict);
}

static void read_all(const struct json *from, struct snapshot *snapshot)
{
    memset(snapshot, 0, sizeof *snapshot);
    read_head(from, snapshot);
    read_latency(from, &snapshot->latency_us);
    read_decisions(from, "decisions", snapshot->decisions);
    read_decisions(from, "decisions_usual", snapshot->decisions_usual);
    read_bins(from, snapshot->score_bins);
    snapshot->n_quarantine = READ_LIST(from, "quarantine", read_reason, snapshot->quarantine);
    snapshot->n_arms = READ_LIST(from, "traffic", read_arm, snapshot->arms);
    snapshot->n_slos = READ_LIST(from, "slo", read_slo, snapshot->slos);
    read_all_drift(from, snapshot);
    snapshot->n_alerts = READ_LIST(from, "alerts", read_alert, snapshot->alerts);
    snapshot->n_recent = READ_LIST(from, "recent", read_recent, snapshot->recent);
    read_history(from, "events_per_s", &snapshot->rate_history);
    read_history(from, "p99_us", &snapshot->p99_history);
    read_history(from, "decline_share", &snapshot->decline_history);
    read_machine(from, snapshot);
    read_quality(json_get(from, "quality"), &snapshot->quality);
    explanation_read(json_get(from, "explanation"), &snapshot->explanation);
    incident_read(json_get(from, "incident"), &snapshot->incident);
}

enum status snapshot_read(struct slice text, struct snapshot *snapshot, struct error *error)
{
    struct json *document = NULL;
    enum status status = json_parse(text, &document, error);
    if (status != STATUS_OK)
        return error_prefix(error, "snapshot");
    double schema = json_as_number(json_get(document, "schema"), 0);
    if (schema == SCHEMA_VERSION)
        read_all(document, snapshot);
    else
        status = error_set(error, STATUS_UNSUPPORTED,
                           "the answer is no snapshot of schema %d: is this a binnacle, and of "
                           "this version?",
                           SCHEMA_VERSION);
    json_destroy(document);
    return status;
}
