/* Measures by value, from a weighted sample of what is live and points of the reference: pure
 * functions. A sample whose rows stand for different numbers of decisions says as much as
 * (sum w)^2 / sum w^2 equal ones (L. Kish, "Survey Sampling", 1965). */
#include <math.h>
#include <stdlib.h>

#include "engine/monitor/drift.h"
#include "engine/stats/kolmogorov.h"
#include "engine/stats/null.h"
#include "engine/stats/samples.h"

#define LEAST_SAMPLE    50 /* fewer say nothing */
#define POOLED          ((size_t)2 * MAX_VALUE_POINTS)
#define LEAST_DEVIATION 0.001 /* as offline: a constant reference has none to measure by */

static int by_value(const void *a, const void *b)
{
    double x = ((const struct observed_value *)a)->value;
    double y = ((const struct observed_value *)b)->value;
    return (x > y) - (x < y);
}

/* Of the reference nothing is known between two points: what is live there stands at the upper one,
 * as the reference's own values do. */
static double place_of(const struct value_points *points, double value)
{
    size_t low = 0, high = points->n;
    if (points->all || value <= points->values[0] || value > points->values[points->n - 1])
        return value;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (points->values[middle] < value)
            low = middle + 1;
        else
            high = middle;
    }
    return points->values[low];
}

/* In order, each at its place; returns how many equal ones the sample is worth. */
static double put_in_order(const struct value_points *points, struct drift_scratch *scratch,
                           size_t n)
{
    double sum = 0, squares = 0;
    qsort(scratch->values, n, sizeof *scratch->values, by_value);
    for (size_t i = 0; i < n; i++) {
        double weight = scratch->values[i].weight;
        sum += weight;
        squares += weight * weight;
        scratch->sorted[i] = place_of(points, scratch->values[i].value);
        scratch->upto[i] = sum;
    }
    return sum * sum / squares;
}

/* n values at equal steps of a sample's numbers. */
static void take_quantiles(const struct sample *of, size_t n, double *out)
{
    double total = of->upto[of->n - 1] - of->before;
    for (size_t i = 0, at = 0; i < n; i++) {
        double place = ((double)i + 0.5) / (double)n * total;
        while (at + 1 < of->n && of->upto[at] - of->before <= place)
            at++;
        out[i] = of->values[at];
    }
}

static struct sample finite_of(const struct drift_scratch *scratch, size_t n)
{
    struct sample live = {scratch->sorted, scratch->upto, n, 0};
    while (live.n > 0 && isinf(live.values[live.n - 1]))
        live.n--;
    while (live.n > 0 && isinf(live.values[0])) {
        live.before = *live.upto++;
        live.values++;
        live.n--;
    }
    return live;
}

static struct drift_measure wasserstein(const struct value_points *points,
                                        struct drift_scratch *scratch, size_t n, double worth)
{
    struct sample reference = {points->values, points->upto, points->n, 0};
    struct sample live = finite_of(scratch, n);
    if (live.n < LEAST_SAMPLE)
        return (struct drift_measure){NAN, NAN, NAN};
    double distance = samples_wasserstein_counted(&reference, &live);
    double unit = points->deviation > 0 ? points->deviation : LEAST_DEVIATION;
    take_quantiles(&reference, MAX_VALUE_POINTS, scratch->pooled);
    take_quantiles(&live, MAX_VALUE_POINTS, scratch->pooled + MAX_VALUE_POINTS);
    samples_sort(scratch->pooled, POOLED);
    struct null_result null =
        null_of_wasserstein(distance, scratch->pooled, POOLED, points->upto[points->n - 1], worth);
    return (struct drift_measure){distance / unit, null.expected / unit, null.p_value};
}

void drift_sample(const struct value_points *points, struct drift_scratch *scratch, size_t n,
                  struct drift_sampled *out)
{
    static const struct drift_measure none = {NAN, NAN, NAN};
    *out = (struct drift_sampled){n, none, none};
    if (points->n == 0 || n < LEAST_SAMPLE)
        return;
    double worth = put_in_order(points, scratch, n), total = points->upto[points->n - 1];
    struct sample reference = {points->values, points->upto, points->n, 0};
    struct sample live = {scratch->sorted, scratch->upto, n, 0};
    double d = samples_ks_counted(&reference, &live);
    double both = fmax(1, round(total * worth / (total + worth)));
    out->ks = (struct drift_measure){d, kolmogorov_expected((int64_t)total, (int64_t)worth),
                                     kolmogorov_above((int64_t)both, d)};
    out->wasserstein = wasserstein(points, scratch, n, worth);
}
