/* A running service: engine, source, watch, alerts and the HTTP face, tied together. */
#ifndef BINNACLE_APP_SERVICE_H
#define BINNACLE_APP_SERVICE_H

#include "app/session.h"
#include "engine/observe/snapshot.h"

struct service;

struct service_options {
    struct session_options session;
    const char *listen;        /* NULL: as configured */
    const char *listen_score;  /* likewise */
    const char *input, *speed; /* a file to score on its own clock; NULL: the configured source */
    enum log_level log_level;
};

/* Serves until service_stop(). `options` is copied, its strings are borrowed until then. */
MUST_USE enum status service_start(const struct service_options *options, struct service **service,
                                   struct error *error);
/* Stops taking events, drains, commits. The thread that started it. NULL is ignored. */
void service_stop(struct service *service);

/* One tick: takes the picture, judges it, publishes it. About once a second, one thread. */
void service_tick(struct service *service);

/* Borrowed until service_stop(). Any thread. */
struct snapshot_board *service_board(struct service *service);
struct log *service_log(struct service *service);
/* The API's routes from inside, for this process's own screen: the HTTP status, the body in
 * `reply`. Any thread. */
int service_call(struct service *service, const char *method, const char *target, struct slice body,
                 struct buffer *reply);
/* Where a browser on this machine finds the page, e.g. "127.0.0.1:8420" also when it listens on all
 * addresses. Returns text, of size SERVICE_ADDRESS_SIZE. */
#define SERVICE_ADDRESS_SIZE 128
const char *service_address(const struct service *service, char *text);
const char *service_ledger(const struct service *service); /* NULL: none */

#endif
