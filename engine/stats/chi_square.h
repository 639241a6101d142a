/* Pearson's chi-square of counts. */
#ifndef BINNACLE_STATS_CHI_SQUARE_H
#define BINNACLE_STATS_CHI_SQUARE_H

#include <stdbool.h>
#include <stddef.h>

struct chi_square {
    double statistic;
    double freedom; /* 0: nothing can differ, p is 1 */
    double p_value;
};

/* Counts of one sample against expected counts, n bins (K. Pearson 1900); bins expected and found
 * empty are left out of the sum. A count where none is expected makes the statistic infinite. */
struct chi_square chi_square_expected(const double *counts, const double *expected, size_t n,
                                      double *contribution);
/* Two samples over the same bins, as a table of 2 x n; bins empty on both sides are left out, of
 * the degrees of freedom too. `corrected`: where one degree of freedom is left each difference is
 * made smaller by one half (F. Yates 1934), as chi2_contingency of scipy does. NaN when a side is
 * empty. *contribution (may be NULL): n of them, adding up to the statistic. */
struct chi_square chi_square_samples(const double *reference, const double *current, size_t n,
                                     bool corrected, double *contribution);

#endif
