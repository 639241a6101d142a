/* When a stock is gone: by hand, with the quantiles of Student's distribution from the tables (E.
 * S. Pearson and H. O. Hartley, Biometrika Tables for Statisticians, table 12), and by simulation.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "engine/stats/exhaustion.h"
#include "tests/unit/random.h"

static void what_is_taken_evenly_is_gone_when_division_says(void **state)
{
    (void)state;
    double taken[] = {0.5, 0.5, 0.5, 0.5};
    struct exhaustion gone = exhaustion_of(10, taken, 4);
    assert_true(gone.expected == 20 && gone.earliest == 20 && gone.latest == 20);
}

static void the_interval_is_students(void **state)
{
    (void)state;
    double taken[] = {1, 2, 3, 4, 5}; /* mean 3, standard error sqrt(2.5 / 5) */
    double margin = 2.776 * sqrt(0.5);
    struct exhaustion gone = exhaustion_of(30, taken, 5);
    assert_true(fabs(gone.expected - 10) < 1e-9);
    assert_true(fabs(gone.earliest - 30 / (3 + margin)) < 0.002);
    assert_true(fabs(gone.latest - 30 / (3 - margin)) < 0.02);
}

static void what_may_well_not_be_taken_at_all_may_last_for_ever(void **state)
{
    (void)state;
    double burst[] = {0, 0, 0, 0, 6}, none[] = {0, 0, 0};
    struct exhaustion gone = exhaustion_of(30, burst, 5);
    assert_true(isfinite(gone.expected) && isfinite(gone.earliest) && isinf(gone.latest));
    gone = exhaustion_of(30, none, 3);
    assert_true(isinf(gone.expected) && isinf(gone.earliest) && isinf(gone.latest));
}

static void too_little_says_nothing_and_an_empty_stock_is_gone(void **state)
{
    (void)state;
    double taken[] = {1, 1, 1};
    assert_true(isnan(exhaustion_of(10, taken, 2).expected));
    assert_true(isnan(exhaustion_of(NAN, taken, 3).expected));
    assert_true(exhaustion_of(0, taken, 3).expected == 0);
    assert_true(exhaustion_of(-1, taken, 3).latest == 0);
}

/* The true rate is 1: 95 of 100 intervals hold the true end. */
static void intervals_hold_the_true_end_as_often_as_they_say(void **state)
{
    (void)state;
    int held = 0, n = 2000;
    for (int i = 0; i < n; i++) {
        double taken[24];
        for (int k = 0; k < 24; k++) {
            double sum = 0; /* of 12 uniform ones: nearly normal, mean 1, deviation 0.2 */
            for (int u = 0; u < 12; u++)
                sum += random_ratio();
            taken[k] = 1 + 0.2 * (sum - 6);
        }
        struct exhaustion gone = exhaustion_of(100, taken, 24);
        held += gone.earliest <= 100 && gone.latest >= 100;
    }
    assert_true(held > n * 93 / 100 && held < n * 97 / 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_taken_evenly_is_gone_when_division_says),
        cmocka_unit_test(the_interval_is_students),
        cmocka_unit_test(what_may_well_not_be_taken_at_all_may_last_for_ever),
        cmocka_unit_test(too_little_says_nothing_and_an_empty_stock_is_gone),
        cmocka_unit_test(intervals_hold_the_true_end_as_often_as_they_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
