/* Kolmogorov's distribution against scipy 1.17.1 (kstwo, ks_2samp), and its tabled critical values.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "engine/stats/kolmogorov.h"

static void assert_near(double got, double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance * fabs(want) + 1e-300))
        fail_msg("%.17g, not %.17g", got, want);
}

#define N(table) (sizeof(table) / sizeof(table)[0])

static void one_sample_is_as_scipy_has_it(void **state)
{
    (void)state;
    static const double rows[][3] = {{1.0, 0.6, 0.8},
                                     {1.0, 0.9, 0.19999999999999996},
                                     {4.0, 0.3, 0.7708},
                                     {4.0, 0.45, 0.29290000000000005},
                                     {4.0, 0.7, 0.016900000000000012},
                                     {20.0, 0.13416407864998736, 0.8184093562059918},
                                     {20.0, 0.20124611797498107, 0.3454975529080021},
                                     {20.0, 0.3130495168499705, 0.030655906315259163},
                                     {20.0, 0.5590169943749475, 2.0438554462966623e-06},
                                     {120.0, 0.054772255750516606, 0.8446931482414586},
                                     {120.0, 0.08215838362577492, 0.37248931299680216},
                                     {120.0, 0.12780193008453875, 0.03617299298477202},
                                     {120.0, 0.22821773229381923, 5.635978059564185e-06},
                                     {120.0, 0.5477225575051661, 2.6123409505646546e-34},
                                     {141.0, 0.050529115263991134, 0.846171510746462},
                                     {141.0, 0.07579367289598671, 0.37400402448477066},
                                     {141.0, 0.11790126894931265, 0.036454276766098026},
                                     {141.0, 0.21053798026662973, 5.81552565761188e-06},
                                     {141.0, 0.5052911526399114, 7.263837855990998e-34},
                                     {1000.0, 0.018973665961010275, 0.8573684410456419},
                                     {1000.0, 0.028460498941515415, 0.3855493148732465},
                                     {1000.0, 0.04427188724235731, 0.03849503290830236},
                                     {1000.0, 0.07905694150420949, 6.967265066703322e-06},
                                     {1000.0, 0.18973665961010278, 5.349204022746138e-32},
                                     {30000.0, 0.0034641016151377543, 0.8630107479874964},
                                     {30000.0, 0.005196152422706632, 0.3914053509794292},
                                     {30000.0, 0.00808290376865476, 0.03946752611396853},
                                     {30000.0, 0.014433756729740645, 7.378338376479217e-06},
                                     {30000.0, 0.034641016151377546, 1.0320050936165765e-31},
                                     {400000.0, 0.0009486832980505137, 0.8639339994891946},
                                     {400000.0, 0.0014230249470757706, 0.39236709875196385},
                                     {400000.0, 0.0022135943621178654, 0.039623281473354144},
                                     {400000.0, 0.003952847075210474, 7.433419903772237e-06},
                                     {400000.0, 0.009486832980505138, 1.067757076331815e-31}};
    for (size_t i = 0; i < N(rows); i++)
        assert_near(kolmogorov_above((int64_t)rows[i][0], rows[i][1]), rows[i][2], 2e-11);
}

static void two_samples_are_as_scipy_has_them(void **state)
{
    (void)state;
    static const double rows[][4] = {{5.0, 5.0, 0.4, 0.873015873015873},
                                     {5.0, 5.0, 0.4, 0.873015873015873},
                                     {5.0, 5.0, 0.8, 0.07936507936507936},
                                     {10.0, 7.0, 0.5142857142857142, 0.15538872891814065},
                                     {10.0, 7.0, 0.4714285714285714, 0.23256890168654876},
                                     {10.0, 7.0, 0.8, 0.004524886877828055},
                                     {100.0, 100.0, 0.22, 0.015577131622877688},
                                     {100.0, 100.0, 0.1, 0.7020569828664881},
                                     {100.0, 100.0, 0.34, 1.605714367105695e-05},
                                     {100.0, 90.0, 0.09888888888888889, 0.6981836033061721},
                                     {100.0, 90.0, 0.09111111111111111, 0.7859368984154719},
                                     {100.0, 90.0, 0.17777777777777778, 0.08683950302755603},
                                     {999.0, 1000.0, 0.05041341341341341, 0.15139329581840988},
                                     {999.0, 1000.0, 0.02653053053053053, 0.8589454352947182},
                                     {999.0, 1000.0, 0.0290990990990991, 0.7764494033897653},
                                     {40.0, 4000.0, 0.14225, 0.3654253722830735},
                                     {40.0, 4000.0, 0.2275, 0.027842589969327182},
                                     {40.0, 4000.0, 0.1925, 0.09287843241256724},
                                     {9999.0, 10000.0, 0.013281788178817882, 0.3354978596244662},
                                     {9999.0, 10000.0, 0.010564226422642264, 0.6258711426905105},
                                     {9999.0, 10000.0, 0.015451825182518251, 0.1807502582114862},
                                     {20000.0, 500.0, 0.05509999999999998, 0.09950679261793438},
                                     {20000.0, 500.0, 0.036500000000000005, 0.5219675902662331},
                                     {20000.0, 500.0, 0.029549999999999993, 0.776144849030171}};
    for (size_t i = 0; i < N(rows); i++) {
        bool exact;
        int64_t n = (int64_t)rows[i][0], m = (int64_t)rows[i][1];
        assert_near(kolmogorov_two_samples(n, m, rows[i][2], &exact), rows[i][3], 1e-10);
        assert_near(kolmogorov_two_samples(m, n, rows[i][2], NULL), rows[i][3], 1e-10);
        assert_int_equal(exact, n <= 10000 && m <= 10000);
    }
}

/* L. Miller, "Table of percentage points of Kolmogorov statistics", J. of the American Statistical
 * Association 51 (1956). */
static void critical_values_are_those_of_the_table(void **state)
{
    (void)state;
    static const struct {
        int64_t n;
        double d, level;
    } rows[] = {{1, 0.975, 0.05},   {5, 0.56328, 0.05},  {10, 0.40925, 0.05}, {20, 0.29408, 0.05},
                {5, 0.66853, 0.01}, {10, 0.48893, 0.01}, {20, 0.35241, 0.01}, {10, 0.36866, 0.10}};
    for (size_t i = 0; i < N(rows); i++) {
        assert_true(kolmogorov_above(rows[i].n, rows[i].d - 0.00002) > rows[i].level);
        assert_true(kolmogorov_above(rows[i].n, rows[i].d + 0.00002) < rows[i].level);
    }
}

static void what_cannot_be_is_no_number(void **state)
{
    (void)state;
    assert_true(isnan(kolmogorov_above(0, 0.5)) && isnan(kolmogorov_two_samples(0, 5, 0.5, NULL)));
    assert_true(isnan(kolmogorov_expected(0, 5)) && isnan(kolmogorov_two_samples(5, 5, NAN, NULL)));
    assert_true(kolmogorov_two_samples(5, 5, 0, NULL) == 1 && kolmogorov_above(10, 1) == 0);
    assert_near(kolmogorov_expected(200, 200), 0.0868731, 1e-5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_sample_is_as_scipy_has_it),
        cmocka_unit_test(two_samples_are_as_scipy_has_them),
        cmocka_unit_test(critical_values_are_those_of_the_table),
        cmocka_unit_test(what_cannot_be_is_no_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
