/* Sixteen shallow trees put side by side for the kernels: each made complete, and each split told
 * what the splits by the same feature above it ask of a value. */
#include <math.h>
#include <stdlib.h>

#include "engine/model/treeshap_priv.h"

/* Shares of a split's children add up to 1 but for the rounding of covers, which are floats. */
#define MAX_SHARE_ERROR 1e-6

struct shap_shares shap_shares_of(const struct forest *forest, const struct forest_tree *tree,
                                  size_t node)
{
    double cover = (double)forest->cover[node];
    double left = (double)forest->cover[tree->first_node + (size_t)forest->left[node]];
    double right = (double)forest->cover[tree->first_node + (size_t)forest->right[node]];
    bool known = isfinite(cover) && isfinite(left) && isfinite(right) && cover > 0 && left >= 0 &&
                 right >= 0;
    return known ? (struct shap_shares){left / cover, right / cover}
                 : (struct shap_shares){0.5, 0.5};
}

float shap_leaf_value(const struct forest *forest, size_t tree, size_t node)
{
    float value = forest->threshold[node];
    return forest->tree_weights ? forest->tree_weights[tree] * value : value;
}

bool shap_block_fits(const struct forest *forest, size_t tree)
{
    const struct forest_tree *at = &forest->trees[tree];
    bool fits = at->depth <= SHAP_MAX_DEPTH;
    for (size_t i = at->first_node; i < (size_t)at->first_node + at->n_nodes && fits; i++) {
        if (forest->left[i] < 0)
            continue;
        struct shap_shares shares = shap_shares_of(forest, at, i);
        fits = !forest->categorical[i] && fabs(shares.left + shares.right - 1) <= MAX_SHARE_ERROR;
    }
    return fits;
}

/* ---- one tree's way into the block ---- */

struct step {
    uint32_t feature;
    float threshold;
    double share;
    bool left, default_left;
};

struct filling {
    const struct forest *forest;
    const uint32_t *slot_of;
    struct shap_block *block;
    size_t tree, lane;
    size_t next_leaf;
    struct step path[SHAP_MAX_DEPTH];              /* from the root to the node at hand */
    float (*low)[SHAP_TREES], (*high)[SHAP_TREES]; /* per split */
    double (*above)[SHAP_TREES]; /* z, the share that passes the splits by the feature above */
    bool *is_repeat;
};

/* What the steps above ask of the feature of `split`. */
static void fill_bounds(const struct filling *filling, size_t n_steps, size_t at, uint32_t feature)
{
    struct shap_split *split = &filling->block->splits[at];
    size_t lane = filling->lane;
    for (size_t i = 0; i < n_steps; i++) {
        const struct step *step = &filling->path[i];
        if (step->feature != feature)
            continue;
        float *low = &filling->low[at][lane], *high = &filling->high[at][lane];
        if (step->left)
            *high = isnan(*high) || step->threshold < *high ? step->threshold : *high;
        else
            *low = isnan(*low) || step->threshold > *low ? step->threshold : *low;
        if (step->default_left != step->left)
            split->missing_fails |= (uint16_t)(1u << lane);
        filling->above[at][lane] *= step->share;
        filling->is_repeat[at] = true;
    }
}

static void fill_leaves(struct filling *filling, size_t node, size_t n)
{
    float value = shap_leaf_value(filling->forest, filling->tree, node);
    for (size_t i = 0; i < n; i++)
        filling->block->leaves[filling->next_leaf++ * SHAP_TREES + filling->lane] = value;
}

/* Puts the subtree of `node` to the place `at`, `n_steps` below the root. At most SHAP_MAX_DEPTH
 * deep. */
static void fill_subtree(struct filling *filling, size_t node, size_t at, size_t n_steps)
{
    const struct forest *forest = filling->forest;
    const struct forest_tree *tree = &forest->trees[filling->tree];
    struct shap_block *block = filling->block;
    size_t levels = (size_t)block->depth - n_steps;
    if (forest->left[node] < 0) {
        fill_leaves(filling, node, (size_t)1 << levels);
        return;
    }
    uint32_t feature = forest->feature[node];
    struct shap_split *split = &block->splits[at];
    struct shap_shares shares = shap_shares_of(forest, tree, node);
    split->threshold[filling->lane] = forest->threshold[node];
    split->share[filling->lane] = (float)shares.left;
    if (forest->default_left[node])
        split->default_left |= (uint16_t)(1u << filling->lane);
    block->slots[at * SHAP_TREES + filling->lane] = (uint16_t)filling->slot_of[feature];
    block->exists[at * SHAP_TREES + filling->lane] = true;
    fill_bounds(filling, n_steps, at, feature);
    for (int side = 0; side < 2; side++) {
        bool left = side == 0;
        filling->path[n_steps] =
            (struct step){feature, forest->threshold[node], left ? shares.left : shares.right, left,
                          forest->default_left[node] != 0};
        size_t child = tree->first_node + (size_t)(left ? forest->left[node] : forest->right[node]);
        fill_subtree(filling, child, left ? at + 1 : at + ((size_t)1 << (levels - 1)), n_steps + 1);
    }
}

/* ---- what follows from all sixteen ---- */

/* The most different features on one path. */
static size_t count_on_paths(const struct forest *forest, const struct forest_tree *tree,
                             size_t node, uint32_t *path, size_t n)
{
    if (forest->left[node] < 0)
        return n;
    size_t i = 0;
    while (i < n && path[i] != forest->feature[node])
        i++;
    if (i == n)
        path[n++] = forest->feature[node];
    size_t left =
        count_on_paths(forest, tree, tree->first_node + (size_t)forest->left[node], path, n);
    size_t right =
        count_on_paths(forest, tree, tree->first_node + (size_t)forest->right[node], path, n);
    return left > right ? left : right;
}

static void choose_rule(const struct forest *forest, size_t first, const bool *fast,
                        struct shap_block *block)
{
    size_t most = 1;
    double t[SHAP_MAX_BLOCK_POINTS], weights[SHAP_MAX_BLOCK_POINTS];
    for (size_t i = first; i < first + SHAP_TREES && i < forest->n_trees; i++) {
        uint32_t path[SHAP_MAX_DEPTH];
        const struct forest_tree *tree = &forest->trees[i];
        size_t n = fast[i] ? count_on_paths(forest, tree, tree->first_node, path, 0) : 0;
        most = n > most ? n : most;
    }
    block->n_points = (int)((most + 1) / 2);
    shap_rule((size_t)block->n_points, t, weights);
    for (int k = 0; k < block->n_points; k++) {
        block->u[k] = (float)(1 - t[k]);
        block->weights[k] = (float)weights[k];
    }
}

static void fill_repeat(const struct filling *filling, size_t at, float *rows)
{
    struct shap_block *block = filling->block;
    size_t n_points = (size_t)block->n_points;
    for (size_t lane = 0; lane < SHAP_TREES; lane++) {
        double z = filling->above[at][lane];
        rows[SHAP_LOW * SHAP_TREES + lane] = filling->low[at][lane];
        rows[SHAP_HIGH * SHAP_TREES + lane] = filling->high[at][lane];
        for (size_t k = 0; k < n_points; k++) {
            double u = (double)block->u[k], x = 1 / (1 - u + z * u);
            float *cold = rows + (SHAP_FIRST_COLD + k) * SHAP_TREES + lane;
            cold[0] = (float)(z * u * x);
            cold[n_points * SHAP_TREES] = (float)(z * x * x);
        }
    }
}

static enum status fill_repeats(const struct filling *filling, struct error *error)
{
    struct shap_block *block = filling->block;
    size_t n = 0, size = (SHAP_FIRST_COLD + 2 * (size_t)block->n_points) * SHAP_TREES;
    for (size_t i = 0; i < block->n_splits; i++)
        n += filling->is_repeat[i];
    block->repeats = calloc(n * size + 1, sizeof *block->repeats);
    if (!block->repeats)
        return error_set(error, STATUS_MEMORY, "out of memory for a model's trees");
    n = 0;
    for (size_t i = 0; i < block->n_splits; i++) {
        block->splits[i].repeat = filling->is_repeat[i] ? (uint32_t)(n * size) : UINT32_MAX;
        if (filling->is_repeat[i])
            fill_repeat(filling, i, block->repeats + n++ * size);
    }
    return STATUS_OK;
}

/* ---- the whole ---- */

static enum status make_room(struct shap_block *block, struct filling *filling, struct error *error)
{
    size_t n = block->n_splits, n_leaves = (size_t)1 << block->depth;
    block->splits = calloc(n, sizeof *block->splits);
    block->slots = calloc(n * SHAP_TREES, sizeof *block->slots);
    block->leaves = calloc(n_leaves * SHAP_TREES, sizeof *block->leaves);
    block->exists = calloc(n * SHAP_TREES, sizeof *block->exists);
    filling->low = calloc(n, sizeof *filling->low);
    filling->high = calloc(n, sizeof *filling->high);
    filling->above = calloc(n, sizeof *filling->above);
    filling->is_repeat = calloc(n, sizeof *filling->is_repeat);
    if (!block->splits || !block->slots || !block->leaves || !block->exists || !filling->low ||
        !filling->high || !filling->above || !filling->is_repeat)
        return error_set(error, STATUS_MEMORY, "out of memory for a model's trees");
    for (size_t i = 0; i < n; i++) {
        for (size_t lane = 0; lane < SHAP_TREES; lane++) {
            block->splits[i].share[lane] = 1;
            filling->low[i][lane] = filling->high[i][lane] = NAN;
            filling->above[i][lane] = 1;
        }
    }
    return STATUS_OK;
}

static void fill_trees(struct filling *filling, size_t first, const bool *fast)
{
    const struct forest *forest = filling->forest;
    for (size_t lane = 0; lane < SHAP_TREES && first + lane < forest->n_trees; lane++) {
        if (!fast[first + lane])
            continue;
        filling->tree = first + lane;
        filling->lane = lane;
        filling->next_leaf = 0;
        fill_subtree(filling, forest->trees[first + lane].first_node, 0, 0);
    }
}

enum status shap_block_create(const struct forest *forest, size_t first, const bool *fast,
                              const uint32_t *slot_of, struct shap_block *block,
                              struct error *error)
{
    struct filling filling = {.forest = forest, .slot_of = slot_of, .block = block};
    for (size_t i = first; i < first + SHAP_TREES && i < forest->n_trees; i++) {
        if (fast[i] && forest->trees[i].depth > block->depth)
            block->depth = forest->trees[i].depth;
    }
    block->n_splits = ((size_t)1 << block->depth) - 1;
    if (block->n_splits == 0)
        return STATUS_OK; /* leaves explain nothing */
    choose_rule(forest, first, fast, block);
    enum status status = make_room(block, &filling, error);
    if (status == STATUS_OK) {
        fill_trees(&filling, first, fast);
        status = fill_repeats(&filling, error);
    }
    free(filling.low);
    free(filling.high);
    free(filling.above);
    free(filling.is_repeat);
    return status;
}

void shap_block_free(struct shap_block *block)
{
    free(block->splits);
    free(block->slots);
    free(block->leaves);
    free(block->repeats);
    free(block->exists);
}
