/* Points at equal steps of the numbers, each at the end of its run of equal values. Pure. */
#include "engine/observe/value_points.h"

static double upto_at(const double *upto, size_t i)
{
    return upto ? upto[i] : (double)(i + 1);
}

static void add_point(struct value_points *points, double value, double upto)
{
    size_t last = points->n - 1;
    if (points->n > 0 && !(value > points->values[last])) {
        points->upto[last] = upto;
        return;
    }
    points->values[points->n] = value;
    points->upto[points->n++] = upto;
}

static size_t count_distinct(const double *sorted, size_t n)
{
    size_t distinct = n > 0;
    for (size_t i = 1; i < n && distinct <= MAX_VALUE_POINTS; i++)
        distinct += sorted[i] > sorted[i - 1];
    return distinct;
}

void value_points_make(struct value_points *points, const double *sorted, const double *upto,
                       size_t n, double deviation)
{
    points->n = 0;
    points->deviation = deviation;
    points->all = count_distinct(sorted, n) <= MAX_VALUE_POINTS;
    double total = n ? upto_at(upto, n - 1) : 0, next = 0;
    for (size_t i = 0; i < n; i++) {
        bool ends = i + 1 == n || sorted[i + 1] > sorted[i];
        double here = upto_at(upto, i);
        if (!ends || !(points->all || i + 1 == n || here >= next))
            continue;
        add_point(points, sorted[i], here);
        while (next <= here)
            next += total / (MAX_VALUE_POINTS - 1);
    }
}
