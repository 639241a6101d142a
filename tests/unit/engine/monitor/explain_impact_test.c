/* What trouble has touched: simulated minutes of which the test knows who got no decision and whose
 * came out otherwise. */
#include "tests/unit/engine/monitor/explain_fixture.h"

#define FAULT_S (SECONDS - FAULT_AT)

static void assert_about(double value, double expected, double part)
{
    if (!(fabs(value - expected) <= part * expected))
        fail_msg("%g is not about %g", value, expected);
}

/* Bug: those that were quarantined counted as decided otherwise, and none as without a decision. */
static void what_is_quarantined_got_no_decision_and_has_no_amount(void **state)
{
    struct world world;
    (void)state;
    begin(&world);
    world.null_share = 0.2;
    struct explanation out = end(&world, NULL, 0);
    assert_about(out.errors, 0.2 * FAULT_S * RATE, 0.2);
    assert_true(out.requests == out.errors);
    assert_true(out.decisions == 0);
    assert_true(isnan(out.money));
}

/* Bug: each of them was told twice, as undecided and as decided otherwise. */
static void what_is_refused_is_not_decided_otherwise(void **state)
{
    struct world world;
    (void)state;
    begin(&world);
    for (int i = FAULT_AT; i < SECONDS; i++)
        for (int k = 0; k < 20; k++)
            slices_count(world.slices, SLICED_ERRORS, START_US + i * INT64_C(1000000));
    struct explanation out = end(&world, NULL, 0);
    assert_about(out.errors, 20 * FAULT_S, 0.1);
    assert_true(out.requests == out.errors);
    assert_true(out.decisions == 0);
}

static void decisions_beyond_the_usual_shares_would_have_come_out_otherwise(void **state)
{
    struct world world;
    (void)state;
    begin(&world);
    world.lenient = 0.3;
    struct explanation out = end(&world, &rules, 1);
    assert_about(out.decisions, 0.3 * 0.95 * FAULT_S * RATE, 0.2);
    assert_true(out.decisions <= out.requests);
    assert_true(out.errors == 0);
}

/* Slow decisions are decisions as they were. */
static void what_comes_late_does_not_come_out_otherwise(void **state)
{
    struct world world;
    (void)state;
    begin(&world);
    world.latency_us = 60000;
    struct explanation out = end(&world, NULL, 0);
    assert_about(out.requests, FAULT_S * RATE, 0.1);
    assert_true(out.decisions == 0 && out.errors == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_quarantined_got_no_decision_and_has_no_amount),
        cmocka_unit_test(what_is_refused_is_not_decided_otherwise),
        cmocka_unit_test(decisions_beyond_the_usual_shares_would_have_come_out_otherwise),
        cmocka_unit_test(what_comes_late_does_not_come_out_otherwise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
