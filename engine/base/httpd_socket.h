/* One open WebSocket on a non-blocking connection, and the frames it sends. Private to the server's
 * files. All functions belong to the thread that serves the sockets; see httpd_viewers.c. */
#ifndef BINNACLE_BASE_HTTPD_SOCKET_H
#define BINNACLE_BASE_HTTPD_SOCKET_H

#include <civetweb_detach.h>
#include <stdatomic.h>
#include <stdint.h>

#include "engine/base/httpd.h"
#include "engine/base/websocket.h"

/* Bytes on their way to one or many, built once. */
struct frame {
    int readers;
    uint64_t number; /* of a broadcast; 0: none */
    size_t size;
    unsigned char bytes[]; /* head and payload */
};

/* With one reader, the caller; NULL: no memory. */
struct frame *frame_create(enum websocket_opcode opcode, struct slice payload);
void frame_release(struct frame *frame); /* NULL is ignored */

/* What all sockets of one thread share. */
struct socket_host {
    void *context; /* for the routes' functions */
    atomic_int *n_open;
    atomic_ullong *frames_replaced;
    int epoll; /* events carry the socket */
    char *incoming;
    size_t incoming_size;
};

enum socket_phase {
    SOCKET_OPEN,
    SOCKET_FAREWELL, /* the close frame is the next and last thing sent */
    SOCKET_FINISHED, /* it is sent; the client ends the connection */
    SOCKET_GONE,     /* to be destroyed */
};

#define SOCKET_MAX_DIRECT 8

struct http_socket {
    struct http_socket *next, *previous; /* its owner's list */
    const struct socket_host *host;
    const struct http_socket_route *route;
    struct mg_detached link;
    struct websocket_reader reader;
    enum socket_phase phase;
    struct frame *direct[SOCKET_MAX_DIRECT]; /* oldest first */
    int n_direct;
    uint64_t seen;         /* the highest number of a frame taken for it */
    struct frame *latest;  /* the newest broadcast not begun yet */
    struct frame *control; /* a pong or the farewell: before all others */
    struct frame *sending; /* begun */
    size_t n_sent;         /* of `sending` */
    bool waits_for_room;   /* EPOLLOUT is asked for */
    int64_t blocked_ns;    /* since when nothing could be sent; 0: it could */
    int64_t sent_ns;       /* when something was, last */
    int64_t pinged_ns;     /* unanswered since; 0: none */
    int64_t deadline_ns;   /* from the farewell on */
    size_t n_early;        /* what the client had sent behind its handshake */
    char early[];
};

/* Takes the link, its early bytes by copy. NULL: no memory; the link is the caller's still. */
struct http_socket *socket_create(const struct socket_host *host,
                                  const struct http_socket_route *route,
                                  const struct mg_detached *link);
/* Closes the connection and counts n_open down. */
void socket_destroy(struct http_socket *socket);

/* Begins to serve it: on_open, then what came early. Like those that follow it may leave the socket
 * SOCKET_GONE, for its owner to destroy. */
void socket_welcome(struct http_socket *socket, int64_t now_ns);
/* epoll has something to say. */
void socket_serve(struct http_socket *socket, uint32_t events, int64_t now_ns);
/* A broadcast, unless it has seen that one; what was not begun yet gives way to it. */
void socket_offer(struct http_socket *socket, struct frame *frame, int64_t now_ns);
/* Sends a close frame with this code and ends. */
void socket_dismiss(struct http_socket *socket, int code, int64_t now_ns);
/* What only time tells: who stalls, is gone, or needs a ping. About once a second. */
void socket_look_at_clock(struct http_socket *socket, int64_t now_ns);

#endif
