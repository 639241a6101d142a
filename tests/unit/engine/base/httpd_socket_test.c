/* The WebSockets of the HTTP server. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine/base/clock.h"
#include "tests/unit/engine/base/httpd_fixture.h"

static void hello(void *context, const struct http_request *request, struct http_response *response)
{
    (void)context;
    (void)request;
    buffer_append_text(response->body, "\"hello\"");
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
    {.method = "GET", .path = "/hello", .handle = hello},
    {.method = NULL},
};

static const struct http_socket_route socket_routes[] = {
    {.path = "/live", .on_open = first_message, .on_text = answer_text},
    {.path = NULL},
};

static struct httpd *start(int workers, int max_sockets)
{
    return serve(routes, socket_routes, workers, max_sockets);
}

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
        cmocka_unit_test(pushes_the_first_message_then_broadcasts_and_answers),
        cmocka_unit_test(refuses_sockets_beyond_the_limit_and_takes_them_again_later),
        cmocka_unit_test(refuses_a_socket_from_another_site),
        cmocka_unit_test(closes_a_socket_that_announces_a_giant_frame),
        cmocka_unit_test(never_waits_for_a_slow_client),
        cmocka_unit_test(stops_at_once_with_many_sockets_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
