/* What needs a person, worst first: objectives that burn, drift beyond its limit, data that is not
 * sound, alerts that fire, and what stops the service itself. Each item says what, since when, how
 * fast, what probably causes it and what to do, as far as the snapshot knows. Pure functions. */
#include "ui/view/view_priv.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/base/number.h"
#include "engine/monitor/slo.h"

#define SLOW_CANARY     1.5  /* times the champion's p95: then the canary is named as a cause */
#define QUEUE_TICKET    0.8  /* of its capacity */
#define LATENCY_MINIMUM 100u /* requests behind a p95 that is compared */
#define FUTURE_PAGE     0.5  /* of the events quarantined as lying in the future */
#define CLOCK_TICKET_S  5.0  /* the machine's clock is away from ours, or was set by so much */
#define STEP_SHOWN_US   (15 * US_PER_MIN)
#define STARTING_US     US_PER_MIN /* so long not being ready is nothing to get up for */

static const struct arm_status *find_arm(const struct snapshot *snapshot, enum variant variant)
{
    for (int i = 0; i < snapshot->n_arms; i++) {
        if (snapshot->arms[i].variant == variant)
            return &snapshot->arms[i];
    }
    return NULL;
}

/* A canary much slower than the champion explains burnt latency better than anything else here. */
static void blame_canary(const struct snapshot *snapshot, struct view_attention *item)
{
    const struct arm_status *champion = find_arm(snapshot, VARIANT_CHAMPION);
    const struct arm_status *canary = find_arm(snapshot, VARIANT_CANARY);
    if (!champion || !canary || champion->latency_us.n < LATENCY_MINIMUM ||
        canary->latency_us.n < LATENCY_MINIMUM ||
        !(canary->latency_us.p95 > SLOW_CANARY * champion->latency_us.p95))
        return;
    char slow[WORD_SIZE], usual[WORD_SIZE], share[WORD_SIZE];
    view_attention_say(item, "cause",
                       "canary %s %s: p95 %s, champion %s; it gets %s of the traffic",
                       canary->model, canary->version, words_latency(canary->latency_us.p95, slow),
                       words_latency(champion->latency_us.p95, usual),
                       words_share(canary->share_measured, canary->n, share));
    view_attention_say(item, "do", "roll the canary back: binnacle traffic set canary=0");
}

/* "6 min there are" */
static const char *there_are(const struct slo_status *slo, char out[WORD_SIZE])
{
    char span[WORD_SIZE];
    snprintf(out, WORD_SIZE, "%.20s there are", words_duration(slo->reach_us, span));
    return out;
}

/* At this hour's burn rate, when the rest of the budget will be gone. */
static void say_budget(const struct slo_status *slo, struct view_attention *item)
{
    char budget[WORD_SIZE], gone[WORD_SIZE];
    view_budget(slo->budget_left, budget);
    double left_us = view_slo_left_us(slo);
    if (isfinite(left_us)) {
        view_attention_say(item, "budget", "%s left: gone in %s at this rate", budget,
                           words_duration((int64_t)left_us, gone));
    } else if (isfinite(slo->budget_left)) {
        bool whole = !view_slo_is_short(slo, slo->window_us);
        view_attention_say(item, "budget", "%s%s%s%s", budget, slo->budget_left < 0 ? "" : " left",
                           whole ? "" : ", over the ", whole ? "" : there_are(slo, gone));
    }
}

/* The pair of windows that fits the severity: fast burn pages, slow burn makes tickets. Windows
 * that hold no more than there is of both say the same. */
static void say_burn(const struct slo_status *slo, struct view_attention *item)
{
    bool page = slo->state == HEALTH_PAGE;
    enum burn_window wide = page ? BURN_1H : BURN_1D, narrow = page ? BURN_5M : BURN_6H;
    char slow[WORD_SIZE], fast[WORD_SIZE], span[WORD_SIZE];
    words_burn(slo->burn[wide], slow);
    words_burn(slo->burn[narrow], fast);
    if (view_slo_is_short(slo, burn_window_us(narrow)))
        view_attention_say(item, "burning", "%s over the %s", slow, there_are(slo, span));
    else if (view_slo_is_short(slo, burn_window_us(wide)))
        view_attention_say(item, "burning", "%s over the %s, %s over %s", slow,
                           there_are(slo, span), fast, burn_window_name(narrow));
    else
        view_attention_say(item, "burning", "%s over %s, %s over %s", slow, burn_window_name(wide),
                           fast, burn_window_name(narrow));
}

static void add_objective(const struct snapshot *snapshot, const struct slo_status *slo,
                          struct view *view)
{
    struct view_attention *item = view_attention_add(view, snapshot, slo->state, slo->since_us);
    if (!item)
        return;
    char now[WORD_SIZE], want[WORD_SIZE], slow[WORD_SIZE];
    if (slo->latency_limit_us > 0)
        snprintf(item->title, sizeof item->title, "%s %s under %s, want %s", slo->name,
                 words_share(slo->attainment, slo->n, now),
                 words_latency((double)slo->latency_limit_us, slow),
                 words_percent(slo->target, want));
    else
        snprintf(item->title, sizeof item->title, "%s %s, want %s", slo->name,
                 words_share(slo->attainment, slo->n, now), words_percent(slo->target, want));
    snprintf(item->objective, sizeof item->objective, "%s", slo->name);
    say_burn(slo, item);
    say_budget(slo, item);
    if (strcmp(slo->name, "latency") == 0)
        blame_canary(snapshot, item);
}

static void add_drift(const struct snapshot *snapshot, const struct drift_status *drift,
                      struct view *view)
{
    struct view_attention *item = view_attention_add(view, snapshot, drift->state, 0);
    if (!item)
        return;
    char psi[WORD_SIZE], noise[WORD_SIZE], limit[WORD_SIZE], n[WORD_SIZE];
    snprintf(item->feature, sizeof item->feature, "%s", drift->feature);
    snprintf(item->title, sizeof item->title, "%s drifts: PSI %s of %s", drift->feature,
             words_statistic(drift->psi, drift->noise, psi),
             words_statistic(drift->threshold, 0.1, limit));
    view_attention_say(
        item, "noise", "no drift at all gives up to %s at n = %s (95 %% of the time)",
        words_statistic(drift->noise, drift->noise, noise), words_count(drift->n, n));
}

static const struct slo_status *objective_of(const struct snapshot *snapshot, const char *alert)
{
    for (int i = 0; i < snapshot->n_slos; i++) {
        const struct slo_status *slo = &snapshot->slos[i];
        size_t size = strlen(slo->name);
        if (size > 0 && strncmp(alert, slo->name, size) == 0 &&
            (alert[size] == '\0' || strchr("-_. ", alert[size])) && slo->state >= HEALTH_TICKET)
            return slo;
    }
    return NULL;
}

static const char *const quality_alerts[] = {"data-quality",
                                             "data-quality-ticket"}; /* worse first */
#define QUALITY_ALERTS (sizeof quality_alerts / sizeof *quality_alerts)

static const struct alert_status *quality_alert(const struct snapshot *snapshot)
{
    for (size_t i = 0; i < QUALITY_ALERTS; i++) {
        for (int j = 0; j < snapshot->n_alerts; j++) {
            const struct alert_status *alert = &snapshot->alerts[j];
            if (strcmp(alert->name, quality_alerts[i]) == 0 && strcmp(alert->state, "firing") == 0)
                return alert;
        }
    }
    return NULL;
}

static bool is_quality_alert(const char *name)
{
    for (size_t i = 0; i < QUALITY_ALERTS; i++) {
        if (strcmp(name, quality_alerts[i]) == 0)
            return true;
    }
    return false;
}

static bool is_quality_told(const struct snapshot *snapshot)
{
    return snapshot->quality.used && snapshot->quality.state >= HEALTH_TICKET;
}

/* Told at once; the alert about it, which waits a minute, then says since when. */
static void add_quality(const struct snapshot *snapshot, struct view *view)
{
    if (!is_quality_told(snapshot))
        return;
    const struct quality_status *quality = &snapshot->quality;
    const struct alert_status *alert = quality_alert(snapshot);
    bool page = quality->state == HEALTH_PAGE || (alert && strcmp(alert->severity, "page") == 0);
    struct view_attention *item = view_attention_add(
        view, snapshot, page ? HEALTH_PAGE : HEALTH_TICKET, alert ? alert->since_us : 0);
    char n[WORD_SIZE];
    if (!item)
        return;
    item->quality = true;
    snprintf(item->title, sizeof item->title, "data: %.230s", quality->why);
    if (alert)
        snprintf(item->alert, sizeof item->alert, "%s", alert->name);
    if (quality->n > 0)
        view_attention_say(item, "counted", "by %s %s of the last minutes, against those before",
                           words_count(quality->n, n), number_noun(quality->n, "event", "events"));
    if (quality->expectations_failed > 0)
        view_attention_say(
            item, "checks", "%s of the expectations %s",
            words_count(quality->expectations_failed, n),
            number_noun(quality->expectations_failed, "does not hold", "do not hold"));
    view_attention_say(item, "do", "see the quality view for every field, then ask who sends it");
}

/* An alert about an objective that is in the list already adds its words to that item. */
static void add_alert(const struct snapshot *snapshot, const struct alert_status *alert,
                      struct view *view)
{
    if (strcmp(alert->state, "firing") != 0)
        return;
    const struct slo_status *slo = objective_of(snapshot, alert->name);
    for (int i = 0; slo && i < view->n_attention; i++) {
        struct view_attention *item = &view->attention[i];
        size_t size = strlen(slo->name);
        if (strncmp(item->title, slo->name, size) == 0 && item->title[size] == ' ') {
            view_attention_say(item, "alert", "%s: %s", alert->name, alert->summary);
            snprintf(item->alert, sizeof item->alert, "%s", alert->name);
            return;
        }
    }
    if ((view_record_stopped(snapshot) && strcmp(alert->name, "ledger-not-written") == 0) ||
        (view_record_slow(snapshot) && strcmp(alert->name, "ledger-slow") == 0) ||
        (snapshot->clock.future_ratio > FUTURE_PAGE && strcmp(alert->name, "clock-behind") == 0) ||
        (is_quality_told(snapshot) && is_quality_alert(alert->name)))
        return; /* it is in the list with more words */
    enum health severity = strcmp(alert->severity, "page") == 0 ? HEALTH_PAGE : HEALTH_TICKET;
    struct view_attention *item = view_attention_add(view, snapshot, severity, alert->since_us);
    if (!item)
        return;
    snprintf(item->title, sizeof item->title, "%s", alert->name);
    snprintf(item->alert, sizeof item->alert, "%s", alert->name);
    if (alert->summary[0])
        view_attention_say(item, "alert", "%s", alert->summary);
}

static void add_start(const struct snapshot *snapshot, struct view *view)
{
    if (snapshot->ready || snapshot->seq == 0 || view_record_stopped(snapshot) ||
        view_record_slow(snapshot))
        return;
    bool starting = snapshot->time_us - snapshot->started_us < STARTING_US;
    struct view_attention *item =
        view_attention_add(view, snapshot, starting ? HEALTH_NODATA : HEALTH_PAGE, 0);
    if (!item)
        return;
    snprintf(item->title, sizeof item->title,
             starting ? "starting" : "not ready: no decisions are made");
    view_attention_say(item, "cause", "%s", snapshot->not_ready);
}

static void add_broker(const struct snapshot *snapshot, struct view *view)
{
    if (!snapshot->kafka.used || snapshot->kafka.connected ||
        snapshot->time_us - snapshot->started_us < STARTING_US)
        return;
    struct view_attention *item = view_attention_add(view, snapshot, HEALTH_TICKET, 0);
    if (!item)
        return;
    snprintf(item->title, sizeof item->title, "no broker answers: no events come in");
    view_attention_say(item, "do",
                       "nothing is lost; look at the brokers: binnacle doctor --config DIR");
}

/* A ledger that is not written has a page of its own. */
static void add_pause(const struct snapshot *snapshot, struct view *view)
{
    const struct kafka_status *kafka = &snapshot->kafka;
    if (!kafka->used || !kafka->connected || kafka->paused_us == 0 || view_record_stopped(snapshot))
        return;
    struct view_attention *item =
        view_attention_add(view, snapshot, HEALTH_TICKET, kafka->paused_us);
    if (!item)
        return;
    snprintf(item->title, sizeof item->title, "the topic is not read: there is no room");
    view_attention_say(item, "cause", "%s", kafka->paused_why);
    view_attention_say(item, "do",
                       "nothing is lost; it goes on by itself when the disk and the brokers do");
}

/* What became of events meanwhile, by who brings them. */
static void say_loss(const struct snapshot *snapshot, struct view_attention *item)
{
    const struct record_status *record = &snapshot->record;
    char refused[WORD_SIZE], unconfirmed[WORD_SIZE], waiting[WORD_SIZE];
    if (strcmp(snapshot->source, "http") != 0)
        view_attention_say(item, "source", "%s is paused and goes on where it stopped",
                           snapshot->source);
    view_attention_say(
        item, "loss", "nothing that was answered; %s refused with 503, %s unconfirmed",
        words_count(record->refused, refused), words_count(record->unconfirmed, unconfirmed));
    if (snapshot->queue_depth > 0)
        view_attention_say(item, "waiting", "%s %s in memory, written as soon as that is possible",
                           words_count(snapshot->queue_depth, waiting),
                           number_noun(snapshot->queue_depth, "row", "rows"));
}

static void add_stopped_ledger(const struct snapshot *snapshot, struct view *view)
{
    const struct record_status *record = &snapshot->record;
    struct view_attention *item = view_attention_add(view, snapshot, HEALTH_PAGE, record->since_us);
    if (!item)
        return;
    bool failed = record->state == RECORD_FAILED;
    bool full = strstr(record->problem, "full") || strstr(record->problem, "space");
    snprintf(item->title, sizeof item->title, "the ledger is not written: nothing is decided");
    view_attention_say(item, "cause", "%s", record->problem);
    say_loss(snapshot, item);
    view_attention_say(
        item, "do", "%s",
        failed ? "see what `binnacle doctor --ledger DIR` says of the folder and mend it"
        : full ? "make room there, delete nothing of the ledger; it goes on within seconds by "
                 "itself"
               : "mend the disk, the mount or its rights; it goes on within seconds by itself");
}

static void add_slow_ledger(const struct snapshot *snapshot, struct view *view)
{
    const struct record_status *record = &snapshot->record;
    bool refuses = view_record_slow(snapshot);
    double capacity = (double)snapshot->queue_capacity;
    if (!refuses && !(capacity > 0 && (double)snapshot->queue_depth > QUEUE_TICKET * capacity))
        return;
    struct view_attention *item =
        view_attention_add(view, snapshot, refuses ? HEALTH_PAGE : HEALTH_TICKET, 0);
    char depth[WORD_SIZE], all[WORD_SIZE], commit[WORD_SIZE], wait[WORD_SIZE];
    if (!item)
        return;
    snprintf(item->title, sizeof item->title, "the recorder cannot keep up%s",
             refuses ? ": requests are refused" : "");
    view_attention_say(
        item, "detail", "%s of %s places in its queue are taken; full, requests get 503",
        words_count(snapshot->queue_depth, depth), words_count(snapshot->queue_capacity, all));
    view_attention_say(item, "speed", "a group of rows takes %s, what waits now %s",
                       words_latency(record->commit_us, commit),
                       words_latency(record->wait_us, wait));
    if (record->refused > 0)
        view_attention_say(item, "loss", "%s %s refused with 503 undecided since the start",
                           words_count(record->refused, depth),
                           number_noun(record->refused, "event was", "events were"));
    view_attention_say(item, "do", "look at the disk of the ledger folder");
}

static void say_distance(struct view_attention *item, const struct clock_status *clock)
{
    char long_ago[WORD_SIZE];
    if (clock->ahead_s > 0)
        view_attention_say(
            item, "detail",
            "it was set back: this service counts on, %s ahead of it, and records nothing twice",
            words_duration((int64_t)(clock->ahead_s * 1e6), long_ago));
    if (clock->behind_record_s > 0)
        view_attention_say(item, "detail", "it is %s behind the newest row of the ledger",
                           words_duration((int64_t)(clock->behind_record_s * 1e6), long_ago));
}

/* Most events come from the future: then nearly everything is quarantined, and it is our clock. */
static void add_clock(const struct snapshot *snapshot, struct view *view)
{
    const struct clock_status *clock = &snapshot->clock;
    bool future = clock->future_ratio > FUTURE_PAGE;
    bool away = clock->ahead_s > CLOCK_TICKET_S || clock->behind_record_s > CLOCK_TICKET_S;
    bool forward = clock->last_step_s > CLOCK_TICKET_S &&
                   snapshot->time_us - clock->last_step_us < STEP_SHOWN_US;
    if (snapshot->event_time || !(future || away || forward))
        return;
    struct view_attention *item = view_attention_add(
        view, snapshot, future ? HEALTH_PAGE : HEALTH_TICKET, clock->last_step_us);
    char share[WORD_SIZE], n[WORD_SIZE];
    if (!item)
        return;
    snprintf(item->title, sizeof item->title,
             future ? "the machine's clock is behind: events are quarantined as in the future"
             : away ? "the machine's clock is behind"
                    : "the machine's clock was set forward by %s",
             words_duration((int64_t)(clock->last_step_s * 1e6), n));
    say_distance(item, clock);
    if (clock->future > 0)
        view_attention_say(
            item, "loss",
            "%s %s quarantined as in the future since the start, %s of the last "
            "minute's",
            words_count(clock->future, n), number_noun(clock->future, "event was", "events were"),
            isnan(clock->future_ratio) ? words_nodata : words_percent(clock->future_ratio, share));
    if (future)
        view_attention_say(
            item, "do",
            "set the clock, it is followed at once; then `binnacle quarantine retry` "
            "decides what was quarantined");
    else if (away)
        view_attention_say(item, "do",
                           "set the clock right; should it be right now, restart the service");
    else
        view_attention_say(
            item, "do", "see that it is right: it was followed, and the record does not go back");
}

static void add_damage(const struct snapshot *snapshot, struct view *view)
{
    if (snapshot->ledger_damaged_files == 0)
        return;
    struct view_attention *item = view_attention_add(view, snapshot, HEALTH_TICKET, 0);
    char rows[WORD_SIZE];
    if (!item)
        return;
    if (snapshot->ledger_lost_rows > 0)
        snprintf(item->title, sizeof item->title, "a day file is damaged, %.24s rows are lost",
                 words_count(snapshot->ledger_lost_rows, rows));
    else
        snprintf(item->title, sizeof item->title, "a day file of the ledger is damaged");
    view_attention_say(item, "cause", "%s", snapshot->ledger_damage);
    view_attention_say(
        item, "do",
        "decisions are recorded in the next day's file; binnacle ledger verify names the "
        "rows, put the file back from a backup");
}

static void add_service(const struct snapshot *snapshot, struct view *view)
{
    add_start(snapshot, view);
    add_broker(snapshot, view);
    add_pause(snapshot, view);
    add_clock(snapshot, view);
    if (view_record_stopped(snapshot))
        add_stopped_ledger(snapshot, view);
    else
        add_slow_ledger(snapshot, view);
}

#define TIERS_LATE_S INT64_C(21600)

static void add_tiers(const struct snapshot *snapshot, struct view *view)
{
    if (snapshot->tiers_behind_s < TIERS_LATE_S)
        return;
    struct view_attention *item = view_attention_add(view, snapshot, HEALTH_TICKET, 0);
    if (!item)
        return;
    snprintf(item->title, sizeof item->title, "old days of the ledger stay where they are");
    view_attention_say(item, "detail", "for %lld hours: %s",
                       (long long)(snapshot->tiers_behind_s / 3600), snapshot->tiers_problem);
    view_attention_say(item, "do", "nothing is lost; mend that before the disk is full");
}

static int worse_first(const void *left, const void *right)
{
    const struct view_attention *a = left, *b = right;
    if (a->severity != b->severity)
        return a->severity < b->severity ? 1 : -1;
    /* Of the same severity the oldest first; those without a time last. */
    int64_t a_since = a->since_us ? a->since_us : INT64_MAX;
    int64_t b_since = b->since_us ? b->since_us : INT64_MAX;
    if (a_since != b_since)
        return a_since < b_since ? -1 : 1;
    return strcmp(a->title, b->title);
}

void view_attention_build(const struct snapshot *snapshot, struct view *view)
{
    add_service(snapshot, view);
    add_tiers(snapshot, view);
    add_damage(snapshot, view);
    view_queues_build(snapshot, view);
    for (int i = 0; i < snapshot->n_slos; i++) {
        if (snapshot->slos[i].state >= HEALTH_TICKET)
            add_objective(snapshot, &snapshot->slos[i], view);
    }
    for (int i = 0; i < snapshot->n_drift; i++) {
        if (snapshot->drift[i].state >= HEALTH_TICKET)
            add_drift(snapshot, &snapshot->drift[i], view);
    }
    add_quality(snapshot, view);
    for (int i = 0; i < snapshot->n_alerts; i++)
        add_alert(snapshot, &snapshot->alerts[i], view);
    for (int i = 0; i < view->n_attention; i++) {
        struct view_attention *item = &view->attention[i];
        words_plain(item->title);
        for (int j = 0; j < item->n_evidence; j++)
            words_plain(item->evidence[j].text);
    }
    qsort(view->attention, (size_t)view->n_attention, sizeof *view->attention, worse_first);
    view_explain_build(snapshot, view);
}
