/* Proofs that a row is in the ledger's tree and that a later tree goes on from an earlier one, as
 * of RFC 9162, 2.1.3 and 2.1.4. Whoever gets one needs no access to the ledger to check it. */
#ifndef BINNACLE_RECORD_PROOF_H
#define BINNACLE_RECORD_PROOF_H

#include <stddef.h>
#include <stdint.h>

#include "engine/record/reader.h"

#define PROOF_MAX_PATH 65

struct proof_path {
    uint8_t hashes[PROOF_MAX_PATH][SHA256_SIZE];
    size_t n;
};

/* What proofs are made from: which day file holds which leaves. Uses the reader, which must live as
 * long and do nothing else during a call; rows that are committed later are not seen. */
struct proofs;
MUST_USE enum status proofs_open(struct reader *reader, struct proofs **proofs,
                                 struct error *error);
void proofs_close(struct proofs *proofs); /* NULL is ignored */

/* Merkle tree hash of the first `size` leaves. STATUS_NOT_FOUND: there are fewer. All of these:
 * STATUS_CORRUPT when a row that is needed is missing; time grows with the logarithm of the tree
 * where nodes were kept (README.md), else with the tree. */
MUST_USE enum status proof_root(struct proofs *proofs, uint64_t size, uint8_t root[SHA256_SIZE],
                                struct error *error);
/* The path from leaf `index` to the root over `size` leaves. STATUS_INVALID: index >= size. */
MUST_USE enum status proof_inclusion(struct proofs *proofs, uint64_t index, uint64_t size,
                                     struct proof_path *path, struct error *error);
/* That the tree of `second` leaves begins with that of `first`. STATUS_INVALID: not 1 <= first <=
 * second. */
MUST_USE enum status proof_consistency(struct proofs *proofs, uint64_t first, uint64_t second,
                                       struct proof_path *path, struct error *error);

/* Whether the path leads from the leaf to the root. Any thread. */
bool proof_includes(const uint8_t leaf_hash[SHA256_SIZE], uint64_t index, uint64_t size,
                    const struct proof_path *path, const uint8_t root[SHA256_SIZE]);

#endif
