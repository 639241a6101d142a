/* Numbers as a model gets them. Private to engine/feature. */
#ifndef BINNACLE_FEATURE_ROUNDING_PRIV_H
#define BINNACLE_FEATURE_ROUNDING_PRIV_H

#include <stddef.h>

/* The nearest floats of n numbers; what no float holds becomes the largest one of its sign. NaN
 * stays. The arrays do not overlap. */
void round_floats(const double *numbers, float *out, size_t n);

#endif
