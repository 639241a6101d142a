/* Telling UTF-8 from other bytes. */
#ifndef BINNACLE_BASE_UTF8_H
#define BINNACLE_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/slice.h"

/* Bytes of the well-formed sequence (RFC 3629: shortest form, no surrogates, up to U+10FFFF) at
 * the front of text, or 0 when there is none. */
size_t utf8_length(struct slice text);
/* Whether all of the text is well formed; fast where it is ASCII. */
bool utf8_is_valid(struct slice text);

#endif
