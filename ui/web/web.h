/* The HTTP face of binnacle: API, metrics, live pictures and the page. It knows the engine only
 * through the table of functions below, which the app fills in. */
#ifndef BINNACLE_WEB_WEB_H
#define BINNACLE_WEB_WEB_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/buffer.h"
#include "engine/base/httpd.h"
#include "engine/base/slice.h"
#include "engine/base/status.h"
#include "engine/base/trace.h"
#include "engine/observe/snapshot.h"
#include "ui/access/access.h"

struct web_score_request {
    struct slice body;  /* one JSON object, or JSON lines for a batch */
    int max_reasons;    /* -1: all */
    bool reasons_asked; /* by ?reasons=: for approvals, too */
    struct trace trace;
};

/* What the app offers. Every function may be called from several threads at once.
 *
 * Those that return int give the HTTP status and append the body: the answer's JSON for 200, or for
 * 400 and above a whole problem document (`{"title","status",...}`). A body left empty there is
 * made from *error. 503 gets Retry-After. A NULL function makes its routes answer 501. */
struct web_backend {
    void *context;
    struct snapshot_board *board; /* the live picture; must not be NULL */

    /* 200, 409 (same id, other content), 422 (contract broken, with errors and quarantine_id), 503
     */
    int (*score)(void *context, const struct web_score_request *request, struct buffer *out,
                 struct error *error);
    /* 200 with one line of the same shapes for each line, in order; 503 before any was taken */
    int (*score_batch)(void *context, const struct web_score_request *request, struct buffer *out,
                       struct error *error);
    /* The recorded answer to an event with its `max_reasons` largest reasons (-1: all), computed
     * from the record: 200, 404, 409 (another model or other features than at the time), 501 */
    int (*decision)(void *context, const char *event_id, int max_reasons, struct buffer *out,
                    struct error *error);
    /* One object or JSON lines of {"event_id","label","observed_at"}; 200 with {"accepted":n} */
    int (*labels)(void *context, struct slice body, struct buffer *out, struct error *error);
    /* {"traffic":[{"variant","model","version","share"}]}, share in percent; set takes the same */
    int (*traffic_get)(void *context, struct buffer *out, struct error *error);
    int (*traffic_set)(void *context, struct slice body, const char *actor, struct buffer *out,
                       struct error *error);
    /* Prometheus text exposition */
    void (*metrics)(void *context, struct buffer *out);
    /* Whether decisions can be made; when not, why, one reason a line. NULL: the snapshot says. */
    bool (*ready)(void *context, char *reasons, size_t size);
};

struct web_options {
    const char *listen;       /* "127.0.0.1:8420": everything */
    const char *listen_score; /* scoring and health only, with workers of its own; NULL: none */
    int workers;              /* of each; 0: the default */
    int viewers;              /* live pages at once; 0: 256 */
    const char *const *allowed_hosts; /* as in httpd_options */
    const char *tls_certificate;      /* likewise */
    const struct access *access;      /* NULL: no tokens */
};

struct web;
/* Serves until web_stop(). Strings, access and backend are borrowed until then; the table itself is
 * copied. A thread of its own watches the board and pushes each new snapshot to /live. */
MUST_USE enum status web_start(const struct web_options *options, const struct web_backend *backend,
                               struct web **web, struct error *error);
void web_stop(struct web *web); /* NULL is ignored */

int web_port(const struct web *web);
int web_score_port(const struct web *web);                        /* -1 without listen_score */
void web_stats(const struct web *web, struct httpd_stats *stats); /* of `listen` */
/* Of `listen_score`; false without it. */
bool web_score_stats(const struct web *web, struct httpd_stats *stats);

/* The OpenAPI 3.1 document of /api/openapi.json, from the same table as the routes. */
void web_openapi(struct buffer *out);

#endif
