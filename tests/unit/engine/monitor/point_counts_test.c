/* Numbers counted against a reference's points, held against the numbers themselves: counts and the
 * Kolmogorov-Smirnov statistic by sorting and plain loops. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/monitor/point_counts.h"

#define N 5000

static uint64_t random_state = 42;

static double uniform(void)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (double)(random_state >> 11) / 9007199254740992.0;
}

static double roughly_normal(void)
{
    double sum = -6;
    for (int i = 0; i < 12; i++)
        sum += uniform();
    return sum;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Distinct ascending values of a sample, and how many of it lie up to each. */
struct reference {
    struct column column;
    double values[N], upto[N];
};

static void fill_reference(struct reference *reference, const double *numbers, size_t n)
{
    double sorted[N], sum = 0;
    memcpy(sorted, numbers, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, compare);
    *reference = (struct reference){.column = {.complete = true}};
    size_t made = 0;
    for (size_t i = 0; i < n; i++) {
        made += made == 0 || sorted[i] > reference->values[made - 1];
        reference->values[made - 1] = sorted[i];
        reference->upto[made - 1] = (double)(i + 1);
        sum += isfinite(sorted[i]) ? sorted[i] : 0;
    }
    reference->column.values = reference->values;
    reference->column.upto = reference->upto;
    reference->column.n_values = made;
    reference->column.mean = sum / (double)n;
}

static double share_up_to(const double *numbers, size_t n, double limit)
{
    size_t below = 0;
    for (size_t i = 0; i < n; i++)
        below += numbers[i] <= limit;
    return (double)below / (double)n;
}

/* What point_counts makes of the numbers; column_free() it. */
static struct column counted(const struct column *reference, bool values, const double *numbers,
                             size_t n, size_t *n_missing)
{
    double *copy = malloc((n + 1) * sizeof *copy);
    struct point_counts *counts = point_counts_create(reference, values);
    struct column column = {0};
    assert_non_null(copy);
    assert_non_null(counts);
    memcpy(copy, numbers, n * sizeof *copy);
    /* In pieces, as a file comes. */
    size_t half = n / 3;
    *n_missing = point_counts_add(counts, copy, half);
    *n_missing += point_counts_add(counts, copy + half, n - half);
    assert_true(point_counts_finish(counts, &column));
    point_counts_destroy(counts);
    free(copy);
    return column;
}

static void column_free(struct column *column)
{
    free(column->values);
    free(column->upto);
}

static void check_shape(const struct column *column, double total)
{
    assert_true(column->n_values > 0);
    for (size_t i = 1; i < column->n_values; i++) {
        assert_true(column->values[i] > column->values[i - 1]);
        assert_true(column->upto[i] > column->upto[i - 1]);
    }
    assert_true(column->upto[column->n_values - 1] == total);
}

/* Of both samples: the largest distance of their shares, over all their values. */
static double kolmogorov_smirnov(const double *a, size_t n_a, const double *b, size_t n_b)
{
    double largest = 0;
    for (size_t i = 0; i < n_a; i++)
        largest = fmax(largest, fabs(share_up_to(a, n_a, a[i]) - share_up_to(b, n_b, a[i])));
    for (size_t i = 0; i < n_b; i++)
        largest = fmax(largest, fabs(share_up_to(a, n_a, b[i]) - share_up_to(b, n_b, b[i])));
    return largest;
}

static void moments(const double *numbers, size_t n, double *mean, double *deviation)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++)
        sum += numbers[i];
    *mean = sum / (double)n;
    for (size_t i = 0; i < n; i++)
        squares += (numbers[i] - *mean) * (numbers[i] - *mean);
    *deviation = sqrt(squares / (double)n);
}

static struct reference reference;
static double base[N], numbers[N];

/* Half of the numbers are values of the reference, so that "on a point" and "between" both count.
 */
static void make_samples(double shift, double scale)
{
    for (size_t i = 0; i < N; i++)
        base[i] = floor(roughly_normal() * 1000) / 1000 * scale;
    for (size_t i = 0; i < N; i++)
        numbers[i] =
            i % 2 ? base[(size_t)(uniform() * N)] : (roughly_normal() * 1.5 + shift) * scale;
}

static void counts_up_to_every_point_are_those_of_the_numbers(void **state)
{
    static const double scales[] = {1, 1e-200, 1e200, 1e9};
    (void)state;
    for (size_t i = 0; i < sizeof scales / sizeof *scales; i++) {
        size_t n_missing;
        make_samples(0.3, scales[i]);
        fill_reference(&reference, base, N);
        struct column column = counted(&reference.column, true, numbers, N, &n_missing);
        check_shape(&column, N);
        assert_int_equal(n_missing, 0);
        for (size_t k = 0; k < reference.column.n_values; k++) {
            double limit = reference.values[k];
            assert_true(
                column_not_above(&column, limit) == N * share_up_to(numbers, N, limit) ||
                fabs(column_not_above(&column, limit) - N * share_up_to(numbers, N, limit)) < 1e-6);
        }
        column_free(&column);
    }
}

static void kolmogorov_smirnov_of_the_counts_is_that_of_the_numbers(void **state)
{
    enum { FEW = 700 };
    size_t n_missing;
    (void)state;
    make_samples(0.2, 1);
    fill_reference(&reference, base, FEW);
    struct column column = counted(&reference.column, true, numbers, FEW, &n_missing);
    double largest = 0;
    for (size_t i = 0; i < reference.column.n_values; i++)
        largest = fmax(largest, fabs(share_up_to(base, FEW, reference.values[i]) -
                                     column_not_above(&column, reference.values[i]) / FEW));
    /* Between two values of the reference its share stands still: the value just below is that of
     * the last number in between. */
    for (size_t i = 0; i < column.n_values; i++)
        largest =
            fmax(largest, fabs(share_up_to(base, FEW, column.values[i]) - column.upto[i] / FEW));
    assert_true(fabs(largest - kolmogorov_smirnov(base, FEW, numbers, FEW)) < 1e-12);
    assert_true(largest > 0.03);
    column_free(&column);
}

static void moments_are_those_of_the_finite_numbers(void **state)
{
    /* Far from zero digits go where sums are not taken about the reference's mean. */
    static const double origins[] = {0, 1e9, -1e12};
    (void)state;
    for (size_t i = 0; i < sizeof origins / sizeof *origins; i++) {
        double mean, deviation;
        size_t n_missing;
        make_samples(0.5, 1);
        for (size_t k = 0; k < N; k++) {
            base[k] += origins[i];
            numbers[k] += origins[i];
        }
        fill_reference(&reference, base, N);
        struct column column = counted(&reference.column, true, numbers, N, &n_missing);
        moments(numbers, N, &mean, &deviation);
        assert_true(fabs(column.mean - mean) <= 1e-9 * fmax(1, fabs(mean) * 1e-3));
        assert_true(fabs(column.deviation / deviation - 1) < 1e-3);
        column_free(&column);
    }
}

static void missing_values_and_infinities_are_told_apart(void **state)
{
    static const double odd[] = {1, (double)NAN,       2,           (double)INFINITY,
                                 3, (double)-INFINITY, (double)NAN, 2.5,
                                 2, (double)INFINITY};
    static const double known[] = {1, 2, 3};
    size_t n_missing;
    (void)state;
    fill_reference(&reference, known, 3);
    struct column column = counted(&reference.column, true, odd, 10, &n_missing);
    assert_int_equal(n_missing, 2);
    check_shape(&column, 8);
    assert_true(column.values[0] == (double)-INFINITY && column.upto[0] == 1);
    assert_true(column.values[column.n_values - 1] == (double)INFINITY);
    assert_true(column_not_above(&column, 3) == 6);
    assert_true(fabs(column.mean - 10.5 / 5) < 1e-12);
    column_free(&column);
}

static void infinities_of_the_reference_are_points_too(void **state)
{
    static const double known[] = {(double)-INFINITY, 1, 2, (double)INFINITY};
    static const double told[] = {(double)-INFINITY, (double)-INFINITY, 0, 1, (double)INFINITY};
    size_t n_missing;
    (void)state;
    fill_reference(&reference, known, 4);
    struct column column = counted(&reference.column, true, told, 5, &n_missing);
    check_shape(&column, 5);
    assert_true(column_not_above(&column, (double)-INFINITY) == 2);
    assert_true(column_not_above(&column, 0.5) == 3);
    assert_true(column_not_above(&column, 1) == 4);
    column_free(&column);
}

/* A reference of floats has 0.1f, which 0.1 is only once it is rounded, too. */
static void numbers_are_rounded_as_the_reference_is(void **state)
{
    static const double tenths[] = {(double)0.1f, (double)0.2f};
    static const double told[] = {0.1, 0.1, 0.2};
    (void)state;
    for (int single = 0; single < 2; single++) {
        size_t n_missing;
        fill_reference(&reference, tenths, 2);
        reference.column.single = single;
        struct column column = counted(&reference.column, true, told, 3, &n_missing);
        assert_true(column_not_above(&column, tenths[0]) == 2);
        assert_int_equal(column.values[0] == tenths[0], single);
        column_free(&column);
    }
}

/* Of an incomplete list nothing is known of what lies between two: both stand at the upper one. */
static void between_points_of_an_incomplete_reference_numbers_stand_at_the_upper(void **state)
{
    static const double known[] = {0, 10, 20};
    static const double told[] = {3, 4, 10, 15, 25, -5};
    (void)state;
    for (int complete = 0; complete < 2; complete++) {
        size_t n_missing;
        fill_reference(&reference, known, 3);
        reference.column.complete = complete;
        struct column column = counted(&reference.column, true, told, 6, &n_missing);
        check_shape(&column, 6);
        assert_true(column_not_above(&column, 9) == (complete ? 3 : 1));
        assert_true(column_not_above(&column, 10) == 4);
        assert_true(column_not_above(&column, 16) == (complete ? 5 : 4));
        assert_true(column_not_above(&column, 20) == 5);
        assert_true(column.values[0] == -5 && column.values[column.n_values - 1] == 25);
        column_free(&column);
    }
}

/* By quantiles memory does not grow with the reference; bins cut at its deciles are exact. */
static void deciles_as_points_keep_the_counts_of_bins(void **state)
{
    double edges[10];
    size_t n_missing;
    (void)state;
    make_samples(0.4, 1);
    fill_reference(&reference, base, N);
    struct column column = counted(&reference.column, false, numbers, N, &n_missing);
    size_t n_edges = column_quantiles(&reference.column, 10, edges);
    check_shape(&column, N);
    assert_int_equal(n_edges, 9);
    assert_true(column.n_values <= 2 * 11 + 1);
    for (size_t i = 0; i < n_edges; i++)
        assert_true(fabs(column_not_above(&column, edges[i]) / N -
                         share_up_to(numbers, N, edges[i])) < 1e-12);
    column_free(&column);
}

static void no_numbers_and_no_reference_are_no_data(void **state)
{
    size_t n_missing;
    (void)state;
    fill_reference(&reference, base, 0);
    struct column column = counted(&reference.column, true, numbers, 0, &n_missing);
    assert_int_equal(column.n_values, 0);
    column_free(&column);
    numbers[0] = 4;
    numbers[1] = 6;
    column = counted(&reference.column, false, numbers, 2, &n_missing);
    check_shape(&column, 2);
    assert_true(column.mean == 5 && column.deviation == 1);
    column_free(&column);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_up_to_every_point_are_those_of_the_numbers),
        cmocka_unit_test(kolmogorov_smirnov_of_the_counts_is_that_of_the_numbers),
        cmocka_unit_test(moments_are_those_of_the_finite_numbers),
        cmocka_unit_test(missing_values_and_infinities_are_told_apart),
        cmocka_unit_test(infinities_of_the_reference_are_points_too),
        cmocka_unit_test(numbers_are_rounded_as_the_reference_is),
        cmocka_unit_test(between_points_of_an_incomplete_reference_numbers_stand_at_the_upper),
        cmocka_unit_test(deciles_as_points_keep_the_counts_of_bins),
        cmocka_unit_test(no_numbers_and_no_reference_are_no_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
