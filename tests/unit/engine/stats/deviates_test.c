/* Deviates of counts against closed forms. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>
#include <math.h>
#include <stdbool.h>

#include "engine/stats/deviates.h"

/* Upper tail of chi-square for an even number of degrees of freedom: a Poisson sum. */
static double chi_square_tail(double x, int freedom)
{
    double term = 1, sum = 1;
    for (int k = 1; k < freedom / 2; k++) {
        term *= x / 2 / k;
        sum += term;
    }
    return exp(-x / 2) * sum;
}

/* The normal deviate with this upper tail, by bisection of erfc. */
static double deviate_of(double tail)
{
    double low = -10, high = 40;
    for (int i = 0; i < 200; i++) {
        double middle = (low + high) / 2;
        if (erfc(middle / sqrt(2)) / 2 > tail)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* G by its definition over a table of two rows. */
static double g_of(const uint64_t *a, const uint64_t *b, int n)
{
    double sum_a = 0, sum_b = 0, g = 0;
    for (int i = 0; i < n; i++) {
        sum_a += (double)a[i];
        sum_b += (double)b[i];
    }
    for (int i = 0; i < n; i++) {
        double column = (double)(a[i] + b[i]) / (sum_a + sum_b);
        g += a[i] ? 2 * (double)a[i] * log((double)a[i] / (column * sum_a)) : 0;
        g += b[i] ? 2 * (double)b[i] * log((double)b[i] / (column * sum_b)) : 0;
    }
    return g;
}

static void deviates_of_mixes_agree_with_the_exact_tail(void **state)
{
    static const uint64_t tables[][2][5] = {
        {{50, 60, 70, 80, 90}, {100, 120, 140, 160, 180}},
        {{70, 60, 70, 80, 70}, {100, 120, 140, 160, 180}},
        {{120, 30, 70, 80, 50}, {100, 120, 140, 160, 180}},
        {{0, 10, 200, 30, 40}, {300, 100, 100, 100, 5}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        double distance, exact;
        double z = deviates_mix(tables[i][0], tables[i][1], 5, &distance);
        exact = deviate_of(chi_square_tail(g_of(tables[i][0], tables[i][1], 5), 4));
        /* Far out the approximation is the more careful of the two. */
        bool far = fabs(exact) > 9 || exact < -2.5;
        assert_true(far ? z * exact > 0 && fabs(z) > 2.5
                        : fabs(z - exact) < 0.05 + 0.08 * fabs(exact));
    }
}

static double log_choose(double n, double k)
{
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1);
}

/* The tail of Fisher's exact test: `x` or more of `n` where x + y of n + m are. */
static double fisher_tail(int x, int n, int y, int m)
{
    double tail = 0;
    for (int k = x; k <= n && k <= x + y; k++)
        tail += exp(log_choose(n, k) + log_choose(m, x + y - k) - log_choose(n + m, x + y));
    return tail;
}

static void deviates_of_shares_agree_with_the_exact_test(void **state)
{
    static const int cases[][4] = {{54, 864, 2, 650},  {20, 200, 1, 650},  {10, 100, 0, 200},
                                   {8, 60, 0, 90},     {25, 400, 5, 2000}, {12, 60, 4, 2000},
                                   {30, 100, 2, 1500}, {3, 50, 2, 60},     {90, 100, 40, 80}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const int *c = cases[i];
        double exact = deviate_of(fisher_tail(c[0], c[1], c[2], c[3]));
        double z = deviates_share((uint64_t)c[0], (uint64_t)c[1], (uint64_t)c[2], (uint64_t)c[3]);
        assert_true(fabs(z - exact) < 0.15);
        /* A share that fell is one that rose, of the rest. */
        double fell = deviates_share((uint64_t)(c[1] - c[0]), (uint64_t)c[1],
                                     (uint64_t)(c[3] - c[2]), (uint64_t)c[3]);
        assert_true(fabs(z + fell) < 1e-6);
    }
    assert_true(deviates_share(0, 0, 1, 2) == 0 && deviates_share(1, 2, 0, 0) == 0 &&
                deviates_share(0, 5, 0, 9) == 0 && deviates_share(5, 5, 9, 9) == 0);
}

static void distance_is_total_variation(void **state)
{
    static const uint64_t now[] = {10, 0, 30}, base[] = {50, 25, 25};
    double distance;
    (void)state;
    (void)deviates_mix(now, base, 3, &distance);
    assert_true(fabs(distance - 0.5) < 1e-12); /* (|.25-.5| + .25 + |.75-.25|) / 2 */
}

static void nothing_gives_no_number_that_is_not_one(void **state)
{
    static const uint64_t none[] = {0, 0}, one[] = {7, 0}, some[] = {3, 4};
    double distance;
    (void)state;
    assert_true(deviates_mix(none, some, 2, &distance) == 0 && distance == 0);
    assert_true(deviates_mix(one, one, 2, &distance) == 0 && distance == 0);
    assert_true(isfinite(deviates_count(0, 0)));
}

static void counts_are_about_normal(void **state)
{
    (void)state;
    /* Poisson of mean 100: 120 is two standard deviations above. */
    assert_true(fabs(deviates_count(120, 100) - 2) < 0.1);
    assert_true(deviates_count(80, 100) < -2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deviates_of_mixes_agree_with_the_exact_tail),
        cmocka_unit_test(deviates_of_shares_agree_with_the_exact_test),
        cmocka_unit_test(distance_is_total_variation),
        cmocka_unit_test(nothing_gives_no_number_that_is_not_one),
        cmocka_unit_test(counts_are_about_normal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
