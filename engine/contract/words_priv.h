/* A set of words, asked once for every value of an enumerated field. Private to engine/contract. */
#ifndef BINNACLE_CONTRACT_WORDS_PRIV_H
#define BINNACLE_CONTRACT_WORDS_PRIV_H

#include <stdint.h>

#include "engine/base/slice.h"

struct words; /* immutable; any thread may ask */

/* The words are borrowed; the same one may come twice. NULL: out of memory. */
struct words *words_create(const char *const *words, size_t n);
void words_destroy(struct words *words); /* NULL is ignored */
/* Its number among the different ones, from 1; 0: it is not there. */
uint32_t words_find(const struct words *words, struct slice text);

#endif
