/* How unlikely counts are, in standard deviations of a normal variable: one scale for what is seen
 * in shares, mixes and rates. samples_share_z() is the one of shares. */
#ifndef BINNACLE_STATS_DEVIATES_H
#define BINNACLE_STATS_DEVIATES_H

#include <stdint.h>

/* The likelihood-ratio statistic G of two samples over the same n bins (Sokal and Rohlf, Biometry,
 * 17.4), as a normal deviate by Wilson and Hilferty (1931). 0 where fewer than two bins are used or
 * a sample is empty. *distance: their total variation, 0 to 1. */
double deviates_mix(const uint64_t *now, const uint64_t *base, int n, double *distance);
/* A count against an expected one, by Anscombe's square roots (1948). */
double deviates_count(double count, double expected);

#endif
