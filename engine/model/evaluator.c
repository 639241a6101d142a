/* Three ways, all with each row's leaves added in the order of the trees. Many rows: as vectors of
 * rows, tree by tree (wide). Few rows: eight trees side by side (complete), blocks of trees being
 * the outer loop and rows the inner one, so that a block stays in the first cache. Trees that are
 * too deep or split by categories: node by node (walk). */
#include "engine/model/evaluator.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/model/evaluator_priv.h"
#include "engine/model/wide.h"

#define ROWS_AT_ONCE 64
/* Of the rows at hand, on the stack. A row that is wider is walked through every tree. */
#define COLUMNS 8192
/* Vectors cost the same for one row as for all that they hold: from here on they are cheaper. */
#define MIN_WIDE_ROWS 16

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
    struct wide *wide; /* NULL: no tree fits, or no kernel runs here */
    const struct wide_kernel *kernel;
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

static enum status build_wide(const struct forest *forest, struct evaluator *evaluator,
                              struct error *error)
{
    evaluator->kernel = wide_best();
    if (!evaluator->kernel)
        return STATUS_OK;
    enum status status = wide_create(forest, &evaluator->wide, error);
    return status == STATUS_UNSUPPORTED ? STATUS_OK : status;
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
    if (status == STATUS_OK)
        status = build_wide(forest, evaluator, error);
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
    wide_destroy(evaluator->wide);
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

/* Up to WIDE_ROWS rows. */
static void add_trees_wide(const struct evaluator *evaluator, size_t n_trees, const float *rows,
                           size_t n, size_t stride, float *margins)
{
    /* Aligned by hand: what is loaded at every split shall lie in one cache line, and _Alignas of
     * more than 32 bytes crashes under GCC's address sanitizer. */
    int8_t room[WIDE_MAX_COLUMNS * WIDE_ROWS + WIDE_ROWS];
    int8_t *columns = room + (-(uintptr_t)room & (WIDE_ROWS - 1));
    float sums[WIDE_ROWS];
    const struct wide *wide = evaluator->wide;
    wide_fill(wide, evaluator->kernel, rows, n, stride, columns);
    for (size_t i = 0; i < WIDE_ROWS; i++)
        sums[i] = evaluator->base_margin;
    for (size_t t = 0; t < n_trees; t++) {
        if (wide->trees[t].fits)
            evaluator->kernel->add(wide, &wide->trees[t], columns, sums);
        for (size_t i = 0; !wide->trees[t].fits && i < n; i++)
            sums[i] += walk_leaf(&evaluator->walk, evaluator->roots[t], rows + i * stride);
    }
    memcpy(margins, sums, n * sizeof *margins);
}

static void margins_of_few(const struct evaluator *evaluator, size_t n_trees, const float *rows,
                           size_t n, size_t stride, float *margins)
{
    size_t at_once = evaluator->rows_at_once;
    for (size_t i = 0; i < n; i++)
        margins[i] = evaluator->base_margin;
    for (size_t i = 0; i < n; i += at_once)
        add_trees(evaluator, n_trees, rows + i * stride, n - i < at_once ? n - i : at_once, stride,
                  margins + i);
}

void evaluator_margins(const struct evaluator *evaluator, size_t n_trees, const float *rows,
                       size_t n, size_t stride, float *margins)
{
    while (evaluator->wide && n >= MIN_WIDE_ROWS) {
        size_t n_now = n < WIDE_ROWS ? n : WIDE_ROWS;
        add_trees_wide(evaluator, n_trees, rows, n_now, stride, margins);
        rows += n_now * stride;
        margins += n_now;
        n -= n_now;
    }
    margins_of_few(evaluator, n_trees, rows, n, stride, margins);
}

size_t evaluator_n_fast(const struct evaluator *evaluator)
{
    return evaluator->n_fast;
}

const char *evaluator_kernel(const struct evaluator *evaluator)
{
    if (evaluator->wide)
        return evaluator->kernel->name;
    return evaluator->n_fast > 0 ? "portable" : "walk";
}

bool evaluator_use(struct evaluator *evaluator, const struct wide_kernel *kernel)
{
    if (kernel && !kernel->runs_here())
        return false;
    evaluator->kernel = kernel;
    if (!kernel) {
        wide_destroy(evaluator->wide);
        evaluator->wide = NULL;
    }
    return true;
}
