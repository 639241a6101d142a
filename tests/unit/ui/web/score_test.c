/* Scoring over HTTP, by a thread of the request's own and gathered. */
#include "tests/unit/ui/web/fixture.h"

static void gives_the_backend_body_reasons_and_trace(void **state)
{
    (void)state;
    struct fixture fixture;
    start(&fixture, NULL);
    assert_int_equal(ask(&fixture, "POST", "/v1/score",
                         "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                         "12345"),
                     200);
    assert_string_equal(fixture.reply.data, "{\"size\":5,\"reasons\":3,\"first_byte\":10}");
    assert_int_equal(ask(&fixture, "POST", "/v1/score?reasons=all", NULL, "1"), 200);
    assert_non_null(strstr(fixture.reply.data, "\"reasons\":-1"));
    assert_int_equal(ask(&fixture, "POST", "/v1/score?reasons=0", NULL, "1"), 200);
    assert_int_equal(ask(&fixture, "POST", "/v1/score?reasons=x", NULL, "1"), 400);
    assert_int_equal(ask(&fixture, "POST", "/v1/score?reasons=-1", NULL, "1"), 400);
    assert_int_equal(ask(&fixture, "POST", "/v1/score?reasons=", NULL, "1"), 400);
    stop(&fixture);
}

static void scores_alike_on_the_port_for_scoring(void **state)
{
    (void)state;
    static const struct {
        const char *method, *path, *body;
        int code;
        const char *text;
    } cases[] = {
        {"POST", "/v1/score", "12345", 200, "{\"size\":5,\"reasons\":3,\"first_byte\":10}"},
        {"POST", "/v1/score?reasons=all", "1", 200, "\"reasons\":-1"},
        {"POST", "/v1/score?reasons=7", "1", 200, "\"reasons\":7"},
        {"POST", "/v1/score?reasons=x", "1", 400, "\"status\":400"},
        {"POST", "/v1/score", "conflict", 409, "used for other content"},
        {"POST", "/v1/score", "broken", 422, "\"errors\":[]"},
        {"POST", "/v1/score", "full", 503, "queue is full"},
        {"POST", "/v1/score", "repeat", 200, "{\"ledger_index\":41}"},
        {"POST", "/v1/score/batch", "12", 200, "\"size\":2"},
        {"POST", "/v1/labels", "{}", 501, "\"status\":501"},
        {"GET", "/v1/score", NULL, 405, "takes POST"},
        {"GET", "/metrics", NULL, 404, "\"status\":404"},
        {"GET", "/healthz", NULL, 200, "ok"},
    };
    struct fixture fixture;
    start(&fixture, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int code = ask_at(&fixture, web_score_port(fixture.web), cases[i].method, cases[i].path,
                          "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                          cases[i].body);
        if (code != cases[i].code || !strstr(fixture.reply.data, cases[i].text))
            fail_msg("%s %s gave %d %s", cases[i].path, cases[i].body, code, fixture.reply.data);
    }
    struct httpd_stats stats;
    assert_true(web_score_stats(fixture.web, &stats));
    assert_int_equal(stats.requests, sizeof cases / sizeof *cases);
    stop(&fixture);
}

static void asks_for_a_token_on_the_port_for_scoring_too(void **state)
{
    (void)state;
    struct access *access = tokens();
    struct fixture fixture;
    start(&fixture, access);
    int port = web_score_port(fixture.web);
    const char *token = "Authorization: Bearer " TOKEN, *page = "Origin: http://evil.example";
    assert_int_equal(ask_at(&fixture, port, "POST", "/v1/score", NULL, "1"), 401);
    assert_int_equal(ask_at(&fixture, port, "POST", "/v1/score", token, "1"), 200);
    assert_int_equal(ask_at(&fixture, port, "POST", "/v1/score", page, "1"), 403);
    stop(&fixture);
    access_destroy(access);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_the_backend_body_reasons_and_trace),
        cmocka_unit_test(scores_alike_on_the_port_for_scoring),
        cmocka_unit_test(asks_for_a_token_on_the_port_for_scoring_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
