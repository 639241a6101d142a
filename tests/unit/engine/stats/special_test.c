/* Special functions against scipy 1.17.1. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "engine/stats/special.h"

static void assert_near(double got, double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance * fabs(want) + 1e-300))
        fail_msg("%.17g, not %.17g", got, want);
}

#define N(table) (sizeof(table) / sizeof(table)[0])

static void incomplete_gamma_is_as_scipy_has_it(void **state)
{
    (void)state;
    static const double rows[][3] = {{0.5, 0.1, 0.6547208460185768},
                                     {0.5, 0.45, 0.34278171114790873},
                                     {0.5, 0.55, 0.2942661043049598},
                                     {0.5, 1.5, 0.08326451666355042},
                                     {1.0, 0.2, 0.8187307530779818},
                                     {1.0, 0.9, 0.4065696597405992},
                                     {1.0, 1.1, 0.33287108369807955},
                                     {1.0, 3.0, 0.04978706836786395},
                                     {2.5, 0.5, 0.9625657732472964},
                                     {2.5, 2.25, 0.4798834381132997},
                                     {2.5, 2.75, 0.357945880850958},
                                     {2.5, 7.5, 0.010362337915786429},
                                     {10.0, 2.0, 0.9999535019249828},
                                     {10.0, 9.0, 0.5874082443319417},
                                     {10.0, 11.0, 0.3405106424656608},
                                     {10.0, 30.0, 7.121750862815593e-06},
                                     {50.0, 10.0, 1.0},
                                     {50.0, 45.0, 0.7531979655998298},
                                     {50.0, 55.00000000000001, 0.23220478050085608},
                                     {50.0, 150.0, 7.4121008573230175e-22},
                                     {300.5, 297.495, 0.5614647722685087},
                                     {300.5, 303.505, 0.42387524043617497},
                                     {5000.0, 4950.0, 0.7595200856839792},
                                     {5000.0, 5050.0, 0.23901532524017513},
                                     {250000.0, 247500.0, 0.9999997363419072},
                                     {250000.0, 252500.0, 3.112608442371137e-07}};
    for (size_t i = 0; i < N(rows); i++) {
        assert_near(special_gamma_q(rows[i][0], rows[i][1]), rows[i][2], 2e-11);
    }
    assert_true(isnan(special_gamma_q(0, 1)) && isnan(special_gamma_q(1, -1)));
    assert_true(special_gamma_q(3, 0) == 1 && special_gamma_q(3, INFINITY) == 0);
}

static void incomplete_beta_is_as_scipy_has_it(void **state)
{
    (void)state;
    static const double rows[][4] = {{0.5, 0.5, 0.45, 0.4681157195707401},
                                     {0.5, 0.5, 0.55, 0.53188428042926},
                                     {0.5, 7.0, 0.06, 0.6394705670680629},
                                     {0.5, 7.0, 0.15999999999999992, 0.8752495764016},
                                     {0.5, 900.0, 0.0004997223764575237, 0.657077538213598},
                                     {0.5, 900.0, 0.10049972237645755, 1.0},
                                     {2.0, 0.5, 0.7200000000000001, 0.2803556433904313},
                                     {2.0, 0.5, 0.8200000000000001, 0.4017876631161807},
                                     {2.0, 7.0, 0.19999999999999998, 0.49668352000000004},
                                     {2.0, 7.0, 0.29999999999999993, 0.7447016699999999},
                                     {2.0, 900.0, 0.0019955654101995565, 0.5368064542887994},
                                     {2.0, 900.0, 0.1019955654101995, 1.0},
                                     {30.0, 0.5, 0.8852459016393442, 0.007077008783777097},
                                     {30.0, 0.5, 0.9852459016393442, 0.3469858120025072},
                                     {30.0, 7.0, 0.7297297297297298, 0.10936677101513759},
                                     {30.0, 7.0, 0.8297297297297298, 0.5838953830526457},
                                     {30.0, 900.0, 0.02903225806451613, 0.30247371466397216},
                                     {30.0, 900.0, 0.12903225806451613, 1.0},
                                     {2000.0, 0.5, 0.899775056235941, 7.367581534381977e-94},
                                     {2000.0, 0.5, 0.999775056235941, 0.34284505416747807},
                                     {2000.0, 7.0, 0.8968609865470852, 3.1306043015196503e-84},
                                     {2000.0, 7.0, 0.9968609865470852, 0.558659359104785},
                                     {2000.0, 900.0, 0.6206896551724138, 4.067432598641293e-15},
                                     {2000.0, 900.0, 0.7206896551724138, 0.9998833271987151}};
    for (size_t i = 0; i < N(rows); i++)
        assert_near(special_beta(rows[i][0], rows[i][1], rows[i][2]), rows[i][3], 1e-11);
    assert_true(special_beta(2, 3, 0) == 0 && special_beta(2, 3, 1) == 1);
    assert_true(isnan(special_beta(2, 3, 1.1)));
}

static void the_normal_distribution_is_as_scipy_has_it(void **state)
{
    (void)state;
    static const double rows[][3] = {{-37.0, 5.7255712225239266e-300, 1.0},
                                     {-8.0, 6.22096057427174e-16, 0.9999999999999993},
                                     {-1.96, 0.024997895148220435, 0.9750021048517795},
                                     {-0.1, 0.460172162722971, 0.539827837277029},
                                     {0.0, 0.5, 0.5},
                                     {0.5, 0.6914624612740131, 0.3085375387259869},
                                     {3.0, 0.9986501019683699, 0.0013498980316300933},
                                     {12.0, 1.0, 1.776482112077653e-33},
                                     {35.0, 1.0, 1.1249107064724061e-268}};
    for (size_t i = 0; i < N(rows); i++) {
        assert_near(special_normal_below(rows[i][0]), rows[i][1], 1e-12);
        assert_near(special_normal_above(rows[i][0]), rows[i][2], 1e-12);
    }
    static const double quantiles[][2] = {
        {1e-300, -37.0470962993612},  {1e-20, -9.262340089798409}, {0.001, -3.090232306167813},
        {0.025, -1.9599639845400545}, {0.3, -0.5244005127080409},  {0.5, 0.0},
        {0.9, 1.2815515655446004},    {0.975, 1.959963984540054},  {0.9999, 3.719016485455709}};
    for (size_t i = 0; i < N(quantiles); i++)
        assert_true(fabs(special_normal_quantile(quantiles[i][0]) - quantiles[i][1]) < 1e-12);
}

static void tests_are_read_as_scipy_reads_them(void **state)
{
    (void)state;
    static const double chi[][3] = {
        {0.5, 1.0, 0.47950012218695337},    {3.84, 1.0, 0.05004352124870519},
        {10.0, 4.0, 0.04042768199451279},   {200.0, 9.0, 3.312992393909567e-38},
        {30.0, 30.0, 0.4656537089440098},   {1500.0, 9.0, 0.0},
        {120.0, 100.0, 0.08440668109369177}};
    static const double quantiles[][3] = {{0.05, 1.0, 3.8414588206941285},
                                          {0.05, 9.0, 16.91897760462045},
                                          {0.5, 10.0, 9.34181776559197},
                                          {1e-10, 3.0, 49.542155927523666},
                                          {0.999, 100.0, 61.917939206936616}};
    static const double student[][3] = {{0.1, 3.0, 0.9266523488008059},
                                        {2.2, 10.0, 0.05244106844935316},
                                        {5.0, 7.5, 0.0012762228035169815},
                                        {-3.0, 100000.0, 0.0027004608840647234},
                                        {30.0, 100.0, 8.380332558688329e-52}};
    static const double binomial[][4] = {{1.0, 10.0, 0.1, 0.6513215599000001},
                                         {5.0, 100.0, 0.01, 0.0034323215877545207},
                                         {600.0, 1000.0, 0.5, 1.3642320780329735e-10},
                                         {30.0, 1000000.0, 1e-05, 2.5094634430504815e-07}};
    for (size_t i = 0; i < N(chi); i++)
        assert_near(special_chi_square_above(chi[i][0], chi[i][1]), chi[i][2], 1e-12);
    for (size_t i = 0; i < N(quantiles); i++)
        assert_near(special_chi_square_quantile(quantiles[i][0], quantiles[i][1]), quantiles[i][2],
                    1e-11);
    for (size_t i = 0; i < N(student); i++)
        assert_near(special_student_beyond(student[i][0], student[i][1]), student[i][2], 1e-12);
    for (size_t i = 0; i < N(binomial); i++)
        assert_near(special_binomial_at_least(binomial[i][0], binomial[i][1], binomial[i][2]),
                    binomial[i][3], 1e-11);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(incomplete_gamma_is_as_scipy_has_it),
        cmocka_unit_test(incomplete_beta_is_as_scipy_has_it),
        cmocka_unit_test(the_normal_distribution_is_as_scipy_has_it),
        cmocka_unit_test(tests_are_read_as_scipy_reads_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
