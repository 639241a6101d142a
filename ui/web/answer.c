/* What the answers of all routes share: who may ask, what is not offered, and the problem document
 * of what went wrong. Any thread; no state. */
#include "ui/web/web_priv.h"

static const struct {
    enum status status;
    int code;
    const char *title;
} problem_titles[] = {
    {STATUS_INVALID, 400, "Not understood"},
    {STATUS_DENIED, 403, "Forbidden"},
    {STATUS_NOT_FOUND, 404, "Not found"},
    {STATUS_CONFLICT, 409, "Conflict"},
    {STATUS_FULL, 503, "Overloaded"},
    {STATUS_UNAVAILABLE, 503, "Unavailable"},
    {STATUS_UNSUPPORTED, 501, "Not supported"},
    {STATUS_INVALID, 422, "Bad request body"}, /* events have a title of their own */
};

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
