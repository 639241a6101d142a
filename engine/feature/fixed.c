/* Exact sums on a grid: integers of 128 bits for sums and of 256 for sums of squares, by school
 * arithmetic on 64-bit limbs. In: numbers in steps of the grid. Out: correctly rounded doubles, the
 * same ones that expansions (exact.c) give, for a fraction of their work. Pure functions, any
 * thread. */
#include "engine/feature/fixed.h"

#include <math.h>

#include "engine/feature/exact.h"

#define SQUARE_LIMBS 4
#define SPREAD_LIMBS 5
#define PIECE_BITS   48 /* of a limb string, as doubles that do not overlap */

static uint128 size_of(int128 steps)
{
    return steps < 0 ? -(uint128)steps : (uint128)steps;
}

static void square(uint128 size, uint64_t out[SQUARE_LIMBS])
{
    uint64_t low = (uint64_t)size, high = (uint64_t)(size >> 64);
    uint128 lows = (uint128)low * low, cross = (uint128)low * high, highs = (uint128)high * high;
    uint128 middle = (lows >> 64) + (uint64_t)cross + (uint64_t)cross;
    uint128 upper = (uint128)(uint64_t)highs + (cross >> 64) + (cross >> 64) + (middle >> 64);
    out[0] = (uint64_t)lows;
    out[1] = (uint64_t)middle;
    out[2] = (uint64_t)upper;
    out[3] = (uint64_t)(highs >> 64) + (uint64_t)(upper >> 64);
}

bool fixed_add_square(struct fixed_squares *squares, int128 steps)
{
    uint64_t added[SQUARE_LIMBS], sum[SQUARE_LIMBS];
    uint128 carry = 0;
    square(size_of(steps), added);
    for (int i = 0; i < SQUARE_LIMBS; i++) {
        carry += (uint128)squares->limbs[i] + added[i];
        sum[i] = (uint64_t)carry;
        carry >>= 64;
    }
    if (carry != 0)
        return false;
    memcpy(squares->limbs, sum, sizeof sum);
    return true;
}

/* a -= b, both of n limbs and a not the smaller. */
static void subtract(uint64_t *a, const uint64_t *b, int n)
{
    uint64_t borrow = 0;
    for (int i = 0; i < n; i++) {
        uint128 difference = (uint128)a[i] - b[i] - borrow;
        a[i] = (uint64_t)difference;
        borrow = (uint64_t)(difference >> 64) & 1;
    }
}

void fixed_take_square(struct fixed_squares *squares, int128 steps)
{
    uint64_t taken[SQUARE_LIMBS];
    square(size_of(steps), taken);
    subtract(squares->limbs, taken, SQUARE_LIMBS);
}

/* number * 2^exponent, all of it in the range of normal doubles. */
static double scale(double number, int exponent)
{
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    bits += (uint64_t)(int64_t)exponent << 52;
    memcpy(&number, &bits, sizeof number);
    return number;
}

/* The limbs as an integer times 2^exponent, rounded to nearest, ties to even: the highest 63 bits,
 * the last of them set when anything lies below, convert as the whole would. */
static double round_limbs(const uint64_t *limbs, int n, int exponent)
{
    int top = n - 1;
    while (top >= 0 && limbs[top] == 0)
        top--;
    if (top < 0)
        return 0;
    int space = __builtin_clzll(limbs[top]);
    uint64_t below = top > 0 ? limbs[top - 1] : 0;
    uint64_t highest = limbs[top] << space | (space ? below >> (64 - space) : 0);
    uint64_t rest = space ? below << space : below;
    for (int i = 0; i < top - 1; i++)
        rest |= limbs[i];
    int64_t rounded = (int64_t)(highest >> 1 | (highest & 1) | (rest != 0));
    return scale((double)rounded, exponent + 64 * top - space + 1);
}

double fixed_spread(const struct fixed_sum *sum, const struct fixed_squares *squares, uint32_t n)
{
    uint64_t spread[SPREAD_LIMBS], taken[SPREAD_LIMBS] = {0};
    uint128 carry = 0;
    for (int i = 0; i < SQUARE_LIMBS; i++) {
        carry += (uint128)squares->limbs[i] * n;
        spread[i] = (uint64_t)carry;
        carry >>= 64;
    }
    spread[SQUARE_LIMBS] = (uint64_t)carry;
    square(size_of(fixed_steps(sum)), taken);
    subtract(spread, taken, SPREAD_LIMBS); /* not negative: Cauchy-Schwarz */
    return round_limbs(spread, SPREAD_LIMBS, -2 * FIXED_STEP_BITS);
}

/* Pieces of the limbs, each exact as a double, gathered into an expansion. */
static int parts_of(const uint64_t *limbs, int n, int exponent, double sign, double *parts,
                    int capacity)
{
    int n_parts = 0;
    for (int bit = 0; bit < 64 * n && n_parts >= 0; bit += PIECE_BITS) {
        int limb = bit / 64, offset = bit % 64;
        uint64_t piece = limbs[limb] >> offset;
        if (offset > 64 - PIECE_BITS && limb + 1 < n)
            piece |= limbs[limb + 1] << (64 - offset);
        piece &= (UINT64_C(1) << PIECE_BITS) - 1;
        if (piece != 0)
            n_parts =
                exact_add(parts, n_parts, capacity, sign * ldexp((double)piece, exponent + bit));
    }
    return n_parts;
}

int fixed_sum_parts(const struct fixed_sum *sum, double *parts, int capacity)
{
    int128 steps = fixed_steps(sum);
    uint128 size = size_of(steps);
    const uint64_t limbs[2] = {(uint64_t)size, (uint64_t)(size >> 64)};
    return parts_of(limbs, 2, -FIXED_STEP_BITS, steps < 0 ? -1 : 1, parts, capacity);
}

int fixed_squares_parts(const struct fixed_squares *squares, double *parts, int capacity)
{
    return parts_of(squares->limbs, SQUARE_LIMBS, -2 * FIXED_STEP_BITS, 1, parts, capacity);
}
