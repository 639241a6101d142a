/* One connection of the loop: what it reads, who answers, and what it writes.
 *
 * A connection has one request at a time; what the peer sends behind it waits in the socket. The
 * kernel tells of new input once (edge-triggered epoll), so `readable` stays set until a read has
 * found nothing more. A peer that goes away while its request is with a handler is noticed when the
 * answer is sent. Runs on the loop's thread. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/base/httpd_loop_priv.h"

#define TURNS        8 /* steps of one connection before the others get theirs */
#define LINGER_NS    INT64_C(2000000000)
#define LINGER_READS 16 /* of LOOP_READ_BYTES, of what nobody wants */

static const char keep_alive[] = "Connection: keep-alive\r\n";
static const char goodbye[] = "Connection: close\r\n";

/* ---- open and closed ---- */

static void name_peer(const struct sockaddr_storage *peer, char name[INET6_ADDRSTRLEN])
{
    const void *address = peer->ss_family == AF_INET6
                              ? (const void *)&((const struct sockaddr_in6 *)peer)->sin6_addr
                              : (const void *)&((const struct sockaddr_in *)peer)->sin_addr;
    if (!inet_ntop(peer->ss_family, address, name, INET6_ADDRSTRLEN))
        name[0] = '\0';
}

static void link_connection(struct connection *connection)
{
    struct http_loop *loop = connection->loop;
    connection->next = loop->connections;
    if (loop->connections)
        loop->connections->previous = connection;
    loop->connections = connection;
    loop->n_connections++;
    atomic_fetch_add(&loop->httpd->connections, 1);
}

struct connection *connection_open(struct http_loop *loop, int fd,
                                   const struct sockaddr_storage *peer)
{
    struct connection *connection = calloc(1, sizeof *connection);
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                                .data.ptr = connection};
    if (!connection || epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
        free(connection);
        close(fd);
        return NULL;
    }
    connection->loop = loop;
    connection->fd = fd;
    connection->fresh = connection->idle = true;
    connection->since_ns = loop->now_ns;
    name_peer(peer, connection->remote);
    buffer_init(&connection->head, 4 * HTTPD_MAX_HEADERS);
    buffer_init(&connection->body, loop->httpd->max_body + 1);
    buffer_init(&connection->rest, LOOP_READ_BYTES + 1);
    buffer_init(&connection->answer_body, HTTPD_MAX_RESPONSE);
    buffer_init(&connection->answer_headers, HTTPD_MAX_HEADERS);
    buffer_init(&connection->unsent, HTTPD_MAX_RESPONSE + 2 * HTTPD_MAX_HEADERS);
    http_parser_init(&connection->parser, HTTP_REQUEST);
    connection->parser.data = connection;
    connection_forget_request(connection);
    link_connection(connection);
    return connection;
}

void connection_close(struct connection *connection)
{
    struct http_loop *loop = connection->loop;
    if (connection->phase == PHASE_CLOSED)
        return;
    connection->phase = PHASE_CLOSED;
    close(connection->fd);
    if (connection->previous)
        connection->previous->next = connection->next;
    else
        loop->connections = connection->next;
    if (connection->next)
        connection->next->previous = connection->previous;
    loop->n_connections--;
    atomic_fetch_sub(&loop->httpd->connections, 1);
    loop->body_bytes -= connection->body.size;
    connection->next = loop->dead;
    loop->dead = connection;
}

void connection_destroy(struct connection *connection)
{
    buffer_free(&connection->head);
    buffer_free(&connection->body);
    buffer_free(&connection->rest);
    buffer_free(&connection->answer_body);
    buffer_free(&connection->answer_headers);
    buffer_free(&connection->unsent);
    free(connection);
}

/* ---- writing ---- */

static void end_answer(struct connection *connection)
{
    struct http_loop *loop = connection->loop;
    bool closes = connection->close_after || !connection->keeps;
    connection_forget_request(connection);
    connection->since_ns = loop->now_ns;
    connection->fresh = false;
    connection->idle = connection->rest.size == 0;
    if (closes) {
        /* Just closing would answer what the peer still sends with a reset, which can overtake the
         * answer. */
        shutdown(connection->fd, SHUT_WR);
        connection->phase = PHASE_LINGERING;
        connection->readable = true;
    } else {
        connection->phase = PHASE_READING;
    }
    if (connection->rest.size > 0 || connection->readable)
        http_loop_run_again(connection);
}

/* False: the peer is gone. */
static bool send_some(struct connection *connection, const char *data, size_t size, size_t *sent)
{
    ssize_t n = send(connection->fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno != EAGAIN && errno != EINTR)
        return false;
    *sent = n > 0 ? (size_t)n : 0;
    return true;
}

static void write_more(struct connection *connection)
{
    struct buffer *unsent = &connection->unsent;
    size_t sent;
    if (!send_some(connection, unsent->data + connection->sent, unsent->size - connection->sent,
                   &sent)) {
        connection_close(connection);
        return;
    }
    connection->sent += sent;
    if (sent > 0)
        connection->since_ns = connection->loop->now_ns;
    if (connection->sent < unsent->size)
        return; /* the kernel tells when there is room */
    buffer_free(unsent);
    end_answer(connection);
}

static const char *connection_header(const struct connection *connection)
{
    if (connection->close_after || !connection->keeps)
        return goodbye;
    return connection->parser.http_minor == 0 ? keep_alive : "";
}

void http_exchange_answer(struct http_exchange *exchange)
{
    struct connection *connection = (struct connection *)exchange;
    struct http_loop *loop = connection->loop;
    struct buffer *out = &loop->out;
    size_t sent = 0;
    if (atomic_load(&loop->httpd->draining))
        connection->keeps = false;
    buffer_reset(out);
    httpd_bound_response(&exchange->response);
    httpd_assemble(&exchange->response, httpd_date(&loop->date),
                   strcmp(exchange->request.method, "HEAD") == 0, connection_header(connection),
                   out);
    atomic_fetch_add_explicit(&loop->httpd->requests, 1, memory_order_relaxed);
    if (out->overflow || !send_some(connection, out->data, out->size, &sent)) {
        connection_close(connection);
    } else if (sent == out->size) {
        end_answer(connection);
    } else {
        connection->phase = PHASE_WRITING;
        connection->since_ns = loop->now_ns;
        connection->sent = 0;
        if (!buffer_append(&connection->unsent, out->data + sent, out->size - sent))
            connection_close(connection);
    }
    if (out->capacity > LOOP_READ_BYTES)
        buffer_free(out);
}

/* ---- a request that is complete, or settled ---- */

static void run_route(void *context, struct http_exchange *exchange)
{
    const struct connection *connection = (const struct connection *)exchange;
    (void)context;
    httpd_run(connection->loop->httpd, connection->route, &exchange->request, &exchange->response);
}

void http_exchange_hand_over(struct http_exchange *exchange,
                             void (*run)(void *context, struct http_exchange *exchange))
{
    struct connection *connection = (struct connection *)exchange;
    connection->run = run;
    if (http_pool_run(connection->loop->pool, connection))
        return;
    buffer_reset(exchange->response.headers);
    buffer_append_text(exchange->response.headers, "Retry-After: 1\r\n");
    http_problem(&exchange->response, 503, "Overloaded",
                 "too many long requests wait already; send it again later");
    http_exchange_answer(exchange);
}

static void dispatch(struct connection *connection)
{
    struct http_exchange *exchange = &connection->exchange;
    struct http_loop *loop = connection->loop;
    connection->phase = PHASE_WAITING;
    if (connection->settled) {
        http_exchange_answer(exchange);
        return;
    }
    switch (connection->route->pace) {
    case HTTP_QUICK:
        run_route(loop->httpd->context, exchange);
        http_exchange_answer(exchange);
        return;
    case HTTP_SLOW:
        http_exchange_hand_over(exchange, run_route);
        return;
    case HTTP_GATHERED:
        http_loop_gather(loop, connection);
        return;
    }
}

/* ---- reading ---- */

/* What a read that brought nothing means. */
static void take_silence(struct connection *connection, ssize_t got)
{
    connection->readable = false;
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        connection->readable = errno == EINTR;
        return;
    }
    if (got < 0 || connection->idle) {
        connection_close(connection);
        return;
    }
    connection_settle(connection, 400, "Request incomplete",
                      "the connection was closed before the end of the request");
    dispatch(connection);
}

/* The bytes that came with the last request, or else new ones, into loop->in. 0: none. */
static size_t read_some(struct connection *connection)
{
    struct http_loop *loop = connection->loop;
    size_t size = connection->rest.size;
    if (size > 0) {
        memcpy(loop->in, connection->rest.data, size);
        buffer_reset(&connection->rest);
        return size;
    }
    if (!connection->readable)
        return 0;
    ssize_t got = recv(connection->fd, loop->in, LOOP_READ_BYTES, MSG_DONTWAIT);
    if (got <= 0) {
        take_silence(connection, got);
        return 0;
    }
    /* Less than asked for: there was no more. The end of the stream is only seen by reading on. */
    connection->readable = (size_t)got == LOOP_READ_BYTES || connection->ended;
    return (size_t)got;
}

static void read_request(struct connection *connection)
{
    size_t size = read_some(connection);
    if (size == 0)
        return;
    if (connection->idle) {
        connection->idle = false;
        connection->since_ns = connection->loop->now_ns;
    }
    if (connection_parse(connection, size))
        dispatch(connection);
}

static void drop_input(struct connection *connection)
{
    for (int i = 0; i < LINGER_READS; i++) {
        ssize_t got = recv(connection->fd, connection->loop->in, LOOP_READ_BYTES, MSG_DONTWAIT);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
            connection->readable = false;
            return;
        }
        if (got <= 0)
            break;
    }
    connection_close(connection);
}

static bool can_go_on(const struct connection *connection)
{
    switch (connection->phase) {
    case PHASE_READING:
        return connection->readable || connection->rest.size > 0;
    case PHASE_LINGERING:
        return connection->readable;
    case PHASE_WAITING:
    case PHASE_WRITING:
    case PHASE_CLOSED:
        return false;
    }
    return false;
}

void connection_run(struct connection *connection)
{
    for (int turn = 0; turn < TURNS && can_go_on(connection); turn++) {
        if (connection->phase == PHASE_READING)
            read_request(connection);
        else
            drop_input(connection);
    }
    if (can_go_on(connection))
        http_loop_run_again(connection);
}

void connection_event(struct connection *connection, uint32_t events)
{
    if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        connection->ended = true;
    if (events & EPOLLIN || connection->ended)
        connection->readable = true;
    if (connection->phase == PHASE_WRITING && events & (EPOLLOUT | EPOLLERR | EPOLLHUP))
        write_more(connection);
    connection_run(connection);
}

/* ---- the clock ---- */

static void look_at_request(struct connection *connection, int64_t taken_ms)
{
    int64_t most_ms = connection->loop->httpd->request_timeout_ms;
    if (connection->idle && !connection->fresh)
        most_ms = (int64_t)LOOP_KEEP_IDLE_S * 1000;
    most_ms += (int64_t)(connection->body.size / HTTPD_SLOWEST_BYTES_PER_MS);
    if (taken_ms <= most_ms)
        return;
    if (connection->idle) {
        connection_close(connection);
        return;
    }
    connection_settle(connection, 408, "Request timeout", "the request came too slowly");
    dispatch(connection);
}

void connection_look_at_clock(struct connection *connection)
{
    int64_t taken_ns = connection->loop->now_ns - connection->since_ns;
    switch (connection->phase) {
    case PHASE_READING:
        look_at_request(connection, taken_ns / 1000000);
        return;
    case PHASE_WRITING:
        if (taken_ns / 1000000 > connection->loop->httpd->request_timeout_ms)
            connection_close(connection);
        return;
    case PHASE_LINGERING:
        if (taken_ns > LINGER_NS)
            connection_close(connection);
        return;
    case PHASE_WAITING:
    case PHASE_CLOSED:
        return;
    }
}

void connection_turn_away(struct connection *connection)
{
    connection_settle(connection, 503, "Overloaded", "every connection is taken; try again later");
    buffer_append_text(&connection->answer_headers, "Retry-After: 1\r\n");
    dispatch(connection);
}
