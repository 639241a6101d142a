/* The signature over what is not in leaves: one row of each day file. */
#ifndef BINNACLE_RECORD_REST_HEAD_PRIV_H
#define BINNACLE_RECORD_REST_HEAD_PRIV_H

#include "engine/record/day_priv.h"

struct rest_head {
    uint64_t commits; /* the group that it was signed after */
    int64_t timestamp_ms;
    uint8_t rest[SHA256_SIZE];   /* of that group, and so of all before it */
    uint8_t digest[SHA256_SIZE]; /* of state and positions then */
    char key_id[KEY_ID_SIZE];
    uint8_t signature[SIGNATURE_SIZE];
};

/* STATUS_CORRUPT: not signed by this key, or not over these values. */
MUST_USE enum status rest_head_check(const struct rest_head *head,
                                     const uint8_t public_key[PUBLIC_KEY_SIZE]);
/* STATUS_NOT_FOUND: there is none. STATUS_CORRUPT. */
MUST_USE enum status rest_head_read(struct db *db, struct rest_head *head, struct error *error);
/* Signs what the open transaction has in `state`, in the place of the one before. A file that has
 * no digests yet stays as it is. */
MUST_USE enum status rest_head_write(struct day *day, const struct head_key *key,
                                     int64_t timestamp_ms, struct error *error);

#endif
