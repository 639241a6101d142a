/* Some values of a reference's column and how many lie up to each: what methods that look at values
 * rather than bins are given of it. */
#ifndef BINNACLE_OBSERVE_VALUE_POINTS_H
#define BINNACLE_OBSERVE_VALUE_POINTS_H

#include <stdbool.h>
#include <stddef.h>

#define MAX_VALUE_POINTS 500

/* Finite values, ascending; all there are of a column with few different ones. */
struct value_points {
    size_t n; /* 0: nothing is known */
    double values[MAX_VALUE_POINTS + 1], upto[MAX_VALUE_POINTS + 1];
    bool all;         /* each different value is there */
    double deviation; /* standard deviation of the population; NaN: not known */
};

/* Of n values that lie in `sorted`, of which upto[i] (NULL: i + 1) numbers lie up to the i-th. */
void value_points_make(struct value_points *points, const double *sorted, const double *upto,
                       size_t n, double deviation);

#endif
