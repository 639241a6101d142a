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
/* How much of the front of text fits into `room` bytes without a character cut in two. */
size_t utf8_fitting(struct slice text, size_t room);
/* Bytes of a well-formed character at the front of text that must not reach a screen as it is, or
 * 0: controls that a terminal obeys (C0, DEL, C1), marks that turn the direction of what follows
 * (U+061C, U+200E/F, U+202A to U+202E, U+2066 to U+2069) and line ends that are no newline
 * (U+2028/9). *code (may be NULL) gets its number. */
size_t utf8_unsafe(struct slice text, unsigned *code);

#endif
