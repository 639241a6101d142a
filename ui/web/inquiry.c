/* Questions about the record, and what people do about what they see: out of the query or the body,
 * to the backend. Both show or change what one person did, and are asked for as much as scoring is.
 * Handlers run in the server's workers. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ui/web/web_priv.h"

#define TEXT_SIZE  16384 /* no request is longer: nothing is cut */
#define MOST_ROWS  200
#define SOME_ROWS  50
#define LARGEST_ID 9000000000000000

static bool may(struct web *web, bool offered, const struct http_request *request,
                struct http_response *response, struct access_answer *who)
{
    if (!web_is_allowed(web, request, response, who))
        return false;
    if (!offered)
        web_not_offered(response);
    return offered;
}

/* ---- reading the query ---- */

/* NULL when it is not given. */
static const char *text_of(const struct http_request *request, const char *name,
                           char out[TEXT_SIZE])
{
    return http_query(request, name, out, TEXT_SIZE) && out[0] ? out : NULL;
}

static bool read_whole(const struct http_request *request, struct http_response *response,
                       const char *name, int64_t least, int64_t most, int64_t *number)
{
    char text[32], *end = text;
    if (!http_query(request, name, text, sizeof text) || text[0] == '\0')
        return true;
    long long value = strtoll(text, &end, 10);
    if (*end == '\0' && value >= least && value <= most) {
        *number = value;
        return true;
    }
    http_problem(response, 400, "Not understood", "%s: a number from %lld to %lld is needed", name,
                 (long long)least, (long long)most);
    return false;
}

static bool read_score(const struct http_request *request, struct http_response *response,
                       const char *name, double *score)
{
    char text[32], *end = text;
    *score = (double)NAN;
    if (!http_query(request, name, text, sizeof text) || text[0] == '\0')
        return true;
    *score = strtod(text, &end);
    if (*end == '\0' && isfinite(*score))
        return true;
    http_problem(response, 400, "Not understood", "%s: a number is needed", name);
    return false;
}

static bool read_order(const struct http_request *request, struct http_response *response,
                       bool *newest_first)
{
    char text[16];
    *newest_first = false;
    if (!http_query(request, "order", text, sizeof text) || strcmp(text, "oldest") == 0 || !text[0])
        return true;
    *newest_first = strcmp(text, "newest") == 0;
    if (!*newest_first)
        http_problem(response, 400, "Not understood", "order is oldest or newest");
    return *newest_first;
}

static bool read_limit(const struct http_request *request, struct http_response *response,
                       int *limit)
{
    int64_t rows = SOME_ROWS;
    if (!read_whole(request, response, "limit", 1, MOST_ROWS, &rows))
        return false;
    *limit = (int)rows;
    return true;
}

/* ---- asking ---- */

void web_get_decisions(void *context, const struct http_request *request,
                       struct http_response *response)
{
    struct web *web = context;
    struct access_answer who;
    struct error error = {0};
    char event_id[TEXT_SIZE], entity[TEXT_SIZE], reason[TEXT_SIZE], decision[TEXT_SIZE],
        variant[TEXT_SIZE];
    struct web_decision_query query = {.cursor = -1,
                                       .event_id = text_of(request, "event_id", event_id),
                                       .entity = text_of(request, "entity", entity),
                                       .reason = text_of(request, "reason", reason),
                                       .decision = text_of(request, "decision", decision),
                                       .variant = text_of(request, "variant", variant)};
    if (!may(web, web->backend.decisions != NULL, request, response, &who) ||
        !web_read_range(request, response, &query.from_us, &query.to_us) ||
        !read_score(request, response, "min_score", &query.min_score) ||
        !read_score(request, response, "max_score", &query.max_score) ||
        !read_order(request, response, &query.newest_first) ||
        !read_limit(request, response, &query.limit) ||
        !read_whole(request, response, "cursor", 0, LARGEST_ID, &query.cursor))
        return;
    int code = web->backend.decisions(web->backend.inquiry, &query, response->body, &error);
    web_finish(response, code, &error);
}

void web_get_record(void *context, const struct http_request *request,
                    struct http_response *response)
{
    struct web *web = context;
    struct access_answer who;
    struct error error = {0};
    char event_id[TEXT_SIZE];
    if (!may(web, web->backend.record != NULL, request, response, &who))
        return;
    if (!text_of(request, "event_id", event_id)) {
        http_problem(response, 400, "Not understood", "event_id is needed");
        return;
    }
    int code = web->backend.record(web->backend.inquiry, event_id, response->body, &error);
    web_finish(response, code, &error);
}

void web_get_quarantine(void *context, const struct http_request *request,
                        struct http_response *response)
{
    struct web *web = context;
    struct access_answer who;
    struct error error = {0};
    char status[TEXT_SIZE], reason[TEXT_SIZE], field[TEXT_SIZE];
    int64_t before = 0;
    struct web_quarantine_query query = {.status = text_of(request, "status", status),
                                         .reason = text_of(request, "reason", reason),
                                         .field = text_of(request, "field", field)};
    if (!may(web, web->backend.quarantine != NULL, request, response, &who) ||
        !web_read_range(request, response, &query.from_us, &query.to_us) ||
        !read_limit(request, response, &query.limit) ||
        !read_whole(request, response, "cursor", 0, LARGEST_ID, &before))
        return;
    query.before = (uint64_t)before;
    int code = web->backend.quarantine(web->backend.inquiry, &query, response->body, &error);
    web_finish(response, code, &error);
}

/* ---- doing ---- */

void web_post_retry(void *context, const struct http_request *request,
                    struct http_response *response)
{
    struct web *web = context;
    struct access_answer who;
    struct error error = {0};
    if (!may(web, web->backend.quarantine_retry != NULL, request, response, &who))
        return;
    int code = web->backend.quarantine_retry(web->backend.inquiry, request->body, who.actor,
                                             response->body, &error);
    web_finish(response, code, &error);
}

static void post_alert(struct web *web, enum web_alert_act act, const struct http_request *request,
                       struct http_response *response)
{
    struct access_answer who;
    struct error error = {0};
    if (!may(web, web->backend.alert_act != NULL, request, response, &who))
        return;
    int code = web->backend.alert_act(web->backend.inquiry, act, request->body, who.actor,
                                      response->body, &error);
    web_finish(response, code, &error);
}

void web_post_acknowledge(void *context, const struct http_request *request,
                          struct http_response *response)
{
    post_alert(context, WEB_ACKNOWLEDGE, request, response);
}

void web_post_silence(void *context, const struct http_request *request,
                      struct http_response *response)
{
    post_alert(context, WEB_SILENCE, request, response);
}
