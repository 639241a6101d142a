/* Shadows in the history: how far they are from what decided, over any range, and that their scores
 * are never taken for scores of decisions. Against the same counted by hand. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/base/json.h"
#include "engine/history/answer.h"
#include "tests/unit/folder.h"

#define T0_S    INT64_C(1533081600) /* 2018-08-01T00:00:00Z */
#define MINUTES 240                 /* one decision each */
#define HOURS   (MINUTES / 60)

static const struct field fields[] = {{"event_id", FIELD_STRING, true, false, false},
                                      {"event_ts", FIELD_TIMESTAMP, true, false, false}};
static const struct schema schema = {"t", "1", fields, 2, 0, 1, -1, -1};
static char path[FOLDER_PATH];

static float decided_at(int minute)
{
    return (float)(minute % 10) / 20;
}

static float shadow_at(int minute)
{
    return (float)(minute * 7 % 20) / 20;
}

static void take(struct history_store *history, struct observation *observation)
{
    struct observe_sink sink = history_sink(history);
    struct observations one = {observation, NULL, 0, 1};
    sink.take(sink.context, &one);
}

typedef float scores(int minute);

static void tell(struct history_store *history, int minute, scores *decided_score,
                 scores *shadow_score)
{
    struct observe_sink sink = history_sink(history);
    struct outcome outcome = {.rule = "default", .variant = VARIANT_CHAMPION};
    const struct outcome *told = &outcome;
    int64_t at_us = (T0_S + minute * 60 + 30) * US_PER_S;
    struct observation decided = {.at_us = at_us,
                                  .event_us = at_us,
                                  .latency_us = 100,
                                  .age_us = INT64_MAX,
                                  .score = decided_score(minute),
                                  .kind = OBSERVED_OUTCOME,
                                  .arm = NO_ARM};
    sink.labels(sink.context, &told, 1, &decided.labels);
    take(history, &decided);
    struct observation shadow = {.at_us = at_us,
                                 .event_us = at_us,
                                 .latency_us = -1,
                                 .age_us = INT64_MAX,
                                 .score = shadow_score(minute),
                                 .decided_score = decided_score(minute),
                                 .kind = OBSERVED_SHADOW,
                                 .arm = NO_ARM};
    take(history, &shadow);
}

static struct history_store *open_history(bool by_arms)
{
    struct history_options options;
    struct history_store *history = NULL;
    struct error error;
    history_options_init(&options);
    options.schema = &schema;
    options.path = path;
    options.event_time = true;
    assert_int_equal(history_read(NULL, &options, &error), STATUS_OK);
    if (!by_arms) {
        options.labels[0] = "decision";
        options.n_labels = 1;
    }
    if (history_create(&options, &history, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return history;
}

/* Written, closed and opened again, so that all of it is read from the file. */
static struct history_store *fill_with(bool by_arms, scores *decided_score, scores *shadow_score)
{
    unlink(path);
    struct history_store *history = open_history(by_arms);
    history_begin(history, T0_S * US_PER_S);
    for (int minute = 0; minute < MINUTES; minute++)
        tell(history, minute, decided_score, shadow_score);
    assert_true(history_flush(history, 20000));
    history_destroy(history);
    return open_history(by_arms);
}

static struct history_store *fill(bool by_arms)
{
    return fill_with(by_arms, decided_at, shadow_at);
}

static struct json *ask(struct history_store *history, struct history_question question)
{
    struct buffer out;
    struct error error;
    struct json *json = NULL;
    buffer_init(&out, 1u << 20);
    question.from_us = T0_S * US_PER_S;
    question.to_us = (T0_S + MINUTES * 60) * US_PER_S;
    enum status status = question.of.size ? history_heatmap(history, &question, &out, &error)
                                          : history_answer(history, &question, &out, &error);
    if (status != STATUS_OK)
        fail_msg("%s", error.message);
    assert_int_equal(json_parse(buffer_slice(&out), &json, &error), STATUS_OK);
    buffer_free(&out);
    return json;
}

static struct json *ask_series(struct history_store *history, const char *series, const char *by,
                               int64_t step_s)
{
    return ask(history, (struct history_question){.series = slice_of(series),
                                                  .by = slice_of(by),
                                                  .step_us = step_s * US_PER_S});
}

static double value_of(const struct json *series, size_t point)
{
    const struct json *pair = json_item(json_get(series, "points"), point);
    return json_as_number(json_item(pair, 1), NAN);
}

struct truth {
    double n, far, higher, distance;
};

static struct truth count_by_hand(int from_minute, int to_minute)
{
    struct truth truth = {0};
    for (int minute = from_minute; minute < to_minute; minute++) {
        double difference = (double)(shadow_at(minute) - decided_at(minute));
        truth.n++;
        truth.far += fabs(difference) > 0.1;
        truth.higher += difference > 0;
        truth.distance += fabs(difference);
    }
    return truth;
}

static void assert_near(double value, double expected, double within)
{
    assert_true(fabs(value - expected) < within);
}

static void disagreement_over_any_step_is_as_counted_by_hand(void **state)
{
    (void)state;
    static const int steps[] = {1, 5, 60, MINUTES}; /* minutes; the last two read other rows */
    struct history_store *history = fill(true);
    for (int i = 0; i < 4; i++) {
        struct json *json = ask_series(
            history,
            "shadow_scored,shadow_disagreement_ratio,shadow_higher_ratio,shadow_distance_mean", "",
            steps[i] * 60);
        const struct json *series = json_get(json, "series");
        for (int point = 0; point < MINUTES / steps[i]; point++) {
            struct truth truth = count_by_hand(point * steps[i], (point + 1) * steps[i]);
            size_t at = (size_t)point;
            assert_true(value_of(json_item(series, 0), at) == truth.n);
            assert_true(value_of(json_item(series, 1), at) == truth.far / truth.n);
            assert_true(value_of(json_item(series, 2), at) == truth.higher / truth.n);
            assert_near(value_of(json_item(series, 3), at), truth.distance / truth.n, 1e-6);
        }
        json_destroy(json);
    }
    history_destroy(history);
}

static void scores_of_a_shadow_are_no_scores_of_decisions(void **state)
{
    (void)state;
    struct history_store *history = fill(true);
    static const char *const by[] = {"", "decision"};
    for (int i = 0; i < 4; i++) {
        struct json *json =
            ask_series(history, "score_p99,score_mean", by[i % 2], i < 2 ? 1800 : 7200);
        const struct json *series = json_get(json, "series");
        assert_int_equal(json_size(series), 2);
        assert_near(value_of(json_item(series, 0), 0), 0.45, 0.011);
        assert_near(value_of(json_item(series, 1), 0), 0.225, 0.001);
        json_destroy(json);
    }
    history_destroy(history);
}

static void by_arm_a_shadow_has_scores_and_decides_nothing(void **state)
{
    (void)state;
    struct history_store *history = fill(true);
    struct json *json =
        ask_series(history, "score_p99,score_mean,accepted,shadow_scored", "variant", 3600);
    static const struct {
        const char *name, *arm;
        double value;
    } expected[] = {{"score_p99", "champion", 0.45},   {"score_p99", "shadow", 0.95},
                    {"score_mean", "champion", 0.225}, {"score_mean", "shadow", 0.475},
                    {"accepted", "champion", 60},      {"shadow_scored", "shadow", 60}};
    const struct json *series = json_get(json, "series");
    assert_int_equal(json_size(series), 6);
    for (size_t i = 0; i < 6; i++) {
        const struct json *one = json_item(series, i);
        const char *arm = json_as_text(json_get(json_get(one, "labels"), "variant"), "");
        assert_string_equal(json_as_text(json_get(one, "name"), ""), expected[i].name);
        assert_string_equal(arm, expected[i].arm);
        assert_near(value_of(one, HOURS - 1), expected[i].value, 0.011);
    }
    json_destroy(json);
    history_destroy(history);
}

/* Zero is an answer: a shadow that agrees, or says 0 of everything, has lines of zeros. */
static void by_arm_a_shadow_that_always_agrees_has_lines_of_zeros(void **state)
{
    (void)state;
    struct history_store *history = fill_with(true, decided_at, decided_at);
    struct json *json = ask_series(history, "shadow_disagreement_ratio,shadow_distance_mean,review",
                                   "variant", 3600);
    const struct json *series = json_get(json, "series");
    assert_int_equal(json_size(series), 3);
    for (size_t i = 0; i < 3; i++) {
        const struct json *labels = json_get(json_item(series, i), "labels");
        assert_string_equal(json_as_text(json_get(labels, "variant"), ""),
                            i < 2 ? "shadow" : "champion");
        for (size_t point = 0; point < HOURS; point++)
            assert_true(value_of(json_item(series, i), point) == 0);
    }
    json_destroy(json);
    history_destroy(history);
}

static float nothing_at(int minute)
{
    (void)minute;
    return 0;
}

static void by_arm_scores_of_nothing_but_zero_are_a_line(void **state)
{
    (void)state;
    struct history_store *history = fill_with(true, decided_at, nothing_at);
    struct json *json = ask_series(history, "score_mean", "variant", 3600);
    const struct json *shadow = json_item(json_get(json, "series"), 1);
    assert_string_equal(json_as_text(json_get(json_get(shadow, "labels"), "variant"), ""),
                        "shadow");
    assert_true(value_of(shadow, 0) == 0);
    json_destroy(json);
    history_destroy(history);
}

static float low_at(int minute)
{
    return 0.0003f + 0.0001f * (float)(minute % 2);
}

static float lower_at(int minute)
{
    return 0.0001f + 0.0001f * (float)(minute % 2);
}

/* Most events are no fraud: their scores lie below a thousandth, where rounding must not hide them.
 */
static void means_of_low_scores_are_those_of_the_scores(void **state)
{
    (void)state;
    struct history_store *history = fill_with(true, low_at, lower_at);
    struct json *json =
        ask_series(history, "score_mean,shadow_distance_mean", "variant", MINUTES * 60);
    const struct json *series = json_get(json, "series");
    assert_int_equal(json_size(series), 3);
    assert_near(value_of(json_item(series, 0), 0), 0.00035, 1e-6);
    assert_near(value_of(json_item(series, 1), 0), 0.00015, 1e-6);
    assert_near(value_of(json_item(series, 2), 0), 0.0002, 1e-6);
    json_destroy(json);
    history_destroy(history);
}

static double in_heatmap(struct history_store *history, const char *where)
{
    struct json *json = ask(history, (struct history_question){.of = slice_of("score"),
                                                               .where = slice_of(where),
                                                               .step_us = 1800 * US_PER_S});
    double n = 0;
    for (const struct json *cell = json_first(json_get(json, "cells")); cell;
         cell = json_next(cell))
        for (const struct json *one = json_first(json_item(cell, 1)); one; one = json_next(one))
            n += json_as_number(one, 0);
    json_destroy(json);
    return n;
}

static void a_heatmap_of_scores_holds_a_shadows_only_where_they_are_asked_for(void **state)
{
    (void)state;
    struct history_store *history = fill(true);
    assert_true(in_heatmap(history, "") == MINUTES);
    assert_true(in_heatmap(history, "variant:champion") == MINUTES);
    assert_true(in_heatmap(history, "variant:shadow") == MINUTES);
    history_destroy(history);
}

static void where_arms_are_not_told_apart_disagreement_is_known_all_the_same(void **state)
{
    (void)state;
    struct history_store *history = fill(false);
    struct json *json = ask_series(history, "shadow_scored,accepted,score_p99", "", MINUTES * 60);
    const struct json *series = json_get(json, "series");
    assert_true(value_of(json_item(series, 0), 0) == MINUTES);
    assert_true(value_of(json_item(series, 1), 0) == MINUTES);
    assert_near(value_of(json_item(series, 2), 0), 0.45, 0.011);
    json_destroy(json);
    history_destroy(history);
}

static int set_up(void **state)
{
    if (make_folder(state))
        return -1;
    folder_path("history.db", path);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(disagreement_over_any_step_is_as_counted_by_hand),
        cmocka_unit_test(scores_of_a_shadow_are_no_scores_of_decisions),
        cmocka_unit_test(by_arm_a_shadow_has_scores_and_decides_nothing),
        cmocka_unit_test(by_arm_a_shadow_that_always_agrees_has_lines_of_zeros),
        cmocka_unit_test(by_arm_scores_of_nothing_but_zero_are_a_line),
        cmocka_unit_test(means_of_low_scores_are_those_of_the_scores),
        cmocka_unit_test(a_heatmap_of_scores_holds_a_shadows_only_where_they_are_asked_for),
        cmocka_unit_test(where_arms_are_not_told_apart_disagreement_is_known_all_the_same),
    };
    return cmocka_run_group_tests(tests, set_up, remove_folder);
}
