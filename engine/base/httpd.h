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
    const char *query;       /* "" when there is none */
    const char *remote;      /* address of the peer */
    struct slice body;       /* read whole before the handler runs */
    const void *connection;  /* for http_header() */
};

/* Filled by the handler; sent with one write. */
struct http_response {
    int status;                  /* 200 until set */
    const char *content_type;    /* "application/json" until set; static text */
    struct buffer *body;         /* empty, bounded, reused by the worker: append here */
    struct buffer *headers;      /* extra "Name: value\r\n" lines */
};

/* One row of the route table; the OpenAPI document is generated from the same rows. */
struct http_route {
    const char *method;   /* "GET"; NULL ends the table */
    const char *path;     /* exact, or with one trailing "/" + "*" for a prefix */
    void (*handle)(void *context, const struct http_request *request,
                   struct http_response *response);
    bool changes_state;   /* Host and Origin are checked first */
    size_t max_body;      /* bytes; larger bodies get 413 */
    const char *summary;  /* for OpenAPI */
    const char *detail;   /* longer text for OpenAPI, or NULL */
    const char *request_schema;  /* name of a component schema, or NULL */
    const char *response_schema; /* likewise */
};

/* Server-sent text frames to browsers. on_open may send the first message. A client that does
 * not keep up is closed, never waited for. */
struct http_socket; /* one connected WebSocket */
struct http_socket_route {
    const char *path;
    void (*on_open)(void *context, struct http_socket *socket);
    void (*on_text)(void *context, struct http_socket *socket, struct slice text);
};

struct httpd_options {
    const char *listen;      /* "127.0.0.1:8420", "[::1]:8420"; port 0 picks a free one */
    int workers;             /* threads, each serving one connection at a time */
    int max_sockets;         /* WebSockets at once; more get 503 */
    const char *const *allowed_hosts; /* extra Host names that may change state; NULL-ended */
    const char *tls_certificate;      /* PEM with key, or NULL for plain HTTP */
};

struct httpd;
MUST_USE enum status httpd_start(const struct httpd_options *options,
                                 const struct http_route *routes,
                                 const struct http_socket_route *sockets, void *context,
                                 struct httpd **httpd, struct error *error);
/* Stops accepting, lets running handlers finish, closes all. */
void httpd_stop(struct httpd *httpd);
int httpd_port(const struct httpd *httpd); /* the port really bound */

/* The header's value, or NULL. */
const char *http_header(const struct http_request *request, const char *name);
/* A query parameter, decoded into out; false when absent or too long. */
bool http_query(const struct http_request *request, const char *name, char *out, size_t size);
/* application/problem+json (RFC 9457) with this status, title and detail. */
void http_problem(struct http_response *response, int status, const char *title,
                  const char *detail_format, ...) PRINTF_LIKE(4, 5);

/* Queues one text frame to every socket of `path`. Any thread; never blocks on a slow client. */
void httpd_broadcast(struct httpd *httpd, const char *path, struct slice text);
/* One socket, from within on_open or on_text. */
void http_socket_send(struct http_socket *socket, struct slice text);

#endif
