/* Exact sums against 128-bit integers, whose conversion to double rounds correctly. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>

#include <cmocka.h>

#include "engine/feature/exact.h"
#include "tests/unit/random.h"

__extension__ typedef __int128 wide;

/* A double that is an integer under 2^(bits + 53), of either sign. */
static double random_number(unsigned bits)
{
    double mantissa = (double)(int64_t)(random_bits() >> 11);
    double sign = random_bits() & 1 ? -1 : 1;
    return sign * ldexp(mantissa, (int)(random_bits() % (bits + 1)));
}

static void sums_are_correctly_rounded_whatever_came_and_went(void **unused)
{
    (void)unused;
    for (unsigned bits = 0; bits <= 60; bits += 12) {
        double numbers[200], parts[EXACT_MAX_PARTS];
        int n_parts = 0;
        wide sum = 0;
        for (int i = 0; i < 5000; i++) {
            double *number = &numbers[i % 200];
            if (i >= 200) {
                n_parts = exact_add(parts, n_parts, EXACT_MAX_PARTS, -*number);
                sum -= (wide)*number;
            }
            *number = random_number(bits);
            n_parts = exact_add(parts, n_parts, EXACT_MAX_PARTS, *number);
            sum += (wide)*number;
            assert_true(n_parts >= 0);
            assert_true(exact_round(parts, n_parts) == (double)sum);
        }
    }
}

static void ties_are_broken_by_what_lies_beyond(void **unused)
{
    (void)unused;
    static const struct {
        double numbers[3];
        double sum;
    } cases[] = {
        {{0x1p53, 1, 0}, 0x1p53}, /* to even */
        {{0x1p53, 1, 0x1p-60}, 0x1p53 + 2},
        {{0x1p53, 1, -0x1p-60}, 0x1p53},
        {{0x1p53 + 2, 1, 0}, 0x1p53 + 4},
        {{0x1p53 + 2, 1, -0x1p-9}, 0x1p53 + 2},
        {{-0x1p53, -1, -0x1p-60}, -0x1p53 - 2},
        {{1e100, 1, -1e100}, 1},
        {{0.1, 0.2, -0.3}, 0x1p-55}, /* 0.1+0.2-0.3 of the doubles: 2^-55 */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double parts[EXACT_MAX_PARTS];
        int n = 0;
        for (int j = 0; j < 3; j++)
            n = exact_add(parts, n, EXACT_MAX_PARTS, cases[i].numbers[j]);
        assert_true(exact_round(parts, n) == cases[i].sum);
    }
}

static void refuses_what_does_not_fit_and_packs_what_does(void **unused)
{
    (void)unused;
    double parts[4];
    int n = 0;
    for (int i = 0; i < 4; i++)
        n = exact_add(parts, n, 4, ldexp(1, 200 * i));
    assert_int_equal(n, 4);
    assert_int_equal(exact_add(parts, n, 4, ldexp(1, -200)), -1);
    n = 0;
    for (int i = 0; i < 30; i++) /* sparse bits within 3 * 53 of each other */
        n = exact_add(parts, n, 4, ldexp(1, 5 * i));
    assert_in_range(n, 1, 4);
    assert_true(exact_round(parts, n) ==
                ldexp(1, 145) * (1 + 0x1p-5 + 0x1p-10 + 0x1p-15 + 0x1p-20 + 0x1p-25 + 0x1p-30 +
                                 0x1p-35 + 0x1p-40 + 0x1p-45 + 0x1p-50));
}

static void spread_is_exact_where_the_textbook_formula_cancels(void **unused)
{
    (void)unused;
    double sum[EXACT_MAX_PARTS], squares[EXACT_MAX_PARTS];
    int n_sum = 0, n_squares = 0;
    static const double numbers[] = {1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16};
    for (int i = 0; i < 4; i++) {
        n_sum = exact_add(sum, n_sum, EXACT_MAX_PARTS, numbers[i]);
        n_squares = exact_add_square(squares, n_squares, EXACT_MAX_PARTS, numbers[i], 1);
    }
    assert_true(exact_spread(sum, n_sum, squares, n_squares, 4) == 4 * 90.0); /* variance 30 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_are_correctly_rounded_whatever_came_and_went),
        cmocka_unit_test(ties_are_broken_by_what_lies_beyond),
        cmocka_unit_test(refuses_what_does_not_fit_and_packs_what_does),
        cmocka_unit_test(spread_is_exact_where_the_textbook_formula_cancels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
