/* The WebSockets of the HTTP server. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <sys/wait.h>

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
    http_socket_send(socket, 1, slice_of("first"));
}

static void answer_text(void *context, struct http_socket *socket, struct slice text)
{
    (void)context;
    http_socket_send(socket, 0, text);
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

/* ---- over TLS: through the client of OpenSSL's own program, which has no line in common with us
 * ---- */

struct tls_wire {
    struct wire wire;
    char folder[64];
    char certificate[96];
    pid_t client;
};

static void run_command(const char *command)
{
    if (system(command) != 0)
        fail_msg("%s", command);
}

static void make_certificate(struct tls_wire *tls)
{
    char command[600];
    snprintf(tls->folder, sizeof tls->folder, "/tmp/binnacle-tls-XXXXXX");
    assert_non_null(mkdtemp(tls->folder));
    snprintf(tls->certificate, sizeof tls->certificate, "%s/both.pem", tls->folder);
    snprintf(command, sizeof command,
             "cd %s && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
             " -days 2 -subj /CN=localhost -keyout key.pem -out certificate.pem 2>/dev/null"
             " && cat key.pem certificate.pem > both.pem",
             tls->folder);
    run_command(command);
}

static struct httpd *start_tls(struct tls_wire *tls)
{
    make_certificate(tls);
    struct httpd_options options = {.listen = "127.0.0.1:0",
                                    .workers = 2,
                                    .max_sockets = 2,
                                    .tls_certificate = tls->certificate};
    struct httpd *httpd = NULL;
    struct error error = {0};
    if (httpd_start(&options, routes, socket_routes, NULL, &httpd, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return httpd;
}

static void tls_open(struct tls_wire *tls, struct httpd *httpd)
{
    char address[64];
    int pair[2];
    snprintf(address, sizeof address, "127.0.0.1:%d", httpd_port(httpd));
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    tls->client = fork();
    if (tls->client == 0) {
        dup2(pair[1], 0);
        dup2(pair[1], 1);
        close(pair[0]);
        close(pair[1]);
        execlp("openssl", "openssl", "s_client", "-quiet", "-verify_return_error", "-CAfile",
               tls->certificate, "-verify_hostname", "localhost", "-connect", address,
               (char *)NULL);
        _exit(127);
    }
    close(pair[1]);
    tls->wire = (struct wire){.fd = pair[0], .data = calloc(1, WIRE_SIZE + 1)};
    struct timeval limit = {.tv_sec = 20};
    setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
}

static void tls_close(struct tls_wire *tls)
{
    char command[128];
    int status;
    wire_close(&tls->wire);
    kill(tls->client, SIGTERM);
    assert_int_equal(waitpid(tls->client, &status, 0), tls->client);
    snprintf(command, sizeof command, "rm -r '%s'", tls->folder);
    run_command(command);
}

static void serves_sockets_over_tls(void **state)
{
    (void)state;
    enum { LARGE = 300000 };
    struct tls_wire tls;
    struct httpd *httpd = start_tls(&tls);
    tls_open(&tls, httpd);
    wire_send(&tls.wire, HANDSHAKE "\r\n");
    struct answer answer = wire_answer(&tls.wire, true);
    assert_int_equal(answer.status, 101);
    char *text = calloc(1, LARGE + 1), *large = malloc(LARGE);
    int opcode;
    assert_true(wire_frame(&tls.wire, text, LARGE + 1, &opcode));
    assert_string_equal(text, "first");
    assert_int_equal(send(tls.wire.fd, "\x81\x82\0\0\0\0hi", 8, 0), 8);
    assert_true(wire_frame(&tls.wire, text, LARGE + 1, &opcode));
    assert_string_equal(text, "hi");
    /* More than the connection takes at once, and two in one piece of what the client sends. */
    memset(large, 'x', LARGE);
    httpd_broadcast(httpd, "/live", 2, slice_make(large, LARGE));
    assert_true(wire_frame(&tls.wire, text, LARGE + 1, &opcode));
    assert_int_equal(strlen(text), LARGE);
    assert_int_equal(send(tls.wire.fd, "\x81\x81\0\0\0\0a\x81\x81\0\0\0\0b", 14, 0), 14);
    assert_true(wire_frame(&tls.wire, text, LARGE + 1, &opcode));
    assert_string_equal(text, "a");
    assert_true(wire_frame(&tls.wire, text, LARGE + 1, &opcode));
    assert_string_equal(text, "b");
    httpd_stop(httpd);
    assert_true(wire_frame(&tls.wire, text, LARGE + 1, &opcode));
    assert_int_equal(opcode, 8);
    free(large);
    free(text);
    tls_close(&tls);
}

/* What is not TLS gets nothing, and does not keep others up. */
static void a_plain_client_at_a_tls_port_gets_nothing(void **state)
{
    (void)state;
    struct tls_wire tls;
    struct httpd *httpd = start_tls(&tls);
    struct wire plain;
    wire_open(&plain, httpd, 0);
    wire_send(&plain, HANDSHAKE "\r\n");
    tls_open(&tls, httpd);
    wire_send(&tls.wire, "GET /hello HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    assert_int_equal(wire_answer(&tls.wire, false).status, 200);
    while (wire_more(&plain))
        ;
    assert_null(strstr(plain.data, "101"));
    wire_close(&plain);
    tls_close(&tls);
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
        cmocka_unit_test(serves_sockets_over_tls),
        cmocka_unit_test(a_plain_client_at_a_tls_port_gets_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
