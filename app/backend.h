/* What the HTTP routes call: scoring, labels and the split, on a running engine. */
#ifndef BINNACLE_APP_BACKEND_H
#define BINNACLE_APP_BACKEND_H

#include "app/settings.h"
#include "engine/base/log.h"
#include "engine/engine.h"
#include "ui/web/web.h"

struct backend;
struct worker_options;

/* What a service can tell of itself; all borrowed until the backend's end. */
struct backend_about {
    const struct config *config;
    struct log *log;
    struct settings_given given[5]; /* ends with a NULL key */
};

/* `max_workers` requests are scored at once; more wait for their turn. `options` is copied: how
 * reasons are given where a request does not say. */
MUST_USE enum status backend_create(struct engine *engine, struct snapshot_board *board,
                                    int max_workers, const struct worker_options *options,
                                    struct backend **backend, struct error *error);
/* Where splits and labels are listed; borrowed. Before any request comes. */
struct changes;
void backend_list_changes(struct backend *backend, struct changes *changes);
/* Lists the split and the champion where they are not as they were when last compared, before a
 * restart too. `reason` may be NULL. Any thread. */
void backend_compare_split(struct engine *engine, struct changes *changes, const char *actor,
                           const char *reason);
void backend_destroy(struct backend *backend); /* no request is running; NULL is ignored */
/* What `settings` and `logs` of the table answer from; before backend_table(), else they are not
 * offered. Copied. */
void backend_tell(struct backend *backend, const struct backend_about *about);
/* The table for web_start(); its context is the backend. */
void backend_table(struct backend *backend, struct web_backend *table);

#endif
