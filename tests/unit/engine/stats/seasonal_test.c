/* What is usual, against values worked out otherwise, and where nothing is known. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>
#include <math.h>

#include "engine/stats/seasonal.h"

#define HOURS (6 * 168)

static void medians_are_those_of_numpy(void **state)
{
    (void)state;
    double odd[] = {3, 1, 2}, even[] = {4, 1, (double)NAN, 3, 2}, none[] = {(double)NAN};
    assert_true(seasonal_median(odd, 3) == 2);
    assert_true(seasonal_median(even, 5) == 2.5); /* numpy.nanmedian */
    assert_true(isnan(seasonal_median(none, 1)) && isnan(seasonal_median(odd, 0)));
}

/* Weeks with a rhythm: the hour's own level, raised by the week's number. */
static void fill(double *values)
{
    for (int i = 0; i < HOURS; i++)
        values[i] = 100 + 50 * sin(6.283185307179586 * i / 24) + (double)(i % 168 / 24) * 10 +
                    (double)(i / 168);
}

static void knows_the_hour_of_the_week(void **state)
{
    double values[HOURS];
    struct seasonal usual;
    (void)state;
    fill(values);
    seasonal_expect(values, HOURS - 168, 1000, 1000 + HOURS - 100, &usual);
    int64_t in_week = (HOURS - 100) % 168;
    assert_int_equal(usual.basis, SEASONAL_HOUR_OF_WEEK);
    assert_int_equal(usual.n, 5);
    /* Weeks 0 to 4 differ by one each: the median is week 2's; deviations 2 1 0 1 2: 1. */
    assert_true(fabs(usual.median - values[2 * 168 + in_week]) < 1e-9);
    assert_true(fabs(usual.spread - fmax(1.4826, 0.05 * usual.median)) < 1e-9);
    assert_true(fabs(seasonal_z(&usual, usual.median + 3 * usual.spread) - 3) < 1e-9);
}

static void takes_what_is_known_when_that_is_little(void **state)
{
    double values[HOURS];
    struct seasonal usual;
    (void)state;
    fill(values);
    seasonal_expect(values, 8 * 24, 0, 8 * 24, &usual);
    assert_int_equal(usual.basis, SEASONAL_HOUR_OF_DAY);
    assert_int_equal(usual.n, 8);
    seasonal_expect(values, 20, 0, 20, &usual);
    assert_int_equal(usual.basis, SEASONAL_HOURS);
    seasonal_expect(values, 11, 0, 11, &usual);
    assert_int_equal(usual.basis, SEASONAL_NONE);
    assert_true(isnan(usual.median) && isnan(seasonal_z(&usual, 5)));
}

static void gives_no_number_for_constant_zero(void **state)
{
    double values[24] = {0};
    struct seasonal usual;
    (void)state;
    seasonal_expect(values, 24, 0, 24, &usual);
    assert_true(usual.median == 0 && usual.spread == 0 && isnan(seasonal_z(&usual, 1)));
}

static void an_outlier_in_the_past_does_not_become_usual(void **state)
{
    double values[HOURS];
    struct seasonal usual;
    (void)state;
    fill(values);
    values[HOURS - 168] = 1e9;
    seasonal_expect(values, HOURS, 0, HOURS, &usual);
    assert_true(usual.median < 200 && usual.spread < 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(medians_are_those_of_numpy),
        cmocka_unit_test(knows_the_hour_of_the_week),
        cmocka_unit_test(takes_what_is_known_when_that_is_little),
        cmocka_unit_test(gives_no_number_for_constant_zero),
        cmocka_unit_test(an_outlier_in_the_past_does_not_become_usual),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
