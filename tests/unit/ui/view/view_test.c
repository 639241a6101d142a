/* Snapshot to words: nothing unknown reads as a number, nothing hostile reaches a screen. */
#include "tests/unit/ui/view/fixture.h"

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
    assert_int_equal(pair->view->headline.clock_state, HEALTH_OK);
    assert_string_equal(pair->view->headline.rate, "12" T "480/s");
    assert_string_equal(pair->view->headline.uptime, "1" T "d 2" T "h");
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
    assert_int_equal(pair->view->headline.clock_state, HEALTH_NODATA);
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
        TEST(is_quiet_when_nothing_hurts),
        TEST(calls_a_decision_unusual_only_beyond_noise_and_by_much),
        TEST(never_shows_the_unknown_as_a_number),
        TEST(knows_what_history_keeps_of_each_kind_of_objective),
        TEST(says_why_it_is_not_ready),
        TEST(dates_the_clock_of_a_replay),
        TEST(orders_quarantine_by_count_and_tells_score_from_inputs),
        cmocka_unit_test(makes_hostile_names_safe_to_show),
        TEST(writes_json_that_parses_with_the_same_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
