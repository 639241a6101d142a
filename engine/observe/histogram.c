/* Log-linear latency histograms. Values up to 127 have a bucket each; from 2^k on, every doubling
 * is cut into 64 equal buckets, so a bucket is at most 1/64 of its values wide and its middle
 * within 1/128 of any of them. The layout is that of HdrHistogram (G. Tene) with 64 sub-buckets.
 * Not locked: whoever owns a histogram calls. */
#include "engine/observe/histogram.h"

#include <math.h>

#define LINEAR       128 /* values with a bucket of their own */
#define PER_DOUBLING 64
#define FIRST_POWER  7 /* 2^7 == LINEAR */

_Static_assert(LINEAR + (30 - FIRST_POWER) * PER_DOUBLING == HISTOGRAM_BUCKETS,
               "the last bucket ends at HISTOGRAM_LIMIT");

size_t histogram_bucket(int64_t value)
{
    if (value < LINEAR)
        return value < 0 ? 0 : (size_t)value;
    if (value > HISTOGRAM_LIMIT)
        value = HISTOGRAM_LIMIT;
    unsigned power = 63u - (unsigned)__builtin_clzll((unsigned long long)value);
    size_t within = (size_t)(value >> (power - 6)) - PER_DOUBLING;
    return LINEAR + (power - FIRST_POWER) * PER_DOUBLING + within;
}

int64_t histogram_low(size_t bucket)
{
    if (bucket < LINEAR)
        return (int64_t)bucket;
    size_t power = (bucket - LINEAR) / PER_DOUBLING + FIRST_POWER;
    size_t within = (bucket - LINEAR) % PER_DOUBLING + PER_DOUBLING;
    return (int64_t)within << (power - 6);
}

int64_t histogram_high(size_t bucket)
{
    return bucket + 1 < HISTOGRAM_BUCKETS ? histogram_low(bucket + 1) - 1 : HISTOGRAM_LIMIT;
}

void histogram_add(struct histogram *histogram, int64_t value)
{
    histogram->n++;
    histogram->sum += value > 0 ? (uint64_t)value : 0;
    histogram->buckets[histogram_bucket(value)]++;
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
    if (from->n == 0)
        return;
    into->n += from->n;
    into->sum += from->sum;
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
        into->buckets[i] += from->buckets[i];
}

double histogram_quantile(const struct histogram *histogram, double quantile)
{
    if (histogram->n == 0)
        return NAN;
    double wanted = ceil(quantile * (double)histogram->n);
    uint64_t rank = wanted < 1 ? 1 : (uint64_t)wanted;
    if (rank > histogram->n)
        rank = histogram->n;
    uint64_t seen = 0;
    size_t bucket = 0;
    for (; bucket + 1 < HISTOGRAM_BUCKETS; bucket++) {
        seen += histogram->buckets[bucket];
        if (seen >= rank)
            break;
    }
    return ((double)histogram_low(bucket) + (double)histogram_high(bucket)) / 2;
}
