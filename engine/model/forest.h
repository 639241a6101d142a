/* A model's trees as plain arrays: what a model file says, checked, before anybody evaluates it. */
#ifndef BINNACLE_MODEL_FOREST_H
#define BINNACLE_MODEL_FOREST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How the sum of leaves becomes the answer. */
enum model_objective {
    OBJECTIVE_BINARY_LOGISTIC, /* probability: logistic of the margin */
    OBJECTIVE_BINARY_LOGITRAW, /* the margin as it is */
    OBJECTIVE_REG_LOGISTIC,    /* as binary:logistic */
    OBJECTIVE_REG_SQUAREDERROR,
    OBJECTIVE_COUNT
};
/* "binary:logistic", ... */
const char *objective_name(enum model_objective objective);
bool objective_is_logistic(enum model_objective objective);

/* One tree's nodes are [first_node, first_node + n_nodes) of the forest's arrays; node 0 of a tree
 * is its root; the others stand in any order. */
struct forest_tree {
    uint32_t first_node;
    uint32_t n_nodes;
    uint32_t first_category; /* into categories[] */
    uint32_t n_categories;
    int depth; /* edges on the longest way down; 0: a single leaf */
};

/* Invariants of a forest that forest_read() returned: children are node numbers within the tree or
 * both -1; every node but the root has exactly one parent and is reached from the root; `feature`
 * < n_features; leaf values are finite and thresholds are not NaN. */
struct forest {
    enum model_objective objective;
    float base_score; /* as the version that wrote it understands it: a probability within 0 and 1
                         where the objective is logistic, else a margin */
    size_t n_features;
    char **feature_names; /* n_features of them, or NULL when the file has none */
    char **feature_types; /* "float", "int", "i", "q", "c"; or NULL */
    size_t n_trees;
    size_t trees_per_round; /* above 1 for random forests */
    struct forest_tree *trees;

    size_t n_nodes;
    int32_t *left; /* -1: a leaf */
    int32_t *right;
    uint32_t *feature;
    float *threshold;      /* a split goes left when value < threshold; of a leaf: its value */
    uint8_t *default_left; /* where a missing value goes */
    uint8_t *categorical;  /* a split whose categories below go right, all others left */
    float *cover;          /* sum of hessians, for contributions */
    float *gain;
    float *base_weight;
    uint32_t *category_first; /* per node: into categories[]; only where categorical */
    uint32_t *category_count;
    size_t n_categories;
    int32_t *categories;

    float *tree_weights; /* dart: each tree's factor, n_trees of them; NULL otherwise */
    size_t n_attributes; /* text the trainer left: best_iteration, scaling parameters */
    char **attribute_keys;
    char **attribute_values;
    int64_t best_iteration; /* -1 when early stopping left none */
    char booster[16];       /* "gbtree", "dart" */
    char trained_by[24];    /* library version, "1.7.4"; "" when the file has none */
};

void forest_destroy(struct forest *forest); /* NULL is ignored */
/* NULL when there is none. */
const char *forest_attribute(const struct forest *forest, const char *key);

#endif
