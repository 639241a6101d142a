/* Writes a forest in the UBJSON layout of XGBoost 1.7 (as its own writer lays it out: sizes as
 * 64-bit integers, node properties as typed arrays), so that the library only ever reads what was
 * checked. Dart's weights are multiplied into the leaves: the library computes sum += leaf * weight
 * in float, one rounding for the product, so that the sums stay the same. */
#include <stdio.h>
#include <string.h>

#include "engine/base/number.h"
#include "engine/model/model_file.h"

static void put_big_endian(struct buffer *out, uint64_t value, size_t size)
{
    char bytes[8];
    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)(value >> 8 * (size - 1 - i));
    buffer_append(out, bytes, size);
}

static void put_length(struct buffer *out, size_t length)
{
    buffer_append_char(out, 'L');
    put_big_endian(out, length, 8);
}

static void put_key(struct buffer *out, const char *key)
{
    struct slice text = slice_of(key);
    put_length(out, text.size);
    buffer_append_slice(out, text);
}

static void put_text(struct buffer *out, const char *key, const char *text)
{
    put_key(out, key);
    buffer_append_char(out, 'S');
    put_key(out, text);
}

static void put_number(struct buffer *out, const char *key, size_t number)
{
    char text[32];
    (void)snprintf(text, sizeof text, "%zu", number);
    put_text(out, key, text);
}

static void put_object(struct buffer *out, const char *key)
{
    put_key(out, key);
    buffer_append_char(out, '{');
}

static void put_end(struct buffer *out)
{
    buffer_append_char(out, '}');
}

static void put_array_head(struct buffer *out, const char *key, const char *head, size_t n)
{
    put_key(out, key);
    buffer_append_text(out, head);
    put_length(out, n);
}

/* n items of 32 bits: type 'l' or 'd'. */
static void put_words(struct buffer *out, const char *key, char type, const void *data, size_t n)
{
    char head[] = {'[', '$', type, '#', 0};
    put_array_head(out, key, head, n);
    char *to = buffer_reserve(out, n * 4);
    for (size_t i = 0; to && i < n; i++) {
        uint32_t word;
        memcpy(&word, (const char *)data + i * 4, 4);
        word = __builtin_bswap32(word);
        memcpy(to + i * 4, &word, 4);
    }
    if (to)
        out->size += n * 4;
}

static void put_bytes(struct buffer *out, const char *key, const uint8_t *data, size_t n)
{
    put_array_head(out, key, "[$U#", n);
    buffer_append(out, data, n);
}

/* ---- trees ---- */

static void put_conditions(struct buffer *out, const struct forest *forest, size_t tree_index)
{
    const struct forest_tree *tree = &forest->trees[tree_index];
    const float *threshold = forest->threshold + tree->first_node;
    const int32_t *left = forest->left + tree->first_node;
    float weight = forest->tree_weights ? forest->tree_weights[tree_index] : 1.0f;
    put_array_head(out, "split_conditions", "[$d#", tree->n_nodes);
    for (size_t i = 0; i < tree->n_nodes; i++) {
        float value = left[i] < 0 ? threshold[i] * weight : threshold[i];
        uint32_t word;
        memcpy(&word, &value, 4);
        put_big_endian(out, word, 4);
    }
}

static void put_parents(struct buffer *out, const int32_t *left, const int32_t *right, size_t n)
{
    put_array_head(out, "parents", "[$l#", n);
    char *to = buffer_reserve(out, n * 4);
    if (!to)
        return;
    uint32_t none = __builtin_bswap32(INT32_MAX);
    memcpy(to, &none, 4);
    for (size_t i = 0; i < n; i++) {
        uint32_t parent = __builtin_bswap32((uint32_t)i);
        if (left[i] < 0)
            continue;
        memcpy(to + (size_t)left[i] * 4, &parent, 4);
        memcpy(to + (size_t)right[i] * 4, &parent, 4);
    }
    out->size += n * 4;
}

/* The sets of one tree, in the order of its nodes as the library wants them. */
static void put_categories(struct buffer *out, const struct forest *forest,
                           const struct forest_tree *tree)
{
    const uint32_t *first = forest->category_first + tree->first_node;
    const uint32_t *count = forest->category_count + tree->first_node;
    size_t n_sets = 0, n_members = 0;
    for (size_t i = 0; i < tree->n_nodes; i++) {
        n_sets += count[i] > 0;
        n_members += count[i];
    }
    put_array_head(out, "categories", "[$l#", n_members);
    for (size_t i = 0; i < tree->n_nodes; i++)
        for (size_t k = 0; k < count[i]; k++)
            put_big_endian(out, (uint32_t)forest->categories[first[i] + k], 4);
    put_array_head(out, "categories_nodes", "[$l#", n_sets);
    for (size_t i = 0; i < tree->n_nodes; i++)
        if (count[i])
            put_big_endian(out, i, 4);
    put_array_head(out, "categories_segments", "[$L#", n_sets);
    for (size_t i = 0, at = 0; i < tree->n_nodes; at += count[i], i++)
        if (count[i])
            put_big_endian(out, at, 8);
    put_array_head(out, "categories_sizes", "[$L#", n_sets);
    for (size_t i = 0; i < tree->n_nodes; i++)
        if (count[i])
            put_big_endian(out, count[i], 8);
}

static void put_tree(struct buffer *out, const struct forest *forest, size_t index)
{
    const struct forest_tree *tree = &forest->trees[index];
    size_t first = tree->first_node, n = tree->n_nodes;
    buffer_append_char(out, '{');
    put_words(out, "base_weights", 'd', forest->base_weight + first, n);
    put_categories(out, forest, tree);
    put_bytes(out, "default_left", forest->default_left + first, n);
    put_key(out, "id");
    buffer_append_char(out, 'l');
    put_big_endian(out, index, 4);
    put_words(out, "left_children", 'l', forest->left + first, n);
    put_words(out, "loss_changes", 'd', forest->gain + first, n);
    put_parents(out, forest->left + first, forest->right + first, n);
    put_words(out, "right_children", 'l', forest->right + first, n);
    put_conditions(out, forest, index);
    put_words(out, "split_indices", 'l', forest->feature + first, n);
    put_bytes(out, "split_type", forest->categorical + first, n);
    put_words(out, "sum_hessian", 'd', forest->cover + first, n);
    put_object(out, "tree_param");
    put_text(out, "num_deleted", "0");
    put_number(out, "num_feature", forest->n_features);
    put_number(out, "num_nodes", n);
    put_text(out, "size_leaf_vector", "0");
    put_end(out);
    put_end(out);
}

/* ---- the rest ---- */

static void put_booster(struct buffer *out, const struct forest *forest)
{
    put_object(out, "gradient_booster");
    put_object(out, "model");
    put_object(out, "gbtree_model_param");
    put_number(out, "num_parallel_tree", forest->trees_per_round);
    put_number(out, "num_trees", forest->n_trees);
    put_text(out, "size_leaf_vector", "0");
    put_end(out);
    put_array_head(out, "tree_info", "[#", forest->n_trees);
    for (size_t i = 0; i < forest->n_trees; i++)
        buffer_append(out, "i", 2); /* an int8 of 0 */
    put_array_head(out, "trees", "[#", forest->n_trees);
    for (size_t i = 0; i < forest->n_trees; i++)
        put_tree(out, forest, i);
    put_end(out);
    put_text(out, "name", "gbtree");
    put_end(out);
}

static void put_parameters(struct buffer *out, const struct forest *forest)
{
    char base_score[NUMBER_TEXT_SIZE];
    float_format(forest->base_score, base_score);
    put_object(out, "learner_model_param");
    put_text(out, "base_score", base_score);
    put_text(out, "boost_from_average", "1");
    put_text(out, "num_class", "0");
    put_number(out, "num_feature", forest->n_features);
    put_text(out, "num_target", "1");
    put_end(out);
    put_object(out, "objective");
    put_text(out, "name", objective_name(forest->objective));
    put_object(out, "reg_loss_param");
    put_text(out, "scale_pos_weight", "1");
    put_end(out);
    put_end(out);
}

enum status forest_write(const struct forest *forest, struct buffer *out)
{
    buffer_append_char(out, '{');
    put_object(out, "learner");
    put_object(out, "attributes");
    put_end(out);
    put_array_head(out, "feature_names", "[#", 0);
    put_array_head(out, "feature_types", "[#", 0);
    put_booster(out, forest);
    put_parameters(out, forest);
    put_end(out);
    put_array_head(out, "version", "[#", 3);
    buffer_append(out, "i\1i\7i\4", 6);
    put_end(out);
    return out->overflow ? STATUS_FULL : STATUS_OK;
}
