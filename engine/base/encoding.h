/* Bytes as text: hexadecimal and base64. Any thread. */
#ifndef BINNACLE_BASE_ENCODING_H
#define BINNACLE_BASE_ENCODING_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/buffer.h"
#include "engine/base/slice.h"

/* Lower-case hex, zero-terminated: out holds 2*size + 1. */
char *hex_encode(const void *data, size_t size, char *out);
bool hex_decode(struct slice text, void *out, size_t size); /* text of exactly 2*size digits */
/* RFC 4648, section 4, with padding; appends. False when out is full. */
bool base64_encode(struct slice data, struct buffer *out);
/* Appends; false when the text is not exactly that (no white space) or out is full. */
bool base64_decode(struct slice text, struct buffer *out);

#endif
