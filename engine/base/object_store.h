/* Objects in a store that speaks Amazon's S3 protocol: put, got back, deleted; whole files only.
 * Path-style addresses, Signature Version 4, payloads signed by their SHA-256. Any thread. */
#ifndef BINNACLE_BASE_OBJECT_STORE_H
#define BINNACLE_BASE_OBJECT_STORE_H

#include "engine/base/packed_file.h"
#include "engine/base/status.h"

/* The most that one PUT carries; parts are not used. */
#define OBJECT_MAX_BYTES (INT64_C(5) << 30)

/* Plain values; wipe secret_key and token with explicit_bzero(). */
struct object_store {
    char endpoint[512]; /* "https://s3.example.org" or "http://127.0.0.1:9000", without a path */
    char region[64];
    char bucket[128];
    char access_key[256], secret_key[256];
    char token[2048]; /* of a session; empty: none */
};

/* What is no endpoint, bucket or region: STATUS_INVALID says which. */
MUST_USE enum status object_store_check(const struct object_store *store, struct error *error);

/* Names are of letters, digits and "._-/"; others are STATUS_INVALID. In all of these:
 * STATUS_UNAVAILABLE (retriable): the store cannot be reached, or says that it is busy;
 * STATUS_DENIED: it refuses the keys; STATUS_NOT_FOUND: no such bucket or object. Messages name the
 * store, the object and the store's own code, never a key. */

/* Sends the file, whose sum is known: the store refuses bytes that are not those. */
MUST_USE enum status object_put(const struct object_store *store, const char *name,
                                const char *path, const struct file_sum *sum, struct error *error);
/* Writes the object to `path` (made anew, mode 0600, synced; nothing is left after an error), or
 * nowhere when it is NULL, and sums it. More than max_bytes: STATUS_CORRUPT. */
MUST_USE enum status object_get(const struct object_store *store, const char *name,
                                const char *path, int64_t max_bytes, struct file_sum *sum,
                                struct error *error);
/* One that is not there is deleted already. */
MUST_USE enum status object_delete(const struct object_store *store, const char *name,
                                   struct error *error);

#endif
