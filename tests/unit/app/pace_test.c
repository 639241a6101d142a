/* Replay speeds: what can be asked for, and how long is left until an event is due. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "app/pace.h"

#define T0 INT64_C(1533686400000000)

static void takes_max_and_factors_above_zero(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool good;
        double factor;
    } cases[] = {
        {"max", true, 0},     {"1", true, 1},    {"0.25", true, 0.25}, {"3600", true, 3600},
        {"0", false, 0},      {"-1", false, 0},  {"", false, 0},       {"2x", false, 0},
        {" max", false, 0},   {"inf", false, 0}, {"nan", false, 0},    {"1e999", false, 0},
        {"faster", false, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct pace pace;
        if (pace_parse(cases[i].text, &pace) != cases[i].good)
            fail_msg("\"%s\"", cases[i].text);
        if (cases[i].good)
            assert_float_equal(pace.factor, cases[i].factor, 0);
    }
}

static void as_fast_as_possible_never_waits(void **state)
{
    (void)state;
    struct pace pace;
    struct clock *clock = clock_create_event(T0);
    assert_true(pace_parse("max", &pace));
    assert_true(pace_left_ms(&pace, clock) <= 0);
    clock_advance(clock, T0 + US_PER_DAY);
    assert_true(pace_left_ms(&pace, clock) <= 0);
    clock_destroy(clock);
}

static void what_is_left_is_the_events_time_over_the_factor(void **state)
{
    (void)state;
    struct pace pace;
    struct clock *clock = clock_create_event(T0);
    assert_true(pace_parse("60", &pace));
    assert_true(pace_left_ms(&pace, clock) <= 0); /* the first event sets the start */
    clock_advance(clock, T0 + 10 * US_PER_HOUR);
    double left_ms = pace_left_ms(&pace, clock);
    assert_true(left_ms <= 600000 && left_ms > 600000 - 60000);
    clock_advance(clock, T0 + 20 * US_PER_HOUR);
    double later_ms = pace_left_ms(&pace, clock);
    assert_true(later_ms - left_ms <= 600000 && later_ms - left_ms > 600000 - 60000);
    clock_destroy(clock);
}

static void keeping_pace_takes_as_long_as_it_should(void **state)
{
    (void)state;
    struct pace pace;
    struct clock *clock = clock_create_event(T0);
    assert_true(pace_parse("10", &pace));
    int64_t start_ns = monotonic_ns();
    pace_keep(&pace, clock, NULL);
    clock_advance(clock, T0 + 2 * US_PER_S);
    pace_keep(&pace, clock, NULL);
    double waited_s = (double)(monotonic_ns() - start_ns) / 1e9;
    assert_true(waited_s >= 0.2 && waited_s < 10); /* upwards the machine may be busy */
    clock_destroy(clock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_max_and_factors_above_zero),
        cmocka_unit_test(as_fast_as_possible_never_waits),
        cmocka_unit_test(what_is_left_is_the_events_time_over_the_factor),
        cmocka_unit_test(keeping_pace_takes_as_long_as_it_should),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
