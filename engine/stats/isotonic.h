/* Isotonic regression: the non-decreasing function nearest to a cloud of points. */
#ifndef BINNACLE_STATS_ISOTONIC_H
#define BINNACLE_STATS_ISOTONIC_H

#include <stddef.h>

#include "engine/base/status.h"

/* Points between which the function is linear; beyond them it stays as it is at the nearest. */
struct isotonic {
    double *x, *y;
    size_t n;
};

/* Fits y over x by least squares, as scikit-learn's IsotonicRegression(out_of_bounds="clip"): equal
 * x (within 1e-15) become one point of their mean, pools of adjacent violators their weighted mean.
 * n > 0; all finite. Free with isotonic_free(). O(n log n). */
MUST_USE enum status isotonic_fit(const double *x, const double *y, size_t n,
                                  struct isotonic *isotonic, struct error *error);
void isotonic_free(struct isotonic *isotonic);
/* NaN for NaN. Any thread. */
double isotonic_at(const struct isotonic *isotonic, double x);

#endif
