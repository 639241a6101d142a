/* The RFC 9162 hash tree as its right edge.
 *
 * The edge holds the roots of the perfect subtrees that the leaves fall into from left to right,
 * one per set bit of the size. A new leaf is a subtree of one; while there is a subtree of the
 * same size on its left they join, as a binary counter carries. The tree's root joins what is left
 * from the smallest up, which is MTH() of RFC 9162, 2.1.1, since its split point k is the largest
 * power of two below the size. Pure computation; any thread. */
#include "engine/record/tree.h"

static const char LEAF_PREFIX[] = {0x00};
static const char NODE_PREFIX[] = {0x01};

enum status tree_leaf_hash(struct slice leaf, uint8_t hash[SHA256_SIZE])
{
    return crypto_sha256(slice_make(LEAF_PREFIX, 1), leaf, slice_make(NULL, 0), hash);
}

enum status tree_node_hash(const uint8_t left[SHA256_SIZE], const uint8_t right[SHA256_SIZE],
                           uint8_t hash[SHA256_SIZE])
{
    return crypto_sha256(slice_make(NODE_PREFIX, 1), slice_make(left, SHA256_SIZE),
                         slice_make(right, SHA256_SIZE), hash);
}

enum status tree_append(struct tree *tree, const uint8_t leaf_hash[SHA256_SIZE])
{
    uint8_t node[SHA256_SIZE];
    memcpy(node, leaf_hash, SHA256_SIZE);
    int level = 0;
    for (; tree->size >> level & 1; level++) {
        enum status status = tree_node_hash(tree->edge[level], node, node);
        if (status != STATUS_OK)
            return status;
    }
    memcpy(tree->edge[level], node, SHA256_SIZE);
    tree->size++;
    return STATUS_OK;
}

enum status tree_root(const struct tree *tree, uint8_t root[SHA256_SIZE])
{
    struct slice none = {NULL, 0};
    if (tree->size == 0)
        return crypto_sha256(none, none, none, root);
    bool first = true;
    for (int level = 0; level < TREE_LEVELS; level++) {
        if (!(tree->size >> level & 1))
            continue;
        if (first) {
            memcpy(root, tree->edge[level], SHA256_SIZE);
            first = false;
            continue;
        }
        enum status status = tree_node_hash(tree->edge[level], root, root);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

size_t tree_save(const struct tree *tree, uint8_t out[TREE_EDGES_SIZE])
{
    size_t used = 0;
    for (int level = 0; level < TREE_LEVELS; level++) {
        if (tree->size >> level & 1) {
            memcpy(out + used, tree->edge[level], SHA256_SIZE);
            used += SHA256_SIZE;
        }
    }
    return used;
}

bool tree_load(struct tree *tree, uint64_t size, struct slice edges)
{
    *tree = (struct tree){.size = size};
    size_t used = 0;
    for (int level = 0; level < TREE_LEVELS; level++) {
        if (!(size >> level & 1))
            continue;
        if (edges.size - used < SHA256_SIZE)
            return false;
        memcpy(tree->edge[level], edges.data + used, SHA256_SIZE);
        used += SHA256_SIZE;
    }
    return used == edges.size;
}
