/* What the answers of all routes share: who may ask, what is not offered, and the problem document
 * of what went wrong. Any thread; no state. */
#include "ui/web/web_priv.h"

/* Bodies of events have a title of their own. */
static const struct {
    int code;
    const char *title;
} problem_titles[] = {
    {400, "Not understood"},   {403, "Forbidden"},     {404, "Not found"},  {409, "Conflict"},
    {422, "Bad request body"}, {501, "Not supported"}, {503, "Overloaded"},
};

int web_code(enum status status)
{
    switch (status) {
    case STATUS_OK:
        return 200;
    case STATUS_NOT_FOUND:
        return 404;
    case STATUS_CONFLICT:
        return 409;
    case STATUS_INVALID:
        return 422;
    case STATUS_UNSUPPORTED:
        return 501;
    default:
        return 503;
    }
}

static const char *title_of(int code)
{
    for (size_t i = 0; i < sizeof problem_titles / sizeof *problem_titles; i++) {
        if (problem_titles[i].code == code)
            return problem_titles[i].title;
    }
    return "Internal error";
}

void web_finish(struct http_response *response, int code, const struct error *error)
{
    response->status = code;
    if (code < 400)
        return;
    if (response->body->size == 0)
        http_problem(response, code, title_of(code), "%s",
                     error->message[0] ? error->message : "the reason was not given");
    response->content_type = "application/problem+json";
    if (code == 503)
        buffer_printf(response->headers, "Retry-After: %d\r\n",
                      error->retry_after_s > 0 ? error->retry_after_s : 1);
}

void web_not_offered(struct http_response *response)
{
    http_problem(response, 501, "Not offered", "this instance does not offer that");
}

bool web_is_allowed(const struct web *web, const struct http_request *request,
                    struct http_response *response, struct access_answer *answer)
{
    struct access_request facts = {
        .changes_state = true,
        .authorization = http_header(request, "Authorization"),
    };
    access_check(web->access, &facts, answer);
    if (answer->allowed)
        return true;
    buffer_append_text(response->headers, "WWW-Authenticate: Bearer realm=\"binnacle\"\r\n");
    http_problem(response, answer->status, "A token is needed", "%s", answer->reason);
    return false;
}
