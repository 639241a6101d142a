/* Questions about what a service remembers of itself, handed to the backend. Handlers run in the
 * server's workers. */
#include "engine/base/json.h"
#include "ui/web/web_priv.h"

void web_get_changes(void *context, const struct http_request *request,
                     struct http_response *response)
{
    struct web *web = context;
    struct error error = {0};
    int64_t from_us, to_us;
    if (!web->backend.changes) {
        web_not_offered(response);
        return;
    }
    if (!web_read_range(request, response, &from_us, &to_us))
        return;
    int code = web->backend.changes(web->backend.watch, from_us, to_us, response->body, &error);
    web_finish(response, code, &error);
}

typedef int watch_answer(void *watch, struct buffer *out, struct error *error);

static void answer(const struct web *web, watch_answer *ask, struct http_response *response)
{
    struct error error = {0};
    if (!ask) {
        web_not_offered(response);
        return;
    }
    int code = ask(web->backend.watch, response->body, &error);
    web_finish(response, code, &error);
}

void web_get_explain(void *context, const struct http_request *request,
                     struct http_response *response)
{
    const struct web *web = context;
    (void)request;
    answer(web, web->backend.explain, response);
}

void web_get_quality(void *context, const struct http_request *request,
                     struct http_response *response)
{
    const struct web *web = context;
    (void)request;
    answer(web, web->backend.quality, response);
}

/* Nothing, or {"reason"}. json_destroy() the document. */
static bool read_reason(struct slice body, struct json **json, const char **reason)
{
    struct error error;
    *json = NULL;
    *reason = "";
    if (body.size == 0)
        return true;
    if (json_parse(body, json, &error) != STATUS_OK || json_kind(*json) != JSON_OBJECT)
        return false;
    const struct json *given = json_get(*json, "reason");
    *reason = json_as_text(given, "");
    return !given || json_kind(given) == JSON_STRING || json_kind(given) == JSON_NULL;
}

void web_post_reload(void *context, const struct http_request *request,
                     struct http_response *response)
{
    struct web *web = context;
    struct access_answer who;
    struct error error = {0};
    if (!web_is_allowed(web, request, response, &who))
        return;
    if (!web->backend.reload) {
        web_not_offered(response);
        return;
    }
    struct json *json;
    const char *reason;
    if (!read_reason(request->body, &json, &reason))
        http_problem(
            response, 400, "Not understood",
            "the body is a JSON object with a text \"reason\" or without, or there is none");
    else
        web_finish(
            response,
            web->backend.reload(web->backend.watch, who.actor, reason, response->body, &error),
            &error);
    json_destroy(json);
}
