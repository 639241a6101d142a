/* Snapshot to panels. Each panel has one function; nothing here decides what is healthy, only how
 * it is said. ui/view/attention.c makes the list of what needs a person. Pure functions. */
#include "ui/view/view.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/base/encoding.h"
#include "engine/base/number.h"
#include "ui/view/view_priv.h"

#define UNUSUAL_ERRORS 3.0  /* standard errors between now and usual */
#define UNUSUAL_CHANGE 0.25 /* of the rarer side: less than that is no news, however certain */

void view_copy_name(char *out, size_t size, const char *name)
{
    snprintf(out, size, "%s", name);
    words_plain(out);
}

static void build_split(const struct snapshot *snapshot, char out[VIEW_LINE_SIZE])
{
    const struct arm_status *champion = NULL, *canary = NULL;
    for (int i = 0; i < snapshot->n_arms; i++) {
        const struct arm_status *arm = &snapshot->arms[i];
        if (arm->variant == VARIANT_CHAMPION && !champion)
            champion = arm;
        else if (arm->variant == VARIANT_CANARY && !canary)
            canary = arm;
    }
    char share[WORD_SIZE];
    if (!champion)
        snprintf(out, VIEW_LINE_SIZE, "no model");
    else if (!canary)
        snprintf(out, VIEW_LINE_SIZE, "%s %s", champion->model, champion->version);
    else
        snprintf(out, VIEW_LINE_SIZE, "%s %s → %s %s", champion->model, champion->version,
                 canary->version, words_percent(canary->share_wanted, share));
}

static void count_word(int n, const char *one, const char *many, char out[WORD_SIZE])
{
    if (n == 0)
        snprintf(out, WORD_SIZE, "no %s", many);
    else
        snprintf(out, WORD_SIZE, "%d %s", n, number_noun((uint64_t)n, one, many));
}

/* Whether events can come at all, and how many wait. */
static void build_broker(const struct snapshot *snapshot, struct view_headline *headline)
{
    const struct kafka_status *kafka = &snapshot->kafka;
    char *out = headline->broker, lag[WORD_SIZE];
    if (!kafka->used)
        return;
    headline->broker_lost = !kafka->connected || kafka->paused_us > 0;
    if (view_record_stopped(snapshot)) {
        char since[WORD_SIZE];
        headline->broker_lost = true;
        snprintf(out, VIEW_LINE_SIZE, "kafka paused: the ledger takes no rows since %s",
                 words_time(snapshot->record.since_us, snapshot->time_us, true, since));
        return;
    }
    if (!kafka->connected)
        snprintf(out, VIEW_LINE_SIZE, "kafka: no broker answers");
    else if (kafka->paused_us > 0)
        snprintf(out, VIEW_LINE_SIZE, "kafka paused: %.100s", kafka->paused_why);
    else if (kafka->partitions == 0)
        snprintf(out, VIEW_LINE_SIZE, "kafka, no partition is ours");
    else if (!isfinite(kafka->lag))
        snprintf(out, VIEW_LINE_SIZE, "kafka, lag not known yet");
    else
        snprintf(out, VIEW_LINE_SIZE, "kafka, lag %s", words_count((uint64_t)kafka->lag, lag));
}

static void build_headline(const struct snapshot *snapshot, struct view *view)
{
    struct view_headline *headline = &view->headline;
    view_copy_name(headline->service, sizeof headline->service, snapshot->service);
    view_copy_name(headline->source, sizeof headline->source, snapshot->source);
    headline->stopped =
        !snapshot->ready && (view_record_stopped(snapshot) || view_record_slow(snapshot));
    snprintf(headline->clock_word, sizeof headline->clock_word, "%s",
             headline->stopped      ? "not deciding"
             : snapshot->event_time ? "event time"
             : snapshot->ready      ? "live"
                                    : "starting");
    headline->clock_state = headline->stopped ? HEALTH_PAGE
                            : snapshot->ready ? HEALTH_OK
                                              : HEALTH_NODATA;
    /* Event time is another day than today, so it is always dated. */
    words_time(snapshot->time_us, snapshot->event_time ? 0 : snapshot->time_us, true,
               headline->clock);
    for (int i = 0; i < view->n_attention; i++) {
        enum health severity = view->attention[i].severity;
        headline->n_pages += severity == HEALTH_PAGE;
        headline->n_tickets += severity == HEALTH_TICKET;
    }
    headline->worst = headline->n_pages     ? HEALTH_PAGE
                      : headline->n_tickets ? HEALTH_TICKET
                      : snapshot->ready     ? HEALTH_OK
                                            : HEALTH_NODATA;
    count_word(headline->n_pages, "page", "pages", headline->pages);
    count_word(headline->n_tickets, "ticket", "tickets", headline->tickets);
    build_split(snapshot, headline->split);
    words_plain(headline->split);
    words_rate(snapshot->events_per_s, headline->rate);
    words_duration(snapshot->time_us - snapshot->started_us, headline->uptime);
    build_broker(snapshot, headline);
}

void view_budget(double left, char out[WORD_SIZE])
{
    char share[WORD_SIZE];
    if (!isfinite(left))
        snprintf(out, WORD_SIZE, "%s", words_nodata);
    else if (left < 0)
        snprintf(out, WORD_SIZE, "overspent %.30s", words_percent(round(-100 * left) / 100, share));
    else
        words_percent(round(100 * left) / 100, out);
}

static void build_objectives(const struct snapshot *snapshot, struct view *view)
{
    int64_t lowest_us = INT64_MAX;
    for (int i = 0; i < snapshot->n_slos; i++) {
        int64_t limit_us = snapshot->slos[i].latency_limit_us;
        lowest_us = limit_us > 0 && limit_us < lowest_us ? limit_us : lowest_us;
    }
    view->n_objectives = snapshot->n_slos;
    for (int i = 0; i < snapshot->n_slos; i++) {
        const struct slo_status *slo = &snapshot->slos[i];
        struct view_objective *row = &view->objectives[i];
        row->state = slo->state;
        view_copy_name(row->name, sizeof row->name, slo->name);
        words_share(slo->attainment, slo->n, row->now);
        words_percent(slo->target, row->want);
        row->budget_left = slo->n ? slo->budget_left : NAN;
        view_budget(row->budget_left, row->budget);
        words_burn(slo->burn[BURN_1H], row->burn_1h);
        words_burn(slo->burn[BURN_6H], row->burn_6h);
        words_count(slo->n, row->n);
        view_slo_build(slo, lowest_us, row);
    }
}

static void build_arms(const struct snapshot *snapshot, struct view *view)
{
    uint64_t decided = 0;
    for (int i = 0; i < DECISION_COUNT; i++)
        decided += snapshot->decisions[i];
    view->n_arms = snapshot->n_arms;
    for (int i = 0; i < snapshot->n_arms; i++) {
        const struct arm_status *arm = &snapshot->arms[i];
        struct view_arm *row = &view->arms[i];
        row->variant = arm->variant;
        snprintf(row->model, sizeof row->model, "%s %s", arm->model, arm->version);
        words_plain(row->model);
        snprintf(row->name, sizeof row->name, "%s", arm->model);
        snprintf(row->version, sizeof row->version, "%s", arm->version);
        row->p95_us = arm->latency_us.n ? arm->latency_us.p95 : NAN;
        row->share_wanted = arm->share_wanted;
        row->judged = arm->judged;
        /* None of what was decided is a share; none of nothing is not. */
        row->share_measured = arm->n ? arm->share_measured : decided ? 0 : NAN;
        words_percent(arm->share_wanted, row->wanted);
        words_share(row->share_measured, arm->n ? arm->n : decided, row->measured);
        words_quantile(arm->latency_us.p50, 0.5, arm->latency_us.n, row->p50);
        words_quantile(arm->latency_us.p95, 0.95, arm->latency_us.n, row->p95);
        words_quantile(arm->latency_us.p99, 0.99, arm->latency_us.n, row->p99);
        words_count(arm->n, row->n);
    }
}

/* Two shares of two samples, further apart than chance explains and far enough to matter. */
static bool is_unusual(double now, uint64_t n, double usual, uint64_t n_usual)
{
    if (n == 0 || n_usual == 0)
        return false;
    double pooled = (now * (double)n + usual * (double)n_usual) / ((double)n + (double)n_usual);
    double error = sqrt(pooled * (1 - pooled) * (1 / (double)n + 1 / (double)n_usual));
    double change = fabs(now - usual);
    return error > 0 && change > UNUSUAL_ERRORS * error &&
           change > UNUSUAL_CHANGE * fmin(usual, 1 - usual);
}

static void build_decisions(const struct snapshot *snapshot, struct view *view)
{
    uint64_t n = 0, n_usual = 0;
    for (int i = 0; i < DECISION_COUNT; i++) {
        n += snapshot->decisions[i];
        n_usual += snapshot->decisions_usual[i];
    }
    for (int i = 0; i < DECISION_COUNT; i++) {
        struct view_decision *row = &view->decisions[i];
        row->decision = (enum decision)i;
        row->ratio = n ? (double)snapshot->decisions[i] / (double)n : NAN;
        row->usual_ratio = n_usual ? (double)snapshot->decisions_usual[i] / (double)n_usual : NAN;
        row->unusual = is_unusual(row->ratio, n, row->usual_ratio, n_usual);
        words_share(row->ratio, n, row->share);
        words_share(row->usual_ratio, n_usual, row->usual);
        words_count(snapshot->decisions[i], row->n);
    }
    words_count(n, view->decided);
}

static void build_latency(const struct snapshot *snapshot, struct view *view)
{
    const struct latency_summary *latency = &snapshot->latency_us;
    words_quantile(latency->p50, 0.5, latency->n, view->p50);
    words_quantile(latency->p95, 0.95, latency->n, view->p95);
    words_quantile(latency->p99, 0.99, latency->n, view->p99);
    words_count(latency->n, view->latency_n);
    view->latency_limit_us = NAN;
    for (int i = snapshot->n_slos - 1; i >= 0; i--)
        if (snapshot->slos[i].latency_limit_us > 0)
            view->latency_limit_us = (double)snapshot->slos[i].latency_limit_us;
}

static void build_scores(const struct snapshot *snapshot, struct view *view)
{
    memcpy(view->score_bins, snapshot->score_bins, sizeof view->score_bins);
    for (int i = 0; i < SCORE_BINS; i++) {
        view->scored += snapshot->score_bins[i];
        if (snapshot->score_bins[i] > view->largest_bin)
            view->largest_bin = snapshot->score_bins[i];
    }
    words_count(view->scored, view->scored_text);
}

static void build_recent(const struct snapshot *snapshot, struct view *view)
{
    view->n_recent = snapshot->n_recent;
    for (int i = 0; i < snapshot->n_recent; i++) {
        const struct recent_decision *recent = &snapshot->recent[i];
        struct view_recent *row = &view->recent[i];
        words_time(recent->decided_at_us, snapshot->time_us, true, row->at);
        row->at_us = recent->decided_at_us;
        view_copy_name(row->event_id, sizeof row->event_id, recent->event_id);
        view_copy_name(row->rule, sizeof row->rule, recent->rule);
        row->decision = recent->decision;
        row->variant = recent->variant;
        words_score((double)recent->score, row->score);
        row->ledger_index = recent->ledger_index;
    }
}

static int more_first(const void *left, const void *right)
{
    const struct view_quarantine *a = left, *b = right;
    if (a->count != b->count)
        return a->count < b->count ? 1 : -1;
    return strcmp(a->reason, b->reason);
}

static void build_quarantine(const struct snapshot *snapshot, struct view *view)
{
    uint64_t events = snapshot->events_total;
    for (int i = 0; i < snapshot->n_quarantine; i++) {
        const struct count_status *count = &snapshot->quarantine[i];
        if (count->n == 0)
            continue;
        struct view_quarantine *row = &view->quarantine[view->n_quarantine++];
        view_copy_name(row->reason, sizeof row->reason, count->name);
        row->count = count->n;
        words_count(count->n, row->n);
        words_share(events ? (double)count->n / (double)events : NAN, events, row->share);
    }
    qsort(view->quarantine, (size_t)view->n_quarantine, sizeof *view->quarantine, more_first);
    double share = events ? (double)snapshot->quarantined_total / (double)events : NAN;
    words_share(share, events, view->quarantined);
    words_count(snapshot->quarantined_total, view->quarantined_n);
}

static double newest(const struct history *history)
{
    return history->n ? (double)history->points[history->n - 1] : NAN;
}

static double largest(const struct history *history)
{
    double top = NAN;
    for (int i = 0; i < history->n; i++)
        top = fmax(top, (double)history->points[i]); /* fmax leaves NaN aside */
    return top;
}

static void build_series(const struct snapshot *snapshot, struct view *view)
{
    view->rate = (struct view_series){.name = "events/s", .history = snapshot->rate_history};
    words_rate(newest(&snapshot->rate_history), view->rate.end);
    words_rate(largest(&snapshot->rate_history), view->rate.top);
    view->p99_series = (struct view_series){.name = "p99", .history = snapshot->p99_history};
    words_latency(newest(&snapshot->p99_history), view->p99_series.end);
    words_latency(largest(&snapshot->p99_history), view->p99_series.top);
    view->decline = (struct view_series){.name = "declined", .history = snapshot->decline_history};
    uint64_t n = 0;
    for (int i = 0; i < DECISION_COUNT; i++)
        n += snapshot->decisions[i];
    words_share(newest(&snapshot->decline_history), n, view->decline.end);
    words_share(largest(&snapshot->decline_history), n, view->decline.top);
}

static void build_totals(const struct snapshot *snapshot, struct view *view)
{
    words_count(snapshot->events_total, view->events);
    words_count(snapshot->accepted_total, view->accepted);
    words_count(snapshot->duplicate_total, view->duplicates);
    words_count(snapshot->error_total, view->errors);
    if (snapshot->error_total > 0 && snapshot->events_total > 0)
        words_share((double)snapshot->error_total / (double)snapshot->events_total,
                    snapshot->events_total, view->error_share);
    words_count(snapshot->tree_size, view->tree_size);
    if (snapshot->tree_size)
        hex_encode(snapshot->root, sizeof snapshot->root, view->root);
    char depth[WORD_SIZE], capacity[WORD_SIZE];
    if (snapshot->queue_capacity == 0)
        snprintf(view->queue, sizeof view->queue, "%s", words_nodata);
    else
        snprintf(view->queue, sizeof view->queue, "%.20s of %.20s",
                 words_count(snapshot->queue_depth, depth),
                 words_count(snapshot->queue_capacity, capacity));
    view->queue_ratio = snapshot->queue_capacity
                            ? (double)snapshot->queue_depth / (double)snapshot->queue_capacity
                            : NAN;
    words_count(snapshot->feature_entities, view->entities);
    words_bytes(snapshot->feature_bytes, view->feature_memory);
}

/* Before the first second everything is "no data", never 0. */
static void start_snapshot(struct snapshot *snapshot)
{
    snapshot->events_per_s = NAN;
    snapshot->latency_us = (struct latency_summary){.p50 = NAN, .p95 = NAN, .p99 = NAN};
    snprintf(snapshot->service, sizeof snapshot->service, "binnacle");
    snprintf(snapshot->not_ready, sizeof snapshot->not_ready, "starting");
}

void view_build(const struct snapshot *snapshot, struct view *view)
{
    memset(view, 0, sizeof *view);
    struct snapshot *empty = NULL;
    if (!snapshot) {
        empty = calloc(1, sizeof *empty);
        if (!empty)
            return;
        start_snapshot(empty);
        snapshot = empty;
    }
    view->seq = snapshot->seq;
    view->time_us = snapshot->time_us;
    view->event_time = snapshot->event_time;
    view->ready = snapshot->ready;
    view_copy_name(view->not_ready, sizeof view->not_ready, snapshot->not_ready);
    view_attention_build(snapshot, view);
    build_headline(snapshot, view);
    build_objectives(snapshot, view);
    build_arms(snapshot, view);
    build_decisions(snapshot, view);
    build_latency(snapshot, view);
    build_scores(snapshot, view);
    view_drift_build(snapshot, view);
    build_recent(snapshot, view);
    build_quarantine(snapshot, view);
    build_series(snapshot, view);
    build_totals(snapshot, view);
    view_record_build(snapshot, view);
    free(empty);
}
