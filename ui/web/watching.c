/* Questions about what a service remembers of itself, handed to the backend. Handlers run in the
 * server's workers. */
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

void web_get_explain(void *context, const struct http_request *request,
                     struct http_response *response)
{
    (void)request;
    struct web *web = context;
    struct error error = {0};
    if (!web->backend.explain) {
        web_not_offered(response);
        return;
    }
    int code = web->backend.explain(web->backend.watch, response->body, &error);
    web_finish(response, code, &error);
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
    int code = web->backend.reload(web->backend.watch, who.actor, response->body, &error);
    web_finish(response, code, &error);
}
