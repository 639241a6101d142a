/* The numbers of the report "slo" against rows, and counts of a history, that can be added by hand.
 */
#include "tests/unit/engine/record/fixture.h"

#include <math.h>

#include "engine/base/json.h"
#include "engine/history/history.h"
#include "engine/monitor/monitor.h"
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
    struct history_options history;
    struct yaml *objectives; /* NULL: the defaults */
    struct indicators *indicators;
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
    history_options_init(&bench->history);
    assert_int_equal(monitor_read(NULL, NULL, &bench->monitor, &bench->observe, &error), STATUS_OK);
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;
    report_free(&bench->report);
    indicators_destroy(bench->indicators);
    yaml_destroy(bench->objectives);
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

static struct slo_report_options options_of(const struct bench *bench, int64_t from_us,
                                            int64_t to_us)
{
    return (struct slo_report_options){
        .ledger_dir = bench->dir,
        .service = "cards",
        .objectives = &bench->monitor.objectives,
        .observe = &bench->observe,
        .history = &bench->history,
        .schema = &SCHEMA,
        .indicators = bench->indicators,
        .from_us = from_us,
        .to_us = to_us,
    };
}

static const struct report *build(struct bench *bench, int64_t from_us, int64_t to_us)
{
    struct error error = {0};
    flush_ledger(bench->ledger);
    struct slo_report_options options = options_of(bench, from_us, to_us);
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

static void use_objectives(struct bench *bench, const char *text)
{
    struct error error = {0};
    assert_int_equal(yaml_load_text("b.yaml", slice_of(text), &bench->objectives, &error),
                     STATUS_OK);
    if (monitor_read(yaml_root(bench->objectives), NULL, &bench->monitor, &bench->observe,
                     &error) != STATUS_OK ||
        indicators_create(&bench->monitor.objectives, &SCHEMA, &FEATURES, &bench->indicators,
                          &error) != STATUS_OK)
        fail_msg("%s", error.message);
}

/* ---- a service's history ---- */

static struct history_store *begin_history(const struct bench *bench, int64_t at_us)
{
    struct history_options options;
    struct history_store *history = NULL;
    struct error error = {0};
    char path[256];
    snprintf(path, sizeof path, "%s/history.db", bench->dir);
    history_options_init(&options);
    options.schema = &SCHEMA;
    options.path = path;
    options.event_time = true;
    if (history_create(&options, &history, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    history_begin(history, at_us);
    return history;
}

static void refuse_at(struct history_store *history, int64_t at_us, enum observation_kind kind)
{
    struct observe_sink sink = history_sink(history);
    struct observation observation = {.at_us = at_us,
                                      .event_us = at_us,
                                      .latency_us = -1,
                                      .age_us = INT64_MAX,
                                      .kind = (uint8_t)kind,
                                      .arm = NO_ARM};
    struct observations one = {&observation, NULL, 0, 1};
    sink.take(sink.context, &one);
}

static void judge_at(struct history_store *history, int64_t at_us, const struct tally *verdict)
{
    struct observe_sink sink = history_sink(history);
    sink.verdict(sink.context, at_us, verdict);
}

static void end_history(struct history_store *history, int64_t at_us)
{
    history_tick(history, at_us);
    assert_true(history_flush(history, 20000));
    history_destroy(history);
}

/* ---- tests ---- */

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
        assert_string_equal(report->tables[0].cells[i * 8 + 6].text, "no data");
    assert_int_equal(report->tree_size, 0);
}

/* Minutes 60 to 119 of the first day, and the first hour of the second, are in the history. */
static void what_leaves_no_rows_is_what_the_history_counted(void **state)
{
    struct bench *bench = *state;
    for (int minute = 0; minute < 180; minute++)
        decide_at(bench, DAY_ONE + minute * US_PER_MIN, MS, DECISION_APPROVE);
    struct tally verdict = {.fresh_minutes = 9, .stale_minutes = 1, .steady_slices = 3};
    struct tally drifted = {.steady_slices = 4, .drifted_slices = 2};
    struct history_store *history = begin_history(bench, DAY_ONE + US_PER_HOUR);
    refuse_at(history, DAY_ONE + 61 * US_PER_MIN, OBSERVED_ERROR);
    refuse_at(history, DAY_ONE + 62 * US_PER_MIN, OBSERVED_DUPLICATE);
    refuse_at(history, DAY_ONE + 63 * US_PER_MIN, OBSERVED_QUARANTINE);
    /* Outcomes are there as well, by the time of their events: they are not counted twice. */
    refuse_at(history, DAY_ONE + 64 * US_PER_MIN, OBSERVED_OUTCOME);
    judge_at(history, DAY_ONE + 65 * US_PER_MIN, &verdict);
    end_history(history, DAY_ONE + 2 * US_PER_HOUR - 1);
    history = begin_history(bench, DAY_TWO);
    judge_at(history, DAY_TWO + US_PER_MIN, &drifted);
    end_history(history, DAY_TWO + US_PER_HOUR - 1);

    const struct report *report = build(bench, DAY_ONE, DAY_THREE);
    assert_number(report, "objectives", "availability", "counted", 60 + 3, 0);
    assert_number(report, "objectives", "availability", "bad", 1, 0);
    assert_number(report, "objectives", "freshness", "counted", 10, 0);
    assert_number(report, "objectives", "freshness", "bad", 1, 0);
    assert_number(report, "objectives", "drift", "counted", 9, 0);
    assert_number(report, "objectives", "drift", "attained_ratio", 7.0 / 9, 1e-12);
    assert_number(report, "objectives", "drift", "covered_ratio", 120.0 / 2880, 1e-12);
    assert_number(report, "objectives", "latency", "covered_ratio", 1, 0);
    assert_number(report, "days", "2018-08-08", "covered_ratio", 60.0 / 1440, 1e-12);

    report = build(bench, DAY_ONE + 62 * US_PER_MIN, DAY_ONE + 64 * US_PER_MIN);
    assert_number(report, "objectives", "availability", "counted", 2 + 2, 0);
    assert_number(report, "objectives", "availability", "bad", 0, 0);
    assert_number(report, "objectives", "availability", "covered_ratio", 1, 0);
    assert_no_data(report, "objectives", "freshness", "attained_ratio");

    report = build(bench, DAY_TWO, DAY_THREE);
    assert_number(report, "objectives", "drift", "counted", 6, 0);
    assert_no_data(report, "objectives", "freshness", "counted");
}

/* Spans that touch add to the whole, wherever they are cut. */
static void a_minute_belongs_to_the_range_in_which_it_begins(void **state)
{
    struct bench *bench = *state;
    struct tally verdict = {.fresh_minutes = 1};
    struct history_store *history = begin_history(bench, DAY_ONE);
    for (int minute = 0; minute < 10; minute++)
        judge_at(history, DAY_ONE + minute * US_PER_MIN, &verdict);
    end_history(history, DAY_ONE + 10 * US_PER_MIN - 1);
    int64_t cut_us = DAY_ONE + 5 * US_PER_MIN + 20 * US_PER_S;
    assert_number(build(bench, DAY_ONE - US_PER_S, cut_us), "objectives", "freshness", "counted", 6,
                  0);
    assert_number(build(bench, cut_us, DAY_TWO), "objectives", "freshness", "counted", 4, 0);
    assert_no_data(build(bench, cut_us, cut_us + US_PER_S), "objectives", "freshness", "counted");
}

static void judges_decisions_by_expressions_over_fields_and_results(void **state)
{
    struct bench *bench = *state;
    use_objectives(bench, "- {name: small, good: amount < 4, valid: \"rule == 'high-score'\", "
                          "target: 50}\n"
                          "- {name: features, good: count_1d > 1, target: 90}\n");
    bench->observe.features = &FEATURES;
    for (int i = 0; i < 9; i++) /* amount i; every third is decided by another rule */
        decide_at(bench, DAY_ONE + i, MS, DECISION_APPROVE);
    const struct report *report = build(bench, DAY_ONE, DAY_TWO);
    assert_number(report, "objectives", "small", "counted", 6, 0);
    assert_number(report, "objectives", "small", "bad", 4, 0);
    assert_string_equal(cell(report, "objectives", "small", "verdict")->text, "missed");
    assert_number(report, "objectives", "features", "counted", 9, 0);
    assert_number(report, "objectives", "features", "bad", 0, 0);
}

/* Of ten minutes in five slices; the service is there for the first seven. */
static void judges_slices_that_end_while_the_service_counts(void **state)
{
    struct bench *bench = *state;
    use_objectives(bench, "- {name: clean, good: errors < 1, slice: 2m, target: 90}\n");
    struct history_store *history = begin_history(bench, DAY_TWO - 4 * US_PER_MIN);
    refuse_at(history, DAY_TWO - 3 * US_PER_MIN, OBSERVED_ERROR);
    refuse_at(history, DAY_TWO + 2 * US_PER_MIN, OBSERVED_ERROR);
    end_history(history, DAY_TWO + 3 * US_PER_MIN - 1);
    const struct report *report = build(bench, DAY_ONE, DAY_THREE);
    assert_number(report, "objectives", "clean", "counted", 3, 0);
    assert_number(report, "objectives", "clean", "bad", 1, 0);
    /* Slices that stick out of the range are not in it. */
    report = build(bench, DAY_TWO - 3 * US_PER_MIN, DAY_TWO + 90 * US_PER_S);
    assert_number(report, "objectives", "clean", "counted", 1, 0);
    assert_number(report, "objectives", "clean", "bad", 0, 0);
}

/* When minutes are forgotten hours are still there; then nothing is. */
static void what_the_history_has_forgotten_is_not_judged(void **state)
{
    struct bench *bench = *state;
    use_objectives(bench, "- {name: availability, target: 99}\n"
                          "- {name: short, good: errors < 1, slice: 2m, target: 90}\n"
                          "- {name: long, good: errors < 1, slice: 1h, target: 90}\n");
    decide_at(bench, DAY_ONE + US_PER_MIN, MS, DECISION_APPROVE);
    struct history_store *history = begin_history(bench, DAY_ONE);
    refuse_at(history, DAY_ONE + 2 * US_PER_MIN, OBSERVED_ERROR);
    end_history(history, DAY_TWO + 6 * US_PER_HOUR);
    bench->history.minutes_us = US_PER_DAY;
    const struct report *report = build(bench, DAY_ONE, DAY_ONE + 6 * US_PER_HOUR);
    assert_number(report, "objectives", "availability", "counted", 2, 0);
    assert_no_data(report, "objectives", "short", "counted");
    assert_number(report, "objectives", "long", "counted", 6, 0);
    bench->history.hours_us = US_PER_DAY;
    report = build(bench, DAY_ONE, DAY_ONE + 6 * US_PER_HOUR);
    assert_no_data(report, "objectives", "availability", "counted");
    assert_no_data(report, "objectives", "long", "counted");
    assert_number(report, "objectives", "availability", "covered_ratio", 0, 0);
}

static void a_history_that_cannot_be_read_is_an_error(void **state)
{
    struct bench *bench = *state;
    struct error error = {0};
    struct report report;
    struct slo_report_options options = options_of(bench, DAY_ONE, DAY_TWO);
    char path[256];
    snprintf(path, sizeof path, "%s/history.db", bench->dir);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("no database, whatever its name says, and long enough to be asked", file);
    fclose(file);
    assert_int_not_equal(slo_report_build(&options, &report, &error), STATUS_OK);
    assert_non_null(strstr(error.message, "history.db"));
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
    const int64_t ranges[][2] = {
        {DAY_ONE, DAY_ONE},
        {DAY_TWO, DAY_ONE},
        {DAY_ONE, DAY_ONE + 3700 * US_PER_DAY},
        {INT64_MIN, INT64_MAX},
    };
    for (size_t i = 0; i < 4; i++) {
        struct slo_report_options options = options_of(bench, ranges[i][0], ranges[i][1]);
        assert_int_equal(slo_report_build(&options, &report, &error), STATUS_INVALID);
    }
    struct slo_report_options options = options_of(bench, DAY_ONE, DAY_TWO);
    options.ledger_dir = "/nowhere/at/all";
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
        TEST(what_leaves_no_rows_is_what_the_history_counted),
        TEST(a_minute_belongs_to_the_range_in_which_it_begins),
        TEST(judges_decisions_by_expressions_over_fields_and_results),
        TEST(judges_slices_that_end_while_the_service_counts),
        TEST(what_the_history_has_forgotten_is_not_judged),
        TEST(a_history_that_cannot_be_read_is_an_error),
        TEST(the_chart_shows_the_budget_going),
        TEST(refuses_an_empty_or_endless_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
