/* Scores of model files against what the library that trained them predicts.
 *
 * golden/ holds small models saved by XGBoost's Python package in the version of their name, 40
 * rows, and what Booster.predict of that version gave for them, "%.9g". */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>
#include <stdatomic.h>

#include "engine/base/input.h"
#include "engine/base/thread.h"
#include "engine/model/model.h"
#include "engine/model/scorer.h"

#define GOLDEN "tests/unit/engine/model/golden/"
#define N_ROWS 40
#define WIDTH  4

/* Reads N_ROWS lines of `width` numbers after the header; an empty cell is NaN. */
static void read_csv(const char *name, size_t width, float *out)
{
    char path[256];
    struct input *input = NULL;
    struct slice line, cells[16];
    struct buffer scratch;
    buffer_init(&scratch, 1024);
    snprintf(path, sizeof path, GOLDEN "%s.csv", name);
    assert_int_equal(input_open(path, 4096, &input, NULL), STATUS_OK);
    assert_int_equal(input_line(input, &line, NULL), STATUS_OK);
    for (size_t i = 0; i < N_ROWS; i++) {
        assert_int_equal(input_line(input, &line, NULL), STATUS_OK);
        assert_int_equal(csv_split(line, cells, 16, &scratch), width);
        for (size_t k = 0; k < width; k++, out++) {
            *out = NAN;
            if (cells[k].size)
                assert_true(float_parse(cells[k], out));
        }
    }
    assert_int_equal(input_line(input, &line, NULL), STATUS_END);
    input_close(input);
    buffer_free(&scratch);
}

static struct model *load(const char *name)
{
    char path[256];
    struct model *model = NULL;
    struct error error = {0};
    snprintf(path, sizeof path, GOLDEN "%s", name);
    if (model_load(path, "fraud", "3", &model, &error))
        fail_msg("%s", error.message);
    return model;
}

static void gives_what_the_training_library_gives(void **state)
{
    (void)state;
    /* The last one added its trees up in another order. */
    static const struct {
        const char *file, *expected;
        float tolerance;
    } cases[] = {
        {"logistic-1.7.4.json", "logistic-1.7.4", 0},
        {"logistic-3.4.1.ubj", "logistic-3.4.1", 0},
        {"forest-1.7.4.ubj", "forest-1.7.4", 0},
        {"pruned-1.7.4.json", "pruned-1.7.4", 0},
        {"dart-1.7.4.ubj", "dart-1.7.4", 0},
        {"dart-3.4.1.json", "dart-3.4.1", 0},
        {"squared-3.4.1.json", "squared-3.4.1", 0},
        {"categorical-3.4.1.json", "categorical-3.4.1", 0},
        {"early-3.4.1.json", "early-3.4.1", 0},
        {"logitraw-1.2.1.json", "logitraw-1.2.1", 1e-6f},
    };
    float rows[N_ROWS * WIDTH], expected[N_ROWS * 2], margin[N_ROWS], score[N_ROWS];
    read_csv("rows", WIDTH, rows);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct model *model = load(cases[i].file);
        read_csv(cases[i].expected, 2, expected);
        assert_int_equal(model_predict(model, rows, N_ROWS, WIDTH, margin, score, NULL), STATUS_OK);
        for (size_t k = 0; k < N_ROWS; k++)
            if (fabsf(score[k] - expected[2 * k]) > cases[i].tolerance ||
                fabsf(margin[k] - expected[2 * k + 1]) > cases[i].tolerance)
                fail_msg("%s row %zu: %.9g %.9g, not %.9g %.9g", cases[i].file, k, (double)score[k],
                         (double)margin[k], (double)expected[2 * k], (double)expected[2 * k + 1]);
        model_release(model);
    }
}

static void gives_the_librarys_contributions(void **state)
{
    (void)state;
    float rows[N_ROWS * WIDTH], expected[N_ROWS * (WIDTH + 1)], contribs[N_ROWS * (WIDTH + 1)];
    struct model *model = load("logistic-1.7.4.json");
    read_csv("rows", WIDTH, rows);
    read_csv("logistic-1.7.4.contribs", WIDTH + 1, expected);
    assert_int_equal(model_contribs(model, rows, N_ROWS, WIDTH, contribs, NULL), STATUS_OK);
    for (size_t i = 0; i < N_ROWS * (WIDTH + 1); i++)
        assert_true(fabsf(contribs[i] - expected[i]) < 1e-5f);
    model_release(model);
}

static void contributions_add_up_to_the_margin(void **state)
{
    (void)state;
    float rows[N_ROWS * WIDTH], contribs[N_ROWS * (WIDTH + 1)], margin[N_ROWS];
    struct model *model = load("dart-3.4.1.json");
    read_csv("rows", WIDTH, rows);
    assert_string_not_equal(model_explainer(model), "libxgboost");
    rows[0] = INFINITY;
    rows[5] = -INFINITY;
    assert_int_equal(model_contribs(model, rows, N_ROWS, WIDTH, contribs, NULL), STATUS_OK);
    assert_int_equal(model_predict(model, rows, N_ROWS, WIDTH, margin, NULL, NULL), STATUS_OK);
    for (size_t i = 0; i < N_ROWS; i++) {
        float sum = 0;
        for (size_t k = 0; k <= WIDTH; k++)
            sum += contribs[i * (WIDTH + 1) + k];
        assert_true(fabsf(sum - margin[i]) < 1e-4f);
    }
    model_release(model);
}

static void infinities_compare_like_numbers(void **state)
{
    (void)state;
    struct model *model = load("logistic-1.7.4.json");
    float rows[4][WIDTH] = {
        {INFINITY, 1, 2, 3}, {1e30f, 1, 2, 3}, {-INFINITY, 1, 2, 3}, {-1e30f, 1, 2, 3}};
    float margin[4];
    assert_int_equal(model_predict(model, rows[0], 4, WIDTH, margin, NULL, NULL), STATUS_OK);
    assert_true(margin[0] == margin[1]);
    assert_true(margin[2] == margin[3]);
    assert_true(margin[0] != margin[2]);
    model_release(model);
}

static void rows_may_lie_apart(void **state)
{
    (void)state;
    float rows[N_ROWS * WIDTH], apart[N_ROWS * 7], one[N_ROWS], two[N_ROWS];
    float contribs[N_ROWS * (WIDTH + 1)], contribs_apart[N_ROWS * (WIDTH + 1)];
    struct model *model = load("logistic-3.4.1.ubj");
    read_csv("rows", WIDTH, rows);
    for (size_t i = 0; i < N_ROWS; i++)
        for (size_t k = 0; k < 7; k++)
            apart[i * 7 + k] = k < WIDTH ? rows[i * WIDTH + k] : 1e9f;
    assert_int_equal(model_predict(model, rows, N_ROWS, WIDTH, one, NULL, NULL), STATUS_OK);
    assert_int_equal(model_predict(model, apart, N_ROWS, 7, two, NULL, NULL), STATUS_OK);
    assert_memory_equal(one, two, sizeof one);
    assert_int_equal(model_contribs(model, rows, N_ROWS, WIDTH, contribs, NULL), STATUS_OK);
    assert_int_equal(model_contribs(model, apart, N_ROWS, 7, contribs_apart, NULL), STATUS_OK);
    assert_memory_equal(contribs, contribs_apart, sizeof contribs);
    assert_int_equal(model_predict(model, rows, 0, WIDTH, one, NULL, NULL), STATUS_OK);
    model_release(model);
}

static void evaluates_the_best_rounds_on_request(void **state)
{
    (void)state;
    float rows[N_ROWS * WIDTH], expected[N_ROWS], score[N_ROWS];
    struct model *model = load("early-3.4.1.json");
    read_csv("rows", WIDTH, rows);
    read_csv("early-3.4.1.best", 1, expected);
    assert_int_equal(model_best_iteration(model), 0);
    assert_int_equal(model_n_rounds(model), 4);
    size_t n_rounds = (size_t)model_best_iteration(model) + 1;
    assert_int_equal(model_predict_rounds(model, n_rounds, rows, N_ROWS, WIDTH, NULL, score, NULL),
                     STATUS_OK);
    assert_memory_equal(score, expected, sizeof score);
    model_release(model);
}

static void says_what_it_is(void **state)
{
    (void)state;
    struct model *model = load("forest-1.7.4.ubj");
    assert_string_equal(model_name(model), "fraud");
    assert_string_equal(model_version(model), "3");
    assert_int_equal(model_n_features(model), WIDTH);
    assert_int_equal(model_n_trees(model), 6);
    assert_int_equal(model_n_rounds(model), 2);
    assert_int_equal(model_objective(model), OBJECTIVE_BINARY_LOGISTIC);
    assert_string_equal(model_feature_names(model)[2], "kind");
    assert_null(model_attribute(model, "scaling"));
    assert_ptr_equal(model_acquire(model), model);
    model_release(model);
    assert_string_equal(model_name(model), "fraud");
    model_release(model);
}

/* One split by two categories far apart, in each of 20 trees: 2 MiB of bits each in the library. */
static struct slice far_apart(struct buffer *out)
{
    buffer_append_text(out, "{\"learner\":{\"gradient_booster\":{\"name\":\"gbtree\",\"model\":{"
                            "\"trees\":[");
    for (int i = 0; i < 20; i++)
        buffer_printf(out,
                      "%s{\"left_children\":[1,-1,-1],\"right_children\":[2,-1,-1],"
                      "\"split_indices\":[0,0,0],\"split_conditions\":[NaN,1,2],"
                      "\"default_left\":[0,0,0],\"split_type\":[1,0,0],\"sum_hessian\":[3,2,1],"
                      "\"loss_changes\":[1,0,0],\"base_weights\":[0,0,0],"
                      "\"categories_nodes\":[0],\"categories_segments\":[0],"
                      "\"categories_sizes\":[2],\"categories\":[16777215,7]}",
                      i ? "," : "");
    buffer_append_text(out, "]}},\"objective\":{\"name\":\"reg:squarederror\"},"
                            "\"learner_model_param\":{\"num_feature\":\"1\","
                            "\"base_score\":\"0\"}}}");
    assert_false(out->overflow);
    return buffer_slice(out);
}

static void scores_unchecked_what_the_library_will_not_take(void **state)
{
    (void)state;
    struct buffer bytes;
    struct model *model = NULL;
    struct error error = {.message = ""};
    const float rows[] = {7, 16777215, 8, 16777214};
    float margins[4];
    buffer_init(&bytes, 1 << 20);
    if (model_load_bytes(far_apart(&bytes), "m", "1", &model, &error))
        fail_msg("%s", error.message);
    assert_int_equal(model_check(model), MODEL_UNCHECKED);
    assert_string_equal(model_check_text(model),
                        "unchecked against libxgboost: its sets of categories would take 40 MiB in "
                        "libxgboost, and 16 are allowed");
    assert_string_equal(model_kernel(model), "walk");
    assert_int_equal(model_predict(model, rows, 4, 1, margins, NULL, NULL), STATUS_OK);
    assert_true(margins[0] == 40 && margins[1] == 40 && margins[2] == 20 && margins[3] == 20);
    model_release(model);
    model = load("logistic-3.4.1.ubj");
    assert_string_equal(model_check_word(model), "equal");
    assert_non_null(strstr(model_check_text(model), " on 256 rows"));
    model_release(model);
    buffer_free(&bytes);
}

static void names_the_file_it_cannot_load(void **state)
{
    (void)state;
    struct model *model = NULL;
    struct error error = {0};
    assert_int_equal(model_load(GOLDEN "none.json", "a", "1", &model, &error), STATUS_NOT_FOUND);
    assert_non_null(strstr(error.message, "golden/none.json: "));
    assert_int_equal(model_load(GOLDEN "rows.csv", "a", "1", &model, &error), STATUS_INVALID);
    assert_non_null(strstr(error.message, "golden/rows.csv: byte 1: neither JSON nor UBJSON"));
    assert_null(model);
}

/* ---- many threads ---- */

struct crowd {
    struct model *model;
    const float *rows, *expected;
    atomic_int wrong;
};

static void predict_again_and_again(void *context)
{
    struct crowd *crowd = context;
    float score[N_ROWS], contribs[N_ROWS * (WIDTH + 1)];
    for (int i = 0; i < 200; i++) {
        if (model_predict(crowd->model, crowd->rows, N_ROWS, WIDTH, NULL, score, NULL) ||
            memcmp(score, crowd->expected, sizeof score) != 0)
            atomic_fetch_add(&crowd->wrong, 1);
        if (i % 20 == 0 && model_contribs(crowd->model, crowd->rows, N_ROWS, WIDTH, contribs, NULL))
            atomic_fetch_add(&crowd->wrong, 1);
    }
}

static void many_threads_predict_with_one_model(void **state)
{
    (void)state;
    float rows[N_ROWS * WIDTH], expected[N_ROWS];
    struct thread *threads[4];
    read_csv("rows", WIDTH, rows);
    struct crowd crowd = {.model = load("dart-1.7.4.ubj"), .rows = rows, .expected = expected};
    assert_int_equal(model_predict(crowd.model, rows, N_ROWS, WIDTH, NULL, expected, NULL),
                     STATUS_OK);
    for (int i = 0; i < 4; i++)
        assert_int_equal(thread_start("crowd", predict_again_and_again, &crowd, &threads[i], NULL),
                         STATUS_OK);
    for (int i = 0; i < 4; i++)
        thread_join(threads[i]);
    assert_int_equal(atomic_load(&crowd.wrong), 0);
    model_release(crowd.model);
}

/* ---- behind a view ---- */

static void finds_its_features_in_the_view(void **state)
{
    (void)state;
    static const char *const names[] = {"unused", "d", "b", "kind", "a"};
    const struct feature_schema schema = {names, 5};
    const size_t order[] = {4, 2, 3, 1}; /* where a, b, kind and d are */
    float rows[N_ROWS * WIDTH], served[N_ROWS * 5], expected[N_ROWS * 2], margin[N_ROWS];
    float score[N_ROWS], contribs[N_ROWS * 6], direct[N_ROWS * 5];
    struct model *model = load("logistic-3.4.1.ubj");
    struct scorer *scorer = NULL;
    struct scorer_scratch *scratch = NULL;
    read_csv("rows", WIDTH, rows);
    read_csv("logistic-3.4.1", 2, expected);
    for (size_t i = 0; i < N_ROWS; i++) {
        served[i * 5] = 77;
        for (size_t k = 0; k < WIDTH; k++)
            served[i * 5 + order[k]] = rows[i * WIDTH + k];
    }
    assert_int_equal(scorer_create(model, &schema, &scorer, NULL), STATUS_OK);
    assert_int_equal(scorer_scratch_create(N_ROWS, 16, &scratch, NULL), STATUS_OK);
    assert_int_equal(scorer_score(scorer, scratch, served, N_ROWS, margin, score, NULL), STATUS_OK);
    for (size_t i = 0; i < N_ROWS; i++)
        assert_true(score[i] == expected[2 * i] && margin[i] == expected[2 * i + 1]);
    assert_int_equal(scorer_explain(scorer, scratch, served, N_ROWS, contribs, NULL), STATUS_OK);
    assert_int_equal(model_contribs(model, rows, N_ROWS, WIDTH, direct, NULL), STATUS_OK);
    for (size_t i = 0; i < N_ROWS; i++) {
        assert_true(contribs[i * 6] == 0);
        assert_true(contribs[i * 6 + 5] == direct[i * 5 + 4]);
        for (size_t k = 0; k < WIDTH; k++)
            assert_true(contribs[i * 6 + order[k]] == direct[i * 5 + k]);
    }
    assert_int_equal(scorer_score(scorer, scratch, served, 1000, margin, score, NULL), STATUS_FULL);
    scorer_scratch_destroy(scratch);
    scorer_destroy(scorer);
    model_release(model);
}

static void names_the_feature_that_the_view_lacks(void **state)
{
    (void)state;
    static const char *const names[] = {"a", "b", "kinds", "d"};
    const struct feature_schema schema = {names, 4};
    struct model *model = load("logistic-3.4.1.ubj");
    struct scorer *scorer = NULL;
    struct error error = {0};
    assert_int_equal(scorer_create(model, &schema, &scorer, &error), STATUS_INVALID);
    assert_string_equal(error.message, "model fraud 3 wants the feature \"kind\", which the view "
                                       "does not have; the nearest is \"kinds\"");
    assert_null(scorer);
    model_release(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_what_the_training_library_gives),
        cmocka_unit_test(gives_the_librarys_contributions),
        cmocka_unit_test(contributions_add_up_to_the_margin),
        cmocka_unit_test(infinities_compare_like_numbers),
        cmocka_unit_test(rows_may_lie_apart),
        cmocka_unit_test(evaluates_the_best_rounds_on_request),
        cmocka_unit_test(says_what_it_is),
        cmocka_unit_test(scores_unchecked_what_the_library_will_not_take),
        cmocka_unit_test(names_the_file_it_cannot_load),
        cmocka_unit_test(many_threads_predict_with_one_model),
        cmocka_unit_test(finds_its_features_in_the_view),
        cmocka_unit_test(names_the_feature_that_the_view_lacks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
