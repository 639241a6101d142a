/* Samples, distances, chi-square, bins, false discovery, and what all of them give under no change:
 * against scipy 1.17.1 and numpy 2.4.6, and against simulation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "engine/stats/chi_square.h"
#include "engine/stats/cuts.h"
#include "engine/stats/discovery.h"
#include "engine/stats/distance.h"
#include "engine/stats/null.h"
#include "engine/stats/samples.h"
#include "tests/unit/random.h"

static void assert_near(double got, double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance * fabs(want) + 1e-300))
        fail_msg("%.17g, not %.17g", got, want);
}

static void samples_are_compared_as_scipy_does(void **state)
{
    (void)state;
    double a[] = {1.0, 2.0, 2.0, 3.5, -7.0, 10.0, 0.25, 2.0};
    double b[] = {2.0, 2.5, 11.0, 3.0, 3.0, 0.0};
    samples_sort(a, 8);
    samples_sort(b, 6);
    assert_near(samples_ks(a, 8, b, 6), 0.4166666666666667, 1e-15);
    assert_near(samples_wasserstein(a, 8, b, 6), 1.9687499999999996, 1e-15);
    assert_near(samples_wasserstein(b, 6, a, 8), 1.9687499999999996, 1e-15);
    assert_true(samples_ks(a, 8, a, 8) == 0 && samples_wasserstein(a, 8, a, 8) == 0);
    assert_true(isnan(samples_ks(a, 0, b, 6)) && isnan(samples_wasserstein(a, 8, b, 0)));
    double low[] = {-INFINITY, 1}, high[] = {1, INFINITY};
    assert_true(samples_ks(low, 2, high, 2) == 0.5);
}

static void sorts_any_number_of_values(void **state)
{
    (void)state;
    static double values[5000];
    for (size_t i = 0; i < 5000; i++)
        values[i] =
            i % 7 == 0 ? -(double)(i % 100) : ldexp((double)(i * 7919 % 5003), (int)(i % 40) - 20);
    values[17] = -INFINITY;
    values[18] = INFINITY;
    samples_sort(values, 5000);
    for (size_t i = 1; i < 5000; i++)
        assert_true(values[i - 1] <= values[i]);
    assert_true(isinf(values[0]) && isinf(values[4999]));
}

static void distances_are_as_scipy_has_them(void **state)
{
    (void)state;
    static const double p[] = {0.4, 0.1, 0.0, 0.5}, q[] = {0.25, 0.3125, 0.0625, 0.375},
                        e[] = {0.39, 0.11, 0.01, 0.49};
    double part[4];
    assert_near(distance_of(DISTANCE_JS, p, q, 4, part), 0.2521926468712082, 1e-14);
    assert_near(part[0] + part[1] + part[2] + part[3], 0.2521926468712082, 1e-14);
    assert_near(distance_of(DISTANCE_JS_BASE_2, p, q, 4, NULL), 0.3029142394881761, 1e-14);
    assert_near(distance_of(DISTANCE_KL, p, q, 4, NULL), 0.21789905960534822, 1e-13);
    assert_near(distance_of(DISTANCE_PSI, e, q, 4, NULL), 0.4006617997490968, 1e-13);
    assert_near(distance_of(DISTANCE_TVD, p, q, 4, NULL), 0.275, 1e-14);
    assert_near(distance_of(DISTANCE_LINF, p, q, 4, part), 0.2125, 1e-14);
    assert_true(part[0] == 0 && part[1] > 0);
    assert_near(distance_of(DISTANCE_HELLINGER, p, q, 4, NULL), 0.271997861745834, 1e-13);
    for (int kind = DISTANCE_PSI; kind <= DISTANCE_LINF; kind++)
        assert_true(distance_of((enum distance)kind, q, q, 4, part) == 0);
    assert_true(isnan(distance_of(DISTANCE_PSI, p, q, 0, NULL)));
}

static void chi_square_is_as_scipy_has_it(void **state)
{
    (void)state;
    static const double a[] = {40.0, 10.0, 0.0, 50.0}, b[] = {20.0, 25.0, 5.0, 30.0};
    double part[4];
    struct chi_square chi = chi_square_samples(a, b, 4, true, part);
    assert_near(chi.statistic, 21.13392857142857, 1e-13);
    assert_near(chi.p_value, 9.874450977403916e-05, 1e-12);
    assert_near(part[0] + part[1] + part[2] + part[3], chi.statistic, 1e-14);
    chi = chi_square_samples(a, b, 2, true, NULL);
    assert_near(chi.statistic, 11.385046296296299, 1e-13);
    static const double found[] = {16, 18, 16, 14, 12, 12}, want[] = {16, 16, 16, 16, 16, 8};
    chi = chi_square_expected(found, want, 6, NULL);
    assert_near(chi.statistic, 3.5, 1e-14);
    assert_near(chi.p_value, 0.6233876277495822, 1e-13);
    static const double none[4] = {0}, one[] = {5, 0, 0, 0};
    assert_true(isnan(chi_square_samples(a, none, 4, true, NULL).statistic));
    assert_true(chi_square_samples(one, one, 4, true, NULL).p_value == 1);
    chi = chi_square_expected(b, a, 3, NULL);
    assert_true(isinf(chi.statistic) && chi.p_value == 0);
}

static void bins_are_cut_as_numpy_cuts_them(void **state)
{
    (void)state;
    double x[] = {0.2913, 1.196,  0.3501, 1.1924, 0.1288, 0.1037, 0.8055, 1.8106, 0.8554, 0.4453,
                  2.3497, 0.7193, 1.0227, 0.8527, 1.6386, 0.9204, 0.9369, 0.41,   4.0559, 4.9545,
                  0.3448, 0.7995, 0.8907, 3.7418, 0.2456, 0.5899, 1.072,  1.7596, 4.2482, 1.0886,
                  2.1721, 0.0524, 3.1032, 1.6905, 4.3147, 1.2388, 0.2678, 7.5226, 0.7584, 1.7195,
                  1.6188, 1.1614, 0.2478, 0.6187, 0.2584, 1.4277, 4.6075, 0.8547, 0.5917, 0.3262,
                  0.3966, 1.0885, 0.2465, 0.607,  2.2856, 8.5041, 0.1411, 1.5047, 0.6021, 1.37};
    static const double sturges[] = {0.0524,
                                     1.259785714285714,
                                     2.467171428571428,
                                     3.674557142857142,
                                     4.881942857142857,
                                     6.08932857142857,
                                     7.296714285714284,
                                     8.5041};
    static const double doane[] = {
        0.0524,  0.8975699999999999, 1.7427399999999997, 2.5879099999999995, 3.4330799999999995,
        4.27825, 5.123419999999999,  5.968589999999999,  6.8137599999999985, 7.658929999999998,
        8.5041};
    static const double counts[] = {29.0, 17.0, 5.0, 1.0, 3.0, 3.0, 0.0, 0.0, 1.0, 1.0};
    double edges[40], found[40];
    assert_int_equal(cuts_doane(x, 60, 0.0524, 8.5041), 10);
    assert_int_equal(cuts_sturges(60, 0.0524, 8.5041, false), 7);
    cuts_even(0.0524, 8.5041, 7, edges);
    assert_memory_equal(edges, sturges, sizeof sturges);
    cuts_even(0.0524, 8.5041, 10, edges);
    assert_memory_equal(edges, doane, sizeof doane);
    samples_sort(x, 60);
    cuts_count(x, 60, edges, 10, found);
    assert_memory_equal(found, counts, sizeof counts);
    assert_int_equal(cuts_sturges(50, 0, 3, true), 3);
    assert_int_equal(cuts_sturges(9, 4, 4, false), 1);
    assert_int_equal(cuts_doane(x, 2, 0, 1), 1);
    cuts_even(4, 4, 1, edges);
    assert_true(edges[0] == 3.5 && edges[1] == 4.5);
}

static void quantile_edges_keep_rare_values_apart(void **state)
{
    (void)state;
    static const double few[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2};
    double edges[10];
    assert_int_equal(cuts_quantiles(few, 13, 10, edges), 2);
    assert_true(edges[0] == 0 && edges[1] == 1);
    assert_int_equal(cuts_quantiles(few, 5, 10, edges), 0);
    assert_int_equal(cuts_quantiles(few, 0, 10, edges), 0);
    double many[1000];
    for (int i = 0; i < 1000; i++)
        many[i] = i;
    assert_int_equal(cuts_quantiles(many, 1000, 10, edges), 9);
    assert_true(edges[0] == 99 && edges[8] == 899);
}

static void false_discoveries_are_controlled_as_scipy_does(void **state)
{
    (void)state;
    double p[] = {0.01, 0.04, NAN, 0.03, 0.005, 0.5};
    static const double want[] = {0.025, 0.05, 0.05, 0.025, 0.5};
    assert_int_equal(discovery_adjust(p, 6, p), STATUS_OK);
    assert_true(isnan(p[2]));
    for (int i = 0; i < 5; i++)
        assert_near(p[i < 2 ? i : i + 1], want[i], 1e-14);
}

/* ---- under no change ---- */

static const double shares[] = {0.3, 0.25, 0.2, 0.15, 0.1};

static void draw(double *counts, int n)
{
    memset(counts, 0, 5 * sizeof *counts);
    for (int i = 0; i < n; i++) {
        double at = random_ratio();
        int bin = 0;
        while (bin < 4 && at > shares[bin])
            at -= shares[bin++];
        counts[bin]++;
    }
}

/* The mean of the distances of pairs drawn from one distribution is what is expected, and the share
 * of p-values under 0.1 a tenth. */
static void distances_under_no_change_are_as_expected(void **state)
{
    (void)state;
    enum { ROUNDS = 3000, N = 900, M = 600 };
    for (int kind = DISTANCE_PSI; kind <= DISTANCE_LINF; kind++) {
        double sum = 0, expected = 0;
        int small = 0;
        for (int round = 0; round < ROUNDS; round++) {
            double a[5], b[5], pooled[5];
            draw(a, N);
            draw(b, M);
            for (int i = 0; i < 5; i++) {
                pooled[i] = (a[i] + b[i]) / (N + M);
                a[i] /= N;
                b[i] /= M;
            }
            double distance = distance_of((enum distance)kind, a, b, 5, NULL);
            struct null_result null =
                null_of_distance((enum distance)kind, distance, pooled, 5, N, M);
            sum += distance;
            expected += null.expected;
            small += null.p_value < 0.1;
        }
        /* The largest difference is taken as if bins were independent, which errs to one side. */
        if (fabs(sum / expected - 1) > (kind == DISTANCE_LINF ? 0.06 : 0.03))
            fail_msg("distance %d: %g on average, %g expected", kind, sum / ROUNDS,
                     expected / ROUNDS);
        if (small < ROUNDS * 0.075 || small > ROUNDS * 0.125)
            fail_msg("distance %d: p < 0.1 in %d of %d", kind, small, ROUNDS);
    }
}

static void wasserstein_under_no_change_is_as_expected(void **state)
{
    (void)state;
    enum { ROUNDS = 400, N = 500, M = 300 };
    double sum = 0, expected = 0;
    int small = 0;
    for (int round = 0; round < ROUNDS; round++) {
        static double pooled[N + M], a[N], b[M];
        for (int i = 0; i < N + M; i++)
            pooled[i] = -log(1 - random_ratio());
        memcpy(a, pooled, sizeof a);
        memcpy(b, pooled + N, sizeof b);
        samples_sort(a, N);
        samples_sort(b, M);
        samples_sort(pooled, N + M);
        double distance = samples_wasserstein(a, N, b, M);
        struct null_result null = null_of_wasserstein(distance, pooled, N + M, N, M);
        sum += distance;
        expected += null.expected;
        small += null.p_value < 0.1;
    }
    if (fabs(sum / expected - 1) > 0.1)
        fail_msg("%g on average, %g expected", sum / ROUNDS, expected / ROUNDS);
    if (small < ROUNDS / 20 || small > ROUNDS * 3 / 20)
        fail_msg("p < 0.1 in %d of %d", small, ROUNDS);
}

static void nothing_to_compare_is_no_number(void **state)
{
    (void)state;
    static const double one[] = {1, 0};
    assert_true(isnan(null_of_distance(DISTANCE_PSI, 1, shares, 5, 0, 10).p_value));
    assert_true(null_of_distance(DISTANCE_PSI, 0, one, 2, 10, 10).p_value == 1);
    assert_true(isnan(null_of_wasserstein(1, shares, 0, 10, 10).expected));
    double z = samples_share_z(30, 100, 50, 110);
    assert_near(z, -2.3032737418878226, 1e-14);
    assert_true(isnan(samples_share_z(0, 0, 1, 2)) && samples_share_z(0, 5, 0, 9) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_are_compared_as_scipy_does),
        cmocka_unit_test(sorts_any_number_of_values),
        cmocka_unit_test(distances_are_as_scipy_has_them),
        cmocka_unit_test(chi_square_is_as_scipy_has_it),
        cmocka_unit_test(bins_are_cut_as_numpy_cuts_them),
        cmocka_unit_test(quantile_edges_keep_rare_values_apart),
        cmocka_unit_test(false_discoveries_are_controlled_as_scipy_does),
        cmocka_unit_test(distances_under_no_change_are_as_expected),
        cmocka_unit_test(wasserstein_under_no_change_is_as_expected),
        cmocka_unit_test(nothing_to_compare_is_no_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
