/* Requests and answers of the HTTP server, its start and its end. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine/base/clock.h"
#include "engine/base/json.h"
#include "tests/unit/engine/base/httpd_fixture.h"

static void echo(void *context, const struct http_request *request, struct http_response *response)
{
    (void)context;
    response->content_type = "text/plain";
    buffer_append_slice(response->body, request->body);
}

static void hello(void *context, const struct http_request *request, struct http_response *response)
{
    (void)context;
    char name[16];
    if (!http_query(request, "name", name, sizeof name))
        strcpy(name, "you");
    response->content_type = "text/plain";
    buffer_printf(response->body, "hello %s", name);
}

static void slow(void *context, const struct http_request *request, struct http_response *response)
{
    (void)context;
    (void)request;
    usleep(300000);
    buffer_append_text(response->body, "\"done\"");
}

static void huge(void *context, const struct http_request *request, struct http_response *response)
{
    (void)context;
    (void)request;
    static const char block[4096];
    for (int i = 0; i < 20000; i++)
        buffer_append(response->body, block, sizeof block);
}

static void refused(void *context, const struct http_request *request,
                    struct http_response *response)
{
    (void)context;
    (void)request;
    http_problem(response, 422, "Refused", "on purpose");
}

static const struct http_route routes[] = {
    {.method = "GET", .path = "/hello", .handle = hello},
    {.method = "POST", .path = "/echo", .handle = echo, .changes_state = true, .max_body = 100},
    {.method = "PUT", .path = "/echo", .handle = echo, .changes_state = true, .max_body = 100},
    {.method = "GET", .path = "/slow", .handle = slow, .pace = HTTP_SLOW},
    {.method = "GET", .path = "/huge", .handle = huge},
    {.method = "GET", .path = "/refused", .handle = refused},
    {.method = "GET", .path = "/files/*", .handle = hello},
    {.method = NULL},
};

static struct httpd *start(int workers)
{
    return serve(routes, NULL, workers, 0);
}

static void answers_requests_one_after_another_on_one_connection(void **state)
{
    (void)state;
    struct httpd *httpd = start(2);
    struct wire wire;
    wire_open(&wire, httpd, 0);
    for (int i = 0; i < 3; i++) {
        wire_send(&wire, "GET /hello?name=a%20b HTTP/1.1\r\nHost: localhost\r\n\r\n");
        struct answer answer = wire_answer(&wire, false);
        assert_int_equal(answer.status, 200);
        assert_string_equal(answer.body, "hello a b");
        assert_non_null(strstr(answer.head, "\r\nDate: "));
        assert_non_null(strstr(answer.head, "\r\nX-Content-Type-Options: nosniff\r\n"));
        assert_null(strstr(answer.head, "Connection: close"));
    }
    struct httpd_stats stats;
    httpd_stats(httpd, &stats);
    assert_int_equal(stats.connections, 1);
    wire_close(&wire);
    httpd_stop(httpd);
}

static void answers_pipelined_requests_in_order(void **state)
{
    (void)state;
    struct httpd *httpd = start(2);
    struct wire wire;
    wire_open(&wire, httpd, 0);
    wire_send(&wire, "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\none"
                     "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\ntwo"
                     "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_string_equal(wire_answer(&wire, false).body, "one");
    assert_string_equal(wire_answer(&wire, false).body, "two");
    assert_string_equal(wire_answer(&wire, false).body, "hello you");
    wire_close(&wire);
    httpd_stop(httpd);
}

static void reads_a_chunked_body_and_keeps_the_connection(void **state)
{
    (void)state;
    struct httpd *httpd = start(2);
    struct wire wire;
    wire_open(&wire, httpd, 0);
    wire_send(&wire, "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
                     "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
    assert_string_equal(wire_answer(&wire, false).body, "abcde");
    wire_send(&wire, "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_int_equal(wire_answer(&wire, false).status, 200);
    wire_close(&wire);
    httpd_stop(httpd);
}

static void says_continue_to_who_asks_before_sending(void **state)
{
    (void)state;
    struct httpd *httpd = start(2);
    struct wire wire;
    wire_open(&wire, httpd, 0);
    wire_send(&wire, "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n"
                     "Expect: 100-continue\r\n\r\n");
    assert_int_equal(wire_answer(&wire, true).status, 100);
    wire_send(&wire, "ok");
    assert_string_equal(wire_answer(&wire, false).body, "ok");
    wire_close(&wire);
    httpd_stop(httpd);
}

static void closes_when_the_client_wants_that_or_speaks_1_0(void **state)
{
    (void)state;
    struct httpd *httpd = start(2);
    static const char *const requests[] = {
        "GET /hello HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        "GET /hello HTTP/1.0\r\n\r\n",
    };
    for (size_t i = 0; i < 2; i++) {
        struct wire wire;
        wire_open(&wire, httpd, 0);
        wire_send(&wire, requests[i]);
        assert_non_null(strstr(wire_answer(&wire, false).head, "\r\nConnection: close\r\n"));
        assert_true(wire_is_closed(&wire));
        wire_close(&wire);
    }
    httpd_stop(httpd);
}

static void answers_head_with_length_and_no_body(void **state)
{
    (void)state;
    struct httpd *httpd = start(2);
    struct wire wire;
    wire_open(&wire, httpd, 0);
    wire_send(&wire, "HEAD /hello HTTP/1.1\r\nHost: localhost\r\n\r\n"
                     "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
    struct answer answer = wire_answer(&wire, true);
    assert_int_equal(answer.status, 200);
    assert_non_null(strstr(answer.head, "Content-Length: 9\r\n"));
    assert_string_equal(wire_answer(&wire, false).body, "hello you");
    wire_close(&wire);
    httpd_stop(httpd);
}

static void names_the_methods_a_path_takes(void **state)
{
    (void)state;
    struct httpd *httpd = start(2);
    struct answer answer = ask(httpd, "DELETE /echo HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_int_equal(answer.status, 405);
    assert_non_null(strstr(answer.head, "Allow: POST, PUT\r\n"));
    answer = ask(httpd, "POST /hello HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
    assert_int_equal(answer.status, 405);
    assert_non_null(strstr(answer.head, "Allow: GET, HEAD\r\n"));
    answer = ask(httpd, "OPTIONS /echo HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_int_equal(answer.status, 204);
    assert_non_null(strstr(answer.head, "Allow: POST, PUT\r\n"));
    httpd_stop(httpd);
}

static void sends_problem_documents_that_parse(void **state)
{
    (void)state;
    struct httpd *httpd = start(2);
    struct answer answer = ask(httpd, "GET /no\"where HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_int_equal(answer.status, 404);
    assert_non_null(strstr(answer.head, "Content-Type: application/problem+json\r\n"));
    struct json *json = NULL;
    assert_int_equal(json_parse(slice_of(answer.body), &json, NULL), STATUS_OK);
    assert_true(json_as_number(json_get(json, "status"), 0) == 404);
    assert_string_equal(json_as_text(json_get(json, "title"), ""), "Not found");
    json_destroy(json);
    httpd_stop(httpd);
}

static void matches_a_prefix_route_and_no_climbing_out_of_it(void **state)
{
    (void)state;
    struct httpd *httpd = start(2);
    assert_int_equal(ask(httpd, "GET /files/a/b.css HTTP/1.1\r\nHost: localhost\r\n\r\n").status,
                     200);
    assert_int_equal(ask(httpd, "GET /files/../x HTTP/1.1\r\nHost: localhost\r\n\r\n").status, 404);
    assert_int_equal(ask(httpd, "GET /files/%2e%2e/x HTTP/1.1\r\nHost: localhost\r\n\r\n").status,
                     404);
    assert_int_equal(ask(httpd, "GET /filesystem HTTP/1.1\r\nHost: localhost\r\n\r\n").status, 404);
    httpd_stop(httpd);
}

static void refuses_a_body_over_the_limit_and_still_answers(void **state)
{
    (void)state;
    struct httpd *httpd = start(2);
    char *request = calloc(1, 300000);
    size_t head = (size_t)sprintf(
        request, "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 250000\r\n\r\n");
    memset(request + head, 'x', 250000);
    struct answer answer = ask(httpd, request);
    assert_int_equal(answer.status, 413);
    assert_non_null(strstr(answer.body, "at most 100 bytes"));
    assert_non_null(strstr(answer.head, "Connection: close"));
    free(request);
    answer = ask(httpd, "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
                        "\r\n65\r\n"
                        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
                        "xxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n0\r\n\r\n");
    assert_int_equal(answer.status, 413);
    httpd_stop(httpd);
}

static void refuses_state_changes_for_other_hosts_and_origins(void **state)
{
    (void)state;
    static const struct {
        const char *headers;
        int status;
    } cases[] = {
        {"Host: 127.0.0.1:8420\r\n", 200},
        {"Host: localhost:8420\r\n", 200},
        {"Host: [::1]:8420\r\n", 200},
        {"Host: 10.1.2.3\r\n", 200},
        {"Host: BINNACLE.example\r\n", 200},
        {"Host: localhost:1\r\nOrigin: http://localhost:1\r\n", 200},
        {"Host: localhost:1\r\nOrigin: https://localhost:1\r\n", 200},
        {"Host: localhost:1\r\nOrigin: http://localhost:2\r\n", 403},
        {"Host: localhost:1\r\nOrigin: http://evil.example\r\n", 403},
        {"Host: localhost:1\r\nOrigin: null\r\n", 403},
        {"Host: localhost:1\r\nOrigin: \r\n", 403},
        {"Host: localhost:1\r\nSec-Fetch-Site: cross-site\r\n", 403},
        {"Host: evil.example\r\n", 403},
        {"Host: evil.example\r\nOrigin: http://evil.example\r\n", 403},
        {"Host: 127.0.0.1.evil.example\r\n", 403},
        {"Host: localhost.evil.example\r\n", 403},
        {"Host: [::1\r\n", 403},
        {"X-None: no Host at all\r\n", 403},
    };
    struct httpd *httpd = start(2);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char request[512];
        snprintf(request, sizeof request,
                 "POST /echo HTTP/1.1\r\n%sContent-Length: 2\r\nConnection: close\r\n\r\nhi",
                 cases[i].headers);
        struct answer answer = ask(httpd, request);
        if (answer.status != cases[i].status)
            fail_msg("%s gave %d", cases[i].headers, answer.status);
    }
    struct httpd_stats stats;
    httpd_stats(httpd, &stats);
    assert_int_equal(stats.refused, 11);
    httpd_stop(httpd);
}

static int read_as(struct httpd *httpd, const char *headers)
{
    char request[512];
    snprintf(request, sizeof request, "GET /hello HTTP/1.1\r\n%sConnection: close\r\n\r\n",
             headers);
    return ask(httpd, request).status;
}

static void a_page_elsewhere_cannot_read_a_local_instance_through_a_name_of_its_own(void **state)
{
    (void)state;
    struct httpd *httpd = start(2);
    struct answer answer =
        ask(httpd, "GET /hello HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n");
    assert_int_equal(answer.status, 403);
    assert_non_null(strstr(answer.body, "allowed_hosts"));
    assert_int_equal(read_as(httpd, "Host: 127.0.0.1:8420\r\n"), 200);
    assert_int_equal(read_as(httpd, "Host: localhost\r\n"), 200);
    assert_int_equal(read_as(httpd, "Host: [::1]:1\r\n"), 200);
    assert_int_equal(read_as(httpd, "Host: binnacle.example\r\n"), 200); /* a proxy's, allowed */
    assert_int_equal(read_as(httpd, "Host: localhost\r\nOrigin: http://x.example\r\n"), 200);
    httpd_stop(httpd);
    httpd = serve_at("0.0.0.0:0", routes);
    assert_int_equal(read_as(httpd, "Host: fraud.corp.example\r\n"), 200);
    httpd_stop(httpd);
}

static void answers_nonsense_with_a_problem_and_closes(void **state)
{
    (void)state;
    struct httpd *httpd = start(2);
    struct answer answer = ask(httpd, "NONSENSE\r\n\r\n");
    assert_int_equal(answer.status, 400);
    assert_non_null(strstr(answer.head, "application/problem+json"));
    answer = ask(httpd, "GET /hello HTTP/3.7\r\nHost: localhost\r\n\r\n");
    assert_int_equal(answer.status, 505);
    httpd_stop(httpd);
}

/* What a proxy in front reads as one request must not be two here. */
static void refuses_a_body_whose_end_can_be_read_in_two_ways(void **state)
{
    (void)state;
    struct httpd *httpd = start(2);
    static const char *const requests[] = {
        "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n"
        "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /hello HTTP/1.1\r\nHost: x\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nContent-Length: 50\r\n\r\n"
        "abGET /hello HTTP/1.1\r\nHost: x\r\n\r\n",
        "POST /nothing HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        "27\r\nGET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n\r\n0\r\n\r\n",
    };
    static const int statuses[] = {400, 400, 404};
    for (size_t i = 0; i < 3; i++) {
        struct wire wire;
        wire_open(&wire, httpd, 0);
        wire_send(&wire, requests[i]);
        assert_int_equal(wire_answer(&wire, false).status, statuses[i]);
        assert_int_equal(wire_answer(&wire, false).status, 0);
        wire_close(&wire);
    }
    httpd_stop(httpd);
}

static void refuses_two_hosts_and_a_zero_byte_in_the_path(void **state)
{
    (void)state;
    struct httpd *httpd = start(2);
    static const char *const requests[] = {
        "GET /hello%00zork HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /%00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: localhost\r\nhost: evil.example\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++)
        assert_int_equal(ask(httpd, requests[i]).status, 400);
    assert_int_equal(ask(httpd, "GET /h%65llo HTTP/1.1\r\nHost: localhost\r\n\r\n").status, 200);
    httpd_stop(httpd);
}

/* Every worker held by a byte now and then: who sends a whole request is served all the same. */
static void does_not_wait_for_ever_for_a_body_that_trickles(void **state)
{
    (void)state;
    struct httpd_options options = {
        .listen = "127.0.0.1:0", .workers = 1, .loop = kind_of_server(), .request_timeout_ms = 400};
    struct httpd *httpd = NULL;
    struct error error;
    assert_int_equal(httpd_start(&options, routes, NULL, NULL, &httpd, &error), STATUS_OK);
    struct wire wire;
    wire_open(&wire, httpd, 0);
    wire_send(&wire, "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n");
    int64_t started_ns = monotonic_ns();
    struct pollfd answered = {.fd = wire.fd, .events = POLLIN};
    for (int i = 0; i < 60 && poll(&answered, 1, 50) == 0; i++)
        wire_send(&wire, "x");
    assert_int_equal(wire_answer(&wire, false).status, 408);
    assert_true(monotonic_ns() - started_ns < INT64_C(2500000000));
    assert_string_equal(ask(httpd, "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n").body,
                        "hello you");
    wire_close(&wire);
    httpd_stop(httpd);
}

/* Peers that say nothing, half a head, or a byte of a body, and more of them than workers. */
static void serves_whole_requests_while_slow_ones_wait(void **state)
{
    (void)state;
    enum { PEERS = 9 };
    static const char *const said[] = {
        "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nx", "GET /hel",
        "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n"};
    struct httpd *httpd = start(2);
    struct wire peers[PEERS];
    struct httpd_stats stats;
    for (int i = 0; i < PEERS; i++) {
        wire_open(&peers[i], httpd, 0);
        wire_send(&peers[i], said[i % 3]);
    }
    int64_t started_ns = monotonic_ns();
    assert_string_equal(ask(httpd, "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n").body,
                        "hello you");
    assert_true(monotonic_ns() - started_ns < INT64_C(8000000000)); /* less than one may take */
    httpd_stats(httpd, &stats);
    assert_true(with_loop ? stats.hung_up == 0 : stats.hung_up > 0);
    for (int i = 0; i < PEERS; i++)
        wire_close(&peers[i]);
    httpd_stop(httpd);
}

static void spells_the_reason_as_registered(void **state)
{
    (void)state;
    struct httpd *httpd = start(2);
    struct answer answer = ask(httpd, "GET /refused HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_int_equal(strncmp(answer.head, "HTTP/1.1 422 Unprocessable Content\r\n", 36), 0);
    httpd_stop(httpd);
}

static void says_so_when_an_answer_is_too_large(void **state)
{
    (void)state;
    struct httpd *httpd = start(2);
    struct answer answer = ask(httpd, "GET /huge HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_int_equal(answer.status, 500);
    assert_non_null(strstr(answer.body, "larger than this server sends"));
    httpd_stop(httpd);
}

#define HELLO "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n"

/* Both workers' connections are in use, a third one waits. */
struct queue_of_three {
    struct httpd *httpd;
    struct wire busy[2], waiting;
};

static void line_up(struct queue_of_three *queue)
{
    queue->httpd = start(2);
    for (int i = 0; i < 2; i++) {
        wire_open(&queue->busy[i], queue->httpd, 0);
        wire_send(&queue->busy[i], HELLO);
        assert_int_equal(wire_answer(&queue->busy[i], false).status, 200);
    }
    wire_open(&queue->waiting, queue->httpd, 0);
    wire_send(&queue->waiting, HELLO);
}

static void take_turn(struct queue_of_three *queue)
{
    assert_int_equal(wire_answer(&queue->waiting, false).status, 200);
    wire_close(&queue->busy[0]);
    wire_close(&queue->busy[1]);
    wire_close(&queue->waiting);
    httpd_stop(queue->httpd);
}

static void idle_connections_make_room_for_waiting_ones(void **state)
{
    (void)state;
    struct queue_of_three queue;
    line_up(&queue);
    take_turn(&queue);
}

static void connections_in_use_give_waiting_ones_their_turn(void **state)
{
    (void)state;
    struct queue_of_three queue;
    bool ended = false;
    line_up(&queue);
    for (int i = 0; !ended; i ^= 1) {
        wire_send(&queue.busy[i], HELLO);
        struct answer answer = wire_answer(&queue.busy[i], false);
        /* Without an answer: where this took longer than a connection may be idle then. */
        ended = answer.status == 0 || strstr(answer.head, "Connection: close");
    }
    take_turn(&queue);
}

static void finishes_a_running_request_before_it_stops(void **state)
{
    (void)state;
    struct httpd *httpd = start(2);
    struct wire wire;
    wire_open(&wire, httpd, 0);
    wire_send(&wire, "GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n");
    usleep(50000);
    int64_t before_ns = monotonic_ns();
    httpd_stop(httpd);
    assert_true(monotonic_ns() - before_ns < INT64_C(4000000000));
    assert_string_equal(wire_answer(&wire, false).body, "\"done\"");
    wire_close(&wire);
}

static void names_the_address_it_cannot_listen_on(void **state)
{
    (void)state;
    struct httpd *httpd = start(1);
    char listen[32];
    snprintf(listen, sizeof listen, "127.0.0.1:%d", httpd_port(httpd));
    static const char *const bad[] = {"nonsense", "127.0.0.1", "127.0.0.1:99999", ":80", ""};
    struct httpd_options options = {.listen = listen, .workers = 1, .loop = kind_of_server()};
    struct httpd *second = NULL;
    struct error error = {0};
    assert_int_equal(httpd_start(&options, routes, NULL, NULL, &second, &error),
                     STATUS_UNAVAILABLE);
    assert_non_null(strstr(error.message, listen));
    assert_non_null(strstr(error.message, "in use"));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        options.listen = bad[i];
        assert_int_equal(httpd_start(&options, routes, NULL, NULL, &second, &error),
                         STATUS_INVALID);
        assert_non_null(strstr(error.message, "HOST:PORT"));
    }
    httpd_stop(httpd);
}

static int take_threads(void **state)
{
    (void)state;
    with_loop = false;
    return 0;
}

static int take_loop(void **state)
{
    (void)state;
    with_loop = true;
    return 0;
}

int main(void)
{
    const struct CMUnitTest both[] = {
        cmocka_unit_test(answers_requests_one_after_another_on_one_connection),
        cmocka_unit_test(answers_pipelined_requests_in_order),
        cmocka_unit_test(reads_a_chunked_body_and_keeps_the_connection),
        cmocka_unit_test(says_continue_to_who_asks_before_sending),
        cmocka_unit_test(closes_when_the_client_wants_that_or_speaks_1_0),
        cmocka_unit_test(answers_head_with_length_and_no_body),
        cmocka_unit_test(names_the_methods_a_path_takes),
        cmocka_unit_test(sends_problem_documents_that_parse),
        cmocka_unit_test(matches_a_prefix_route_and_no_climbing_out_of_it),
        cmocka_unit_test(refuses_a_body_over_the_limit_and_still_answers),
        cmocka_unit_test(refuses_state_changes_for_other_hosts_and_origins),
        cmocka_unit_test(a_page_elsewhere_cannot_read_a_local_instance_through_a_name_of_its_own),
        cmocka_unit_test(answers_nonsense_with_a_problem_and_closes),
        cmocka_unit_test(refuses_a_body_whose_end_can_be_read_in_two_ways),
        cmocka_unit_test(refuses_two_hosts_and_a_zero_byte_in_the_path),
        cmocka_unit_test(does_not_wait_for_ever_for_a_body_that_trickles),
        cmocka_unit_test(serves_whole_requests_while_slow_ones_wait),
        cmocka_unit_test(spells_the_reason_as_registered),
        cmocka_unit_test(says_so_when_an_answer_is_too_large),
        cmocka_unit_test(finishes_a_running_request_before_it_stops),
        cmocka_unit_test(names_the_address_it_cannot_listen_on),
    };
    const struct CMUnitTest threads[] = {
        cmocka_unit_test(idle_connections_make_room_for_waiting_ones),
        cmocka_unit_test(connections_in_use_give_waiting_ones_their_turn),
    };
    int failed = cmocka_run_group_tests_name("threads", both, take_threads, NULL);
    failed += cmocka_run_group_tests_name("loop", both, take_loop, NULL);
    failed += cmocka_run_group_tests_name("threads alone", threads, take_threads, NULL);
    return failed;
}
