/* The page and its files, from memory: gzipped for who takes that, 304 for who has it already. */
#include <string.h>

#include "ui/web/web_priv.h"

/* The page asks nobody else for anything, runs no inline code, and sits in no other page. */
#define PAGE_RULES                                                                                 \
    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; "           \
    "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "                    \
    "frame-ancestors 'none'\r\n"                                                                   \
    "X-Frame-Options: DENY\r\n"                                                                    \
    "Referrer-Policy: no-referrer\r\n"                                                             \
    "Cross-Origin-Opener-Policy: same-origin\r\n"                                                  \
    "Permissions-Policy: camera=(), geolocation=(), microphone=()\r\n"

static const struct web_asset *find(const char *path)
{
    if (strcmp(path, "/") == 0)
        path = "/static/index.html";
    for (const struct web_asset *asset = web_assets; asset->path; asset++) {
        if (strcmp(asset->path, path) == 0)
            return asset;
    }
    return NULL;
}

void web_serve_asset(void *context, const struct http_request *request,
                     struct http_response *response)
{
    (void)context;
    const struct web_asset *asset = find(request->path);
    if (!asset) {
        http_problem(response, 404, "Not found", "there is no such file");
        return;
    }
    response->content_type = asset->content_type;
    buffer_append_text(response->headers, PAGE_RULES);
    buffer_printf(response->headers,
                  "Cache-Control: no-cache\r\nETag: %s\r\nVary: Accept-Encoding\r\n", asset->etag);
    if (http_has_already(request, asset->etag)) {
        response->status = 304;
        return;
    }
    bool gzip = asset->gzip_size > 0 && http_takes_gzip(request);
    if (gzip)
        buffer_append_text(response->headers, "Content-Encoding: gzip\r\n");
    buffer_append(response->body, gzip ? asset->gzip : asset->data,
                  gzip ? asset->gzip_size : asset->size);
}
