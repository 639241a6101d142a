/* Pearson's chi-square tests. Pure functions, any thread. */
#include "engine/stats/chi_square.h"

#include <math.h>

#include "engine/stats/special.h"

static struct chi_square result_of(double statistic, double freedom)
{
    struct chi_square result = {statistic, freedom, 1};
    if (isnan(statistic))
        result.p_value = NAN;
    else if (freedom > 0)
        result.p_value = special_chi_square_above(statistic, freedom);
    return result;
}

struct chi_square chi_square_expected(const double *counts, const double *expected, size_t n,
                                      double *contribution)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        double difference = counts[i] - expected[i];
        double term = difference == 0 ? 0 : difference * difference / expected[i];
        sum += term;
        if (contribution)
            contribution[i] = term;
    }
    return result_of(n ? sum : NAN, n ? (double)n - 1 : 0);
}

static double sum_of(const double *values, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += values[i];
    return sum;
}

static size_t bins_used(const double *reference, const double *current, size_t n)
{
    size_t used = 0;
    for (size_t i = 0; i < n; i++)
        used += reference[i] > 0 || current[i] > 0;
    return used;
}

static double cell(double count, double expected, bool corrected)
{
    double difference = fabs(count - expected);
    if (corrected)
        difference -= difference < 0.5 ? difference : 0.5;
    return difference * difference / expected;
}

struct chi_square chi_square_samples(const double *reference, const double *current, size_t n,
                                     bool corrected, double *contribution)
{
    double m = sum_of(reference, n), k = sum_of(current, n), sum = 0;
    size_t used = bins_used(reference, current, n);
    if (m == 0 || k == 0)
        return result_of(NAN, 0);
    corrected = corrected && used == 2;
    for (size_t i = 0; i < n; i++) {
        double both = reference[i] + current[i], term = 0;
        if (both > 0)
            term = cell(reference[i], both * m / (m + k), corrected) +
                   cell(current[i], both * k / (m + k), corrected);
        sum += term;
        if (contribution)
            contribution[i] = term;
    }
    return result_of(sum, (double)used - 1);
}
