/* The contributions of sixteen trees, LANES of them at a time. A kernel defines LANES and the
 * operations below for its own registers and includes this; without them they are portable. Every
 * lane is one tree by itself: the same operations in the same order whatever LANES is. */
#ifndef BINNACLE_MODEL_TREESHAP_LANES_H
#define BINNACLE_MODEL_TREESHAP_LANES_H

#include <string.h>

#include "engine/model/treeshap_priv.h"

#ifndef LANES_OWN

#define TARGET
#define INLINE     static inline __attribute__((always_inline))
#define LANE_WIDTH 4

typedef float lanes __attribute__((vector_size(16)));
typedef int32_t lane_mask __attribute__((vector_size(16)));

INLINE lanes lanes_load(const float *from)
{
    lanes value;
    memcpy(&value, from, sizeof value);
    return value;
}

INLINE void lanes_store(float *to, lanes value)
{
    memcpy(to, &value, sizeof value);
}

INLINE lanes lanes_all(float value)
{
    return (lanes){value, value, value, value};
}

INLINE lane_mask lanes_less(lanes a, lanes b)
{
    return a < b;
}

INLINE lane_mask lanes_not_less(lanes a, lanes b)
{
    return a >= b;
}

INLINE lane_mask lanes_nan(lanes a)
{
    const lanes zero = {0};
    return ~((a < zero) | (a >= zero));
}

/* The value of each lane's slot. */
INLINE lanes lanes_pick(const struct shap_inputs *inputs, const uint16_t *slots)
{
    const float *values = inputs->values;
    return (lanes){values[slots[0]], values[slots[1]], values[slots[2]], values[slots[3]]};
}

/* Bit k is lane k. */
INLINE lane_mask lanes_bits(uint32_t bits)
{
    const lane_mask each = {1, 2, 4, 8};
    int32_t all = (int32_t)bits;
    return ((lane_mask){all, all, all, all} & each) != 0;
}

INLINE lane_mask lanes_and(lane_mask a, lane_mask b)
{
    return a & b;
}

INLINE lane_mask lanes_or(lane_mask a, lane_mask b)
{
    return a | b;
}

INLINE lanes lanes_select(lane_mask mask, lanes yes, lanes no)
{
    return (lanes)(((lane_mask)yes & mask) | ((lane_mask)no & ~mask));
}

#endif

/* One pass through the block for the lanes from `lane` on. */
struct shap_pass {
    const struct shap_block *block;
    const struct shap_inputs *inputs;
    float *contribs;
    size_t lane;
};

/* A split as this row meets it. */
struct shap_view {
    lane_mask goes_left, failed;       /* `failed` only of a repeat */
    lanes cold;                        /* the share of the side that the row does not take */
    lanes left[SHAP_MAX_BLOCK_POINTS]; /* r of the left child; that of the right is 1 less it */
    const float *repeat;               /* NULL: the feature does not stand above */
};

INLINE TARGET const float *shap_repeat_of(const struct shap_pass *pass,
                                          const struct shap_split *split)
{
    return split->repeat == UINT32_MAX ? NULL : pass->block->repeats + split->repeat + pass->lane;
}

INLINE TARGET lane_mask shap_failed(const struct shap_pass *pass, const struct shap_split *split,
                                    const float *repeat, lanes value)
{
    lane_mask failed = lanes_or(lanes_less(value, lanes_load(repeat + SHAP_LOW * SHAP_TREES)),
                                lanes_not_less(value, lanes_load(repeat + SHAP_HIGH * SHAP_TREES)));
    if (pass->inputs->missing)
        failed =
            lanes_or(failed, lanes_and(lanes_nan(value),
                                       lanes_bits((uint32_t)split->missing_fails >> pass->lane)));
    return failed;
}

INLINE TARGET void shap_look(const struct shap_pass *pass, size_t node, int n_points,
                             struct shap_view *view)
{
    const struct shap_split *split = &pass->block->splits[node];
    const lanes one = lanes_all(1);
    lanes value = lanes_pick(pass->inputs, pass->block->slots + node * SHAP_TREES + pass->lane);
    view->goes_left = lanes_less(value, lanes_load(split->threshold + pass->lane));
    if (pass->inputs->missing)
        view->goes_left = lanes_or(
            view->goes_left,
            lanes_and(lanes_nan(value), lanes_bits((uint32_t)split->default_left >> pass->lane)));
    lanes share = lanes_load(split->share + pass->lane);
    view->cold = lanes_select(view->goes_left, one - share, share);
    view->repeat = shap_repeat_of(pass, split);
    view->failed = view->goes_left; /* nobody asks without a repeat */
    if (view->repeat)
        view->failed = shap_failed(pass, split, view->repeat, value);
    for (int k = 0; k < n_points; k++) {
        lanes factor = lanes_all(pass->block->u[k]);
        if (view->repeat)
            factor =
                lanes_select(view->failed, one,
                             lanes_load(view->repeat + (size_t)(SHAP_FIRST_COLD + k) * SHAP_TREES));
        lanes cold = view->cold * factor;
        view->left[k] = lanes_select(view->goes_left, one - cold, cold);
    }
}

/* `above` is A w, `left` and `right` are S of the children; S of this node goes to `sums`. */
INLINE TARGET void shap_join(const struct shap_pass *pass, size_t node, int n_points,
                             const struct shap_view *view, const lanes *above, const lanes *left,
                             const lanes *right, lanes *sums)
{
    lanes sum = lanes_all(0);
    for (int k = 0; k < n_points; k++) {
        lanes difference = left[k] - right[k];
        lanes part = above[k] * difference;
        if (view->repeat)
            part = part *
                   lanes_load(view->repeat + (size_t)(SHAP_FIRST_COLD + n_points + k) * SHAP_TREES);
        sum = sum + part;
        sums[k] = right[k] + view->left[k] * difference;
    }
    sum = sum * view->cold;
    sum = lanes_select(view->goes_left, sum, -sum);
    if (view->repeat)
        sum = lanes_select(view->failed, lanes_all(0), sum);
    lanes_store(pass->contribs + node * SHAP_TREES + pass->lane, sum);
}

/* A node above two leaves, which are the same at every point. */
INLINE TARGET void shap_last(const struct shap_pass *pass, size_t node, size_t leaf, int n_points,
                             const lanes *above, lanes *sums)
{
    struct shap_view view;
    lanes left[SHAP_MAX_BLOCK_POINTS], right[SHAP_MAX_BLOCK_POINTS];
    const float *leaves = pass->block->leaves + leaf * SHAP_TREES + pass->lane;
    shap_look(pass, node, n_points, &view);
    for (int k = 0; k < n_points; k++) {
        left[k] = lanes_load(leaves);
        right[k] = lanes_load(leaves + SHAP_TREES);
    }
    shap_join(pass, node, n_points, &view, above, left, right, sums);
}

typedef void (*shap_subtree)(const struct shap_pass *pass, size_t node, size_t leaf, int depth,
                             const lanes *above, lanes *sums);

INLINE TARGET void shap_descend(const struct shap_pass *pass, size_t node, size_t leaf, int depth,
                                int n_points, shap_subtree subtree, const lanes *above, lanes *sums)
{
    struct shap_view view;
    lanes above_left[SHAP_MAX_BLOCK_POINTS], above_right[SHAP_MAX_BLOCK_POINTS];
    lanes left[SHAP_MAX_BLOCK_POINTS], right[SHAP_MAX_BLOCK_POINTS];
    size_t half = (size_t)1 << (depth - 1);
    shap_look(pass, node, n_points, &view);
    for (int k = 0; k < n_points; k++) {
        above_left[k] = above[k] * view.left[k];
        above_right[k] = above[k] - above_left[k];
    }
    if (depth == 2) {
        shap_last(pass, node + 1, leaf, n_points, above_left, left);
        shap_last(pass, node + half, leaf + half, n_points, above_right, right);
    } else {
        subtree(pass, node + 1, leaf, depth - 1, above_left, left);
        subtree(pass, node + half, leaf + half, depth - 1, above_right, right);
    }
    shap_join(pass, node, n_points, &view, above, left, right, sums);
}

/* One function per number of points, so that their loops unroll. */
#define SHAP_SUBTREE(points)                                                                       \
    TARGET static void shap_subtree_##points(const struct shap_pass *pass, size_t node,            \
                                             size_t leaf, int depth, const lanes *above,           \
                                             lanes *sums)                                          \
    {                                                                                              \
        if (depth == 1)                                                                            \
            shap_last(pass, node, leaf, points, above, sums);                                      \
        else                                                                                       \
            shap_descend(pass, node, leaf, depth, points, shap_subtree_##points, above, sums);     \
    }

SHAP_SUBTREE(1)
SHAP_SUBTREE(2)
SHAP_SUBTREE(3)
SHAP_SUBTREE(4)

TARGET static inline void shap_explain(const struct shap_block *block,
                                       const struct shap_inputs *inputs, float *contribs)
{
    static const shap_subtree subtrees[] = {shap_subtree_1, shap_subtree_2, shap_subtree_3,
                                            shap_subtree_4};
    lanes above[SHAP_MAX_BLOCK_POINTS], sums[SHAP_MAX_BLOCK_POINTS];
    for (int k = 0; k < block->n_points; k++)
        above[k] = lanes_all(block->weights[k]);
    for (size_t lane = 0; lane < SHAP_TREES; lane += LANE_WIDTH) {
        const struct shap_pass pass = {block, inputs, contribs, lane};
        subtrees[block->n_points - 1](&pass, 0, 0, block->depth, above, sums);
    }
}

#endif
