/* Bins of numbers, cut as numpy's histogram_bin_edges cuts them ("sturges", "doane") or at
 * quantiles. Pure functions, any thread. */
#include "engine/stats/cuts.h"

#include <math.h>

#include "engine/stats/samples.h"

static size_t bins_of_width(double low, double high, double width)
{
    return width > 0 && high > low ? (size_t)ceil((high - low) / width) : 1;
}

size_t cuts_sturges(size_t n, double low, double high, bool whole)
{
    if (n == 0)
        return 1;
    double width = (high - low) / (log2((double)n) + 1);
    return bins_of_width(low, high, whole && width > 0 && width < 1 ? 1 : width);
}

size_t cuts_doane(const double *values, size_t n, double low, double high)
{
    double mean, deviation, skew = 0, size = (double)n;
    if (n <= 2)
        return 1;
    samples_moments(values, n, &mean, &deviation);
    if (!(deviation > 0))
        return 1;
    for (size_t i = 0; i < n; i++) {
        double z = (values[i] - mean) / deviation;
        skew += z * z * z;
    }
    skew /= size;
    double noise = sqrt(6 * (size - 2) / ((size + 1) * (size + 3)));
    double width = (high - low) / (1 + log2(size) + log2(1 + fabs(skew) / noise));
    return bins_of_width(low, high, width);
}

void cuts_even(double low, double high, size_t n_bins, double *edges)
{
    if (low == high) {
        low -= 0.5;
        high += 0.5;
    }
    double step = (high - low) / (double)n_bins;
    for (size_t i = 0; i < n_bins; i++)
        edges[i] = (double)i * step + low;
    edges[n_bins] = high;
}

size_t cuts_quantiles(const double *sorted, size_t n, size_t n_bins, double *edges)
{
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
