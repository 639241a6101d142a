/* Log-linear histograms against sorted values. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/observe/histogram.h"
#include "tests/unit/random.h"

static void buckets_follow_each_other_without_gap(void **state)
{
    (void)state;
    assert_int_equal(histogram_low(0), 0);
    for (size_t i = 0; i + 1 < HISTOGRAM_BUCKETS; i++) {
        assert_int_equal(histogram_high(i) + 1, histogram_low(i + 1));
        assert_int_equal(histogram_bucket(histogram_low(i)), i);
        assert_int_equal(histogram_bucket(histogram_high(i)), i);
    }
    assert_int_equal(histogram_high(HISTOGRAM_BUCKETS - 1), HISTOGRAM_LIMIT);
    assert_int_equal(histogram_bucket(INT64_MAX), HISTOGRAM_BUCKETS - 1);
    assert_int_equal(histogram_bucket(-5), 0);
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void quantiles_are_within_one_percent_of_sorted_values(void **state)
{
    (void)state;
    enum { N = 20000 };
    int64_t *values = malloc(N * sizeof *values);
    struct histogram histogram = {0};
    for (size_t i = 0; i < N; i++) {
        double spread = (double)(random_bits() % 1000000) / 1000000.0;
        values[i] = (int64_t)exp(spread * 18); /* 1 us to 65 s, as many in each doubling */
        histogram_add(&histogram, values[i]);
    }
    qsort(values, N, sizeof *values, compare);
    const double quantiles[] = {0, 0.001, 0.1, 0.5, 0.9, 0.95, 0.99, 0.999, 1};
    for (size_t i = 0; i < sizeof quantiles / sizeof *quantiles; i++) {
        size_t rank = (size_t)ceil(quantiles[i] * N);
        double exact = (double)values[rank ? rank - 1 : 0];
        double got = histogram_quantile(&histogram, quantiles[i]);
        assert_true(fabs(got - exact) <= 0.008 * exact);
    }
    free(values);
}

static void merged_halves_equal_the_whole(void **state)
{
    (void)state;
    static struct histogram whole, half[2];
    for (int i = 0; i < 5000; i++) {
        int64_t value = (int64_t)(random_bits() % 3000000);
        histogram_add(&whole, value);
        histogram_add(&half[i % 2], value);
    }
    histogram_merge(&half[0], &half[1]);
    assert_memory_equal(&half[0], &whole, sizeof whole);
}

static void has_no_quantile_without_values(void **state)
{
    (void)state;
    struct histogram histogram = {0};
    assert_true(isnan(histogram_quantile(&histogram, 0.5)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buckets_follow_each_other_without_gap),
        cmocka_unit_test(quantiles_are_within_one_percent_of_sorted_values),
        cmocka_unit_test(merged_halves_equal_the_whole),
        cmocka_unit_test(has_no_quantile_without_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
