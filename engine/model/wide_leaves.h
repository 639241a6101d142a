/* Which leaf of a tree each row of a register ends in, put together from below. A kernel defines
 * WIDE_KERNEL, TARGET, INLINE and for its own registers leaf_numbers, no_leaves(), leaves1() and
 * join(), and includes this. */
#ifndef BINNACLE_MODEL_WIDE_LEAVES_H
#define BINNACLE_MODEL_WIDE_LEAVES_H

#ifdef WIDE_KERNEL

#include "engine/model/wide.h"

/* leavesN: the number of the leaf, within a subtree N deep, that each row ends in. */
INLINE leaf_numbers leaves2(const struct wide_node *node, const int8_t *columns)
{
    return join(node, columns, leaves1(node + 1, columns), leaves1(node + 2, columns), 2);
}

INLINE leaf_numbers leaves3(const struct wide_node *node, const int8_t *columns)
{
    return join(node, columns, leaves2(node + 1, columns), leaves2(node + 4, columns), 4);
}

INLINE leaf_numbers leaves4(const struct wide_node *node, const int8_t *columns)
{
    return join(node, columns, leaves3(node + 1, columns), leaves3(node + 8, columns), 8);
}

TARGET static leaf_numbers leaves5(const struct wide_node *node, const int8_t *columns)
{
    return join(node, columns, leaves4(node + 1, columns), leaves4(node + 16, columns), 16);
}

TARGET static leaf_numbers leaves6(const struct wide_node *node, const int8_t *columns)
{
    return join(node, columns, leaves5(node + 1, columns), leaves5(node + 32, columns), 32);
}

TARGET static leaf_numbers leaves7(const struct wide_node *node, const int8_t *columns)
{
    return join(node, columns, leaves6(node + 1, columns), leaves6(node + 64, columns), 64);
}

TARGET static leaf_numbers leaves8(const struct wide_node *node, const int8_t *columns)
{
    return join(node, columns, leaves7(node + 1, columns), leaves7(node + 128, columns), (char)128);
}

TARGET static leaf_numbers leaves_of(const struct wide_node *node, int depth, const int8_t *columns)
{
    switch (depth) {
    case 0:
        return no_leaves();
    case 1:
        return leaves1(node, columns);
    case 2:
        return leaves2(node, columns);
    case 3:
        return leaves3(node, columns);
    case 4:
        return leaves4(node, columns);
    case 5:
        return leaves5(node, columns);
    case 6:
        return leaves6(node, columns);
    case 7:
        return leaves7(node, columns);
    default:
        return leaves8(node, columns);
    }
}

#endif

#endif
