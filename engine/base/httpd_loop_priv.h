/* Between the files of the server with a loop: the loop, its connections, its pool. */
#ifndef BINNACLE_BASE_HTTPD_LOOP_PRIV_H
#define BINNACLE_BASE_HTTPD_LOOP_PRIV_H

#include <http_parser.h>
#include <netinet/in.h>

#include "engine/base/httpd_priv.h"
#include "engine/base/thread.h"

#define LOOP_READ_BYTES  ((size_t)64 << 10)
#define LOOP_MAX_FIELDS  64
#define LOOP_MAX_BODIES  ((size_t)256 << 20) /* of all requests in the making together */
#define LOOP_KEEP_IDLE_S 75 /* how long a connection may be idle between two requests */

struct connection;
struct http_pool;

struct http_loop {
    struct httpd *httpd;
    struct httpd_loop_options options;
    struct thread *thread;
    struct http_pool *pool;
    int epoll, listener, wakeup;
    atomic_llong stop_by_ns; /* monotonic; 0: serving */

    /* The loop's thread only. */
    struct connection *connections; /* all that are open */
    int n_connections;
    struct connection *again; /* those with more to do without waiting */
    struct connection *dead;  /* closed in this cycle, freed at its end */
    struct http_exchange **gathered;
    size_t n_gathered;
    size_t body_bytes; /* of requests in the making */
    char *in;          /* LOOP_READ_BYTES: what one read brought */
    struct buffer out; /* one answer on its way */
    struct httpd_date date;
    int64_t now_ns;          /* of this cycle */
    int64_t accept_again_ns; /* no descriptor was left: no accepting before that */
};

enum phase {
    PHASE_READING,   /* a request, or idle before one */
    PHASE_WAITING,   /* for a handler's answer */
    PHASE_WRITING,   /* an answer that the peer has not taken whole */
    PHASE_LINGERING, /* all is said; what the peer still sends is dropped */
    PHASE_CLOSED,
};

struct field {
    size_t name, value; /* where in `head` */
};

struct connection {
    struct http_exchange exchange; /* first: an exchange is a connection's */
    struct http_loop *loop;
    struct connection *previous, *next; /* among all; `next` also among the dead */
    struct connection *next_again;
    bool is_again;
    int fd;
    enum phase phase;
    bool readable, ended; /* as far as is known: there may be input; there will be no more */
    bool fresh;           /* no request was answered yet */
    bool idle;            /* nothing of the next request has come */
    int64_t since_ns;     /* the request's first byte, idleness, or the last write that went on */
    char remote[INET6_ADDRSTRLEN];

    /* The request in the making: */
    http_parser parser;
    struct buffer head; /* target, names and values, each ended by a zero; then the path */
    size_t query;       /* where in `head` */
    struct field fields[LOOP_MAX_FIELDS];
    int n_fields;
    enum { PART_TARGET, PART_NAME, PART_VALUE } part;
    bool head_done, complete;
    bool settled; /* the answer is in the response already: a refusal */
    const struct http_route *route;
    struct buffer body;
    struct buffer rest; /* read, and belongs to the next request */

    /* Its answer: */
    bool keeps;       /* the client goes on with this connection */
    bool close_after; /* the request was not read to its end */
    struct buffer answer_body, answer_headers;
    struct buffer unsent;
    size_t sent;                                                /* of `unsent` */
    void (*run)(void *context, struct http_exchange *exchange); /* by the pool */
    struct connection *next_job;
};

/* httpd_connection.c: all on the loop's thread. */
/* NULL: no memory, and the descriptor is closed. */
struct connection *connection_open(struct http_loop *loop, int fd,
                                   const struct sockaddr_storage *peer);
void connection_close(struct connection *connection);
void connection_destroy(struct connection *connection); /* closed before; its memory */
void connection_event(struct connection *connection, uint32_t events);
/* Reads, handles and writes as far as it goes without waiting. */
void connection_run(struct connection *connection);
/* Ends what takes too long. */
void connection_look_at_clock(struct connection *connection);
/* Answers 503 instead of serving this new connection. */
void connection_turn_away(struct connection *connection);

/* httpd_parse.c: puts a request together out of loop->in[0..size). True: it is complete, or refused
 * and settled; what follows it is in `rest`. */
bool connection_parse(struct connection *connection, size_t size);
/* Makes the answer a problem document after which the connection is closed. */
void connection_settle(struct connection *connection, int status, const char *title,
                       const char *detail);
/* Ready for the next request. */
void connection_forget_request(struct connection *connection);

/* httpd_pool.c */
MUST_USE enum status http_pool_create(struct http_loop *loop, struct http_pool **pool,
                                      struct error *error);
/* Finishes what it has. NULL is ignored. */
void http_pool_destroy(struct http_pool *pool);
/* False: LOOP_MAX_JOBS wait already. */
bool http_pool_run(struct http_pool *pool, struct connection *connection);
/* Those whose answers are ready, linked by next_job. */
struct connection *http_pool_finished(struct http_pool *pool);

/* httpd_loop.c */
void http_loop_wake(struct http_loop *loop); /* any thread */
void http_loop_gather(struct http_loop *loop, struct connection *connection);
void http_loop_run_again(struct connection *connection); /* before the loop waits next */

#endif
