/* Patterns that are a row of ASCII characters and classes, matched without a regular expression
 * engine. Private to regex.c. */
#ifndef BINNACLE_BASE_REGEX_SEQUENCE_H
#define BINNACLE_BASE_REGEX_SEQUENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/slice.h"

#define SEQUENCE_STEPS 32

/* As many bytes of a set as follow each other, at least `least` and at most `most`. */
struct sequence_step {
    uint64_t set[2]; /* a bit per ASCII character */
    uint32_t least, most;
};

struct regex_sequence {
    int n_steps; /* 0: the pattern is none of these */
    int n_fixed; /* steps at the beginning that are one certain character each: */
    char fixed[SEQUENCE_STEPS];
    struct sequence_step steps[SEQUENCE_STEPS];
};

/* Understands literals, `[a-z0-9_-]` and `+ * ? {n} {n,} {n,m}` behind one of them, and only where
 * taking as many characters as possible is always right: what may repeat is not what may follow.
 * Everything else makes n_steps 0. The pattern is one that PCRE2 has compiled. */
void regex_sequence_read(const char *pattern, struct regex_sequence *sequence);
/* Whether the whole subject is the sequence, just as PCRE2 says of the pattern. */
bool regex_sequence_match(const struct regex_sequence *sequence, struct slice subject);

#endif
