/* Floats to text without the C library. Private to number.c. */
#ifndef BINNACLE_BASE_NUMBER_FLOAT_H
#define BINNACLE_BASE_NUMBER_FLOAT_H

#include "engine/base/number.h"

/* "%.9g" of zero and of magnitudes from 1e-12 to below 1e9; 0: another number, nothing is written.
 */
size_t number_float(float number, char out[NUMBER_TEXT_SIZE]);

#endif
