/* The routes over HTTP with a backend that says what it was asked. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/http.h"
#include "engine/base/json.h"
#include "ui/web/web_priv.h"

#define TOKEN "a-token-long-enough"

struct fixture {
    struct web *web;
    struct snapshot_board *board;
    struct buffer reply;
    char actor[ACCESS_NAME_SIZE];
    bool ready;
};

static int score(void *context, const struct web_score_request *request, struct buffer *out,
                 struct error *error)
{
    (void)context;
    if (slice_is(request->body, "conflict")) {
        error_set(error, STATUS_CONFLICT, "the id was used for other content");
        return 409;
    }
    if (slice_is(request->body, "broken")) {
        buffer_append_text(out, "{\"title\":\"Contract broken\",\"status\":422,\"errors\":[]}");
        return 422;
    }
    if (slice_is(request->body, "full")) {
        error_set(error, STATUS_FULL, "the recorder's queue is full");
        return 503;
    }
    buffer_printf(out, "{\"size\":%zu,\"reasons\":%d,\"first_byte\":%d}", request->body.size,
                  request->max_reasons, request->trace.id[0]);
    return 200;
}

static int traffic_set(void *context, struct slice body, const char *actor, struct buffer *out,
                       struct error *error)
{
    (void)error;
    struct fixture *fixture = context;
    snprintf(fixture->actor, sizeof fixture->actor, "%s", actor);
    buffer_append_slice(out, body);
    return 200;
}

static int decision(void *context, const char *event_id, int max_reasons, struct buffer *out,
                    struct error *error)
{
    (void)context;
    if (strcmp(event_id, "e 1") != 0) {
        error_set(error, STATUS_NOT_FOUND, "no decision on event %s", event_id);
        return 404;
    }
    buffer_printf(out, "{\"reasons\":%d}", max_reasons);
    return 200;
}

static int decisions(void *inquiry, const struct web_decision_query *query, struct buffer *out,
                     struct error *error)
{
    (void)inquiry;
    (void)error;
    buffer_printf(out, "%s|%s|%g|%d|%d|%lld|%lld", query->entity, query->decision, query->min_score,
                  query->limit, query->newest_first, (long long)query->cursor,
                  (long long)query->from_us);
    return 200;
}

static int alert_act(void *inquiry, enum web_alert_act act, struct slice body, const char *actor,
                     struct buffer *out, struct error *error)
{
    (void)inquiry;
    (void)error;
    buffer_printf(out, "{\"act\":%d,\"by\":\"%s\",\"size\":%zu}", (int)act, actor, body.size);
    return 200;
}

/* As `score`, but for many; a "repeat" was decided before. */
static void score_gathered(void *context, const struct web_score_call *calls, size_t n,
                           web_score_done *done)
{
    for (size_t i = 0; i < n; i++) {
        struct error error = {0};
        bool repeat = slice_is(calls[i].request.body, "repeat");
        struct web_score_end end = {.recorded = repeat, .ledger_index = 41};
        if (!repeat)
            end.code = score(context, &calls[i].request, calls[i].out, &error);
        if (end.code == 409 || end.code == 503)
            end.error = &error;
        done(calls[i].asker, &end);
    }
}

static void settle(void *context)
{
    (void)context;
}

static int recorded(void *context, uint64_t ledger_index, struct buffer *out, struct error *error)
{
    (void)context;
    (void)error;
    buffer_printf(out, "{\"ledger_index\":%llu}", (unsigned long long)ledger_index);
    return 200;
}

static void metrics(void *context, struct buffer *out)
{
    (void)context;
    buffer_append_text(out, "# HELP up u\n");
}

static bool ready(void *context, char *reasons, size_t size)
{
    struct fixture *fixture = context;
    if (!fixture->ready)
        snprintf(reasons, size, "no model\nkafka is not there");
    return fixture->ready;
}

static void publish(struct fixture *fixture)
{
    struct snapshot *snapshot = snapshot_create();
    snapshot->time_us = 1700000000000000;
    snapshot->events_per_s = NAN;
    snapshot->ready = true;
    snapshot_publish(fixture->board, snapshot);
}

static struct access *tokens(void)
{
    char path[] = "/tmp/binnacle-tokens-XXXXXX";
    int fd = mkstemp(path);
    assert_int_equal(write(fd, "shift-1 " TOKEN "\n", 9 + strlen(TOKEN)),
                     (ssize_t)(9 + strlen(TOKEN)));
    close(fd);
    chmod(path, 0600);
    struct access *access = NULL;
    assert_int_equal(access_create(path, &access, NULL), STATUS_OK);
    unlink(path);
    return access;
}

static void start(struct fixture *fixture, const struct access *access)
{
    memset(fixture, 0, sizeof *fixture);
    fixture->board = snapshot_board_create();
    struct web_backend backend = {.context = fixture,
                                  .board = fixture->board,
                                  .score = score,
                                  .score_batch = score,
                                  .gather = {.max_calls = 8,
                                             .score = score_gathered,
                                             .settle = settle,
                                             .fd = -1,
                                             .recorded = recorded},
                                  .decision = decision,
                                  .traffic_set = traffic_set,
                                  .decisions = decisions,
                                  .alert_act = alert_act,
                                  .metrics = metrics,
                                  .ready = ready};
    struct web_options options = {.listen = "127.0.0.1:0",
                                  .listen_score = "127.0.0.1:0",
                                  .workers = 2,
                                  .viewers = 2,
                                  .access = access};
    struct error error = {0};
    if (web_start(&options, &backend, &fixture->web, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    buffer_init(&fixture->reply, 1 << 20);
}

static void stop(struct fixture *fixture)
{
    web_stop(fixture->web);
    snapshot_board_destroy(fixture->board);
    buffer_free(&fixture->reply);
}

static int ask_at(struct fixture *fixture, int port, const char *method, const char *path,
                  const char *header, const char *body)
{
    char url[256];
    snprintf(url, sizeof url, "http://127.0.0.1:%d%s", port, path);
    const char *headers[] = {header, NULL};
    struct http_call call = {.method = method,
                             .url = url,
                             .headers = header ? headers : NULL,
                             .body = slice_of(body ? body : ""),
                             .timeout_ms = 5000};
    int code = 0;
    buffer_reset(&fixture->reply);
    struct error error = {0};
    if (http_perform(&call, &code, &fixture->reply, NULL, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return code;
}

static int ask(struct fixture *fixture, const char *method, const char *path, const char *header,
               const char *body)
{
    return ask_at(fixture, web_port(fixture->web), method, path, header, body);
}

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
        cmocka_unit_test(gives_the_backend_body_reasons_and_trace),
        cmocka_unit_test(scores_alike_on_the_port_for_scoring),
        cmocka_unit_test(asks_for_a_token_on_the_port_for_scoring_too),
        cmocka_unit_test(gives_recorded_decisions_to_those_with_a_token),
        cmocka_unit_test(reads_what_is_asked_of_the_record),
        cmocka_unit_test(names_the_parameter_that_a_path_does_not_have),
        cmocka_unit_test(asks_for_a_token_where_people_look_at_or_act_on_the_record),
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
