/* What distances come to when nothing has changed: two samples of one distribution differ, too. */
#ifndef BINNACLE_STATS_NULL_H
#define BINNACLE_STATS_NULL_H

#include <stddef.h>

#include "engine/stats/distance.h"

struct null_result {
    double expected; /* the mean of the distance of two samples from one distribution */
    double p_value;  /* how often such samples lie as far apart */
};

/* Of a distance found between samples of n (reference) and m (current) over n_bins bins with the
 * pooled shares given; bins without any are left out. PSI, KL, JS and Hellinger squared are, for
 * large samples, multiples of a chi-square with one degree of freedom less than bins: PSI/(1/n+1/m)
 * itself (B. Yurdakul, "Statistical Properties of Population Stability Index", 2018), KL half of
 * it, JS and the square of Hellinger's an eighth. The sum and the largest of absolute differences
 * are those of normal variables with the multinomial covariance. NaN when a side is empty; 0 and 1
 * with fewer than two bins. */
struct null_result null_of_distance(enum distance kind, double distance, const double *pooled,
                                    size_t n_bins, double n, double m);

/* The same of Wasserstein's distance, from the pooled sample, sorted, finite: the area under the
 * absolute value of a Brownian bridge over the pooled distribution. */
struct null_result null_of_wasserstein(double distance, const double *pooled, size_t n_pooled,
                                       double n, double m);

#endif
