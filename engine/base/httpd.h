/* The HTTP and WebSocket server behind a table of routes: a thread for each connection, or one loop
 * for all of them. */
#ifndef BINNACLE_BASE_HTTPD_H
#define BINNACLE_BASE_HTTPD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/buffer.h"
#include "engine/base/slice.h"
#include "engine/base/status.h"

/* A request as a handler sees it. Everything is borrowed and lives until the handler returns. */
struct http_request {
    const char *method;
    const char *path;
    const char *query;      /* "" when there is none */
    const char *remote;     /* address of the peer */
    struct slice body;      /* read whole before the handler runs */
    const void *connection; /* for http_header(): */
    const char *(*header)(const void *connection, const char *name);
};

/* Filled by the handler; sent with one write. */
struct http_response {
    int status;               /* 200 until set */
    const char *content_type; /* "application/json" until set; static text */
    struct buffer *body;      /* empty, bounded, reused by the worker: append here */
    struct buffer *headers;   /* extra "Name: value\r\n" lines */
};

/* Who runs a route's handler in a server with a loop. */
enum http_pace {
    HTTP_QUICK,    /* the loop's own thread, at once: it neither waits nor works for long */
    HTTP_SLOW,     /* a thread of a small pool */
    HTTP_GATHERED, /* the loop's `gather`, with all others that have arrived */
};

/* One row of the route table; the OpenAPI document is generated from the same rows. */
struct http_route {
    const char *method; /* "GET"; NULL ends the table */
    const char *path;   /* exact, or with one trailing "/" + "*" for a prefix */
    void (*handle)(void *context, const struct http_request *request,
                   struct http_response *response);
    enum http_pace pace; /* without a loop the connection's thread runs all */
    bool changes_state;  /* Host and Origin are checked first */
    bool closes;         /* the answer ends the connection: for what screens and collectors
                          * ask, who would keep a worker each while they idle. Such
                          * requests count against the caller's `rate`, and answers to GET
                          * are tagged (ETag) and packed (gzip) */
    size_t max_body;     /* bytes; larger bodies get 413 */
    const char *summary; /* for OpenAPI */
    const char *needs;   /* the query parameter without which it is not understood, or NULL */
    const char *detail;  /* longer text for OpenAPI, or NULL */
    const char *request_schema;  /* name of a component schema, or NULL */
    const char *response_schema; /* likewise */
};

/* Server-sent text frames to browsers. on_open may send the first message; on_text sees what the
 * client sends (at most 64 KiB a message; binary messages are refused). Both may be NULL, and both
 * run in the one thread that serves all sockets: they must be short. A client on another site is
 * refused by the Host and Origin rules. One that does not keep up misses frames, and one that takes
 * none for long is closed; nobody waits for it. */
struct http_socket; /* one connected WebSocket */
struct http_socket_route {
    const char *path; /* NULL ends the table */
    void (*on_open)(void *context, struct http_socket *socket);
    void (*on_text)(void *context, struct http_socket *socket, struct slice text);
};

/* A request that is answered later than its handler returns. The response's buffers live until it
 * is answered. Everything in it lives until then. */
struct http_exchange {
    struct http_request request;
    struct http_response response;
    uint64_t note; /* the handler's own */
};

/* All connections on one thread: reading, writing, quick handlers, and what is gathered. For many
 * keep-alive connections with small requests that wait for the same thing. The functions get the
 * server's context and run on the loop's thread. */
struct httpd_loop_options {
    /* Requests of HTTP_GATHERED routes that were whole at the same time, at most `max_gathered`.
     * Each is answered by one http_exchange_answer() or http_exchange_hand_over(), now or later, on
     * the loop's thread. Requests that the stopping server no longer waits for are never answered:
     * after httpd_stop() no exchange may be touched. */
    void (*gather)(void *context, struct http_exchange *const *exchanges, size_t n);
    size_t max_gathered;
    /* `on_watched` is called when watched_fd (-1: none; borrowed) has become readable, and four
     * times a second while anybody is connected. May be NULL. */
    int watched_fd;
    void (*on_watched)(void *context);
    int max_connections; /* 0: 4096; fewer where the process may not open so many files */
};

struct httpd_options {
    const char *listen;               /* "127.0.0.1:8420", "[::1]:8420"; port 0 picks a free one */
    int workers;                      /* threads, each serving one connection at a time; 0: 32 */
    int rate;                         /* requests a second of one address to routes that close, in
                                       * the mean of 10 s; others get 429; 0: no limit */
    int max_sockets;                  /* WebSockets at once, beside the workers; others get 503 */
    const char *const *allowed_hosts; /* extra Host names that are served; NULL-ended;
                                       * borrowed until httpd_stop() */
    const char *tls_certificate;      /* PEM with key, or NULL for plain HTTP */
    const struct httpd_loop_options *loop; /* NULL: a thread for each connection; with a loop there
                                            * is no TLS and there are no WebSockets; copied */
    /* Asked before the handler of a route that is not gathered: false when it has answered. Runs
     * where the handler would; NULL: every request is accepted. */
    bool (*accepts)(void *context, const struct http_request *request,
                    struct http_response *response);
    int request_timeout_ms; /* for reading a request's head, and its body unless that comes at
                             * 64 kB/s or more; 0: 10 s */
};

/* Starts to serve. Routes are looked through in order; a path that stands with other methods only
 * gets 405 with Allow, an unknown one 404, both as problem documents; GET routes answer HEAD too.
 *
 * A worker belongs to one connection until that is closed, has been idle for seconds, or has become
 * a WebSocket: those are served by a thread of their own. When every
 * worker is taken, connections are closed after an answer once they have had their worker for a
 * tenth of a second, so that those who wait get their turn. While connections wait for a worker,
 * one whose request has not come whole within a tenth of a second, and a millisecond for each 64
 * bytes of its body, is ended.
 *
 * A loop serves all its connections at once. At its maximum the one that has been idle longest is
 * closed for a new one, or else one whose request comes too slowly as above; when there is neither,
 * the new one gets 503. Requests of slow routes wait for a
 * thread of the pool, at most 64 of them: others get 503. Bodies in the making take at most
 * 256 MiB together: others get 503.
 *
 * Routes with `changes_state`, and all WebSockets, are only served to a Host that is an IP
 * address, localhost, the listen host or an allowed one (DNS rebinding), and to an Origin, if
 * there is one, that is the same as that Host (cross-site request forgery): else 403. A server that
 * listens on a loopback address serves everything else to such a Host only, too.
 *
 * `routes`, `sockets` (may be NULL) and `context` are borrowed until httpd_stop(). Handlers run in
 * several threads at once. */
struct httpd;
MUST_USE enum status httpd_start(const struct httpd_options *options,
                                 const struct http_route *routes,
                                 const struct http_socket_route *sockets, void *context,
                                 struct httpd **httpd, struct error *error);
/* Lets running handlers finish (for 5 s at most) while new requests get 503, then closes all.
 * NULL is ignored. */
void httpd_stop(struct httpd *httpd);
int httpd_port(const struct httpd *httpd); /* the port really bound */

/* The header's value, or NULL. */
const char *http_header(const struct http_request *request, const char *name);
/* A query parameter, decoded into out; false, and out is "", when absent. One that is too long for
 * out is read as "", which is none of the values that are looked for. */
bool http_query(const struct http_request *request, const char *name, char *out, size_t size);
/* Whether it may be answered in gzip. */
bool http_takes_gzip(const struct http_request *request);
/* Whether it has what this tag (quoted) stands for. */
bool http_has_already(const struct http_request *request, const char *tag);
/* application/problem+json (RFC 9457) with this status, title and detail. */
void http_problem(struct http_response *response, int status, const char *title,
                  const char *detail_format, ...) PRINTF_LIKE(4, 5);

/* Sends the exchange's response. On the loop's thread; the exchange is the loop's again. */
void http_exchange_answer(struct http_exchange *exchange);
/* Lets `run` finish the response on a thread of the pool, where it may wait; then it is sent. On
 * the loop's thread; the exchange is the loop's again. */
void http_exchange_hand_over(struct http_exchange *exchange,
                             void (*run)(void *context, struct http_exchange *exchange));

/* Sends one text frame to every socket of `path`. Any thread; never waits for a client: each has
 * room for one frame, and a newer one takes the place of what was not sent yet. `number` rises from
 * one broadcast to the next; a socket that was sent one with this number or a later one, by
 * whichever function, is not sent it again. 0: no number, sent to all. */
void httpd_broadcast(struct httpd *httpd, const char *path, uint64_t number, struct slice text);
/* One socket, from within on_open or on_text only. Never replaced by a broadcast; a client that has
 * several of them waiting is closed. */
void http_socket_send(struct http_socket *socket, uint64_t number, struct slice text);

struct httpd_stats {
    uint64_t requests;        /* answered, whatever the status */
    uint64_t refused;         /* by the Host and Origin rules */
    uint64_t turned_away;     /* connections closed early because others wanted their place */
    uint64_t hung_up;         /* connections ended while a request was to come, or was coming too
                               * slowly, because others wanted their place */
    uint64_t sockets_refused; /* because max_sockets were open */
    uint64_t frames_replaced; /* broadcasts that a slow client never got */
    uint64_t jobs_refused;    /* long requests, because as many waited as may: 503 */
    uint64_t jobs;            /* long requests that wait for a thread */
    uint64_t max_jobs;        /* so many may wait; 0 without options.loop: none ever does */
    int connections;          /* that are served now */
    int max_connections;      /* at once */
    int sockets;              /* WebSockets now */
};
void httpd_stats(struct httpd *httpd, struct httpd_stats *stats);

#endif
