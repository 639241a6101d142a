/* The HTTP client against a socket that records what it is sent and answers with given bytes. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/base/http.h"

struct peer {
    int listener;
    int port;
    const char *answer; /* NULL: accept and say nothing */
    char request[8192];
    size_t size;
    pthread_t thread;
};

static void *serve(void *context)
{
    struct peer *peer = context;
    int client = accept(peer->listener, NULL, NULL);
    if (client < 0)
        return NULL;
    struct timeval limit = {.tv_usec = 200000};
    setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    for (;;) {
        ssize_t got =
            recv(client, peer->request + peer->size, sizeof peer->request - 1 - peer->size, 0);
        if (got <= 0)
            break;
        peer->size += (size_t)got;
        if (peer->answer && strstr(peer->request, "\r\n\r\n") &&
            (!strstr(peer->request, "Content-Length: 5") || strstr(peer->request, "hello")))
            break;
    }
    if (peer->answer)
        send(client, peer->answer, strlen(peer->answer), MSG_NOSIGNAL);
    else
        usleep(400000);
    close(client);
    return NULL;
}

static void start(struct peer *peer, const char *answer)
{
    memset(peer, 0, sizeof *peer);
    peer->answer = answer;
    peer->listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    assert_int_equal(bind(peer->listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(peer->listener, 4), 0);
    getsockname(peer->listener, (struct sockaddr *)&address, &size);
    peer->port = ntohs(address.sin_port);
    pthread_create(&peer->thread, NULL, serve, peer);
}

static void stop(struct peer *peer)
{
    pthread_join(peer->thread, NULL);
    close(peer->listener);
}

static void posts_body_and_headers_and_reads_the_answer(void **state)
{
    (void)state;
    struct peer peer;
    start(&peer, "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok");
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%d/hook", peer.port);
    const char *headers[] = {"Content-Type: application/json", NULL};
    struct http_call call = {.method = "POST",
                             .url = url,
                             .headers = headers,
                             .body = slice_of("hello"),
                             .timeout_ms = 2000};
    struct buffer reply;
    buffer_init(&reply, 100);
    int code = 0;
    int64_t retry = 0;
    struct error error;
    assert_int_equal(http_perform(&call, &code, &reply, &retry, &error), STATUS_OK);
    stop(&peer);
    assert_int_equal(code, 201);
    assert_int_equal(retry, -1);
    assert_string_equal(reply.data, "ok");
    assert_non_null(strstr(peer.request, "POST /hook HTTP/1.1\r\n"));
    assert_non_null(strstr(peer.request, "Content-Type: application/json\r\n"));
    assert_null(strstr(peer.request, "Expect"));
    assert_non_null(strstr(peer.request, "\r\n\r\nhello"));
    buffer_free(&reply);
}

static void reports_retry_after_of_a_refusal(void **state)
{
    (void)state;
    struct peer peer;
    start(&peer, "HTTP/1.1 429 Too Many\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n");
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", peer.port);
    struct http_call call = {.method = "GET", .url = url, .timeout_ms = 2000};
    int code = 0;
    int64_t retry = 0;
    assert_int_equal(http_perform(&call, &code, NULL, &retry, NULL), STATUS_OK);
    stop(&peer);
    assert_int_equal(code, 429);
    assert_int_equal(retry, 7);
}

static void does_not_follow_a_redirect(void **state)
{
    (void)state;
    struct peer peer;
    start(&peer,
          "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n");
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", peer.port);
    struct http_call call = {.method = "GET", .url = url, .timeout_ms = 2000};
    int code = 0;
    assert_int_equal(http_perform(&call, &code, NULL, NULL, NULL), STATUS_OK);
    stop(&peer);
    assert_int_equal(code, 302);
}

static void cuts_a_reply_at_the_buffers_maximum(void **state)
{
    (void)state;
    struct peer peer;
    start(&peer, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789");
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", peer.port);
    struct http_call call = {.method = "GET", .url = url, .timeout_ms = 2000};
    struct buffer reply;
    buffer_init(&reply, 4);
    int code = 0;
    assert_int_equal(http_perform(&call, &code, &reply, NULL, NULL), STATUS_OK);
    stop(&peer);
    assert_int_equal(code, 200);
    assert_string_equal(reply.data, "0123");
    assert_true(reply.overflow);
    buffer_free(&reply);
}

static void gives_up_on_a_silent_peer_without_naming_the_path(void **state)
{
    (void)state;
    struct peer peer;
    start(&peer, NULL);
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%d/hidden-part", peer.port);
    struct http_call call = {.method = "GET", .url = url, .timeout_ms = 100};
    int code = -1;
    struct error error;
    assert_int_equal(http_perform(&call, &code, NULL, NULL, &error), STATUS_UNAVAILABLE);
    stop(&peer);
    assert_int_equal(code, 0);
    assert_true(error.retriable);
    assert_non_null(strstr(error.message, "127.0.0.1"));
    assert_null(strstr(error.message, "hidden-part"));
}

static void refuses_what_is_not_http_and_headers_with_line_breaks(void **state)
{
    (void)state;
    const char *split[] = {"X: a\r\nY: b", NULL};
    const struct http_call calls[] = {
        {.method = "GET", .url = "file:///etc/hostname", .timeout_ms = 100},
        {.method = "GET", .url = "not a url", .timeout_ms = 100},
        {.method = "GET", .url = "http://127.0.0.1:1/", .headers = split, .timeout_ms = 100},
    };
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        int code = 0;
        struct error error;
        assert_int_equal(http_perform(&calls[i], &code, NULL, NULL, &error), STATUS_INVALID);
        assert_true(error.message[0]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(posts_body_and_headers_and_reads_the_answer),
        cmocka_unit_test(reports_retry_after_of_a_refusal),
        cmocka_unit_test(does_not_follow_a_redirect),
        cmocka_unit_test(cuts_a_reply_at_the_buffers_maximum),
        cmocka_unit_test(gives_up_on_a_silent_peer_without_naming_the_path),
        cmocka_unit_test(refuses_what_is_not_http_and_headers_with_line_breaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
