/* Builds the ranks and the complete trees, and turns rows into columns of bytes; the instructions
 * themselves are in wide_avx2.c and wide_avx512.c.
 *
 * With T the ascending thresholds of a feature and r(x) the number of them that are not above x,
 * x < T[j] is r(x) <= j. One byte tells 254 thresholds apart; more are cut into chunks, each with a
 * column of its own. A missing value has rank 0, left of everything, in columns read by splits that
 * default to the left, and 255 in the others; so the columns of a feature are per direction. */
#include "engine/model/wide.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BIAS       128
#define MIN_LEAVES 64

/* ---- thresholds ---- */

static bool tree_fits(const struct forest *forest, const struct forest_tree *tree)
{
    bool fits = tree->depth <= WIDE_MAX_DEPTH;
    for (size_t i = tree->first_node; i < (size_t)tree->first_node + tree->n_nodes && fits; i++)
        fits = forest->left[i] < 0 || !forest->categorical[i];
    return fits;
}

/* A split of a tree that fits. */
struct split {
    uint32_t feature;
    float threshold;
};

static int compare_splits(const void *a, const void *b)
{
    const struct split *x = a, *y = b;
    if (x->feature != y->feature)
        return x->feature < y->feature ? -1 : 1;
    return x->threshold < y->threshold ? -1 : x->threshold > y->threshold;
}

static size_t collect_splits(const struct forest *forest, const struct wide *wide,
                             struct split *splits)
{
    size_t n = 0;
    for (size_t t = 0; t < forest->n_trees; t++) {
        const struct forest_tree *tree = &forest->trees[t];
        for (size_t i = tree->first_node; i < (size_t)tree->first_node + tree->n_nodes; i++) {
            if (wide->trees[t].fits && forest->left[i] >= 0)
                splits[n++] = (struct split){forest->feature[i], forest->threshold[i]};
        }
    }
    qsort(splits, n, sizeof *splits, compare_splits);
    size_t n_different = 0;
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || compare_splits(&splits[i - 1], &splits[i]) != 0)
            splits[n_different++] = splits[i];
    }
    return n_different;
}

/* Smallest s with 2^s - 1 >= n. */
static int steps_for(size_t n)
{
    int steps = WIDE_MIN_STEPS;
    while (((size_t)1 << steps) - 1 < n)
        steps++;
    return steps;
}

static enum status place_features(struct wide *wide, const struct split *splits, size_t n,
                                  struct error *error)
{
    size_t room = 0;
    wide->features = calloc(n + 1, sizeof *wide->features);
    wide->thresholds = malloc((((size_t)1 << WIDE_MIN_STEPS) * n + 1) * sizeof *wide->thresholds);
    if (!wide->features || !wide->thresholds)
        return error_set(error, STATUS_MEMORY, "out of memory for a model's thresholds");
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i; end < n && splits[end].feature == splits[i].feature;)
            end++;
        struct wide_feature *feature = &wide->features[wide->n_features++];
        *feature = (struct wide_feature){
            .feature = splits[i].feature,
            .first_threshold = (uint32_t)room,
            .steps = steps_for(end - i),
            .n_chunks = (uint32_t)((end - i + WIDE_CHUNK - 1) / WIDE_CHUNK),
        };
        size_t size = ((size_t)1 << feature->steps) - 1;
        for (size_t k = 0; k < size; k++)
            wide->thresholds[room++] = i + k < end ? splits[i + k].threshold : NAN;
    }
    wide->n_thresholds = room;
    return STATUS_OK;
}

/* ---- columns ---- */

static struct wide_feature *find_feature(const struct wide *wide, uint32_t number)
{
    size_t low = 0, high = wide->n_features;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (wide->features[middle].feature <= number)
            low = middle;
        else
            high = middle;
    }
    return &wide->features[low];
}

static void note_directions(const struct forest *forest, const struct wide *wide)
{
    for (size_t t = 0; t < forest->n_trees; t++) {
        const struct forest_tree *tree = &forest->trees[t];
        for (size_t i = tree->first_node; i < (size_t)tree->first_node + tree->n_nodes; i++) {
            if (!wide->trees[t].fits || forest->left[i] < 0)
                continue;
            struct wide_feature *feature = find_feature(wide, forest->feature[i]);
            *(forest->default_left[i] ? &feature->left : &feature->right) = true;
        }
    }
}

static enum status place_columns(struct wide *wide, struct error *error)
{
    for (size_t i = 0; i < wide->n_features; i++) {
        struct wide_feature *feature = &wide->features[i];
        feature->first_column = (uint32_t)wide->n_columns;
        wide->n_columns += feature->n_chunks * ((size_t)feature->left + (size_t)feature->right);
    }
    if (wide->n_columns > WIDE_MAX_COLUMNS)
        return error_set(error, STATUS_UNSUPPORTED, "too many features for vectors");
    return STATUS_OK;
}

/* ---- trees ---- */

static size_t rank_of_threshold(const struct wide *wide, const struct wide_feature *feature,
                                float threshold)
{
    const float *thresholds = wide->thresholds + feature->first_threshold;
    size_t at = 0;
    for (size_t step = (size_t)1 << feature->steps; step /= 2;)
        at += thresholds[at + step - 1] < threshold ? step : 0;
    return at;
}

static struct wide_node node_for(const struct wide *wide, const struct forest *forest, size_t split)
{
    const struct wide_feature *feature = find_feature(wide, forest->feature[split]);
    size_t rank = rank_of_threshold(wide, feature, forest->threshold[split]);
    size_t n_directions = (size_t)feature->left + (size_t)feature->right;
    size_t column = feature->first_column + rank / WIDE_CHUNK * n_directions;
    if (!forest->default_left[split] && feature->left)
        column++;
    return (struct wide_node){(uint16_t)column, (int8_t)((int)(rank % WIDE_CHUNK) - BIAS)};
}

struct filling {
    const struct forest *forest;
    struct wide *wide;
    size_t tree;
    struct wide_node *node; /* next to be filled */
    float *leaf;
};

/* A leaf above the last level fills everything below it: whichever way a row goes there, it ends at
 * the same value. */
static void fill_subtree(struct filling *filling, size_t node, int levels)
{
    const struct forest *forest = filling->forest;
    bool is_leaf = forest->left[node] < 0;
    if (levels == 0) {
        float value = forest->threshold[node];
        *filling->leaf++ =
            forest->tree_weights ? forest->tree_weights[filling->tree] * value : value;
        return;
    }
    size_t first = forest->trees[filling->tree].first_node;
    *filling->node++ = is_leaf ? (struct wide_node){0, 0} : node_for(filling->wide, forest, node);
    fill_subtree(filling, is_leaf ? node : first + (size_t)forest->left[node], levels - 1);
    fill_subtree(filling, is_leaf ? node : first + (size_t)forest->right[node], levels - 1);
}

static enum status fill_trees(const struct forest *forest, struct wide *wide, struct error *error)
{
    size_t n_nodes = 0, n_leaves = 0;
    for (size_t t = 0; t < wide->n_trees; t++) {
        struct wide_tree *tree = &wide->trees[t];
        tree->first_node = n_nodes;
        tree->first_leaf = n_leaves;
        if (!tree->fits)
            continue;
        size_t n = (size_t)1 << tree->depth;
        n_nodes += n - 1;
        n_leaves += n < MIN_LEAVES ? MIN_LEAVES : n;
    }
    wide->nodes = calloc(n_nodes + 1, sizeof *wide->nodes);
    wide->leaves = calloc(n_leaves + 1, sizeof *wide->leaves);
    if (!wide->nodes || !wide->leaves)
        return error_set(error, STATUS_MEMORY, "out of memory for a model's trees");
    for (size_t t = 0; t < wide->n_trees; t++) {
        const struct wide_tree *tree = &wide->trees[t];
        struct filling filling = {forest, wide, t, wide->nodes + tree->first_node,
                                  wide->leaves + tree->first_leaf};
        if (tree->fits)
            fill_subtree(&filling, forest->trees[t].first_node, tree->depth);
    }
    return STATUS_OK;
}

/* ---- the whole ---- */

static enum status build(const struct forest *forest, struct wide *wide, struct error *error)
{
    size_t n_fit = 0;
    wide->n_trees = forest->n_trees;
    wide->trees = calloc(forest->n_trees + 1, sizeof *wide->trees);
    struct split *splits = malloc((forest->n_nodes + 1) * sizeof *splits);
    enum status status = STATUS_OK;
    if (!wide->trees || !splits) {
        status = error_set(error, STATUS_MEMORY, "out of memory for a model's trees");
        goto out;
    }
    for (size_t t = 0; t < forest->n_trees; t++) {
        wide->trees[t].depth = forest->trees[t].depth;
        wide->trees[t].fits = tree_fits(forest, &forest->trees[t]);
        n_fit += wide->trees[t].fits;
    }
    size_t n_splits = collect_splits(forest, wide, splits);
    if (n_fit == 0 || n_splits == 0)
        status = error_set(error, STATUS_UNSUPPORTED, "no tree for vectors");
    if (status == STATUS_OK)
        status = place_features(wide, splits, n_splits, error);
    if (status == STATUS_OK) {
        note_directions(forest, wide);
        status = place_columns(wide, error);
    }
    if (status == STATUS_OK)
        status = fill_trees(forest, wide, error);
out:
    free(splits);
    return status;
}

enum status wide_create(const struct forest *forest, struct wide **wide, struct error *error)
{
    *wide = NULL;
    struct wide *made = calloc(1, sizeof *made);
    if (!made)
        return error_set(error, STATUS_MEMORY, "out of memory for a model's trees");
    enum status status = build(forest, made, error);
    if (status != STATUS_OK) {
        wide_destroy(made);
        return status;
    }
    *wide = made;
    return STATUS_OK;
}

void wide_destroy(struct wide *wide)
{
    if (!wide)
        return;
    free(wide->features);
    free(wide->thresholds);
    free(wide->trees);
    free(wide->nodes);
    free(wide->leaves);
    free(wide);
}

const struct wide_kernel *wide_best(void)
{
    static const struct wide_kernel *const kernels[] = {&wide_avx512, &wide_avx2};
    for (size_t i = 0; i < sizeof kernels / sizeof kernels[0]; i++) {
        if (kernels[i]->runs_here())
            return kernels[i];
    }
    return NULL;
}

/* ---- rows ---- */

static void put_column(const int32_t ranks[WIDE_ROWS], const float values[WIDE_ROWS], int32_t base,
                       int32_t missing, int8_t *column)
{
    for (size_t i = 0; i < WIDE_ROWS; i++) {
        int32_t rank = ranks[i] - base;
        rank = rank < 0 ? 0 : rank > WIDE_CHUNK ? WIDE_CHUNK : rank;
        rank = values[i] != values[i] ? missing : rank;
        column[i] = (int8_t)(rank - BIAS);
    }
}

void wide_fill(const struct wide *wide, const struct wide_kernel *kernel, const float *rows,
               size_t n, size_t stride, int8_t *columns)
{
    for (size_t f = 0; f < wide->n_features; f++) {
        const struct wide_feature *feature = &wide->features[f];
        float values[WIDE_ROWS];
        int32_t ranks[WIDE_ROWS];
        for (size_t i = 0; i < WIDE_ROWS; i++)
            values[i] = rows[(i < n ? i : n - 1) * stride + feature->feature];
        kernel->rank(wide, feature, values, ranks);
        int8_t *column = columns + (size_t)feature->first_column * WIDE_ROWS;
        for (uint32_t chunk = 0; chunk < feature->n_chunks; chunk++) {
            int32_t base = (int32_t)chunk * WIDE_CHUNK;
            if (feature->left)
                put_column(ranks, values, base, 0, column);
            column += feature->left ? WIDE_ROWS : 0;
            if (feature->right)
                put_column(ranks, values, base, 255, column);
            column += feature->right ? WIDE_ROWS : 0;
        }
    }
}
