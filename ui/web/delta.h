/* What changed from one JSON text to the next, by the places of the members that did. */
#ifndef BINNACLE_WEB_DELTA_H
#define BINNACLE_WEB_DELTA_H

#include <stdbool.h>

#include "engine/base/buffer.h"
#include "engine/base/slice.h"

/* Appends a list of changes that make `old` into `new`: [place, value] puts a value; [place, n,
 * [values]] drops n from the front of a list of plain values and adds values behind. A place is a
 * JSON Pointer (RFC 6901). Both texts are well formed and without blanks between their parts, as
 * json_writer makes them. False: no memory, or a place that is too long. Pure. */
bool delta_write(struct slice old, struct slice new, struct buffer *out);

#endif
