/* What the service says of itself: its configuration and its newest log lines. Handlers run in the
 * server's workers. */
#include <stdlib.h>

#include "engine/base/clock.h"
#include "engine/base/log.h"
#include "engine/base/number.h"
#include "ui/web/web_priv.h"

#define LOG_LINES      200
#define MOST_LOG_LINES LOG_KEPT
#define MOST_MS        INT64_C(100000000000000) /* the year 5138 */
#define WORD_BYTES     64

void web_get_settings(void *context, const struct http_request *request,
                      struct http_response *response)
{
    (void)request;
    struct web *web = context;
    struct error error = {0};
    if (!web->backend.settings) {
        web_not_offered(response);
        return;
    }
    int code = web->backend.settings(web->backend.context, response->body, &error);
    web_finish(response, code, &error);
}

/* ISO-8601, or a number of milliseconds since 1970. */
static bool read_moment(const char *text, int64_t *time_us)
{
    int64_t ms;
    if (time_parse(slice_of(text), time_us))
        return true;
    if (!integer_parse(slice_of(text), &ms) || llabs(ms) > MOST_MS)
        return false;
    *time_us = ms * 1000;
    return true;
}

static bool refuse(struct http_response *response, const char *what)
{
    http_problem(response, 400, "Not understood", "%s", what);
    return false;
}

static bool read_whole(const struct http_request *request, const char *name, int64_t most,
                       int64_t *number)
{
    char text[WORD_BYTES];
    if (!http_query(request, name, text, sizeof text))
        return true;
    return integer_parse(slice_of(text), number) && *number >= 0 && *number <= most;
}

/* False: the response says what is wrong. */
static bool read_log_query(const struct http_request *request, struct http_response *response,
                           char level[WORD_BYTES], struct web_log_query *query)
{
    char text[WORD_BYTES];
    enum log_level parsed;
    int64_t after = 0, limit = LOG_LINES;
    *query = (struct web_log_query){.level = "debug", .from_us = INT64_MIN, .to_us = INT64_MAX};
    if (http_query(request, "level", level, WORD_BYTES)) {
        if (!log_level_parse(level, &parsed))
            return refuse(response, "level is debug, info, warn or error");
        query->level = level;
    }
    if (http_query(request, "from", text, sizeof text) && !read_moment(text, &query->from_us))
        return refuse(response, "from is a time such as 2026-01-31T12:00:00Z, or milliseconds");
    if (http_query(request, "to", text, sizeof text) && !read_moment(text, &query->to_us))
        return refuse(response, "to is a time such as 2026-01-31T12:00:00Z, or milliseconds");
    if (!read_whole(request, "after", INT64_MAX, &after))
        return refuse(response, "after is the seq of a line");
    if (!read_whole(request, "limit", MOST_LOG_LINES, &limit))
        return refuse(response, "limit is a number from 0 to 1024");
    query->after = (uint64_t)after;
    query->limit = (int)limit;
    return true;
}

void web_get_logs(void *context, const struct http_request *request, struct http_response *response)
{
    struct web *web = context;
    struct error error = {0};
    struct web_log_query query;
    char level[WORD_BYTES];
    if (!web->backend.logs) {
        web_not_offered(response);
        return;
    }
    if (!read_log_query(request, response, level, &query))
        return;
    int code = web->backend.logs(web->backend.context, &query, response->body, &error);
    web_finish(response, code, &error);
}
