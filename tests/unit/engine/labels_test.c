/* The truth about an event arrives later: it finds its decision, is recorded, and is seen by the
 * windows that wait for it. */
#include "tests/unit/engine/fixture.h"

static int set_up(void **state)
{
    struct bench *bench = bench_create("7d");
    bench_start(bench);
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    bench_destroy(*state);
    return 0;
}

static enum status label(struct bench *bench, const char *id, int value)
{
    struct error error = {0};
    return engine_label(bench->engine, slice_of(id), value, T0 + US_PER_HOUR, &error);
}

static void a_label_reaches_the_windows_after_their_delay(void **state)
{
    struct bench *bench = *state;
    bench_pay(bench, "e1", "ann", 1, T0);
    bench_pay(bench, "e2", "ann", 1, T0 + 1);
    assert_int_equal(label(bench, "e1", 1), STATUS_OK);
    assert_feature(bench_pay(bench, "e3", "ann", 1, T0 + US_PER_DAY - 1), RISK, -1);
    assert_feature(bench_pay(bench, "e4", "ann", 1, T0 + US_PER_DAY), RISK, 1);
    assert_feature(bench_pay(bench, "e5", "ann", 1, T0 + US_PER_DAY + 1), RISK, 0.5);
    assert_feature(bench_pay(bench, "e6", "bob", 1, T0 + US_PER_DAY + 1), RISK, -1);
}

static void a_corrected_label_replaces_the_one_before(void **state)
{
    struct bench *bench = *state;
    bench_pay(bench, "e1", "ann", 1, T0);
    assert_int_equal(label(bench, "e1", 1), STATUS_OK);
    assert_int_equal(label(bench, "e1", 0), STATUS_OK);
    assert_feature(bench_pay(bench, "e2", "ann", 1, T0 + US_PER_DAY), RISK, 0);
    assert_int_equal(label(bench, "e1", 1), STATUS_OK); /* also when the window has it already */
    assert_feature(bench_pay(bench, "e3", "ann", 1, T0 + US_PER_DAY), RISK, 1);
}

static void a_label_is_a_row_of_the_ledger(void **state)
{
    struct bench *bench = *state;
    struct error error = {0};
    struct ledger_row row;
    struct reader *reader;
    bench_pay(bench, "e1", "ann", 1, T0);
    assert_int_equal(label(bench, "e1", 1), STATUS_OK);
    check(ledger_flush(engine_ledger(bench->engine), 5000, &error), &error);
    check(reader_open(bench->ledger_dir, &reader, &error), &error);
    check(reader_row(reader, 1, &row, &error), &error);
    assert_int_equal(row.kind, ROW_LABEL);
    assert_true(slice_is(row.event_id, "e1"));
    assert_int_equal(row.label, 1);
    assert_int_equal(row.observed_us, T0 + US_PER_HOUR);
    assert_int_equal(row.at_us, T0);
    reader_close(reader);
}

static void a_label_without_its_decision_is_not_found_and_not_recorded(void **state)
{
    struct bench *bench = *state;
    struct ledger_stats stats;
    bench_pay(bench, "e1", "ann", 1, T0);
    bench_pay(bench, "bad", "ann", -1, T0);
    assert_int_equal(label(bench, "e0", 1), STATUS_NOT_FOUND);
    assert_int_equal(label(bench, "bad", 1), STATUS_NOT_FOUND);
    assert_int_equal(label(bench, "", 1), STATUS_NOT_FOUND);
    ledger_stats(engine_ledger(bench->engine), &stats);
    assert_int_equal(stats.next_index, 1);
}

static void only_0_and_1_are_labels(void **state)
{
    struct bench *bench = *state;
    bench_pay(bench, "e1", "ann", 1, T0);
    assert_int_equal(label(bench, "e1", 2), STATUS_INVALID);
    assert_int_equal(label(bench, "e1", -1), STATUS_INVALID);
}

static void labels_need_a_ledger(void **state)
{
    (void)state;
    struct bench *bench = bench_create("7d");
    bench->parts.ledger_dir = NULL;
    bench_start(bench);
    bench_pay(bench, "e1", "ann", 1, T0);
    assert_int_equal(label(bench, "e1", 1), STATUS_UNSUPPORTED);
    bench_destroy(bench);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_label_reaches_the_windows_after_their_delay),
        TEST(a_corrected_label_replaces_the_one_before),
        TEST(a_label_is_a_row_of_the_ledger),
        TEST(a_label_without_its_decision_is_not_found_and_not_recorded),
        TEST(only_0_and_1_are_labels),
        cmocka_unit_test(labels_need_a_ledger),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
