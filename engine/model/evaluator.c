/* Takes the trees in blocks of eight: those that all fit into a complete block take the fast way,
 * of the others each is walked. Blocks are the outer loop and some rows the inner one, so that a
 * block stays in the first cache; each row's leaves are still added in the order of the trees. */
#include "engine/model/evaluator.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/model/evaluator_priv.h"

#define ROWS_AT_ONCE 64
/* Of the rows at hand, on the stack. A row that is wider is walked through every tree. */
#define COLUMNS 8192

struct block {
    bool fast;
    struct complete_block complete;
    size_t first_tree, n_trees;
};

struct evaluator {
    size_t n_features, n_blocks, n_fast, rows_at_once;
    float base_margin;
    struct block *blocks;
    size_t *roots; /* per tree, in walk.nodes */
    struct walk walk;
};

float evaluator_base_margin(const struct forest *forest)
{
    if (!objective_is_logistic(forest->objective))
        return forest->base_score;
    return -logf(1.0f / forest->base_score - 1.0f);
}

/* ---- building ---- */

static enum status build_block(const struct forest *forest, struct evaluator *evaluator, size_t i,
                               struct error *error)
{
    struct block *block = &evaluator->blocks[i];
    size_t first = i * LANES;
    size_t n = forest->n_trees - first < LANES ? forest->n_trees - first : LANES;
    *block = (struct block){
        .fast = 2 * forest->n_features <= COLUMNS, .first_tree = first, .n_trees = n};
    for (size_t k = 0; k < n && block->fast; k++)
        block->fast = complete_fits(forest, first + k);
    if (!block->fast)
        return STATUS_OK;
    evaluator->n_fast += n;
    return complete_create(forest, first, n, &block->complete, error);
}

static enum status build(const struct forest *forest, struct evaluator *evaluator,
                         struct error *error)
{
    evaluator->n_features = forest->n_features;
    size_t fitting = forest->n_features > 0 ? COLUMNS / (2 * forest->n_features) : ROWS_AT_ONCE;
    evaluator->rows_at_once = fitting > 0 && fitting < ROWS_AT_ONCE ? fitting : ROWS_AT_ONCE;
    evaluator->n_blocks = (forest->n_trees + LANES - 1) / LANES;
    evaluator->base_margin = evaluator_base_margin(forest);
    evaluator->blocks = calloc(evaluator->n_blocks + 1, sizeof *evaluator->blocks);
    evaluator->roots = calloc(forest->n_trees + 1, sizeof *evaluator->roots);
    if (!evaluator->blocks || !evaluator->roots)
        return error_set(error, STATUS_MEMORY, "out of memory for a model's trees");
    for (size_t i = 0; i < forest->n_trees; i++)
        evaluator->roots[i] = forest->trees[i].first_node;
    enum status status = walk_create(forest, &evaluator->walk, error);
    for (size_t i = 0; i < evaluator->n_blocks && status == STATUS_OK; i++)
        status = build_block(forest, evaluator, i, error);
    return status;
}

enum status evaluator_create(const struct forest *forest, struct evaluator **evaluator,
                             struct error *error)
{
    *evaluator = NULL;
    struct evaluator *made = calloc(1, sizeof *made);
    if (!made)
        return error_set(error, STATUS_MEMORY, "out of memory for a model's trees");
    enum status status = build(forest, made, error);
    if (status != STATUS_OK) {
        evaluator_destroy(made);
        return status;
    }
    *evaluator = made;
    return STATUS_OK;
}

void evaluator_destroy(struct evaluator *evaluator)
{
    if (!evaluator)
        return;
    for (size_t i = 0; evaluator->blocks && i < evaluator->n_blocks; i++)
        complete_free(&evaluator->blocks[i].complete);
    walk_free(&evaluator->walk);
    free(evaluator->blocks);
    free(evaluator->roots);
    free(evaluator);
}

/* ---- evaluating ---- */

static void add_block(const struct evaluator *evaluator, const struct block *block, size_t n_trees,
                      const float *row, const float *columns, float *margin)
{
    float leaves[LANES];
    if (block->fast) {
        complete_leaves(&block->complete, columns, leaves);
    } else {
        for (size_t k = 0; k < n_trees; k++)
            leaves[k] = walk_leaf(&evaluator->walk, evaluator->roots[block->first_tree + k], row);
    }
    for (size_t k = 0; k < n_trees; k++)
        *margin += leaves[k];
}

/* Up to ROWS_AT_ONCE rows whose columns fit. */
static void add_trees(const struct evaluator *evaluator, size_t n_trees, const float *rows,
                      size_t n, size_t stride, float *margins)
{
    float columns[COLUMNS];
    size_t width = 2 * evaluator->n_features;
    for (size_t i = 0; evaluator->n_fast > 0 && i < n; i++)
        columns_fill(rows + i * stride, evaluator->n_features, columns + i * width);
    for (size_t b = 0; b < evaluator->n_blocks; b++) {
        const struct block *block = &evaluator->blocks[b];
        if (block->first_tree >= n_trees)
            return;
        size_t n_left = n_trees - block->first_tree;
        size_t n_now = n_left < block->n_trees ? n_left : block->n_trees;
        for (size_t i = 0; i < n; i++)
            add_block(evaluator, block, n_now, rows + i * stride, columns + i * width, &margins[i]);
    }
}

void evaluator_margins(const struct evaluator *evaluator, size_t n_trees, const float *rows,
                       size_t n, size_t stride, float *margins)
{
    for (size_t i = 0; i < n; i++)
        margins[i] = evaluator->base_margin;
    size_t at_once = evaluator->rows_at_once;
    for (size_t i = 0; i < n; i += at_once)
        add_trees(evaluator, n_trees, rows + i * stride, n - i < at_once ? n - i : at_once, stride,
                  margins + i);
}

size_t evaluator_n_fast(const struct evaluator *evaluator)
{
    return evaluator->n_fast;
}

const char *evaluator_kernel(const struct evaluator *evaluator)
{
    return evaluator->n_fast > 0 ? "portable" : "walk";
}
