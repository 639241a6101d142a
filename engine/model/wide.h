/* A forest for many rows at once: values become ranks of a byte among the model's own thresholds, a
 * vector of rows is compared with a threshold in one instruction, and the leaf each row ends in is
 * put together from below without a branch. */
#ifndef BINNACLE_MODEL_WIDE_H
#define BINNACLE_MODEL_WIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/status.h"
#include "engine/model/forest.h"

#define WIDE_ROWS        64 /* at a time */
#define WIDE_MAX_DEPTH   8
#define WIDE_MAX_COLUMNS 1024
#define WIDE_CHUNK       254 /* thresholds that one byte tells apart */
#define WIDE_MIN_STEPS   5   /* a kernel may search this many levels at once */

/* A feature that some split reads, and the columns of bytes made of it. */
struct wide_feature {
    uint32_t feature;
    uint32_t first_threshold; /* 2^steps - 1 of them, ascending, the rest NaN */
    int steps;                /* at least WIDE_MIN_STEPS */
    uint32_t first_column;
    uint32_t n_chunks;
    bool left,
        right; /* missing values: one column per chunk and direction that splits default to */
};

/* Right when the row's byte in `column` is greater than `rank`. Bytes are ranks less 128. */
struct wide_node {
    uint16_t column;
    int8_t rank;
};

struct wide_tree {
    bool fits;
    int depth;
    size_t first_node; /* complete, a subtree's root before its left and then its right subtree */
    size_t first_leaf; /* from left to right, at least 64 places */
};

struct wide {
    struct wide_feature *features;
    size_t n_features;
    float *thresholds;
    size_t n_thresholds;
    size_t n_columns;
    struct wide_tree *trees;
    size_t n_trees;
    struct wide_node *nodes;
    float *leaves;
};

/* STATUS_UNSUPPORTED when no tree fits or there are too many columns: then something else has to
 * do it. */
MUST_USE enum status wide_create(const struct forest *forest, struct wide **wide,
                                 struct error *error);
void wide_destroy(struct wide *wide); /* NULL is ignored */

/* What a kernel does for up to WIDE_ROWS rows. */
struct wide_kernel {
    const char *name;
    bool (*runs_here)(void);
    /* Ranks of one feature's values of WIDE_ROWS rows: how many thresholds are not above each. */
    void (*rank)(const struct wide *wide, const struct wide_feature *feature,
                 const float values[WIDE_ROWS], int32_t ranks[WIDE_ROWS]);
    /* Adds the tree's leaves to the margins. */
    void (*add)(const struct wide *wide, const struct wide_tree *tree, const int8_t *columns,
                float margins[WIDE_ROWS]);
};

extern const struct wide_kernel wide_avx2, wide_avx512;
/* The best one that runs here; NULL: none. */
const struct wide_kernel *wide_best(void);

/* The columns of n rows (the rest up to WIDE_ROWS repeat the last): wide->n_columns times WIDE_ROWS
 * bytes; fastest where aligned to 64, which kernels do not rely on. */
void wide_fill(const struct wide *wide, const struct wide_kernel *kernel, const float *rows,
               size_t n, size_t stride, int8_t *columns);

#endif
