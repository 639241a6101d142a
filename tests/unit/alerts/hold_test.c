/* Silences and taking in hand. */
#include "alerts/hold.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct machine firing = {.phase = PHASE_FIRING, .fired_us = 100};
static const struct machine resolved = {.phase = PHASE_RESOLVED, .fired_us = 100};

static void tells_what_no_silence_covers(void **state)
{
    (void)state;
    struct hold hold = {0};
    assert_int_equal(hold_step(&hold, &firing, 100, TRANSITION_FIRING), TRANSITION_FIRING);
    assert_int_equal(hold_step(&hold, &firing, 200, TRANSITION_NONE), TRANSITION_NONE);
    assert_int_equal(hold_step(&hold, &resolved, 300, TRANSITION_RESOLVED), TRANSITION_RESOLVED);
}

static void tells_nothing_in_a_silence_and_the_firing_after_it(void **state)
{
    (void)state;
    struct hold hold = {.silent_until_us = 500};
    assert_int_equal(hold_step(&hold, &firing, 100, TRANSITION_FIRING), TRANSITION_NONE);
    assert_int_equal(hold_step(&hold, &firing, 499, TRANSITION_NONE), TRANSITION_NONE);
    assert_int_equal(hold_step(&hold, &firing, 500, TRANSITION_NONE), TRANSITION_FIRING);
    assert_int_equal(hold_step(&hold, &firing, 501, TRANSITION_NONE), TRANSITION_NONE);
    assert_int_equal(hold_step(&hold, &resolved, 600, TRANSITION_RESOLVED), TRANSITION_RESOLVED);
}

static void does_not_tell_the_end_of_what_nobody_heard_of(void **state)
{
    (void)state;
    struct hold hold = {.silent_until_us = 500};
    assert_int_equal(hold_step(&hold, &firing, 100, TRANSITION_FIRING), TRANSITION_NONE);
    assert_int_equal(hold_step(&hold, &resolved, 200, TRANSITION_RESOLVED), TRANSITION_NONE);
    assert_int_equal(hold_step(&hold, &resolved, 600, TRANSITION_NONE), TRANSITION_NONE);
}

static void tells_the_end_in_a_silence_of_what_was_told_before_it(void **state)
{
    (void)state;
    struct hold hold = {0};
    assert_int_equal(hold_step(&hold, &firing, 100, TRANSITION_FIRING), TRANSITION_FIRING);
    hold.silent_until_us = 500;
    assert_int_equal(hold_step(&hold, &resolved, 200, TRANSITION_RESOLVED), TRANSITION_RESOLVED);
}

static void is_in_hand_until_it_is_over(void **state)
{
    (void)state;
    struct hold hold = {.fired_us = 100, .by = "ada"};
    struct machine again = {.phase = PHASE_FIRING, .fired_us = 900};
    assert_true(hold_is_taken(&hold, &firing));
    assert_false(hold_is_taken(&hold, &again));
    hold_step(&hold, &resolved, 300, TRANSITION_RESOLVED);
    assert_false(hold_is_taken(&hold, &firing));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_what_no_silence_covers),
        cmocka_unit_test(tells_nothing_in_a_silence_and_the_firing_after_it),
        cmocka_unit_test(does_not_tell_the_end_of_what_nobody_heard_of),
        cmocka_unit_test(tells_the_end_in_a_silence_of_what_was_told_before_it),
        cmocka_unit_test(is_in_hand_until_it_is_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
