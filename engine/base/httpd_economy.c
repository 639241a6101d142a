/* What an answer need not carry: nothing when the client has it already (a tag over the body,
 * RFC 9110 8.8.3 and 13.1.2), fewer bytes when it can unpack them. And the callers that ask more
 * often than they may. For the answers of routes that close; in civetweb's workers. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#define ZLIB_CONST
#include <zlib.h>

#include "engine/base/clock.h"
#include "engine/base/hash.h"
#include "engine/base/httpd_priv.h"

#define WORTH_PACKING 1024 /* bytes; below, the head weighs more */
#define GZIP_FRAME    (15 + 16)
#define FAST          2 /* of zlib's levels: three quarters of what the best one saves */

bool http_takes_gzip(const struct http_request *request)
{
    const char *accept = http_header(request, "Accept-Encoding");
    const char *gzip = accept ? strcasestr(accept, "gzip") : NULL;
    if (!gzip)
        return false;
    gzip += 4;
    gzip += strspn(gzip, " ");
    if (strncasecmp(gzip, ";q=0", 4) != 0)
        return true;
    gzip += 4;
    return gzip[0] == '.' && strspn(gzip + 1, "0") < strspn(gzip + 1, "0123456789");
}

bool http_has_already(const struct http_request *request, const char *tag)
{
    const char *have = http_header(request, "If-None-Match");
    return have && (strcmp(have, "*") == 0 || strstr(have, tag));
}

/* False, and `out` is as it was, when it does not fit or there is no memory. */
static bool pack(struct slice body, struct buffer *out)
{
    z_stream stream = {0};
    if (deflateInit2(&stream, FAST, Z_DEFLATED, GZIP_FRAME, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return false;
    size_t bound = deflateBound(&stream, body.size);
    char *place = buffer_reserve(out, bound);
    bool packed = false;
    if (place) {
        stream.next_in = (const Bytef *)body.data;
        stream.avail_in = (uInt)body.size;
        stream.next_out = (Bytef *)place;
        stream.avail_out = (uInt)bound;
        packed = deflate(&stream, Z_FINISH) == Z_STREAM_END;
        out->size += packed ? stream.total_out : 0;
    }
    deflateEnd(&stream);
    return packed;
}

/* The tag is a weak one: it speaks of the content, packed or not. */
void httpd_economize(const struct http_request *request, struct http_response *response,
                     struct buffer *spare)
{
    char tag[40];
    if (response->status != 200 || response->body->overflow ||
        strstr(buffer_slice(response->headers).data, "ETag:"))
        return;
    struct hash128 hash = hash128(buffer_slice(response->body).data, response->body->size, 0);
    snprintf(tag, sizeof tag, "\"%016" PRIx64 "%016" PRIx64 "\"", hash.high, hash.low);
    buffer_printf(response->headers,
                  "ETag: W/%s\r\nCache-Control: private, no-cache\r\nVary: Accept-Encoding\r\n",
                  tag);
    if (http_has_already(request, tag)) {
        response->status = 304;
        return;
    }
    buffer_reset(spare);
    if (response->body->size < WORTH_PACKING || !http_takes_gzip(request) ||
        !pack(buffer_slice(response->body), spare))
        return;
    buffer_append_text(response->headers, "Content-Encoding: gzip\r\n");
    response->body = spare;
}

bool httpd_is_in_time(struct httpd *httpd, const struct http_request *request,
                      struct http_response *response)
{
    struct rate_state state;
    if (!httpd->rate)
        return true;
    bool may = rate_take(httpd->rate, slice_of(request->remote), monotonic_ns(), &state);
    /* As draft-ietf-httpapi-ratelimit-headers has them, and as it had them up to its seventh. */
    buffer_printf(response->headers,
                  "RateLimit-Policy: \"caller\";q=%" PRId64 ";w=%" PRId64
                  "\r\nRateLimit: \"caller\";r=%" PRId64 ";t=%" PRId64
                  "\r\nRateLimit-Limit: %" PRId64 "\r\nRateLimit-Remaining: %" PRId64
                  "\r\nRateLimit-Reset: %" PRId64 "\r\n",
                  state.quota, state.window_s, state.remaining, state.full_s, state.quota,
                  state.remaining, state.full_s);
    if (may)
        return true;
    buffer_printf(response->headers, "Retry-After: %" PRId64 "\r\n", state.wait_s);
    http_problem(response, 429, "Too many requests",
                 "%s asked more than %" PRId64 " times in %" PRId64 " s; api_rate sets how often a "
                 "caller may",
                 request->remote, state.quota, state.window_s);
    return false;
}
