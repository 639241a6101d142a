/* The HTTP and WebSocket server: civetweb behind a table of routes. */
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
    const void *connection; /* for http_header() */
};

/* Filled by the handler; sent with one write. */
struct http_response {
    int status;               /* 200 until set */
    const char *content_type; /* "application/json" until set; static text */
    struct buffer *body;      /* empty, bounded, reused by the worker: append here */
    struct buffer *headers;   /* extra "Name: value\r\n" lines */
};

/* One row of the route table; the OpenAPI document is generated from the same rows. */
struct http_route {
    const char *method; /* "GET"; NULL ends the table */
    const char *path;   /* exact, or with one trailing "/" + "*" for a prefix */
    void (*handle)(void *context, const struct http_request *request,
                   struct http_response *response);
    bool changes_state;          /* Host and Origin are checked first */
    bool closes;                 /* the answer ends the connection: for what browsers ask,
                                  * who would keep a worker each while they idle */
    size_t max_body;             /* bytes; larger bodies get 413 */
    const char *summary;         /* for OpenAPI */
    const char *detail;          /* longer text for OpenAPI, or NULL */
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

struct httpd_options {
    const char *listen;               /* "127.0.0.1:8420", "[::1]:8420"; port 0 picks a free one */
    int workers;                      /* threads, each serving one connection at a time; 0: 32 */
    int max_sockets;                  /* WebSockets at once, beside the workers; others get 503 */
    const char *const *allowed_hosts; /* extra Host names that are served; NULL-ended;
                                       * borrowed until httpd_stop() */
    const char *tls_certificate;      /* PEM with key, or NULL for plain HTTP */
    int request_timeout_ms; /* for reading a request's head, and its body unless that comes at
                             * 64 kB/s or more; 0: 10 s */
};

/* Starts to serve. Routes are looked through in order; a path that stands with other methods only
 * gets 405 with Allow, an unknown one 404, both as problem documents; GET routes answer HEAD too.
 *
 * A worker belongs to one connection until that is closed, has been idle for seconds, or has become
 * a WebSocket: those are served by a thread of their own. When every
 * worker is taken, connections are closed after an answer once they have had their worker for a
 * tenth of a second, so that those who wait get their turn.
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
/* A query parameter, decoded into out; false, and out is "", when absent or too long. */
bool http_query(const struct http_request *request, const char *name, char *out, size_t size);
/* application/problem+json (RFC 9457) with this status, title and detail. */
void http_problem(struct http_response *response, int status, const char *title,
                  const char *detail_format, ...) PRINTF_LIKE(4, 5);

/* Sends one text frame to every socket of `path`. Any thread; never waits for a client: each has
 * room for one frame, and a newer one takes the place of what was not sent yet. */
void httpd_broadcast(struct httpd *httpd, const char *path, struct slice text);
/* One socket, from within on_open or on_text only. Never replaced by a broadcast; a client that has
 * several of them waiting is closed. */
void http_socket_send(struct http_socket *socket, struct slice text);

struct httpd_stats {
    uint64_t requests;        /* answered, whatever the status */
    uint64_t refused;         /* by the Host and Origin rules */
    uint64_t turned_away;     /* connections closed early because all workers were taken */
    uint64_t sockets_refused; /* because max_sockets were open */
    uint64_t frames_replaced; /* broadcasts that a slow client never got */
    int connections;          /* that have a worker now */
    int sockets;              /* WebSockets now */
};
void httpd_stats(struct httpd *httpd, struct httpd_stats *stats);

#endif
