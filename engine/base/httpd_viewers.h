/* The open WebSockets of a server: one thread for all of them. Private to the server's files. */
#ifndef BINNACLE_BASE_HTTPD_VIEWERS_H
#define BINNACLE_BASE_HTTPD_VIEWERS_H

#include <civetweb_detach.h>
#include <stdatomic.h>

#include "engine/base/httpd.h"

struct viewers_options {
    const struct http_socket_route *routes; /* borrowed; .path NULL ends them */
    void *context;                          /* for the routes' functions */
    atomic_int *n_open;                     /* one less for each socket that ended */
    atomic_ullong *frames_replaced;
};

struct viewers;
/* Starts the thread. */
MUST_USE enum status viewers_create(const struct viewers_options *options, struct viewers **viewers,
                                    struct error *error);
/* Says goodbye to all and ends the thread. What is adopted after this is closed by destroy. */
void viewers_stop(struct viewers *viewers);
void viewers_destroy(struct viewers *viewers); /* after viewers_stop(); NULL is ignored */

/* A connection whose handshake for the route was answered; takes it, early
 * bytes by copy. Without memory it is closed and n_open counted down. Any thread. */
void viewers_adopt(struct viewers *viewers, const struct http_socket_route *route,
                   const struct mg_detached *link);
/* To every socket of the path, as httpd_broadcast(). Any thread. */
void viewers_broadcast(struct viewers *viewers, const char *path, uint64_t number,
                       struct slice text);

#endif
