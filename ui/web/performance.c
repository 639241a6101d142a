/* The question how good the decisions were, handed to the backend. Runs in the server's workers. */
#include "ui/web/web_priv.h"

void web_get_performance(void *context, const struct http_request *request,
                         struct http_response *response)
{
    struct web *web = context;
    struct error error = {0};
    int64_t from_us, to_us;
    char by[16];
    if (!web->backend.performance) {
        web_not_offered(response);
        return;
    }
    if (!web_read_range(request, response, &from_us, &to_us))
        return;
    bool grouped = http_query(request, "by", by, sizeof by);
    int code = web->backend.performance(web->backend.known, from_us, to_us, grouped ? by : NULL,
                                        response->body, &error);
    web_finish(response, code, &error);
}
