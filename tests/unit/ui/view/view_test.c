/* Snapshot to words: what needs a person comes first, and nothing unknown reads as a number. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/base/json.h"
#include "ui/view/view.h"

#define T "\xe2\x80\x89" /* thin space */

struct pair {
    struct snapshot *snapshot;
    struct view *view;
};

static int make(void **state)
{
    struct pair *pair = calloc(1, sizeof *pair);
    pair->snapshot = calloc(1, sizeof *pair->snapshot);
    pair->view = calloc(1, sizeof *pair->view);
    struct snapshot *snapshot = pair->snapshot;
    snapshot->seq = 7;
    snapshot->ready = true;
    (void)time_parse(slice_of("2026-01-02T14:03:22Z"), &snapshot->time_us);
    snapshot->started_us = snapshot->time_us - 26 * US_PER_HOUR;
    snapshot->events_per_s = 12480;
    snapshot->latency_us = (struct latency_summary){.p50 = NAN, .p95 = NAN, .p99 = NAN};
    snprintf(snapshot->service, sizeof snapshot->service, "fraud-eu");
    *state = pair;
    return 0;
}

static int drop(void **state)
{
    struct pair *pair = *state;
    free(pair->snapshot);
    free(pair->view);
    free(pair);
    return 0;
}

static struct slo_status *add_slo(struct snapshot *snapshot, const char *name, enum health health)
{
    struct slo_status *slo = &snapshot->slos[snapshot->n_slos++];
    snprintf(slo->name, sizeof slo->name, "%s", name);
    slo->target = 0.95;
    slo->attainment = 0.912;
    slo->budget_left = 0.38;
    slo->n = 32000000;
    slo->state = health;
    slo->burn[BURN_1H] = 16.2;
    slo->burn[BURN_5M] = 17.6;
    slo->burn[BURN_1D] = 3.4;
    slo->burn[BURN_6H] = 3.1;
    slo->since_us = snapshot->time_us - 12 * US_PER_MIN;
    return slo;
}

static struct arm_status *add_arm(struct snapshot *snapshot, enum variant variant,
                                  const char *version, double share, double p95)
{
    struct arm_status *arm = &snapshot->arms[snapshot->n_arms++];
    arm->variant = variant;
    snprintf(arm->model, sizeof arm->model, "fraud");
    snprintf(arm->version, sizeof arm->version, "%s", version);
    arm->share_wanted = arm->share_measured = share;
    arm->n = arm->latency_us.n = 100000;
    arm->latency_us.p50 = arm->latency_us.p95 = arm->latency_us.p99 = p95;
    return arm;
}

static const char *evidence(const struct view_attention *item, const char *label)
{
    for (int i = 0; i < item->n_evidence; i++) {
        if (strcmp(item->evidence[i].label, label) == 0)
            return item->evidence[i].text;
    }
    return "";
}

static void a_queue_that_had_no_room_lately_is_told(void **state)
{
    struct pair *pair = *state;
    struct snapshot *snapshot = pair->snapshot;
    queues_add(&snapshot->queues, "shadow", 0, 4096, 1234);
    queues_add(&snapshot->queues, "long_requests", 3, 64, 0);
    snapshot->queues.list[0].full_us = snapshot->time_us - US_PER_MIN;
    view_build(snapshot, pair->view);
    assert_int_equal(pair->view->n_attention, 1);
    const struct view_attention *item = &pair->view->attention[0];
    assert_int_equal(item->severity, HEALTH_TICKET);
    assert_string_equal(item->title, "the shadow did not see 1" T "234 events: its queue was full");
    assert_string_equal(evidence(item, "counted"), "since the start; 4" T "096 may wait");
    assert_non_null(strstr(pair->view->arms_note, "1" T "234 events"));
    /* Later it is no news, but stays beside the share. */
    snapshot->queues.list[0].full_us = snapshot->time_us - US_PER_HOUR;
    view_build(snapshot, pair->view);
    assert_int_equal(pair->view->n_attention, 0);
    assert_non_null(strstr(pair->view->arms_note, "1" T "234 events"));
    snapshot->queues.list[0].full = 0;
    view_build(snapshot, pair->view);
    assert_string_equal(pair->view->arms_note, "");
}

static void says_how_a_kafka_source_stands(void **state)
{
    struct pair *pair = *state;
    struct kafka_status *kafka = &pair->snapshot->kafka;
    view_build(pair->snapshot, pair->view);
    assert_string_equal(pair->view->headline.broker, "");
    *kafka = (struct kafka_status){.used = true, .connected = true, .partitions = 2, .lag = 1200};
    view_build(pair->snapshot, pair->view);
    assert_string_equal(pair->view->headline.broker, "kafka, lag 1" T "200");
    assert_int_equal(pair->view->n_attention, 0);
    kafka->lag = NAN;
    view_build(pair->snapshot, pair->view);
    assert_string_equal(pair->view->headline.broker, "kafka, lag not known yet");
    kafka->paused_us = pair->snapshot->time_us - 1000000;
    snprintf(kafka->paused_why, sizeof kafka->paused_why, "the disk is full");
    view_build(pair->snapshot, pair->view);
    assert_true(pair->view->headline.broker_lost);
    assert_string_equal(pair->view->headline.broker, "kafka paused: the disk is full");
    assert_int_equal(pair->view->n_attention, 1);
    kafka->paused_us = 0;
    kafka->connected = false;
    view_build(pair->snapshot, pair->view);
    assert_true(pair->view->headline.broker_lost);
    assert_string_equal(pair->view->headline.broker, "kafka: no broker answers");
    assert_int_equal(pair->view->n_attention, 1);
    pair->snapshot->started_us = pair->snapshot->time_us - 1; /* a start takes its time */
    view_build(pair->snapshot, pair->view);
    assert_int_equal(pair->view->n_attention, 0);
}

static void is_quiet_when_nothing_hurts(void **state)
{
    struct pair *pair = *state;
    add_slo(pair->snapshot, "latency", HEALTH_OK);
    view_build(pair->snapshot, pair->view);
    assert_int_equal(pair->view->n_attention, 0);
    assert_int_equal(pair->view->headline.worst, HEALTH_OK);
    assert_string_equal(pair->view->headline.pages, "no pages");
    assert_string_equal(pair->view->headline.clock, "14:03:22Z");
    assert_string_equal(pair->view->headline.clock_word, "live");
    assert_string_equal(pair->view->headline.rate, "12" T "480/s");
    assert_string_equal(pair->view->headline.uptime, "1" T "d 2" T "h");
}

static void puts_pages_before_tickets_and_older_before_newer(void **state)
{
    struct pair *pair = *state;
    add_slo(pair->snapshot, "newer-ticket", HEALTH_TICKET);
    add_slo(pair->snapshot, "older-ticket", HEALTH_TICKET)->since_us -= US_PER_HOUR;
    add_slo(pair->snapshot, "newer-page", HEALTH_PAGE);
    add_slo(pair->snapshot, "fine", HEALTH_OK);
    view_build(pair->snapshot, pair->view);
    assert_int_equal(pair->view->n_attention, 3);
    assert_non_null(strstr(pair->view->attention[0].title, "newer-page"));
    assert_non_null(strstr(pair->view->attention[1].title, "older-ticket"));
    assert_non_null(strstr(pair->view->attention[2].title, "newer-ticket"));
    assert_string_equal(pair->view->headline.pages, "1 page");
    assert_string_equal(pair->view->headline.tickets, "2 tickets");
    assert_int_equal(pair->view->headline.worst, HEALTH_PAGE);
}

static void says_how_fast_it_burns_and_when_the_budget_is_gone(void **state)
{
    struct pair *pair = *state;
    add_slo(pair->snapshot, "latency", HEALTH_PAGE);
    add_slo(pair->snapshot, "drift", HEALTH_TICKET)->budget_left = -0.12;
    view_build(pair->snapshot, pair->view);
    const struct view_attention *page = &pair->view->attention[0];
    assert_string_equal(page->title, "latency 91.20" T "%, want 95" T "%");
    assert_string_equal(page->since, "13:51Z, 12" T "min");
    assert_string_equal(evidence(page, "burning"), "16.2× over 1h, 17.6× over 5m");
    /* 0.38 of 30 days at 16.2 times the allowed rate: 16.9 hours */
    assert_string_equal(evidence(page, "budget"),
                        "38" T "% left: gone in 16" T "h 53" T "min at this rate");
    const struct view_attention *ticket = &pair->view->attention[1];
    assert_string_equal(evidence(ticket, "burning"), "3.4× over 1d, 3.1× over 6h");
    assert_string_equal(evidence(ticket, "budget"), "overspent 12" T "%");
}

static void names_a_slow_canary_as_the_cause_of_burnt_latency(void **state)
{
    struct pair *pair = *state;
    add_slo(pair->snapshot, "latency", HEALTH_PAGE);
    add_arm(pair->snapshot, VARIANT_CHAMPION, "12", 0.75, 770);
    struct arm_status *canary = add_arm(pair->snapshot, VARIANT_CANARY, "13", 0.25, 402000);
    view_build(pair->snapshot, pair->view);
    assert_non_null(strstr(evidence(&pair->view->attention[0], "cause"), "canary fraud 13"));
    assert_non_null(strstr(evidence(&pair->view->attention[0], "do"), "roll the canary back"));
    assert_string_equal(pair->view->headline.split, "fraud 12 → 13 25" T "%");
    canary->latency_us.p95 = 800;
    view_build(pair->snapshot, pair->view);
    assert_string_equal(evidence(&pair->view->attention[0], "cause"), "");
}

static void adds_an_alert_to_the_objective_it_is_about(void **state)
{
    struct pair *pair = *state;
    add_slo(pair->snapshot, "latency", HEALTH_PAGE);
    static const char *const names[] = {"latency-burn", "latencyless", "resolved-one"};
    for (int i = 0; i < 3; i++) {
        struct alert_status *alert = &pair->snapshot->alerts[pair->snapshot->n_alerts++];
        snprintf(alert->name, sizeof alert->name, "%s", names[i]);
        snprintf(alert->state, sizeof alert->state, "%s", i == 2 ? "resolved" : "firing");
        snprintf(alert->severity, sizeof alert->severity, "page");
        snprintf(alert->summary, sizeof alert->summary, "summary %d", i);
    }
    view_build(pair->snapshot, pair->view);
    assert_int_equal(pair->view->n_attention, 2);
    assert_string_equal(evidence(&pair->view->attention[0], "alert"), "latency-burn: summary 0");
    assert_string_equal(pair->view->attention[1].title, "latencyless");
}

static void tells_of_data_that_is_not_sound_with_its_alert_and_incident(void **state)
{
    struct pair *pair = *state;
    struct snapshot *snapshot = pair->snapshot;
    snapshot->quality = (struct quality_status){
        .used = true, .state = HEALTH_TICKET, .why = "country: missing in 40 %", .n = 1200};
    view_build(snapshot, pair->view);
    const struct view_attention *item = &pair->view->attention[0];
    assert_int_equal(pair->view->n_attention, 1);
    assert_int_equal(item->severity, HEALTH_TICKET);
    assert_string_equal(item->title, "data: country: missing in 40 %");
    assert_non_null(strstr(evidence(item, "do"), "quality view"));

    static const char *const names[] = {"data-quality-ticket", "data-quality"};
    for (int i = 0; i < 2; i++) {
        struct alert_status *alert = &snapshot->alerts[snapshot->n_alerts++];
        snprintf(alert->name, sizeof alert->name, "%s", names[i]);
        snprintf(alert->state, sizeof alert->state, "firing");
        snprintf(alert->severity, sizeof alert->severity, "%s", i == 0 ? "ticket" : "page");
        alert->since_us = snapshot->time_us - (2 - i) * US_PER_MIN;
    }
    struct explanation *explanation = &snapshot->explanation;
    snprintf(explanation->incident, sizeof explanation->incident, "country is null");
    snprintf(explanation->causes[0].cause, sizeof explanation->causes[0].cause, "upstream");
    snprintf(explanation->action, sizeof explanation->action, "ask its producer");
    explanation->n_causes = 1;
    memset(pair->view, 0, sizeof *pair->view);
    view_build(snapshot, pair->view);
    assert_int_equal(pair->view->n_attention, 1);
    assert_int_equal(item->severity, HEALTH_PAGE); /* one pages still */
    assert_string_equal(item->alert, "data-quality");
    assert_int_equal(item->since_us, snapshot->time_us - US_PER_MIN);
    assert_string_equal(evidence(item, "finding"), "country is null");
    assert_non_null(strstr(evidence(item, "cause"), "upstream"));
    assert_string_equal(evidence(item, "do"), "ask its producer");

    snapshot->quality.state = HEALTH_OK; /* what still fires is told by its name */
    view_build(snapshot, pair->view);
    assert_int_equal(pair->view->n_attention, 2);
    assert_string_equal(item->title, "data-quality");
}

/* A budget burned by an hour's trouble still burns when something else breaks. */
static void what_began_later_is_no_cause(void **state)
{
    struct pair *pair = *state;
    struct snapshot *snapshot = pair->snapshot;
    snapshot->quality = (struct quality_status){
        .used = true, .state = HEALTH_TICKET, .why = "country: missing in 40 %", .n = 1200};
    struct alert_status *alert = &snapshot->alerts[snapshot->n_alerts++];
    snprintf(alert->name, sizeof alert->name, "data-quality");
    snprintf(alert->state, sizeof alert->state, "firing");
    snprintf(alert->severity, sizeof alert->severity, "page");
    alert->since_us = snapshot->time_us - 20 * US_PER_MIN;
    struct explanation *explanation = &snapshot->explanation;
    snprintf(explanation->incident, sizeof explanation->incident, "amounts have moved");
    snprintf(explanation->causes[0].cause, sizeof explanation->causes[0].cause, "upstream");
    explanation->n_causes = 1;
    explanation->since_us = snapshot->time_us - 21 * US_PER_MIN;
    view_build(snapshot, pair->view);
    const struct view_attention *item = &pair->view->attention[0];
    assert_non_null(strstr(evidence(item, "cause"), "upstream"));

    explanation->since_us = snapshot->time_us - 2 * US_PER_MIN;
    memset(pair->view, 0, sizeof *pair->view);
    view_build(snapshot, pair->view);
    assert_non_null(strstr(evidence(item, "besides"), "amounts have moved"));
    for (int i = 0; i < item->n_evidence; i++)
        assert_string_not_equal(item->evidence[i].label, "cause");
}

static void calls_a_decision_unusual_only_beyond_noise_and_by_much(void **state)
{
    struct pair *pair = *state;
    static const struct {
        uint64_t now[DECISION_COUNT], usual[DECISION_COUNT];
        bool decline_unusual;
    } cases[] = {
        {{930, 46, 24}, {9400, 420, 180}, false},                /* 2.4 against 1.8 %: chance */
        {{908300, 44800, 46900}, {9400, 420, 180}, true},        /* 4.7 against 1.8 % */
        {{931000, 50700, 18300}, {940000, 42000, 18000}, false}, /* certain, but no news */
        {{10, 0, 0}, {0, 0, 0}, false},                          /* nothing to compare with */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        memcpy(pair->snapshot->decisions, cases[i].now, sizeof cases[i].now);
        memcpy(pair->snapshot->decisions_usual, cases[i].usual, sizeof cases[i].usual);
        view_build(pair->snapshot, pair->view);
        assert_int_equal(pair->view->decisions[DECISION_DECLINE].unusual, cases[i].decline_unusual);
    }
}

static void never_shows_the_unknown_as_a_number(void **state)
{
    struct pair *pair = *state;
    view_build(NULL, pair->view);
    assert_string_equal(pair->view->headline.rate, "no data");
    assert_string_equal(pair->view->headline.clock_word, "starting");
    assert_int_equal(pair->view->headline.worst, HEALTH_NODATA);
    assert_int_equal(pair->view->n_attention, 0);
    assert_string_equal(pair->view->p99, "no data");
    assert_string_equal(pair->view->decisions[0].share, "no data");
    assert_string_equal(pair->view->decisions[0].usual, "no data");
    assert_string_equal(pair->view->quarantined, "no data");
    assert_string_equal(pair->view->rate.end, "no data");
    assert_string_equal(pair->view->root, "");
    struct slo_status *slo = add_slo(pair->snapshot, "freshness", HEALTH_NODATA);
    slo->n = 0;
    slo->attainment = slo->budget_left = NAN;
    for (int i = 0; i < BURN_WINDOWS; i++)
        slo->burn[i] = NAN;
    view_build(pair->snapshot, pair->view);
    assert_string_equal(pair->view->objectives[0].now, "no data");
    assert_string_equal(pair->view->objectives[0].budget, "no data");
    assert_string_equal(pair->view->objectives[0].burn_1h, "no data");
}

static void says_why_it_is_not_ready(void **state)
{
    struct pair *pair = *state;
    pair->snapshot->ready = false;
    snprintf(pair->snapshot->not_ready, sizeof pair->snapshot->not_ready, "no model");
    view_build(pair->snapshot, pair->view);
    assert_int_equal(pair->view->attention[0].severity, HEALTH_PAGE);
    assert_string_equal(evidence(&pair->view->attention[0], "cause"), "no model");
}

static void says_since_when_the_ledger_is_not_written_and_what_to_do(void **state)
{
    struct pair *pair = *state;
    struct record_status *record = &pair->snapshot->record;
    pair->snapshot->ready = false;
    pair->snapshot->started_us = pair->snapshot->time_us - 8 * US_PER_S; /* no time for excuses */
    snprintf(pair->snapshot->source, sizeof pair->snapshot->source, "kafka");
    pair->snapshot->kafka = (struct kafka_status){.used = true, .connected = true};
    *record = (struct record_status){.used = true,
                                     .state = RECORD_RETRYING,
                                     .since_us = pair->snapshot->time_us - 90 * US_PER_S,
                                     .not_written_s = 90,
                                     .refused = 7,
                                     .unconfirmed = 2};
    snprintf(record->problem, sizeof record->problem, "x.db: database or disk is full");
    view_build(pair->snapshot, pair->view);
    const struct view_attention *item = &pair->view->attention[0];
    assert_int_equal(item->severity, HEALTH_PAGE);
    assert_string_equal(item->title, "the ledger is not written: nothing is decided");
    assert_int_equal(item->since_us, record->since_us);
    assert_string_equal(evidence(item, "cause"), "x.db: database or disk is full");
    assert_non_null(strstr(evidence(item, "loss"), "7 refused with 503, 2 unconfirmed"));
    assert_non_null(strstr(evidence(item, "do"), "make room"));
    assert_non_null(strstr(evidence(item, "source"), "kafka is paused"));
    assert_string_equal(pair->view->headline.clock_word, "not deciding");
    assert_non_null(strstr(pair->view->headline.broker, "kafka paused: the ledger takes no rows"));
    assert_non_null(strstr(pair->view->stops, "not written since"));
    assert_non_null(strstr(pair->view->durability, "commit"));
}

static void says_that_the_machines_clock_is_behind(void **state)
{
    struct pair *pair = *state;
    struct clock_status *clock = &pair->snapshot->clock;
    *clock = (struct clock_status){
        .ahead_s = 3600, .behind_record_s = NAN, .last_step_s = -3600, .future_ratio = NAN};
    view_build(pair->snapshot, pair->view);
    const struct view_attention *item = &pair->view->attention[0];
    assert_int_equal(item->severity, HEALTH_TICKET);
    assert_string_equal(item->title, "the machine's clock is behind");
    *clock = (struct clock_status){.ahead_s = NAN,
                                   .behind_record_s = 3600,
                                   .last_step_s = NAN,
                                   .future_ratio = 0.97,
                                   .future = 812};
    view_build(pair->snapshot, pair->view);
    item = &pair->view->attention[0];
    assert_int_equal(item->severity, HEALTH_PAGE);
    assert_non_null(strstr(evidence(item, "loss"), "812 events were quarantined"));
    assert_non_null(strstr(evidence(item, "do"), "quarantine retry"));
}

static void pages_nobody_while_it_starts(void **state)
{
    struct pair *pair = *state;
    pair->snapshot->ready = false;
    pair->snapshot->started_us = pair->snapshot->time_us - 8 * US_PER_S;
    view_build(pair->snapshot, pair->view);
    assert_int_equal(pair->view->n_attention, 1);
    assert_int_equal(pair->view->headline.n_pages, 0);
    assert_int_equal(pair->view->headline.worst, HEALTH_NODATA);
}

static void dates_the_clock_of_a_replay(void **state)
{
    struct pair *pair = *state;
    pair->snapshot->event_time = true;
    view_build(pair->snapshot, pair->view);
    assert_string_equal(pair->view->headline.clock_word, "event time");
    assert_string_equal(pair->view->headline.clock, "2026-01-02 14:03:22Z");
}

static void orders_quarantine_by_count_and_tells_score_from_inputs(void **state)
{
    struct pair *pair = *state;
    struct snapshot *snapshot = pair->snapshot;
    snapshot->events_total = 100000;
    snapshot->quarantined_total = 300;
    snapshot->n_quarantine = 3;
    snapshot->quarantine[0] = (struct count_status){.name = "enum", .n = 100};
    snapshot->quarantine[1] = (struct count_status){.name = "range", .n = 0};
    snapshot->quarantine[2] = (struct count_status){.name = "future", .n = 200};
    snapshot->n_drift = 2;
    snapshot->drift[0] = (struct drift_status){.feature = "score",
                                               .psi = 0.04,
                                               .noise = 0.003,
                                               .threshold = 0.3,
                                               .n = 5000,
                                               .state = HEALTH_OK};
    snapshot->drift[1] = (struct drift_status){.feature = "amount",
                                               .psi = 0.4,
                                               .noise = 0.03,
                                               .threshold = 0.3,
                                               .n = 5000,
                                               .state = HEALTH_TICKET};
    view_build(snapshot, pair->view);
    assert_int_equal(pair->view->n_quarantine, 2);
    assert_string_equal(pair->view->quarantine[0].reason, "future");
    assert_string_equal(pair->view->quarantined, "0.30" T "%");
    assert_string_equal(pair->view->score_drift.psi, ".040");
    assert_int_equal(pair->view->n_drift, 1);
    assert_string_equal(pair->view->drift[0].feature, "amount");
    assert_string_equal(pair->view->drift_note, "1 watched");
    snapshot->drift[1].psi = NAN;
    snapshot->drift[1].state = HEALTH_NODATA;
    struct view *other = calloc(1, sizeof *other);
    view_build(snapshot, other);
    assert_int_equal(other->n_drift, 0);
    assert_string_equal(other->drift_note, "1 watched, no data yet");
    snapshot->drift[1].psi = 0.4;
    snapshot->drift[0].warm_us = snapshot->time_us + 60 * INT64_C(1000000);
    snapshot->drift[1].warm_us = snapshot->time_us + 60 * INT64_C(1000000);
    view_build(snapshot, other);
    char at[WORD_SIZE], words[128];
    words_time(snapshot->drift[0].warm_us, snapshot->time_us, false, at);
    snprintf(words, sizeof words, "warming up until %s", at);
    assert_string_equal(other->score_drift.waits, words);
    assert_true(isnan(other->score_drift.psi_ratio));
    assert_int_equal(other->n_drift, 0); /* an input that is not judged is not listed */
    snprintf(words, sizeof words, "1 watched, 1 warming up until %s", at);
    assert_string_equal(other->drift_note, words);
    free(other);
    assert_string_equal(pair->view->attention[0].title, "amount drifts: PSI .40 of .30");
}

static void makes_hostile_names_safe_to_show(void **state)
{
    (void)state;
    static const struct {
        const char *given, *shown;
    } cases[] = {
        {"plain", "plain"},
        {"\x1b[2Jboo", "?[2Jboo"},
        {"a\xe2\x80\xae"
         "b",
         "a?b"},
        {"a\xc2\x9b"
         "b",
         "a?b"},
        {"\xff\xfe", "??"},
        {"caf\xc3\xa9 \xe2\x82\xac", "caf\xc3\xa9 \xe2\x82\xac"},
        {"cut \xe2\x82", "cut "},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[64];
        snprintf(text, sizeof text, "%s", cases[i].given);
        assert_string_equal(words_plain(text), cases[i].shown);
    }
}

static void writes_json_that_parses_with_the_same_words(void **state)
{
    struct pair *pair = *state;
    add_slo(pair->snapshot, "latency\"<b>", HEALTH_PAGE);
    add_arm(pair->snapshot, VARIANT_CHAMPION, "12", 1, 770)->share_measured = NAN;
    pair->snapshot->rate_history.n = 2;
    pair->snapshot->rate_history.points[0] = NAN;
    pair->snapshot->rate_history.points[1] = 10.5f;
    view_build(pair->snapshot, pair->view);
    struct buffer out;
    buffer_init(&out, 1 << 20);
    view_json(pair->view, &out);
    struct json *json = NULL;
    struct error error = {0};
    if (json_parse(buffer_slice(&out), &json, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    const struct json *item = json_first(json_get(json, "attention"));
    assert_string_equal(json_as_text(json_get(item, "title"), ""), pair->view->attention[0].title);
    assert_string_equal(json_as_text(json_get(item, "mark"), ""), "▲");
    const struct json *arm = json_first(json_get(json, "arms"));
    assert_int_equal(json_kind(json_get(arm, "share_measured")), JSON_NULL);
    const struct json *points = json_get(json_get(json, "rate"), "points");
    assert_int_equal(json_kind(json_item(points, 0)), JSON_NULL);
    assert_true(json_as_number(json_item(points, 1), 0) == 10.5);
    json_destroy(json);
    buffer_free(&out);
}

static void knows_what_history_keeps_of_each_kind_of_objective(void **state)
{
    struct pair *pair = *state;
    static const struct {
        const char *name, *unit, *share;
        int64_t limit_us;
    } kinds[] = {{"latency", "decisions", "latency_good_ratio", 200000},
                 {"slow-ones", "decisions", NULL, 500000}, /* history knows the lowest limit only */
                 {"answered", "events", "error_ratio", 0},
                 {"fresh", "minutes", "fresh_ratio", 0},
                 {"drift", "slices", "steady_ratio", 0},
                 {"calm-hours", "slices", NULL, 0}, /* by an expression of one's own */
                 {"good-ones", "decisions", NULL, 0}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct slo_status *slo = add_slo(pair->snapshot, kinds[i].name, HEALTH_OK);
        snprintf(slo->unit, sizeof slo->unit, "%s", kinds[i].unit);
        slo->latency_limit_us = kinds[i].limit_us;
    }
    view_build(pair->snapshot, pair->view);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const struct view_kept *kept = &pair->view->objectives[i].kept;
        if (kinds[i].share)
            assert_string_equal(kept->share, kinds[i].share);
        else
            assert_null(kept->share);
    }
    assert_true(pair->view->objectives[2].kept.bad);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, drop)
    const struct CMUnitTest tests[] = {
        TEST(says_how_a_kafka_source_stands),
        TEST(is_quiet_when_nothing_hurts),
        TEST(puts_pages_before_tickets_and_older_before_newer),
        TEST(says_how_fast_it_burns_and_when_the_budget_is_gone),
        TEST(names_a_slow_canary_as_the_cause_of_burnt_latency),
        TEST(adds_an_alert_to_the_objective_it_is_about),
        TEST(tells_of_data_that_is_not_sound_with_its_alert_and_incident),
        TEST(what_began_later_is_no_cause),
        TEST(calls_a_decision_unusual_only_beyond_noise_and_by_much),
        TEST(never_shows_the_unknown_as_a_number),
        TEST(knows_what_history_keeps_of_each_kind_of_objective),
        TEST(says_why_it_is_not_ready),
        TEST(says_that_the_machines_clock_is_behind),
        TEST(says_since_when_the_ledger_is_not_written_and_what_to_do),
        TEST(pages_nobody_while_it_starts),
        TEST(dates_the_clock_of_a_replay),
        TEST(orders_quarantine_by_count_and_tells_score_from_inputs),
        TEST(a_queue_that_had_no_room_lately_is_told),
        cmocka_unit_test(makes_hostile_names_safe_to_show),
        TEST(writes_json_that_parses_with_the_same_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
