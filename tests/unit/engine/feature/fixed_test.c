/* Sums on the grid against floating-point expansions, which are exact for any numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>

#include <cmocka.h>

#include "engine/feature/exact.h"
#include "engine/feature/fixed.h"
#include "tests/unit/random.h"

#define KEPT 100

/* Of either sign, with `bits` of mantissa, from 2^low on up to 2^high. */
static double random_number(int bits, int low, int high)
{
    double mantissa = (double)(random_bits() >> (64 - bits) | UINT64_C(1) << (bits - 1));
    int exponent = low + (int)(random_bits() % (uint64_t)(high - low));
    return (random_bits() & 1 ? -1 : 1) * ldexp(mantissa, exponent - bits + 1);
}

struct sums {
    struct fixed_sum fixed;
    struct fixed_squares fixed_squares;
    double parts[EXACT_MAX_PARTS], squares[EXACT_MAX_PARTS];
    int n_parts, n_squares;
    uint32_t n;
};

static void move(struct sums *sums, double number, bool enters)
{
    int128 steps;
    assert_true(fixed_of(number, &steps));
    assert_true(fixed_add(&sums->fixed, enters ? steps : -steps));
    if (enters)
        assert_true(fixed_add_square(&sums->fixed_squares, steps));
    else
        fixed_take_square(&sums->fixed_squares, steps);
    sums->n_parts =
        exact_add(sums->parts, sums->n_parts, EXACT_MAX_PARTS, enters ? number : -number);
    sums->n_squares =
        exact_add_square(sums->squares, sums->n_squares, EXACT_MAX_PARTS, number, enters ? 1 : -1);
    sums->n += enters ? 1u : -1u;
}

static void expect_same(const struct sums *sums)
{
    double parts[EXACT_MAX_PARTS], squares[EXACT_MAX_PARTS];
    double sum = exact_round(sums->parts, sums->n_parts);
    double spread =
        exact_spread(sums->parts, sums->n_parts, sums->squares, sums->n_squares, sums->n);
    assert_true(fixed_round(&sums->fixed) == sum);
    assert_true(fixed_spread(&sums->fixed, &sums->fixed_squares, sums->n) == spread);
    int n = fixed_sum_parts(&sums->fixed, parts, EXACT_MAX_PARTS);
    assert_true(n >= 0 && exact_round(parts, n) == sum);
    int n_squares = fixed_squares_parts(&sums->fixed_squares, squares, EXACT_MAX_PARTS);
    assert_true(n_squares >= 0 && exact_spread(parts, n, squares, n_squares, sums->n) == spread);
}

static void equals_expansions_whatever_came_and_went(void **unused)
{
    (void)unused;
    static const struct {
        int bits, low, high;
    } kinds[] = {{53, -28, 39}, {53, 0, 12}, {53, -28, -20}, {20, -60, 30}, {1, -80, 39}};
    for (size_t kind = 0; kind < sizeof kinds / sizeof kinds[0]; kind++) {
        struct sums sums = {0};
        double numbers[KEPT];
        for (int i = 0; i < 4000; i++) {
            double *number = &numbers[i % KEPT];
            if (i >= KEPT)
                move(&sums, *number, false);
            *number = random_number(kinds[kind].bits, kinds[kind].low, kinds[kind].high);
            move(&sums, *number, true);
            expect_same(&sums);
        }
        for (int i = 0; i < KEPT; i++)
            move(&sums, numbers[i], false);
        assert_true(fixed_round(&sums.fixed) == 0);
    }
}

static void ties_go_to_even_unless_something_lies_beyond(void **unused)
{
    (void)unused;
    static const struct {
        double numbers[3];
        double sum;
    } cases[] = {
        {{0x1p30, 0x1p-23, 0}, 0x1p30},        {{0x1p30, 0x1p-23, 0x1p-80}, 0x1p30 + 0x1p-22},
        {{0x1p30, 0x1p-23, -0x1p-80}, 0x1p30}, {{-0x1p30, -0x1p-23, -0x1p-80}, -0x1p30 - 0x1p-22},
        {{0.1, 0.2, -0.3}, 0x1p-55},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixed_sum sum = {0, 0};
        int128 steps;
        for (int j = 0; j < 3; j++) {
            assert_true(fixed_of(cases[i].numbers[j], &steps));
            assert_true(fixed_add(&sum, steps));
        }
        assert_true(fixed_round(&sum) == cases[i].sum);
    }
}

static void knows_what_is_on_the_grid(void **unused)
{
    (void)unused;
    static const struct {
        double number;
        bool fits;
    } cases[] = {
        {0, true},
        {-0.0, true},
        {0x1p-80, true},
        {0x1p-81, false},
        {0x1.0000000000001p-28, true},
        {0x1.0000000000001p-29, false},
        {0x1p-29, true},
        {0x1.fffffffffffffp39, true},
        {-0x1.fffffffffffffp39, true},
        {0x1p40, false},
        {0x1p-1074, false},
        {1e140, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int128 steps;
        assert_int_equal(fixed_of(cases[i].number, &steps), cases[i].fits);
        if (cases[i].fits)
            assert_true((double)steps * 0x1p-80 == cases[i].number);
    }
}

static void refuses_what_leaves_the_range(void **unused)
{
    (void)unused;
    struct fixed_sum sum = {0, 0};
    struct fixed_squares squares = {{0}};
    int128 largest;
    assert_true(fixed_of(0x1.fffffffffffffp39, &largest));
    int n = 0;
    while (n < 1000 && fixed_add(&sum, largest))
        n++;
    assert_int_equal(n, 128);
    assert_true(fixed_round(&sum) == 128 * 0x1.fffffffffffffp39);
    uint32_t n_squares = 0;
    while (n_squares < 1000000 && fixed_add_square(&squares, largest))
        n_squares++;
    assert_int_equal(n_squares, 65536);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_expansions_whatever_came_and_went),
        cmocka_unit_test(ties_go_to_even_unless_something_lies_beyond),
        cmocka_unit_test(knows_what_is_on_the_grid),
        cmocka_unit_test(refuses_what_leaves_the_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
