/* What packaging/civetweb adds to civetweb: a connection can leave its worker, and another thread
 * can end a worker's waiting for what its connection sends. */
#ifndef CIVETWEB_DETACH_H
#define CIVETWEB_DETACH_H

#include <stddef.h>

struct mg_connection;
struct mg_context;

struct mg_detached {
    int fd;    /* non-blocking */
    void *tls; /* NULL: plain */
    /* What the client had sent behind its request; valid until the request's callback returns. */
    const char *early;
    size_t early_size;
};

/* Accepted connections that no worker has taken up. Any thread. */
int mg_count_waiting(struct mg_context *context);
/* Whoever reads from this connection finds its end, now or when what is there already has been
 * read; what is written still arrives. Any thread, while the worker serves the connection: after
 * init_connection (or the start of its TLS handshake) and before connection_close. */
void mg_hang_up(struct mg_connection *connection);

/* A detached connection's socket, and its TLS state, belong to the caller, and the worker serves
 * the next connection. From within begin_request, after the answer has been written: the callback
 * then returns the answer's status, and civetweb neither reads from the socket again nor closes it.
 */
void mg_detach(struct mg_connection *connection, struct mg_detached *detached);
/* Bytes moved; 0: not now; -1: the connection has ended. One thread at a time. */
long mg_detached_read(const struct mg_detached *detached, void *data, size_t size);
long mg_detached_write(const struct mg_detached *detached, const void *data, size_t size);
/* No more is sent; what has been is delivered. */
void mg_detached_finish(const struct mg_detached *detached);
void mg_detached_close(struct mg_detached *detached);

#endif
