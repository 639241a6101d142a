/* The WebSockets of the HTTP server. */
#include "tests/unit/engine/base/httpd_socket_fixture.h"

static struct httpd *start(int workers, int max_sockets)
{
    return serve(routes, socket_routes, workers, max_sockets);
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
    httpd_broadcast(httpd, "/live", 0, slice_of("second"));
    assert_true(wire_frame(&wire, text, sizeof text, &opcode));
    assert_string_equal(text, "second");
    httpd_broadcast(httpd, "/other", 0, slice_of("not for us"));
    /* "hi", masked with zeros */
    send(wire.fd, "\x81\x82\0\0\0\0hi", 8, 0);
    assert_true(wire_frame(&wire, text, sizeof text, &opcode));
    assert_string_equal(text, "hi");
    httpd_stop(httpd);
    assert_true(wire_frame(&wire, text, sizeof text, &opcode));
    assert_int_equal(opcode, 8);
    wire_close(&wire);
}

static void sends_no_broadcast_that_the_first_message_told(void **state)
{
    (void)state;
    struct httpd *httpd = start(2, 2);
    struct wire wire;
    wire_upgrade(&wire, httpd, 0);
    char text[64];
    int opcode;
    assert_true(wire_frame(&wire, text, sizeof text, &opcode));
    assert_string_equal(text, "first"); /* its number is 1 */
    httpd_broadcast(httpd, "/live", 1, slice_of("first"));
    send(wire.fd, "\x81\x82\0\0\0\0hi", 8, 0);
    assert_true(wire_frame(&wire, text, sizeof text, &opcode));
    assert_string_equal(text, "hi");
    httpd_broadcast(httpd, "/live", 2, slice_of("second"));
    assert_true(wire_frame(&wire, text, sizeof text, &opcode));
    assert_string_equal(text, "second");
    wire_close(&wire);
    httpd_stop(httpd);
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
    assert_int_equal(ask(httpd, "GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n").status, 426);
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
        httpd_broadcast(httpd, "/live", 0, slice_make(large, size));
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
        httpd_broadcast(httpd, "/live", 0, slice_of("picture"));
    int64_t before_ns = monotonic_ns();
    httpd_stop(httpd);
    assert_true(monotonic_ns() - before_ns < INT64_C(4000000000));
    for (int i = 0; i < 40; i++) {
        assert_true(wire_is_closed(&wires[i]));
        wire_close(&wires[i]);
    }
}

static void serves_hundreds_with_the_workers_of_a_few(void **state)
{
    (void)state;
    enum { N = 300 };
    struct httpd *httpd = start(2, N);
    struct wire *wires = calloc(N, sizeof *wires);
    char text[64];
    int opcode;
    for (int i = 0; i < N; i++)
        wire_upgrade(&wires[i], httpd, 0);
    assert_int_equal(ask(httpd, HANDSHAKE "\r\n").status, 503);
    for (int i = 0; i < 4; i++)
        assert_int_equal(ask(httpd, "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n").status, 200);
    for (int i = 0; i < N; i++)
        assert_true(wire_frame(&wires[i], text, sizeof text, &opcode));
    httpd_broadcast(httpd, "/live", 0, slice_of("picture"));
    for (int i = 0; i < N; i++) {
        assert_true(wire_frame(&wires[i], text, sizeof text, &opcode));
        assert_string_equal(text, "picture");
    }
    struct httpd_stats stats;
    httpd_stats(httpd, &stats);
    assert_int_equal(stats.sockets, N);
    assert_int_equal(stats.sockets_refused, 1);
    assert_int_equal(stats.turned_away, 0);
    for (int i = 0; i < N; i++)
        wire_close(&wires[i]);
    free(wires);
    httpd_stop(httpd);
}

static void takes_a_message_that_came_with_the_handshake(void **state)
{
    (void)state;
    struct httpd *httpd = start(2, 2);
    struct wire wire;
    static const char request[] = HANDSHAKE "\r\n\x81\x82\0\0\0\0hi";
    wire_open(&wire, httpd, 0);
    send(wire.fd, request, sizeof request - 1, 0);
    assert_int_equal(wire_answer(&wire, true).status, 101);
    char text[64];
    int opcode;
    assert_true(wire_frame(&wire, text, sizeof text, &opcode));
    assert_string_equal(text, "first");
    assert_true(wire_frame(&wire, text, sizeof text, &opcode));
    assert_string_equal(text, "hi");
    wire_close(&wire);
    httpd_stop(httpd);
}

/* What the server says to these bytes, after its first message: an opcode, then, for a close
 * frame, its code and the connection's end. */
static void expect_reply(const char *bytes, size_t size, int expected_opcode, int code)
{
    struct httpd *httpd = start(2, 2);
    struct wire wire;
    wire_upgrade(&wire, httpd, 0);
    char text[64] = "";
    int opcode;
    assert_true(wire_frame(&wire, text, sizeof text, &opcode));
    send(wire.fd, bytes, size, 0);
    assert_true(wire_frame(&wire, text, sizeof text, &opcode));
    assert_int_equal(opcode, expected_opcode);
    if (opcode == 8) {
        assert_int_equal((unsigned char)text[0] << 8 | (unsigned char)text[1], code);
        assert_true(wire_is_closed(&wire));
    } else {
        assert_string_equal(text, "hey");
    }
    wire_close(&wire);
    httpd_stop(httpd);
}

static void answers_pings_and_closes_by_the_rules(void **state)
{
    (void)state;
    expect_reply("\x89\x83\0\0\0\0hey", 9, 10, 0);
    expect_reply("\x88\x82\0\0\0\0\x03\xe8", 8, 8, 1000); /* echoed */
    expect_reply("\x81\x81\0\0\0\0\xff", 7, 8, 1007);     /* no UTF-8 */
    expect_reply("\x82\x81\0\0\0\0x", 7, 8, 1003);        /* binary */
    expect_reply("\x83\x81\0\0\0\0x", 7, 8, 1002);        /* no such opcode */
    expect_reply("\x81\x01x", 3, 8, 1002);                /* no mask */
    expect_reply("\x81\xff\0\0\0\0\0\x02\0\0\0\0\0\0", 14, 8, 1009);
}

static void refuses_a_handshake_that_it_does_not_understand(void **state)
{
    (void)state;
    struct httpd *httpd = start(2, 2);
#define UPGRADE "/live HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
#define KEY     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    struct answer answer = ask(httpd, "GET " UPGRADE KEY "Sec-WebSocket-Version: 8\r\n\r\n");
    assert_int_equal(answer.status, 426);
    assert_non_null(strstr(answer.head, "Sec-WebSocket-Version: 13"));
    assert_int_equal(ask(httpd, "GET " UPGRADE KEY "\r\n").status, 426);
    answer = ask(httpd, "GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_int_equal(answer.status, 426);
    assert_non_null(strcasestr(answer.head, "\r\nUpgrade: websocket\r\n"));
    assert_int_equal(ask(httpd, "GET " UPGRADE "Sec-WebSocket-Version: 13\r\n\r\n").status, 400);
    assert_int_equal(ask(httpd, "GET " UPGRADE "Sec-WebSocket-Version: 13\r\n"
                                "Sec-WebSocket-Key: short\r\n\r\n")
                         .status,
                     400);
    assert_int_equal(ask(httpd, "POST " UPGRADE KEY "Sec-WebSocket-Version: 13\r\n\r\n").status,
                     400);
    httpd_stop(httpd);
}

static void closes_a_client_that_asks_and_does_not_read(void **state)
{
    (void)state;
    struct httpd *httpd = start(2, 2);
    struct wire wire;
    wire_upgrade(&wire, httpd, 4096);
    enum { SIZE = 60000 };
    char *frame = calloc(1, 8 + SIZE);
    memcpy(frame, "\x81\xfe\xea\x60\0\0\0\0", 8);
    memset(frame + 8, 'x', SIZE);
    struct httpd_stats stats = {.sockets = 1};
    for (int i = 0; i < 100 && stats.sockets; i++) {
        send(wire.fd, frame, 8 + SIZE, MSG_NOSIGNAL | MSG_DONTWAIT);
        usleep(100000);
        httpd_stats(httpd, &stats);
    }
    assert_int_equal(stats.sockets, 0);
    free(frame);
    wire_close(&wire);
    httpd_stop(httpd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pushes_the_first_message_then_broadcasts_and_answers),
        cmocka_unit_test(sends_no_broadcast_that_the_first_message_told),
        cmocka_unit_test(refuses_sockets_beyond_the_limit_and_takes_them_again_later),
        cmocka_unit_test(refuses_a_socket_from_another_site),
        cmocka_unit_test(closes_a_socket_that_announces_a_giant_frame),
        cmocka_unit_test(never_waits_for_a_slow_client),
        cmocka_unit_test(stops_at_once_with_many_sockets_open),
        cmocka_unit_test(serves_hundreds_with_the_workers_of_a_few),
        cmocka_unit_test(takes_a_message_that_came_with_the_handshake),
        cmocka_unit_test(answers_pings_and_closes_by_the_rules),
        cmocka_unit_test(refuses_a_handshake_that_it_does_not_understand),
        cmocka_unit_test(closes_a_client_that_asks_and_does_not_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
