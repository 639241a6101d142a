/* The two ways to the contributions of a tree, and the formulas they share.
 *
 * The Shapley value of feature i in a tree is, over its leaves, v (o_i - z_i) times the integral
 * from 0 to 1 of the product of o_j t + z_j u, u = 1 - t, over the other features j of the leaf's
 * path: o_j says whether the row passes all splits by j on the path, z_j is the share of the
 * training rows that do. This is a polynomial, so a Gauss-Legendre rule of half as many points as
 * there are features is exact. (The integral is the one of Owen 1972, Management Science 18, 64-79;
 * passing products down a tree and sums up is the idea of Yu et al. 2022, "Linear TreeSHAP".)
 *
 * At a node that splits by feature i let z be the share of the rows that passed the splits by i
 * above it (1: there are none), s_hot and s_cold the shares of its children on the row's side and
 * on the other, x = 1 / (t + z u). For every t, with A the product above and S the sums below:
 *
 *   still passing i:  r_hot = (t + z s_hot u) x, r_cold = z s_cold u x,
 *                     phi_i += w A z x^2 ((1 - s_hot) S_hot - s_cold S_cold)
 *   i failed above:   r_hot = s_hot, r_cold = s_cold, and nothing for phi_i
 *   A_child = A r_child,  S = r_hot S_hot + r_cold S_cold
 *
 * No term divides by what can be zero, and none cancels: t and u are within (0, 1). */
#ifndef BINNACLE_MODEL_TREESHAP_PRIV_H
#define BINNACLE_MODEL_TREESHAP_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/model/evaluator_priv.h"
#include "engine/model/treeshap.h"

/* ---- what a forest says ---- */

/* The shares of a split's two children; one half each where the covers say nothing. */
struct shap_shares {
    double left, right;
};
struct shap_shares shap_shares_of(const struct forest *forest, const struct forest_tree *tree,
                                  size_t node);
/* A leaf with dart's weight, rounded as the evaluator does. */
float shap_leaf_value(const struct forest *forest, size_t tree, size_t node);

/* ---- Gauss-Legendre rules on [0, 1] ---- */

#define SHAP_MAX_POINTS 512

/* Up to SHAP_MAX_POINTS of them. */
void shap_rule(size_t n, double *t, double *weights);

/* ---- shallow trees by thresholds, sixteen at a time, in float ---- */

#define SHAP_TREES            ((size_t)16)
#define SHAP_MAX_DEPTH        8
#define SHAP_MAX_BLOCK_POINTS (SHAP_MAX_DEPTH / 2)
#define SHAP_MAX_SLOTS        4096 /* features that blocks may read */
#define SHAP_MIN_INPUTS       32   /* room that kernels read, used or not */

/* One place of sixteen complete trees. */
struct shap_split {
    float threshold[SHAP_TREES];
    float share[SHAP_TREES]; /* of the left child */
    uint16_t default_left;   /* a bit per tree, as below */
    uint16_t missing_fails;  /* a missing value fails a split by the same feature above */
    uint32_t repeat;         /* into shap_block.repeats; UINT32_MAX: in no tree does the feature
                                stand above */
};

/* A place where in some tree the feature stands above: rows of SHAP_TREES floats, `low` and `high`
 * (values in [low, high) pass the splits above; NaN: no bound), then z u x for each point, then
 * z x^2 for each. */
enum shap_repeat_row { SHAP_LOW, SHAP_HIGH, SHAP_FIRST_COLD };

/* Splits are numbered from the root, a node before its left and then its right subtree; leaves from
 * left to right. A leaf above the last level fills everything below it. */
struct shap_block {
    int depth, n_points;
    size_t n_splits;
    struct shap_split *splits;
    uint16_t *slots; /* n_splits * SHAP_TREES */
    float *leaves;   /* 2^depth * SHAP_TREES */
    float *repeats;
    bool *exists; /* n_splits * SHAP_TREES: a split of a tree, not of a leaf that was extended */
    float u[SHAP_MAX_BLOCK_POINTS], weights[SHAP_MAX_BLOCK_POINTS];
};

/* Whether a tree can be put into a block: shallow, without categories, with covers that add up. */
bool shap_block_fits(const struct forest *forest, size_t tree);
/* Of the forest's trees [first, first + SHAP_TREES), those that `fast` has; slot_of[] has a place
 * for each feature they read. `block` is zeroed before; shap_block_free() also after an error. */
MUST_USE enum status shap_block_create(const struct forest *forest, size_t first, const bool *fast,
                                       const uint32_t *slot_of, struct shap_block *block,
                                       struct error *error);
void shap_block_free(struct shap_block *block);

/* What a row brings along: one value per slot; `missing`: some may be NaN. */
struct shap_inputs {
    const float *values; /* at least SHAP_MIN_INPUTS */
    size_t n;
    bool missing;
};

/* What a kernel does: the contributions of all splits, n_splits * SHAP_TREES. Sixteen trees never
 * meet, and every kernel does the same operations for each, so all give the same bits. */
struct shap_kernel {
    const char *name;
    bool (*runs_here)(void);
    void (*explain)(const struct shap_block *block, const struct shap_inputs *inputs,
                    float *contribs);
};

extern const struct shap_kernel shap_portable, shap_avx2, shap_avx512;
/* For tests and benchmarks. False when it does not run here. */
bool treeshap_use(struct treeshap *treeshap, const struct shap_kernel *kernel);

/* ---- any tree, in double, node by node ---- */

struct shap_walk;

/* Of the trees that `fast` does not have. */
MUST_USE enum status shap_walk_create(const struct forest *forest, const bool *fast,
                                      struct shap_walk **walk, struct error *error);
void shap_walk_destroy(struct shap_walk *walk); /* NULL is ignored */
/* Room that shap_walk_add() works in; NULL: out of memory. free() frees it. */
void *shap_walk_scratch(const struct shap_walk *walk);
/* Adds the contributions of those among the first `n_trees` trees to phi[feature]. */
void shap_walk_add(const struct shap_walk *walk, size_t n_trees, const float *row, void *scratch,
                   double *phi);

#endif
