/* Lines of objectives over time against the same counted by hand: each point over the window that
 * ends with it, whatever the step; across a change of the expressions; and where nothing is known.
 */
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
#include "engine/monitor/budget.h"
#include "tests/unit/folder.h"

#define T0_S     INT64_C(1533081600) /* 2018-08-01T00:00:00Z */
#define MINUTES  (36 * 60)
#define GAP_FROM 600 /* nothing happens for an hour, and the service is there */
#define GAP_TO   660
#define LIMIT_US 200000
#define WINDOW_S (12 * 3600)

static const struct field fields[] = {{"event_id", FIELD_STRING, true, false, false},
                                      {"event_ts", FIELD_TIMESTAMP, true, false, false}};
static const struct schema schema = {"t", "1", fields, 2, 0, 1, -1, -1};
static char path[FOLDER_PATH];

static const struct slo_set objectives = {.n = 3,
                                          .slos = {{.name = "latency",
                                                    .indicator = SLO_LATENCY,
                                                    .target = 0.95,
                                                    .window_us = WINDOW_S * US_PER_S,
                                                    .limit_us = LIMIT_US},
                                                   {.name = "availability",
                                                    .indicator = SLO_AVAILABILITY,
                                                    .target = 0.9,
                                                    .window_us = WINDOW_S * US_PER_S},
                                                   {.name = "quick",
                                                    .indicator = SLO_DECISIONS,
                                                    .target = 0.8,
                                                    .window_us = WINDOW_S * US_PER_S,
                                                    .custom = 2}}};

/* What happens in a minute: some decisions, slow ones and bad ones among them, and errors. */
static bool happens(int minute)
{
    return minute < GAP_FROM || minute >= GAP_TO;
}
static int decisions_in(int minute)
{
    return happens(minute) ? 3 + minute % 5 : 0;
}
static int slow_in(int minute)
{
    return happens(minute) ? minute % 7 == 0 : 0;
}
static int errors_in(int minute)
{
    return happens(minute) ? minute % 11 == 0 : 0;
}

static void take(struct history_store *history, struct observation observation)
{
    struct observe_sink sink = history_sink(history);
    struct observations one = {&observation, NULL, 0, 1};
    sink.take(sink.context, &one);
}

static void tell_minute(struct history_store *history, int minute)
{
    int64_t at_us = (T0_S + minute * 60 + 20) * US_PER_S;
    struct observation seen = {.at_us = at_us,
                               .event_us = at_us,
                               .latency_us = -1,
                               .age_us = INT64_MAX,
                               .kind = OBSERVED_ERROR,
                               .arm = NO_ARM};
    for (int i = 0; i < errors_in(minute); i++)
        take(history, seen);
    seen.kind = OBSERVED_OUTCOME;
    for (int i = 0; i < decisions_in(minute); i++) {
        bool slow = i < slow_in(minute);
        seen.latency_us = slow ? LIMIT_US : LIMIT_US - 1;
        seen.custom = (struct custom_verdict){1u << 2, (uint8_t)(slow ? 1u << 2 : 0)};
        take(history, seen);
    }
}

static struct history_store *open_history(uint64_t judges)
{
    struct history_options options;
    struct history_store *history = NULL;
    struct error error;
    history_options_init(&options);
    options.schema = &schema;
    options.path = path;
    options.event_time = true;
    options.latency_limits_us[0] = LIMIT_US;
    options.judges = judges;
    options.labels[0] = "decision";
    options.n_labels = 1;
    if (history_create(&options, &history, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return history;
}

static void fill(void)
{
    unlink(path);
    struct history_store *history = open_history(1);
    history_begin(history, T0_S * US_PER_S);
    for (int minute = 0; minute < MINUTES; minute++) {
        tell_minute(history, minute);
        history_tick(history, (T0_S + minute * 60 + 59) * US_PER_S);
    }
    assert_true(history_flush(history, 20000));
    history_destroy(history);
}

static struct json *ask(struct history_store *history, const char *series, int from_minute,
                        int to_minute, int step_s)
{
    struct buffer out;
    struct error error;
    struct json *json = NULL;
    static struct budget_lines lines;
    lines = (struct budget_lines){history, &objectives};
    struct history_derived derived = budget_lines_series(&lines);
    history_set_derived(history, &derived);
    buffer_init(&out, 4u << 20);
    struct history_question question = {.series = slice_of(series),
                                        .from_us = (T0_S + from_minute * 60) * US_PER_S,
                                        .to_us = (T0_S + to_minute * 60) * US_PER_S,
                                        .step_us = step_s * US_PER_S};
    if (history_answer(history, &question, &out, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    assert_int_equal(json_parse(buffer_slice(&out), &json, &error), STATUS_OK);
    buffer_free(&out);
    return json;
}

static double value_of(const struct json *answer, size_t series, size_t point)
{
    const struct json *points = json_get(json_item(json_get(answer, "series"), series), "points");
    return json_as_number(json_item(json_item(points, point), 1), NAN);
}

/* Share of bad ones over the window of so many minutes that ends before the minute, over what the
 * target allows. */
static double used_by_hand(int end, int window, const char *what, double target)
{
    double n = 0, bad = 0;
    for (int minute = end > window ? end - window : 0; minute < end; minute++) {
        bool callers = strcmp(what, "availability") == 0;
        n += decisions_in(minute) + (callers ? errors_in(minute) : 0);
        bad += callers ? errors_in(minute) : slow_in(minute);
    }
    return bad / n / (1 - target);
}

static void assert_near(double value, double expected)
{
    assert_true(fabs(value - expected) < 1e-9);
}

static void every_point_is_judged_over_the_window_that_ends_with_it(void **state)
{
    (void)state;
    struct history_store *history = open_history(1);
    static const int steps[] = {1, 10, 60}; /* minutes */
    for (int i = 0; i < 3; i++) {
        int step = steps[i], from = 120,
            to = from + 30 * step > MINUTES ? MINUTES : from + 30 * step;
        struct json *json =
            ask(history, "budget_left.latency,budget_left.availability,burn_1h.quick", from, to,
                step * 60);
        for (int minute = from, point = 0; minute < to; minute += step, point++) {
            int end = minute + step;
            size_t at = (size_t)point;
            assert_near(value_of(json, 0, at),
                        1 - used_by_hand(end, WINDOW_S / 60, "latency", 0.95));
            assert_near(value_of(json, 1, at),
                        1 - used_by_hand(end, WINDOW_S / 60, "availability", 0.9));
            if (end <= GAP_FROM || end - 60 >= GAP_TO)
                assert_near(value_of(json, 2, at), used_by_hand(end, 60, "quick", 0.8));
        }
        json_destroy(json);
    }
    history_destroy(history);
}

static void a_rate_of_an_hour_without_events_is_no_data_and_its_budget_stays(void **state)
{
    (void)state;
    struct history_store *history = open_history(1);
    struct json *json = ask(history, "burn_1h.latency,budget_left.latency", GAP_TO - 1, GAP_TO, 60);
    assert_true(isnan(value_of(json, 0, 0)));
    assert_near(value_of(json, 1, 0), 1 - used_by_hand(GAP_TO, WINDOW_S / 60, "latency", 0.95));
    json_destroy(json);
    history_destroy(history);
}

static void before_the_service_was_there_is_no_data(void **state)
{
    (void)state;
    struct history_store *history = open_history(1);
    struct json *json = ask(history, "budget_left.latency", -30, 1, 60);
    for (size_t i = 0; i < 30; i++)
        assert_true(isnan(value_of(json, 0, i)));
    assert_near(value_of(json, 0, 30), 1 - used_by_hand(1, 60, "latency", 0.95));
    json_destroy(json);
    history_destroy(history);
}

static void counts_by_other_expressions_are_left_out(void **state)
{
    (void)state;
    struct history_store *history = open_history(2);
    struct json *json = ask(history, "budget_left.quick,budget_left.latency", 120, 121, 60);
    assert_true(isnan(value_of(json, 0, 0)));
    assert_true(isfinite(value_of(json, 1, 0)));
    json_destroy(json);
    history_destroy(history);
}

static void the_names_are_listed_and_others_refused(void **state)
{
    (void)state;
    struct history_store *history = open_history(1);
    json_destroy(ask(history, "accepted", 0, 1, 60));
    struct buffer out;
    struct error error;
    buffer_init(&out, 1u << 20);
    history_names(history, &out);
    buffer_append(&out, "", 1);
    assert_non_null(strstr(out.data, "\"budget_left.quick\""));
    assert_non_null(strstr(out.data, "\"burn_1h.availability\""));
    struct history_question question = {.series = slice_of("budget_left.nothing"),
                                        .from_us = T0_S * US_PER_S,
                                        .to_us = (T0_S + 60) * US_PER_S};
    buffer_reset(&out);
    assert_int_equal(history_answer(history, &question, &out, &error), STATUS_INVALID);
    buffer_free(&out);
    history_destroy(history);
}

static void by_labels_they_are_refused_and_not_given_of_the_whole_service(void **state)
{
    (void)state;
    struct history_store *history = open_history(1);
    json_destroy(ask(history, "accepted", 0, 1, 60));
    struct buffer out;
    struct error error;
    buffer_init(&out, 1u << 20);
    struct history_question question = {.series = slice_of("accepted,burn_1h.quick"),
                                        .where = slice_of("decision:approve"),
                                        .from_us = T0_S * US_PER_S,
                                        .to_us = (T0_S + 60) * US_PER_S};
    assert_int_equal(history_answer(history, &question, &out, &error), STATUS_INVALID);
    assert_non_null(strstr(error.message, "burn_1h.quick is of the whole service"));
    question.series = slice_of("accepted");
    assert_int_equal(history_answer(history, &question, &out, &error), STATUS_OK);
    buffer_free(&out);
    history_destroy(history);
}

static int set_up(void **state)
{
    if (make_folder(state))
        return -1;
    folder_path("history.db", path);
    fill();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_point_is_judged_over_the_window_that_ends_with_it),
        cmocka_unit_test(a_rate_of_an_hour_without_events_is_no_data_and_its_budget_stays),
        cmocka_unit_test(before_the_service_was_there_is_no_data),
        cmocka_unit_test(counts_by_other_expressions_are_left_out),
        cmocka_unit_test(the_names_are_listed_and_others_refused),
        cmocka_unit_test(by_labels_they_are_refused_and_not_given_of_the_whole_service),
    };
    return cmocka_run_group_tests(tests, set_up, remove_folder);
}
