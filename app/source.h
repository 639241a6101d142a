/* Where `run` takes events from besides HTTP: a thread that brings batches through a worker. */
#ifndef BINNACLE_APP_SOURCE_H
#define BINNACLE_APP_SOURCE_H

#include "app/session.h"

struct source;

struct source_options {
    struct session *session;
    const char *path;  /* file: what to read */
    const char *speed; /* file: "max" or a factor */
    /* file: told after each batch, on the source's thread, so that what depends on the events'
     * own time is judged while it goes by */
    void (*moved)(void *context);
    void *context;
};

/* Starts the source that the configuration names; *source stays NULL for "http". */
MUST_USE enum status source_start(const struct source_options *options, struct source **source,
                                  struct error *error);
/* How its connection stands, which other kinds of source leave as it is, and its queue. Any thread.
 * NULL is ignored. */
void source_fill(const struct source *source, struct snapshot *snapshot);
/* Ends after the batch in hand. NULL is ignored. */
void source_stop(struct source *source);

#endif
