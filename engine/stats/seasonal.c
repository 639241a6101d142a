/* Medians of the same hour in other weeks, or as near to that as is known. Pure; any thread. */
#include "engine/stats/seasonal.h"

#include <math.h>
#include <stdlib.h>

#include "engine/base/order.h"

#define MOST       1024
#define WEEK_HOURS 168
#define DAY_HOURS  24
#define MAD_SCALE  1.4826

const char *seasonal_basis_name(enum seasonal_basis basis)
{
    static const char *const names[] = {
        [SEASONAL_NONE] = "none",
        [SEASONAL_HOURS] = "hours",
        [SEASONAL_HOUR_OF_DAY] = "hour_of_day",
        [SEASONAL_HOUR_OF_WEEK] = "hour_of_week",
    };
    return names[basis];
}

double seasonal_median(double *values, size_t n)
{
    size_t known = 0;
    for (size_t i = 0; i < n; i++) {
        if (!isnan(values[i]))
            values[known++] = values[i];
    }
    if (known == 0)
        return (double)NAN;
    qsort(values, known, sizeof *values, order_doubles);
    return known % 2 ? values[known / 2] : (values[known / 2 - 1] + values[known / 2]) / 2;
}

/* The known values before `hour` that lie whole periods before it, newest first. */
static size_t collect(const double *values, size_t n, int64_t first_hour, int64_t hour,
                      int64_t period, double out[MOST])
{
    size_t found = 0;
    for (int64_t at = hour - period; at >= first_hour && found < MOST; at -= period) {
        int64_t i = at - first_hour;
        if (i < (int64_t)n && !isnan(values[i]))
            out[found++] = values[i];
    }
    return found;
}

static void describe(double *values, size_t n, struct seasonal *out)
{
    out->n = n;
    out->median = seasonal_median(values, n);
    for (size_t i = 0; i < n; i++)
        values[i] = fabs(values[i] - out->median);
    out->spread = MAD_SCALE * seasonal_median(values, n);
    out->spread = fmax(out->spread, SEASONAL_LEAST_SPREAD * fabs(out->median));
}

void seasonal_expect(const double *values, size_t n, int64_t first_hour, int64_t hour,
                     struct seasonal *out)
{
    static const struct {
        enum seasonal_basis basis;
        int64_t period;
        size_t least;
    } bases[] = {
        {SEASONAL_HOUR_OF_WEEK, WEEK_HOURS, SEASONAL_LEAST_WEEKS},
        {SEASONAL_HOUR_OF_DAY, DAY_HOURS, SEASONAL_LEAST_DAYS},
        {SEASONAL_HOURS, 1, SEASONAL_LEAST_HOURS},
    };
    double found[MOST];
    *out = (struct seasonal){SEASONAL_NONE, 0, (double)NAN, (double)NAN};
    for (size_t i = 0; i < sizeof bases / sizeof *bases; i++) {
        size_t n_found = collect(values, n, first_hour, hour, bases[i].period, found);
        if (n_found < bases[i].least)
            continue;
        out->basis = bases[i].basis;
        describe(found, n_found, out);
        return;
    }
}

double seasonal_z(const struct seasonal *seasonal, double value)
{
    if (seasonal->basis == SEASONAL_NONE || !(seasonal->spread > 0))
        return (double)NAN;
    return (value - seasonal->median) / seasonal->spread;
}
