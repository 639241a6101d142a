/* Orders of numbers, at the ends of their ranges too. */
#include <float.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/base/order.h"

static void sorts_doubles(void **state)
{
    (void)state;
    double values[] = {1, -DBL_MAX, 0.5, DBL_MAX, -1};
    const double sorted[] = {-DBL_MAX, -1, 0.5, 1, DBL_MAX};
    qsort(values, 5, sizeof *values, order_doubles);
    assert_memory_equal(values, sorted, sizeof sorted);
}

static void sorts_integers_whose_difference_does_not_fit(void **state)
{
    (void)state;
    int64_t values[] = {INT64_MAX, 0, INT64_MIN, -1};
    const int64_t sorted[] = {INT64_MIN, -1, 0, INT64_MAX};
    qsort(values, 4, sizeof *values, order_int64);
    assert_memory_equal(values, sorted, sizeof sorted);
}

static void sorts_unsigned_integers_beyond_the_signed_ones(void **state)
{
    (void)state;
    uint64_t values[] = {UINT64_MAX, 1, (uint64_t)INT64_MAX + 1, 0};
    const uint64_t sorted[] = {0, 1, (uint64_t)INT64_MAX + 1, UINT64_MAX};
    qsort(values, 4, sizeof *values, order_uint64);
    assert_memory_equal(values, sorted, sizeof sorted);
}

static void equal_numbers_are_equal(void **state)
{
    (void)state;
    const double half = 0.5, negative_zero = -0.0, zero = 0;
    const int64_t integer = INT64_MIN;
    const uint64_t natural = UINT64_MAX;
    assert_int_equal(order_doubles(&half, &half), 0);
    assert_int_equal(order_doubles(&negative_zero, &zero), 0);
    assert_int_equal(order_int64(&integer, &integer), 0);
    assert_int_equal(order_uint64(&natural, &natural), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sorts_doubles),
        cmocka_unit_test(sorts_integers_whose_difference_does_not_fit),
        cmocka_unit_test(sorts_unsigned_integers_beyond_the_signed_ones),
        cmocka_unit_test(equal_numbers_are_equal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
