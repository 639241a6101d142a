/* What the server's files share: the server itself, its workers, and the rules of the door. */
#ifndef BINNACLE_BASE_HTTPD_PRIV_H
#define BINNACLE_BASE_HTTPD_PRIV_H

#include <civetweb.h>
#include <stdatomic.h>

#include "engine/base/httpd.h"
#include "engine/base/httpd_viewers.h"
#include "engine/base/rate.h"
#include "engine/base/thread.h"

#define HTTPD_MAGIC 0x48545450u

#define LISTEN_SIZE 128

#define HTTPD_MAX_RESPONSE         ((size_t)64 << 20)
#define HTTPD_MAX_HEADERS          ((size_t)16 << 10)
#define HTTPD_SLOWEST_BYTES_PER_MS 64 /* of a body that takes longer than a request may */

#define HTTPD_SHARE_NS INT64_C(100000000) /* of a connection's place, while others wait for one */

#define LOOP_MAX_JOBS 64 /* long requests that wait for a thread */

struct door;
struct http_loop;

struct httpd {
    unsigned magic;
    struct mg_context *mg;  /* a thread for each connection, */
    struct http_loop *loop; /* or one loop for all: one of the two is NULL */
    const struct http_route *routes;
    void *context;
    bool (*accepts)(void *context, const struct http_request *request,
                    struct http_response *response); /* NULL: all */
    const char *const *allowed_hosts;
    char listen_host[LISTEN_SIZE]; /* without brackets */
    bool tls;
    int port;
    int threads;       /* civetweb's workers, */
    struct door *door; /* and who sees to it that none is held for long while others wait */
    int max_sockets;
    int request_timeout_ms;
    size_t max_body;   /* the largest of all routes */
    struct rate *rate; /* NULL: anybody may ask as often as they like */
    char failure[256]; /* civetweb's first complaint while starting */

    atomic_bool serving;
    atomic_bool draining;
    atomic_int in_flight;   /* handlers running */
    atomic_int connections; /* that are served */
    atomic_ullong requests, refused, turned_away, hung_up, sockets_refused, frames_replaced;
    atomic_ullong jobs, jobs_refused;

    const struct http_socket_route *socket_routes; /* NULL: none */
    struct viewers *viewers;                       /* NULL without socket routes */
    atomic_int n_sockets;                          /* places taken, from the handshake on */
};

/* The Date header's value of one second. */
struct httpd_date {
    char text[40];
    int64_t s;
};

/* The methods that a path has, as Allow lists them; "" when it is not known at all. */
struct httpd_allowed {
    char methods[96];
};

/* One civetweb thread: its buffers are used again by every request it serves. */
struct worker {
    struct httpd *httpd;
    struct buffer path, request_body, body, packed, headers, out;
    struct httpd_date date;
    int64_t connected_ns;             /* when it took up its connection */
    struct worker *next;              /* in the doorkeeper's list */
    struct lock lock;                 /* of what follows, which the doorkeeper looks at */
    struct mg_connection *connection; /* NULL: none */
    int64_t waits_ns; /* since when it waits for a request, or for the rest of one; 0: not */
    size_t arrived;   /* bytes of the request's body */
    bool hung_up;     /* the doorkeeper ended the reading */
};

/* Why a request with these headers (each may be NULL) must not change state here, or NULL when it
 * may. `tls` says which scheme its Origin has to have. */
const char *httpd_guard(const struct httpd *httpd, const char *host, const char *origin,
                        const char *fetch_site);

/* The same for reading: on a loopback address only the Host is looked at, since nobody but this
 * machine's own browsers can be tricked into it; elsewhere everything may be read. */
const char *httpd_guard_read(const struct httpd *httpd, const char *host);

/* httpd_answer.c */

/* Headers that may stand in a request once only. */
struct httpd_heads {
    int lengths, hosts;
};
/* To be called for each header of a request. */
void httpd_count_head(struct httpd_heads *heads, const char *name);
/* Why a request with these headers can be read in two ways, or NULL. A proxy in front may have
 * chosen the other one: another Host, or what we read as this body for the next request (RFC 9112,
 * 3.2 and 6.3). */
const char *httpd_contradiction(const struct httpd_heads *heads);
/* Decodes a path of `size` bytes into `out`, which has room for size + 1. Its length; -1: it has a
 * zero byte, after which nobody would see its end. */
int httpd_decode_path(const char *path, size_t size, char *out);

/* NULL: *allowed says which methods the path has. */
const struct http_route *httpd_find_route(const struct httpd *httpd, const char *method,
                                          const char *path, struct httpd_allowed *allowed);
/* 404 or 405, or the answer to OPTIONS. */
void httpd_refuse_method(const struct http_request *request, const struct httpd_allowed *allowed,
                         struct http_response *response);
/* By the rules of httpd_guard.c; false: the response says why not. */
bool httpd_is_welcome(struct httpd *httpd, const struct http_request *request,
                      const struct http_route *route, struct http_response *response);
/* The route's handler, unless the request is not accepted. */
void httpd_run(const struct httpd *httpd, const struct http_route *route,
               const struct http_request *request, struct http_response *response);
void httpd_refuse_draining(struct http_response *response);
void httpd_refuse_large(const struct http_route *route, struct http_response *response);
/* An answer that did not fit becomes one that says so. */
void httpd_bound_response(struct http_response *response);
/* Appends the answer's bytes; `keep` is its Connection header with line end, or "". */
void httpd_assemble(const struct http_response *response, const char *date, bool head_only,
                    const char *keep, struct buffer *out);
const char *httpd_phrase(int status);
const char *httpd_date(struct httpd_date *date); /* brought up to now */

/* httpd_economy.c, for the routes that close. */

/* False: this caller asked too often, and the response says so. The answer's headers say what it
 * has left. */
bool httpd_is_in_time(struct httpd *httpd, const struct http_request *request,
                      struct http_response *response);
/* Tags a good answer to GET; makes 304 of it for who has it, and packs it into `spare` for who can
 * unpack it. */
void httpd_economize(const struct http_request *request, struct http_response *response,
                     struct buffer *spare);

/* httpd_loop.c. Listens, and starts the loop's thread and pool. */
MUST_USE enum status http_loop_start(struct httpd *httpd, const struct httpd_options *options,
                                     struct http_loop **loop, struct error *error);
int http_loop_max_connections(const struct http_loop *loop);
/* Answers what is there, for `patience_ms` at most, then closes all. NULL is ignored. */
void http_loop_stop(struct http_loop *loop, int patience_ms);

/* httpd_door.c. The door is made before the workers, opened when there is a server, closed before
 * that ends, and destroyed after the workers. */
MUST_USE enum status door_create(struct httpd *httpd, struct error *error);
MUST_USE enum status door_open(struct door *door, struct error *error);
void door_close(struct door *door);   /* nobody is hurried from then on */
void door_destroy(struct door *door); /* NULL is ignored */
void door_add_worker(struct worker *worker);
void door_remove_worker(struct worker *worker);
/* The worker took up a connection, and waits for its request; again: nothing happens. */
void door_enter(struct worker *worker, struct mg_connection *connection);
/* It has ended, and nobody else may touch it. Without one nothing happens. */
void door_leave(struct worker *worker);
/* The worker waits for a request, or begins to read a body, */
void door_wait(struct worker *worker);
/* of which so much is here, */
void door_arrived(struct worker *worker, size_t size);
/* and waits no longer. True: the reading was ended. */
bool door_done(struct worker *worker);

/* httpd_request.c; the worker is the civetweb thread that calls. */

/* NULL: no memory. */
struct worker *httpd_worker_create(struct httpd *httpd);
void httpd_worker_destroy(struct worker *worker); /* NULL is ignored */
/* civetweb has read a request's head. The status that was sent. */
int httpd_serve(struct mg_connection *connection);
/* What civetweb refuses by itself, before there is a request to serve; 0: it is answered. */
int httpd_refuse_nonsense(struct mg_connection *connection, int status, const char *message);

/* httpd_handshake.c */

/* The path's row when this request asks for a WebSocket there, else NULL. */
const struct http_socket_route *
httpd_find_socket(const struct httpd *httpd, struct mg_connection *connection, const char *path);
/* True when this path is a WebSocket's only: the response says so. */
bool httpd_wants_upgrade(const struct httpd *httpd, const char *path,
                         struct http_response *response);
/* Agrees to the handshake and hands the connection over: true, and it is no longer the worker's.
 * Else the response says why not. */
bool httpd_hand_over(struct httpd *httpd, struct mg_connection *connection,
                     const struct http_socket_route *route, struct http_response *response);

#endif
