/* Random forests and rows for them: missing values, infinities, values that equal thresholds, sets
 * of categories. The same ones in every run. */
#ifndef BINNACLE_TESTS_RANDOM_FOREST_H
#define BINNACLE_TESTS_RANDOM_FOREST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "engine/model/forest.h"

#define N_FEATURES   7
#define N_THRESHOLDS 9
#define MAX_NODES    200000
#define MAX_SET      40

struct kind {
    const char *name;
    int n_trees, max_depth;
    double leaf_chance;
    bool categorical, dart, infinite;
    enum model_objective objective;
    int spread; /* between codes of categories, above 1: sets of few large codes */
};

static uint64_t chance_state = 42;

/* SplitMix64 (Steele, Lea, Flood 2014). */
static inline uint64_t chance(void)
{
    uint64_t z = chance_state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static inline double uniform(void)
{
    return (double)(chance() >> 11) * 0x1p-53;
}

/* Few different values, so that rows meet thresholds exactly. */
static inline float threshold(const struct kind *kind)
{
    static const float values[N_THRESHOLDS] = {-1e30f, -2.5f, -0.0f, 1e-42f, 0.1f,
                                               1.0f,   3.25f, 7.0f,  1e30f};
    if (kind->infinite && uniform() < 0.1)
        return uniform() < 0.5 ? INFINITY : -INFINITY;
    return values[chance() % N_THRESHOLDS];
}

static inline float cell(const struct kind *kind)
{
    double u = uniform();
    if (u < 0.15)
        return NAN;
    if (u < 0.2)
        return uniform() < 0.5 ? INFINITY : -INFINITY;
    if (kind->categorical && u < 0.7)
        return ((float)(chance() % (MAX_SET + 5)) - 2) * (float)(kind->spread ? kind->spread : 1) +
               (float)(chance() % 2) * 0.5f;
    if (u < 0.6)
        return threshold(kind);
    return (float)((uniform() - 0.5) * 20);
}

static inline void *room(size_t n, size_t size)
{
    void *made = calloc(n, size);
    assert_non_null(made);
    return made;
}

static inline struct forest *make_forest(const struct kind *kind)
{
    struct forest *forest = room(1, sizeof *forest);
    *forest = (struct forest){
        .objective = kind->objective,
        .base_score = objective_is_logistic(kind->objective) ? 0.3f : -1.7f,
        .n_features = N_FEATURES,
        .trees_per_round = 1,
        .trees = room((size_t)kind->n_trees, sizeof *forest->trees),
        .left = room(MAX_NODES, 4),
        .right = room(MAX_NODES, 4),
        .feature = room(MAX_NODES, 4),
        .threshold = room(MAX_NODES, 4),
        .default_left = room(MAX_NODES, 1),
        .categorical = room(MAX_NODES, 1),
        .cover = room(MAX_NODES, 4),
        .gain = room(MAX_NODES, 4),
        .base_weight = room(MAX_NODES, 4),
        .category_first = room(MAX_NODES, 4),
        .category_count = room(MAX_NODES, 4),
        .categories = room((size_t)MAX_NODES * 4, 4),
        .best_iteration = -1,
    };
    strcpy(forest->booster, kind->dart ? "dart" : "gbtree");
    strcpy(forest->trained_by, "1.7.4");
    if (kind->dart)
        forest->tree_weights = room((size_t)kind->n_trees, sizeof(float));
    return forest;
}

static inline void add_set(struct forest *forest, size_t node, int spread)
{
    forest->categorical[node] = 1;
    forest->threshold[node] = NAN;
    forest->category_first[node] = (uint32_t)forest->n_categories;
    for (int32_t category = 0; category < MAX_SET; category++) {
        if (uniform() < 0.05 || (category == MAX_SET - 1 && forest->category_count[node] == 0)) {
            forest->categories[forest->n_categories++] = category * (spread ? spread : 1);
            forest->category_count[node]++;
        }
    }
}

/* Grows breadth first, so that children stand behind their parents; sets the tree's depth. */
static inline void grow(struct forest *forest, const struct kind *kind, struct forest_tree *tree)
{
    size_t first = forest->n_nodes;
    int *depth = room(MAX_NODES, sizeof *depth);
    tree->first_node = (uint32_t)first;
    tree->first_category = (uint32_t)forest->n_categories;
    tree->n_nodes = 1;
    for (size_t i = 0; i < tree->n_nodes; i++) {
        size_t node = first + i;
        bool leaf = depth[i] == kind->max_depth || (i > 0 && uniform() < kind->leaf_chance);
        tree->depth = depth[i] > tree->depth ? depth[i] : tree->depth;
        forest->left[node] = forest->right[node] = -1;
        forest->cover[node] = 1;
        forest->threshold[node] = leaf ? (float)(uniform() - 0.5) : threshold(kind);
        if (leaf)
            continue;
        forest->feature[node] = (uint32_t)(chance() % N_FEATURES);
        forest->default_left[node] = chance() % 2;
        if (kind->categorical && chance() % 3 == 0)
            add_set(forest, node, kind->spread);
        for (int side = 0; side < 2; side++) {
            assert_true(first + tree->n_nodes < MAX_NODES);
            *(side ? &forest->right[node] : &forest->left[node]) = (int32_t)tree->n_nodes;
            depth[tree->n_nodes++] = depth[i] + 1;
        }
    }
    tree->n_categories = (uint32_t)(forest->n_categories - tree->first_category);
    forest->n_nodes += tree->n_nodes;
    free(depth);
}

static inline struct forest *random_forest(const struct kind *kind)
{
    struct forest *forest = make_forest(kind);
    for (int i = 0; i < kind->n_trees; i++) {
        if (kind->dart)
            forest->tree_weights[i] = (float)(0.2 + uniform());
        grow(forest, kind, &forest->trees[forest->n_trees++]);
    }
    return forest;
}

/* Leaves were seen up to 1000 times, or never where `zero` says so; a node as often as both its
 * children. */
static inline void add_up_covers(struct forest *forest, double zero)
{
    for (size_t t = forest->n_trees; t-- > 0;) {
        size_t first = forest->trees[t].first_node;
        for (size_t i = first + forest->trees[t].n_nodes; i-- > first;)
            forest->cover[i] = forest->left[i] >= 0
                                   ? forest->cover[first + (size_t)forest->left[i]] +
                                         forest->cover[first + (size_t)forest->right[i]]
                               : uniform() < zero ? 0
                                                  : (float)(1 + chance() % 1000);
    }
}

#endif
