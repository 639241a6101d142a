/* POST /v1/score and /v1/score/batch: from a request to what the backend is asked, and back. A
 * server with a loop brings the requests to /v1/score many at a time, and each is answered when its
 * decision is on the disk; elsewhere the request's thread waits for that. */
#include <stdlib.h>
#include <string.h>

#include "ui/web/web_priv.h"

#define MAX_REASONS 1024

static bool parse_reasons(const char *text, int *reasons)
{
    if (strcmp(text, "all") == 0) {
        *reasons = -1;
        return true;
    }
    char *end;
    long number = strtol(text, &end, 10);
    *reasons = (int)number;
    return text[0] && !*end && number >= 0 && number <= MAX_REASONS;
}

bool web_read_reasons(const struct http_request *request, struct http_response *response,
                      int *reasons, bool *asked)
{
    char text[16];
    *reasons = 3;
    *asked = strstr(request->query, "reasons=") != NULL;
    if (!*asked ||
        (http_query(request, "reasons", text, sizeof text) && parse_reasons(text, reasons)))
        return true;
    http_problem(response, 400, "Not understood", "reasons is a number up to %d, or all",
                 MAX_REASONS);
    return false;
}

/* What the backend is asked; false: the response says why it is not. */
static bool prepare(const struct web *web, const struct http_request *request,
                    struct http_response *response, struct web_score_request *call)
{
    struct access_answer who;
    if (!web_is_allowed(web, request, response, &who))
        return false;
    *call = (struct web_score_request){.body = request->body};
    if (!web_read_reasons(request, response, &call->max_reasons, &call->reasons_asked))
        return false;
    if (trace_begin(http_header(request, "traceparent"), &call->trace) != STATUS_OK) {
        http_problem(response, 500, "Internal error", "the system gave no random bytes");
        return false;
    }
    char trace[TRACE_TEXT_SIZE];
    buffer_append_text(response->headers, "traceparent: ");
    buffer_append_text(response->headers, trace_format(&call->trace, trace));
    buffer_append_text(response->headers, "\r\n");
    return true;
}

typedef int score_function(void *context, const struct web_score_request *request,
                           struct buffer *out, struct error *error);

static void run_score(struct web *web, score_function *score, const struct http_request *request,
                      struct http_response *response)
{
    struct web_score_request call;
    struct error error = {0};
    if (!score) {
        web_not_offered(response);
        return;
    }
    if (!prepare(web, request, response, &call))
        return;
    int code = score(web->backend.context, &call, response->body, &error);
    web_finish(response, code, &error);
}

void web_post_score(void *context, const struct http_request *request,
                    struct http_response *response)
{
    struct web *web = context;
    run_score(web, web->backend.score, request, response);
}

void web_post_score_batch(void *context, const struct http_request *request,
                          struct http_response *response)
{
    struct web *web = context;
    if (request->body.size == 0) {
        http_problem(response, 400, "Not understood", "the body has no line: one event a line");
        return;
    }
    response->content_type = "application/x-ndjson";
    run_score(web, web->backend.score_batch, request, response);
}

/* ---- on a loop ---- */

/* Reads the disk: on a thread of the pool. */
static void fetch_recorded(void *context, struct http_exchange *exchange)
{
    struct web *web = context;
    struct error error = {0};
    int code = web->backend.gather.recorded(web->backend.context, exchange->note,
                                            exchange->response.body, &error);
    web_finish(&exchange->response, code, &error);
}

static void on_scored(void *asker, const struct web_score_end *end)
{
    static const struct error unknown = {0};
    struct http_exchange *exchange = asker;
    if (end->recorded) {
        exchange->note = end->ledger_index;
        http_exchange_hand_over(exchange, fetch_recorded);
        return;
    }
    if (end->error)
        buffer_reset(exchange->response.body); /* an answer that was held back is not true now */
    web_finish(&exchange->response, end->code, end->error ? end->error : &unknown);
    http_exchange_answer(exchange);
}

void web_gather_scores(void *context, struct http_exchange *const *exchanges, size_t n)
{
    struct web *web = context;
    size_t n_calls = 0;
    for (size_t i = 0; i < n; i++) {
        struct http_exchange *exchange = exchanges[i];
        struct web_score_call *call = &web->calls[n_calls];
        if (!prepare(web, &exchange->request, &exchange->response, &call->request)) {
            http_exchange_answer(exchange);
            continue;
        }
        call->out = exchange->response.body;
        call->asker = exchange;
        n_calls++;
    }
    if (n_calls > 0)
        web->backend.gather.score(web->backend.context, web->calls, n_calls, on_scored);
}

void web_settle_scores(void *context)
{
    struct web *web = context;
    web->backend.gather.settle(web->backend.context);
}
