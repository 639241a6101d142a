/* Contributions of random forests: against Shapley's formula over all sets of features, in double,
 * with the expectation that a tree's covers define; against libxgboost; and, bit by bit, each
 * kernel against the others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "engine/model/library.h"
#include "engine/model/treeshap_priv.h"
#include "tests/unit/engine/model/random_forest.h"

#define N_ROWS 24
#define WIDTH  (N_FEATURES + 1)
#define N_SETS (1u << N_FEATURES)

enum covers { ADD_UP, ALIKE, SOME_ZERO };

struct family {
    struct kind kind;
    enum covers covers;
};

static const struct family families[] = {
    {{"single leaves", 9, 0, 0, false, false, false, OBJECTIVE_BINARY_LOGISTIC, 0}, ADD_UP},
    {{"stumps", 17, 1, 0, false, false, false, OBJECTIVE_REG_SQUAREDERROR, 0}, ADD_UP},
    {{"depth 2", 16, 2, 0, false, false, false, OBJECTIVE_REG_SQUAREDERROR, 0}, ADD_UP},
    {{"depth 3", 40, 3, 0.1, false, false, false, OBJECTIVE_BINARY_LOGISTIC, 0}, ADD_UP},
    {{"depth 6", 100, 6, 0.1, false, false, false, OBJECTIVE_BINARY_LOGISTIC, 0}, ADD_UP},
    {{"full depth 8", 20, 8, 0, false, false, false, OBJECTIVE_BINARY_LOGITRAW, 0}, ADD_UP},
    {{"mixed depths", 50, 9, 0.3, false, false, false, OBJECTIVE_REG_LOGISTIC, 0}, ADD_UP},
    {{"deep", 12, 40, 0.42, false, false, false, OBJECTIVE_BINARY_LOGISTIC, 0}, ADD_UP},
    {{"categories", 40, 6, 0.1, true, false, false, OBJECTIVE_BINARY_LOGISTIC, 0}, ADD_UP},
    {{"far apart", 20, 6, 0.1, true, false, false, OBJECTIVE_BINARY_LOGISTIC, 5000}, ADD_UP},
    {{"dart", 30, 5, 0.1, false, true, false, OBJECTIVE_BINARY_LOGISTIC, 0}, ADD_UP},
    {{"infinite thresholds", 40, 5, 0.1, false, false, true, OBJECTIVE_BINARY_LOGISTIC, 0}, ADD_UP},
    {{"everything", 60, 9, 0.2, true, true, true, OBJECTIVE_BINARY_LOGISTIC, 0}, ADD_UP},
    {{"covers alike", 20, 4, 0.1, false, false, false, OBJECTIVE_BINARY_LOGISTIC, 0}, ALIKE},
    {{"zero covers", 60, 6, 0.2, true, false, false, OBJECTIVE_BINARY_LOGISTIC, 0}, SOME_ZERO},
};

#define N_FAMILIES (sizeof families / sizeof families[0])

static struct forest *forest_of(const struct family *family)
{
    struct forest *forest = random_forest(&family->kind);
    if (family->covers != ALIKE)
        add_up_covers(forest, family->covers == SOME_ZERO ? 0.5 : 0);
    return forest;
}

static struct treeshap *treeshap_of(const struct forest *forest)
{
    struct treeshap *treeshap = NULL;
    assert_int_equal(treeshap_create(forest, &treeshap, NULL), STATUS_OK);
    return treeshap;
}

/* Infinities only where they are wanted: the library refuses them. */
static void fill_rows(const struct kind *kind, bool infinities, float *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        do
            rows[i] = cell(kind);
        while (!infinities && isinf(rows[i]));
    }
}

/* ---- Shapley's formula ---- */

struct oracle {
    const struct forest *forest;
    struct walk walk;
    const float *row;
};

/* What is expected of a subtree when only the features in `set` are known. */
static double expect(const struct oracle *oracle, const struct forest_tree *tree, size_t node,
                     unsigned set)
{
    const struct forest *forest = oracle->forest;
    if (forest->left[node] < 0)
        return (double)shap_leaf_value(forest, (size_t)(tree - forest->trees), node);
    size_t left = tree->first_node + (size_t)forest->left[node];
    size_t right = tree->first_node + (size_t)forest->right[node];
    if (set >> forest->feature[node] & 1)
        return expect(oracle, tree, walk_goes_left(&oracle->walk, node, oracle->row) ? left : right,
                      set);
    double cover = (double)forest->cover[node];
    double of_left = cover > 0 ? (double)forest->cover[left] / cover : 0.5;
    double of_right = cover > 0 ? (double)forest->cover[right] / cover : 0.5;
    return of_left * expect(oracle, tree, left, set) + of_right * expect(oracle, tree, right, set);
}

static double factorial(unsigned n)
{
    return n < 2 ? 1 : n * factorial(n - 1);
}

/* Weighs the gain of one feature over all sets of the others. */
static void shapley(const double values[N_SETS], double *phi)
{
    for (unsigned i = 0; i < N_FEATURES; i++) {
        phi[i] = 0;
        for (unsigned set = 0; set < N_SETS; set++) {
            unsigned size = (unsigned)__builtin_popcount(set);
            if (!(set >> i & 1))
                phi[i] += factorial(size) * factorial(N_FEATURES - size - 1) /
                          factorial(N_FEATURES) * (values[set | 1u << i] - values[set]);
        }
    }
}

static void explain_exactly(const struct oracle *oracle, size_t n_trees, double phi[WIDTH])
{
    double values[N_SETS];
    for (unsigned set = 0; set < N_SETS; set++) {
        values[set] = (double)evaluator_base_margin(oracle->forest);
        for (size_t t = 0; t < n_trees; t++)
            values[set] +=
                expect(oracle, &oracle->forest->trees[t], oracle->forest->trees[t].first_node, set);
    }
    shapley(values, phi);
    phi[N_FEATURES] = values[0];
}

static double scale_of(const double phi[WIDTH])
{
    double scale = 1;
    for (size_t i = 0; i < WIDTH; i++)
        scale = fabs(phi[i]) > scale ? fabs(phi[i]) : scale;
    return scale;
}

static void gives_the_shapley_values(void **state)
{
    (void)state;
    for (size_t f = 0; f < N_FAMILIES; f++) {
        struct forest *forest = forest_of(&families[f]);
        struct treeshap *treeshap = treeshap_of(forest);
        struct oracle oracle = {.forest = forest};
        assert_int_equal(walk_create(forest, &oracle.walk, NULL), STATUS_OK);
        size_t n_trees = forest->n_trees > 20 ? 20 : forest->n_trees;
        for (size_t r = 0; r < 4; r++) {
            float row[N_FEATURES], ours[WIDTH];
            double exact[WIDTH];
            fill_rows(&families[f].kind, true, row, N_FEATURES);
            oracle.row = row;
            explain_exactly(&oracle, n_trees, exact);
            assert_int_equal(treeshap_contribs(treeshap, n_trees, row, 1, N_FEATURES, ours, NULL),
                             STATUS_OK);
            for (size_t i = 0; i < WIDTH; i++)
                if (!(fabs((double)ours[i] - exact[i]) <= 2e-6 * scale_of(exact)))
                    fail_msg("%s, row %zu, feature %zu: %.9g, Shapley says %.9g",
                             families[f].kind.name, r, i, (double)ours[i], exact[i]);
        }
        walk_free(&oracle.walk);
        treeshap_destroy(treeshap);
        forest_destroy(forest);
    }
}

/* ---- the library ---- */

static void compare_with_library(const struct family *family, const struct treeshap *treeshap,
                                 const struct library *library, size_t n_trees)
{
    float rows[N_ROWS * N_FEATURES], ours[N_ROWS * WIDTH], theirs[N_ROWS * WIDTH];
    struct error error = {.message = ""};
    fill_rows(&family->kind, false, rows, N_ROWS * N_FEATURES);
    assert_int_equal(treeshap_contribs(treeshap, n_trees, rows, N_ROWS, N_FEATURES, ours, NULL),
                     STATUS_OK);
    if (library_contribs(library, n_trees, rows, N_ROWS, N_FEATURES, theirs, &error))
        fail_msg("%s", error.message);
    for (size_t i = 0; i < N_ROWS * WIDTH; i++) {
        double bound = 1e-5 * (1 + fabs((double)theirs[i]));
        if (!(fabs((double)ours[i] - (double)theirs[i]) <= bound))
            fail_msg("%s, %zu trees, row %zu, feature %zu: %.9g, the library says %.9g",
                     family->kind.name, n_trees, i / WIDTH, i % WIDTH, (double)ours[i],
                     (double)theirs[i]);
    }
}

static void agrees_with_the_library(void **state)
{
    (void)state;
    for (size_t f = 0; f < N_FAMILIES; f++) {
        if (families[f].covers == SOME_ZERO)
            continue; /* the library divides zero by zero */
        struct error error = {.message = ""};
        struct forest *forest = forest_of(&families[f]);
        struct treeshap *treeshap = treeshap_of(forest);
        struct library *library = NULL;
        if (library_create(forest, &library, &error))
            fail_msg("%s", error.message);
        const size_t counts[] = {forest->n_trees, forest->n_trees / 2 + 1, 1};
        for (size_t k = 0; k < 3; k++)
            compare_with_library(&families[f], treeshap, library, counts[k]);
        library_destroy(library);
        treeshap_destroy(treeshap);
        forest_destroy(forest);
    }
}

/* ---- kernels ---- */

static void all_kernels_give_the_same_bits(void **state)
{
    (void)state;
    static const struct shap_kernel *const kernels[] = {&shap_avx2, &shap_avx512};
    for (size_t f = 0; f < N_FAMILIES; f++) {
        float rows[N_ROWS * N_FEATURES], first[N_ROWS * WIDTH], other[N_ROWS * WIDTH];
        struct forest *forest = forest_of(&families[f]);
        struct treeshap *treeshap = treeshap_of(forest);
        fill_rows(&families[f].kind, true, rows, N_ROWS * N_FEATURES);
        assert_true(treeshap_use(treeshap, &shap_portable));
        assert_int_equal(
            treeshap_contribs(treeshap, forest->n_trees, rows, N_ROWS, N_FEATURES, first, NULL),
            STATUS_OK);
        for (size_t k = 0; k < 2; k++) {
            if (!treeshap_use(treeshap, kernels[k]))
                continue;
            assert_int_equal(
                treeshap_contribs(treeshap, forest->n_trees, rows, N_ROWS, N_FEATURES, other, NULL),
                STATUS_OK);
            assert_memory_equal(first, other, sizeof first);
        }
        treeshap_destroy(treeshap);
        forest_destroy(forest);
    }
}

/* ---- sums ---- */

static void adds_up_to_the_margin(void **state)
{
    (void)state;
    for (size_t f = 0; f < N_FAMILIES; f++) {
        float rows[N_ROWS * N_FEATURES], contribs[N_ROWS * WIDTH], margins[N_ROWS];
        struct evaluator *evaluator = NULL;
        struct forest *forest = forest_of(&families[f]);
        struct treeshap *treeshap = treeshap_of(forest);
        assert_int_equal(evaluator_create(forest, &evaluator, NULL), STATUS_OK);
        fill_rows(&families[f].kind, true, rows, N_ROWS * N_FEATURES);
        size_t n_trees = forest->n_trees - forest->n_trees / 3;
        evaluator_margins(evaluator, n_trees, rows, N_ROWS, N_FEATURES, margins);
        assert_int_equal(
            treeshap_contribs(treeshap, n_trees, rows, N_ROWS, N_FEATURES, contribs, NULL),
            STATUS_OK);
        for (size_t r = 0; r < N_ROWS; r++) {
            double sum = 0, size = 1;
            for (size_t i = 0; i < WIDTH; i++) {
                sum += (double)contribs[r * WIDTH + i];
                size += fabs((double)contribs[r * WIDTH + i]);
            }
            if (!(fabs(sum - (double)margins[r]) <= 1e-6 * size))
                fail_msg("%s, row %zu: the sum is %.9g, the margin %.9g", families[f].kind.name, r,
                         sum, (double)margins[r]);
        }
        evaluator_destroy(evaluator);
        treeshap_destroy(treeshap);
        forest_destroy(forest);
    }
}

/* ---- shapes ---- */

/* A tree that leans to the right, `depth` splits by as many features. */
static struct forest *chain(int depth)
{
    struct kind kind = {"chain", 1, 0, 0, false, false, false, OBJECTIVE_REG_SQUAREDERROR, 0};
    struct forest *forest = random_forest(&kind);
    forest->n_features = (size_t)depth;
    forest->trees[0] = (struct forest_tree){.n_nodes = (uint32_t)(2 * depth + 1), .depth = depth};
    forest->n_nodes = forest->trees[0].n_nodes;
    for (int32_t i = 0; i < depth; i++) {
        size_t at = 2 * (size_t)i;
        forest->left[at] = 2 * i + 1;
        forest->right[at] = 2 * i + 2;
        forest->feature[at] = (uint32_t)i;
        forest->threshold[at] = 0;
        forest->left[at + 1] = forest->left[at + 2] = -1;
        forest->threshold[at + 1] = forest->threshold[at + 2] = (float)(uniform() - 0.5);
    }
    add_up_covers(forest, 0);
    return forest;
}

/* Of the row that goes right everywhere, a chain's contributions have a closed form no worse than a
 * sum over leaves: the value of leaf i is lost for all features above it alike, by the shares they
 * leave. Here: additivity, which no error of the rule survives. */
static void explains_a_chain_of_hundreds_of_features(void **state)
{
    (void)state;
    static const int depths[] = {9, 64, 399, 1500};
    for (size_t d = 0; d < sizeof depths / sizeof depths[0]; d++) {
        size_t width = (size_t)depths[d];
        struct forest *forest = chain(depths[d]);
        struct treeshap *treeshap = treeshap_of(forest);
        struct evaluator *evaluator = NULL;
        assert_int_equal(evaluator_create(forest, &evaluator, NULL), STATUS_OK);
        float *row = room(width, sizeof *row), *contribs = room(width + 1, sizeof *contribs);
        for (size_t i = 0; i < width; i++)
            row[i] = uniform() < 1.0 / (double)width ? -1 : 1;
        float margin = 0;
        evaluator_margins(evaluator, 1, row, 1, width, &margin);
        assert_int_equal(treeshap_contribs(treeshap, 1, row, 1, width, contribs, NULL), STATUS_OK);
        double sum = 0;
        for (size_t i = 0; i <= width; i++)
            sum += (double)contribs[i];
        if (!(fabs(sum - (double)margin) <= 1e-6))
            fail_msg("%d deep: the sum is %.9g, the margin %.9g", depths[d], sum, (double)margin);
        free(row);
        free(contribs);
        evaluator_destroy(evaluator);
        treeshap_destroy(treeshap);
        forest_destroy(forest);
    }
}

static void takes_the_fast_way_for_shallow_trees_by_thresholds(void **state)
{
    (void)state;
    static const struct {
        struct family family;
        size_t n_fast;
    } cases[] = {
        {{{"8", 20, 8, 0, false, false, false, OBJECTIVE_BINARY_LOGISTIC, 0}, ADD_UP}, 20},
        {{{"9", 20, 9, 0, false, false, false, OBJECTIVE_BINARY_LOGISTIC, 0}, ADD_UP}, 0},
        {{{"sets", 20, 6, 0, true, false, false, OBJECTIVE_BINARY_LOGISTIC, 0}, ADD_UP}, 0},
        {{{"covers", 20, 6, 0, false, false, false, OBJECTIVE_BINARY_LOGISTIC, 0}, ALIKE}, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct forest *forest = forest_of(&cases[i].family);
        struct treeshap *treeshap = treeshap_of(forest);
        assert_int_equal(treeshap_n_fast(treeshap), cases[i].n_fast);
        treeshap_destroy(treeshap);
        forest_destroy(forest);
    }
}

/* Legendre's rules integrate x^m on [0, 1] exactly while m < 2 n. */
static void rules_are_exact_for_polynomials(void **state)
{
    (void)state;
    static double t[SHAP_MAX_POINTS], weights[SHAP_MAX_POINTS];
    static const size_t sizes[] = {1, 2, 3, 4, 7, 64, SHAP_MAX_POINTS};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        size_t n = sizes[i];
        shap_rule(n, t, weights);
        for (size_t m = 0; m < 2 * n; m++) {
            double sum = 0;
            for (size_t k = 0; k < n; k++)
                sum += weights[k] * pow(t[k], (double)m);
            assert_true(fabs(sum * (double)(m + 1) - 1) < 1e-11);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_are_exact_for_polynomials),
        cmocka_unit_test(gives_the_shapley_values),
        cmocka_unit_test(agrees_with_the_library),
        cmocka_unit_test(all_kernels_give_the_same_bits),
        cmocka_unit_test(adds_up_to_the_margin),
        cmocka_unit_test(explains_a_chain_of_hundreds_of_features),
        cmocka_unit_test(takes_the_fast_way_for_shallow_trees_by_thresholds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
