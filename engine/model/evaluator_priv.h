/* The two ways through a tree that the evaluator chooses from. */
#ifndef BINNACLE_MODEL_EVALUATOR_PRIV_H
#define BINNACLE_MODEL_EVALUATOR_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/model/evaluator.h"

/* For tests and benchmarks: this kernel, or none, for many rows. False when it does not run here.
 */
struct wide_kernel;
bool evaluator_use(struct evaluator *evaluator, const struct wide_kernel *kernel);

/* Rows are looked at twice: with a missing value below everything, which goes left at every split,
 * and as NaN, which goes right at every split. A split's column says which of the two it reads, so
 * that the default direction costs no branch. Column 2f is for default left, 2f + 1 for right. */
void columns_fill(const float *row, size_t n_features, float *columns);

/* ---- any tree, one row, node by node ---- */

struct walk_node {
    float value;         /* threshold; of a leaf: what it adds */
    int32_t left, right; /* within the forest; -1: a leaf */
    uint32_t feature;
    uint32_t first_word, n_words; /* set of categories that go right; n_words 0: by threshold */
    uint8_t default_left;
};

struct walk {
    struct walk_node *nodes;
    uint32_t *words; /* sets of categories: 32 to a word, or each a word of its own */
};

MUST_USE enum status walk_create(const struct forest *forest, struct walk *walk,
                                 struct error *error);
void walk_free(struct walk *walk);
/* Of a node that is no leaf. */
bool walk_goes_left(const struct walk *walk, size_t node, const float *row);
float walk_leaf(const struct walk *walk, size_t root, const float *row);

/* ---- shallow trees by thresholds, eight at a time ---- */

#define LANES              8
#define MAX_COMPLETE_DEPTH 8

/* Eight trees of one depth, made complete: a leaf above the last level is repeated below. Node i of
 * tree k is nodes[i * LANES + k], its children are 2i + 1 and 2i + 2; likewise the leaves. */
struct complete_node {
    float threshold;
    uint32_t column;
};

struct complete_block {
    struct complete_node *nodes; /* (2^depth - 1) * LANES */
    float *leaves;               /* 2^depth * LANES */
    int depth;
};

/* Whether the tree can be put into a block. */
bool complete_fits(const struct forest *forest, size_t tree);
/* Of the forest's trees [first, first + n), n up to LANES, all of which fit. */
MUST_USE enum status complete_create(const struct forest *forest, size_t first, size_t n,
                                     struct complete_block *block, struct error *error);
void complete_free(struct complete_block *block);
/* The leaf of each tree. */
void complete_leaves(const struct complete_block *block, const float *columns, float leaves[LANES]);

#endif
