/* Fitted scaling; expected numbers by Python's statistics module: pstdev, and quantiles with the
 * inclusive method. */
#include <math.h>

#include "tests/unit/engine/feature/fixture.h"

#include "engine/feature/scaling.h"

static const char views_yaml[] = "transforms:\n"
                                 "  - {name: a, expression: amount}\n"
                                 "  - {name: b, expression: amount}\n"
                                 "  - {name: c, expression: amount}\n"
                                 "  - {name: d, expression: amount}\n"
                                 "scale:\n"
                                 "  - {feature: a, method: standard}\n"
                                 "  - {feature: b, method: min_max}\n"
                                 "  - {feature: c, method: robust}\n"
                                 "features: [a, d, b, c]\n";

static const float rows[5][4] = {
    {1, 1, 1, 1}, {2, 2, 2, 2}, {4, 3, 4, 4}, {8, 4, 8, 8}, {NAN, 5, 7, 100}};

static void close_to(float got, double wanted)
{
    if (fabs((double)got - wanted) > 1e-6)
        fail_msg("%.9g, wanted %.9g", (double)got, wanted);
}

static void fits_scales_and_travels(void **state)
{
    (void)state;
    struct feature_views *views = fixture_views(views_yaml);
    struct feature_scaling *fitted, *read;
    struct error error;
    struct buffer json;
    float out[5][4], again[5][4];
    buffer_init(&json, 4096);
    assert_int_equal(feature_scaling_fit(views, rows[0], 5, &fitted, &error), STATUS_OK);
    feature_scaling_apply(fitted, 4, rows[0], 5, out[0]);
    close_to(out[0][0], -1.025755289064345); /* mean 3.75, std 2.680951323690902 */
    close_to(out[3][0], 1.5852581740085334);
    assert_true(isnan(out[4][0]));
    assert_true(out[4][1] == 5);
    close_to(out[0][2], 0);
    close_to(out[3][2], 1);
    close_to(out[4][2], 6.0 / 7);
    close_to(out[0][3], -0.5); /* column c: median 4, quartiles 2 and 8 */
    close_to(out[4][3], 16);
    feature_scaling_json(fitted, &json);
    assert_int_equal(
        feature_scaling_read(feature_views_schema(views), buffer_slice(&json), &read, &error),
        STATUS_OK);
    feature_scaling_apply(read, 4, rows[0], 5, again[0]);
    assert_memory_equal(out, again, sizeof out);
    memcpy(again, rows, sizeof rows);
    feature_scaling_apply(read, 4, again[0], 5, again[0]); /* in place */
    assert_memory_equal(out, again, sizeof out);
    feature_scaling_destroy(fitted);
    feature_scaling_destroy(read);
    buffer_free(&json);
    feature_views_destroy(views);
}

static void refuses_what_is_not_its_own(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        enum status status;
    } cases[] = {
        {"{", STATUS_INVALID},
        {"{\"version\":2,\"features\":[]}", STATUS_UNSUPPORTED},
        {"{\"version\":1,\"features\":[{\"name\":\"x\",\"method\":\"robust\",\"center\":0,"
         "\"scale\":1}]}",
         STATUS_CONFLICT},
        {"{\"version\":1,\"features\":[{\"name\":\"a\",\"method\":\"robst\",\"center\":0,"
         "\"scale\":1}]}",
         STATUS_CORRUPT},
        {"{\"version\":1,\"features\":[{\"name\":\"a\",\"method\":\"robust\",\"center\":0,"
         "\"scale\":0}]}",
         STATUS_CORRUPT},
        {"{\"version\":1,\"features\":[{\"name\":\"a\",\"method\":\"robust\",\"scale\":1}]}",
         STATUS_CORRUPT},
    };
    struct feature_views *views = fixture_views(views_yaml);
    struct feature_scaling *scaling;
    struct error error;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        enum status status = feature_scaling_read(feature_views_schema(views),
                                                  slice_of(cases[i].json), &scaling, &error);
        if (status != cases[i].status || scaling)
            fail_msg("%s: %s", cases[i].json, status_name(status));
    }
    assert_int_equal(
        feature_scaling_read(feature_views_schema(views), slice_of(""), &scaling, &error),
        STATUS_OK);
    assert_null(scaling);
    feature_views_destroy(views);
}

static void a_feature_of_one_value_is_only_centred(void **state)
{
    (void)state;
    struct feature_views *views = fixture_views(views_yaml);
    struct feature_scaling *scaling;
    struct error error;
    float same[2][4] = {{7, 7, 7, 7}, {7, 7, 7, 7}};
    assert_int_equal(feature_scaling_fit(views, same[0], 2, &scaling, &error), STATUS_OK);
    feature_scaling_apply(scaling, 4, same[0], 2, same[0]);
    assert_true(same[1][0] == 0 && same[1][1] == 7 && same[1][2] == 0 && same[1][3] == 0);
    feature_scaling_destroy(scaling);
    feature_views_destroy(views);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fits_scales_and_travels),
        cmocka_unit_test(refuses_what_is_not_its_own),
        cmocka_unit_test(a_feature_of_one_value_is_only_centred),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
