/* The range of time that a question is about, out of its query. */
#include <stdlib.h>

#include "engine/base/clock.h"
#include "ui/web/web_priv.h"

#define MOST_MS (INT64_MAX / 1000)

static bool read_time(const struct http_request *request, struct http_response *response,
                      const char *name, int64_t *time_us)
{
    char text[64], *end = text;
    if (!http_query(request, name, text, sizeof text))
        return true;
    if (time_parse(slice_of(text), time_us))
        return true;
    long long ms = strtoll(text, &end, 10);
    if (end != text && *end == '\0' && ms > -MOST_MS && ms < MOST_MS) {
        *time_us = (int64_t)ms * 1000;
        return true;
    }
    http_problem(response, 400, "Not understood",
                 "%s: a time such as 2026-01-31T12:00:00Z, or milliseconds since 1970, is needed",
                 name);
    return false;
}

bool web_read_range(const struct http_request *request, struct http_response *response,
                    int64_t *from_us, int64_t *to_us)
{
    *from_us = INT64_MIN;
    *to_us = INT64_MAX;
    if (!read_time(request, response, "from", from_us) ||
        !read_time(request, response, "to", to_us))
        return false;
    if (*from_us <= *to_us)
        return true;
    http_problem(response, 400, "Not understood", "from lies after to");
    return false;
}
