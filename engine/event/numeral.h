/* JSON's numbers between text and double, exact both ways, quick for what transactions hold. */
#ifndef BINNACLE_EVENT_NUMERAL_H
#define BINNACLE_EVENT_NUMERAL_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/number.h"
#include "engine/base/slice.h"

/* Integers beyond this are not all doubles. */
#define NUMERAL_EXACT_INTEGER 9007199254740992.0 /* 2^53 */

struct numeral {
    double value; /* correctly rounded; infinite when too large for a double */
    bool exact;   /* the text was an integer of magnitude up to 2^53, and value is it */
};

/* Reads the JSON number (RFC 8259, section 6) that `text` begins with. Returns how many bytes it
 * takes; 0 when there is none. What follows is for the caller to judge. */
size_t numeral_scan(struct slice text, struct numeral *number);

/* Whether it is an integer of magnitude up to 2^53, written as one or not ("3.0", "1e3"). */
bool numeral_is_integer(const struct numeral *number);

/* Writes a finite double as a JSON number with the fewest decimals that read back to the same
 * double; exponents only for what no plain form of 15 digits holds. Not zero-terminated; returns
 * its end. */
char *numeral_write(double value, char out[NUMBER_TEXT_SIZE]);

#endif
