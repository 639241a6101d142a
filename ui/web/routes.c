/* Every path that is served, in one table, and what its handler does with a request. The engine is
 * reached through the backend's functions only. Handlers run in the server's workers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/json.h"
#include "engine/observe/metrics.h"
#include "ui/web/web_priv.h"

#define EVENT_BYTES   ((size_t)64 << 10)
#define BATCH_BYTES   ((size_t)16 << 20)
#define EVENT_ID_SIZE 1024

/* ---- labels ---- */

static void post_labels(void *context, const struct http_request *request,
                        struct http_response *response)
{
    struct web *web = context;
    struct access_answer who;
    struct error error = {0};
    if (!web_is_allowed(web, request, response, &who))
        return;
    if (!web->backend.labels) {
        web_not_offered(response);
        return;
    }
    int code = web->backend.labels(web->backend.context, request->body, response->body, &error);
    web_finish(response, code, &error);
}

/* ---- watching ---- */

static void append_picture(void *context, uint64_t seq, struct slice json)
{
    (void)seq;
    buffer_append_slice(context, json);
}

static void get_snapshot(void *context, const struct http_request *request,
                         struct http_response *response)
{
    (void)request;
    switch (web_picture(context, append_picture, response->body)) {
    case WEB_PICTURE_TAKEN:
        break;
    case WEB_PICTURE_NONE_YET:
        buffer_append_text(response->headers, "Retry-After: 1\r\n");
        http_problem(response, 503, "Unavailable", "the first snapshot comes within a second");
        break;
    case WEB_PICTURE_NO_MEMORY:
        http_problem(response, 500, "Internal error", "out of memory");
        break;
    }
}

static void get_health(void *context, const struct http_request *request,
                       struct http_response *response)
{
    (void)context;
    (void)request;
    buffer_append_text(response->body, "{\"status\":\"ok\",\"version\":\"" BINNACLE_VERSION "\"}");
}

static bool is_ready(struct web *web, char *reasons, size_t size)
{
    reasons[0] = '\0';
    if (web->backend.ready)
        return web->backend.ready(web->backend.context, reasons, size);
    const struct snapshot *snapshot = snapshot_acquire(web->backend.board);
    bool ready = snapshot && snapshot->ready;
    snprintf(reasons, size, "%s", snapshot ? snapshot->not_ready : "starting");
    if (snapshot)
        snapshot_release(snapshot);
    return ready;
}

static void get_ready(void *context, const struct http_request *request,
                      struct http_response *response)
{
    (void)request;
    char reasons[1024];
    struct json_writer json;
    json_begin(&json, response->body);
    json_object(&json, NULL);
    if (is_ready(context, reasons, sizeof reasons)) {
        json_bool(&json, "ready", true);
        json_object_end(&json);
        return;
    }
    response->status = 503;
    response->content_type = "application/problem+json";
    buffer_append_text(response->headers, "Retry-After: 1\r\n");
    json_text(&json, "type", "about:blank");
    json_text(&json, "title", "Not ready");
    json_int(&json, "status", 503);
    json_bool(&json, "ready", false);
    json_array(&json, "reasons");
    for (char *state = NULL, *line = strtok_r(reasons, "\n", &state); line;
         line = strtok_r(NULL, "\n", &state))
        json_text(&json, NULL, line);
    json_array_end(&json);
    json_object_end(&json);
}

static void get_metrics(void *context, const struct http_request *request,
                        struct http_response *response)
{
    (void)request;
    struct web *web = context;
    if (!web->backend.metrics) {
        web_not_offered(response);
        return;
    }
    response->content_type = METRICS_CONTENT_TYPE;
    web->backend.metrics(web->backend.context, response->body);
}

static void get_openapi(void *context, const struct http_request *request,
                        struct http_response *response)
{
    (void)context;
    (void)request;
    web_openapi(response->body);
}

/* ---- a recorded decision ---- */

/* It shows what one person did: asked for as much as scoring is. */
static void get_decision(void *context, const struct http_request *request,
                         struct http_response *response)
{
    struct web *web = context;
    struct access_answer who;
    char event_id[EVENT_ID_SIZE];
    int n_reasons;
    bool asked;
    if (!web_is_allowed(web, request, response, &who))
        return;
    if (!web->backend.decision) {
        web_not_offered(response);
        return;
    }
    if (!http_query(request, "event_id", event_id, sizeof event_id)) {
        http_problem(response, 400, "Not understood", "event_id is needed");
        return;
    }
    if (!web_read_reasons(request, response, &n_reasons, &asked))
        return;
    struct error error = {0};
    int code =
        web->backend.decision(web->backend.context, event_id, n_reasons, response->body, &error);
    web_finish(response, code, &error);
}

/* ---- the traffic split ---- */

static void get_traffic(void *context, const struct http_request *request,
                        struct http_response *response)
{
    (void)request;
    struct web *web = context;
    struct error error = {0};
    if (!web->backend.traffic_get) {
        web_not_offered(response);
        return;
    }
    int code = web->backend.traffic_get(web->backend.context, response->body, &error);
    web_finish(response, code, &error);
}

static void put_traffic(void *context, const struct http_request *request,
                        struct http_response *response)
{
    struct web *web = context;
    struct access_answer who;
    struct error error = {0};
    if (!web_is_allowed(web, request, response, &who))
        return;
    if (!web->backend.traffic_set) {
        web_not_offered(response);
        return;
    }
    int code = web->backend.traffic_set(web->backend.context, request->body, who.actor,
                                        response->body, &error);
    web_finish(response, code, &error);
}

/* ---- the tables ---- */

/* clang-format off */
#define SCORE_ROUTES \
    {.method = "POST", .path = "/v1/score", .handle = web_post_score, .pace = HTTP_GATHERED, \
     .changes_state = true, .max_body = EVENT_BYTES, .summary = "Decide on one event", \
     .detail = "The same event_id with the same content gets the recorded answer again, with " \
               "duplicate set; with other content 409. An event that breaks the contract is kept " \
               "in quarantine and gets 422. traceparent (W3C) is honoured and returned.", \
     .request_schema = "Event", .response_schema = "Decision"}, \
    {.method = "POST", .path = "/v1/score/batch", .handle = web_post_score_batch, \
     .pace = HTTP_SLOW, .changes_state = true, .max_body = BATCH_BYTES, .summary = "Decide on many events", \
     .detail = "JSON lines in; out comes one line for each, in order, of the shapes that " \
               "/v1/score gives. An empty line gets a line that says so; a newline at the end is no " \
               "line.", \
     .request_schema = "EventLines", .response_schema = "DecisionLines"}, \
    {.method = "POST", .path = "/v1/labels", .handle = post_labels, .pace = HTTP_SLOW, \
     .changes_state = true, .max_body = BATCH_BYTES, .summary = "Tell the truth about earlier events", \
     .detail = "One object, or JSON lines; observed_at is now when left out. It must not lie in the " \
               "future, by the rule that holds for the events' own time: max_future of the " \
               "contract's time field, or in event time max_step after the newest event.", \
     .request_schema = "Label", .response_schema = "LabelsTaken"}

#define HEALTH_ROUTES \
    {.method = "GET", .path = "/healthz", .handle = get_health, \
     .summary = "The process lives", .response_schema = "Health"}, \
    {.method = "GET", .path = "/health", .handle = get_health, \
     .summary = "The same as /healthz", .response_schema = "Health"}, \
    {.method = "GET", .path = "/readyz", .handle = get_ready, \
     .summary = "Decisions can be made", \
     .detail = "503 with the reasons until it can decide.", .response_schema = "Ready"}

/* What screens and collectors ask closes its connection: those of many open pages, kept while idle,
 * would be the workers that scoring needs. */
const struct http_route web_routes[] = {
    SCORE_ROUTES,
    {.method = "GET", .path = "/api/v1/snapshot", .handle = get_snapshot, .closes = true,
     .summary = "The live picture, one a second",
     .detail = "Also the first message of the WebSocket " WEB_LIVE_PATH ", which then tells what "
               "changed. null means no data. " WEB_LIVE_PATH " holds `viewers` (256) sockets; a "
               "further one gets 503 with Retry-After and may poll here. A client that falls "
               "behind asks for the newest picture, and never gets the ones it missed.",
     .response_schema = "Snapshot"},
    {.method = "GET", .path = "/api/v1/decision", .handle = get_decision, .closes = true,
     .needs = "event_id",
     .summary = "A recorded decision and its reasons",
     .detail = "The answer as it was recorded, with reasons computed from the recorded features by "
               "the model that decided: the same bytes that ?reasons= would have given at the "
               "time, for approvals, too. 409 when that model, or one with other features, is not "
               "what is loaded. A token is needed where there are tokens.",
     .response_schema = "Decision"},
    {.method = "GET", .path = "/api/v1/traffic", .handle = get_traffic, .closes = true,
     .summary = "Which model gets which share", .response_schema = "Traffic"},
    {.method = "PUT", .path = "/api/v1/traffic", .handle = put_traffic, .closes = true, .changes_state = true,
     .max_body = EVENT_BYTES, .summary = "Set the shares",
     .detail = "Effective within a second and written to the record with the caller's name. "
               "The shares of champion and canary add up to 100; a shadow's is the part of the "
               "traffic it sees.",
     .request_schema = "Traffic", .response_schema = "Traffic"},
    {.method = "POST", .path = "/api/v1/traffic", .handle = put_traffic, .closes = true, .changes_state = true,
     .max_body = EVENT_BYTES, .summary = "Set the shares: the same as PUT",
     .request_schema = "Traffic", .response_schema = "Traffic"},
    {.method = "GET", .path = "/api/v1/decisions", .handle = web_get_decisions, .closes = true,
     .summary = "Recorded decisions by what they are about",
     .detail = "As binnacle query gives them, oldest first unless asked otherwise. next_cursor is "
               "where the next page begins, null at the end. An entity is looked for as it is and "
               "under its pseudonym. A token is needed where there are tokens.",
     .response_schema = "Decisions"},
    {.method = "GET", .path = "/api/v1/decision/record", .handle = web_get_record, .closes = true,
     .summary = "All that is known of one decision",
     .detail = "The row; the exact contributions of all features by the model that decided, with "
               "the bias that they add to (null, with the problem, when that model is not loaded); "
               "the rules in their order up to the one that fired (null when they have changed "
               "since); and the proof that the row is in the ledger, as binnacle ledger prove gives "
               "it. A token is needed where there are tokens.",
     .response_schema = "Record"},
    {.method = "GET", .path = "/api/v1/quarantine", .handle = web_get_quarantine, .closes = true,
     .summary = "Events that broke the contract, newest first",
     .detail = "Without their bytes. A token is needed where there are tokens.",
     .response_schema = "Quarantine"},
    {.method = "POST", .path = "/api/v1/quarantine/retry", .handle = web_post_retry, .closes = true,
     .changes_state = true, .max_body = EVENT_BYTES, .summary = "Try quarantined events again",
     .detail = "They go through the contract as they came. What passes is decided and recorded, "
               "what does not is quarantined anew. Written to the record with the caller's name "
               "and reason.", .request_schema = "Retry", .response_schema = "Retried"},
    {.method = "POST", .path = "/api/v1/alerts/acknowledge", .handle = web_post_acknowledge, .closes = true,
     .changes_state = true, .max_body = EVENT_BYTES, .summary = "Take a firing alert in hand",
     .detail = "Everybody sees who has it until it is over. Written to the record.",
     .request_schema = "AlertAct", .response_schema = "AlertActed"},
    {.method = "POST", .path = "/api/v1/alerts/silence", .handle = web_post_silence, .closes = true,
     .changes_state = true, .max_body = EVENT_BYTES, .summary = "Tell nobody of an alert for some minutes",
     .detail = "It is judged and shown all the while; if it still fires at the end, that is told. "
               "Written to the record.", .request_schema = "Silence", .response_schema = "AlertActed"},
    {.method = "GET", .path = "/api/v1/views", .handle = web_get_views, .closes = true,
     .summary = "Views of one's own: the `views` of binnacle.yaml", .response_schema = "Views"},
    {.method = "GET", .path = "/api/v1/panel", .handle = web_get_panel, .closes = true,
     .summary = "An expression over the history, point by point",
     .detail = "Names are those of /api/v1/history/series, the rest is the expression language: "
               "100 * decline / accepted. null where a part is null.",
     .response_schema = "History"},
    {.method = "GET", .path = "/api/v1/settings", .handle = web_get_settings, .closes = true,
     .summary = "The configuration in effect, each value with the file and line it came from",
     .detail = "Keys that nobody set are there with their defaults. Secrets are null; addresses "
               "are without passwords.", .response_schema = "Settings"},
    {.method = "GET", .path = "/api/v1/logs", .handle = web_get_logs, .closes = true,
     .summary = "The newest lines of the service's log",
     .detail = "Oldest first, of the last 1024 lines that were written; a gap in seq is lines that "
               "did not pass the filter.", .response_schema = "Logs"},
    {.method = "POST", .path = "/api/v1/reload", .handle = web_post_reload, .closes = true,
     .changes_state = true, .max_body = EVENT_BYTES, .summary = "Read the rules file again",
     .detail = "What is decided from now on is decided by it; the record and the list of changes say "
               "who had it read, and why. A file that is wrong is refused with 422, line and column, and the "
               "rules stay as they are. Other files are read at a start.",
     .request_schema = "Reload", .response_schema = "Reloaded"},
    {.method = "GET", .path = "/api/v1/quality", .handle = web_get_quality, .closes = true,
     .summary = "Whether the data is sound",
     .detail = "Each field of the last five minutes against the ten before: what is missing and "
               "wrong, how its values are spread, how many differ; the age of events, duplicates, "
               "expectations, and key series against the same hour of other weeks. null means no "
               "data, and no data is never ok.",
     .response_schema = "Quality"},
    {.method = "GET", .path = "/api/v1/explain", .handle = web_get_explain, .closes = true,
     .summary = "What is wrong now, why, and what to do",
     .detail = "Concluded from the counts of the last quarter of an hour by slice and from the list "
               "of changes. Causes stand best first; where nothing is wrong, or nothing is known "
               "yet, there is one, none, whose evidence says which.",
     .response_schema = "Explanation"},
    {.method = "GET", .path = "/api/v1/drift", .handle = web_get_drift, .closes = true,
     .summary = "What has moved since training, feature by feature",
     .detail = "With `feature`: that one opened, with its bins; else all that are watched, and the "
               "verdict on the data set. Counted over the monitor's window. Every method comes with "
               "what chance alone gives at these numbers of events; state follows psi, once its "
               "p-value, adjusted for the number of features, and its threshold agree, and a share "
               "of missing values that has risen.", .response_schema = "Drift"},
    {.method = "GET", .path = "/api/v1/changes", .handle = web_get_changes, .closes = true,
     .summary = "What was changed, by whom and when",
     .detail = "Starts and stops, splits, labels posted, alerts that fired and were over, and what "
               "of configuration, contract, features, rules and models was different at a start. "
               "The newest 1,000 of the range, oldest first; the list keeps 20,000, across "
               "restarts.", .response_schema = "Changes"},
    {.method = "GET", .path = "/api/v1/performance", .handle = web_get_performance, .closes = true,
     .pace = HTTP_SLOW, .summary = "How good the decisions were whose truth is known by now",
     .detail = "Labels are joined with their decision once, whenever they arrive; a corrected label "
               "takes the place of the one before. Figures have 95 % confidence intervals (ci; "
               "ci_method says how). Estimates are made before the truth is known (CBPE), shown "
               "beside it once it is there, with how far they were off (track_record). null is no "
               "data.", .response_schema = "Performance"},
    {.method = "GET", .path = "/api/v1/history", .handle = web_get_history, .closes = true,
     .summary = "What happened over time",
     .detail = "One line for each series and each combination of the labels in `by`, a point for "
               "each step, the events counted at their own time. null is no data: the service was "
               "not counting, or there was nothing to take a share of. Steps of seconds reach back "
               "five minutes; scores and features by labels are kept by half an hour.",
     .response_schema = "History"},
    {.method = "GET", .path = "/api/v1/history/series", .handle = web_get_history_series,
     .closes = true, .summary = "Which series and labels there are",
     .response_schema = "HistorySeries"},
    {.method = "GET", .path = "/api/v1/heatmap", .handle = web_get_heatmap, .closes = true,
     .summary = "How latencies, scores or a feature were distributed over time",
     .detail = "The first count of a cell lies below the first edge, the last above the last; with "
               "`missing` one more counts missing values. An edge of a feature belongs to the bin "
               "below it, other edges to the one above.",
     .response_schema = "Heatmap"},
    HEALTH_ROUTES,
    {.method = "GET", .path = "/metrics", .handle = get_metrics, .closes = true,
     .summary = "Metrics in the Prometheus text format", .response_schema = "Metrics"},
    {.method = "GET", .path = "/api/openapi.json", .handle = get_openapi, .closes = true,
     .summary = "This document", .response_schema = "OpenApi"},
    {.method = "GET", .path = "/", .handle = web_serve_asset, .closes = true},
    {.method = "GET", .path = "/static/*", .handle = web_serve_asset, .closes = true},
    {.method = NULL},
};

const struct http_route web_score_routes[] = {
    SCORE_ROUTES,
    HEALTH_ROUTES,
    {.method = NULL},
};
/* clang-format on */
