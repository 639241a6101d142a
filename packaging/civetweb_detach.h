/* What packaging/civetweb adds to civetweb: a connection can leave its worker. The socket, and its
 * TLS state, belong to the caller from then on, and the worker serves the next connection. */
#ifndef CIVETWEB_DETACH_H
#define CIVETWEB_DETACH_H

#include <stddef.h>

struct mg_connection;

struct mg_detached {
    int fd;    /* non-blocking */
    void *tls; /* NULL: plain */
    /* What the client had sent behind its request; valid until the request's callback returns. */
    const char *early;
    size_t early_size;
};

/* From within begin_request, after the answer has been written: the callback then returns the
 * answer's status, and civetweb neither reads from the socket again nor closes it. */
void mg_detach(struct mg_connection *connection, struct mg_detached *detached);
/* Bytes moved; 0: not now; -1: the connection has ended. One thread at a time. */
long mg_detached_read(const struct mg_detached *detached, void *data, size_t size);
long mg_detached_write(const struct mg_detached *detached, const void *data, size_t size);
/* No more is sent; what has been is delivered. */
void mg_detached_finish(const struct mg_detached *detached);
void mg_detached_close(struct mg_detached *detached);

#endif
