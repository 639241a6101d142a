/* Distances between two distributions over the same bins. */
#ifndef BINNACLE_STATS_DISTANCE_H
#define BINNACLE_STATS_DISTANCE_H

#include <stddef.h>

enum distance {
    DISTANCE_PSI,       /* sum (q - p) ln(q/p): H. Jeffreys 1946 */
    DISTANCE_KL,        /* sum p ln(p/q), reference against current: S. Kullback, R. Leibler 1951 */
    DISTANCE_JS,        /* root of the Jensen-Shannon divergence, base e: D. Endres, J. Schindelin
                           2003 */
    DISTANCE_JS_BASE_2, /* the same, base 2: 0 to 1 */
    DISTANCE_TVD,       /* half the sum of |p - q| */
    DISTANCE_HELLINGER, /* root of 1 - sum sqrt(pq): 0 to 1 */
    DISTANCE_LINF,      /* the largest |p - q| */
};

/* p: the reference's shares, q: the current ones, n of each, each summing to 1 or, where a bin
 * holds nothing on one side and the distance would be infinite, made positive by the caller.
 * *contribution (may be NULL), n of them, add up to the distance: each bin's term of the sum,
 * scaled where a root is taken of it; for LINF the largest difference alone. NaN when n is 0. */
double distance_of(enum distance kind, const double *p, const double *q, size_t n,
                   double *contribution);

/* The shares p and q of n counts each, half a count added to every one (Jeffreys' prior; the
 * divisor grows by half the number of bins), so that an empty bin is a small share and PSI and KL
 * are not infinite. Bins empty on both sides have no share. Each side needs a count. */
void distance_smooth(const double *reference, const double *current, size_t n, double *p,
                     double *q);

#endif
