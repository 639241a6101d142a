/* Views of one's own: which there are, and the values of an expression over the history. Handlers
 * run in the server's workers. */
#include <stdio.h>

#include "ui/view/own.h"
#include "ui/web/web_priv.h"

#define HISTORY_BYTES ((size_t)16 << 20)

void web_get_views(void *context, const struct http_request *request,
                   struct http_response *response)
{
    (void)request;
    struct web *web = context;
    struct error error = {0};
    if (!web->backend.views) {
        web_not_offered(response);
        return;
    }
    int code = web->backend.views(web->backend.context, response->body, &error);
    web_finish(response, code, &error);
}

/* The expression over what the history answers. */
static void evaluate(const struct own_expression *expression, struct slice history,
                     const char *text, struct http_response *response)
{
    struct json *json;
    struct error error = {0};
    if (json_parse(history, &json, &error) != STATUS_OK) {
        http_problem(response, 503, "Unavailable", "the history cannot be read: %s", error.message);
        return;
    }
    own_expression_json(expression, json, text, response->body);
    json_destroy(json);
}

static void ask_history(struct web *web, const struct own_expression *expression, const char *text,
                        struct history_question *question, struct http_response *response)
{
    struct buffer history;
    struct error error = {0};
    question->series = slice_of(own_expression_series(expression));
    buffer_init(&history, HISTORY_BYTES);
    int code =
        web->backend.history.series(web->backend.history.context, question, &history, &error);
    if (code == 200)
        evaluate(expression, buffer_slice(&history), text, response);
    else
        web_finish(response, code, &error);
    buffer_free(&history);
}

void web_get_panel(void *context, const struct http_request *request,
                   struct http_response *response)
{
    struct web *web = context;
    struct history_question question = {0};
    struct own_expression *expression;
    struct error error = {0};
    char text[OWN_EXPRESSION];
    if (!web->backend.history.series) {
        web_not_offered(response);
        return;
    }
    if (!http_query(request, "expression", text, sizeof text)) {
        http_problem(response, 400, "Not understood", "expression is needed, of less than %d bytes",
                     OWN_EXPRESSION);
        return;
    }
    if (!web_read_range(request, response, &question.from_us, &question.to_us) ||
        !web_read_step(request, response, &question.step_us))
        return;
    if (own_expression_create(text, &expression, &error) != STATUS_OK) {
        http_problem(response, 400, "Not understood", "expression: %s", error.message);
        return;
    }
    ask_history(web, expression, text, &question, response);
    own_expression_destroy(expression);
}
