/* What people ask of the record over HTTP, and what they do about it. */
#include "tests/unit/ui/web/fixture.h"

static void gives_recorded_decisions_to_those_with_a_token(void **state)
{
    (void)state;
    struct fixture fixture;
    struct access *access = tokens();
    start(&fixture, access);
    const char *token = "Authorization: Bearer " TOKEN;
    assert_int_equal(ask(&fixture, "GET", "/api/v1/decision?event_id=e%201", NULL, NULL), 401);
    assert_int_equal(ask(&fixture, "GET", "/api/v1/decision?event_id=e%201", token, NULL), 200);
    assert_string_equal(fixture.reply.data, "{\"reasons\":3}");
    assert_int_equal(
        ask(&fixture, "GET", "/api/v1/decision?reasons=all&event_id=e%201", token, NULL), 200);
    assert_string_equal(fixture.reply.data, "{\"reasons\":-1}");
    assert_int_equal(ask(&fixture, "GET", "/api/v1/decision?event_id=e2", token, NULL), 404);
    assert_non_null(strstr(fixture.reply.data, "no decision on event e2"));
    assert_int_equal(ask(&fixture, "GET", "/api/v1/decision", token, NULL), 400);
    assert_int_equal(ask(&fixture, "GET", "/api/v1/decision?event_id=e%201&reasons=x", token, NULL),
                     400);
    stop(&fixture);
    access_destroy(access);
}

static void reads_what_is_asked_of_the_record(void **state)
{
    (void)state;
    struct fixture fixture;
    start(&fixture, NULL);
    assert_int_equal(ask(&fixture, "GET",
                         "/api/v1/decisions?entity=a%20b&decision=review&min_score=0.5&limit=7"
                         "&order=newest&cursor=9&from=1000",
                         NULL, NULL),
                     200);
    assert_string_equal(fixture.reply.data, "a b|review|0.5|7|1|9|1000000");
    assert_int_equal(ask(&fixture, "GET", "/api/v1/decisions", NULL, NULL), 200);
    assert_non_null(strstr(fixture.reply.data, "|nan|50|0|-1|"));
    static const char *const wrong[] = {"limit=0",  "limit=201", "limit=x",     "cursor=-1",
                                        "order=up", "from=now",  "min_score=a", "from=2&to=1"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char path[96];
        snprintf(path, sizeof path, "/api/v1/decisions?%s", wrong[i]);
        assert_int_equal(ask(&fixture, "GET", path, NULL, NULL), 400);
        assert_non_null(strstr(fixture.reply.data, "\"title\":\"Not understood\""));
    }
    assert_int_equal(ask(&fixture, "GET", "/api/v1/quarantine", NULL, NULL), 501);
    stop(&fixture);
}

static void names_the_parameter_that_a_path_does_not_have(void **state)
{
    (void)state;
    struct fixture fixture;
    start(&fixture, NULL);
    static const struct {
        const char *path, *says;
    } slips[] = {
        {"/api/v1/decisions?entty=a", "no parameter \\\"entty\\\"; did you mean \\\"entity\\\"?"},
        {"/api/v1/decisions?limit=5&&min-score=1", "did you mean \\\"min_score\\\"?"},
        {"/api/v1/snapshot?from=1", "no parameter \\\"from\\\"\""},
        {"/api/v1/decisions?%66rom=1", "no parameter"},
        {"/api/v1/decisions?=1", "no parameter"},
    };
    for (size_t i = 0; i < sizeof slips / sizeof *slips; i++) {
        assert_int_equal(ask(&fixture, "GET", slips[i].path, NULL, NULL), 400);
        assert_non_null(strstr(fixture.reply.data, slips[i].says));
        assert_non_null(strstr(fixture.reply.data, "\"title\":\"Not understood\""));
        struct buffer inside;
        buffer_init(&inside, 1 << 16);
        assert_int_equal(web_call(fixture.web, "GET", slips[i].path, slice_of(""), &inside), 400);
        buffer_free(&inside);
    }
    assert_int_equal(ask(&fixture, "GET", "/api/v1/decisions?&limit=5&From=1000&", NULL, NULL),
                     200);
    assert_int_equal(ask(&fixture, "GET", "/?view=slo&any=thing", NULL, NULL), 200);
    /* Whatever is documented is known. */
    for (const struct web_parameter *one = web_parameters; one->path; one++) {
        char path[160];
        snprintf(path, sizeof path, "%s?%s=1", one->path, one->name);
        if (strncmp(path, "/api/", 5) != 0)
            continue;
        ask(&fixture, "GET", path, NULL, NULL);
        assert_null(strstr(fixture.reply.data, "has no parameter"));
    }
    stop(&fixture);
}

static void asks_for_a_token_where_people_look_at_or_act_on_the_record(void **state)
{
    (void)state;
    struct fixture fixture;
    struct access *access = tokens();
    const char *token = "Authorization: Bearer " TOKEN;
    start(&fixture, access);
    static const struct {
        const char *method, *path;
    } routes[] = {{"GET", "/api/v1/decisions"},
                  {"GET", "/api/v1/decision/record?event_id=e"},
                  {"GET", "/api/v1/quarantine"},
                  {"POST", "/api/v1/quarantine/retry"},
                  {"POST", "/api/v1/alerts/acknowledge"},
                  {"POST", "/api/v1/alerts/silence"},
                  {"POST", "/api/v1/traffic"}};
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        const char *body = routes[i].method[0] == 'P' ? "{}" : NULL;
        assert_int_equal(ask(&fixture, routes[i].method, routes[i].path, NULL, body), 401);
    }
    assert_int_equal(ask(&fixture, "POST", "/api/v1/alerts/silence", token, "{}"), 200);
    assert_string_equal(fixture.reply.data, "{\"act\":1,\"by\":\"shift-1\",\"size\":2}");
    stop(&fixture);
    access_destroy(access);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_recorded_decisions_to_those_with_a_token),
        cmocka_unit_test(reads_what_is_asked_of_the_record),
        cmocka_unit_test(names_the_parameter_that_a_path_does_not_have),
        cmocka_unit_test(asks_for_a_token_where_people_look_at_or_act_on_the_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
