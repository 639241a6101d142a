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
#include "engine/history/answer.h"
#include "engine/observe/snapshot.h"
#include "ui/access/access.h"

/* How many connections listen_score serves at once. */
#define WEB_SCORE_CONNECTIONS 4096

struct web_score_request {
    struct slice body;  /* one JSON object, or JSON lines for a batch */
    int max_reasons;    /* -1: all */
    bool reasons_asked; /* by ?reasons=: for approvals, too */
    struct trace trace;
};

/* A request that is answered later, by web_score_done. */
struct web_score_call {
    struct web_score_request request; /* its body lives until it is answered */
    struct buffer *out;               /* likewise; the answer's JSON or problem document */
    void *asker;                      /* whom to answer */
};

/* How it ended. */
struct web_score_end {
    int code;                  /* as `score` gives it */
    const struct error *error; /* for a code from 400 on whose body is empty; else may be NULL */
    bool recorded;             /* decided before: `recorded` gives the answer */
    uint64_t ledger_index;     /* of that */
};
typedef void web_score_done(void *asker, const struct web_score_end *end);

/* Scoring for a server with a loop. Runs on the loop's thread and never waits for the disk. */
struct web_gather {
    size_t max_calls; /* that `score` takes at once */
    /* Decides on all of them at once. `done` is called once for each, within this call or a later
     * one of `settle`. The calls themselves live only as long as this one. */
    void (*score)(void *context, const struct web_score_call *calls, size_t n,
                  web_score_done *done);
    /* When `fd` is readable and a few times a second: answers what is on the disk by now, and what
     * has waited too long. */
    void (*settle)(void *context);
    int fd; /* -1: nothing ever waits */
    /* 200 with the recorded answer, or 503. May wait: any thread. */
    int (*recorded)(void *context, uint64_t ledger_index, struct buffer *out, struct error *error);
};

/* Which of the service's log lines are asked for. */
struct web_log_query {
    const char *level;      /* and worse: "debug", "info", "warn", "error" */
    int64_t from_us, to_us; /* [from, to) */
    uint64_t after;         /* only lines of a larger seq */
    int limit;              /* the newest so many */
};

/* Questions to the history: 200, 400 when it is not understood, 503. */
struct web_history {
    void *context;
    int (*series)(void *context, const struct history_question *question, struct buffer *out,
                  struct error *error);
    int (*names)(void *context, struct buffer *out, struct error *error);
    int (*heatmap)(void *context, const struct history_question *question, struct buffer *out,
                   struct error *error);
};

/* Which decisions are asked for; NULL and NaN: any. */
struct web_decision_query {
    const char *event_id, *entity, *reason, *decision, *variant;
    double min_score, max_score;
    int64_t from_us, to_us; /* [from, to) */
    int64_t cursor;         /* ledger_index of the last one seen; -1: from the start */
    int limit;
    bool newest_first;
};

/* Which quarantined events, newest first. */
struct web_quarantine_query {
    const char *status; /* "open", "retried", "resolved", "all" */
    const char *reason, *field;
    int64_t from_us, to_us;
    uint64_t before; /* only smaller ids; 0: any */
    int limit;
};

enum web_alert_act { WEB_ACKNOWLEDGE, WEB_SILENCE };

/* The HTTP status for what a call came to. STATUS_INVALID is 422: what was sent is at fault; what
 * is not the caller's is 503. Any thread. */
int web_code(enum status status);

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
    struct web_gather gather; /* .score NULL: listen_score gets a thread for each connection */
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
    /* {"views":[{"name","title","panels":[{"title","expression","kind"}]}]}: those of one's own */
    int (*views)(void *context, struct buffer *out, struct error *error);
    /* {"folder","settings":[{"key","value","from","file","line",...}]}, no secrets in it */
    int (*settings)(void *context, struct buffer *out, struct error *error);
    /* {"lines":[{"seq","time","level","component","event","message"}],"newest"}, oldest first */
    int (*logs)(void *context, const struct web_log_query *query, struct buffer *out,
                struct error *error);
    /* What a service remembers of itself; these get `watch`. Times are microseconds, [from, to). */
    void *watch;
    int (*reload)(void *watch, const char *actor, const char *reason, struct buffer *out,
                  struct error *error);
    int (*quality)(void *watch, struct buffer *out, struct error *error);
    int (*explain)(void *watch, struct buffer *out, struct error *error);
    int (*changes)(void *watch, int64_t from_us, int64_t to_us, struct buffer *out,
                   struct error *error);
    /* Decisions against labels; gets `known`. `by`: NULL, variant, cohort or time. */
    void *known;
    int (*performance)(void *known, int64_t from_us, int64_t to_us, const char *by,
                       struct buffer *out, struct error *error);
    struct web_history history; /* .series NULL: not offered */
    /* Questions about what is recorded, and what people do about it; these get `inquiry`.
     * {"decisions":[...],"next_cursor"}, 400 for words that are none */
    void *inquiry;
    int (*decisions)(void *inquiry, const struct web_decision_query *query, struct buffer *out,
                     struct error *error);
    /* {"row","reasons","bias","rules","proof",...}: all that is known of one; 404 */
    int (*record)(void *inquiry, const char *event_id, struct buffer *out, struct error *error);
    /* {"quarantine":[...],"next_cursor"} */
    int (*quarantine)(void *inquiry, const struct web_quarantine_query *query, struct buffer *out,
                      struct error *error);
    /* {"ids":[...],"reason"}; 200 with {"retried","accepted","quarantined","answers"}, 404, 422 */
    int (*quarantine_retry)(void *inquiry, struct slice body, const char *actor, struct buffer *out,
                            struct error *error);
    /* {"alert","reason"} and for a silence "minutes"; 200 with {"alert","until"}, 404, 422 */
    int (*alert_act)(void *inquiry, enum web_alert_act act, struct slice body, const char *actor,
                     struct buffer *out, struct error *error);
    /* Prometheus text exposition */
    void (*metrics)(void *context, struct buffer *out);
    /* Whether decisions can be made; when not, why, one reason a line. NULL: the snapshot says. */
    bool (*ready)(void *context, char *reasons, size_t size);
};

struct web_options {
    const char *listen;       /* "127.0.0.1:8420": everything */
    const char *listen_score; /* scoring and health only, on a loop of its own; NULL: none */
    int workers;              /* of `listen`; 0: the default */
    int viewers;              /* live pages at once; 0: 256 */
    int api_rate;             /* requests a second of one address, scoring apart; 0: no limit */
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

/* The same routes without a server, for the screen of this very process: web_call() runs a handler
 * in the calling thread. Whoever is at the process's terminal needs no token. */
MUST_USE enum status web_open_inside(const struct web_backend *backend, struct web **web,
                                     struct error *error);
/* The HTTP status; the body goes to `reply`. Any thread. */
int web_call(struct web *web, const char *method, const char *target, struct slice body,
             struct buffer *reply);

int web_port(const struct web *web);
int web_score_port(const struct web *web);                        /* -1 without listen_score */
void web_stats(const struct web *web, struct httpd_stats *stats); /* of `listen` */
/* Of `listen_score`; false without it. */
bool web_score_stats(const struct web *web, struct httpd_stats *stats);

/* The OpenAPI 3.1 document of /api/openapi.json, from the same table as the routes. */
void web_openapi(struct buffer *out);

#endif
