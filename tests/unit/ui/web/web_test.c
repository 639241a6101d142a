/* The routes over HTTP: who may do what, problem documents, the snapshot, the documents about it
 * all, and the page. */
#include "tests/unit/ui/web/fixture.h"

static void publish(struct fixture *fixture)
{
    struct snapshot *snapshot = snapshot_create();
    snapshot->time_us = 1700000000000000;
    snapshot->events_per_s = NAN;
    snapshot->ready = true;
    snapshot_publish(fixture->board, snapshot);
}

static void makes_problem_documents_of_what_went_wrong(void **state)
{
    (void)state;
    struct fixture fixture;
    start(&fixture, NULL);
    static const struct {
        const char *body;
        int code;
        const char *text;
    } cases[] = {{"conflict", 409, "used for other content"},
                 {"broken", 422, "\"errors\":[]"},
                 {"full", 503, "queue is full"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(ask(&fixture, "POST", "/v1/score", NULL, cases[i].body), cases[i].code);
        assert_non_null(strstr(fixture.reply.data, cases[i].text));
        struct json *json = NULL;
        assert_int_equal(json_parse(buffer_slice(&fixture.reply), &json, NULL), STATUS_OK);
        assert_true(json_as_number(json_get(json, "status"), 0) == cases[i].code);
        json_destroy(json);
    }
    assert_int_equal(ask(&fixture, "POST", "/v1/labels", NULL, "{}"), 501);
    stop(&fixture);
}

static void asks_for_a_token_before_it_changes_anything(void **state)
{
    (void)state;
    struct access *access = tokens();
    struct fixture fixture;
    start(&fixture, access);
    publish(&fixture);
    assert_int_equal(ask(&fixture, "PUT", "/api/v1/traffic", NULL, "{}"), 401);
    assert_string_equal(fixture.actor, "");
    assert_int_equal(ask(&fixture, "POST", "/v1/score", "Authorization: Bearer wrong", "1"), 401);
    assert_int_equal(
        ask(&fixture, "PUT", "/api/v1/traffic", "Authorization: Bearer " TOKEN, "{\"a\":1}"), 200);
    assert_string_equal(fixture.actor, "shift-1");
    assert_string_equal(fixture.reply.data, "{\"a\":1}");
    assert_int_equal(ask(&fixture, "GET", "/api/v1/snapshot", NULL, NULL), 200);
    stop(&fixture);
    access_destroy(access);
}

static void refuses_pages_of_other_sites(void **state)
{
    (void)state;
    struct fixture fixture;
    start(&fixture, NULL);
    for (const struct http_route *route = web_routes; route->method; route++) {
        if (route->changes_state)
            assert_int_equal(
                ask(&fixture, route->method, route->path, "Origin: http://evil.example", "1"), 403);
        else
            assert_string_equal(route->method, "GET");
    }
    assert_string_equal(fixture.actor, "");
    stop(&fixture);
}

static void says_ready_and_why_not(void **state)
{
    (void)state;
    struct fixture fixture;
    start(&fixture, NULL);
    assert_int_equal(ask(&fixture, "GET", "/readyz", NULL, NULL), 503);
    assert_non_null(strstr(fixture.reply.data, "[\"no model\",\"kafka is not there\"]"));
    assert_int_equal(ask(&fixture, "GET", "/healthz", NULL, NULL), 200);
    fixture.ready = true;
    assert_int_equal(ask(&fixture, "GET", "/readyz", NULL, NULL), 200);
    assert_int_equal(ask(&fixture, "GET", "/health", NULL, NULL), 200);
    assert_int_equal(ask(&fixture, "GET", "/metrics", NULL, NULL), 200);
    assert_string_equal(fixture.reply.data, "# HELP up u\n");
    stop(&fixture);
}

static void gives_the_snapshot_with_its_words(void **state)
{
    (void)state;
    struct fixture fixture;
    start(&fixture, NULL);
    assert_int_equal(ask(&fixture, "GET", "/api/v1/snapshot", NULL, NULL), 503);
    publish(&fixture);
    publish(&fixture);
    assert_int_equal(ask(&fixture, "GET", "/api/v1/snapshot", NULL, NULL), 200);
    struct json *json = NULL;
    assert_int_equal(json_parse(buffer_slice(&fixture.reply), &json, NULL), STATUS_OK);
    static const char *const keys[] = {
        "schema",  "seq", "time",  "events_per_s", "latency_us", "decisions", "quarantine",
        "traffic", "slo", "drift", "alerts",       "ledger",     "view"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (!json_get(json, keys[i]))
            fail_msg("no %s", keys[i]);
    }
    assert_true(json_as_number(json_get(json, "seq"), 0) == 2);
    assert_int_equal(json_kind(json_get(json, "events_per_s")), JSON_NULL);
    const struct json *headline = json_get(json_get(json, "view"), "headline");
    assert_string_equal(json_as_text(json_get(headline, "rate"), ""), "no data");
    json_destroy(json);
    stop(&fixture);
}

static void documents_every_route_and_every_schema_it_names(void **state)
{
    (void)state;
    struct buffer out;
    buffer_init(&out, 1 << 20);
    web_openapi(&out);
    struct json *json = NULL;
    struct error error = {0};
    if (json_parse(buffer_slice(&out), &json, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    assert_string_equal(json_as_text(json_get(json, "openapi"), ""), "3.1.0");
    const struct json *paths = json_get(json, "paths");
    const struct json *schemas = json_get(json_get(json, "components"), "schemas");
    for (const struct http_route *route = web_routes; route->method; route++) {
        if (!route->summary)
            continue; /* the page's own files */
        const struct json *path = json_get(paths, route->path);
        assert_non_null(path);
        const struct json *operation = json_get(path, strcmp(route->method, "GET") == 0   ? "get"
                                                      : strcmp(route->method, "PUT") == 0 ? "put"
                                                                                          : "post");
        assert_string_equal(json_as_text(json_get(operation, "summary"), ""), route->summary);
        assert_non_null(json_get(schemas, route->response_schema));
        if (route->request_schema) {
            assert_non_null(json_get(schemas, route->request_schema));
            assert_non_null(json_get(operation, "requestBody"));
        }
    }
    assert_non_null(json_get(paths, WEB_LIVE_PATH));
    /* Each reference leads somewhere. */
    const char *reference = out.data;
    while ((reference = strstr(reference, "#/components/schemas/"))) {
        char name[64];
        reference += strlen("#/components/schemas/");
        snprintf(name, sizeof name, "%.*s", (int)strcspn(reference, "\""), reference);
        assert_non_null(json_get(schemas, name));
    }
    json_destroy(json);
    buffer_free(&out);
}

static void serves_the_page_and_its_files_by_tag(void **state)
{
    (void)state;
    struct fixture fixture;
    start(&fixture, NULL);
    assert_int_equal(ask(&fixture, "GET", "/", NULL, NULL), 200);
    assert_non_null(strstr(fixture.reply.data, "<!doctype html>"));
    int files = 0;
    for (const struct web_asset *asset = web_assets; asset->path; asset++, files++) {
        char have[96];
        assert_int_equal(ask(&fixture, "GET", asset->path, NULL, NULL), 200);
        assert_int_equal(fixture.reply.size, asset->size);
        assert_memory_equal(fixture.reply.data, asset->data, asset->size);
        snprintf(have, sizeof have, "If-None-Match: %s", asset->etag);
        assert_int_equal(ask(&fixture, "GET", asset->path, have, NULL), 304);
        assert_int_equal(ask(&fixture, "GET", asset->path, "Accept-Encoding: br, gzip", NULL), 200);
        assert_int_equal(fixture.reply.size, asset->gzip_size);
        assert_int_equal(ask(&fixture, "GET", asset->path, "Accept-Encoding: gzip;q=0", NULL), 200);
        assert_int_equal(fixture.reply.size, asset->size);
    }
    assert_true(files >= 4);
    assert_int_equal(ask(&fixture, "GET", "/static/none.js", NULL, NULL), 404);
    assert_int_equal(ask(&fixture, "POST", "/", NULL, "x"), 405);
    stop(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_problem_documents_of_what_went_wrong),
        cmocka_unit_test(asks_for_a_token_before_it_changes_anything),
        cmocka_unit_test(refuses_pages_of_other_sites),
        cmocka_unit_test(says_ready_and_why_not),
        cmocka_unit_test(gives_the_snapshot_with_its_words),
        cmocka_unit_test(documents_every_route_and_every_schema_it_names),
        cmocka_unit_test(serves_the_page_and_its_files_by_tag),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
