/* Training: what is learnt, what travels in the file, what cannot be learnt from. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "engine/model/model.h"
#include "engine/model/train.h"
#include "engine/stats/classify.h"

#define N_ROWS 2000
#define WIDTH  3

static const char *const names[] = {"amount", "night", "noise"};

struct data {
    float rows[N_ROWS * WIDTH], labels[N_ROWS];
};

/* Fraud where the amount is large, more so at night; a tenth of the nights is missing. */
static struct data *make_data(void)
{
    struct data *data = malloc(sizeof *data);
    uint32_t seed = 1;
    for (size_t i = 0; i < N_ROWS; i++) {
        double drawn[4];
        for (int k = 0; k < 4; k++) {
            seed = (seed * 1103515245u + 12345u) & 0x7fffffffu;
            drawn[k] = (seed >> 8) % 10000 / 10000.0;
        }
        float *row = &data->rows[i * WIDTH];
        row[0] = (float)(drawn[0] * 100);
        row[1] = i % 10 == 3 ? NAN : (float)(drawn[1] < 0.3);
        row[2] = (float)drawn[2];
        data->labels[i] = drawn[3] < 0.02 + (row[0] > 70 ? 0.5 : 0) + (row[1] > 0 ? 0.2 : 0);
    }
    return data;
}

static struct train_set set_of(const struct data *data, size_t n)
{
    return (struct train_set){data->rows, data->labels, n, WIDTH, names};
}

static struct train_options few_rounds(void)
{
    struct train_options options;
    train_defaults(&options);
    options.rounds = 20;
    options.max_depth = 3;
    options.threads = 1;
    options.subsample = 0.8;
    return options;
}

static struct model *train(const struct train_set *set, const struct train_options *options,
                           struct buffer *bytes)
{
    struct model *model = NULL;
    struct error error = {0};
    const struct train_attribute attribute = {.key = "scaling",
                                              .value = "amount 12.5 3\n\"night\" 0 1"};
    buffer_init(bytes, 16 << 20);
    if (train_model(set, options, &attribute, 1, NULL, bytes, &error) ||
        model_load_bytes(buffer_slice(bytes), "m", "1", &model, &error))
        fail_msg("%s", error.message);
    return model;
}

static void learns_and_says_what_from(void **state)
{
    (void)state;
    struct data *data = make_data();
    struct train_set set = set_of(data, N_ROWS);
    struct train_options options = few_rounds();
    struct buffer bytes;
    struct model *model = train(&set, &options, &bytes);
    float scores[N_ROWS];
    struct classify_row rows[N_ROWS];
    struct classify_options as_usual = classify_defaults();
    struct classify_result figures;
    assert_int_equal(model_predict(model, data->rows, N_ROWS, WIDTH, NULL, scores, NULL),
                     STATUS_OK);
    for (size_t i = 0; i < N_ROWS; i++)
        rows[i] = (struct classify_row){(double)scores[i], 1, data->labels[i] > 0, false};
    assert_int_equal(classify(rows, N_ROWS, &as_usual, &figures, NULL), STATUS_OK);
    assert_true(figures.figures[CLASSIFY_AUC].value > 0.8);
    assert_int_equal(model_n_rounds(model), 20);
    assert_string_equal(model_feature_names(model)[1], "night");
    assert_string_equal(model_attribute(model, "scaling"), "amount 12.5 3\n\"night\" 0 1");
    model_release(model);
    buffer_free(&bytes);
    free(data);
}

static void the_same_seed_gives_the_same_model(void **state)
{
    (void)state;
    struct data *data = make_data();
    struct train_set set = set_of(data, N_ROWS);
    struct train_options options = few_rounds();
    struct buffer first, second, third;
    model_release(train(&set, &options, &first));
    model_release(train(&set, &options, &second));
    options.seed = 7;
    model_release(train(&set, &options, &third));
    assert_true(slice_equal(buffer_slice(&first), buffer_slice(&second)));
    assert_false(slice_equal(buffer_slice(&first), buffer_slice(&third)));
    buffer_free(&first);
    buffer_free(&second);
    buffer_free(&third);
    free(data);
}

static void stops_early_and_keeps_the_best_rounds(void **state)
{
    (void)state;
    struct data *data = make_data();
    struct train_set set = set_of(data, N_ROWS);
    struct train_options options = few_rounds();
    struct buffer bytes;
    options.rounds = 300;
    options.eta = 0.5;
    options.early_stopping = 5;
    struct model *model = train(&set, &options, &bytes);
    assert_in_range(model_n_rounds(model), 1, 100);
    assert_int_equal(model_best_iteration(model), model_n_rounds(model) - 1);
    model_release(model);
    buffer_free(&bytes);
    free(data);
}

struct seen {
    int64_t rounds;
    int64_t stop_at;
};

static bool count_rounds(void *context, int64_t round, int64_t rounds, double metric)
{
    struct seen *seen = context;
    assert_int_equal(rounds, 20);
    assert_true(isnan(metric)); /* nothing is kept for validation */
    seen->rounds = round;
    return round < seen->stop_at;
}

static void reports_progress_and_can_be_stopped(void **state)
{
    (void)state;
    struct data *data = make_data();
    struct train_set set = set_of(data, N_ROWS);
    struct train_options options = few_rounds();
    struct seen seen = {.stop_at = 6};
    const struct train_progress progress = {count_rounds, &seen};
    struct buffer bytes;
    struct model *model = NULL;
    buffer_init(&bytes, 16 << 20);
    assert_int_equal(train_model(&set, &options, NULL, 0, &progress, &bytes, NULL), STATUS_OK);
    assert_int_equal(seen.rounds, 6);
    assert_int_equal(model_load_bytes(buffer_slice(&bytes), "m", "1", &model, NULL), STATUS_OK);
    assert_int_equal(model_n_rounds(model), 6);
    model_release(model);
    buffer_free(&bytes);
    free(data);
}

static void assert_refused(const struct train_set *set, const struct train_options *options,
                           const char *message)
{
    struct buffer bytes;
    struct error error = {0};
    buffer_init(&bytes, 16 << 20);
    assert_int_equal(train_model(set, options, NULL, 0, NULL, &bytes, &error), STATUS_INVALID);
    assert_string_equal(error.message, message);
    assert_int_equal(bytes.size, 0);
    buffer_free(&bytes);
}

static void refuses_what_it_cannot_learn_from(void **state)
{
    (void)state;
    struct data *data = make_data();
    struct train_set set = set_of(data, 0);
    struct train_options options = few_rounds();
    assert_refused(&set, &options, "nothing to learn from: 0 rows of 3 features");
    set = set_of(data, N_ROWS);
    data->rows[5] = INFINITY;
    assert_refused(&set, &options, "row 2: noise is infinite");
    data->rows[5] = 0;
    data->labels[9] = 0.5f;
    assert_refused(&set, &options, "row 10 has the label 0.5; binary:logistic wants 0 or 1");
    for (size_t i = 0; i < N_ROWS; i++)
        data->labels[i] = 0;
    assert_refused(&set, &options, "every row has the label 0: nothing to tell apart");
    free(data);
}

static void reads_its_parameters_from_the_configuration(void **state)
{
    (void)state;
    struct yaml *yaml = NULL;
    struct train_options options;
    struct error error = {0};
    train_defaults(&options);
    assert_int_equal(
        yaml_load_text("b.yaml", slice_of("rounds: 7\neta: 0.05\nseed: 3\n"), &yaml, NULL),
        STATUS_OK);
    assert_int_equal(train_options_read(yaml_root(yaml), &options, NULL), STATUS_OK);
    yaml_destroy(yaml);
    assert_int_equal(options.rounds, 7);
    assert_true(options.eta == 0.05);
    assert_int_equal(options.max_depth, 6);
    const char *const wrong[][2] = {
        {"objective: binary:logisitc\n",
         "b.yaml:1:12: there is no objective \"binary:logisitc\"; did you mean "
         "\"binary:logistic\"?"},
        {"max_dept: 3\n", "b.yaml:1:1: unknown key \"max_dept\"; did you mean \"max_depth\"?"},
    };
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(yaml_load_text("b.yaml", slice_of(wrong[i][0]), &yaml, NULL), STATUS_OK);
        assert_int_equal(train_options_read(yaml_root(yaml), &options, &error), STATUS_INVALID);
        assert_string_equal(error.message, wrong[i][1]);
        yaml_destroy(yaml);
    }
    assert_int_equal(options.rounds, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(learns_and_says_what_from),
        cmocka_unit_test(the_same_seed_gives_the_same_model),
        cmocka_unit_test(stops_early_and_keeps_the_best_rounds),
        cmocka_unit_test(reports_progress_and_can_be_stopped),
        cmocka_unit_test(refuses_what_it_cannot_learn_from),
        cmocka_unit_test(reads_its_parameters_from_the_configuration),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
