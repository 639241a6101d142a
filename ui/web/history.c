/* Questions to the history, out of the query of a request. Handlers run in the server's workers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/clock.h"
#include "ui/web/web_priv.h"

#define WORDS_SIZE 2048

/* The words of a question; they live as long as it is asked. */
struct asked {
    struct history_question question;
    char series[WORDS_SIZE], by[WORDS_SIZE], where[WORDS_SIZE], of[WORDS_SIZE];
};

/* "60", "60s", "5m", "1h". */
bool web_read_step(const struct http_request *request, struct http_response *response,
                   int64_t *step_us)
{
    char text[32], seconds[40];
    *step_us = 0;
    if (!http_query(request, "step", text, sizeof text) || text[0] == '\0')
        return true;
    snprintf(seconds, sizeof seconds, "%ss", text);
    if ((duration_parse(slice_of(text), step_us) || duration_parse(slice_of(seconds), step_us)) &&
        *step_us >= US_PER_S)
        return true;
    http_problem(response, 400, "Not understood",
                 "step: a duration such as 5m, or whole seconds from 1, is needed");
    return false;
}

static bool read_question(const struct http_request *request, struct http_response *response,
                          struct asked *asked)
{
    struct history_question *question = &asked->question;
    if (!web_read_range(request, response, &question->from_us, &question->to_us) ||
        !web_read_step(request, response, &question->step_us))
        return false;
    (void)http_query(request, "series", asked->series, sizeof asked->series);
    (void)http_query(request, "by", asked->by, sizeof asked->by);
    (void)http_query(request, "where", asked->where, sizeof asked->where);
    (void)http_query(request, "of", asked->of, sizeof asked->of);
    question->series = slice_of(asked->series);
    question->by = slice_of(asked->by);
    question->where = slice_of(asked->where);
    question->of = slice_of(asked->of);
    return true;
}

typedef int asker(void *context, const struct history_question *question, struct buffer *out,
                  struct error *error);

static void answer(struct web *web, asker *ask, const struct http_request *request,
                   struct http_response *response)
{
    struct asked asked;
    struct error error = {0};
    if (!ask) {
        web_not_offered(response);
        return;
    }
    if (!read_question(request, response, &asked))
        return;
    int code = ask(web->backend.history.context, &asked.question, response->body, &error);
    web_finish(response, code, &error);
}

void web_get_history(void *context, const struct http_request *request,
                     struct http_response *response)
{
    struct web *web = context;
    answer(web, web->backend.history.series, request, response);
}

void web_get_heatmap(void *context, const struct http_request *request,
                     struct http_response *response)
{
    struct web *web = context;
    answer(web, web->backend.history.heatmap, request, response);
}

void web_get_history_series(void *context, const struct http_request *request,
                            struct http_response *response)
{
    (void)request;
    struct web *web = context;
    struct error error = {0};
    if (!web->backend.history.names) {
        web_not_offered(response);
        return;
    }
    int code = web->backend.history.names(web->backend.history.context, response->body, &error);
    web_finish(response, code, &error);
}
