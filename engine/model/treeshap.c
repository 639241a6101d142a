/* Contributions: shallow trees sixteen at a time by a kernel, in float; all others node by node, in
 * double. Every tree has its own place in the sums (its number modulo sixteen), so that the order
 * of additions is the same for every kernel. Any thread; state is immutable. */
#include "engine/model/treeshap.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/model/treeshap_priv.h"

/* Models that read up to so many inputs are explained without allocating. */
#define SLOTS_ON_STACK 256

/* Contributions that are added up together: so many stay in the first cache. One place more is
 * always 0. */
#define CHUNK_PLACES 8192
/* Sums that grow side by side; a run's places are a multiple of it. */
#define STRANDS 8

/* What one feature gets out of a chunk. */
struct run {
    uint32_t slot;
    uint32_t n;
};

/* Some blocks that follow each other. */
struct chunk {
    size_t first_block, n_blocks;
    size_t n_runs;
    struct run *runs;
    uint16_t *places; /* of all runs, in their order */
};

struct treeshap {
    size_t n_features, n_trees, n_fast;
    size_t n_slots; /* features that some block reads */
    uint32_t *feature_of;
    struct shap_block *blocks;
    size_t n_blocks;
    struct chunk *chunks;
    size_t n_chunks;
    double *bias;           /* of the first i trees, n_trees + 1 */
    struct shap_walk *walk; /* NULL: all trees are fast */
    const struct shap_kernel *kernel;
};

/* ---- building ---- */

/* The bias's share of a subtree, from the leaves up. `means` has a place for each node of the
 * tree; children may stand anywhere, so the tree is walked by `order`, parents first. */
static double expected(const struct forest *forest, size_t number, bool fast, double *means,
                       uint32_t *order)
{
    const struct forest_tree *tree = &forest->trees[number];
    size_t n = 1;
    order[0] = 0;
    for (size_t i = 0; i < n; i++) {
        size_t node = tree->first_node + order[i];
        if (forest->left[node] < 0)
            continue;
        order[n++] = (uint32_t)forest->left[node];
        order[n++] = (uint32_t)forest->right[node];
    }
    while (n-- > 0) {
        size_t node = tree->first_node + order[n];
        if (forest->left[node] < 0) {
            means[order[n]] = (double)shap_leaf_value(forest, number, node);
            continue;
        }
        struct shap_shares shares = shap_shares_of(forest, tree, node);
        if (fast) { /* as the kernels take them */
            shares.left = (double)(float)shares.left;
            shares.right = 1 - shares.left;
        }
        means[order[n]] =
            shares.left * means[forest->left[node]] + shares.right * means[forest->right[node]];
    }
    return means[0];
}

static enum status find_bias(const struct forest *forest, const bool *fast,
                             struct treeshap *treeshap, struct error *error)
{
    size_t most = 1;
    for (size_t i = 0; i < forest->n_trees; i++)
        most = forest->trees[i].n_nodes > most ? forest->trees[i].n_nodes : most;
    double *means = calloc(most, sizeof *means);
    uint32_t *order = calloc(most, sizeof *order);
    treeshap->bias = calloc(forest->n_trees + 1, sizeof *treeshap->bias);
    enum status status = STATUS_OK;
    if (!means || !order || !treeshap->bias) {
        status = error_set(error, STATUS_MEMORY, "out of memory for a model's trees");
        goto out;
    }
    treeshap->bias[0] = (double)evaluator_base_margin(forest);
    for (size_t i = 0; i < forest->n_trees; i++)
        treeshap->bias[i + 1] = treeshap->bias[i] + expected(forest, i, fast[i], means, order);
out:
    free(means);
    free(order);
    return status;
}

/* Gives slots to the features of a tree; false, and none, when there are not enough. */
static bool take_slots(const struct forest *forest, const struct forest_tree *tree,
                       struct treeshap *treeshap, uint32_t *slot_of)
{
    size_t before = treeshap->n_slots;
    for (size_t i = tree->first_node; i < (size_t)tree->first_node + tree->n_nodes; i++) {
        uint32_t feature = forest->feature[i];
        if (forest->left[i] < 0 || slot_of[feature] != UINT32_MAX)
            continue;
        if (treeshap->n_slots == SHAP_MAX_SLOTS) {
            while (treeshap->n_slots > before)
                slot_of[treeshap->feature_of[--treeshap->n_slots]] = UINT32_MAX;
            return false;
        }
        treeshap->feature_of[treeshap->n_slots] = feature;
        slot_of[feature] = (uint32_t)treeshap->n_slots++;
    }
    return true;
}

/* ---- chunks ---- */

static size_t block_places(const struct shap_block *block)
{
    return block->n_splits * SHAP_TREES;
}

/* Visits the splits of a chunk that exist: counts them by slot, or puts their places. */
static void each_split(const struct treeshap *treeshap, const struct chunk *chunk, uint32_t *next,
                       uint16_t *places)
{
    size_t first = 0;
    for (size_t b = chunk->first_block; b < chunk->first_block + chunk->n_blocks; b++) {
        const struct shap_block *block = &treeshap->blocks[b];
        for (size_t i = 0; i < block_places(block); i++) {
            if (!block->exists[i])
                continue;
            if (places)
                places[next[block->slots[i]]] = (uint16_t)(first + i);
            next[block->slots[i]]++;
        }
        first += block_places(block);
    }
}

static enum status fill_chunk(const struct treeshap *treeshap, struct chunk *chunk, uint32_t *next,
                              struct error *error)
{
    size_t n = 0;
    memset(next, 0, treeshap->n_slots * sizeof *next);
    each_split(treeshap, chunk, next, NULL);
    chunk->runs = calloc(treeshap->n_slots + 1, sizeof *chunk->runs);
    if (!chunk->runs)
        return error_set(error, STATUS_MEMORY, "out of memory for a model's trees");
    for (size_t slot = 0; slot < treeshap->n_slots; slot++) {
        uint32_t count = (next[slot] + STRANDS - 1) / STRANDS * STRANDS;
        next[slot] = (uint32_t)n;
        if (count > 0)
            chunk->runs[chunk->n_runs++] = (struct run){(uint32_t)slot, count};
        n += count;
    }
    chunk->places = malloc((n + 1) * sizeof *chunk->places);
    if (!chunk->places)
        return error_set(error, STATUS_MEMORY, "out of memory for a model's trees");
    for (size_t i = 0; i < n; i++)
        chunk->places[i] = CHUNK_PLACES;
    each_split(treeshap, chunk, next, chunk->places);
    return STATUS_OK;
}

static enum status build_chunks(struct treeshap *treeshap, struct error *error)
{
    enum status status = STATUS_OK;
    uint32_t *next = calloc(treeshap->n_slots + 1, sizeof *next);
    treeshap->chunks = calloc(treeshap->n_blocks + 1, sizeof *treeshap->chunks);
    if (!next || !treeshap->chunks)
        status = error_set(error, STATUS_MEMORY, "out of memory for a model's trees");
    for (size_t b = 0; b < treeshap->n_blocks && status == STATUS_OK;) {
        struct chunk *chunk = &treeshap->chunks[treeshap->n_chunks++];
        size_t n = 0;
        chunk->first_block = b;
        while (b < treeshap->n_blocks && n + block_places(&treeshap->blocks[b]) <= CHUNK_PLACES)
            n += block_places(&treeshap->blocks[b++]);
        chunk->n_blocks = b - chunk->first_block;
        status = fill_chunk(treeshap, chunk, next, error);
    }
    free(next);
    return status;
}

static enum status build_parts(const struct forest *forest, bool *fast, uint32_t *slot_of,
                               struct treeshap *treeshap, struct error *error)
{
    for (size_t i = 0; i < forest->n_features; i++)
        slot_of[i] = UINT32_MAX;
    for (size_t i = 0; i < forest->n_trees; i++) {
        fast[i] =
            shap_block_fits(forest, i) && take_slots(forest, &forest->trees[i], treeshap, slot_of);
        treeshap->n_fast += fast[i];
    }
    enum status status = find_bias(forest, fast, treeshap, error);
    for (size_t i = 0; i < treeshap->n_blocks && status == STATUS_OK; i++)
        status =
            shap_block_create(forest, i * SHAP_TREES, fast, slot_of, &treeshap->blocks[i], error);
    if (status == STATUS_OK)
        status = build_chunks(treeshap, error);
    if (status == STATUS_OK && treeshap->n_fast < forest->n_trees)
        status = shap_walk_create(forest, fast, &treeshap->walk, error);
    return status;
}

static const struct shap_kernel *best_kernel(void)
{
    static const struct shap_kernel *const kernels[] = {&shap_avx512, &shap_avx2, &shap_portable};
    size_t i = 0;
    while (!kernels[i]->runs_here())
        i++;
    return kernels[i];
}

static enum status build(const struct forest *forest, struct treeshap *treeshap,
                         struct error *error)
{
    treeshap->n_features = forest->n_features;
    treeshap->n_trees = forest->n_trees;
    treeshap->n_blocks = (forest->n_trees + SHAP_TREES - 1) / SHAP_TREES;
    treeshap->kernel = best_kernel();
    treeshap->blocks = calloc(treeshap->n_blocks + 1, sizeof *treeshap->blocks);
    treeshap->feature_of = calloc(SHAP_MAX_SLOTS, sizeof *treeshap->feature_of);
    bool *fast = calloc(forest->n_trees + 1, sizeof *fast);
    uint32_t *slot_of = calloc(forest->n_features + 1, sizeof *slot_of);
    enum status status = treeshap->blocks && treeshap->feature_of && fast && slot_of
                             ? build_parts(forest, fast, slot_of, treeshap, error)
                             : error_set(error, STATUS_MEMORY, "out of memory for a model's trees");
    free(fast);
    free(slot_of);
    return status;
}

enum status treeshap_create(const struct forest *forest, struct treeshap **treeshap,
                            struct error *error)
{
    *treeshap = NULL;
    struct treeshap *made = calloc(1, sizeof *made);
    if (!made)
        return error_set(error, STATUS_MEMORY, "out of memory for a model's trees");
    enum status status = build(forest, made, error);
    if (status != STATUS_OK) {
        treeshap_destroy(made);
        return status;
    }
    *treeshap = made;
    return STATUS_OK;
}

void treeshap_destroy(struct treeshap *treeshap)
{
    if (!treeshap)
        return;
    for (size_t i = 0; treeshap->blocks && i < treeshap->n_blocks; i++)
        shap_block_free(&treeshap->blocks[i]);
    for (size_t i = 0; treeshap->chunks && i < treeshap->n_chunks; i++) {
        free(treeshap->chunks[i].runs);
        free(treeshap->chunks[i].places);
    }
    shap_walk_destroy(treeshap->walk);
    free(treeshap->chunks);
    free(treeshap->blocks);
    free(treeshap->feature_of);
    free(treeshap->bias);
    free(treeshap);
}

/* ---- explaining ---- */

/* What one call works in. */
struct room {
    float *inputs; /* n_slots, at least SHAP_MIN_INPUTS: the row's values that trees read */
    double *sums;  /* n_slots */
    double *phi;   /* n_features, by the slow way; NULL: there is none */
    void *walk;
};

static bool gather_inputs(const struct treeshap *treeshap, const float *row, float *inputs)
{
    bool missing = false;
    for (size_t i = 0; i < treeshap->n_slots; i++) {
        inputs[i] = row[treeshap->feature_of[i]];
        missing |= isnan(inputs[i]);
    }
    return missing;
}

/* Adds up what belongs to one feature. */
static double sum_run(const float *contribs, const uint16_t *places, size_t n)
{
    float strands[STRANDS] = {0};
    for (size_t i = 0; i < n; i += STRANDS) {
        for (size_t k = 0; k < STRANDS; k++)
            strands[k] += contribs[places[i + k]];
    }
    double sum = 0;
    for (size_t k = 0; k < STRANDS; k++)
        sum += (double)strands[k];
    return sum;
}

/* Trees from `n_trees` on, counted from the block's first, say nothing. */
static void silence(const struct shap_block *block, size_t n_trees, float *contribs)
{
    for (size_t i = 0; i < block_places(block); i++) {
        if (i % SHAP_TREES >= n_trees)
            contribs[i] = 0;
    }
}

static void add_chunk(const struct treeshap *treeshap, const struct chunk *chunk, size_t n_trees,
                      const struct shap_inputs *inputs, double *sums)
{
    float contribs[CHUNK_PLACES + 1], *next = contribs;
    contribs[CHUNK_PLACES] = 0;
    for (size_t b = chunk->first_block; b < chunk->first_block + chunk->n_blocks; b++) {
        const struct shap_block *block = &treeshap->blocks[b];
        size_t n = n_trees > b * SHAP_TREES ? n_trees - b * SHAP_TREES : 0;
        if (block->n_splits > 0 && n > 0)
            treeshap->kernel->explain(block, inputs, next);
        if (n < SHAP_TREES)
            silence(block, n, next);
        next += block_places(block);
    }
    const uint16_t *places = chunk->places;
    for (size_t i = 0; i < chunk->n_runs; i++) {
        sums[chunk->runs[i].slot] += sum_run(contribs, places, chunk->runs[i].n);
        places += chunk->runs[i].n;
    }
}

static void explain_row(const struct treeshap *treeshap, size_t n_trees, const float *row,
                        const struct room *room, float *out)
{
    bool missing = gather_inputs(treeshap, row, room->inputs);
    const struct shap_inputs inputs = {room->inputs, treeshap->n_slots, missing};
    memset(room->sums, 0, treeshap->n_slots * sizeof *room->sums);
    for (size_t i = 0; i < treeshap->n_chunks; i++) {
        if (treeshap->chunks[i].first_block * SHAP_TREES < n_trees)
            add_chunk(treeshap, &treeshap->chunks[i], n_trees, &inputs, room->sums);
    }
    memset(out, 0, treeshap->n_features * sizeof *out);
    if (room->phi) {
        memset(room->phi, 0, treeshap->n_features * sizeof *room->phi);
        shap_walk_add(treeshap->walk, n_trees, row, room->walk, room->phi);
        for (size_t i = 0; i < treeshap->n_features; i++)
            out[i] = (float)room->phi[i];
    }
    for (size_t i = 0; i < treeshap->n_slots; i++) {
        uint32_t feature = treeshap->feature_of[i];
        out[feature] = (float)(room->sums[i] + (room->phi ? room->phi[feature] : 0));
    }
    out[treeshap->n_features] = (float)treeshap->bias[n_trees];
}

enum status treeshap_contribs(const struct treeshap *treeshap, size_t n_trees, const float *rows,
                              size_t n, size_t stride, float *out, struct error *error)
{
    float inputs[SLOTS_ON_STACK] = {0};
    double sums[SLOTS_ON_STACK];
    struct room room = {.inputs = inputs, .sums = sums};
    bool many = treeshap->n_slots > SLOTS_ON_STACK;
    enum status status = STATUS_OK;
    if (many) {
        room.inputs = malloc(treeshap->n_slots * sizeof *room.inputs);
        room.sums = malloc(treeshap->n_slots * sizeof *room.sums);
    }
    if (treeshap->walk) {
        room.phi = malloc((treeshap->n_features + 1) * sizeof *room.phi);
        room.walk = shap_walk_scratch(treeshap->walk);
    }
    if (!room.inputs || !room.sums || (treeshap->walk && (!room.phi || !room.walk))) {
        status = error_set(error, STATUS_MEMORY, "out of memory for explaining");
        goto out;
    }
    for (size_t i = 0; i < n; i++)
        explain_row(treeshap, n_trees, rows + i * stride, &room,
                    out + i * (treeshap->n_features + 1));
out:
    if (many) {
        free(room.inputs);
        free(room.sums);
    }
    free(room.phi);
    free(room.walk);
    return status;
}

/* ---- what it is ---- */

size_t treeshap_n_fast(const struct treeshap *treeshap)
{
    return treeshap->n_fast;
}

const char *treeshap_kernel(const struct treeshap *treeshap)
{
    return treeshap->n_fast > 0 ? treeshap->kernel->name : "walk";
}

bool treeshap_use(struct treeshap *treeshap, const struct shap_kernel *kernel)
{
    bool runs = kernel->runs_here();
    if (runs)
        treeshap->kernel = kernel;
    return runs;
}
