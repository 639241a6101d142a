/* Rows for training and testing: kept as given, trained into a file that carries its reference, and
 * tested the way the Fraud Detection Handbook does. Expected figures are counted by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <math.h>

#include "app/dataset.h"
#include "engine/base/clock.h"
#include "engine/event/schema.h"
#include "engine/feature/scaling.h"
#include "engine/model/reference.h"
#include "engine/monitor/profile.h"

static const char *const NAMES[] = {"amount", "count"};
static const struct feature_schema SCHEMA = {NAMES, 2};

static const struct field FIELDS[] = {
    {.name = "id", .type = FIELD_STRING, .required = true},
    {.name = "ts", .type = FIELD_TIMESTAMP, .required = true},
    {.name = "amount", .type = FIELD_FLOAT, .required = true},
    {.name = "count", .type = FIELD_FLOAT, .required = true},
};
static const struct schema EVENTS = {.name = "t",
                                     .version = "1",
                                     .fields = FIELDS,
                                     .n_fields = 4,
                                     .id = 0,
                                     .time = 1,
                                     .label = -1,
                                     .entity = 0};

static void check(enum status status, const struct error *error)
{
    if (status != STATUS_OK)
        fail_msg("%s: %s", status_name(status), error->message);
}

static void add(struct dataset *dataset, double amount, int label, int64_t time_us, uint64_t entity)
{
    const float row[] = {(float)amount, (float)NAN};
    struct error error = {0};
    check(dataset_add(dataset, row, label, time_us, entity, &error), &error);
}

static void keeps_every_row_while_it_grows(void **state)
{
    (void)state;
    enum { N = 10000 };
    struct dataset dataset;
    dataset_init(&dataset, &SCHEMA);
    for (int i = 0; i < N; i++)
        add(&dataset, i, i % 7 == 0, i * US_PER_S, (uint64_t)i * 3);
    assert_int_equal(dataset.n, N);
    for (int i = 0; i < N; i++) {
        assert_float_equal(dataset.rows[2 * i], i, 0);
        assert_true(isnan(dataset.rows[2 * i + 1]));
        assert_float_equal(dataset.labels[i], (i % 7 == 0), 0);
        assert_int_equal(dataset.times_us[i], i * US_PER_S);
        assert_int_equal(dataset.entities[i], i * 3);
    }
    dataset_free(&dataset);
    assert_int_equal(dataset.n, 0);
    add(&dataset, 1, 0, 0, 0); /* usable again */
    dataset_free(&dataset);
}

/* ---- training ---- */

/* Positive exactly when the amount is above 50. */
static void fill_separable(struct dataset *dataset)
{
    dataset_init(dataset, &SCHEMA);
    for (int i = 0; i < 400; i++)
        add(dataset, i * 37 % 100, i * 37 % 100 > 50, i * US_PER_MIN, (uint64_t)i);
}

static struct model *train(const char *views_text, char path[64])
{
    struct dataset dataset;
    struct feature_views *views;
    struct train_options options;
    struct model *model;
    struct error error = {0};
    snprintf(path, 64, "/tmp/dataset-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    fill_separable(&dataset);
    check(feature_views_load_text("v.yaml", slice_of(views_text), &EVENTS, &views, &error), &error);
    train_defaults(&options);
    options.rounds = 20;
    options.threads = 1;
    options.min_child_weight = 0;
    check(dataset_train(&dataset, views, &options, path, &error), &error);
    check(model_load(path, "m", "1", &model, &error), &error);
    feature_views_destroy(views);
    dataset_free(&dataset);
    return model;
}

static void a_trained_model_knows_its_features_and_its_reference(void **state)
{
    (void)state;
    char path[64];
    float *rows;
    size_t n;
    struct error error = {0};
    struct model *model = train("features: [amount, count]\n", path);
    assert_int_equal(model_n_features(model), 2);
    assert_string_equal(model_feature_names(model)[0], "amount");
    assert_null(model_attribute(model, SCALING_ATTRIBUTE));
    const char *reference = model_attribute(model, REFERENCE_ATTRIBUTE);
    assert_non_null(reference);
    check(reference_read(slice_of(reference), 2, &rows, &n, &error), &error);
    assert_true(n > 0 && n <= 400);
    free(rows);
    struct columns profile;
    struct binning binning;
    const char *text = model_attribute(model, PROFILE_ATTRIBUTE);
    assert_non_null(text);
    check(profile_read(slice_of(text), "profile", &profile, &error), &error);
    assert_int_equal(profile.n_rows, 400);
    assert_non_null(columns_find(&profile, "amount"));
    assert_non_null(columns_find(&profile, "count"));
    profile_binning(profile.score, 10, &binning);
    assert_int_equal(binning.n_reference, 400);
    /* Two halves told apart without doubt: two scores, and as many rows of each. */
    assert_true(binning.few && binning.n_edges == 3);
    assert_true(binning.edges[1] < 0.5f && binning.edges[2] > 0.5f);
    assert_int_equal(binning.reference[1] + binning.reference[2], 400);
    columns_free(&profile);
    model_release(model);
    unlink(path);
}

static void it_scores_what_it_was_taught_scaled_or_not(void **state)
{
    (void)state;
    static const char *const views[] = {
        "features: [amount, count]\n",
        "scale:\n  - {feature: amount, method: standard}\nfeatures: [amount, count]\n"};
    for (int i = 0; i < 2; i++) {
        char path[64];
        struct dataset empty, test;
        struct test_result result;
        struct error error = {0};
        struct model *model = train(views[i], path);
        if (i == 1)
            assert_non_null(model_attribute(model, SCALING_ATTRIBUTE));
        dataset_init(&empty, &SCHEMA);
        dataset_init(&test, &SCHEMA);
        for (int k = 0; k < 100; k++)
            add(&test, k, k > 50, 0, (uint64_t)k);
        check(dataset_test(&empty, &empty, &test, 0, 10, model, &result, &error), &error);
        assert_int_equal(result.n, 100);
        assert_int_equal(result.n_positives, 49);
        assert_float_equal(result.auc, 1, 1e-9);
        assert_float_equal(result.average_precision, 1, 1e-9);
        assert_float_equal(result.card_precision, 1, 1e-9); /* the ten highest are all frauds */
        dataset_free(&test);
        model_release(model);
        unlink(path);
    }
}

static void a_set_that_teaches_nothing_is_refused_and_writes_no_file(void **state)
{
    (void)state;
    struct dataset dataset;
    struct feature_views *views;
    struct train_options options;
    struct error error = {0};
    const char *path = "/tmp/dataset-never-written.json";
    unlink(path);
    dataset_init(&dataset, &SCHEMA);
    for (int i = 0; i < 10; i++)
        add(&dataset, i, 0, 0, 0);
    check(feature_views_load_text("v.yaml", slice_of("features: [amount, count]\n"), &EVENTS,
                                  &views, &error),
          &error);
    train_defaults(&options);
    assert_int_equal(dataset_train(&dataset, views, &options, path, &error), STATUS_INVALID);
    assert_int_equal(access(path, F_OK), -1);
    feature_views_destroy(views);
    dataset_free(&dataset);
}

/* ---- testing ---- */

static void known_frauds_are_left_out_once_their_labels_are_there(void **state)
{
    (void)state;
    char path[64];
    struct dataset before, between, test;
    struct test_result result;
    struct error error = {0};
    struct model *model = train("features: [amount, count]\n", path);
    dataset_init(&before, &SCHEMA);
    dataset_init(&between, &SCHEMA);
    dataset_init(&test, &SCHEMA);
    add(&before, 90, 1, 0, 1);                 /* 1: known all along */
    add(&before, 10, 0, 0, 2);                 /* 2: honest */
    add(&between, 90, 1, 8 * US_PER_DAY, 3);   /* 3: known from day 16 on (delay 7 d) */
    add(&test, 90, 1, 15 * US_PER_DAY, 1);     /* left out */
    add(&test, 10, 0, 15 * US_PER_DAY, 2);     /* counts */
    add(&test, 90, 1, 15 * US_PER_DAY + 5, 3); /* counts: on day 15 nobody knows yet */
    add(&test, 90, 1, 16 * US_PER_DAY - 1, 4); /* counts */
    add(&test, 90, 1, 16 * US_PER_DAY + 5, 3); /* left out */
    add(&test, 10, 0, 16 * US_PER_DAY + 5, 4); /* counts: its own fraud is not known yet */
    add(&test, 10, 0, 24 * US_PER_DAY, 4);     /* left out: now it is */
    check(dataset_test(&before, &between, &test, 7 * US_PER_DAY, 2, model, &result, &error),
          &error);
    assert_int_equal(result.n, 4);
    assert_int_equal(result.n_positives, 2);
    assert_float_equal(result.auc, 1, 1e-9);
    dataset_free(&before);
    dataset_free(&between);
    dataset_free(&test);
    model_release(model);
    unlink(path);
}

static void an_empty_test_has_no_figures(void **state)
{
    (void)state;
    char path[64];
    struct dataset empty;
    struct test_result result;
    struct error error = {0};
    struct model *model = train("features: [amount, count]\n", path);
    dataset_init(&empty, &SCHEMA);
    check(dataset_test(&empty, &empty, &empty, 0, 10, model, &result, &error), &error);
    assert_int_equal(result.n, 0);
    assert_true(isnan(result.auc));
    assert_true(isnan(result.average_precision));
    assert_true(isnan(result.card_precision));
    model_release(model);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_every_row_while_it_grows),
        cmocka_unit_test(a_trained_model_knows_its_features_and_its_reference),
        cmocka_unit_test(it_scores_what_it_was_taught_scaled_or_not),
        cmocka_unit_test(a_set_that_teaches_nothing_is_refused_and_writes_no_file),
        cmocka_unit_test(known_frauds_are_left_out_once_their_labels_are_there),
        cmocka_unit_test(an_empty_test_has_no_figures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
