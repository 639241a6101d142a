/* Views of one's own: read with their places, refused with their places, evaluated point by point.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "ui/view/own.h"

static enum status read_text(const char *text, struct own_views *views, struct error *error)
{
    struct yaml *yaml;
    assert_int_equal(yaml_load_text("binnacle.yaml", slice_of(text), &yaml, error), STATUS_OK);
    enum status status = own_views_read(yaml_get(yaml_root(yaml), "views"), views, error);
    yaml_destroy(yaml);
    return status;
}

static void reads_panels_and_gives_them_as_they_are(void **state)
{
    (void)state;
    static struct own_views views;
    struct error error;
    struct buffer out;
    assert_int_equal(read_text("views:\n  - name: night\n    panels:\n"
                               "      - {title: declined, expression: 100 * decline / accepted}\n"
                               "      - {title: l, expression: latency, kind: heat}\n",
                               &views, &error),
                     STATUS_OK);
    assert_int_equal(views.n, 1);
    assert_string_equal(views.views[0].title, "night");
    assert_int_equal(views.views[0].panels[1].kind, OWN_HEAT);
    buffer_init(&out, 65536);
    own_views_json(&views, &out);
    assert_string_equal(
        out.data, "{\"views\":[{\"name\":\"night\",\"title\":\"night\",\"panels\":[{\"title\":"
                  "\"declined\",\"expression\":\"100 * decline / accepted\",\"kind\":\"line\"},"
                  "{\"title\":\"l\",\"expression\":\"latency\",\"kind\":\"heat\"}]}]}");
    buffer_free(&out);
}

static void says_where_a_view_is_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"views: x\n", "views is a list"},
        {"views:\n  - {name: a}\n", "panels"},
        {"views:\n  - {name: a, panels: [{title: t, expression: 1 +}]}\n", "binnacle.yaml:2:"},
        {"views:\n  - {name: a, panels: [{title: t, expression: 1 + 1}]}\n", "names no series"},
        {"views:\n  - {name: a, panels: [{title: t, expression: a, kind: lin}]}\n", "did you mean"},
        {"views:\n  - {name: a, panels: []}\n  - {name: a, panels: []}\n", "two views a"},
    };
    static struct own_views views;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error error;
        assert_int_equal(read_text(cases[i].text, &views, &error), STATUS_INVALID);
        if (!strstr(error.message, cases[i].words))
            fail_msg("'%s' has no '%s'", error.message, cases[i].words);
    }
}

static void evaluates_point_by_point_and_null_is_no_zero(void **state)
{
    (void)state;
    static const char text[] = "{\"from\":\"a\",\"to\":\"b\",\"step_s\":60,\"series\":["
                               "{\"name\":\"decline\",\"points\":[[1000,2],[2000,null],[3000,3]]},"
                               "{\"name\":\"accepted\",\"points\":[[1000,8],[2000,8],[3000,0]]}]}";
    struct own_expression *expression;
    struct error error;
    struct buffer out;
    struct json *history;
    assert_int_equal(own_expression_create("100 * decline / accepted", &expression, &error),
                     STATUS_OK);
    assert_string_equal(own_expression_series(expression), "decline,accepted");
    assert_int_equal(json_parse(slice_of(text), &history, &error), STATUS_OK);
    buffer_init(&out, 65536);
    own_expression_json(expression, history, "x", &out);
    assert_non_null(strstr(out.data, "\"points\":[[1000,25],[2000,null],[3000,null]]"));
    buffer_free(&out);
    json_destroy(history);
    own_expression_destroy(expression);
}

static void a_series_alone_keeps_its_unit_and_what_is_made_of_it_has_none(void **state)
{
    (void)state;
    static const char history_text[] =
        "{\"from\":\"a\",\"to\":\"b\",\"step_s\":60,\"series\":["
        "{\"name\":\"latency_p95_us\",\"unit\":\"us\",\"points\":[[1000,2]]}]}";
    static const char *const cases[][2] = {{"latency_p95_us", "\"unit\":\"us\""},
                                           {"latency_p95_us / 1000", "\"unit\":\"\""}};
    struct json *history;
    struct error error;
    assert_int_equal(json_parse(slice_of(history_text), &history, &error), STATUS_OK);
    for (size_t i = 0; i < 2; i++) {
        struct own_expression *expression;
        struct buffer out;
        assert_int_equal(own_expression_create(cases[i][0], &expression, &error), STATUS_OK);
        buffer_init(&out, 65536);
        own_expression_json(expression, history, cases[i][0], &out);
        assert_non_null(strstr(out.data, cases[i][1]));
        buffer_free(&out);
        own_expression_destroy(expression);
    }
    json_destroy(history);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_panels_and_gives_them_as_they_are),
        cmocka_unit_test(says_where_a_view_is_wrong),
        cmocka_unit_test(evaluates_point_by_point_and_null_is_no_zero),
        cmocka_unit_test(a_series_alone_keeps_its_unit_and_what_is_made_of_it_has_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
