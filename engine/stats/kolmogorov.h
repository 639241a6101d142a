/* The distribution of Kolmogorov's and Smirnov's statistic when nothing has changed. */
#ifndef BINNACLE_STATS_KOLMOGOROV_H
#define BINNACLE_STATS_KOLMOGOROV_H

#include <stdbool.h>
#include <stdint.h>

/* P(D_n >= d) of one sample of n against its true distribution, both sides. n from 1 on. */
double kolmogorov_above(int64_t n, double d);
/* P(D >= d) of two samples of n and m values. Exact by counting paths up to 10,000 values each, so
 * that ties make it an upper bound; from then on by kolmogorov_above(nm/(n+m)): what scipy's
 * ks_2samp does with method="auto". *exact (may be NULL) says which. NaN when n or m is 0. */
double kolmogorov_two_samples(int64_t n, int64_t m, double d, bool *exact);
/* The expectation of D of two samples: sqrt(pi/2) ln 2 sqrt((n+m)/(nm)). */
double kolmogorov_expected(int64_t n, int64_t m);

#endif
