/* A row's proof: its leaf hashed again and held against the stored hash, the newest signed head
 * checked, the path between them computed and checked; only then is it told. */
#include "engine/record/row_proof.h"

#include <inttypes.h>
#include <string.h>

#include "engine/base/encoding.h"
#include "engine/record/tree.h"

#define LEAF_BYTES ((size_t)16 << 20)

struct row_proof {
    uint64_t index;
    struct buffer leaf;
    uint8_t hash[SHA256_SIZE];
    struct signed_head head;
    struct proof_path path;
};

void proof_path_json(struct json_writer *json, const struct proof_path *path)
{
    json_array(json, "path");
    for (size_t i = 0; i < path->n; i++)
        json_hex(json, NULL, path->hashes[i], SHA256_SIZE);
    json_array_end(json);
}

static enum status take_leaf(struct reader *reader, struct row_proof *proof, struct error *error)
{
    uint8_t stored[SHA256_SIZE];
    enum status status = reader_leaf(reader, proof->index, &proof->leaf, stored, error);
    if (status == STATUS_OK)
        status = tree_leaf_hash(buffer_slice(&proof->leaf), proof->hash);
    if (status == STATUS_OK && memcmp(proof->hash, stored, SHA256_SIZE) != 0)
        status = error_set(error, STATUS_CORRUPT,
                           "row %" PRIu64 " is not what was recorded: run `binnacle ledger verify`",
                           proof->index);
    return status;
}

static enum status take_head(struct reader *reader, struct row_proof *proof,
                             uint8_t public_key[PUBLIC_KEY_SIZE], struct error *error)
{
    enum status status = reader_signed_head(reader, &proof->head, public_key, error);
    if (status == STATUS_OK && proof->index >= proof->head.tree_size)
        status = error_set(error, STATUS_UNAVAILABLE,
                           "row %" PRIu64 " is newer than the newest signed head: try again in a "
                           "second",
                           proof->index);
    return status;
}

static enum status make(struct reader *reader, struct row_proof *proof, struct error *error)
{
    struct proofs *proofs = NULL;
    uint8_t public_key[PUBLIC_KEY_SIZE];
    enum status status = take_leaf(reader, proof, error);
    if (status == STATUS_OK)
        status = take_head(reader, proof, public_key, error);
    if (status == STATUS_OK)
        status = proofs_open(reader, &proofs, error);
    if (status == STATUS_OK)
        status = proof_inclusion(proofs, proof->index, proof->head.tree_size, &proof->path, error);
    if (status == STATUS_OK && (head_check(&proof->head, public_key) != STATUS_OK ||
                                !proof_includes(proof->hash, proof->index, proof->head.tree_size,
                                                &proof->path, proof->head.root)))
        status = error_set(error, STATUS_CORRUPT,
                           "the rows do not lead to the newest signed head: run `binnacle ledger "
                           "verify`");
    proofs_close(proofs);
    return status;
}

enum status row_proof_json(struct reader *reader, uint64_t index, struct buffer *out,
                           struct error *error)
{
    struct row_proof proof = {.index = index};
    struct buffer text;
    struct json_writer json;
    buffer_init(&proof.leaf, LEAF_BYTES);
    buffer_init(&text, 2 * LEAF_BYTES);
    enum status status = make(reader, &proof, error);
    if (status == STATUS_OK) {
        base64_encode(buffer_slice(&proof.leaf), &text);
        json_begin(&json, out);
        json_object(&json, NULL);
        json_int(&json, "leaf_index", (int64_t)proof.index);
        json_int(&json, "tree_size", (int64_t)proof.head.tree_size);
        json_string(&json, "leaf_b64", buffer_slice(&text));
        json_hex(&json, "leaf_hash", proof.hash, SHA256_SIZE);
        proof_path_json(&json, &proof.path);
        head_json(&proof.head, &json, "head");
        json_object_end(&json);
    }
    buffer_free(&proof.leaf);
    buffer_free(&text);
    return status;
}
