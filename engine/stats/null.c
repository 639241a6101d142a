/* Distributions of distances under no change. Pure functions, any thread.
 *
 * The absolute values of jointly normal variables: E|X| = s sqrt(2/pi), and
 * cov(|X|,|Y|) = 2 s t (sqrt(1-r^2) + r asin r - 1) / pi (S. Nabeya, "Absolute moments in
 * 2-dimensional normal distribution", 1951). The distribution of their weighted sum is taken to be
 * the gamma of the same mean and variance. */
#include "engine/stats/null.h"

#include <math.h>
#include <stdbool.h>

#include "engine/stats/special.h"

#define GRID 48 /* places at which a bridge is looked at */

struct moments {
    double mean, variance;
};

static double absolute_covariance(double s, double t, double covariance)
{
    if (s <= 0 || t <= 0)
        return 0;
    double r = covariance / (s * t);
    r = r > 1 ? 1 : r < -1 ? -1 : r;
    return 2 * s * t * (sqrt(1 - r * r) + r * asin(r) - 1) / M_PI;
}

static struct null_result by_gamma(struct moments sum, double value)
{
    if (!(sum.mean > 0) || !(sum.variance > 0))
        return (struct null_result){0, value > 0 ? 0 : 1};
    double shape = sum.mean * sum.mean / sum.variance, scale = sum.variance / sum.mean;
    return (struct null_result){sum.mean, special_gamma_q(shape, value / scale)};
}

/* ---- distances over bins ---- */

/* The distance (or its square: `root`) is scale times a chi-square. */
static struct null_result by_chi_square(double distance, double freedom, double scale, bool root)
{
    double value = root ? distance * distance : distance;
    double mean = scale * freedom;
    if (root) /* the mean of a chi variable */
        mean = sqrt(2 * scale) * exp(lgamma((freedom + 1) / 2) - lgamma(freedom / 2));
    return (struct null_result){mean, special_chi_square_above(value / scale, freedom)};
}

static struct null_result of_tvd(double distance, const double *pooled, size_t n_bins, double scale)
{
    struct moments sum = {0, 0};
    for (size_t i = 0; i < n_bins; i++) {
        double s = sqrt(scale * pooled[i] * (1 - pooled[i]));
        sum.mean += s * sqrt(2 / M_PI) / 2;
        sum.variance += s * s * (1 - 2 / M_PI) / 4;
        for (size_t j = 0; j < i; j++) {
            double t = sqrt(scale * pooled[j] * (1 - pooled[j]));
            sum.variance += 2 * absolute_covariance(s, t, -scale * pooled[i] * pooled[j]) / 4;
        }
    }
    return by_gamma(sum, distance);
}

/* P(all |X_i| < x), as if they were independent: Z. Sidak, "Rectangular confidence regions for the
 * means of multivariate normal distributions" (1967), by which the p-value errs to the safe side.
 */
static double linf_below(double x, const double *pooled, size_t n_bins, double scale)
{
    double below = 1;
    for (size_t i = 0; i < n_bins; i++) {
        double s = sqrt(scale * pooled[i] * (1 - pooled[i]));
        if (s > 0)
            below *= erf(x / s / M_SQRT2);
    }
    return below;
}

static struct null_result of_linf(double distance, const double *pooled, size_t n_bins,
                                  double scale)
{
    enum { STEPS = 400 };
    double width = 8 * sqrt(scale / 4) / STEPS, mean = 0;
    for (int i = 0; i < STEPS; i++) /* the mean is the area above the distribution */
        mean += width * (1 - linf_below((i + 0.5) * width, pooled, n_bins, scale));
    /* Of two bins both differences are the same one. */
    double p = 1 - linf_below(distance, pooled, n_bins == 2 ? 1 : n_bins, scale);
    if (n_bins == 2)
        mean = sqrt(scale * pooled[0] * pooled[1] * 2 / M_PI);
    return (struct null_result){mean, p};
}

struct null_result null_of_distance(enum distance kind, double distance, const double *pooled,
                                    size_t n_bins, double n, double m)
{
    size_t used = 0;
    for (size_t i = 0; i < n_bins; i++)
        used += pooled[i] > 0;
    if (!(n > 0) || !(m > 0) || isnan(distance))
        return (struct null_result){NAN, NAN};
    if (used < 2)
        return (struct null_result){0, 1};
    double scale = 1 / n + 1 / m, freedom = (double)used - 1;
    switch (kind) {
    case DISTANCE_PSI:
        return by_chi_square(distance, freedom, scale, false);
    case DISTANCE_KL:
        return by_chi_square(distance, freedom, scale / 2, false);
    case DISTANCE_JS:
    case DISTANCE_HELLINGER:
        return by_chi_square(distance, freedom, scale / 8, true);
    case DISTANCE_JS_BASE_2:
        return by_chi_square(distance, freedom, scale / 8 / M_LN2, true);
    case DISTANCE_TVD:
        return of_tvd(distance, pooled, n_bins, scale);
    case DISTANCE_LINF:
        return of_linf(distance, pooled, n_bins, scale);
    }
    return (struct null_result){NAN, NAN};
}

/* ---- Wasserstein ---- */

struct null_result null_of_wasserstein(double distance, const double *pooled, size_t n_pooled,
                                       double n, double m)
{
    double share[GRID], width[GRID];
    struct moments sum = {0, 0};
    if (!(n > 0) || !(m > 0) || isnan(distance) || n_pooled == 0)
        return (struct null_result){NAN, NAN};
    double scale = 1 / n + 1 / m, size = (double)n_pooled;
    for (int i = 0; i < GRID; i++) { /* between quantiles the bridge is taken at the middle */
        size_t from = (size_t)((size - 1) * i / GRID), to = (size_t)((size - 1) * (i + 1) / GRID);
        width[i] = pooled[to] - pooled[from];
        share[i] = ((double)i + 0.5) / GRID;
    }
    for (int i = 0; i < GRID; i++) {
        double s = sqrt(scale * share[i] * (1 - share[i]));
        sum.mean += width[i] * s * sqrt(2 / M_PI);
        sum.variance += width[i] * width[i] * s * s * (1 - 2 / M_PI);
        for (int j = 0; j < i; j++) {
            double t = sqrt(scale * share[j] * (1 - share[j]));
            sum.variance += 2 * width[i] * width[j] *
                            absolute_covariance(s, t, scale * share[j] * (1 - share[i]));
        }
    }
    return by_gamma(sum, distance);
}
