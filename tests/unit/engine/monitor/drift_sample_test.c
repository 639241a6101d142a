/* Measures by value of a weighted sample, against sums over all values written here. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

#include "engine/monitor/drift.h"
#include "tests/unit/random.h"

#define N 400

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double share_upto(const double *values, const double *weights, size_t n, double limit)
{
    double sum = 0, all = 0;
    for (size_t i = 0; i < n; i++) {
        double weight = weights ? weights[i] : 1;
        all += weight;
        sum += values[i] <= limit ? weight : 0;
    }
    return sum / all;
}

/* By going through every value there is. */
static void by_hand(const double *a, size_t n, const double *b, const double *weights, size_t m,
                    double *ks, double *area)
{
    static double all[2 * 20000];
    for (size_t i = 0; i < n + m; i++)
        all[i] = i < n ? a[i] : b[i - n];
    qsort(all, n + m, sizeof *all, ascending);
    *ks = *area = 0;
    for (size_t i = 0; i < n + m; i++) {
        double apart = fabs(share_upto(a, NULL, n, all[i]) - share_upto(b, weights, m, all[i]));
        *ks = fmax(*ks, apart);
        if (i + 1 < n + m)
            *area += apart * (all[i + 1] - all[i]);
    }
}

static struct drift_sampled sampled(const struct value_points *points, const double *values,
                                    const double *weights, size_t n)
{
    static struct drift_scratch scratch;
    struct drift_sampled out;
    for (size_t i = 0; i < n; i++)
        scratch.values[i] = (struct observed_value){values[i], weights ? weights[i] : 1};
    drift_sample(points, &scratch, n, &out);
    return out;
}

static void few_values_are_measured_exactly(void **state)
{
    (void)state;
    static struct value_points points;
    double reference[N], live[N], weights[N], ks, area, mean = 0, squares = 0;
    for (size_t i = 0; i < N; i++) {
        reference[i] = floor(random_ratio() * 300);
        live[i] = floor(random_ratio() * 300) + 20;
        weights[i] = (double)(1 << (i % 4));
        mean += reference[i] / N;
        squares += reference[i] * reference[i] / N;
    }
    qsort(reference, N, sizeof *reference, ascending);
    double deviation = sqrt(squares - mean * mean);
    value_points_make(&points, reference, NULL, N, deviation);
    assert_true(points.all && points.upto[points.n - 1] == N);
    for (int weighted = 0; weighted < 2; weighted++) {
        const double *by = weighted ? weights : NULL;
        struct drift_sampled got = sampled(&points, live, by, N);
        by_hand(reference, N, live, by, N, &ks, &area);
        assert_int_equal(got.n, N);
        assert_true(fabs(got.ks.statistic - ks) < 1e-12);
        assert_true(fabs(got.wasserstein.statistic - area / deviation) < 1e-9);
        assert_true(got.ks.p_value > 0 && got.ks.p_value < 1);
        assert_true(got.wasserstein.p_value > 0 && got.wasserstein.p_value < 1);
        assert_true(got.ks.expected > 0 && got.wasserstein.expected > 0);
    }
}

static void many_values_are_measured_to_a_five_hundredth(void **state)
{
    (void)state;
    enum { MANY = 20000 };
    static struct value_points points;
    static double reference[MANY], live[4000];
    double ks, area;
    for (size_t i = 0; i < MANY; i++)
        reference[i] = random_ratio() + random_ratio();
    for (size_t i = 0; i < 4000; i++)
        live[i] = 1.1 * (random_ratio() + random_ratio()) - 0.05;
    qsort(reference, MANY, sizeof *reference, ascending);
    value_points_make(&points, reference, NULL, MANY, 0.408);
    assert_false(points.all);
    assert_in_range(points.n, 400, MAX_VALUE_POINTS + 1);
    assert_true(points.values[0] == reference[0]);
    assert_true(points.values[points.n - 1] == reference[MANY - 1]);
    struct drift_sampled got = sampled(&points, live, NULL, 4000);
    by_hand(reference, MANY, live, NULL, 500, &ks, &area); /* some of them: the rest is noise */
    static double some[500];
    for (size_t i = 0; i < 500; i++)
        some[i] = live[i];
    struct drift_sampled part = sampled(&points, some, NULL, 500);
    assert_true(fabs(part.ks.statistic - ks) < 0.004);
    assert_true(fabs(part.wasserstein.statistic * 0.408 - area) < 0.01);
    assert_true(got.ks.p_value < part.ks.p_value);
}

/* Of samples without drift a twentieth lies beyond the twentieth. */
static void chance_alone_is_called_chance(void **state)
{
    (void)state;
    enum { TIMES = 400, LIVE = 600, OF = 6000 };
    static struct value_points points;
    static double reference[OF], live[LIVE];
    int ks = 0, wasserstein = 0;
    for (int time = 0; time < TIMES; time++) {
        for (size_t i = 0; i < OF; i++)
            reference[i] = random_ratio() * random_ratio();
        for (size_t i = 0; i < LIVE; i++)
            live[i] = random_ratio() * random_ratio();
        qsort(reference, OF, sizeof *reference, ascending);
        value_points_make(&points, reference, NULL, OF, 0.22);
        struct drift_sampled got = sampled(&points, live, NULL, LIVE);
        ks += got.ks.p_value <= 0.05;
        wasserstein += got.wasserstein.p_value <= 0.05;
    }
    assert_in_range(ks, 5, 40); /* 20 expected; at the points only, so rather fewer */
    assert_in_range(wasserstein, 6, 40);
}

static void what_has_no_measure_has_none(void **state)
{
    (void)state;
    static struct value_points none, same;
    double sevens[200], wild[200];
    for (size_t i = 0; i < 200; i++) {
        sevens[i] = 7;
        wild[i] = i % 3 == 0 ? INFINITY : i % 3 == 1 ? -INFINITY : 7;
    }
    value_points_make(&none, sevens, NULL, 0, NAN);
    value_points_make(&same, sevens, NULL, 200, 0);
    struct drift_sampled got = sampled(&none, sevens, NULL, 200);
    assert_true(isnan(got.ks.statistic) && isnan(got.wasserstein.statistic));
    got = sampled(&same, sevens, NULL, 10);
    assert_true(isnan(got.ks.statistic) && got.n == 10);
    got = sampled(&same, sevens, NULL, 200);
    assert_true(got.ks.statistic == 0 && got.ks.p_value == 1);
    assert_true(got.wasserstein.statistic == 0 && got.wasserstein.p_value == 1);
    got = sampled(&same, wild, NULL, 200);
    assert_true(fabs(got.ks.statistic - 0.335) < 1e-12);
    assert_true(isfinite(got.wasserstein.statistic));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_values_are_measured_exactly),
        cmocka_unit_test(many_values_are_measured_to_a_five_hundredth),
        cmocka_unit_test(chance_alone_is_called_chance),
        cmocka_unit_test(what_has_no_measure_has_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
