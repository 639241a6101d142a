/* Which events are accepted: what is quarantined leaves no trace, and the clock follows accepted
 * events only. */
#include "tests/unit/engine/pipeline_fixture.h"

static void a_bad_event_is_quarantined_and_leaves_no_trace_in_the_windows(void **state)
{
    struct bench *bench = *state;
    char texts[3][256];
    const struct raw_event events[] = {
        {.bytes = event_text(texts[0], "e1", "ann", 150, T0), .position.source = -1},
        {.bytes = slice_of("{\"event_id\":"), .position.source = -1},
        {.bytes = event_text(texts[1], "e2", "ann", -1, T0), .position.source = -1},
        {.bytes = event_text(texts[2], "e3", "ann", 150, T0), .position.source = -1},
    };
    bench_process(bench, events, 4);
    const struct answer *answers = bench->answers;
    assert_int_equal(answers[0].kind, ANSWER_DECIDED);
    assert_int_equal(answers[1].kind, ANSWER_QUARANTINED);
    assert_int_equal(answers[1].event->violations[0].code, VIOLATION_NOT_JSON);
    assert_int_equal(answers[1].quarantine_id, 1);
    assert_null(answers[1].outcome);
    assert_int_equal(answers[2].kind, ANSWER_QUARANTINED);
    assert_int_equal(answers[2].event->violations[0].code, VIOLATION_RANGE);
    assert_int_equal(answers[2].quarantine_id, 2);
    assert_int_equal(answers[3].kind, ANSWER_DECIDED);
    assert_int_equal(answers[3].ledger_index, 1);
    assert_feature(&answers[3], COUNT_1H, 2);
    assert_feature(&answers[3], SUM_1H, 300);
    /* Its id was never taken: sent again without the fault, it is decided. */
    assert_int_equal(bench_pay(bench, "e2", "ann", 1, T0)->kind, ANSWER_DECIDED);
}

/* ---- time ---- */

static void the_clock_follows_accepted_events_and_never_goes_back(void **state)
{
    struct bench *bench = *state;
    const struct clock *clock = bench->parts.clock;
    const struct answer *answer = bench_pay(bench, "e1", "ann", 1, T0);
    assert_int_equal(answer->outcome->decided_at_us, T0);
    bench_pay(bench, "e2", "ann", 1, T0 + US_PER_HOUR);
    answer = bench_pay(bench, "e3", "ann", 1, T0 + US_PER_MIN);
    assert_int_equal(answer->kind, ANSWER_DECIDED);
    assert_int_equal(answer->outcome->decided_at_us, T0 + US_PER_HOUR);
    bench_pay(bench, "e4", "ann", -1, T0 + 2 * US_PER_HOUR); /* refused: no witness of the time */
    assert_int_equal(clock_now_us(clock), T0 + US_PER_HOUR);
}

static void a_jump_beyond_max_step_is_not_believed(void **state)
{
    struct bench *bench = *state;
    bench_pay(bench, "e1", "ann", 1, T0);
    const struct answer *answer = bench_pay(bench, "e2", "ann", 1, T0 + 2 * US_PER_DAY + 1);
    assert_int_equal(answer->kind, ANSWER_QUARANTINED);
    assert_int_equal(answer->event->violations[0].code, VIOLATION_STEP);
    assert_int_equal(clock_now_us(bench->parts.clock), T0);
    answer = bench_pay(bench, "e2", "ann", 1, T0 + 2 * US_PER_DAY);
    assert_int_equal(answer->kind, ANSWER_DECIDED);
    assert_int_equal(clock_now_us(bench->parts.clock), T0 + 2 * US_PER_DAY);
}

static void live_an_event_from_the_future_is_quarantined(void **state)
{
    struct bench *bench = *state;
    assert_int_equal(bench_pay(bench, "e1", "ann", 1, T0 + US_PER_MIN)->kind, ANSWER_DECIDED);
    const struct answer *answer = bench_pay(bench, "e2", "ann", 1, T0 + US_PER_MIN + 1);
    assert_int_equal(answer->kind, ANSWER_QUARANTINED);
    assert_int_equal(answer->event->violations[0].code, VIOLATION_FUTURE);
    assert_int_equal(clock_now_us(bench->parts.clock), T0);
}

static void an_event_too_late_for_its_windows_is_quarantined(void **state)
{
    struct bench *bench = *state;
    bench_pay(bench, "e1", "ann", 1, T0 + 6 * US_PER_HOUR);
    const struct answer *answer = bench_pay(bench, "e2", "ann", 1, T0);
    assert_int_equal(answer->kind, ANSWER_DECIDED); /* exactly as late as allowed */
    answer = bench_pay(bench, "e3", "ann", 1, T0 - 1);
    assert_int_equal(answer->kind, ANSWER_QUARANTINED);
    assert_int_equal(answer->event->violations[0].code, VIOLATION_TOO_LATE);
    assert_int_equal(answer->quarantine_id, 1);
    assert_int_equal(bench_pay(bench, "e3", "bob", 1, T0 - 1)->kind, ANSWER_DECIDED);
}

static void a_repeat_of_a_late_event_in_its_own_batch_is_quarantined_too(void **state)
{
    struct bench *bench = *state;
    char text[256];
    bench_pay(bench, "e1", "ann", 1, T0 + 7 * US_PER_HOUR);
    event_text(text, "e2", "ann", 1, T0);
    const struct raw_event events[] = {
        {.bytes = slice_of(text), .position.source = -1},
        {.bytes = slice_of(text), .position.source = -1},
    };
    bench_process(bench, events, 2);
    for (uint64_t i = 0; i < 2; i++) {
        assert_int_equal(bench->answers[i].kind, ANSWER_QUARANTINED);
        assert_int_equal(bench->answers[i].event->violations[0].code, VIOLATION_TOO_LATE);
        assert_int_equal(bench->answers[i].quarantine_id, i + 1);
    }
    assert_int_equal(bench_pay(bench, "e2", "bob", 1, T0)->kind, ANSWER_DECIDED); /* a free id */
}

int main(void)
{
#define REPLAY(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        REPLAY(a_bad_event_is_quarantined_and_leaves_no_trace_in_the_windows),
        REPLAY(the_clock_follows_accepted_events_and_never_goes_back),
        REPLAY(a_jump_beyond_max_step_is_not_believed),
        cmocka_unit_test_setup_teardown(live_an_event_from_the_future_is_quarantined, set_up_live,
                                        tear_down),
        REPLAY(an_event_too_late_for_its_windows_is_quarantined),
        REPLAY(a_repeat_of_a_late_event_in_its_own_batch_is_quarantined_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
