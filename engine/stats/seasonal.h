/* What is usual at this hour of this weekday: robust location and spread of hourly values. */
#ifndef BINNACLE_STATS_SEASONAL_H
#define BINNACLE_STATS_SEASONAL_H

#include <stddef.h>
#include <stdint.h>

/* The median; NaN for none. NaN among the values is left out; the array is put into order. */
double seasonal_median(double *values, size_t n);

enum seasonal_basis {
    SEASONAL_NONE,         /* too little is known yet */
    SEASONAL_HOURS,        /* the last hours, whatever their time of day */
    SEASONAL_HOUR_OF_DAY,  /* the same hour of other days */
    SEASONAL_HOUR_OF_WEEK, /* the same hour of the same weekday */
};
/* "none", "hours", "hour_of_day", "hour_of_week". */
const char *seasonal_basis_name(enum seasonal_basis basis);

/* How many values each basis needs; below, the next coarser one is taken. */
#define SEASONAL_LEAST_WEEKS 3
#define SEASONAL_LEAST_DAYS  5
#define SEASONAL_LEAST_HOURS 12
/* A spread is never taken for less than this part of the median: values that happened to be alike
 * make no alarm of a small step. */
#define SEASONAL_LEAST_SPREAD 0.05

struct seasonal {
    enum seasonal_basis basis;
    size_t n;      /* values behind it */
    double median; /* NaN: SEASONAL_NONE */
    double spread; /* 1.4826 times the median absolute deviation, which is the standard deviation of
                      normal values (Rousseeuw and Croux 1993), with the bound above */
};

/* `values[i]` is that of hour `first_hour + i`, in whole hours since 1970 UTC; NaN: not known. What
 * was usual at `hour`, from the values before it. */
void seasonal_expect(const double *values, size_t n, int64_t first_hour, int64_t hour,
                     struct seasonal *out);
/* How many spreads `value` lies off; NaN where nothing is known or the spread is 0. */
double seasonal_z(const struct seasonal *seasonal, double value);

#endif
