/* Isotonic regression by pooling adjacent violators (R. Barlow et al., "Statistical inference under
 * order restrictions", 1972), and linear interpolation between what is left. In: points. Out: the
 * corners of the function. */
#include "engine/stats/isotonic.h"

#include <math.h>
#include <stdlib.h>

#define SAME_X 1e-15 /* scikit-learn takes x that are nearer than this as one */

struct point {
    double x, y, weight;
};

static int by_x_then_y(const void *a, const void *b)
{
    const struct point *p = a, *q = b;
    if (p->x != q->x)
        return p->x < q->x ? -1 : 1;
    return (p->y > q->y) - (p->y < q->y);
}

/* Points of one x into their mean; returns how many are left. */
static size_t merge_equal(struct point *points, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n;) {
        struct point one = {.x = points[i].x};
        for (; i < n && (one.weight == 0 || points[i].x - one.x < SAME_X); i++) {
            one.weight += points[i].weight;
            one.y += points[i].y * points[i].weight;
        }
        one.y /= one.weight;
        points[kept++] = one;
    }
    return kept;
}

/* A run of points that share a value. */
struct pool {
    double value, weight;
    size_t end; /* its points end before this one */
};

/* Gives every point the value of its pool. */
static void pool_violators(struct point *points, size_t n, struct pool *pools)
{
    size_t n_pools = 0;
    for (size_t i = 0; i < n; i++) {
        struct pool pool = {points[i].y, points[i].weight, i + 1};
        for (; n_pools && pools[n_pools - 1].value >= pool.value; n_pools--) {
            const struct pool *before = &pools[n_pools - 1];
            double weight = before->weight + pool.weight;
            pool.value = (before->value * before->weight + pool.value * pool.weight) / weight;
            pool.weight = weight;
        }
        pools[n_pools++] = pool;
    }
    for (size_t k = 0, i = 0; k < n_pools; k++) {
        for (; i < pools[k].end; i++)
            points[i].y = pools[k].value;
    }
}

/* Points whose value is that of both neighbours say nothing. */
static void keep_corners(const struct point *points, size_t n, struct isotonic *isotonic)
{
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && i + 1 < n && points[i].y == points[i - 1].y && points[i].y == points[i + 1].y)
            continue;
        isotonic->x[isotonic->n] = points[i].x;
        isotonic->y[isotonic->n++] = points[i].y;
    }
}

enum status isotonic_fit(const double *x, const double *y, size_t n, struct isotonic *isotonic,
                         struct error *error)
{
    struct point *points = calloc(n, sizeof *points);
    struct pool *pools = calloc(n, sizeof *pools);
    *isotonic = (struct isotonic){.x = calloc(n, sizeof(double)), .y = calloc(n, sizeof(double))};
    enum status status = STATUS_OK;
    if (!points || !pools || !isotonic->x || !isotonic->y) {
        status = error_set(error, STATUS_MEMORY, "out of memory for a calibration");
        goto out;
    }
    for (size_t i = 0; i < n; i++)
        points[i] = (struct point){x[i], y[i], 1};
    qsort(points, n, sizeof *points, by_x_then_y);
    n = merge_equal(points, n);
    pool_violators(points, n, pools);
    keep_corners(points, n, isotonic);
out:
    free(pools);
    free(points);
    if (status != STATUS_OK)
        isotonic_free(isotonic);
    return status;
}

void isotonic_free(struct isotonic *isotonic)
{
    free(isotonic->x);
    free(isotonic->y);
    *isotonic = (struct isotonic){0};
}

double isotonic_at(const struct isotonic *isotonic, double x)
{
    size_t low = 0, high = isotonic->n - 1;
    if (isnan(x))
        return x;
    if (x <= isotonic->x[low])
        return isotonic->y[low];
    if (x >= isotonic->x[high])
        return isotonic->y[high];
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (isotonic->x[middle] <= x)
            low = middle;
        else
            high = middle;
    }
    double slope = (isotonic->y[high] - isotonic->y[low]) / (isotonic->x[high] - isotonic->x[low]);
    return slope * (x - isotonic->x[low]) + isotonic->y[low];
}
