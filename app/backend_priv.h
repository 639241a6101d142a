/* What the files of the backend share. All functions: any thread; they return codes of HTTP. */
#ifndef BINNACLE_APP_BACKEND_PRIV_H
#define BINNACLE_APP_BACKEND_PRIV_H

#include "app/backend.h"
#include "engine/base/thread.h"
#include "engine/pipeline.h"

struct backend {
    struct engine *engine;
    struct snapshot_board *board;
    struct worker_options options;
    struct lock lock;  /* the pool */
    struct lock split; /* who changes it is the one it is listed under */
    pthread_cond_t returned;
    struct worker **idle;
    int n_idle, n_made, n_most;
    struct gather *gather; /* the loop's */
    struct backend_about about;
    struct changes *changes;
};

/* A worker of the pool, made if there are not enough yet; waits while all that may be are lent.
 * NULL: it could not be made. Give it back. */
struct worker *backend_borrow(struct backend *backend, struct error *error);
void backend_return(struct backend *backend, struct worker *worker);

/* Rows of the table of web_backend, which says what they do; `context` is the backend. */
int backend_score_batch(void *context, const struct web_score_request *request, struct buffer *out,
                        struct error *error);
int backend_labels(void *context, struct slice body, struct buffer *out, struct error *error);
int backend_traffic_get(void *context, struct buffer *out, struct error *error);
int backend_traffic_set(void *context, struct slice body, const char *actor, struct buffer *out,
                        struct error *error);
int backend_settings(void *context, struct buffer *out, struct error *error);
int backend_views(void *context, struct buffer *out, struct error *error);
int backend_logs(void *context, const struct web_log_query *query, struct buffer *out,
                 struct error *error);

#endif
