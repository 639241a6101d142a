/* Personal values to keyed pseudonyms: HMAC-SHA256 (RFC 2104) cut to 128 bits, "p-" and 32 hex
 * digits. The same value always gives the same pseudonym under one key; without the key nobody can
 * try values out. A bounded cache keeps the HMAC off the hot path. */
#ifndef BINNACLE_RECORD_PSEUDONYM_H
#define BINNACLE_RECORD_PSEUDONYM_H

#include <stddef.h>
#include <stdint.h>

#include "engine/base/crypto.h"
#include "engine/base/slice.h"
#include "engine/base/status.h"

#define PSEUDONYM_LENGTH 34 /* without the terminating zero */
#define PSEUDONYM_SIZE   (PSEUDONYM_LENGTH + 1)

struct pseudonyms;

/* Told of a value that was not in the cache: it may be new. Called on the mapping thread without
 * locks held. What it returns is what pseudonym_of() returns. */
typedef enum status pseudonym_listener(void *context, const char pseudonym[PSEUDONYM_SIZE],
                                       struct slice original);

/* `cache` entries at most, rounded up to a power of two; `listener` may be NULL: nothing is kept
 * anywhere (scoring without a ledger). */
MUST_USE enum status pseudonyms_create(const uint8_t key[KEY_SIZE], size_t cache,
                                       pseudonym_listener *listener, void *context,
                                       struct pseudonyms **pseudonyms, struct error *error);
void pseudonyms_destroy(struct pseudonyms *pseudonyms); /* NULL is ignored */

/* Fills `out`, zero-terminated. Any thread. */
MUST_USE enum status pseudonym_of(struct pseudonyms *pseudonyms, struct slice value,
                                  char out[PSEUDONYM_SIZE]);

/* Asks for the memory that pseudonym_of() will look at for this value. Any thread. */
void pseudonym_prefetch(const struct pseudonyms *pseudonyms, struct slice value);

/* Forgets the value behind a pseudonym: after an erasure. Any thread. */
void pseudonym_forget(struct pseudonyms *pseudonyms, const char pseudonym[PSEUDONYM_SIZE]);

#endif
