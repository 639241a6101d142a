/* Exact sums in integers, of numbers that lie on a grid: what nearly every column holds. Private to
 * engine/feature. */
#ifndef BINNACLE_FEATURE_FIXED_H
#define BINNACLE_FEATURE_FIXED_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

__extension__ typedef __int128 int128;
__extension__ typedef unsigned __int128 uint128;

/* The grid's step is 2^-80; numbers on it are smaller than 2^40. Amounts of money, counts, seconds
 * and probabilities down to 4e-9 are on it with all of their bits. */
#define FIXED_STEP_BITS  80
#define FIXED_RANGE_BITS 40

/* In steps. */
struct fixed_sum {
    uint64_t low, high; /* two's complement */
};

/* In squares of a step; never negative. */
struct fixed_squares {
    uint64_t limbs[4]; /* lowest first */
};

/* A number in steps. False: it is not on the grid. The number is finite. */
static inline bool fixed_of(double number, int128 *steps)
{
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    int exponent = (int)(bits >> 52 & 0x7FF);
    uint64_t mantissa = bits & ((UINT64_C(1) << 52) - 1);
    int shift = exponent - 1075 + FIXED_STEP_BITS;
    *steps = 0;
    if (exponent == 0)
        return mantissa == 0; /* or too small for the grid */
    mantissa |= UINT64_C(1) << 52;
    if (shift > FIXED_STEP_BITS + FIXED_RANGE_BITS - 53 || shift < -52 ||
        (shift < 0 && (mantissa & ((UINT64_C(1) << -shift) - 1)) != 0))
        return false;
    uint128 size = shift >= 0 ? (uint128)mantissa << shift : mantissa >> -shift;
    *steps = bits >> 63 ? -(int128)size : (int128)size;
    return true;
}

static inline int128 fixed_steps(const struct fixed_sum *sum)
{
    return (int128)((uint128)sum->high << 64 | sum->low);
}

/* False: the sum would leave the range; nothing is added. */
static inline bool fixed_add(struct fixed_sum *sum, int128 steps)
{
    int128 next;
    if (__builtin_add_overflow(fixed_steps(sum), steps, &next))
        return false;
    sum->low = (uint64_t)next;
    sum->high = (uint64_t)((uint128)next >> 64);
    return true;
}

/* Correctly rounded (to nearest, ties to even): the highest 63 bits, the last of them set when
 * anything lies below, convert as the whole would. */
static inline double fixed_round_bits(const struct fixed_sum *sum)
{
    bool negative = sum->high >> 63;
    uint128 size = negative ? -(uint128)fixed_steps(sum) : (uint128)fixed_steps(sum);
    uint64_t high = (uint64_t)(size >> 64), low = (uint64_t)size, rest = 0;
    int below = 0;
    if (high != 0 || low >> 63 != 0) {
        int space = high != 0 ? __builtin_clzll(high) : 64;
        uint128 top = space < 64 ? size << space : size << 63 << 1;
        below = 65 - space;
        rest = (uint64_t)top;
        low = (uint64_t)(top >> 64);
        low = low >> 1 | (low & 1);
    }
    double number = (double)(int64_t)(low | (rest != 0)), scale;
    uint64_t unit = (uint64_t)(1023 - FIXED_STEP_BITS + below) << 52;
    memcpy(&scale, &unit, sizeof scale);
    return (negative ? -number : number) * scale;
}

/* The same. Mostly both halves are doubles without rounding, and then their sum is rounded once. */
static inline double fixed_round(const struct fixed_sum *sum)
{
    const int64_t limit = INT64_C(1) << 53;
    int64_t high = (int64_t)sum->high;
    if (high < -limit || high > limit || (sum->low & 0x7FF) != 0)
        return fixed_round_bits(sum);
    double low = (double)(int64_t)(sum->low >> 11) * 0x1p11;
    return ((double)high * 0x1p64 + low) * 0x1p-80;
}

/* Adds the square of a number in steps. False: it would leave the range; nothing is added. */
bool fixed_add_square(struct fixed_squares *squares, int128 steps);
/* Takes one away that was added. */
void fixed_take_square(struct fixed_squares *squares, int128 steps);
/* n * squares - sum^2 of the same n numbers, correctly rounded: n^2 times the population's
 * variance.
 */
double fixed_spread(const struct fixed_sum *sum, const struct fixed_squares *squares, uint32_t n);

/* The same values as floating-point expansions (exact.h), for where a number comes that is not on
 * the grid. They return the number of parts, at most `capacity`, or -1 when it needs more. */
int fixed_sum_parts(const struct fixed_sum *sum, double *parts, int capacity);
int fixed_squares_parts(const struct fixed_squares *squares, double *parts, int capacity);

#endif
