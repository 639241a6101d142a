/* The numbers of the report "slo" against rows that can be counted by hand. */
#include "tests/unit/engine/record/fixture.h"

#include <math.h>

#include "engine/base/json.h"
#include "reports/slo_report.h"

#define DAY_TWO   (DAY_ONE + US_PER_DAY)
#define DAY_THREE (DAY_TWO + US_PER_DAY)
#define DAY_FOUR  (DAY_THREE + US_PER_DAY)
#define MS        INT64_C(1000)

struct bench {
    char *dir;
    struct clock *clock;
    struct ledger *ledger;
    uint64_t n;
    struct monitor_options monitor;
    struct observe_options observe;
    struct report report;
};

static int set_up(void **state)
{
    struct bench *bench = calloc(1, sizeof *bench);
    struct error error = {0};
    assert_non_null(bench);
    bench->dir = folder_create();
    bench->clock = clock_create_event(DAY_ONE);
    bench->ledger = open_ledger(bench->dir, bench->clock);
    monitor_options_init(&bench->monitor);
    observe_options_init(&bench->observe);
    assert_int_equal(monitor_read(NULL, NULL, &bench->monitor, &bench->observe, &error), STATUS_OK);
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;
    report_free(&bench->report);
    close_ledger(bench->ledger);
    clock_destroy(bench->clock);
    folder_remove(bench->dir);
    free(bench);
    return 0;
}

static void decide_at(struct bench *bench, int64_t at_us, int64_t latency_us,
                      enum decision decision)
{
    struct sample sample;
    struct error error = {0};
    struct ledger_entry entry = sample_decision(&sample, bench->n++, at_us, -1);
    sample.outcome.latency_us = latency_us;
    sample.outcome.decision = decision;
    assert_int_equal(ledger_submit(bench->ledger, &entry, 1, SUBMIT_WAIT, NULL, &error), STATUS_OK);
}

static void quarantine_at(struct bench *bench, int64_t at_us)
{
    struct error error = {0};
    struct event event = {
        .schema = &SCHEMA,
        .raw = slice_of("{}"),
        .position = {-1, 0, 0},
        .received_us = at_us,
        .violations = {{VIOLATION_MISSING, 0, NULL}},
        .n_violations = 1,
    };
    struct ledger_entry entry = {.kind = ENTRY_QUARANTINE};
    entry.quarantine.event = &event;
    assert_int_equal(ledger_submit(bench->ledger, &entry, 1, SUBMIT_WAIT, NULL, &error), STATUS_OK);
}

static const struct report *build(struct bench *bench, int64_t from_us, int64_t to_us)
{
    struct error error = {0};
    flush_ledger(bench->ledger);
    struct slo_report_options options = {
        .ledger_dir = bench->dir,
        .service = "cards",
        .monitor = &bench->monitor,
        .observe = &bench->observe,
        .from_us = from_us,
        .to_us = to_us,
    };
    report_free(&bench->report);
    if (slo_report_build(&options, &bench->report, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return &bench->report;
}

static const struct report_cell *cell(const struct report *report, const char *table_name,
                                      const char *row_name, const char *column)
{
    for (int t = 0; t < report->n_tables; t++) {
        const struct report_table *table = &report->tables[t];
        if (strcmp(table->name, table_name) != 0)
            continue;
        for (int i = 0; i < table->n_rows * table->n_columns; i++) {
            const struct report_cell *first = &table->cells[i - i % table->n_columns];
            if (strcmp(first->text, row_name) == 0 &&
                strcmp(table->columns[i % table->n_columns].name, column) == 0)
                return &table->cells[i];
        }
    }
    fail_msg("no %s of %s in %s", column, row_name, table_name);
    return NULL;
}

static void assert_number(const struct report *report, const char *table, const char *row,
                          const char *column, double expected, double within)
{
    const struct report_cell *found = cell(report, table, row, column);
    assert_false(found->is_text);
    if (!(fabs(found->number - expected) <= within))
        fail_msg("%s of %s is %g, not %g", column, row, found->number, expected);
}

static void assert_no_data(const struct report *report, const char *table, const char *row,
                           const char *column)
{
    const struct report_cell *found = cell(report, table, row, column);
    assert_true(isnan(found->number));
    assert_string_equal(found->text, "no data");
}

/* ---- tests ---- */

/* A service whose windows reach two days back: what they hold on the first two says how full they
 * are, not what has drifted. */
static void drift_is_not_judged_while_windows_fill(void **state)
{
    struct bench *bench = *state;
    bench->monitor.reach_us[0] = 2 * US_PER_DAY;
    bench->observe.reference_events = 100;
    bench->monitor.drift.min_events = 50;
    for (int64_t at_us = DAY_ONE; at_us < DAY_FOUR; at_us += 10 * US_PER_MIN) {
        for (int i = 0; i < 60; i++)
            decide_at(bench, at_us + i, MS, DECISION_APPROVE);
    }
    assert_no_data(build(bench, DAY_ONE, DAY_THREE), "objectives", "drift", "counted");
    assert_number(build(bench, DAY_ONE, DAY_FOUR), "objectives", "drift", "counted", 6 * 24, 2);
    bench->monitor.reach_us[0] = 0;
    assert_number(build(bench, DAY_ONE, DAY_THREE), "objectives", "drift", "counted", 2 * 6 * 24,
                  4);
}

static void counts_every_decision_in_its_own_day(void **state)
{
    struct bench *bench = *state;
    decide_at(bench, DAY_ONE - 1, 900 * MS, DECISION_DECLINE); /* before the range */
    decide_at(bench, DAY_ONE, 100 * MS, DECISION_APPROVE);
    decide_at(bench, DAY_ONE + 12 * US_PER_HOUR, 300 * MS, DECISION_APPROVE);
    decide_at(bench, DAY_TWO - 30 * US_PER_MIN, 900 * MS, DECISION_DECLINE);
    decide_at(bench, DAY_TWO - 1, 100 * MS, DECISION_REVIEW);
    decide_at(bench, DAY_TWO, 10 * MS, DECISION_APPROVE);
    decide_at(bench, DAY_TWO + 1, 10 * MS, DECISION_DECLINE);
    decide_at(bench, DAY_THREE - 1, 10 * MS, DECISION_DECLINE);
    decide_at(bench, DAY_FOUR, 900 * MS, DECISION_DECLINE); /* after it */
    quarantine_at(bench, DAY_ONE + 1);
    quarantine_at(bench, DAY_THREE - 1);
    quarantine_at(bench, DAY_THREE - 1);
    quarantine_at(bench, DAY_FOUR);
    const struct report *report = build(bench, DAY_ONE, DAY_FOUR);

    assert_number(report, "objectives", "latency", "target_ratio", 0.95, 1e-12);
    assert_number(report, "objectives", "latency", "counted", 7, 0);
    assert_number(report, "objectives", "latency", "bad", 2, 0);
    assert_number(report, "objectives", "latency", "attained_ratio", 5.0 / 7, 1e-12);
    assert_number(report, "objectives", "latency", "budget_left_ratio", 1 - 2 / (7 * 0.05), 1e-9);
    assert_string_equal(cell(report, "objectives", "latency", "verdict")->text, "missed");

    assert_number(report, "days", "2018-08-08", "decisions", 4, 0);
    assert_number(report, "days", "2018-08-08", "declined_ratio", 0.25, 1e-12);
    assert_number(report, "days", "2018-08-08", "quarantined", 1, 0);
    assert_number(report, "days", "2018-08-08", "latency_attained_ratio", 0.5, 1e-12);
    assert_number(report, "days", "2018-08-08", "latency_p95_us", 900e3, 9e3);
    assert_number(report, "days", "2018-08-09", "decisions", 3, 0);
    assert_number(report, "days", "2018-08-09", "declined_ratio", 2.0 / 3, 1e-12);
    assert_number(report, "days", "2018-08-09", "quarantined", 2, 0);
    assert_number(report, "days", "2018-08-09", "latency_attained_ratio", 1, 0);
    assert_number(report, "days", "2018-08-09", "latency_p95_us", 10e3, 1e2);
    assert_number(report, "days", "2018-08-10", "decisions", 0, 0);
    assert_no_data(report, "days", "2018-08-10", "declined_ratio");
    assert_no_data(report, "days", "2018-08-10", "latency_attained_ratio");
    assert_no_data(report, "days", "2018-08-10", "latency_p95_us");
    assert_int_equal(report->tables[1].n_rows, 3);
    assert_string_equal(report->summary,
                        "0 of 1 objective that the record can judge was met over 7 decisions. "
                        "Missed: latency.");
    assert_int_equal(report->tree_size, 9);
}

static void a_range_within_a_day_counts_only_what_is_in_it(void **state)
{
    struct bench *bench = *state;
    decide_at(bench, DAY_ONE + US_PER_HOUR - 1, 900 * MS, DECISION_APPROVE);
    decide_at(bench, DAY_ONE + US_PER_HOUR, 10 * MS, DECISION_APPROVE);
    decide_at(bench, DAY_ONE + 2 * US_PER_HOUR - 1, 10 * MS, DECISION_APPROVE);
    decide_at(bench, DAY_ONE + 2 * US_PER_HOUR, 900 * MS, DECISION_APPROVE);
    quarantine_at(bench, DAY_ONE);
    const struct report *report = build(bench, DAY_ONE + US_PER_HOUR, DAY_ONE + 2 * US_PER_HOUR);
    assert_number(report, "objectives", "latency", "counted", 2, 0);
    assert_number(report, "objectives", "latency", "bad", 0, 0);
    assert_number(report, "objectives", "latency", "budget_left_ratio", 1, 0);
    assert_string_equal(cell(report, "objectives", "latency", "verdict")->text, "met");
    assert_number(report, "days", "2018-08-08", "decisions", 2, 0);
    assert_number(report, "days", "2018-08-08", "quarantined", 0, 0);
    assert_int_equal(report->tables[1].n_rows, 1);
}

static void what_the_record_cannot_say_is_no_data(void **state)
{
    struct bench *bench = *state;
    decide_at(bench, DAY_ONE, -1, DECISION_APPROVE); /* a replay measures no latency */
    const struct report *report = build(bench, DAY_ONE, DAY_TWO);
    static const char *const names[] = {"latency", "availability", "freshness"};
    static const char *const columns[] = {"attained_ratio", "counted", "bad", "budget_left_ratio"};
    for (int i = 0; i < 3; i++) {
        for (int c = 0; c < 4; c++)
            assert_no_data(report, "objectives", names[i], columns[c]);
        assert_string_equal(cell(report, "objectives", names[i], "verdict")->text, "no data");
    }
    assert_number(report, "days", "2018-08-08", "decisions", 1, 0);
    assert_no_data(report, "days", "2018-08-08", "latency_attained_ratio");
    assert_int_equal(report->chart.n_series, 0);
    assert_string_equal(report->summary, "No objective can be judged: the range holds 1 decision.");
}

static void a_range_without_decisions_has_its_days_and_judges_nothing(void **state)
{
    struct bench *bench = *state;
    const struct report *report = build(bench, DAY_ONE, DAY_THREE);
    assert_int_equal(report->tables[1].n_rows, 2);
    for (int i = 0; i < report->tables[0].n_rows; i++)
        assert_string_equal(report->tables[0].cells[i * 7 + 6].text, "no data");
    assert_int_equal(report->tree_size, 0);
}

/* The last slices of the day: four make the reference, the next are like them, the last three are
 * not. */
static void judges_every_slice_of_drift_the_last_one_too(void **state)
{
    enum { SLICES = 30, PER_SLICE = 250, REFERENCE = 4, DRIFTED = 3 };
    struct bench *bench = *state;
    bench->observe.reference_events = REFERENCE * PER_SLICE;
    int64_t from_us = DAY_TWO - SLICES * SLICE_US;
    for (int i = 0; i < SLICES * PER_SLICE; i++) {
        struct sample sample;
        struct error error = {0};
        int64_t at_us = from_us + i * (SLICE_US / PER_SLICE);
        struct ledger_entry entry = sample_decision(&sample, bench->n++, at_us, -1);
        sample.outcome.variant = VARIANT_CHAMPION; /* canaries make no reference */
        bool drifted = i >= (SLICES - DRIFTED) * PER_SLICE;
        sample.outcome.score = drifted ? 0.999f : (float)(i * 37 % 125) / 125.0f;
        assert_int_equal(ledger_submit(bench->ledger, &entry, 1, SUBMIT_WAIT, NULL, &error),
                         STATUS_OK);
    }
    const struct report *report = build(bench, DAY_ONE, DAY_TWO);
    assert_number(report, "objectives", "drift", "counted", SLICES - REFERENCE, 0);
    assert_number(report, "objectives", "drift", "bad", DRIFTED, 0);
    /* The same when the day after is in the range: the last slice is in no other day. */
    report = build(bench, DAY_ONE, DAY_THREE);
    assert_number(report, "objectives", "drift", "counted", SLICES - REFERENCE, 0);
    assert_number(report, "objectives", "drift", "bad", DRIFTED, 0);
}

static void the_chart_shows_the_budget_going(void **state)
{
    struct bench *bench = *state;
    for (int i = 0; i < 40; i++)
        decide_at(bench, DAY_ONE + i, i < 1 ? 900 * MS : MS, DECISION_APPROVE);
    for (int i = 0; i < 40; i++)
        decide_at(bench, DAY_THREE + i, i < 2 ? 900 * MS : MS, DECISION_APPROVE);
    const struct report *report = build(bench, DAY_ONE, DAY_FOUR);
    assert_int_equal(report->chart.n_series, 1);
    assert_string_equal(report->chart.series[0].name, "latency");
    assert_int_equal(report->chart.n_points, 3);
    /* 80 decisions at 95 %: four may be bad. */
    assert_float_equal(report->chart.series[0].points[0], 75, 1e-9);
    assert_float_equal(report->chart.series[0].points[1], 75, 1e-9);
    assert_float_equal(report->chart.series[0].points[2], 25, 1e-9);
    assert_int_equal(report->chart.times_us[2], DAY_THREE);
}

static void refuses_an_empty_or_endless_range(void **state)
{
    struct bench *bench = *state;
    struct error error = {0};
    struct report report;
    struct slo_report_options options = {
        .ledger_dir = bench->dir,
        .service = "cards",
        .monitor = &bench->monitor,
        .observe = &bench->observe,
    };
    const int64_t ranges[][2] = {
        {DAY_ONE, DAY_ONE},
        {DAY_TWO, DAY_ONE},
        {DAY_ONE, DAY_ONE + 3700 * US_PER_DAY},
        {INT64_MIN, INT64_MAX},
    };
    for (size_t i = 0; i < 4; i++) {
        options.from_us = ranges[i][0];
        options.to_us = ranges[i][1];
        assert_int_equal(slo_report_build(&options, &report, &error), STATUS_INVALID);
    }
    options.ledger_dir = "/nowhere/at/all";
    options.from_us = DAY_ONE;
    options.to_us = DAY_TWO;
    assert_int_equal(slo_report_build(&options, &report, &error), STATUS_NOT_FOUND);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(counts_every_decision_in_its_own_day),
        TEST(a_range_within_a_day_counts_only_what_is_in_it),
        TEST(what_the_record_cannot_say_is_no_data),
        TEST(a_range_without_decisions_has_its_days_and_judges_nothing),
        TEST(judges_every_slice_of_drift_the_last_one_too),
        TEST(drift_is_not_judged_while_windows_fill),
        TEST(the_chart_shows_the_budget_going),
        TEST(refuses_an_empty_or_endless_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
