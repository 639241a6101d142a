/* The state table, row by row: state, time and condition in; state and transition out. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "alerts/machine.h"
#include "alerts/sender.h"
#include "engine/base/clock.h"

#define ROW(phase, since, clear, fired)                                                            \
    {                                                                                              \
        PHASE_##phase, since, clear, fired                                                         \
    }

static const struct machine_times times = {.for_us = 10, .resolve_us = 20, .shown_us = 30};

static const struct row {
    struct machine before;
    int64_t now_us;
    enum condition condition;
    struct machine after;
    enum transition transition;
} rows[] = {
    /* quiet */
    {ROW(INACTIVE, 100, 0, 0), 200, CONDITION_FALSE, ROW(INACTIVE, 100, 0, 0), TRANSITION_NONE},
    {ROW(INACTIVE, 100, 0, 0), 200, CONDITION_UNKNOWN, ROW(INACTIVE, 100, 0, 0), TRANSITION_NONE},
    {ROW(INACTIVE, 100, 0, 0), 200, CONDITION_TRUE, ROW(PENDING, 200, 0, 0), TRANSITION_NONE},
    /* pending */
    {ROW(PENDING, 200, 0, 0), 209, CONDITION_TRUE, ROW(PENDING, 200, 0, 0), TRANSITION_NONE},
    {ROW(PENDING, 200, 0, 0), 210, CONDITION_TRUE, ROW(FIRING, 210, 0, 210), TRANSITION_FIRING},
    {ROW(PENDING, 200, 0, 0), 209, CONDITION_FALSE, ROW(INACTIVE, 209, 0, 0), TRANSITION_NONE},
    {ROW(PENDING, 200, 0, 0), 209, CONDITION_UNKNOWN, ROW(INACTIVE, 209, 0, 0), TRANSITION_NONE},
    /* firing */
    {ROW(FIRING, 210, 0, 210), 300, CONDITION_TRUE, ROW(FIRING, 210, 0, 210), TRANSITION_NONE},
    {ROW(FIRING, 210, 0, 210), 900, CONDITION_UNKNOWN, ROW(FIRING, 210, 0, 210), TRANSITION_NONE},
    {ROW(FIRING, 210, 0, 210), 300, CONDITION_FALSE, ROW(FIRING, 210, 300, 210), TRANSITION_NONE},
    {ROW(FIRING, 210, 300, 210), 319, CONDITION_FALSE, ROW(FIRING, 210, 300, 210), TRANSITION_NONE},
    {ROW(FIRING, 210, 300, 210), 319, CONDITION_TRUE, ROW(FIRING, 210, 0, 210), TRANSITION_NONE},
    {ROW(FIRING, 210, 300, 210), 319, CONDITION_UNKNOWN, ROW(FIRING, 210, 0, 210), TRANSITION_NONE},
    {ROW(FIRING, 210, 300, 210), 320, CONDITION_FALSE, ROW(RESOLVED, 320, 0, 210),
     TRANSITION_RESOLVED},
    /* resolved */
    {ROW(RESOLVED, 320, 0, 210), 349, CONDITION_FALSE, ROW(RESOLVED, 320, 0, 210), TRANSITION_NONE},
    {ROW(RESOLVED, 320, 0, 210), 350, CONDITION_FALSE, ROW(INACTIVE, 350, 0, 210), TRANSITION_NONE},
    {ROW(RESOLVED, 320, 0, 210), 330, CONDITION_TRUE, ROW(PENDING, 330, 0, 210), TRANSITION_NONE},
    /* a clock that was set back starts the waiting times again */
    {ROW(PENDING, 200, 0, 0), 150, CONDITION_TRUE, ROW(PENDING, 150, 0, 0), TRANSITION_NONE},
    {ROW(FIRING, 210, 300, 210), 250, CONDITION_FALSE, ROW(FIRING, 210, 250, 210), TRANSITION_NONE},
    {ROW(RESOLVED, 320, 0, 210), 90, CONDITION_FALSE, ROW(RESOLVED, 90, 0, 210), TRANSITION_NONE},
};

static void every_row_of_the_table_holds(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct machine machine = rows[i].before;
        enum transition transition =
            machine_step(&times, &machine, rows[i].now_us, rows[i].condition);
        const struct machine *after = &rows[i].after;
        if (transition != rows[i].transition || machine.phase != after->phase ||
            machine.since_us != after->since_us || machine.clear_us != after->clear_us ||
            machine.fired_us != after->fired_us)
            fail_msg("row %zu: %s since %lld clear %lld fired %lld, transition %d", i,
                     machine_phase_name(machine.phase), (long long)machine.since_us,
                     (long long)machine.clear_us, (long long)machine.fired_us, (int)transition);
    }
}

static void without_waiting_times_it_fires_and_resolves_at_once(void **state)
{
    (void)state;
    const struct machine_times at_once = {0, 0, 0};
    struct machine machine = {0};
    assert_int_equal(machine_step(&at_once, &machine, 5, CONDITION_TRUE), TRANSITION_FIRING);
    assert_int_equal(machine_step(&at_once, &machine, 6, CONDITION_FALSE), TRANSITION_RESOLVED);
    assert_int_equal(machine_step(&at_once, &machine, 7, CONDITION_TRUE), TRANSITION_FIRING);
    assert_int_equal(machine.fired_us, 7);
}

static void waiting_doubles_to_five_minutes_of_which_half_is_chance(void **state)
{
    (void)state;
    static const int64_t whole_s[] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300};
    for (int i = 0; i < 12; i++) {
        assert_int_equal(sender_backoff_us(i + 1, 0), whole_s[i] * US_PER_S / 2);
        assert_int_equal(sender_backoff_us(i + 1, 1), whole_s[i] * US_PER_S);
    }
    assert_int_equal(sender_backoff_us(1000000, 1), 5 * US_PER_MIN);
    assert_int_equal(sender_backoff_us(0, 1), US_PER_S);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_of_the_table_holds),
        cmocka_unit_test(without_waiting_times_it_fires_and_resolves_at_once),
        cmocka_unit_test(waiting_doubles_to_five_minutes_of_which_half_is_chance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
