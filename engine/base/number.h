/* Numbers from text, correctly rounded and whatever the process's locale. */
#ifndef BINNACLE_BASE_NUMBER_H
#define BINNACLE_BASE_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/slice.h"

/* A double from text as strtod in the C locale gives it (correctly rounded), the whole slice or
 * nothing. Accepts "nan", "inf" and "infinity" in any case, with a sign; refuses hex, "nan(...)",
 * empty and surrounding space. Too large is infinite and too small is zero, as with strtod.
 * Allocates nothing for texts under 256 bytes. Any thread. */
bool number_parse(struct slice text, double *out);
/* The same, rounded once to float. */
bool float_parse(struct slice text, float *out);
/* A decimal integer with an optional sign. False beyond int64_t. */
bool integer_parse(struct slice text, int64_t *out);

#define NUMBER_TEXT_SIZE 32
/* The shortest "%.15g" to "%.17g" text that reads back to the same finite double, with '.' in any
 * locale. Returns its length; out is zero-terminated. */
size_t number_format(double number, char out[NUMBER_TEXT_SIZE]);
/* "%.9g": reads back to the same finite float. */
size_t float_format(float number, char out[NUMBER_TEXT_SIZE]);

/* "1 event", "2 events": the noun that fits the number. Borrowed. */
const char *number_noun(uint64_t n, const char *one, const char *many);

#endif
