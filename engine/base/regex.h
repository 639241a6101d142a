/* Regular expressions on other people's strings: PCRE2 with JIT and a match limit. */
#ifndef BINNACLE_BASE_REGEX_H
#define BINNACLE_BASE_REGEX_H

#include <stdbool.h>

#include "engine/base/slice.h"
#include "engine/base/status.h"

struct regex; /* immutable once compiled; any thread may match */

/* The whole subject must match. The error names the offset in the pattern. */
MUST_USE enum status regex_compile(const char *pattern, struct regex **regex, struct error *error);
void regex_destroy(struct regex *regex);
/* False too when the subject is not UTF-8, and when the match limit is reached: a hostile subject
 * costs bounded time. */
bool regex_match(const struct regex *regex, struct slice subject);

#endif
