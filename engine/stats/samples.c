/* Statistics of two sorted samples, each by one merge. Pure functions, any thread. Sorting is by
 * radix, eleven bits at a time, of the bit patterns put into the order of the numbers. */
#include "engine/stats/samples.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define DIGIT_BITS 11
#define N_DIGITS   6
#define N_BUCKETS  (1 << DIGIT_BITS)
#define SMALL      2048 /* fewer are sorted by qsort */

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

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
            qsort(values, n, sizeof *values, compare);
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

double samples_ks(const double *a, size_t n, const double *b, size_t m)
{
    double largest = 0;
    size_t i = 0, j = 0;
    if (n == 0 || m == 0)
        return NAN;
    while (i < n && j < m) {
        double at = a[i] < b[j] ? a[i] : b[j];
        while (i < n && a[i] <= at)
            i++;
        while (j < m && b[j] <= at)
            j++;
        double distance = fabs((double)i / (double)n - (double)j / (double)m);
        largest = distance > largest ? distance : largest;
    }
    return largest;
}

double samples_wasserstein(const double *a, size_t n, const double *b, size_t m)
{
    double area = 0, last = 0;
    size_t i = 0, j = 0;
    if (n == 0 || m == 0)
        return NAN;
    while (i < n || j < m) {
        double at = j == m || (i < n && a[i] < b[j]) ? a[i] : b[j];
        if (i > 0 || j > 0)
            area += fabs((double)i / (double)n - (double)j / (double)m) * (at - last);
        while (i < n && a[i] <= at)
            i++;
        while (j < m && b[j] <= at)
            j++;
        last = at;
    }
    return area;
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

double samples_welch_t(const double *a, size_t n, const double *b, size_t m, double *freedom)
{
    *freedom = NAN;
    if (n < 2 || m < 2)
        return NAN;
    double mean_a, mean_b, s, t;
    samples_moments(a, n, &mean_a, &s);
    samples_moments(b, m, &mean_b, &t);
    double va = s * s / (double)(n - 1), vb = t * t / (double)(m - 1); /* of the means */
    *freedom = (va + vb) * (va + vb) / (va * va / (double)(n - 1) + vb * vb / (double)(m - 1));
    return (mean_a - mean_b) / sqrt(va + vb);
}
