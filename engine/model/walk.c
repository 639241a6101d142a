/* Trees of any shape, one row at a time. What the fast ways cannot hold comes here, and tests hold
 * them against it. */
#include <math.h>
#include <stdlib.h>

#include "engine/model/evaluator_priv.h"

/* From here on codes are not exact in a float; the training library sends them left. */
#define CATEGORY_LIMIT 16777216.0f

/* Sets are bits as long as their largest member. One that would take far more room so than as a
 * list of its members is that list, ascending: else few bytes of a file could ask for any memory.
 */
#define LIST          0x80000000u
#define MAX_BIT_WORDS 64

static uint32_t set_words(const struct forest *forest, size_t node)
{
    int32_t largest = -1;
    uint32_t n = forest->category_count[node];
    for (uint32_t i = 0; i < n; i++) {
        int32_t category = forest->categories[forest->category_first[node] + i];
        largest = category > largest ? category : largest;
    }
    uint32_t n_bit_words = (uint32_t)(largest / 32 + 1);
    return n_bit_words > MAX_BIT_WORDS && n_bit_words / 4 > n ? n | LIST : n_bit_words;
}

static size_t count_words(const struct forest *forest)
{
    size_t n = 0;
    for (size_t i = 0; i < forest->n_nodes; i++) {
        if (forest->left[i] >= 0 && forest->categorical[i])
            n += set_words(forest, i) & ~LIST;
    }
    return n;
}

static int compare_words(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void fill_set(const struct forest *forest, size_t node, bool list, uint32_t *words)
{
    uint32_t n = forest->category_count[node];
    for (uint32_t i = 0; i < n; i++) {
        uint32_t category = (uint32_t)forest->categories[forest->category_first[node] + i];
        if (list)
            words[i] = category;
        else
            words[category / 32] |= 1u << category % 32;
    }
    if (list)
        qsort(words, n, sizeof *words, compare_words);
}

static float leaf_value(const struct forest *forest, size_t tree, float value)
{
    return forest->tree_weights ? forest->tree_weights[tree] * value : value;
}

static void fill_tree(const struct forest *forest, size_t tree, struct walk *walk, size_t *n_words)
{
    const struct forest_tree *at = &forest->trees[tree];
    for (size_t i = at->first_node; i < (size_t)at->first_node + at->n_nodes; i++) {
        bool leaf = forest->left[i] < 0;
        int32_t first = (int32_t)at->first_node;
        struct walk_node *node = &walk->nodes[i];
        *node = (struct walk_node){
            .value = leaf ? leaf_value(forest, tree, forest->threshold[i]) : forest->threshold[i],
            .left = leaf ? -1 : first + forest->left[i],
            .right = leaf ? -1 : first + forest->right[i],
            .feature = forest->feature[i],
            .default_left = forest->default_left[i],
        };
        if (leaf || !forest->categorical[i])
            continue;
        node->first_word = (uint32_t)*n_words;
        node->n_words = set_words(forest, i);
        fill_set(forest, i, node->n_words & LIST, walk->words + *n_words);
        *n_words += node->n_words & ~LIST;
    }
}

enum status walk_create(const struct forest *forest, struct walk *walk, struct error *error)
{
    size_t n_words = count_words(forest);
    walk->nodes = calloc(forest->n_nodes ? forest->n_nodes : 1, sizeof *walk->nodes);
    walk->words = calloc(n_words ? n_words : 1, sizeof *walk->words);
    if (!walk->nodes || !walk->words)
        return error_set(error, STATUS_MEMORY, "out of memory for a model's trees");
    n_words = 0;
    for (size_t i = 0; i < forest->n_trees; i++)
        fill_tree(forest, i, walk, &n_words);
    return STATUS_OK;
}

void walk_free(struct walk *walk)
{
    free(walk->nodes);
    free(walk->words);
}

static bool in_set(const struct walk *walk, const struct walk_node *node, float value)
{
    if (!(value >= 0 && value < CATEGORY_LIMIT))
        return false;
    uint32_t category = (uint32_t)value;
    if (node->n_words & LIST)
        return bsearch(&category, walk->words + node->first_word, node->n_words & ~LIST,
                       sizeof category, compare_words) != NULL;
    return category / 32 < node->n_words &&
           (walk->words[node->first_word + category / 32] >> category % 32 & 1);
}

static bool node_goes_left(const struct walk *walk, const struct walk_node *node, const float *row)
{
    float value = row[node->feature];
    if (isnan(value))
        return node->default_left;
    return node->n_words ? !in_set(walk, node, value) : value < node->value;
}

bool walk_goes_left(const struct walk *walk, size_t node, const float *row)
{
    return node_goes_left(walk, &walk->nodes[node], row);
}

float walk_leaf(const struct walk *walk, size_t root, const float *row)
{
    const struct walk_node *node = &walk->nodes[root];
    while (node->left >= 0)
        node = &walk->nodes[node_goes_left(walk, node, row) ? node->left : node->right];
    return node->value;
}
