/* A server on a free port and raw sockets to it: what is on the wire, not what a client library
 * makes of it. */
#ifndef BINNACLE_TEST_HTTPD_FIXTURE_H
#define BINNACLE_TEST_HTTPD_FIXTURE_H

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

#include "engine/base/httpd.h"

#define WIRE_SIZE ((size_t)1 << 20)

struct wire {
    int fd;
    char *data; /* received and not yet taken */
    size_t size;
};

/* Nothing is gathered and nothing watched: the loop alone. */
static inline const struct httpd_loop_options *plain_loop(void)
{
    static const struct httpd_loop_options options = {.watched_fd = -1};
    return &options;
}

/* Both kinds of server are held to the same: with a loop, or a thread for each connection. */
static bool with_loop;

static inline const struct httpd_loop_options *kind_of_server(void)
{
    return with_loop ? plain_loop() : NULL;
}

static inline struct httpd *serve(const struct http_route *routes,
                                  const struct http_socket_route *sockets, int workers,
                                  int max_sockets)
{
    static const char *const allowed[] = {"binnacle.example", NULL};
    struct httpd_options options = {.listen = "127.0.0.1:0",
                                    .workers = workers,
                                    .max_sockets = max_sockets,
                                    .allowed_hosts = allowed,
                                    .loop = kind_of_server()};
    struct httpd *httpd = NULL;
    struct error error = {0};
    if (httpd_start(&options, routes, sockets, NULL, &httpd, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return httpd;
}

static inline struct httpd *serve_at(const char *listen, const struct http_route *routes)
{
    struct httpd_options options = {.listen = listen, .workers = 2, .loop = kind_of_server()};
    struct httpd *httpd = NULL;
    struct error error = {0};
    if (httpd_start(&options, routes, NULL, NULL, &httpd, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return httpd;
}

static inline void wire_open(struct wire *wire, const struct httpd *httpd, int receive_buffer)
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
    struct timeval limit = {.tv_sec = 30}; /* a sanitizer on a busy machine is slow */
    setsockopt(wire->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    wire->data = calloc(1, WIRE_SIZE + 1);
    wire->size = 0;
}

static inline void wire_close(struct wire *wire)
{
    close(wire->fd);
    free(wire->data);
}

static inline void wire_send(struct wire *wire, const char *text)
{
    size_t size = strlen(text);
    assert_int_equal(send(wire->fd, text, size, MSG_NOSIGNAL), (ssize_t)size);
}

static inline bool wire_more(struct wire *wire)
{
    ssize_t got = recv(wire->fd, wire->data + wire->size, WIRE_SIZE - wire->size, 0);
    if (got <= 0)
        return false;
    wire->size += (size_t)got;
    wire->data[wire->size] = '\0';
    return true;
}

static inline void wire_drop(struct wire *wire, size_t size)
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
static inline struct answer wire_answer(struct wire *wire, bool no_body)
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

static inline bool wire_is_closed(struct wire *wire)
{
    while (wire_more(wire)) {
    }
    struct pollfd poll_fd = {.fd = wire->fd, .events = POLLIN};
    char byte;
    return poll(&poll_fd, 1, 0) == 1 && recv(wire->fd, &byte, 1, 0) <= 0;
}

static inline struct answer ask(struct httpd *httpd, const char *request)
{
    struct wire wire;
    wire_open(&wire, httpd, 0);
    wire_send(&wire, request);
    struct answer answer = wire_answer(&wire, strncmp(request, "HEAD", 4) == 0);
    wire_close(&wire);
    return answer;
}

#endif
