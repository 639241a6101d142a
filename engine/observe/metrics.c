/* /metrics: one row per metric, and a writer that turns the snapshot's numbers into its samples
 * (base units; counters end in _total). Pure functions of a snapshot: any thread. */
#include "engine/observe/metrics.h"

#include <math.h>
#include <string.h>

#include "engine/observe/exposition.h"

struct metric {
    const char *name; /* NULL ends the table */
    enum metric_type type;
    const char *help;
    /* Writes the samples of one metric. */
    void (*write)(const struct metric *metric, const struct snapshot *snapshot, struct buffer *out);
};

/* ---- samples ---- */

static void labelled(const struct metric *metric, struct buffer *out, const char *label,
                     const char *text, double value)
{
    exposition_sample(out, metric->name, "", (const char *[]){label, text, NULL}, value);
}

/* ---- writers ---- */

#define WRITER(writer)                                                                             \
    static void writer(const struct metric *metric, const struct snapshot *snapshot,               \
                       struct buffer *out)

WRITER(write_build)
{
    (void)snapshot;
    labelled(metric, out, "version", BINNACLE_VERSION, 1);
}

WRITER(write_events)
{
    labelled(metric, out, "result", "accepted", (double)snapshot->accepted_total);
    labelled(metric, out, "result", "quarantined", (double)snapshot->quarantined_total);
    labelled(metric, out, "result", "duplicate", (double)snapshot->duplicate_total);
    labelled(metric, out, "result", "error", (double)snapshot->error_total);
}

WRITER(write_decisions)
{
    for (int i = 0; i < DECISION_COUNT; i++)
        labelled(metric, out, "decision", decision_name((enum decision)i),
                 (double)snapshot->decisions_total[i]);
}

WRITER(write_quarantine)
{
    for (int i = 0; i < snapshot->n_quarantine; i++)
        labelled(metric, out, "reason", snapshot->quarantine[i].name,
                 (double)snapshot->quarantine[i].n);
}

WRITER(write_decision_latency)
{
    exposition_latency(out, metric->name, &snapshot->decision_latency);
}

WRITER(write_answer_latency)
{
    exposition_latency(out, metric->name, &snapshot->answer_latency);
}

static void arm_sample(const struct metric *metric, const struct arm_status *arm, double value,
                       struct buffer *out)
{
    const char *labels[] = {
        "variant", variant_name(arm->variant), "model", arm->model, "version", arm->version, NULL};
    exposition_sample(out, metric->name, "", labels, value);
}

WRITER(write_share_wanted)
{
    for (int i = 0; i < snapshot->n_arms; i++)
        arm_sample(metric, &snapshot->arms[i], snapshot->arms[i].share_wanted, out);
}

WRITER(write_share_measured)
{
    for (int i = 0; i < snapshot->n_arms; i++)
        arm_sample(metric, &snapshot->arms[i], snapshot->arms[i].share_measured, out);
}

/* One number of each objective. */
#define OBJECTIVES(writer, member)                                                                 \
    WRITER(writer)                                                                                 \
    {                                                                                              \
        for (int i = 0; i < snapshot->n_slos; i++)                                                 \
            labelled(metric, out, "slo", snapshot->slos[i].name,                                   \
                     (double)snapshot->slos[i].member);                                            \
    }

OBJECTIVES(write_slo_target, target)
OBJECTIVES(write_slo_attainment, attainment)
OBJECTIVES(write_slo_budget, budget_left)
OBJECTIVES(write_slo_events, ever_counted)
OBJECTIVES(write_slo_bad, ever_bad)

WRITER(write_slo_burn)
{
    for (int i = 0; i < snapshot->n_slos; i++) {
        for (int w = 0; w < BURN_WINDOWS; w++) {
            const char *labels[] = {"slo", snapshot->slos[i].name, "window",
                                    burn_window_name((enum burn_window)w), NULL};
            exposition_sample(out, metric->name, "", labels, snapshot->slos[i].burn[w]);
        }
    }
}

/* No sample where it does not run out. */
WRITER(write_slo_runs_out)
{
    for (int i = 0; i < snapshot->n_slos; i++) {
        int64_t at_us = snapshot->slos[i].forecast.runs_out_us;
        if (at_us)
            labelled(metric, out, "slo", snapshot->slos[i].name,
                     (double)(at_us - snapshot->time_us) / 1e6);
    }
}

WRITER(write_psi)
{
    for (int i = 0; i < snapshot->n_drift; i++)
        labelled(metric, out, "feature", snapshot->drift[i].feature, snapshot->drift[i].psi);
}

WRITER(write_psi_noise)
{
    for (int i = 0; i < snapshot->n_drift; i++)
        labelled(metric, out, "feature", snapshot->drift[i].feature, snapshot->drift[i].noise);
}

WRITER(write_performance)
{
    const struct performance_status *performance = &snapshot->performance;
    for (int i = 0; i < performance->n_variants; i++) {
        const struct variant_performance *variant = &performance->variants[i];
        for (int f = 0; f < CLASSIFY_COUNT; f++) {
            const char *labels[] = {"variant", variant->variant, "figure",
                                    classify_name((enum classify_figure)f), NULL};
            exposition_sample(out, metric->name, "", labels, variant->figures.figures[f].value);
        }
    }
}

WRITER(write_label_coverage)
{
    for (int i = 0; i < snapshot->performance.n_variants; i++) {
        const struct variant_performance *variant = &snapshot->performance.variants[i];
        labelled(metric, out, "variant", variant->variant,
                 variant->decided ? (double)variant->labelled / (double)variant->decided : NAN);
    }
}

WRITER(write_label_delay)
{
    for (int i = 0; i < snapshot->performance.n_variants; i++)
        labelled(metric, out, "variant", snapshot->performance.variants[i].variant,
                 snapshot->performance.variants[i].delay_p50_s);
}

WRITER(write_labels)
{
    const struct performance_status *performance = &snapshot->performance;
    if (!performance->used || performance->at_us == 0)
        return;
    labelled(metric, out, "result", "joined", (double)performance->joined);
    labelled(metric, out, "result", "repeated", (double)performance->repeated);
    labelled(metric, out, "result", "corrected", (double)performance->corrected);
    labelled(metric, out, "result", "unmatched", (double)performance->unmatched);
}

WRITER(write_estimates)
{
    if (!snapshot->performance.used || snapshot->performance.at_us == 0)
        return;
    for (int m = 0; m < PERFORMANCE_ESTIMATES; m++)
        labelled(metric, out, "figure", cbpe_name((enum cbpe_metric)m),
                 snapshot->performance.estimates[m].estimated);
}

WRITER(write_concept_drift)
{
    if (snapshot->performance.used && snapshot->performance.at_us)
        labelled(metric, out, "method", snapshot->performance.detector,
                 (double)snapshot->performance.drift_detected);
}

WRITER(write_alerts)
{
    for (int i = 0; i < snapshot->n_alerts; i++) {
        const struct alert_status *alert = &snapshot->alerts[i];
        const char *labels[] = {"alert", alert->name, "severity", alert->severity, NULL};
        exposition_sample(out, metric->name, "", labels, strcmp(alert->state, "firing") == 0);
    }
}

WRITER(write_messages)
{
    labelled(metric, out, "result", "sent", (double)snapshot->outbox.sent);
    labelled(metric, out, "result", "retried", (double)snapshot->outbox.retried);
    labelled(metric, out, "result", "dead", (double)snapshot->outbox.dead);
}

/* One number of each listener. */
#define LISTENERS(writer, member)                                                                  \
    WRITER(writer)                                                                                 \
    {                                                                                              \
        for (int i = 0; i < snapshot->n_listeners; i++)                                            \
            labelled(metric, out, "listener", snapshot->listeners[i].name,                         \
                     (double)snapshot->listeners[i].member);                                       \
    }

LISTENERS(write_http_requests, requests)
LISTENERS(write_http_refused, refused)
LISTENERS(write_http_turned_away, turned_away)
LISTENERS(write_http_hung_up, hung_up)
LISTENERS(write_http_sockets_refused, sockets_refused)
LISTENERS(write_http_missed, frames_missed)
LISTENERS(write_http_connections, connections)
LISTENERS(write_http_sockets, sockets)

/* One number of each place that signed heads are sent to. */
#define HEAD_PLACES(writer, member)                                                                \
    WRITER(writer)                                                                                 \
    {                                                                                              \
        for (int i = 0; i < snapshot->n_head_places; i++)                                          \
            labelled(metric, out, "place", snapshot->head_places[i].name,                          \
                     (double)snapshot->head_places[i].member);                                     \
    }

HEAD_PLACES(write_heads_sent, sent)
HEAD_PLACES(write_heads_failed, failed)
HEAD_PLACES(write_heads_rows, rows_sent)

/* One number of each of the ledger's tiers. */
#define TIERS(writer, member)                                                                      \
    WRITER(writer)                                                                                 \
    {                                                                                              \
        for (int i = 0; i < snapshot->n_tiers; i++)                                                \
            labelled(metric, out, "tier", snapshot->tiers[i].name,                                 \
                     (double)snapshot->tiers[i].member);                                           \
    }

TIERS(write_tier_files, days)
TIERS(write_tier_bytes, bytes)

WRITER(write_tiers_behind)
{
    if (snapshot->n_tiers > 0)
        exposition_sample(out, metric->name, "", NULL, (double)snapshot->tiers_behind_s);
}

/* Only where there is such a source. */
#define KAFKA(writer, value)                                                                       \
    WRITER(writer)                                                                                 \
    {                                                                                              \
        if (snapshot->kafka.used)                                                                  \
            exposition_sample(out, metric->name, "", NULL, (double)(value));                       \
    }

KAFKA(write_kafka_connected, snapshot->kafka.connected)
KAFKA(write_kafka_partitions, snapshot->kafka.partitions)
KAFKA(write_kafka_lag, snapshot->kafka.lag)
KAFKA(write_kafka_paused, snapshot->kafka.paused_us > 0)
KAFKA(write_kafka_reconnects, snapshot->kafka.reconnects)

/* Only where there is a ledger. */
#define RECORD(writer, value)                                                                      \
    WRITER(writer)                                                                                 \
    {                                                                                              \
        if (snapshot->record.used)                                                                 \
            exposition_sample(out, metric->name, "", NULL, (double)(value));                       \
    }

RECORD(write_writing, snapshot->record.state == RECORD_WRITES)
RECORD(write_stops, snapshot->record.stops)
RECORD(write_stopped, snapshot->record.stopped_s)
RECORD(write_failed_writes, snapshot->record.failed_writes)
RECORD(write_refused, snapshot->record.refused)
RECORD(write_unconfirmed, snapshot->record.unconfirmed)
RECORD(write_may_lose, (double)snapshot->record.batch_us / 1e6)
RECORD(write_commit, snapshot->record.commit_us / 1e6)
RECORD(write_queue_wait, snapshot->record.wait_us / 1e6)

/* Plain numbers: one sample without labels. */
#define NUMBER(writer, value)                                                                      \
    WRITER(writer)                                                                                 \
    {                                                                                              \
        exposition_sample(out, metric->name, "", NULL, (double)(value));                           \
    }

NUMBER(write_clock_steps, snapshot->clock.steps)
NUMBER(write_clock_ahead, isnan(snapshot->clock.ahead_s) ? 0 : snapshot->clock.ahead_s)
NUMBER(write_clock_behind,
       isnan(snapshot->clock.behind_record_s) ? 0 : snapshot->clock.behind_record_s)
NUMBER(write_future, snapshot->clock.future_ratio)
NUMBER(write_waiting, snapshot->outbox.waiting)
NUMBER(write_history_lost, snapshot->kept.lost_minutes)
NUMBER(write_history_waiting, snapshot->kept.waiting)
NUMBER(write_tree_size, snapshot->tree_size)
NUMBER(write_reopened, snapshot->ledger_reopened)
NUMBER(write_damaged_files, snapshot->ledger_damaged_files)
NUMBER(write_lost_rows, snapshot->ledger_lost_rows)
NUMBER(write_queue_depth, snapshot->queue_depth)
NUMBER(write_queue_capacity, snapshot->queue_capacity)
/* One number of each other queue between threads. */
#define QUEUES(writer, member)                                                                     \
    WRITER(writer)                                                                                 \
    {                                                                                              \
        for (int i = 0; i < snapshot->queues.n; i++)                                               \
            labelled(metric, out, "queue", snapshot->queues.list[i].name,                          \
                     (double)snapshot->queues.list[i].member);                                     \
    }

QUEUES(write_queues_depth, depth)
QUEUES(write_queues_capacity, capacity)
QUEUES(write_queues_full, full)
NUMBER(write_entities, snapshot->feature_entities)
NUMBER(write_state_bytes, snapshot->feature_bytes)
NUMBER(write_ready, snapshot->ready)
NUMBER(write_clock, (double)snapshot->time_us / 1e6)
NUMBER(write_started, (double)snapshot->started_us / 1e6)

static const struct metric metrics[] = {
    {"binnacle_build_info", METRIC_GAUGE, "Always 1; the labels say what is running.", write_build},
    {"binnacle_ready", METRIC_GAUGE, "1 when decisions can be made, else 0.", write_ready},
    {"binnacle_start_time_seconds", METRIC_GAUGE, "When the service started, on its own clock.",
     write_started},
    {"binnacle_clock_seconds", METRIC_GAUGE,
     "The service's clock; in a replay the events' own time.", write_clock},
    {"binnacle_events_total", METRIC_COUNTER, "Events that came in, by what became of them.",
     write_events},
    {"binnacle_decisions_total", METRIC_COUNTER, "Decisions made, by kind.", write_decisions},
    {"binnacle_quarantine_reasons_total", METRIC_COUNTER,
     "Reasons for quarantine; one event may have several.", write_quarantine},
    {"binnacle_decision_latency_seconds", METRIC_HISTOGRAM,
     "From receiving an event to its decision.", write_decision_latency},
    {"binnacle_answer_latency_seconds", METRIC_HISTOGRAM,
     "From receiving a request to its answer, commit included.", write_answer_latency},
    {"binnacle_traffic_wanted_ratio", METRIC_GAUGE, "Share of the traffic that an arm should get.",
     write_share_wanted},
    {"binnacle_traffic_measured_ratio", METRIC_GAUGE,
     "Share of the last minute's traffic that an arm got.", write_share_measured},
    {"binnacle_slo_target_ratio", METRIC_GAUGE, "Share that must be good.", write_slo_target},
    {"binnacle_slo_attainment_ratio", METRIC_GAUGE,
     "Share that was good over the objective's window.", write_slo_attainment},
    {"binnacle_slo_budget_left_ratio", METRIC_GAUGE,
     "Error budget left: 1 untouched, 0 used up, negative overspent.", write_slo_budget},
    {"binnacle_slo_burn_rate", METRIC_GAUGE, "Error rate over the rate that the target allows.",
     write_slo_burn},
    {"binnacle_slo_events_total", METRIC_COUNTER,
     "Decisions, events, minutes or slices that an objective judged.", write_slo_events},
    {"binnacle_slo_bad_total", METRIC_COUNTER, "Bad ones of them.", write_slo_bad},
    {"binnacle_slo_budget_exhausted_seconds", METRIC_GAUGE,
     "Until the error budget is used up if it goes on as in the last day; absent if it lasts.",
     write_slo_runs_out},
    {"binnacle_drift_psi", METRIC_GAUGE, "Population stability index against the reference.",
     write_psi},
    {"binnacle_drift_psi_noise", METRIC_GAUGE,
     "PSI that samples of this size reach in 5 % of cases without any drift.", write_psi_noise},
    {"binnacle_performance", METRIC_GAUGE,
     "Figures of the decisions whose truth is known: auc, precision, ...", write_performance},
    {"binnacle_performance_estimated", METRIC_GAUGE,
     "Figures of the newest period as expected before its truth is known.", write_estimates},
    {"binnacle_labels_total", METRIC_COUNTER, "Labels by what became of them.", write_labels},
    {"binnacle_label_coverage_ratio", METRIC_GAUGE, "Share of the decisions whose truth is known.",
     write_label_coverage},
    {"binnacle_label_delay_median_seconds", METRIC_GAUGE,
     "From the decision to the arrival of its label.", write_label_delay},
    {"binnacle_concept_drift_detections_total", METRIC_COUNTER,
     "Changes found in the stream of wrong decisions.", write_concept_drift},
    {"binnacle_alert_firing", METRIC_GAUGE,
     "1 while an alert fires, 0 while it is pending or just resolved.", write_alerts},
    {"binnacle_alert_messages_total", METRIC_COUNTER,
     "Alert messages by what became of them; dead ones were given up.", write_messages},
    {"binnacle_alert_messages_waiting", METRIC_GAUGE, "Alert messages that are not delivered yet.",
     write_waiting},
    {"binnacle_ledger_leaves", METRIC_GAUGE, "Committed leaves of the ledger's hash tree.",
     write_tree_size},
    {"binnacle_ledger_tier_files", METRIC_GAUGE,
     "Day files of the ledger, by the tier they are in.", write_tier_files},
    {"binnacle_ledger_tier_bytes", METRIC_GAUGE, "Bytes of the ledger's days, by tier.",
     write_tier_bytes},
    {"binnacle_ledger_tiers_behind_seconds", METRIC_GAUGE,
     "Since all days could last be taken to the tier that is due; 0 while nothing waits.",
     write_tiers_behind},
    {"binnacle_ledger_reopened_total", METRIC_COUNTER,
     "Ledger files closed, checked and opened again after an error from the disk.", write_reopened},
    {"binnacle_ledger_damaged_files_total", METRIC_COUNTER,
     "Day files found damaged; the ledger went on in the next one.", write_damaged_files},
    {"binnacle_ledger_lost_rows_total", METRIC_COUNTER,
     "Rows once committed and known to be gone from damaged files.", write_lost_rows},
    {"binnacle_ledger_queue_rows", METRIC_GAUGE, "Rows waiting to be committed.",
     write_queue_depth},
    {"binnacle_ledger_queue_capacity_rows", METRIC_GAUGE,
     "Rows that may wait before callers are refused.", write_queue_capacity},
    {"binnacle_queue_items", METRIC_GAUGE, "What waits between threads, by queue.",
     write_queues_depth},
    {"binnacle_queue_capacity_items", METRIC_GAUGE, "The most that a queue holds.",
     write_queues_capacity},
    {"binnacle_queue_full_total", METRIC_COUNTER,
     "What a queue left out, gave up or refused because it was full.", write_queues_full},
    {"binnacle_ledger_writing", METRIC_GAUGE,
     "1 while the ledger is written, 0 while the disk refuses.", write_writing},
    {"binnacle_ledger_stops_total", METRIC_COUNTER,
     "How often the ledger could not be written for a while.", write_stops},
    {"binnacle_ledger_not_written_seconds_total", METRIC_COUNTER,
     "How long the ledger could not be written.", write_stopped},
    {"binnacle_ledger_failed_writes_total", METRIC_COUNTER,
     "Commits that failed; each was tried again.", write_failed_writes},
    {"binnacle_ledger_refused_events_total", METRIC_COUNTER,
     "Events turned away undecided with 503, because the ledger took nothing.", write_refused},
    {"binnacle_ledger_unconfirmed_events_total", METRIC_COUNTER,
     "Events decided and queued whose callers got 503, because the disk was too slow; when they "
     "are sent again they get that decision.",
     write_unconfirmed},
    {"binnacle_ledger_may_lose_seconds", METRIC_GAUGE,
     "Durability: 0 when answers wait for the disk, else how much a crash may lose.",
     write_may_lose},
    {"binnacle_ledger_commit_seconds", METRIC_GAUGE,
     "How long a group of rows takes to be on the disk now.", write_commit},
    {"binnacle_ledger_queue_wait_seconds", METRIC_GAUGE,
     "How long what is queued now will take to be on the disk.", write_queue_wait},
    {"binnacle_history_lost_spans_total", METRIC_COUNTER,
     "Minutes of history given up because the disk did not take them.", write_history_lost},
    {"binnacle_history_waiting_spans", METRIC_GAUGE, "Minutes of history counted and not written.",
     write_history_waiting},
    {"binnacle_clock_steps_total", METRIC_COUNTER,
     "How often the machine's clock was set, by a second or more.", write_clock_steps},
    {"binnacle_clock_ahead_seconds", METRIC_GAUGE,
     "How far the service counts ahead of a machine's clock that was set back.", write_clock_ahead},
    {"binnacle_clock_behind_record_seconds", METRIC_GAUGE,
     "How far the machine's clock is behind the newest row.", write_clock_behind},
    {"binnacle_events_future_ratio", METRIC_GAUGE,
     "Share of the last minute's events that were quarantined as lying in the future.",
     write_future},
    {"binnacle_ledger_heads_sent_total", METRIC_COUNTER,
     "Signed heads that a place elsewhere has taken.", write_heads_sent},
    {"binnacle_ledger_heads_failed_total", METRIC_COUNTER,
     "Attempts to send a signed head that failed; the newest one is tried again.",
     write_heads_failed},
    {"binnacle_ledger_heads_leaves", METRIC_GAUGE,
     "Leaves that the last signed head taken elsewhere speaks for.", write_heads_rows},
    {"binnacle_feature_entities", METRIC_GAUGE, "Entities with windows in memory.", write_entities},
    {"binnacle_feature_state_bytes", METRIC_GAUGE, "Memory that the windows take.",
     write_state_bytes},
    {"binnacle_http_requests_total", METRIC_COUNTER, "HTTP requests answered, whatever the status.",
     write_http_requests},
    {"binnacle_http_refused_requests_total", METRIC_COUNTER,
     "HTTP requests refused by the Host and Origin rules.", write_http_refused},
    {"binnacle_http_turned_away_connections_total", METRIC_COUNTER,
     "Connections closed early because all workers were taken; more `workers` help.",
     write_http_turned_away},
    {"binnacle_http_hung_up_connections_total", METRIC_COUNTER,
     "Connections ended because their request did not come, or came too slowly, while others "
     "waited.",
     write_http_hung_up},
    {"binnacle_http_refused_websockets_total", METRIC_COUNTER,
     "Live pages refused because `viewers` were open; they poll instead.",
     write_http_sockets_refused},
    {"binnacle_http_missed_frames_total", METRIC_COUNTER,
     "Live pictures that a slow page never got.", write_http_missed},
    {"binnacle_http_open_connections", METRIC_GAUGE, "Connections that have a worker now.",
     write_http_connections},
    {"binnacle_http_open_websockets", METRIC_GAUGE, "Live pages that are connected now.",
     write_http_sockets},
    {"binnacle_kafka_connected", METRIC_GAUGE, "1 while a broker of the source answers, else 0.",
     write_kafka_connected},
    {"binnacle_kafka_assigned_partitions", METRIC_GAUGE, "Partitions that are this service's now.",
     write_kafka_partitions},
    {"binnacle_kafka_consumer_lag_messages", METRIC_GAUGE,
     "Messages between what was taken and the ends of the partitions; transactions of producers "
     "leave one or two that are never taken.",
     write_kafka_lag},
    {"binnacle_kafka_paused", METRIC_GAUGE,
     "1 while nothing is taken because the disk or the brokers take nothing, else 0.",
     write_kafka_paused},
    {"binnacle_kafka_reconnects_total", METRIC_COUNTER,
     "Connections to the brokers that were opened anew.", write_kafka_reconnects},
    {NULL, METRIC_GAUGE, NULL, NULL},
};

void metrics_text(const struct snapshot *snapshot, struct buffer *out)
{
    for (const struct metric *metric = metrics; metric->name; metric++) {
        exposition_head(out, metric->name, metric->type, metric->help);
        metric->write(metric, snapshot, out);
    }
}
