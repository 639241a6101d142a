/* The routes for the screen of this very process: a request is made of a target and given to the
 * handler of its route. The calling thread; no socket, no server. */
#include <stdio.h>
#include <string.h>

#include "ui/web/web_priv.h"

#define TARGET_SIZE  2048
#define HEADER_BYTES ((size_t)16 << 10)

static const char *no_header(const void *connection, const char *name)
{
    (void)connection, (void)name;
    return NULL;
}

static const struct http_route *find_route(const char *method, const char *path)
{
    for (const struct http_route *route = web_routes; route->method; route++)
        if (strcmp(route->method, method) == 0 && strcmp(route->path, path) == 0)
            return route;
    return NULL;
}

int web_call(struct web *web, const char *method, const char *target, struct slice body,
             struct buffer *reply)
{
    char path[TARGET_SIZE];
    struct buffer headers;
    snprintf(path, sizeof path, "%s", target);
    char *query = strchr(path, '?');
    if (query)
        *query++ = '\0';
    struct http_request request = {.method = method,
                                   .path = path,
                                   .query = query ? query : "",
                                   .remote = "",
                                   .body = body,
                                   .header = no_header};
    buffer_init(&headers, HEADER_BYTES);
    struct http_response response = {
        .status = 200, .content_type = "application/json", .body = reply, .headers = &headers};
    const struct http_route *route = find_route(method, path);
    if (route && web_knows_parameters(web, &request, &response))
        route->handle(web, &request, &response);
    else if (!route)
        http_problem(&response, 404, "Not found", "there is nothing at %s", path);
    buffer_free(&headers);
    return response.status;
}
