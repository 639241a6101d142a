/* Two samples held against each other value by value, and tests of two means or shares. */
#ifndef BINNACLE_STATS_SAMPLES_H
#define BINNACLE_STATS_SAMPLES_H

#include <stddef.h>

/* Sorts ascending; no NaN among them. */
void samples_sort(double *values, size_t n);

/* Both samples sorted, without NaN; ties and infinities are fine. NaN when one is empty. */

/* Kolmogorov and Smirnov's D: the largest distance between the two empirical distributions. */
double samples_ks(const double *a, size_t n, const double *b, size_t m);
/* Wasserstein's first distance: the area between the two empirical distributions, in the values'
 * unit (L. Vaserstein 1969; S. Vallender 1974 for one dimension). Finite values only. */
double samples_wasserstein(const double *a, size_t n, const double *b, size_t m);

/* The same where value i of a sample stands for several: upto[i] numbers lie up to it (NULL: i +
 * 1); values ascend. */
struct sample {
    const double *values, *upto;
    size_t n;
    double before; /* what is taken off every upto */
};
double samples_ks_counted(const struct sample *a, const struct sample *b);
double samples_wasserstein_counted(const struct sample *a, const struct sample *b);

/* Mean and standard deviation of the population (divisor n); NaN when empty. By two passes. */
void samples_moments(const double *values, size_t n, double *mean, double *deviation);

/* How far two shares differ in pooled standard errors: z = (x/n - y/m) / sqrt(p(1-p)(1/n+1/m)).
 * NaN when one has no trials; 0 when all or none succeeded on both sides. */
double samples_share_z(double x, double n, double y, double m);

#endif
