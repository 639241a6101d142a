/* Model files that must be refused before a library walks them, and what is kept of good ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>
#include <time.h>

#include "engine/base/clock.h"
#include "engine/model/model.h"
#include "engine/model/model_file.h"

#define GOLDEN "tests/unit/engine/model/golden/"

/* A tree of five nodes: 0 splits to 1 and 2, 2 splits to 3 and 4. */
struct pieces {
    const char *left, *right, *parents, *indices, *conditions, *default_left, *split_type;
    const char *category_nodes, *segments, *sizes, *categories;
    const char *hessian, *tree_info, *model;
    const char *tree_param, *extra, *booster, *base_score, *learner_param, *objective, *names,
        *version;
};

static const struct pieces good = {
    .left = "[1,-1,3,-1,-1]",
    .right = "[2,-1,4,-1,-1]",
    .parents = "[2147483647,0,0,2,2]",
    .indices = "[0,0,1,0,0]",
    .conditions = "[0.5,-1.0,1.5E1,0.25,1.0]",
    .default_left = "[0,0,1,0,0]",
    .split_type = "[0,0,0,0,0]",
    .category_nodes = "[]",
    .segments = "[]",
    .sizes = "[]",
    .categories = "[]",
    .hessian = "[4,1,3,2,1]",
    .tree_info = "[0]",
    .model = "",
    .tree_param = "{\"num_nodes\":\"5\",\"size_leaf_vector\":\"0\"}",
    .extra = "",
    .booster = "gbtree",
    .base_score = "[5E-1]",
    .learner_param = "\"num_feature\":\"2\",\"num_class\":\"0\"",
    .objective = "binary:logistic",
    .names = "[\"a\",\"b\"]",
    .version = "3,1,0",
};

static char text[64 * 1024];

static struct slice make(struct pieces p)
{
    int size = snprintf(
        text, sizeof text,
        "{\"learner\":{\"attributes\":{\"k\":\"v\"},\"feature_names\":%s,\"feature_types\":[],"
        "\"gradient_booster\":{\"model\":{\"gbtree_model_param\":{\"num_parallel_tree\":\"1\","
        "\"num_trees\":\"1\"},\"tree_info\":%s%s,\"trees\":[{\"base_weights\":[0,0,0,0,0],"
        "\"categories\":%s,\"categories_nodes\":%s,\"categories_segments\":%s,"
        "\"categories_sizes\":%s,\"default_left\":%s,\"id\":0,\"left_children\":%s,"
        "\"loss_changes\":[1,0,1,0,0],\"parents\":%s,\"right_children\":%s,"
        "\"split_conditions\":%s,\"split_indices\":%s,\"split_type\":%s,"
        "\"sum_hessian\":%s,\"tree_param\":%s%s}]},\"name\":\"%s\"},"
        "\"learner_model_param\":{\"base_score\":\"%s\",%s},"
        "\"objective\":{\"name\":\"%s\"}},\"version\":[%s]}",
        p.names, p.tree_info, p.model, p.categories, p.category_nodes, p.segments, p.sizes,
        p.default_left, p.left, p.parents, p.right, p.conditions, p.indices, p.split_type,
        p.hessian, p.tree_param, p.extra, p.booster, p.base_score, p.learner_param, p.objective,
        p.version);
    assert_true(size > 0 && (size_t)size < sizeof text);
    return slice_make(text, (size_t)size);
}

static void assert_refused(struct slice bytes, enum status status, const char *message)
{
    struct forest *forest = NULL;
    struct error error = {0};
    int64_t start_ns = monotonic_ns();
    enum status got = forest_read(bytes, &forest, &error);
    assert_true(monotonic_ns() - start_ns < 2000000000);
    assert_null(forest);
    if (got != status || (message && !strstr(error.message, message)))
        fail_msg("%s: %s, not %s: %s", status_name(got), error.message, status_name(status),
                 message ? message : "");
}

#define WITH(member, value) make_with(offsetof(struct pieces, member), value)

static struct slice make_with(size_t offset, const char *value)
{
    struct pieces changed = good;
    memcpy((char *)&changed + offset, &value, sizeof value);
    return make(changed);
}

static void keeps_what_a_good_file_says(void **state)
{
    (void)state;
    struct forest *forest = NULL;
    struct error error = {0};
    if (forest_read(make(good), &forest, &error))
        fail_msg("%s", error.message);
    assert_int_equal(forest->objective, OBJECTIVE_BINARY_LOGISTIC);
    assert_true(forest->base_score == 0.5f);
    assert_int_equal(forest->n_features, 2);
    assert_string_equal(forest->feature_names[1], "b");
    assert_null(forest->feature_types);
    assert_int_equal(forest->n_trees, 1);
    assert_int_equal(forest->n_nodes, 5);
    assert_int_equal(forest->trees[0].depth, 2);
    assert_int_equal(forest->left[2], 3);
    assert_int_equal(forest->feature[2], 1);
    assert_true(forest->threshold[2] == 15.0f);
    assert_int_equal(forest->default_left[2], 1);
    assert_true(forest->cover[2] == 3.0f);
    assert_string_equal(forest_attribute(forest, "k"), "v");
    assert_string_equal(forest->trained_by, "3.1.0");
    assert_int_equal(forest->best_iteration, -1);
    forest_destroy(forest);
}

/* clang-format off */
static const struct {
    struct pieces pieces;
    const char *message;
} no_trees[] = {
#define CASE(member, value, text_) {.pieces = {.member = value}, .message = text_}
    CASE(left, "[1,-1,99,-1,-1]",
         "trees[0]: node 2: its child 99 is not one of the nodes 1 to 4"),
    CASE(left, "[1,-1,-2,-1,-1]", "node 2: its child -2 is not"),
    CASE(left, "[1,-1,-1,-1,-1]", "node 2: its child -1 is not"),
    CASE(right, "[2,-1,-1,-1,-1]", "node 2: its child -1 is not"),
    CASE(left, "[0,-1,3,-1,-1]", "node 0: its child 0 is not"),
    CASE(left, "[1,-1,0,-1,-1]", "node 2: its child 0 is not"),
    CASE(left, "[1,-1,1,-1,-1]", "node 2: its child 1 is also a child of node 0"),
    CASE(left, "[2,-1,3,-1,-1]", "node 0: its child 2 is also a child of node 0"),
    CASE(left, "[1,-1,2,-1,-1]", "node 2: its child 2 is also a child of node 0"),
    CASE(left, "[1,-1,2147483648,-1,-1]",
         "learner.gradient_booster.model.trees[0].left_children[2]: byte "),
    CASE(left, "[1,-1,2147483648,-1,-1]", "an integer of 32 bits was expected"),
    CASE(left, "[1,-1,3.5,-1,-1]", "an integer of 32 bits was expected"),
    CASE(left, "[1,-1,3,-1]", "left_children has 4 items, num_nodes is 5"),
    CASE(right, "[2,-1,4,-1]", "right_children has 4 items for 5 nodes"),
    CASE(conditions, "[1,2,3,4,5,6]", "split_conditions has 6 items for 5 nodes"),
    CASE(default_left, "[]", "default_left has 0 items for 5 nodes"),
    CASE(default_left, "[0,0,2,0,0]", "0 or 1 was expected"),
    CASE(parents, "[2147483647,0,0,2]", "parents has 4 items"),
    CASE(parents, "[2147483647,0,0,1,2]",
         "node 3: its parent is 1, but node 2 has it as a child"),
    CASE(indices, "[2,0,1,0,0]", "trees[0]: node 0: it splits on feature 2 of 2"),
    CASE(indices, "[0,0,-1,0,0]", "trees[0]: node 2: it splits on feature -1 of 2"),
    CASE(conditions, "[NaN,1,1,1,1]", "node 0: its threshold is not a number"),
    CASE(conditions, "[1,1,1,NaN,1]", "node 3: its leaf value is not a finite number"),
    CASE(conditions, "[1,Infinity,1,1,1]", "node 1: its leaf value is not a finite number"),
    CASE(tree_param, "{\"num_nodes\":\"6\"}", "left_children has 5 items, num_nodes is 6"),
    CASE(tree_param, "{\"num_nodes\":\"five\"}", "an integer was expected"),
    CASE(split_type, "[1,0,0,0,0]", "node 0: it splits by categories and has none"),
    CASE(category_nodes, "[0]", "categories_nodes, _segments and _sizes differ in size"),
    CASE(learner_param, "\"num_feature\":\"0\"", "num_feature is 0"),
    CASE(learner_param, "\"num_feature\":\"99999999999999999999\"", "an integer was expected"),
    CASE(base_score, "1.0", "base_score 1 is not between 0 and 1"),
    CASE(base_score, "[nan]", "base_score nan is not between 0 and 1"),
    CASE(base_score, "half", "a number as base_score was expected"),
    CASE(names, "[\"a\"]", "1 feature names and 0 types for 2 features"),
    CASE(names, "[\"a\",\"a\"]", "two features are called \"a\""),
    CASE(booster, "dart", "weight_drop has 0 items for 1 trees"),
    CASE(hessian, "[4,1,-3,2,1]", "node 2: its sum_hessian -3 is not a number from 0 up"),
    CASE(hessian, "[NaN,1,3,2,1]", "node 0: its sum_hessian nan is not a number from 0 up"),
    CASE(indices, "[0,2147483647,1,0,0]", "node 1: it was deleted and is reached"),
    CASE(tree_info, "[0,0]", "tree_info has 2 items for 1 trees"),
    CASE(model, ",\"iteration_indptr\":[0,2]", "iteration_indptr goes from 0 to 2"),
    CASE(model, ",\"iteration_indptr\":[-1,1]", "iteration_indptr goes from -1 to 1"),
    CASE(model, ",\"trees\":[]", "\"trees\" stands there twice"),
    CASE(base_score, "", "a number as base_score was expected"),
    CASE(extra, ",\"left_children\":[]", "\"left_children\" stands there twice"),
#undef CASE
};
/* clang-format on */

static void refuses_trees_that_are_not_trees(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof no_trees / sizeof no_trees[0]; i++) {
        struct pieces pieces = good;
        for (size_t at = 0; at < sizeof pieces; at += sizeof(char *)) {
            const char *value;
            memcpy(&value, (const char *)&no_trees[i].pieces + at, sizeof value);
            if (value)
                memcpy((char *)&pieces + at, &value, sizeof value);
        }
        assert_refused(make(pieces), STATUS_INVALID, no_trees[i].message);
    }
}

static void refuses_a_cycle_apart_from_the_root(void **state)
{
    (void)state;
    struct pieces pieces = good;
    pieces.left = "[-1,2,-1,4,-1]"; /* 1 -> 2, 3 and 3 -> 4, 1: neither hangs below 0 */
    pieces.right = "[-1,3,-1,1,-1]";
    pieces.parents = "[]";
    assert_refused(make(pieces), STATUS_INVALID,
                   "trees[0]: node 1: it has children and is not reached from the root: a cycle");
}

static void refuses_what_it_cannot_score(void **state)
{
    (void)state;
    assert_refused(WITH(booster, "gblinear"), STATUS_UNSUPPORTED, "its booster is \"gblinear\"");
    assert_refused(WITH(objective, "multi:softprob"), STATUS_UNSUPPORTED,
                   "its objective is \"multi:softprob\"");
    assert_refused(WITH(learner_param, "\"num_feature\":\"2\",\"num_class\":\"3\""),
                   STATUS_UNSUPPORTED, "num_class is 3");
    assert_refused(WITH(tree_param, "{\"size_leaf_vector\":\"4\"}"), STATUS_UNSUPPORTED,
                   "its leaves hold vectors");
    assert_refused(WITH(base_score, "[0.5,0.5]"), STATUS_UNSUPPORTED, "several numbers");
    assert_refused(WITH(model, ",\"iteration_indptr\":[0,0,1]"), STATUS_UNSUPPORTED,
                   "round 0 has the trees 0 to 0, and num_parallel_tree is 1");
    assert_refused(WITH(extra, ",\"leaf_factor\":[2]"), STATUS_UNSUPPORTED,
                   "trees[0]: a tree has \"leaf_factor\", which may change its scores");
}

static void refuses_bad_sets_of_categories(void **state)
{
    (void)state;
    static const struct {
        const char *nodes, *segments, *sizes, *categories, *message;
    } cases[] = {
        {"[9]", "[0]", "[1]", "[1]", "categories_nodes has 9 of 5 nodes"},
        {"[0]", "[0]", "[2]", "[1]", "node 0: its categories 0 + 2 are not within 1"},
        {"[0]", "[-1]", "[1]", "[1]", "node 0: its categories -1 + 1 are not within 1"},
        {"[0]", "[0]", "[0]", "[1]", "node 0: its categories 0 + 0 are not within 1"},
        {"[0]", "[0]", "[1]", "[-3]", "node 0: its category -3 is not within"},
        {"[0]", "[0]", "[1]", "[16777216]", "node 0: its category 16777216 is not within"},
        {"[0,0]", "[0,1]", "[1,1]", "[1,2]", "node 0: it has two sets of categories"},
        {"[0,2]", "[0,0]", "[2,2]", "[1,2]", "node 2: its categories overlap"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct pieces pieces = good;
        pieces.split_type = "[1,0,0,0,0]";
        pieces.category_nodes = cases[i].nodes;
        pieces.segments = cases[i].segments;
        pieces.sizes = cases[i].sizes;
        pieces.categories = cases[i].categories;
        assert_refused(make(pieces), STATUS_INVALID, cases[i].message);
    }
}

/* Each version's logistic base_score, the probability it stands for, and whether that is refused.
 */
static void understands_base_score_as_its_version_does(void **state)
{
    (void)state;
    static const struct {
        const char *version, *text;
        float expected; /* NaN: refused */
    } cases[] = {
        {"1,0,2", "0.000000", NAN},    {"1,7,6", "1E-7", 1e-7f},
        {"3,1,3", "[0E0]", NAN},       {"3,1,3", "[1E-7]", 1e-7f},
        {"3,2,0", "[1E-7]", 1e-6f},    {"3,2,0", "[0E0]", 1e-6f},
        {"3,4,1", "[1E0]", 0.999999f}, {"3,4,1", "[9.999999E-1]", 0.999999f},
        {"3,4,1", "[2E-6]", 2e-6f},    {"4,0,0", "[0E0]", 1e-6f},
        {"3,4,1", "[1.1E0]", NAN},     {"3,4,1", "[-1E-9]", NAN},
        {"3,4,1", "[nan]", NAN},       {"3,4,1", "[]", NAN},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct forest *forest = NULL;
        struct pieces pieces = good;
        pieces.version = cases[i].version;
        pieces.base_score = cases[i].text;
        if (isnan(cases[i].expected)) {
            assert_refused(make(pieces), STATUS_INVALID, "base_score");
            continue;
        }
        assert_int_equal(forest_read(make(pieces), &forest, NULL), STATUS_OK);
        assert_true(forest->base_score == cases[i].expected);
        forest_destroy(forest);
    }
}

static void drops_deleted_nodes_and_renumbers(void **state)
{
    (void)state;
    struct forest *forest = NULL;
    struct pieces pieces = good;
    pieces.left = "[2,-1,-1,-1,-1]"; /* 1 and 3 were deleted */
    pieces.right = "[4,-1,-1,-1,-1]";
    pieces.parents = "[2147483647,0,0,0,0]";
    pieces.indices = "[0,2147483647,0,2147483647,0]";
    assert_int_equal(forest_read(make(pieces), &forest, NULL), STATUS_OK);
    assert_int_equal(forest->n_nodes, 3);
    assert_int_equal(forest->left[0], 1);
    assert_int_equal(forest->right[0], 2);
    assert_true(forest->threshold[1] == 15.0f);
    assert_true(forest->threshold[2] == 1.0f);
    forest_destroy(forest);
}

static void refuses_every_truncation(void **state)
{
    (void)state;
    static const char *const files[] = {GOLDEN "logistic-3.4.1.ubj", GOLDEN "dart-3.4.1.json"};
    for (size_t i = 0; i < 2; i++) {
        static char bytes[16 * 1024];
        FILE *file = fopen(files[i], "rb");
        assert_non_null(file);
        size_t size = fread(bytes, 1, sizeof bytes, file);
        fclose(file);
        for (size_t cut = 0; cut < size; cut++) {
            char *copy = malloc(cut + 1); /* its own block, so that a sanitizer sees overreads */
            memcpy(copy, bytes, cut);
            assert_refused(slice_make(copy, cut), STATUS_INVALID, NULL);
            free(copy);
        }
    }
}

static void refuses_lies_about_lengths(void **state)
{
    (void)state;
    /* clang-format off */
    static const struct {
        struct slice bytes;
        const char *message;
    } cases[] = {
#define BYTES(literal) {literal, sizeof(literal) - 1}
        {BYTES("{L\0\0\1\0\0\0\0\0learner"), "a string of 1099511627776 bytes where 7 are left"},
        {BYTES("{L\xff\xff\xff\xff\xff\xff\xff\xffx"), "a negative length"},
        {BYTES("{U\1a[$d#L\0\0\1\0\0\0\0\0"), "1099511627776 items where 0 bytes are left"},
        {BYTES("{U\1a[$d#L\x3f\xff\xff\xff\xff\xff\xff\xff"), "items where 0 bytes are left"},
        {BYTES("{U\1a[$Z#L\0\0\1\0\0\0\0\0}"), "an array of items of type 0x5a"},
        {BYTES("{U\1a[$[#U\1}"), "an array of items of type 0x5b"},
        {BYTES("{U\1a[$d}"), "'#' and a count must follow a type"},
        {BYTES("{U\1aQ}"), "an unknown marker 0x51"},
        {BYTES("{d\0\0\0\0}"), "a length must be an integer"},
        {BYTES("{U\1aZ}x"), "something follows the document"},
        {BYTES("{\"a\":1}x"), "something follows the document"},
        {BYTES("{\"a\":01}"), "not a number"},
        {BYTES("{\"a\":1,}"), "a key in quotes was expected"},
        {BYTES("{\"a\":\"\\ud800\"}"), "half a surrogate pair"},
        {BYTES("{\"a\":\"\xff\"}"), "not UTF-8"},
        {BYTES("{}"), "not an XGBoost model: it has no gradient_booster"},
        {BYTES(""), "neither JSON nor UBJSON"},
        {BYTES("[]"), "neither JSON nor UBJSON"},
        {BYTES("binf"), "byte 1: neither JSON nor UBJSON: it is XGBoost's old binary format"},
        {BYTES("\x1f\x8b\b"), "neither JSON nor UBJSON: it is compressed by gzip"},
#undef BYTES
    };
    /* clang-format on */
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_refused(cases[i].bytes, STATUS_INVALID, cases[i].message);
}

static void refuses_deep_nesting(void **state)
{
    (void)state;
    static char deep[1 << 20];
    memset(deep, '[', sizeof deep);
    memcpy(deep, "{\"a\":", 5);
    assert_refused(slice_make(deep, sizeof deep), STATUS_INVALID, "nested deeper than 64");
    memset(deep, '[', sizeof deep);
    memcpy(deep, "{U\1a", 4);
    assert_refused(slice_make(deep, sizeof deep), STATUS_INVALID, "nested deeper than 64");
}

/* A tree that is one long chain of `depth` splits, as a whole model. */
static struct slice make_chain(int depth, struct buffer *out)
{
    static const char *const keys[] = {"left_children",    "right_children", "split_indices",
                                       "split_conditions", "default_left",   "sum_hessian",
                                       "loss_changes",     "base_weights"};
    buffer_append_text(out, "{\"learner\":{\"gradient_booster\":{\"name\":\"gbtree\",\"model\":{"
                            "\"trees\":[{");
    for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++) {
        buffer_printf(out, "%s\"%s\":[", k ? "," : "", keys[k]);
        for (int i = 0; i <= 2 * depth; i++) { /* even: splits but for the last, odd: leaves */
            bool split = i % 2 == 0 && i < 2 * depth;
            int child = k == 0 ? i + 1 : i + 2;
            buffer_printf(out, "%s%d", i ? "," : "", k > 1 ? 0 : split ? child : -1);
        }
        buffer_append_text(out, "]");
    }
    buffer_append_text(out, "}]}},\"objective\":{\"name\":\"binary:logistic\"},"
                            "\"learner_model_param\":{\"num_feature\":\"1\","
                            "\"base_score\":\"0.5\"}}}");
    assert_false(out->overflow);
    return buffer_slice(out);
}

static void bounds_the_depth_of_a_tree(void **state)
{
    (void)state;
    struct buffer chain;
    buffer_init(&chain, 64 << 20);
    assert_refused(make_chain(50000, &chain), STATUS_INVALID, "the tree is deeper than 1024");
    buffer_reset(&chain);
    struct model *model = NULL;
    struct error error = {0};
    if (model_load_bytes(make_chain(MODEL_MAX_DEPTH, &chain), "m", "1", &model, &error))
        fail_msg("%s", error.message);
    model_release(model);
    buffer_free(&chain);
}

static void writes_what_it_reads(void **state)
{
    (void)state;
    static const char *const files[] = {"logistic-1.7.4.json", "categorical-3.4.1.json",
                                        "forest-1.7.4.ubj", "pruned-1.7.4.json"};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char path[256];
        struct forest *first = NULL, *second = NULL;
        struct buffer one, two;
        buffer_init(&one, 1 << 20);
        buffer_init(&two, 1 << 20);
        snprintf(path, sizeof path, GOLDEN "%s", files[i]);
        assert_int_equal(forest_read_file(path, &first, NULL), STATUS_OK);
        assert_int_equal(forest_write(first, &one), STATUS_OK);
        assert_int_equal(forest_read(buffer_slice(&one), &second, NULL), STATUS_OK);
        assert_int_equal(forest_write(second, &two), STATUS_OK);
        assert_true(slice_equal(buffer_slice(&one), buffer_slice(&two)));
        assert_int_equal(first->n_nodes, second->n_nodes);
        assert_memory_equal(first->threshold, second->threshold, first->n_nodes * sizeof(float));
        struct buffer small;
        buffer_init(&small, 100);
        assert_int_equal(forest_write(first, &small), STATUS_FULL);
        buffer_free(&small);
        buffer_free(&one);
        buffer_free(&two);
        forest_destroy(first);
        forest_destroy(second);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_what_a_good_file_says),
        cmocka_unit_test(refuses_trees_that_are_not_trees),
        cmocka_unit_test(refuses_a_cycle_apart_from_the_root),
        cmocka_unit_test(refuses_what_it_cannot_score),
        cmocka_unit_test(refuses_bad_sets_of_categories),
        cmocka_unit_test(understands_base_score_as_its_version_does),
        cmocka_unit_test(drops_deleted_nodes_and_renumbers),
        cmocka_unit_test(refuses_every_truncation),
        cmocka_unit_test(refuses_lies_about_lengths),
        cmocka_unit_test(refuses_deep_nesting),
        cmocka_unit_test(bounds_the_depth_of_a_tree),
        cmocka_unit_test(writes_what_it_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
