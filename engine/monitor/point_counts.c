/* A value falls on a point or between two; between them count and sum are kept. Where the points
 * are all values that the reference has, what lies between two stands at its mean there; where they
 * are some of them, nothing is known of the reference between two either, and both stand at the
 * upper one. So Kolmogorov-Smirnov is exact at the points, and bins, whose edges are points, are
 * exact. One thread. */
#include "engine/monitor/point_counts.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "engine/stats/cuts.h"

#define N_QUANTILES 10
#define FEW_POINTS  16
#define BUCKETS     4096
#define CHUNK       512

struct point_counts {
    double *points; /* ascending, NaN behind them */
    size_t n_points;
    bool coarse; /* the reference has values between the points that are not known */
    bool single; /* numbers are rounded to float first, as the reference's are */
    /* By place, 2 n_points + 1: below the first point, on it, above it ... */
    double *counts, *sums, *bases; /* sums are of distances from the base */
    uint32_t *buckets;             /* of many points: the first that is not below the bucket */
    double scale;                  /* buckets a unit */
    double sum, squares;           /* of finite values, about `origin`, the reference's mean */
    double origin, n_finite;
};

/* ---- points ---- */

static void keep_point(struct point_counts *counts, double value)
{
    if (counts->n_points == 0 || value > counts->points[counts->n_points - 1])
        counts->points[counts->n_points++] = value;
}

/* The smallest finite value, the cuts, the largest. */
static void take_quantiles(struct point_counts *counts, const struct column *reference)
{
    double edges[N_QUANTILES];
    struct column finite = column_finite(reference);
    size_t n_edges = column_quantiles(&finite, N_QUANTILES, edges);
    if (finite.n_values == 0)
        return;
    keep_point(counts, finite.values[0]);
    for (size_t i = 0; i < n_edges; i++)
        keep_point(counts, edges[i]);
    keep_point(counts, finite.values[finite.n_values - 1]);
    counts->coarse = false;
}

static void forget_buckets(struct point_counts *counts)
{
    free(counts->buckets);
    counts->buckets = NULL;
}

static void fill_buckets(struct point_counts *counts)
{
    size_t n = counts->n_points;
    double low = counts->points[0], high = counts->points[n - 1];
    counts->scale = (BUCKETS - 1) / (high - low);
    if (!isfinite(counts->scale) || !(counts->scale > 0)) {
        forget_buckets(counts);
        return;
    }
    size_t point = 0;
    for (uint32_t bucket = 0; bucket <= BUCKETS; bucket++) {
        while (point < n && (uint32_t)((counts->points[point] - low) * counts->scale) < bucket)
            point++;
        counts->buckets[bucket] = (uint32_t)point;
    }
}

/* What sums of a place are taken from: a point beside it, so that they keep their digits. */
static double base_of(const struct point_counts *counts, size_t below)
{
    double base = counts->points[below ? below - 1 : 0];
    if (isfinite(base))
        return base;
    return isfinite(counts->points[below]) ? counts->points[below] : 0;
}

static void take_points(struct point_counts *counts, const struct column *reference, bool values)
{
    counts->coarse = reference->upto && !reference->complete;
    counts->single = reference->single;
    if (!values)
        take_quantiles(counts, reference);
    for (size_t i = 0; values && i < reference->n_values; i++)
        keep_point(counts, reference->values[i]);
    counts->points[counts->n_points] = NAN;
    for (size_t place = 0; place <= 2 * counts->n_points; place++)
        counts->bases[place] = base_of(counts, place / 2);
    struct column finite = column_finite(reference);
    double deviation;
    column_moments(&finite, &counts->origin, &deviation);
    if (!isfinite(counts->origin))
        counts->origin = 0;
    if (counts->n_points > FEW_POINTS)
        fill_buckets(counts);
    else
        forget_buckets(counts);
}

struct point_counts *point_counts_create(const struct column *reference, bool values)
{
    struct point_counts *counts = calloc(1, sizeof *counts);
    size_t n = values ? reference->n_values : N_QUANTILES + 2, n_places = 2 * n + 1;
    if (!counts)
        return NULL;
    counts->points = calloc(n + 1, sizeof *counts->points);
    counts->counts = calloc(n_places, sizeof *counts->counts);
    counts->sums = calloc(n_places, sizeof *counts->sums);
    counts->bases = calloc(n_places, sizeof *counts->bases);
    counts->buckets = calloc(BUCKETS + 1, sizeof *counts->buckets);
    if (!counts->points || !counts->counts || !counts->sums || !counts->bases || !counts->buckets) {
        point_counts_destroy(counts);
        return NULL;
    }
    take_points(counts, reference, values);
    return counts;
}

void point_counts_destroy(struct point_counts *counts)
{
    if (!counts)
        return;
    free(counts->points);
    free(counts->counts);
    free(counts->sums);
    free(counts->bases);
    free(counts->buckets);
    free(counts);
}

/* ---- counting ---- */

/* How many points are below the value. */
static size_t find_point(const struct point_counts *counts, double value)
{
    size_t low = 0, high = counts->n_points;
    const double *points = counts->points;
    if (counts->buckets && value > points[0] && value <= points[high - 1]) {
        uint32_t bucket = (uint32_t)((value - points[0]) * counts->scale);
        low = counts->buckets[bucket];
        high = counts->buckets[bucket + 1];
    }
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (points[middle] < value)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Of a few points all are compared, many values at a time. */
static void find_among_few(const struct point_counts *counts, const double *values, size_t n,
                           uint64_t *below)
{
    for (size_t i = 0; i < n; i++)
        below[i] = 0;
    for (size_t point = 0; point < counts->n_points; point++) {
        double limit = counts->points[point];
        for (size_t i = 0; i < n; i++)
            below[i] += values[i] > limit;
    }
}

static void count_finite(struct point_counts *counts, const double *values, size_t n)
{
    uint64_t below[CHUNK];
    if (counts->n_points <= FEW_POINTS) {
        find_among_few(counts, values, n, below);
    } else {
        for (size_t i = 0; i < n; i++)
            below[i] = find_point(counts, values[i]);
    }
    double sum = counts->sum, squares = counts->squares;
    for (size_t i = 0; i < n; i++) {
        double value = values[i], distance = value - counts->origin;
        size_t place = 2 * below[i] + (counts->points[below[i]] == value);
        counts->counts[place]++;
        counts->sums[place] += value - counts->bases[place];
        sum += distance;
        squares += distance * distance;
    }
    counts->sum = sum;
    counts->squares = squares;
    counts->n_finite += (double)n;
}

static void count_infinite(struct point_counts *counts, double value)
{
    size_t below = find_point(counts, value);
    counts->counts[2 * below + (counts->points[below] == value)]++;
}

/* Puts the finite ones first and counts what else there is. */
static size_t take_finite(struct point_counts *counts, double *numbers, size_t n, size_t *n_missing)
{
    size_t n_finite = 0, n_nan = 0;
    for (size_t i = 0; i < n; i++) {
        double value = numbers[i];
        if (isinf(value))
            count_infinite(counts, value);
        numbers[n_finite] = value;
        n_finite += fabs(value) <= DBL_MAX;
        n_nan += value != value;
    }
    *n_missing = n_nan;
    return n_finite;
}

size_t point_counts_add(struct point_counts *counts, double *numbers, size_t n)
{
    size_t n_missing;
    for (size_t i = 0; counts->single && i < n; i++)
        numbers[i] = (double)(float)numbers[i];
    size_t n_finite = take_finite(counts, numbers, n, &n_missing);
    for (size_t first = 0; first < n_finite; first += CHUNK)
        count_finite(counts, numbers + first, n_finite - first < CHUNK ? n_finite - first : CHUNK);
    return n_missing;
}

/* ---- what was counted, as a column ---- */

/* The value of the numbers in a place: the point's; between two, their mean or the upper point;
 * beyond all, infinite when they are. Rounding must not move it out of its place. */
static double stands_for(const struct point_counts *counts, size_t place)
{
    size_t point = place / 2, n = counts->n_points;
    double low = point > 0 ? counts->points[point - 1] : -INFINITY;
    double high = point < n ? counts->points[point] : INFINITY;
    if (place % 2 || (counts->coarse && point > 0 && point < n))
        return high;
    double mean = counts->bases[place] + counts->sums[place] / counts->counts[place];
    if (n > 0 && point == n && mean == low && counts->sums[place] == 0)
        return INFINITY;
    if (n > 0 && point == 0 && mean == high && counts->sums[place] == 0)
        return -INFINITY;
    return fmin(fmax(mean, nextafter(low, INFINITY)), nextafter(high, -INFINITY));
}

bool point_counts_finish(const struct point_counts *counts, struct column *column)
{
    size_t n = 2 * counts->n_points + 1;
    column->values = calloc(n + 1, sizeof *column->values);
    column->upto = calloc(n + 1, sizeof *column->upto);
    if (!column->values || !column->upto)
        return false;
    double upto = 0;
    for (size_t i = 0; i < n; i++) {
        if (counts->counts[i] == 0)
            continue;
        double value = stands_for(counts, i);
        upto += counts->counts[i];
        bool again = column->n_values > 0 && column->values[column->n_values - 1] == value;
        column->n_values += !again;
        column->values[column->n_values - 1] = value;
        column->upto[column->n_values - 1] = upto;
    }
    double mean = counts->sum / counts->n_finite;
    column->mean = counts->origin + mean;
    column->deviation = isinf(counts->squares)
                            ? INFINITY
                            : sqrt(fmax(0, counts->squares / counts->n_finite - mean * mean));
    return true;
}
