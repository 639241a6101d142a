/* Eight complete trees side by side: at every level eight independent loads and compares, no
 * branch. The processor works on all eight while each waits for its own row's value. */
#include <math.h>
#include <stdlib.h>

#include "engine/model/evaluator_priv.h"

void columns_fill(const float *row, size_t n_features, float *columns)
{
    for (size_t i = 0; i < n_features; i++) {
        columns[2 * i] = isnan(row[i]) ? -INFINITY : row[i];
        columns[2 * i + 1] = row[i];
    }
}

/* At a threshold of minus infinity a missing value that goes left is not the same as the smallest
 * of all values, which goes right. */
static bool node_fits(const struct forest *forest, size_t node)
{
    return forest->left[node] < 0 ||
           (!forest->categorical[node] &&
            !(forest->default_left[node] && forest->threshold[node] == -INFINITY));
}

bool complete_fits(const struct forest *forest, size_t tree)
{
    const struct forest_tree *at = &forest->trees[tree];
    bool fits = at->depth <= MAX_COMPLETE_DEPTH;
    for (size_t i = 0; i < at->n_nodes && fits; i++)
        fits = node_fits(forest, at->first_node + i);
    return fits;
}

/* One lane of a block while it is filled. */
struct filling {
    const struct forest *forest;
    struct complete_block *block;
    size_t tree, lane;
};

/* Puts the subtree at `node` to place `at` of level `level`; a leaf above the last level fills
 * everything below it, under splits that do not matter. At most MAX_COMPLETE_DEPTH deep. */
static void fill(const struct filling *filling, size_t node, size_t at, int level)
{
    const struct forest *forest = filling->forest;
    const struct forest_tree *tree = &forest->trees[filling->tree];
    struct complete_block *block = filling->block;
    bool leaf = forest->left[node] < 0;
    if (level == block->depth) {
        float weight = forest->tree_weights ? forest->tree_weights[filling->tree] : 1;
        size_t first_leaf = ((size_t)1 << block->depth) - 1;
        block->leaves[(at - first_leaf) * LANES + filling->lane] =
            forest->tree_weights ? weight * forest->threshold[node] : forest->threshold[node];
        return;
    }
    struct complete_node *split = &block->nodes[at * LANES + filling->lane];
    if (!leaf)
        *split = (struct complete_node){
            .threshold = forest->threshold[node],
            .column = 2 * forest->feature[node] + !forest->default_left[node],
        };
    fill(filling, leaf ? node : tree->first_node + (size_t)forest->left[node], 2 * at + 1,
         level + 1);
    fill(filling, leaf ? node : tree->first_node + (size_t)forest->right[node], 2 * at + 2,
         level + 1);
}

enum status complete_create(const struct forest *forest, size_t first, size_t n,
                            struct complete_block *block, struct error *error)
{
    *block = (struct complete_block){0};
    for (size_t i = 0; i < n; i++) {
        if (forest->trees[first + i].depth > block->depth)
            block->depth = forest->trees[first + i].depth;
    }
    size_t n_leaves = (size_t)1 << block->depth;
    block->nodes = calloc(n_leaves * LANES, sizeof *block->nodes);
    block->leaves = calloc(n_leaves * LANES, sizeof *block->leaves);
    if (!block->nodes || !block->leaves)
        return error_set(error, STATUS_MEMORY, "out of memory for a model's trees");
    for (size_t i = 0; i < n; i++)
        fill(&(struct filling){forest, block, first + i, i}, forest->trees[first + i].first_node, 0,
             0);
    return STATUS_OK;
}

void complete_free(struct complete_block *block)
{
    free(block->nodes);
    free(block->leaves);
}

/* The depth is a constant at each call, so that the levels are unrolled. */
static inline void descend(const struct complete_block *block, const float *columns, int depth,
                           float leaves[LANES])
{
    uint32_t at[LANES] = {0};
    for (int level = 0; level < depth; level++) {
        for (uint32_t k = 0; k < LANES; k++) {
            const struct complete_node *node = &block->nodes[at[k] * LANES + k];
            at[k] = 2 * at[k] + 2 - (columns[node->column] < node->threshold);
        }
    }
    uint32_t first_leaf = (1u << depth) - 1;
    for (uint32_t k = 0; k < LANES; k++)
        leaves[k] = block->leaves[(at[k] - first_leaf) * LANES + k];
}

void complete_leaves(const struct complete_block *block, const float *columns, float leaves[LANES])
{
    switch (block->depth) {
    case 0:
        descend(block, columns, 0, leaves);
        return;
    case 1:
        descend(block, columns, 1, leaves);
        return;
    case 2:
        descend(block, columns, 2, leaves);
        return;
    case 3:
        descend(block, columns, 3, leaves);
        return;
    case 4:
        descend(block, columns, 4, leaves);
        return;
    case 5:
        descend(block, columns, 5, leaves);
        return;
    case 6:
        descend(block, columns, 6, leaves);
        return;
    default:
        descend(block, columns, block->depth, leaves);
        return;
    }
}
