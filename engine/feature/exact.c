/* Exact sums of doubles: what a window's sum is must not depend on what passed through it before.
 * In: numbers to add; taking one away is adding its negative. Out: the correctly rounded sum. Pure
 * functions, any thread. After J. R. Shewchuk, "Adaptive Precision Floating-Point Arithmetic and
 * Fast Robust Geometric Predicates", Discrete & Computational Geometry 18 (1997): grow-expansion
 * with zero elimination, compression, two-sum; the product's error is taken by fma. */
#include "engine/feature/exact.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* *high + *low is a + b exactly (Knuth's two-sum). */
static inline void two_sum(double a, double b, double *high, double *low)
{
    double sum = a + b;
    double b_part = sum - a;
    *low = (a - (sum - b_part)) + (b - b_part);
    *high = sum;
}

/* Grows the list by one number at most; the parts may become n_parts + 1. */
static int grow(double *parts, int n_parts, double number)
{
    int kept = 0;
    double carry = number;
    for (int i = 0; i < n_parts; i++) {
        double low;
        two_sum(carry, parts[i], &carry, &low);
        if (low != 0)
            parts[kept++] = low;
    }
    if (carry != 0)
        parts[kept++] = carry;
    return kept;
}

/* The same value in as few parts as 53 bits each allow. */
static int compress(double *parts, int n_parts)
{
    if (n_parts == 0)
        return 0;
    double packed[EXACT_MAX_PARTS + 1];
    int n_packed = 0;
    double high = parts[n_parts - 1], low;
    for (int i = n_parts - 2; i >= 0; i--) {
        two_sum(high, parts[i], &high, &low);
        if (low != 0) {
            packed[n_packed++] = high;
            high = low;
        }
    }
    int kept = 0;
    for (int i = n_packed - 1; i >= 0; i--) {
        two_sum(packed[i], high, &high, &low);
        if (low != 0)
            parts[kept++] = low;
    }
    parts[kept++] = high;
    return kept;
}

int exact_add(double *parts, int n_parts, int capacity, double number)
{
    double grown[EXACT_MAX_PARTS + 1];
    assert(capacity <= EXACT_MAX_PARTS && n_parts <= capacity);
    if (n_parts < capacity)
        return grow(parts, n_parts, number);
    memcpy(grown, parts, (size_t)n_parts * sizeof *parts);
    int n = grow(grown, n_parts, number);
    if (n > capacity)
        n = compress(grown, n);
    if (n > capacity)
        return -1;
    memcpy(parts, grown, (size_t)n * sizeof *parts);
    return n;
}

static int add_product(double *parts, int n_parts, int capacity, double a, double b)
{
    double product = a * b;
    n_parts = exact_add(parts, n_parts, capacity, fma(a, b, -product));
    return n_parts < 0 ? n_parts : exact_add(parts, n_parts, capacity, product);
}

int exact_add_square(double *parts, int n_parts, int capacity, double number, double sign)
{
    return add_product(parts, n_parts, capacity, sign * number, number);
}

double exact_round(const double *parts, int n_parts)
{
    if (n_parts == 0)
        return 0;
    int i = n_parts - 1;
    double high = parts[i], low = 0;
    while (i > 0 && low == 0)
        two_sum(high, parts[--i], &high, &low);
    /* The last addition rounded half a unit to even. When more lies beyond the half, on its side,
     * it was no tie and the other neighbour is nearer. */
    if (i > 0 && ((low > 0) == (parts[i - 1] > 0))) {
        double neighbour = high + 2 * low;
        if (neighbour - high == 2 * low)
            high = neighbour;
    }
    return high;
}

double exact_spread(const double *sum, int n_sum, const double *squares, int n_squares, double n)
{
    double parts[EXACT_MAX_PARTS];
    int n_parts = 0;
    for (int i = 0; i < n_squares && n_parts >= 0; i++)
        n_parts = add_product(parts, n_parts, EXACT_MAX_PARTS, squares[i], n);
    for (int i = 0; i < n_sum; i++)
        for (int j = 0; j < n_sum && n_parts >= 0; j++)
            n_parts = add_product(parts, n_parts, EXACT_MAX_PARTS, -sum[i], sum[j]);
    return n_parts < 0 ? NAN : exact_round(parts, n_parts);
}
