/* Latency histograms that add: linear up to 127, then 64 buckets per doubling. Any percentile of
 * any sum of them is within 0.8 % of the exact one (bucket width 1/64, middle reported). */
#ifndef BINNACLE_OBSERVE_HISTOGRAM_H
#define BINNACLE_OBSERVE_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

#define HISTOGRAM_BUCKETS 1600
/* Larger values count in the last bucket: 2^30 - 1, with microseconds about 18 minutes. */
#define HISTOGRAM_LIMIT ((INT64_C(1) << 30) - 1)

/* Plain data; all zero is empty. Add bucket by bucket to merge. Not for two threads at once. */
struct histogram {
    uint64_t n;
    uint64_t sum; /* of the values as they came, for the mean */
    uint32_t buckets[HISTOGRAM_BUCKETS];
};

/* The bucket a value falls into; negative values are taken as 0. Lower and upper bound (inclusive)
 * of a bucket's values. */
size_t histogram_bucket(int64_t value);
int64_t histogram_low(size_t bucket);
int64_t histogram_high(size_t bucket);

void histogram_add(struct histogram *histogram, int64_t value);
void histogram_merge(struct histogram *into, const struct histogram *from);
/* The value below or at which the share `quantile` (0 to 1) of the values lies, by nearest rank
 * (the ceil(quantile * n)-th smallest); the middle of its bucket. NaN when empty. */
double histogram_quantile(const struct histogram *histogram, double quantile);

#endif
