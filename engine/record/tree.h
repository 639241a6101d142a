/* The hash tree over the ledger's leaves as of RFC 9162, 2.1: SHA-256, 0x00 before a leaf's bytes,
 * 0x01 before two child hashes. Kept as its right edge: one hash per set bit of the size, so that
 * adding a leaf costs one hash on average and the whole state is at most 2 KiB. */
#ifndef BINNACLE_RECORD_TREE_H
#define BINNACLE_RECORD_TREE_H

#include <stdint.h>

#include "engine/base/crypto.h"
#include "engine/base/slice.h"
#include "engine/base/status.h"

#define TREE_LEVELS 64

/* A plain value: copy it to try something out. All zero: the empty tree. */
struct tree {
    uint64_t size;
    /* edge[i]: root of the perfect subtree of 2^i leaves, valid where bit i of size is set. */
    uint8_t edge[TREE_LEVELS][SHA256_SIZE];
};

/* Fails only if the SHA-256 implementation does. Any thread, each its own tree. */
MUST_USE enum status tree_leaf_hash(struct slice leaf, uint8_t hash[SHA256_SIZE]);
/* Of a node over two subtrees; `hash` may be one of them. */
MUST_USE enum status tree_node_hash(const uint8_t left[SHA256_SIZE],
                                    const uint8_t right[SHA256_SIZE], uint8_t hash[SHA256_SIZE]);
MUST_USE enum status tree_append(struct tree *tree, const uint8_t leaf_hash[SHA256_SIZE]);
/* Merkle tree hash of all leaves; of no leaves: SHA-256 of nothing. */
MUST_USE enum status tree_root(const struct tree *tree, uint8_t root[SHA256_SIZE]);

/* The valid edges, lowest level first, as kept in a day file. */
#define TREE_EDGES_SIZE (TREE_LEVELS * SHA256_SIZE)
size_t tree_save(const struct tree *tree, uint8_t out[TREE_EDGES_SIZE]);
/* False when `edges` does not fit `size`. */
bool tree_load(struct tree *tree, uint64_t size, struct slice edges);

#endif
