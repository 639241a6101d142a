/* The booster of a model file: trees, their parameters, dart's weights. What an unknown key means
 * for the scores cannot be known, so on these levels it is refused. */
#include <stdio.h>

#include "engine/model/model_file_priv.h"

/* ---- trees ---- */

static enum status add_item(struct model_reader *reader, struct column *column, enum item_kind kind,
                            const struct token *token)
{
    if (column->size == UINT32_MAX)
        return tokens_error(&reader->tokens, "too many nodes");
    enum status status = column_reserve(column, 1, reader->error);
    if (status)
        return status;
    if (kind == ITEM_REAL) {
        if (token->kind != TOKEN_NUMBER)
            return model_wrong_kind(reader, "a number");
        ((float *)column->data)[column->size++] = token->real;
    } else if (kind == ITEM_FLAG) {
        bool is_integer = token->kind == TOKEN_BOOL || token->is_integer;
        if (!is_integer || token->integer < 0 || token->integer > 1)
            return model_wrong_kind(reader, "0 or 1");
        ((uint8_t *)column->data)[column->size++] = (uint8_t)token->integer;
    } else {
        if (!token->is_integer || token->integer < INT32_MIN || token->integer > INT32_MAX)
            return model_wrong_kind(reader, "an integer of 32 bits");
        ((int32_t *)column->data)[column->size++] = (int32_t)token->integer;
    }
    return STATUS_OK;
}

static enum status read_array(struct model_reader *reader, const struct token *first,
                              struct column *column, enum item_kind kind)
{
    if (first->kind != TOKEN_ARRAY)
        return model_wrong_kind(reader, "an array");
    for (size_t i = 0;; i++) {
        struct token token;
        enum status status = tokens_next(&reader->tokens, &token);
        if (!status && token.kind == TOKEN_ARRAY_END)
            return STATUS_OK;
        if (!status)
            status = add_item(reader, column, kind, &token);
        if (status)
            return model_at_item(reader, i, status);
    }
}

static enum status read_items(struct model_reader *reader, const struct token *first,
                              const struct member *member)
{
    return read_array(reader, first, &reader->columns[member->column], member->kind);
}

static enum status read_num_nodes(struct model_reader *reader, const struct token *first,
                                  const struct member *member)
{
    (void)member;
    return model_read_count(reader, first, &reader->num_nodes);
}

static enum status read_leaf_size(struct model_reader *reader, const struct token *first,
                                  const struct member *member)
{
    (void)member;
    int64_t size;
    enum status status = model_read_integer(reader, first, &size);
    if (!status && size > 1)
        return error_set(reader->error, STATUS_UNSUPPORTED,
                         "its leaves hold vectors: only models with one output can be scored");
    return status;
}

static enum status read_tree_param(struct model_reader *reader, const struct token *first,
                                   const struct member *member)
{
    (void)member;
    static const struct member members[] = {
        {.key = "num_nodes", .read = read_num_nodes},
        {.key = "size_leaf_vector", .read = read_leaf_size},
        {.key = NULL},
    };
    return model_read_object(reader, first, members, "a tree's parameters", false);
}

static enum status read_tree(struct model_reader *reader, const struct token *first)
{
    /* clang-format off */
    static const struct member members[] = {
        {"left_children", read_items, COLUMN_LEFT, ITEM_INT},
        {"right_children", read_items, COLUMN_RIGHT, ITEM_INT},
        {"split_indices", read_items, COLUMN_FEATURE, ITEM_INT},
        {"split_conditions", read_items, COLUMN_THRESHOLD, ITEM_REAL},
        {"default_left", read_items, COLUMN_DEFAULT_LEFT, ITEM_FLAG},
        {"split_type", read_items, COLUMN_CATEGORICAL, ITEM_FLAG},
        {"sum_hessian", read_items, COLUMN_COVER, ITEM_REAL},
        {"loss_changes", read_items, COLUMN_GAIN, ITEM_REAL},
        {"base_weights", read_items, COLUMN_BASE_WEIGHT, ITEM_REAL},
        {"parents", read_items, COLUMN_PARENTS, ITEM_INT},
        {"categories_nodes", read_items, COLUMN_CATEGORY_NODES, ITEM_INT},
        {"categories_segments", read_items, COLUMN_CATEGORY_SEGMENTS, ITEM_INT},
        {"categories_sizes", read_items, COLUMN_CATEGORY_SIZES, ITEM_INT},
        {"categories", read_items, COLUMN_CATEGORIES, ITEM_INT},
        {.key = "tree_param", .read = read_tree_param},
        {.key = "id"},
        {.key = "leaf_child_counts"}, /* up to XGBoost 1.2; for growing trees */
        {.key = NULL},
    };
    /* clang-format on */
    reader->first_node = reader->columns[COLUMN_LEFT].size;
    reader->first_category = reader->columns[COLUMN_CATEGORIES].size;
    reader->num_nodes = -1;
    for (int i = COLUMN_PARENTS; i < COLUMN_CATEGORIES; i++)
        reader->columns[i].size = 0;
    enum status status = model_read_object(reader, first, members, "a tree", true);
    return status ? status : model_check_tree(reader);
}

static enum status read_trees(struct model_reader *reader, const struct token *first,
                              const struct member *member)
{
    (void)member;
    if (first->kind != TOKEN_ARRAY)
        return model_wrong_kind(reader, "an array of trees");
    if (reader->has_trees)
        return tokens_error(&reader->tokens, "a second array of trees");
    reader->has_trees = true;
    for (;;) {
        struct token token;
        enum status status = tokens_next(&reader->tokens, &token);
        if (!status && token.kind == TOKEN_ARRAY_END)
            return STATUS_OK;
        if (!status)
            status = read_tree(reader, &token);
        if (status)
            return model_at_item(reader, reader->trees.size, status);
    }
}

/* ---- the booster ---- */

static enum status read_num_trees(struct model_reader *reader, const struct token *first,
                                  const struct member *member)
{
    (void)member;
    return model_read_count(reader, first, &reader->num_trees);
}

static enum status read_trees_per_round(struct model_reader *reader, const struct token *first,
                                        const struct member *member)
{
    (void)member;
    return model_read_integer(reader, first, &reader->trees_per_round);
}

static enum status read_gbtree_param(struct model_reader *reader, const struct token *first,
                                     const struct member *member)
{
    (void)member;
    static const struct member members[] = {
        {.key = "num_trees", .read = read_num_trees},
        {.key = "num_parallel_tree", .read = read_trees_per_round},
        {.key = "size_leaf_vector", .read = read_leaf_size},
        {.key = NULL},
    };
    return model_read_object(reader, first, members, "the trees' parameters", false);
}

/* Which output each tree adds to: always the first. */
static enum status read_tree_info(struct model_reader *reader, const struct token *first,
                                  const struct member *member)
{
    (void)member;
    if (first->kind != TOKEN_ARRAY)
        return model_wrong_kind(reader, "an array");
    reader->has_tree_info = true;
    for (size_t i = 0;; i++) {
        struct token token;
        enum status status = tokens_next(&reader->tokens, &token);
        reader->n_tree_info = i;
        if (status || token.kind == TOKEN_ARRAY_END)
            return status;
        if (!token.is_integer)
            return model_at_item(reader, i, model_wrong_kind(reader, "an integer"));
        if (token.integer != 0)
            return error_set(reader->error, STATUS_UNSUPPORTED,
                             "it has several outputs: only binary classifiers and regressions with "
                             "one can be scored");
    }
}

/* Since XGBoost 2.0; checked against the trees in the end. */
static enum status read_rounds(struct model_reader *reader, const struct token *first,
                               const struct member *member)
{
    (void)member;
    return read_array(reader, first, &reader->rounds, ITEM_INT);
}

/* Dart's tree weights stand beside the trees up to XGBoost 3.3 and within them since: they are
 * read wherever they are. */
static enum status read_weights(struct model_reader *reader, const struct token *first,
                                const struct member *member)
{
    (void)member;
    if (first->kind != TOKEN_ARRAY)
        return model_wrong_kind(reader, "an array");
    if (reader->weights.size)
        return tokens_error(&reader->tokens, "a second weight_drop");
    for (;;) {
        struct token token;
        enum status status = tokens_next(&reader->tokens, &token);
        if (status || token.kind == TOKEN_ARRAY_END)
            return status;
        status = add_item(reader, &reader->weights, ITEM_REAL, &token);
        if (status)
            return model_at_item(reader, reader->weights.size, status);
    }
}

static enum status read_tree_model(struct model_reader *reader, const struct token *first,
                                   const struct member *member)
{
    (void)member;
    static const struct member members[] = {
        {.key = "trees", .read = read_trees},
        {.key = "tree_info", .read = read_tree_info},
        {.key = "gbtree_model_param", .read = read_gbtree_param},
        {.key = "weight_drop", .read = read_weights},
        {.key = "iteration_indptr", .read = read_rounds},
        {.key = "cats"}, /* names of categories; ours come as codes */
        {.key = NULL},
    };
    return model_read_object(reader, first, members, "the model", true);
}

static enum status read_booster_name(struct model_reader *reader, const struct token *first,
                                     const struct member *member)
{
    (void)member;
    if (first->kind != TOKEN_STRING)
        return model_wrong_kind(reader, "the booster's name");
    bool dart = slice_is(first->text, "dart");
    if (!dart && !slice_is(first->text, "gbtree"))
        return error_set(reader->error, STATUS_UNSUPPORTED,
                         "its booster is \"%.*s\": only gbtree and dart can be scored",
                         first->text.size > 64 ? 64 : (int)first->text.size, first->text.data);
    if (reader->forest->booster[0] != 'd') /* dart's own gbtree does not hide it */
        snprintf(reader->forest->booster, sizeof reader->forest->booster, "%s",
                 dart ? "dart" : "gbtree");
    return STATUS_OK;
}

static enum status read_inner_booster(struct model_reader *reader, const struct token *first,
                                      const struct member *member)
{
    (void)member;
    static const struct member members[] = {
        {.key = "model", .read = read_tree_model},
        {.key = "name", .read = read_booster_name},
        {.key = "weight_drop", .read = read_weights},
        {.key = NULL},
    };
    return model_read_object(reader, first, members, "the booster", true);
}

enum status model_read_booster(struct model_reader *reader, const struct token *first,
                               const struct member *member)
{
    (void)member;
    static const struct member members[] = {
        {.key = "model", .read = read_tree_model},
        {.key = "gbtree", .read = read_inner_booster},
        {.key = "name", .read = read_booster_name},
        {.key = "weight_drop", .read = read_weights},
        {.key = NULL},
    };
    reader->has_booster = true;
    return model_read_object(reader, first, members, "the booster", true);
}
