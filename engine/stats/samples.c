/* Statistics of two sorted samples, each by one merge. Pure functions, any thread. Sorting is by
 * radix, eleven bits at a time, of the bit patterns put into the order of the numbers. */
#include "engine/stats/samples.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/order.h"

#define DIGIT_BITS 11
#define N_DIGITS   6
#define N_BUCKETS  (1 << DIGIT_BITS)
#define SMALL      2048 /* fewer are sorted by qsort */

static uint64_t to_key(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits >> 63 ? ~bits : bits | UINT64_C(1) << 63;
}

static double from_key(uint64_t key)
{
    uint64_t bits = key >> 63 ? key & ~(UINT64_C(1) << 63) : ~key;
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void sort_by_digit(const uint64_t *from, uint64_t *to, size_t n, int digit)
{
    size_t places[N_BUCKETS] = {0}, place = 0;
    int shift = digit * DIGIT_BITS;
    for (size_t i = 0; i < n; i++)
        places[(from[i] >> shift) & (N_BUCKETS - 1)]++;
    for (size_t bucket = 0; bucket < N_BUCKETS; bucket++) {
        size_t count = places[bucket];
        places[bucket] = place;
        place += count;
    }
    for (size_t i = 0; i < n; i++)
        to[places[(from[i] >> shift) & (N_BUCKETS - 1)]++] = from[i];
}

void samples_sort(double *values, size_t n)
{
    uint64_t *keys = n > SMALL ? malloc(2 * n * sizeof *keys) : NULL;
    if (!keys) {
        if (n > 1)
            qsort(values, n, sizeof *values, order_doubles);
        return;
    }
    for (size_t i = 0; i < n; i++)
        keys[i] = to_key(values[i]);
    for (int digit = 0; digit < N_DIGITS; digit++) /* an even number: they end where they began */
        sort_by_digit(keys + (digit % 2 ? n : 0), keys + (digit % 2 ? 0 : n), n, digit);
    for (size_t i = 0; i < n; i++)
        values[i] = from_key(keys[i]);
    free(keys);
}

/* How many numbers the first n values of a sample are. */
static double numbers_of(const struct sample *sample, size_t n)
{
    if (!sample->upto)
        return (double)n;
    return n ? sample->upto[n - 1] - sample->before : 0;
}

/* Goes through both, value by value: gives each one's share up to the next value, and that value.
 */
struct merge {
    const struct sample *a, *b;
    double n, m;
    size_t i, j;
};

static double next_value(struct merge *merge)
{
    const struct sample *a = merge->a, *b = merge->b;
    bool first = merge->j == b->n || (merge->i < a->n && a->values[merge->i] < b->values[merge->j]);
    double at = first ? a->values[merge->i] : b->values[merge->j];
    while (merge->i < a->n && a->values[merge->i] <= at)
        merge->i++;
    while (merge->j < b->n && b->values[merge->j] <= at)
        merge->j++;
    return at;
}

static double distance_here(const struct merge *merge)
{
    return fabs(numbers_of(merge->a, merge->i) / merge->n -
                numbers_of(merge->b, merge->j) / merge->m);
}

static struct merge begin(const struct sample *a, const struct sample *b)
{
    return (struct merge){a, b, numbers_of(a, a->n), numbers_of(b, b->n), 0, 0};
}

double samples_ks_counted(const struct sample *a, const struct sample *b)
{
    struct merge merge = begin(a, b);
    double largest = 0;
    if (merge.n == 0 || merge.m == 0)
        return NAN;
    while (merge.i < a->n || merge.j < b->n) {
        (void)next_value(&merge);
        largest = fmax(largest, distance_here(&merge));
    }
    return largest;
}

double samples_wasserstein_counted(const struct sample *a, const struct sample *b)
{
    struct merge merge = begin(a, b);
    double area = 0;
    if (merge.n == 0 || merge.m == 0)
        return NAN;
    double last = next_value(&merge);
    while (merge.i < a->n || merge.j < b->n) {
        double distance = distance_here(&merge), at = next_value(&merge);
        if (distance > 0) /* else nothing, however far it is */
            area += distance * (at - last);
        last = at;
    }
    return area;
}

double samples_ks(const double *a, size_t n, const double *b, size_t m)
{
    return samples_ks_counted(&(struct sample){a, NULL, n, 0}, &(struct sample){b, NULL, m, 0});
}

double samples_wasserstein(const double *a, size_t n, const double *b, size_t m)
{
    return samples_wasserstein_counted(&(struct sample){a, NULL, n, 0},
                                       &(struct sample){b, NULL, m, 0});
}

void samples_moments(const double *values, size_t n, double *mean, double *deviation)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++)
        sum += values[i];
    *mean = n ? sum / (double)n : NAN;
    for (size_t i = 0; i < n; i++)
        squares += (values[i] - *mean) * (values[i] - *mean);
    *deviation = n ? sqrt(squares / (double)n) : NAN;
}

double samples_share_z(double x, double n, double y, double m)
{
    if (!(n > 0) || !(m > 0))
        return NAN;
    double pooled = (x + y) / (n + m);
    if (pooled <= 0 || pooled >= 1)
        return 0;
    return (x / n - y / m) / sqrt(pooled * (1 - pooled) * (1 / n + 1 / m));
}
