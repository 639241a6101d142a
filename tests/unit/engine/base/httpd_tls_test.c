/* The HTTP server behind TLS: sockets, and clients that speak plainly. */
#include "tests/unit/engine/base/httpd_socket_fixture.h"

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
        cmocka_unit_test(serves_sockets_over_tls),
        cmocka_unit_test(a_plain_client_at_a_tls_port_gets_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
