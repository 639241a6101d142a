/* Between the files of ui/web. */
#ifndef BINNACLE_WEB_WEB_PRIV_H
#define BINNACLE_WEB_WEB_PRIV_H

#include <stdatomic.h>

#include "engine/base/thread.h"
#include "ui/view/view.h"
#include "ui/web/web.h"

struct web {
    struct web_backend backend;
    const struct access *access;
    struct access *open_access; /* the policy without tokens, when none was given */
    struct httpd *httpd, *score_httpd;
    struct web_score_call *calls; /* gather.max_calls of them; the loop's */
    struct thread *live;
    struct lock picture_lock; /* of the two that follow */
    struct buffer picture;    /* the newest snapshot as JSON: made once for all who look */
    uint64_t picture_seq;
    struct buffer sent,
        delta; /* what the pages were sent last, and what changed since; of `live` */
    uint64_t sent_seq;
    atomic_bool stopping;
};

/* The route tables; their handlers get the struct web as context. */
extern const struct http_route web_routes[];
extern const struct http_route web_score_routes[]; /* of listen_score */
#define WEB_LIVE_PATH "/live"

/* answer.c: what the backend said, made into an answer. */
void web_finish(struct http_response *response, int code, const struct error *error);
void web_not_offered(struct http_response *response);
/* True when the caller may change state; its name goes to `answer`. */
bool web_is_allowed(const struct web *web, const struct http_request *request,
                    struct http_response *response, struct access_answer *answer);

/* range.c: ?from= and ?to=, ISO-8601 or milliseconds since 1970; INT64_MIN and INT64_MAX where they
 * are not given. False: the response says what is wrong. */
bool web_read_range(const struct http_request *request, struct http_response *response,
                    int64_t *from_us, int64_t *to_us);

/* watching.c */
void web_get_quality(void *context, const struct http_request *request,
                     struct http_response *response);
void web_post_reload(void *context, const struct http_request *request,
                     struct http_response *response);
void web_get_explain(void *context, const struct http_request *request,
                     struct http_response *response);
void web_get_performance(void *context, const struct http_request *request,
                         struct http_response *response);
void web_get_changes(void *context, const struct http_request *request,
                     struct http_response *response);

/* drift.c */
void web_get_drift(void *context, const struct http_request *request,
                   struct http_response *response);

/* history.c */
void web_get_history(void *context, const struct http_request *request,
                     struct http_response *response);
void web_get_history_series(void *context, const struct http_request *request,
                            struct http_response *response);
void web_get_heatmap(void *context, const struct http_request *request,
                     struct http_response *response);
/* inquiry.c */
void web_get_decisions(void *context, const struct http_request *request,
                       struct http_response *response);
void web_get_record(void *context, const struct http_request *request,
                    struct http_response *response);
void web_get_quarantine(void *context, const struct http_request *request,
                        struct http_response *response);
void web_post_retry(void *context, const struct http_request *request,
                    struct http_response *response);
void web_post_acknowledge(void *context, const struct http_request *request,
                          struct http_response *response);
void web_post_silence(void *context, const struct http_request *request,
                      struct http_response *response);

/* score.c: ?reasons=N or all; 3 when it is not given. False: the response says what is wrong. */
bool web_read_reasons(const struct http_request *request, struct http_response *response,
                      int *reasons, bool *asked);
void web_post_score(void *context, const struct http_request *request,
                    struct http_response *response);
void web_post_score_batch(void *context, const struct http_request *request,
                          struct http_response *response);
/* The same for requests to /v1/score that a loop has gathered. */
void web_gather_scores(void *context, struct http_exchange *const *exchanges, size_t n);
void web_settle_scores(void *context);

/* history.c: ?step= as a duration, 0 when it is not given. False: the response says what is wrong.
 */
bool web_read_step(const struct http_request *request, struct http_response *response,
                   int64_t *step_us);
/* panel.c: views of one's own. */
void web_get_views(void *context, const struct http_request *request,
                   struct http_response *response);
void web_get_panel(void *context, const struct http_request *request,
                   struct http_response *response);

/* self.c: what the service says of itself. */
void web_get_settings(void *context, const struct http_request *request,
                      struct http_response *response);
void web_get_logs(void *context, const struct http_request *request,
                  struct http_response *response);

/* Gives the newest snapshot's number and JSON, with the view's under "view", made once for all who
 * ask, to `take`; no longer than that call lasts, and under picture_lock. */
enum web_picture { WEB_PICTURE_TAKEN, WEB_PICTURE_NONE_YET, WEB_PICTURE_NO_MEMORY };
enum web_picture web_picture(struct web *web,
                             void (*take)(void *context, uint64_t seq, struct slice json),
                             void *context);

/* A query parameter that a route takes; the OpenAPI document's part of it. */
struct web_parameter {
    const char *path, *name, *description;
    const char *schema; /* JSON */
};
extern const struct web_parameter web_parameters[]; /* .path NULL ends it */
/* parameters.c: whether all that stands in the query of a request to /api/v1 is a parameter of that
 * path. False: the response names the one that is not, and the nearest that is. */
bool web_knows_parameters(void *context, const struct http_request *request,
                          struct http_response *response);

/* A shape of the API by name, from the files of schemas/. */
struct web_schema {
    const char *name;
    const char *json; /* JSON Schema 2020-12 */
};
extern const struct web_schema web_schemas[]; /* .name NULL ends it */

/* A file of ui/web/static as it was when this was built. Generated by embed.cmake. */
struct web_asset {
    const char *path; /* "/static/app.js" */
    const char *content_type;
    const char *etag; /* quoted; of the content */
    const unsigned char *data, *gzip;
    size_t size, gzip_size;
};
extern const struct web_asset web_assets[]; /* .path NULL ends it */
void web_serve_asset(void *context, const struct http_request *request,
                     struct http_response *response);

#endif
