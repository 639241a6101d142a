/* The HTTP server over raw sockets: what is on the wire, not what a client library makes of it. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/base/httpd.h"
#include "engine/base/json.h"

#define WIRE_SIZE ((size_t)1 << 20)

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

static void first_message(void *context, struct http_socket *socket)
{
    (void)context;
    http_socket_send(socket, slice_of("first"));
}

static void answer_text(void *context, struct http_socket *socket, struct slice text)
{
    (void)context;
    http_socket_send(socket, text);
}

static const struct http_route routes[] = {
    {.method = "GET",  .path = "/hello", .handle = hello},
    {.method = "POST", .path = "/echo", .handle = echo, .changes_state = true, .max_body = 100},
    {.method = "PUT", .path = "/echo", .handle = echo, .changes_state = true, .max_body = 100},
    {.method = "GET",  .path = "/slow", .handle = slow},
    {.method = "GET", .path = "/huge", .handle = huge},
    {.method = "GET", .path = "/refused", .handle = refused},
    {.method = "GET",  .path = "/files/*", .handle = hello},
    {.method = NULL },
};

static const struct http_socket_route socket_routes[] = {
    {.path = "/live",         .on_open = first_message, .on_text = answer_text},
    {.path = NULL},
};

struct wire {
    int fd;
    char *data; /* received and not yet taken */
    size_t size;
};

static struct httpd *start(int workers, int max_sockets)
{
    static const char *const allowed[] = {"binnacle.example", NULL};
    struct httpd_options options = {.listen = "127.0.0.1:0",
                                    .workers = workers,
                                    .max_sockets = max_sockets,
                                    .allowed_hosts = allowed};
    struct httpd *httpd = NULL;
    struct error error = {0};
    if (httpd_start(&options, routes, socket_routes, NULL, &httpd, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return httpd;
}

static void wire_open(struct wire *wire, const struct httpd *httpd, int receive_buffer)
{
    wire->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (receive_buffer)
        setsockopt(wire->fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)httpd_port(httpd)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_equal(connect(wire->fd, (struct sockaddr *)&address, sizeof address), 0);
    int on = 1;
    setsockopt(wire->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct timeval limit = {.tv_sec = 5};
    setsockopt(wire->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    wire->data = calloc(1, WIRE_SIZE + 1);
    wire->size = 0;
}

static void wire_close(struct wire *wire)
{
    close(wire->fd);
    free(wire->data);
}

static void wire_send(struct wire *wire, const char *text)
{
    size_t size = strlen(text);
    assert_int_equal(send(wire->fd, text, size, MSG_NOSIGNAL), (ssize_t)size);
}

static bool wire_more(struct wire *wire)
{
    ssize_t got = recv(wire->fd, wire->data + wire->size, WIRE_SIZE - wire->size, 0);
    if (got <= 0)
        return false;
    wire->size += (size_t)got;
    wire->data[wire->size] = '\0';
    return true;
}

static void wire_drop(struct wire *wire, size_t size)
{
    memmove(wire->data, wire->data + size, wire->size - size + 1);
    wire->size -= size;
}

struct answer {
    int status;
    char head[2048];
    char body[4096];
};

/* Takes one answer off the wire. `no_body` after HEAD. */
static struct answer wire_answer(struct wire *wire, bool no_body)
{
    struct answer answer = {0};
    char *end;
    while (!(end = strstr(wire->data, "\r\n\r\n"))) {
        if (!wire_more(wire))
            return answer;
    }
    size_t head = (size_t)(end - wire->data) + 4;
    snprintf(answer.head, sizeof answer.head, "%.*s", (int)head, wire->data);
    answer.status = atoi(answer.head + 9);
    const char *length = strcasestr(answer.head, "\r\nContent-Length: ");
    size_t body = length && !no_body ? (size_t)atol(length + 18) : 0;
    while (wire->size < head + body) {
        if (!wire_more(wire))
            break;
    }
    snprintf(answer.body, sizeof answer.body, "%.*s", (int)body, wire->data + head);
    wire_drop(wire, head + body < wire->size ? head + body : wire->size);
    return answer;
}

static bool wire_is_closed(struct wire *wire)
{
    while (wire_more(wire)) {
    }
    struct pollfd poll_fd = {.fd = wire->fd, .events = POLLIN};
    char byte;
    return poll(&poll_fd, 1, 0) == 1 && recv(wire->fd, &byte, 1, 0) <= 0;
}

static struct answer ask(struct httpd *httpd, const char *request)
{
    struct wire wire;
    wire_open(&wire, httpd, 0);
    wire_send(&wire, request);
    struct answer answer = wire_answer(&wire, strncmp(request, "HEAD", 4) == 0);
    wire_close(&wire);
    return answer;
}

static void answers_requests_one_after_another_on_one_connection(void **state)
{
    (void)state;
    struct httpd *httpd = start(2, 0);
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
    struct httpd *httpd = start(2, 0);
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
    struct httpd *httpd = start(2, 0);
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
    struct httpd *httpd = start(2, 0);
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
    struct httpd *httpd = start(2, 0);
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
    struct httpd *httpd = start(2, 0);
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
    struct httpd *httpd = start(2, 0);
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
    struct httpd *httpd = start(2, 0);
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
    struct httpd *httpd = start(2, 0);
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
    struct httpd *httpd = start(2, 0);
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
        {"Host: 127.0.0.1:8420\r\n",                              200},
        {"Host: localhost:8420\r\n",                              200},
        {"Host: [::1]:8420\r\n",                                  200},
        {"Host: 10.1.2.3\r\n",                                    200},
        {"Host: BINNACLE.example\r\n",                            200},
        {"Host: localhost:1\r\nOrigin: http://localhost:1\r\n",   200},
        {"Host: localhost:1\r\nOrigin: https://localhost:1\r\n",  200},
        {"Host: localhost:1\r\nOrigin: http://localhost:2\r\n",   403},
        {"Host: localhost:1\r\nOrigin: http://evil.example\r\n",  403},
        {"Host: localhost:1\r\nOrigin: null\r\n",                 403},
        {"Host: localhost:1\r\nOrigin: \r\n",                     403},
        {"Host: localhost:1\r\nSec-Fetch-Site: cross-site\r\n",   403},
        {"Host: evil.example\r\n",                                403},
        {"Host: evil.example\r\nOrigin: http://evil.example\r\n", 403},
        {"Host: 127.0.0.1.evil.example\r\n",                      403},
        {"Host: localhost.evil.example\r\n",                      403},
        {"Host: [::1\r\n",                                        403},
        {"X-None: no Host at all\r\n",                            403},
    };
    struct httpd *httpd = start(2, 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char request[512];
        snprintf(request, sizeof request,
                 "POST /echo HTTP/1.1\r\n%sContent-Length: 2\r\nConnection: close\r\n\r\nhi",
                 cases[i].headers);
        struct answer answer = ask(httpd, request);
        if (answer.status != cases[i].status)
            fail_msg("%s gave %d", cases[i].headers, answer.status);
    }
    assert_int_equal(ask(httpd, "GET /hello HTTP/1.1\r\nHost: evil.example\r\n\r\n").status, 200);
    struct httpd_stats stats;
    httpd_stats(httpd, &stats);
    assert_int_equal(stats.refused, 11);
    httpd_stop(httpd);
}

static void answers_nonsense_with_a_problem_and_closes(void **state)
{
    (void)state;
    struct httpd *httpd = start(2, 0);
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
    struct httpd *httpd = start(2, 0);
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

/* Every worker held by a byte now and then: who sends a whole request is served all the same. */
static void does_not_wait_for_ever_for_a_body_that_trickles(void **state)
{
    (void)state;
    struct httpd_options options = {
        .listen = "127.0.0.1:0", .workers = 1, .request_timeout_ms = 400};
    struct httpd *httpd = NULL;
    struct error error;
    assert_int_equal(httpd_start(&options, routes, socket_routes, NULL, &httpd, &error), STATUS_OK);
    struct wire wire;
    wire_open(&wire, httpd, 0);
    wire_send(&wire, "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n");
    int64_t started_ns = monotonic_ns();
    struct pollfd answered = {.fd = wire.fd, .events = POLLIN};
    for (int i = 0; i < 60 && poll(&answered, 1, 50) == 0; i++)
        wire_send(&wire, "x");
    assert_int_equal(wire_answer(&wire, false).status, 408);
    assert_true(monotonic_ns() - started_ns < INT64_C(2500000000));
    assert_string_equal(
        ask(httpd, "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n").body, "hello you");
    wire_close(&wire);
    httpd_stop(httpd);
}

static void spells_the_reason_as_registered(void **state)
{
    (void)state;
    struct httpd *httpd = start(2, 0);
    struct answer answer = ask(httpd, "GET /refused HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_int_equal(strncmp(answer.head, "HTTP/1.1 422 Unprocessable Content\r\n", 36), 0);
    httpd_stop(httpd);
}

static void says_so_when_an_answer_is_too_large(void **state)
{
    (void)state;
    struct httpd *httpd = start(2, 0);
    struct answer answer = ask(httpd, "GET /huge HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_int_equal(answer.status, 500);
    assert_non_null(strstr(answer.body, "larger than this server sends"));
    httpd_stop(httpd);
}

static void gives_waiting_connections_their_turn(void **state)
{
    (void)state;
    struct httpd *httpd = start(2, 0);
    struct wire busy[2], waiting;
    for (int i = 0; i < 2; i++) {
        wire_open(&busy[i], httpd, 0);
        wire_send(&busy[i], "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
        assert_int_equal(wire_answer(&busy[i], false).status, 200);
    }
    wire_open(&waiting, httpd, 0);
    wire_send(&waiting, "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
    usleep(150000);
    wire_send(&busy[0], "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_non_null(strstr(wire_answer(&busy[0], false).head, "Connection: close"));
    assert_int_equal(wire_answer(&waiting, false).status, 200);
    wire_close(&busy[0]);
    wire_close(&busy[1]);
    wire_close(&waiting);
    httpd_stop(httpd);
}

static void finishes_a_running_request_before_it_stops(void **state)
{
    (void)state;
    struct httpd *httpd = start(2, 0);
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
    struct httpd *httpd = start(1, 0);
    char listen[32];
    snprintf(listen, sizeof listen, "127.0.0.1:%d", httpd_port(httpd));
    static const char *const bad[] = {"nonsense", "127.0.0.1", "127.0.0.1:99999", ":80", ""};
    struct httpd_options options = {.listen = listen, .workers = 1};
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

/* ---- WebSockets ---- */

#define HANDSHAKE                                                                                  \
    "GET /live HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"       \
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

/* The payload of the next frame that is no ping; false when the connection ended. */
static bool wire_frame(struct wire *wire, char *out, size_t size, int *opcode)
{
    for (;;) {
        const unsigned char *data = (const unsigned char *)wire->data;
        size_t header = 2, length = wire->size >= 2 ? data[1] & 127u : 0;
        if (length == 126)
            header = 4;
        else if (length == 127)
            header = 10;
        if (wire->size >= header) {
            if (header == 4)
                length = (size_t)data[2] << 8 | data[3];
            if (header == 10)
                length =
                    (size_t)data[6] << 24 | (size_t)data[7] << 16 | (size_t)data[8] << 8 | data[9];
            if (wire->size >= header + length) {
                *opcode = data[0] & 15;
                snprintf(out, size, "%.*s", (int)length, wire->data + header);
                wire_drop(wire, header + length);
                if (*opcode != 9) /* a ping only says that this peer was slow */
                    return true;
                continue;
            }
        }
        if (!wire_more(wire))
            return false;
    }
}

static void wire_upgrade(struct wire *wire, struct httpd *httpd, int receive_buffer)
{
    wire_open(wire, httpd, receive_buffer);
    wire_send(wire, HANDSHAKE "\r\n");
    struct answer answer = wire_answer(wire, true);
    assert_int_equal(answer.status, 101);
    /* The key and its answer are the example of RFC 6455, section 1.3. */
    assert_non_null(strstr(answer.head, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
}

static void pushes_the_first_message_then_broadcasts_and_answers(void **state)
{
    (void)state;
    struct httpd *httpd = start(2, 2);
    struct wire wire;
    wire_upgrade(&wire, httpd, 0);
    char text[64];
    int opcode;
    assert_true(wire_frame(&wire, text, sizeof text, &opcode));
    assert_string_equal(text, "first");
    httpd_broadcast(httpd, "/live", slice_of("second"));
    assert_true(wire_frame(&wire, text, sizeof text, &opcode));
    assert_string_equal(text, "second");
    httpd_broadcast(httpd, "/other", slice_of("not for us"));
    /* "hi", masked with zeros */
    send(wire.fd, "\x81\x82\0\0\0\0hi", 8, 0);
    assert_true(wire_frame(&wire, text, sizeof text, &opcode));
    assert_string_equal(text, "hi");
    httpd_stop(httpd);
    assert_true(wire_frame(&wire, text, sizeof text, &opcode));
    assert_int_equal(opcode, 8);
    wire_close(&wire);
}

static void refuses_sockets_beyond_the_limit_and_takes_them_again_later(void **state)
{
    (void)state;
    struct httpd *httpd = start(2, 2);
    struct wire wires[2];
    for (int i = 0; i < 2; i++)
        wire_upgrade(&wires[i], httpd, 0);
    struct answer answer = ask(httpd, HANDSHAKE "\r\n");
    assert_int_equal(answer.status, 503);
    assert_non_null(strstr(answer.head, "Retry-After"));
    assert_int_equal(ask(httpd, "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n").status, 200);
    wire_close(&wires[0]);
    struct httpd_stats stats = {.sockets = 2};
    for (int i = 0; i < 300 && stats.sockets == 2; i++) {
        usleep(10000);
        httpd_stats(httpd, &stats);
    }
    assert_int_equal(stats.sockets, 1);
    wire_upgrade(&wires[0], httpd, 0);
    wire_close(&wires[0]);
    wire_close(&wires[1]);
    httpd_stop(httpd);
}

static void refuses_a_socket_from_another_site(void **state)
{
    (void)state;
    struct httpd *httpd = start(2, 2);
    assert_int_equal(ask(httpd, HANDSHAKE "Origin: http://evil.example\r\n\r\n").status, 403);
    struct wire wire;
    wire_open(&wire, httpd, 0);
    wire_send(&wire, HANDSHAKE "Origin: http://localhost\r\n\r\n");
    assert_int_equal(wire_answer(&wire, true).status, 101);
    wire_close(&wire);
    assert_int_equal(ask(httpd, "GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n").status, 404);
    httpd_stop(httpd);
}

static void closes_a_socket_that_announces_a_giant_frame(void **state)
{
    (void)state;
    struct httpd *httpd = start(2, 2);
    struct wire wire;
    wire_upgrade(&wire, httpd, 0);
    char text[16];
    int opcode;
    assert_true(wire_frame(&wire, text, sizeof text, &opcode));
    /* A masked text frame of 2^30 bytes; only its head is ever sent. */
    send(wire.fd, "\x81\xff\0\0\0\0\x40\0\0\0\0\0\0\0", 14, 0);
    int64_t before_ns = monotonic_ns();
    assert_true(wire_is_closed(&wire));
    assert_true(monotonic_ns() - before_ns < INT64_C(3000000000));
    wire_close(&wire);
    httpd_stop(httpd);
}

static void never_waits_for_a_slow_client(void **state)
{
    (void)state;
    struct httpd *httpd = start(2, 3);
    struct wire slow_wire, quick;
    wire_upgrade(&slow_wire, httpd, 4096);
    wire_upgrade(&quick, httpd, 0);
    char text[64];
    int opcode;
    assert_true(wire_frame(&quick, text, sizeof text, &opcode));
    size_t size = 400000;
    char *large = malloc(size);
    memset(large, 'x', size);
    int64_t longest_ns = 0;
    for (int i = 0; i < 50; i++) {
        snprintf(large, 32, "%d", i);
        large[strlen(large)] = ' ';
        int64_t before_ns = monotonic_ns();
        httpd_broadcast(httpd, "/live", slice_make(large, size));
        int64_t took_ns = monotonic_ns() - before_ns;
        longest_ns = took_ns > longest_ns ? took_ns : longest_ns;
        assert_true(wire_frame(&quick, text, sizeof text, &opcode));
        assert_int_equal(atoi(text), i);
    }
    struct httpd_stats stats;
    httpd_stats(httpd, &stats);
    assert_true(stats.frames_replaced > 10);
    assert_true(longest_ns < INT64_C(500000000));
    free(large);
    wire_close(&slow_wire);
    wire_close(&quick);
    httpd_stop(httpd);
}

static void stops_at_once_with_many_sockets_open(void **state)
{
    (void)state;
    struct httpd *httpd = start(2, 40);
    struct wire wires[40];
    for (int i = 0; i < 40; i++)
        wire_upgrade(&wires[i], httpd, 0);
    for (int i = 0; i < 20; i++)
        httpd_broadcast(httpd, "/live", slice_of("picture"));
    int64_t before_ns = monotonic_ns();
    httpd_stop(httpd);
    assert_true(monotonic_ns() - before_ns < INT64_C(4000000000));
    for (int i = 0; i < 40; i++) {
        assert_true(wire_is_closed(&wires[i]));
        wire_close(&wires[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
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
        cmocka_unit_test(answers_nonsense_with_a_problem_and_closes),
        cmocka_unit_test(refuses_a_body_whose_end_can_be_read_in_two_ways),
        cmocka_unit_test(does_not_wait_for_ever_for_a_body_that_trickles),
        cmocka_unit_test(spells_the_reason_as_registered),
        cmocka_unit_test(says_so_when_an_answer_is_too_large),
        cmocka_unit_test(gives_waiting_connections_their_turn),
        cmocka_unit_test(finishes_a_running_request_before_it_stops),
        cmocka_unit_test(names_the_address_it_cannot_listen_on),
        cmocka_unit_test(pushes_the_first_message_then_broadcasts_and_answers),
        cmocka_unit_test(refuses_sockets_beyond_the_limit_and_takes_them_again_later),
        cmocka_unit_test(refuses_a_socket_from_another_site),
        cmocka_unit_test(closes_a_socket_that_announces_a_giant_frame),
        cmocka_unit_test(never_waits_for_a_slow_client),
        cmocka_unit_test(stops_at_once_with_many_sockets_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
