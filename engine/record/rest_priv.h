/* Digests over what is recorded and is not a leaf, so that a change there is found as well. Written
 * by the writer, computed again by ledger verify. The encodings are those of codec_priv.h. */
#ifndef BINNACLE_RECORD_REST_PRIV_H
#define BINNACLE_RECORD_REST_PRIV_H

#include "engine/record/day_priv.h"

/* Of one quarantined event: SHA-256 over i64 id, i64 received_us, text source, i32 part, i64
 * offset, text contract, text contract_version, text violations, text sealed. It stays beside the
 * event, so that an event's bytes can be deleted and the groups still add up. */
MUST_USE enum status quarantine_digest(const struct day_quarantine *event, struct buffer *scratch,
                                       uint8_t digest[SHA256_SIZE]);

/* What a group leaves in its file beside leaves. Counts are those after the group; slices are what
 * it added: names each as text, digests of quarantined events one after another in the order of
 * their ids, marks each as i64 id, i64 status, i64 at_us. */
struct rest_group {
    const struct day_group *group;
    uint64_t names, next_quarantine, marks;
    struct slice new_names, new_quarantine, new_marks;
};
/* rest := SHA-256(rest of the group before, the group's own fields, the above). */
MUST_USE enum status rest_add(uint8_t rest[SHA256_SIZE], const struct rest_group *group,
                              struct buffer *scratch);

/* The row of `state` and the table of positions, whose bytes are text source, i64 part, i64 offset
 * in the order of source and part. */
MUST_USE enum status rest_state(const struct day_state *state, struct slice edges,
                                const uint8_t root[SHA256_SIZE], struct slice positions,
                                struct buffer *scratch, uint8_t digest[SHA256_SIZE]);

#endif
