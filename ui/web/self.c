/* What the service says of itself: its configuration and its newest log lines. Handlers run in the
 * server's workers. */

#include "engine/base/log.h"
#include "engine/base/number.h"
#include "ui/web/web_priv.h"

#define LOG_LINES      200
#define MOST_LOG_LINES LOG_KEPT
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
    enum log_level parsed;
    int64_t after = 0, limit = LOG_LINES;
    *query = (struct web_log_query){.level = "debug"};
    if (http_query(request, "level", level, WORD_BYTES)) {
        if (!log_level_parse(level, &parsed))
            return refuse(response, "level is debug, info, warn or error");
        query->level = level;
    }
    if (!web_read_range(request, response, &query->from_us, &query->to_us))
        return false;
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
