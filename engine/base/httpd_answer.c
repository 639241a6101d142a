/* What both kinds of server do alike with a request and its answer: headers and parameters, the
 * route, who is welcome, problem documents, and the bytes of the answer's head. Any thread. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "engine/base/httpd_priv.h"
#include "engine/base/json.h"

const char *http_header(const struct http_request *request, const char *name)
{
    return request->header(request->connection, name);
}

bool http_query(const struct http_request *request, const char *name, char *out, size_t size)
{
    int got = mg_get_var(request->query, strlen(request->query), name, out, size);
    if (got < 0)
        out[0] = '\0';
    return got != -1;
}

void httpd_count_head(struct httpd_heads *heads, const char *name)
{
    heads->hosts += strcasecmp(name, "Host") == 0;
    heads->lengths +=
        strcasecmp(name, "Content-Length") == 0 || strcasecmp(name, "Transfer-Encoding") == 0;
}

const char *httpd_contradiction(const struct httpd_heads *heads)
{
    if (heads->lengths > 1)
        return "the length of the body is given more than once";
    return heads->hosts > 1 ? "the Host is given more than once" : NULL;
}

int httpd_decode_path(const char *path, size_t size, char *out)
{
    int length = mg_url_decode(path, (int)size, out, (int)size + 1, 0);
    return length >= 0 && strlen(out) == (size_t)length ? length : -1;
}

void http_problem(struct http_response *response, int status, const char *title,
                  const char *detail_format, ...)
{
    char detail[512];
    va_list args;
    va_start(args, detail_format);
    vsnprintf(detail, sizeof detail, detail_format, args);
    va_end(args);
    buffer_reset(response->body);
    response->status = status;
    response->content_type = "application/problem+json";
    struct json_writer json;
    json_begin(&json, response->body);
    json_object(&json, NULL);
    json_text(&json, "type", "about:blank");
    json_text(&json, "title", title);
    json_int(&json, "status", status);
    json_text(&json, "detail", detail);
    json_object_end(&json);
}

/* ---- the head of an answer ---- */

const char *httpd_phrase(int status)
{
    /* The library spells this one with a slip of the pen. */
    return status == 422 ? "Unprocessable Content" : mg_get_response_code_text(NULL, status);
}

const char *httpd_date(struct httpd_date *date)
{
    time_t now = time(NULL);
    if (now != date->s) {
        struct tm parts;
        gmtime_r(&now, &parts);
        strftime(date->text, sizeof date->text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
        date->s = now;
    }
    return date->text;
}

static void append_number(struct buffer *out, size_t number)
{
    char digits[24], *at = digits + sizeof digits;
    do
        *--at = (char)('0' + number % 10);
    while (number /= 10);
    buffer_append(out, at, (size_t)(digits + sizeof digits - at));
}

void httpd_bound_response(struct http_response *response)
{
    if (!response->body->overflow && !response->headers->overflow)
        return;
    buffer_reset(response->headers);
    http_problem(response, 500, "Answer too large",
                 "the answer is larger than this server sends; ask for less at once");
}

void httpd_assemble(const struct http_response *response, const char *date, bool head_only,
                    const char *keep, struct buffer *out)
{
    int status = response->status;
    bool has_body = status >= 200 && status != 204 && status != 304;
    buffer_append_text(out, "HTTP/1.1 ");
    append_number(out, (size_t)status);
    buffer_append_char(out, ' ');
    buffer_append_text(out, httpd_phrase(status));
    buffer_append_text(out, "\r\nDate: ");
    buffer_append_text(out, date);
    if (has_body) {
        buffer_append_text(out, "\r\nContent-Type: ");
        buffer_append_text(out, response->content_type);
        buffer_append_text(out, "\r\nContent-Length: ");
        append_number(out, response->body->size);
    }
    buffer_append_text(out, "\r\nX-Content-Type-Options: nosniff\r\n");
    if (!response->headers->data || !strcasestr(response->headers->data, "Cache-Control:"))
        buffer_append_text(out, "Cache-Control: no-store\r\n");
    buffer_append_slice(out, buffer_slice(response->headers));
    buffer_append_text(out, keep);
    buffer_append_text(out, "\r\n");
    if (has_body && !head_only)
        buffer_append_slice(out, buffer_slice(response->body));
}

/* ---- the route ---- */

static bool path_matches(const char *pattern, const char *path)
{
    size_t size = strlen(pattern);
    if (size >= 2 && strcmp(pattern + size - 2, "/*") == 0)
        return strncmp(pattern, path, size - 1) == 0;
    return strcmp(pattern, path) == 0;
}

const struct http_route *httpd_find_route(const struct httpd *httpd, const char *method,
                                          const char *path, struct httpd_allowed *allowed)
{
    bool head = strcmp(method, "HEAD") == 0;
    allowed->methods[0] = '\0';
    if (strstr(path, "/.."))
        return NULL; /* a step upwards is in no route: it is meant to climb out of a prefix */
    for (const struct http_route *route = httpd->routes; route->method; route++) {
        if (!path_matches(route->path, path))
            continue;
        if (strcmp(route->method, method) == 0 || (head && strcmp(route->method, "GET") == 0))
            return route;
        size_t used = strlen(allowed->methods);
        bool get = strcmp(route->method, "GET") == 0;
        snprintf(allowed->methods + used, sizeof allowed->methods - used, "%s%s", used ? ", " : "",
                 get ? "GET, HEAD" : route->method);
    }
    return NULL;
}

void httpd_refuse_method(const struct http_request *request, const struct httpd_allowed *allowed,
                         struct http_response *response)
{
    if (!allowed->methods[0]) {
        http_problem(response, 404, "Not found",
                     "there is nothing at %.200s; GET "
                     "/api/openapi.json lists what there is",
                     request->path);
        return;
    }
    buffer_printf(response->headers, "Allow: %s\r\n", allowed->methods);
    if (strcmp(request->method, "OPTIONS") == 0)
        response->status = 204;
    else
        http_problem(response, 405, "Method not allowed", "%.200s takes %s", request->path,
                     allowed->methods);
}

bool httpd_is_welcome(struct httpd *httpd, const struct http_request *request,
                      const struct http_route *route, struct http_response *response)
{
    const char *host = http_header(request, "Host");
    const char *reason = route->changes_state
                             ? httpd_guard(httpd, host, http_header(request, "Origin"),
                                           http_header(request, "Sec-Fetch-Site"))
                             : httpd_guard_read(httpd, host);
    if (!reason)
        return true;
    atomic_fetch_add_explicit(&httpd->refused, 1, memory_order_relaxed);
    http_problem(response, 403, "Forbidden", "%s", reason);
    return false;
}

void httpd_run(const struct httpd *httpd, const struct http_route *route,
               const struct http_request *request, struct http_response *response)
{
    if (!httpd->accepts || httpd->accepts(httpd->context, request, response))
        route->handle(httpd->context, request, response);
}

void httpd_refuse_draining(struct http_response *response)
{
    buffer_append_text(response->headers, "Retry-After: 1\r\n");
    http_problem(response, 503, "Shutting down", "this instance is about to end");
}

void httpd_refuse_large(const struct http_route *route, struct http_response *response)
{
    http_problem(response, 413, "Body too large", "%s takes at most %zu bytes", route->path,
                 route->max_body);
}
