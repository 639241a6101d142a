/* How unlikely counts are, in standard deviations of a normal variable: one scale for what is seen
 * in shares, mixes and rates. */
#ifndef BINNACLE_STATS_DEVIATES_H
#define BINNACLE_STATS_DEVIATES_H

#include <stdint.h>

/* The likelihood-ratio statistic G of two samples over the same n bins (Sokal and Rohlf, Biometry,
 * 17.4), as a normal deviate by Wilson and Hilferty (1931). 0 where fewer than two bins are used or
 * a sample is empty. *distance: their total variation, 0 to 1. */
double deviates_mix(const uint64_t *now, const uint64_t *base, int n, double *distance);
/* `part` of `whole` against `base_part` of `base`: the signed root of G, half an observation taken
 * towards no difference (Yates, 1934), which is within 0.15 of the deviate of Fisher's exact test
 * from a few observations on, also for shares near none, where the pooled normal test of
 * samples_share_z() is far off. 0 where either has no observation. */
double deviates_share(uint64_t part, uint64_t whole, uint64_t base_part, uint64_t base);
/* A count against an expected one, by Anscombe's square roots (1948). */
double deviates_count(double count, double expected);

#endif
