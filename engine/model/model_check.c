/* The checks that stand between a model file and everything that walks its trees.
 *
 * A tree is sound when every child number lies within it, no node has two parents and the root has
 * none: then what the root reaches is a tree, and a cycle could only stand apart from it, where it
 * is found as nodes that have children and are not reached. Nodes that pruning deleted are
 * single leaves apart from the tree; they are dropped here and the rest renumbered. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/model/model_file_priv.h"

#define MAX_CATEGORY (1 << 24)
#define DELETED      INT32_MAX /* the feature of a node that pruning took away */

/* One tree while it is checked; arrays begin at its first node. */
struct tree_view {
    struct model_reader *reader;
    size_t n;
    int32_t *left, *right, *feature;
    float *threshold;
    const float *cover;
    uint8_t *categorical;
    int32_t *category_first, *category_count;
    const int32_t *stated_parent;    /* NULL when the file has none */
    int32_t *parent, *depth, *stack; /* scratch, n each; depth -1: not reached */
    int deepest;
    size_t n_reached;
};

static enum status node_error(const struct tree_view *tree, size_t node, const char *format, ...)
    PRINTF_LIKE(3, 4);

static enum status node_error(const struct tree_view *tree, size_t node, const char *format, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return error_set(tree->reader->error, STATUS_INVALID, "node %zu: %s", node, text);
}

/* ---- sizes ---- */

static enum status fill(struct model_reader *reader, enum column_id id, size_t n)
{
    struct column *column = &reader->columns[id];
    enum status status = column_reserve(column, n, reader->error);
    if (status)
        return status;
    memset((char *)column->data + column->size * column->item, 0, n * column->item);
    column->size += n;
    return STATUS_OK;
}

static enum status check_sizes(struct model_reader *reader, size_t n)
{
    static const char *const names[COLUMN_CATEGORY_FIRST] = {
        "left_children", "right_children", "split_indices", "split_conditions", "default_left",
        "split_type",    "sum_hessian",    "loss_changes",  "base_weights"};
    if (n == 0 || n > INT32_MAX || (reader->num_nodes >= 0 && (uint64_t)reader->num_nodes != n))
        return error_set(reader->error, STATUS_INVALID,
                         "left_children has %zu items, num_nodes is %lld", n,
                         (long long)reader->num_nodes);
    if (reader->columns[COLUMN_CATEGORICAL].size == reader->first_node) {
        enum status status = fill(reader, COLUMN_CATEGORICAL, n); /* before XGBoost 1.3 */
        if (status)
            return status;
    }
    for (int i = COLUMN_RIGHT; i < COLUMN_CATEGORY_FIRST; i++)
        if (reader->columns[i].size - reader->first_node != n)
            return error_set(reader->error, STATUS_INVALID, "%s has %zu items for %zu nodes",
                             names[i], reader->columns[i].size - reader->first_node, n);
    size_t n_parents = reader->columns[COLUMN_PARENTS].size;
    if (n_parents != 0 && n_parents != n)
        return error_set(reader->error, STATUS_INVALID, "parents has %zu items for %zu nodes",
                         n_parents, n);
    size_t n_sets = reader->columns[COLUMN_CATEGORY_NODES].size;
    if (reader->columns[COLUMN_CATEGORY_SEGMENTS].size != n_sets ||
        reader->columns[COLUMN_CATEGORY_SIZES].size != n_sets)
        return error_set(reader->error, STATUS_INVALID,
                         "categories_nodes, _segments and _sizes differ in size");
    return STATUS_OK;
}

static void *at_node(const struct model_reader *reader, enum column_id id, size_t node)
{
    const struct column *column = &reader->columns[id];
    return (char *)column->data + node * column->item;
}

static void *at_first(const struct model_reader *reader, enum column_id id)
{
    return at_node(reader, id, reader->first_node);
}

static enum status view_tree(struct model_reader *reader, size_t n, struct tree_view *tree)
{
    enum status status = fill(reader, COLUMN_CATEGORY_FIRST, n);
    if (!status)
        status = fill(reader, COLUMN_CATEGORY_COUNT, n);
    reader->scratch.size = 0;
    if (!status)
        status = column_reserve(&reader->scratch, 3 * n, reader->error);
    if (status)
        return status;
    int32_t *scratch = (int32_t *)reader->scratch.data;
    *tree = (struct tree_view){
        .reader = reader,
        .n = n,
        .left = at_first(reader, COLUMN_LEFT),
        .right = at_first(reader, COLUMN_RIGHT),
        .feature = at_first(reader, COLUMN_FEATURE),
        .threshold = at_first(reader, COLUMN_THRESHOLD),
        .cover = at_first(reader, COLUMN_COVER),
        .categorical = at_first(reader, COLUMN_CATEGORICAL),
        .category_first = at_first(reader, COLUMN_CATEGORY_FIRST),
        .category_count = at_first(reader, COLUMN_CATEGORY_COUNT),
        .stated_parent = reader->columns[COLUMN_PARENTS].size
                             ? (const int32_t *)reader->columns[COLUMN_PARENTS].data
                             : NULL,
        .parent = scratch,
        .depth = scratch + n,
        .stack = scratch + 2 * n,
    };
    return STATUS_OK;
}

/* ---- shape ---- */

static enum status link_child(struct tree_view *tree, size_t node, int32_t child)
{
    if (child < 1 || (size_t)child >= tree->n)
        return node_error(tree, node, "its child %d is not one of the nodes 1 to %zu", child,
                          tree->n - 1);
    if (tree->parent[child] >= 0)
        return node_error(tree, node, "its child %d is also a child of node %d", child,
                          tree->parent[child]);
    tree->parent[child] = (int32_t)node;
    return STATUS_OK;
}

static enum status link_children(struct tree_view *tree)
{
    for (size_t i = 0; i < tree->n; i++)
        tree->parent[i] = tree->depth[i] = -1;
    for (size_t i = 0; i < tree->n; i++) {
        if (tree->left[i] == -1 && tree->right[i] == -1)
            continue;
        enum status status = link_child(tree, i, tree->left[i]);
        if (!status)
            status = link_child(tree, i, tree->right[i]);
        if (status)
            return status;
    }
    return STATUS_OK;
}

static enum status walk(struct tree_view *tree)
{
    size_t n_stack = 0;
    tree->depth[0] = 0;
    tree->stack[n_stack++] = 0;
    while (n_stack) {
        int32_t node = tree->stack[--n_stack];
        tree->n_reached++;
        if (tree->depth[node] > tree->deepest)
            tree->deepest = tree->depth[node];
        if (tree->left[node] < 0)
            continue;
        if (tree->depth[node] == MODEL_MAX_DEPTH)
            return node_error(tree, (size_t)node, "the tree is deeper than %d", MODEL_MAX_DEPTH);
        tree->depth[tree->left[node]] = tree->depth[tree->right[node]] = tree->depth[node] + 1;
        tree->stack[n_stack++] = tree->right[node];
        tree->stack[n_stack++] = tree->left[node];
    }
    return STATUS_OK;
}

static enum status check_shape(struct tree_view *tree)
{
    enum status status = link_children(tree);
    if (!status)
        status = walk(tree);
    for (size_t i = 0; !status && i < tree->n; i++) {
        if (tree->depth[i] < 0 && tree->left[i] >= 0)
            return node_error(tree, i, "it has children and is not reached from the root: a cycle");
        if (i > 0 && tree->depth[i] >= 0 && tree->stated_parent &&
            tree->stated_parent[i] != tree->parent[i])
            return node_error(tree, i, "its parent is %d, but node %d has it as a child",
                              tree->stated_parent[i], tree->parent[i]);
    }
    return status;
}

/* ---- categories and values ---- */

static enum status check_set(struct tree_view *tree, size_t set, size_t n_categories,
                             uint64_t *n_used)
{
    struct model_reader *reader = tree->reader;
    int32_t node = ((const int32_t *)reader->columns[COLUMN_CATEGORY_NODES].data)[set];
    int32_t first = ((const int32_t *)reader->columns[COLUMN_CATEGORY_SEGMENTS].data)[set];
    int32_t count = ((const int32_t *)reader->columns[COLUMN_CATEGORY_SIZES].data)[set];
    if (node < 0 || (size_t)node >= tree->n)
        return error_set(reader->error, STATUS_INVALID, "categories_nodes has %d of %zu nodes",
                         node, tree->n);
    if (tree->category_count[node])
        return node_error(tree, (size_t)node, "it has two sets of categories");
    if (first < 0 || count < 1 || (size_t)first > n_categories ||
        (size_t)count > n_categories - (size_t)first)
        return node_error(tree, (size_t)node, "its categories %d + %d are not within %zu", first,
                          count, n_categories);
    *n_used += (uint64_t)count;
    if (*n_used > n_categories) /* what overlaps could cost any amount of work */
        return node_error(tree, (size_t)node, "its categories overlap with another node's");
    tree->category_first[node] = (int32_t)(reader->first_category + (size_t)first);
    tree->category_count[node] = count;
    return STATUS_OK;
}

static enum status check_members(struct tree_view *tree, size_t node)
{
    struct model_reader *reader = tree->reader;
    const int32_t *all = (const int32_t *)reader->columns[COLUMN_CATEGORIES].data;
    for (int32_t i = 0; i < tree->category_count[node]; i++) {
        int32_t category = all[(size_t)tree->category_first[node] + (size_t)i];
        if (category < 0 || category >= MAX_CATEGORY)
            return node_error(tree, node, "its category %d is not within 0 to %d", category,
                              MAX_CATEGORY - 1);
    }
    return STATUS_OK;
}

static enum status check_categories(struct tree_view *tree)
{
    struct model_reader *reader = tree->reader;
    size_t n_categories = reader->columns[COLUMN_CATEGORIES].size - reader->first_category;
    if (reader->columns[COLUMN_CATEGORIES].size > INT32_MAX)
        return error_set(reader->error, STATUS_FULL, "too many categories");
    uint64_t n_used = 0;
    enum status status = STATUS_OK;
    for (size_t i = 0; !status && i < reader->columns[COLUMN_CATEGORY_NODES].size; i++)
        status = check_set(tree, i, n_categories, &n_used);
    if (!status && n_used != n_categories)
        status =
            error_set(reader->error, STATUS_INVALID, "categories has %zu items, and nodes %llu",
                      n_categories, (unsigned long long)n_used);
    return status;
}

static enum status check_values(struct tree_view *tree)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; !status && i < tree->n; i++) {
        if (tree->depth[i] < 0)
            continue;
        if (!(tree->cover[i] >= 0 && isfinite(tree->cover[i])))
            return node_error(tree, i, "its sum_hessian %g is not a number from 0 up",
                              (double)tree->cover[i]);
        if (tree->left[i] < 0) {
            if (tree->feature[i] == DELETED)
                return node_error(tree, i, "it was deleted and is reached from the root");
            if (!isfinite(tree->threshold[i]))
                return node_error(tree, i, "its leaf value is not a finite number");
            tree->categorical[i] = 0;
            tree->feature[i] = 0;
        } else if (tree->categorical[i]) {
            if (!tree->category_count[i])
                return node_error(tree, i, "it splits by categories and has none");
            tree->threshold[i] = 0; /* means nothing here; XGBoost writes NaN */
            status = check_members(tree, i);
        } else if (isnan(tree->threshold[i])) {
            return node_error(tree, i, "its threshold is not a number");
        }
        if (!tree->categorical[i])
            tree->category_first[i] = tree->category_count[i] = 0;
    }
    return status;
}

/* ---- dropping deleted nodes ---- */

static void keep_nodes(struct model_reader *reader, const struct tree_view *tree,
                       struct column *column)
{
    char *data = (char *)column->data + reader->first_node * column->item;
    size_t kept = 0;
    for (size_t i = 0; i < tree->n; i++) {
        if (tree->depth[i] < 0)
            continue;
        memmove(data + kept * column->item, data + i * column->item, column->item);
        kept++;
    }
    column->size = reader->first_node + kept;
}

static void drop_deleted(struct tree_view *tree)
{
    if (tree->n_reached == tree->n)
        return;
    int32_t *number = tree->stack, next = 0;
    for (size_t i = 0; i < tree->n; i++)
        number[i] = tree->depth[i] < 0 ? -1 : next++;
    for (size_t i = 0; i < tree->n; i++)
        if (tree->depth[i] >= 0 && tree->left[i] >= 0) {
            tree->left[i] = number[tree->left[i]];
            tree->right[i] = number[tree->right[i]];
        }
    for (int i = 0; i < COLUMN_NODES; i++)
        keep_nodes(tree->reader, tree, &tree->reader->columns[i]);
}

enum status model_check_tree(struct model_reader *reader)
{
    struct tree_view tree;
    size_t n = reader->columns[COLUMN_LEFT].size - reader->first_node;
    enum status status = check_sizes(reader, n);
    if (!status)
        status = view_tree(reader, n, &tree);
    if (!status)
        status = check_shape(&tree);
    if (!status)
        status = check_categories(&tree);
    if (!status)
        status = check_values(&tree);
    if (!status)
        status = column_reserve(&reader->trees, 1, reader->error);
    if (status)
        return status;
    drop_deleted(&tree);
    ((struct forest_tree *)reader->trees.data)[reader->trees.size++] = (struct forest_tree){
        .first_node = (uint32_t)reader->first_node,
        .n_nodes = (uint32_t)tree.n_reached,
        .first_category = (uint32_t)reader->first_category,
        .n_categories =
            (uint32_t)(reader->columns[COLUMN_CATEGORIES].size - reader->first_category),
        .depth = tree.deepest,
    };
    return STATUS_OK;
}

/* ---- the whole ---- */

static enum status check_features(struct model_reader *reader)
{
    const int32_t *left = (const int32_t *)reader->columns[COLUMN_LEFT].data;
    const int32_t *feature = (const int32_t *)reader->columns[COLUMN_FEATURE].data;
    const struct forest_tree *trees = (const struct forest_tree *)reader->trees.data;
    for (size_t t = 0; t < reader->trees.size; t++)
        for (size_t i = 0; i < trees[t].n_nodes; i++) {
            size_t at = trees[t].first_node + i;
            if (left[at] >= 0 &&
                (feature[at] < 0 || (size_t)feature[at] >= reader->forest->n_features))
                return error_set(reader->error, STATUS_INVALID,
                                 "trees[%zu]: node %zu: it splits on feature %d of %zu", t, i,
                                 feature[at], reader->forest->n_features);
        }
    return STATUS_OK;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static enum status check_names(struct model_reader *reader)
{
    size_t n = reader->names.size;
    if ((n && n != reader->forest->n_features) ||
        (reader->types.size && reader->types.size != reader->forest->n_features))
        return error_set(reader->error, STATUS_INVALID,
                         "%zu feature names and %zu types for %zu features", n, reader->types.size,
                         reader->forest->n_features);
    if (n < 2)
        return STATUS_OK;
    char **sorted = malloc(n * sizeof *sorted);
    if (!sorted)
        return error_set(reader->error, STATUS_MEMORY, "out of memory");
    memcpy(sorted, reader->names.data, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, by_text);
    enum status status = STATUS_OK;
    for (size_t i = 1; !status && i < n; i++)
        if (strcmp(sorted[i - 1], sorted[i]) == 0)
            status = error_set(reader->error, STATUS_INVALID,
                               "feature_names: two features are called \"%.64s\"", sorted[i]);
    free(sorted);
    return status;
}

/* That the weight leaves every leaf a number. */
static enum status check_weighted_leaves(struct model_reader *reader, size_t t)
{
    const struct forest_tree *tree = (const struct forest_tree *)reader->trees.data + t;
    float weight = ((const float *)reader->weights.data)[t];
    const float *value = (const float *)at_node(reader, COLUMN_THRESHOLD, tree->first_node);
    const int32_t *left = (const int32_t *)at_node(reader, COLUMN_LEFT, tree->first_node);
    for (size_t i = 0; i < tree->n_nodes; i++)
        if (left[i] < 0 && !isfinite(weight * value[i]))
            return error_set(reader->error, STATUS_INVALID,
                             "trees[%zu]: node %zu: its leaf value times weight_drop is not finite",
                             t, i);
    return STATUS_OK;
}

static enum status check_weights(struct model_reader *reader)
{
    size_t n = reader->weights.size;
    bool dart = strcmp(reader->forest->booster, "dart") == 0;
    if ((n || dart) && n != reader->trees.size)
        return error_set(reader->error, STATUS_INVALID, "weight_drop has %zu items for %zu trees",
                         n, reader->trees.size);
    for (size_t i = 0; i < n; i++)
        if (!isfinite(((const float *)reader->weights.data)[i]))
            return error_set(reader->error, STATUS_INVALID,
                             "trees[%zu]: its weight_drop is not a finite number", i);
    enum status status = STATUS_OK;
    for (size_t t = 0; t < n && !status; t++)
        status = check_weighted_leaves(reader, t);
    return status;
}

static enum status check_rounds(struct model_reader *reader)
{
    const int32_t *first = reader->rounds.data;
    size_t n = reader->rounds.size, n_trees = reader->trees.size;
    if (n == 0)
        return STATUS_OK;
    if (first[0] != 0 || (size_t)first[n - 1] != n_trees)
        return error_set(reader->error, STATUS_INVALID,
                         "iteration_indptr goes from %d to %d, and there are %zu trees", first[0],
                         first[n - 1], n_trees);
    for (size_t i = 1; i < n; i++)
        if (first[i] - first[i - 1] != reader->trees_per_round)
            return error_set(reader->error, STATUS_UNSUPPORTED,
                             "iteration_indptr: round %zu has the trees %d to %d, and "
                             "num_parallel_tree is %lld: "
                             "only rounds of one size can be scored",
                             i - 1, first[i - 1], first[i], (long long)reader->trees_per_round);
    return STATUS_OK;
}

static enum status check_base_score(struct model_reader *reader)
{
    const struct forest *forest = reader->forest;
    bool probability = objective_is_logistic(forest->objective);
    bool within = probability ? forest->base_score > 0 && forest->base_score < 1
                              : isfinite(forest->base_score);
    if (within)
        return STATUS_OK;
    return error_set(reader->error, STATUS_INVALID, "base_score %g is not %s",
                     (double)forest->base_score,
                     probability ? "between 0 and 1" : "a finite number");
}

enum status model_check_all(struct model_reader *reader)
{
    const struct {
        bool there;
        const char *what;
    } parts[] = {
        {reader->has_booster && reader->forest->booster[0], "gradient_booster"},
        {reader->has_objective, "objective"},
        {reader->has_base_score, "base_score"},
        {reader->has_trees, "trees"},
        {reader->forest->n_features > 0, "num_feature"},
    };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (!parts[i].there)
            return error_set(reader->error, STATUS_INVALID, "not an XGBoost model: it has no %s",
                             parts[i].what);
    size_t n_trees = reader->trees.size;
    if (reader->num_trees >= 0 && (uint64_t)reader->num_trees != n_trees)
        return error_set(reader->error, STATUS_INVALID, "%zu trees, but num_trees is %lld", n_trees,
                         (long long)reader->num_trees);
    if (reader->trees_per_round == 0)
        reader->trees_per_round = 1;
    if (reader->trees_per_round < 0 || n_trees % (uint64_t)reader->trees_per_round != 0)
        return error_set(reader->error, STATUS_INVALID,
                         "%zu trees are not whole rounds of num_parallel_tree %lld", n_trees,
                         (long long)reader->trees_per_round);
    if (reader->has_tree_info && reader->n_tree_info != n_trees)
        return error_set(reader->error, STATUS_INVALID, "tree_info has %zu items for %zu trees",
                         reader->n_tree_info, n_trees);
    enum status status = check_base_score(reader);
    if (!status)
        status = check_rounds(reader);
    if (!status)
        status = check_names(reader);
    if (!status)
        status = check_weights(reader);
    return status ? status : check_features(reader);
}
