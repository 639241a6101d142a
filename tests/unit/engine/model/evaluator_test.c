/* Margins of random forests against libxgboost, bit for bit: the library reads the same forest from
 * a file. Rows hold missing values, infinities, and values that equal thresholds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "engine/model/evaluator_priv.h"
#include "engine/model/library.h"
#include "engine/model/wide.h"
#include "tests/unit/engine/model/random_forest.h"

#define N_ROWS 333

static struct library *library_of(const struct forest *forest)
{
    struct library *library = NULL;
    struct error error = {.message = ""};
    if (library_create(forest, &library, &error))
        fail_msg("%s", error.message);
    return library;
}

static void compare(const struct kind *kind, const struct evaluator *evaluator,
                    const struct library *library, size_t n_trees)
{
    enum { STRIDE = N_FEATURES + 2 };
    static float rows[N_ROWS * STRIDE], ours[N_ROWS], theirs[N_ROWS];
    struct error error = {.message = ""};
    for (size_t i = 0; i < N_ROWS * STRIDE; i++)
        rows[i] = cell(kind);
    evaluator_margins(evaluator, n_trees, rows, N_ROWS, STRIDE, ours);
    if (library_margins(library, n_trees, rows, N_ROWS, STRIDE, theirs, &error))
        fail_msg("%s", error.message);
    for (size_t i = 0; i < N_ROWS; i++) {
        if (memcmp(&ours[i], &theirs[i], sizeof ours[i]) != 0)
            fail_msg("%s, %s, %zu trees, row %zu: %.9g, the library says %.9g", kind->name,
                     evaluator_kernel(evaluator), n_trees, i, (double)ours[i], (double)theirs[i]);
    }
}

static void gives_the_bits_of_the_library(void **state)
{
    (void)state;
    static const struct kind kinds[] = {
        {"single leaves", 9, 0, 0, false, false, false, OBJECTIVE_BINARY_LOGISTIC, 0},
        {"stumps", 17, 1, 0, false, false, false, OBJECTIVE_REG_SQUAREDERROR, 0},
        {"depth 6", 100, 6, 0.1, false, false, false, OBJECTIVE_BINARY_LOGISTIC, 0},
        {"full depth 8", 20, 8, 0, false, false, false, OBJECTIVE_BINARY_LOGITRAW, 0},
        {"mixed depths", 50, 9, 0.3, false, false, false, OBJECTIVE_REG_LOGISTIC, 0},
        {"deep", 12, 40, 0.42, false, false, false, OBJECTIVE_BINARY_LOGISTIC, 0},
        {"infinite thresholds", 40, 5, 0.1, false, false, true, OBJECTIVE_BINARY_LOGISTIC, 0},
        {"categories", 40, 6, 0.1, true, false, false, OBJECTIVE_BINARY_LOGISTIC, 0},
        {"categories far apart", 40, 6, 0.1, true, false, false, OBJECTIVE_BINARY_LOGISTIC, 5000},
        {"dart", 30, 5, 0.1, false, true, false, OBJECTIVE_BINARY_LOGISTIC, 0},
        {"everything", 60, 9, 0.2, true, true, true, OBJECTIVE_BINARY_LOGISTIC, 0},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct evaluator *evaluator = NULL;
        struct forest *forest = random_forest(&kinds[i]);
        struct library *library = library_of(forest);
        assert_int_equal(evaluator_create(forest, &evaluator, NULL), STATUS_OK);
        const size_t counts[] = {forest->n_trees, forest->n_trees / 2, 1};
        const struct wide_kernel *const kernels[] = {&wide_avx512, &wide_avx2, NULL};
        for (size_t k = 0; k < 9; k++) {
            size_t n_trees = counts[k % 3] ? counts[k % 3] : 1;
            if (evaluator_use(evaluator, kernels[k / 3]))
                compare(&kinds[i], evaluator, library, n_trees);
        }
        evaluator_destroy(evaluator);
        library_destroy(library);
        forest_destroy(forest);
    }
}

static void takes_the_fast_way_where_it_is_exact(void **state)
{
    (void)state;
    static const struct {
        struct kind kind;
        bool all_fast;
    } cases[] = {
        {{"shallow", 16, 8, 0, false, false, false, OBJECTIVE_BINARY_LOGISTIC, 0}, true},
        {{"deep", 16, 9, 0, false, false, false, OBJECTIVE_BINARY_LOGISTIC, 0}, false},
        {{"categories", 16, 6, 0, true, false, false, OBJECTIVE_BINARY_LOGISTIC, 0}, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct evaluator *evaluator = NULL;
        struct forest *forest = random_forest(&cases[i].kind);
        assert_int_equal(evaluator_create(forest, &evaluator, NULL), STATUS_OK);
        assert_int_equal(evaluator_n_fast(evaluator), cases[i].all_fast ? 16 : 0);
        evaluator_destroy(evaluator);
        forest_destroy(forest);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_the_bits_of_the_library),
        cmocka_unit_test(takes_the_fast_way_where_it_is_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
