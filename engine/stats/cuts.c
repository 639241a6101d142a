/* Bins of numbers, cut as numpy's histogram_bin_edges cuts them ("sturges", "doane") or at
 * quantiles. Pure functions, any thread. */
#include "engine/stats/cuts.h"

#include <assert.h>
#include <math.h>

#include "engine/stats/samples.h"

#define MOST_BINS 1000000

/* How many bins of range / divisor fit into the range; `least`: no narrower ones. */
static size_t bins_in_range(double low, double high, double divisor, double least)
{
    double range =
        high / 4 - low / 4; /* a quarter of it: the whole may be too large for a double */
    double width = range / divisor;
    if (!(range > 0))
        return 1;
    width = width < least / 4 ? least / 4 : width;
    double n = ceil(range / width);
    return n < MOST_BINS ? (size_t)n : MOST_BINS;
}

size_t cuts_sturges(size_t n, double low, double high, bool whole)
{
    return n ? bins_in_range(low, high, log2((double)n) + 1, whole ? 1 : 0) : 1;
}

size_t cuts_doane(const double *values, size_t n, double low, double high)
{
    double mean, deviation, skew = 0, size = (double)n;
    if (n <= 2)
        return 1;
    samples_moments(values, n, &mean, &deviation);
    if (!(deviation > 0) || isinf(deviation))
        return 1;
    for (size_t i = 0; i < n; i++) {
        double z = (values[i] - mean) / deviation;
        skew += z * z * z;
    }
    skew /= size;
    double noise = sqrt(6 * (size - 2) / ((size + 1) * (size + 3)));
    return bins_in_range(low, high, 1 + log2(size) + log2(1 + fabs(skew) / noise), 0);
}

void cuts_even(double low, double high, size_t n_bins, double *edges)
{
    assert(n_bins > 0);
    if (low == high) {
        low -= 0.5;
        high += 0.5;
    }
    double size = (double)n_bins, step = (high - low) / size;
    for (size_t i = 0; i < n_bins; i++) {
        double part = (double)i;
        edges[i] =
            isinf(step) ? low * ((size - part) / size) + high * (part / size) : part * step + low;
    }
    edges[n_bins] = high;
}

size_t cuts_quantiles(const double *sorted, size_t n, size_t n_bins, double *edges)
{
    assert(n_bins > 0);
    size_t n_edges = 0, distinct = n > 0;
    for (size_t i = 1; i < n && distinct <= n_bins; i++)
        distinct += sorted[i] > sorted[i - 1];
    bool each = distinct <= n_bins;
    size_t steps = each ? n : n_bins - 1;
    for (size_t k = 0; k < steps; k++) {
        double edge = sorted[each ? k : ((k + 1) * n - 1) / n_bins];
        if (edge < sorted[n - 1] && (n_edges == 0 || edge > edges[n_edges - 1]))
            edges[n_edges++] = edge;
    }
    return n_edges;
}

static size_t count_until(const double *sorted, size_t n, double limit, bool with)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (sorted[middle] < limit || (with && sorted[middle] == limit))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

size_t cuts_below(const double *sorted, size_t n, double limit)
{
    return count_until(sorted, n, limit, false);
}

size_t cuts_not_above(const double *sorted, size_t n, double limit)
{
    return count_until(sorted, n, limit, true);
}

void cuts_count(const double *sorted, size_t n, const double *edges, size_t n_bins, double *counts)
{
    size_t below = cuts_below(sorted, n, edges[0]);
    for (size_t i = 0; i < n_bins; i++) {
        bool last = i + 1 == n_bins;
        size_t until =
            last ? cuts_not_above(sorted, n, edges[n_bins]) : cuts_below(sorted, n, edges[i + 1]);
        counts[i] = (double)(until - below);
        below = until;
    }
}
