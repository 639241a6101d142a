/* Objectives by expression: over decisions, over slices of the history, and mistakes in them. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/monitor/indicators.h"
#include "engine/monitor/monitor.h"

#define T0 (INT64_C(1533081600) * US_PER_S)

static const struct field fields[] = {{"event_id", FIELD_STRING, true, false, false},
                                      {"country", FIELD_STRING, true, true, false}};
static const struct schema schema = {"t", "1", fields, 2, 0, 0, -1, -1};
static const char *const names[] = {"amount"};
static const struct feature_schema features = {names, 1};

static enum status read_set(const char *text, struct slo_set *set, struct indicators **indicators,
                            struct yaml **yaml, struct error *error)
{
    assert_int_equal(yaml_load_text("b.yaml", slice_of(text), yaml, error), STATUS_OK);
    enum status status = slo_read(yaml_root(*yaml), set, error);
    *indicators = NULL;
    return status == STATUS_OK ? indicators_create(set, &schema, &features, indicators, error)
                               : status;
}

static struct outcome outcome_of(const struct event *event, float *amount, int64_t latency_us)
{
    return (struct outcome){.event = event,
                            .features = {&features, amount},
                            .score = 0.5f,
                            .decision = DECISION_DECLINE,
                            .rule = "high",
                            .decided_at_us = T0,
                            .latency_us = latency_us};
}

static void a_decision_counts_when_it_is_valid_and_is_bad_when_it_is_not_good(void **state)
{
    (void)state;
    struct slo_set set;
    struct indicators *indicators;
    struct yaml *yaml;
    struct error error;
    assert_int_equal(read_set("- {name: quick, good: latency_us < 1000, target: 99}\n"
                              "- {name: us, good: \"decision == 'approve' or amount > 10\", "
                              "valid: \"country == 'US'\", target: 99}\n",
                              &set, &indicators, &yaml, &error),
                     STATUS_OK);
    assert_int_equal(set.slos[0].indicator, SLO_DECISIONS);
    assert_true(slo_counts_events(&set.slos[1]));
    static const struct {
        const char *country; /* NULL: null */
        float amount;
        int64_t latency_us;
        uint8_t counted, bad;
    } cases[] = {
        {"US", 20, 500, 3, 0},  {"US", 5, 1000, 3, 3}, {"GB", 5, 1000, 1, 1},
        {NULL, 20, 500, 1, 0},  {"US", 20, -1, 2, 0}, /* not measured: says nothing */
        {"US", NAN, 500, 1, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct value values[2] = {value_null(), value_null()};
        float amount = cases[i].amount;
        struct event event = {.schema = &schema, .values = values, .time_us = T0};
        if (cases[i].country)
            values[1] = value_string(slice_of(cases[i].country));
        struct outcome outcome = outcome_of(&event, &amount, cases[i].latency_us);
        struct custom_verdict verdict = indicators_outcome(indicators, &outcome);
        assert_int_equal(verdict.counted, cases[i].counted);
        assert_int_equal(verdict.bad, cases[i].bad);
    }
    indicators_destroy(indicators);
    yaml_destroy(yaml);
}

static void slices_are_judged_once_by_the_series_of_the_history(void **state)
{
    (void)state;
    struct slo_set set;
    struct indicators *indicators;
    struct yaml *yaml;
    struct error error;
    assert_int_equal(read_set("- {name: decline, good: decline_ratio <= 0.5, valid: accepted >= 5, "
                              "slice: 5m, target: 90}\n",
                              &set, &indicators, &yaml, &error),
                     STATUS_OK);
    struct observe_options observe_options;
    struct history_options history_options;
    struct observe *observe;
    struct history_store *history;
    observe_options_init(&observe_options);
    assert_int_equal(observe_create(&observe_options, &observe, &error), STATUS_OK);
    history_options_init(&history_options);
    history_options.schema = &schema;
    history_options.event_time = true;
    assert_int_equal(history_create(&history_options, &history, &error), STATUS_OK);
    struct observe_sink sink = history_sink(history);
    observe_set_sink(observe, &sink);
    history_begin(history, T0);
    indicators_slices(indicators, history, observe, T0 + 30 * US_PER_S);
    /* Slices of 10, 10, 4 and no events; in the second all are declined. */
    static const int events[] = {10, 10, 4, 0};
    for (int slice = 0; slice < 4; slice++) {
        for (int i = 0; i < events[slice]; i++) {
            struct value values[2] = {value_null(), value_null()};
            int64_t at_us = T0 + slice * SLICE_US + i * US_PER_S;
            struct event event = {.schema = &schema, .values = values, .time_us = at_us};
            struct outcome outcome = outcome_of(&event, NULL, 100);
            const struct outcome *list[] = {&outcome};
            outcome.decided_at_us = at_us;
            outcome.decision = slice == 1 || i < 2 ? DECISION_DECLINE : DECISION_APPROVE;
            outcome.model = "m";
            observe_outcomes(observe, 0, list, 1);
        }
    }
    struct snapshot *snapshot = snapshot_create();
    for (int i = 0; i < 3; i++) { /* also asked more than once */
        int64_t now_us = T0 + 4 * SLICE_US + (60 + i) * US_PER_S;
        observe_fill(observe, now_us, now_us * 1000, snapshot);
        indicators_slices(indicators, history, observe, now_us);
    }
    struct tally hour;
    observe_sum(observe, US_PER_HOUR, &hour);
    uint64_t counted, bad;
    slo_count(&set.slos[0], &hour, &counted, &bad);
    assert_int_equal(counted, 2);
    assert_int_equal(bad, 1);
    snapshot_release(snapshot);
    observe_destroy(observe);
    history_destroy(history);
    indicators_destroy(indicators);
    yaml_destroy(yaml);
}

static void a_mistake_names_the_objective_and_the_place(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"- {name: a, good: latncy_us < 1, target: 99}\n",
         "objective a: good: 1:1: unknown name \"latncy_us\"; did you mean \"latency_us\"?"},
        {"- {name: a, good: latency_us, target: 99}\n", "objective a: good: 1:"},
        {"- {name: a, good: \"true\", valid: nonsense > 1, target: 99}\n", "objective a: valid: "},
        {"- {name: a, good: accepted > 1, target: 99}\n", "unknown name \"accepted\""},
        {"- {name: a, good: psi.amont > 1, slice: 5m, target: 99}\n", "psi.amount"},
        {"- {name: a, good: \"true\", indicator: latency, target: 99}\n", "not both"},
        {"- {name: latency, valid: \"true\", target: 99}\n", "belong to an objective with `good`"},
        {"- {name: a, good: events > 1, slice: 90s, target: 99}\n", "whole minutes"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct slo_set set;
        struct indicators *indicators;
        struct yaml *yaml;
        struct error error;
        if (read_set(cases[i].text, &set, &indicators, &yaml, &error) != STATUS_INVALID)
            fail_msg("case %zu was taken", i);
        if (!strstr(error.message, cases[i].message))
            fail_msg("case %zu: \"%s\" has no \"%s\"", i, error.message, cases[i].message);
        yaml_destroy(yaml);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_decision_counts_when_it_is_valid_and_is_bad_when_it_is_not_good),
        cmocka_unit_test(slices_are_judged_once_by_the_series_of_the_history),
        cmocka_unit_test(a_mistake_names_the_objective_and_the_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
