/* Outgoing HTTP by libcurl: webhooks and the small requests of the command line. */
#ifndef BINNACLE_BASE_HTTP_H
#define BINNACLE_BASE_HTTP_H

#include <stdint.h>

#include "engine/base/buffer.h"
#include "engine/base/slice.h"
#include "engine/base/status.h"

struct http_call {
    const char *method;         /* "GET", "HEAD", "POST", "PUT", ... */
    const char *url;            /* http:// or https:// only */
    const char *const *headers; /* "Name: value", NULL-ended; may be NULL */
    struct slice body;
    int64_t timeout_ms;
};

/* STATUS_OK whenever the peer answered: *code is the HTTP status, the body goes to `reply` (may be
 * NULL), `retry_after_s` gets the Retry-After header or -1. STATUS_UNAVAILABLE (retriable) when it
 * could not be reached in time; STATUS_INVALID for a URL or header that cannot be sent. A body
 * longer than `reply` may hold is cut there and reply->overflow says so. Redirects are not
 * followed, and loopback addresses are never asked for through a proxy. Messages leave out the
 * URL's path: a webhook's path is its password. Any thread. */
MUST_USE enum status http_perform(const struct http_call *call, int *code, struct buffer *reply,
                                  int64_t *retry_after_s, struct error *error);

#endif
