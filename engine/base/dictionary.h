/* Some texts and their numbers, found without comparing most of them: a text of up to seven bytes
 * is one number to begin with. One thread at a time adds; any thread finds meanwhile, and needs no
 * lock for it. */
#ifndef BINNACLE_BASE_DICTIONARY_H
#define BINNACLE_BASE_DICTIONARY_H

#include <stdbool.h>

#include "engine/base/slice.h"

#define DICTIONARY_MAX (1 << 24)

struct dictionary;
/* For at most so many, up to DICTIONARY_MAX. NULL: out of memory, or too many. */
struct dictionary *dictionary_create(size_t most);
void dictionary_destroy(struct dictionary *dictionary); /* NULL is ignored */

/* Numbers count from 0 in the order of adding. The text is borrowed. False: there is no room. */
bool dictionary_add(struct dictionary *dictionary, struct slice text);
/* The number of a text, the first one where it was added twice, or -1. */
int dictionary_find(const struct dictionary *dictionary, struct slice text);

#endif
