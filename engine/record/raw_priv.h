/* Quarantined events whose bytes were deleted by policy: what stands in their place. */
#ifndef BINNACLE_RECORD_RAW_PRIV_H
#define BINNACLE_RECORD_RAW_PRIV_H

#include "engine/base/crypto.h"
#include "engine/base/db.h"

/* RAW_GONE, then SHA-256 over the event's other columns and its digest, so that a change to them is
 * found without the bytes. */
#define RAW_GONE      "binnacle-deleted-v1"
#define RAW_GONE_SIZE (sizeof RAW_GONE - 1 + SHA256_SIZE)

/* Whether a value of quarantine.sealed is that. */
bool raw_is_gone(struct slice sealed);
/* The columns of RAW_COLUMNS, as a statement stands on them. */
#define RAW_COLUMNS                                                                                \
    "id, received_us, source, part, offset, contract, contract_version, violations, sealed, "      \
    "digest"
MUST_USE enum status raw_gone_make(struct db_stmt *event, uint8_t out[RAW_GONE_SIZE]);
/* Deletes the bytes of every quarantined event in a file that nobody else has open; *n of them. */
MUST_USE enum status raw_delete(struct db *db, uint64_t *n, struct error *error);

#endif
