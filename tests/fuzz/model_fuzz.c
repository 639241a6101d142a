/* Any bytes as a model file: refused with a reason, or a forest that keeps its invariants and
 * survives being written and read again. What is accepted is walked here; the library is not
 * called. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/model/model_file.h"

static void require(bool holds)
{
    if (!holds)
        abort();
}

/* Follows every way down one tree with an explicit stack; more steps than nodes is a cycle. */
static void walk(const struct forest *forest, const struct forest_tree *tree)
{
    const int32_t *left = forest->left + tree->first_node;
    const int32_t *right = forest->right + tree->first_node;
    int32_t *stack = malloc((tree->n_nodes + 1) * sizeof *stack);
    size_t n_stack = 0, n_seen = 0;
    stack[n_stack++] = 0;
    while (n_stack) {
        int32_t node = stack[--n_stack];
        size_t at = tree->first_node + (size_t)node;
        require(++n_seen <= tree->n_nodes);
        if (left[node] < 0) {
            require(right[node] == -1 && isfinite(forest->threshold[at]));
            continue;
        }
        require(left[node] < (int32_t)tree->n_nodes && right[node] > 0 &&
                right[node] < (int32_t)tree->n_nodes);
        require(forest->feature[at] < forest->n_features && !isnan(forest->threshold[at]));
        for (uint32_t i = 0; i < forest->category_count[at]; i++)
            require(forest->categories[forest->category_first[at] + i] >= 0);
        stack[n_stack++] = left[node];
        stack[n_stack++] = right[node];
    }
    require(n_seen == tree->n_nodes);
    free(stack);
}

static void write_and_read(const struct forest *forest)
{
    struct buffer bytes;
    struct forest *again = NULL;
    buffer_init(&bytes, (size_t)64 << 20);
    if (!forest_write(forest, &bytes)) {
        require(forest_read(buffer_slice(&bytes), &again, NULL) == STATUS_OK);
        require(again->n_nodes == forest->n_nodes && again->n_trees == forest->n_trees);
        if (forest->n_nodes)
            require(memcmp(again->left, forest->left, forest->n_nodes * sizeof *forest->left) == 0);
        forest_destroy(again);
    }
    buffer_free(&bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct forest *forest = NULL;
    struct error error = {0};
    if (forest_read(slice_make(data, size), &forest, &error)) {
        require(!forest && error.message[0]);
        return 0;
    }
    for (size_t i = 0; i < forest->n_trees; i++)
        walk(forest, &forest->trees[i]);
    write_and_read(forest);
    forest_destroy(forest);
    return 0;
}
