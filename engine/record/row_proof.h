/* The proof that a row is in the ledger, as one JSON object: what `binnacle ledger prove` prints
 * and the page shows. */
#ifndef BINNACLE_RECORD_ROW_PROOF_H
#define BINNACLE_RECORD_ROW_PROOF_H

#include "engine/base/buffer.h"
#include "engine/base/json.h"
#include "engine/record/proof.h"

/* The path's hashes as the member "path". */
void proof_path_json(struct json_writer *json, const struct proof_path *path);

/* Appends {"leaf_index","tree_size","leaf_b64","leaf_hash","path","head"}: the row's bytes and the
 * hashes that lead from them to the newest signed head, all checked before. STATUS_NOT_FOUND: no
 * such row; STATUS_UNAVAILABLE: it is newer than the newest signed head; STATUS_CORRUPT. The
 * reader's thread. */
MUST_USE enum status row_proof_json(struct reader *reader, uint64_t index, struct buffer *out,
                                    struct error *error);

#endif
