/* What needs a person: worst first, with its cause, how fast, and what to do. */
#include "tests/unit/ui/view/fixture.h"

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

static void windows_that_are_not_full_yet_say_what_there_is(void **state)
{
    struct pair *pair = *state;
    struct slo_status *slo = add_slo(pair->snapshot, "latency", HEALTH_TICKET);
    slo->window_us = 30 * US_PER_DAY;
    slo->reach_us = 6 * US_PER_MIN;
    slo->budget_left = -22.74;
    view_build(pair->snapshot, pair->view);
    const struct view_attention *item = &pair->view->attention[0];
    assert_string_equal(evidence(item, "burning"), "3.4× over the 6" T "min there are");
    assert_string_equal(evidence(item, "budget"),
                        "overspent 2274" T "%, over the 6" T "min there are");
    assert_string_equal(pair->view->objectives[0].window, "6" T "min of 30" T "d");
    slo->reach_us = 8 * US_PER_HOUR;
    view_build(pair->snapshot, pair->view);
    assert_string_equal(evidence(item, "burning"), "3.4× over the 8" T "h there are, 3.1× over 6h");
    slo->reach_us = 40 * US_PER_DAY;
    view_build(pair->snapshot, pair->view);
    assert_string_equal(evidence(item, "budget"), "overspent 2274" T "%");
    assert_string_equal(pair->view->objectives[0].window, "30" T "d");
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

    explanation->until_us = explanation->causes[0].recovered_at_us = snapshot->time_us - US_PER_S;
    view_build(snapshot, pair->view); /* Bug: what was over was still to be ended */
    assert_string_equal(evidence(item, "do"), EXPLANATION_OVER_ACTION);

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
    assert_int_equal(pair->view->headline.clock_state, HEALTH_PAGE);
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

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, drop)
    const struct CMUnitTest tests[] = {
        TEST(says_how_a_kafka_source_stands),
        TEST(puts_pages_before_tickets_and_older_before_newer),
        TEST(says_how_fast_it_burns_and_when_the_budget_is_gone),
        TEST(windows_that_are_not_full_yet_say_what_there_is),
        TEST(names_a_slow_canary_as_the_cause_of_burnt_latency),
        TEST(adds_an_alert_to_the_objective_it_is_about),
        TEST(tells_of_data_that_is_not_sound_with_its_alert_and_incident),
        TEST(what_began_later_is_no_cause),
        TEST(says_that_the_machines_clock_is_behind),
        TEST(says_since_when_the_ledger_is_not_written_and_what_to_do),
        TEST(pages_nobody_while_it_starts),
        TEST(a_queue_that_had_no_room_lately_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
