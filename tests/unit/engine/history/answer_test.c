/* Questions to the history and their answers as JSON: series, groups, heatmaps, what makes no
 * sense. */
#include "tests/unit/engine/history/fixture.h"

static void refuse(struct history_store *history, int64_t at_us)
{
    struct observe_sink sink = history_sink(history);
    struct observation observation = {.at_us = at_us,
                                      .event_us = at_us,
                                      .latency_us = -1,
                                      .age_us = INT64_MAX,
                                      .labels = labels_of_nothing(history_labels(history)),
                                      .kind = OBSERVED_QUARANTINE,
                                      .arm = NO_ARM};
    take(&sink, &observation, NULL);
}

static size_t series_by_variant(struct history_store *history, const char *series)
{
    struct history_question question = {.from_us = T0,
                                        .to_us = T0 + 600 * US_PER_S,
                                        .step_us = 60 * US_PER_S,
                                        .series = slice_of(series),
                                        .by = slice_of("variant")};
    struct json *json = answer(history, &question);
    size_t n = json_size(json_get(json, "series"));
    json_destroy(json);
    return n;
}

/* Quarantined events have no arm: they are a series of what is counted of them, and no other. */
static void events_without_an_arm_are_no_series_of_what_arms_do(void **state)
{
    (void)state;
    unlink(path);
    struct history_store *history = create(LIMIT_US);
    history_begin(history, T0);
    struct happened event = all[0];
    event.at_us = event.event_us = T0 + 90 * US_PER_S;
    tell(history, &event);
    refuse(history, T0 + 100 * US_PER_S);
    history_tick(history, T0 + 300 * US_PER_S);
    assert_int_equal(series_by_variant(history, "latency_p95_us"), 1);
    assert_int_equal(series_by_variant(history, "decline_ratio"), 1);
    assert_int_equal(series_by_variant(history, "accepted"), 1);
    assert_int_equal(series_by_variant(history, "events"), 2);
    assert_int_equal(series_by_variant(history, "quarantined"), 2);
    history_destroy(history);
}

/* Hours are kept by each label alone, too; of those only the one that is asked for counts. */
static void whole_hours_by_one_label_hold_each_event_once(void **state)
{
    (void)state;
    struct history_store *history = fill();
    struct query query = {T0_S, T0_S + 2 * 3600, -1, -1};
    static struct truth truth;
    assert_true(history_flush(history, PATIENCE));
    struct history_question question = {.from_us = query.from_s * US_PER_S,
                                        .to_us = query.to_s * US_PER_S,
                                        .step_us = 3600 * US_PER_S,
                                        .by = slice_of("country"),
                                        .series = slice_of("accepted")};
    struct json *json = answer(history, &question);
    const struct json *series = json_get(json, "series");
    assert_int_equal(json_size(series), 4);
    double sum = 0;
    for (const struct json *one = json_first(series); one; one = json_next(one))
        for (const struct json *point = json_first(json_get(one, "points")); point;
             point = json_next(point))
            sum += json_as_number(json_item(point, 1), NAN);
    count_by_hand(&query, &truth);
    assert_true(sum == (double)truth.n);
    json_destroy(json);
    history_destroy(history);
}

static void a_rate_is_over_the_time_that_was_counted(void **state)
{
    (void)state;
    unlink(path);
    struct history_store *history = create(LIMIT_US);
    history_begin(history, T0 + 3480 * US_PER_S);
    struct happened event = all[0];
    for (int i = 0; i < 30; i++) {
        event.at_us = event.event_us = T0 + (3500 + i) * US_PER_S;
        tell(history, &event);
    }
    history_tick(history, T0 + 3540 * US_PER_S);
    double of_the_hour = value_at(history, "events_per_s", T0_S, T0_S + 3600);
    assert_true(of_the_hour > 0.499 && of_the_hour < 0.501);
    history_destroy(history);
}

static void every_series_is_a_number_or_null_for_nothing_and_for_one_event(void **state)
{
    (void)state;
    unlink(path);
    struct history_store *history = create(LIMIT_US);
    history_begin(history, T0);
    struct buffer names;
    struct error error;
    struct json *json = NULL;
    buffer_init(&names, 1u << 20);
    for (int round = 0; round < 2; round++) {
        buffer_reset(&names);
        history_names(history, &names);
        assert_int_equal(json_parse(buffer_slice(&names), &json, &error), STATUS_OK);
        const struct json *list = json_get(json, "series");
        assert_true(json_size(list) > 50);
        for (const struct json *item = json_first(list); item; item = json_next(item)) {
            double value =
                value_at(history, json_as_text(json_get(item, "name"), ""), T0_S, T0_S + 600);
            assert_true(isnan(value) || isfinite(value));
        }
        json_destroy(json);
        tell(history, &all[0]);
    }
    buffer_free(&names);
    history_destroy(history);
}

/* By the formulas of engine/stats' headers, with plain loops over what was told. */
static void distances_are_those_of_the_shares(void **state)
{
    (void)state;
    struct history_store *history = fill();
    int64_t to_s = T0_S + 3600; /* points lie on multiples of their step */
    static struct truth truth;
    struct query query = {.from_s = T0_S, .to_s = to_s, .country = -1, .device = -1};
    count_by_hand(&query, &truth);
    double n = 0, m = 0, tvd = 0, js = 0, chi = 0;
    for (int i = 0; i < MAX_BINS; i++) {
        n += (double)cuts[1].reference[i];
        m += (double)truth.bins[i];
    }
    for (int i = 0; i < MAX_BINS; i++) {
        double a = (double)cuts[1].reference[i], b = (double)truth.bins[i];
        double p = a / n, q = b / m, half = (p + q) / 2;
        tvd += fabs(p - q) / 2;
        js += p > 0 ? p * log2(p / half) / 2 : 0;
        js += q > 0 ? q * log2(q / half) / 2 : 0;
        chi += a + b > 0 ? pow(a * sqrt(m / n) - b * sqrt(n / m), 2) / (a + b) : 0;
    }
    assert_true(m > 1000);
    assert_true(fabs(value_at(history, "tvd.amount", T0_S, to_s) - tvd) < 1e-9);
    assert_true(fabs(value_at(history, "js.amount", T0_S, to_s) - sqrt(js)) < 1e-9);
    assert_true(fabs(value_at(history, "chi_square.amount", T0_S, to_s) / chi - 1) < 1e-9);
    history_destroy(history);
}

/* By sorting what was told: nearest rank. */
static void any_percentile_can_be_asked_for(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        double share;
    } asked[] = {{"0", 0},        {"1", 0.01},     {"25", 0.25},   {"33.3", 0.333},
                 {"75", 0.75},    {"97.5", 0.975}, {"995", 0.995}, {"9999", 0.9999},
                 {"99.9", 0.999}, {"100", 1},      {"50", 0.5},    {"999", 0.999}};
    struct history_store *history = fill();
    static struct truth truth;
    struct query query = {.from_s = T0_S, .to_s = T0_S + 3600, .country = -1, .device = -1};
    count_by_hand(&query, &truth);
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        char name[40];
        size_t rank = (size_t)ceil(asked[i].share * (double)truth.n);
        double wanted = (double)truth.latencies[rank > 0 ? rank - 1 : 0];
        snprintf(name, sizeof name, "latency_p%s_us", asked[i].name);
        double got = value_at(history, name, query.from_s, query.to_s);
        assert_true(fabs(got - wanted) <= 0.01 * wanted + 0.5);
        snprintf(name, sizeof name, "score_p%s", asked[i].name);
        double score = value_at(history, name, query.from_s, query.to_s);
        assert_true(fabs(score - asked[i].share) < 0.05); /* scores are told evenly */
    }
    history_destroy(history);
}

static void a_question_that_makes_no_sense_says_why(void **state)
{
    (void)state;
    struct history_store *history = fill();
    struct buffer out;
    struct error error;
    buffer_init(&out, 1u << 22);
    static const struct {
        const char *series, *by, *where;
        int64_t step_us;
    } wrong[] = {
        {"nonsense", "", "", 0},       {"", "", "", 0},
        {"events", "nonsense", "", 0}, {"events", "", "country", 0},
        {"events", "", "planet:X", 0}, {"events", "", "", 1500000},
        {"latency_p_us", "", "", 0},   {"latency_p101_us", "", "", 0},
        {"latency_p75", "", "", 0},    {"latency_p7.5.1_us", "", "", 0},
        {"score_p", "", "", 0},        {"score_p-5", "", "", 0},
        {"score_p1e1", "", "", 0},     {"score_p75_us", "", "", 0},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct history_question question = {.from_us = T0,
                                            .to_us = INT64_MAX,
                                            .step_us = wrong[i].step_us,
                                            .series = slice_of(wrong[i].series),
                                            .by = slice_of(wrong[i].by),
                                            .where = slice_of(wrong[i].where)};
        assert_int_equal(history_answer(history, &question, &out, &error), STATUS_INVALID);
        assert_true(strlen(error.message) > 10);
    }
    buffer_free(&out);
    history_destroy(history);
}

static void a_heatmap_holds_every_event_once(void **state)
{
    (void)state;
    struct history_store *history = fill();
    static const char *const of[] = {"latency", "score", "amount"};
    for (int i = 0; i < 3; i++) {
        struct buffer out;
        struct error error;
        struct json *json = NULL;
        buffer_init(&out, 1u << 22);
        struct history_question question = {.from_us = T0 - 7200 * US_PER_S,
                                            .to_us = INT64_MAX,
                                            .step_us = 300 * US_PER_S,
                                            .of = slice_of(of[i])};
        assert_int_equal(history_heatmap(history, &question, &out, &error), STATUS_OK);
        assert_int_equal(json_parse(buffer_slice(&out), &json, &error), STATUS_OK);
        double n = 0;
        size_t n_edges = json_size(json_get(json, "edges"));
        const struct json *cells = json_get(json, "cells");
        for (const struct json *cell = json_first(cells); cell; cell = json_next(cell)) {
            const struct json *counts = json_item(cell, 1);
            for (const struct json *count = json_first(counts); count; count = json_next(count))
                n += json_as_number(count, NAN);
            assert_true(json_kind(counts) == JSON_NULL ||
                        json_size(counts) == n_edges + 1 + (i == 2));
        }
        assert_true(n == N_EVENTS);
        json_destroy(json);
        buffer_free(&out);
    }
    history_destroy(history);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_without_an_arm_are_no_series_of_what_arms_do),
        cmocka_unit_test(whole_hours_by_one_label_hold_each_event_once),
        cmocka_unit_test(a_rate_is_over_the_time_that_was_counted),
        cmocka_unit_test(every_series_is_a_number_or_null_for_nothing_and_for_one_event),
        cmocka_unit_test(distances_are_those_of_the_shares),
        cmocka_unit_test(any_percentile_can_be_asked_for),
        cmocka_unit_test(a_question_that_makes_no_sense_says_why),
        cmocka_unit_test(a_heatmap_holds_every_event_once),
    };
    return cmocka_run_group_tests(tests, set_up, remove_folder);
}
