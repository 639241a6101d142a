/* One request on a worker: its body read whole, its route found, its handler run, its answer sent.
 *
 * The answer leaves with one single write (head and body in one buffer: two writes cost a delayed
 * acknowledgement, 40 ms, on a kept connection). Runs in civetweb's workers. */
#include "engine/base/httpd_priv.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "engine/base/clock.h"
#include "engine/base/json.h"

#define MAX_RESPONSE         ((size_t)64 << 20)
#define MAX_HEADERS          ((size_t)16 << 10)
#define KEPT_CAPACITY        ((size_t)1 << 20) /* larger buffers are given back after the request */
#define DRAIN_BYTES          ((size_t)1 << 20) /* of a refused body, read so that the answer arrives */
#define DRAIN_NS             INT64_C(2000000000)
#define READ_STEP            ((size_t)16 << 10)
#define SHARE_NS             INT64_C(100000000) /* of a worker, while others wait */
#define SLOWEST_BYTES_PER_MS 64                 /* of a body that takes longer than that */

const char *http_header(const struct http_request *request, const char *name)
{
    return mg_get_header(request->connection, name);
}

bool http_query(const struct http_request *request, const char *name, char *out, size_t size)
{
    return mg_get_var(request->query, strlen(request->query), name, out, size) >= 0;
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

/* ---- the answer ---- */

static const char *date_now(struct worker *worker)
{
    time_t now = time(NULL);
    if (now != worker->date_s) {
        struct tm parts;
        gmtime_r(&now, &parts);
        strftime(worker->date, sizeof worker->date, "%a, %d %b %Y %H:%M:%S GMT", &parts);
        worker->date_s = now;
    }
    return worker->date;
}

static bool is_http_1_0(const struct mg_request_info *info)
{
    return info->http_version && strcmp(info->http_version, "1.0") == 0;
}

/* As civetweb will see it: a Connection header without keep-alive closes, whatever it says. */
static bool client_keeps(struct mg_connection *connection, const struct mg_request_info *info)
{
    const char *header = mg_get_header(connection, "Connection");
    if (header)
        return strcasestr(header, "keep-alive") != NULL;
    return !is_http_1_0(info);
}

/* True when this connection must make room for those that wait for a worker. */
static bool had_its_share(struct worker *worker)
{
    struct httpd *httpd = worker->httpd;
    if (atomic_load_explicit(&httpd->connections, memory_order_relaxed) < httpd->threads)
        return false;
    if (monotonic_ns() - worker->connected_ns < SHARE_NS)
        return false;
    atomic_fetch_add_explicit(&httpd->turned_away, 1, memory_order_relaxed);
    return true;
}

/* The server library spells 422 with a slip of the pen. */
static const char *reason_phrase(struct mg_connection *connection, int status)
{
    return status == 422 ? "Unprocessable Content" : mg_get_response_code_text(connection, status);
}

static void assemble(struct worker *worker, struct mg_connection *connection,
                     const struct http_response *response, bool head_only, const char *keep)
{
    struct buffer *out = &worker->out;
    int status = response->status;
    bool has_body = status >= 200 && status != 204 && status != 304;
    buffer_printf(out, "HTTP/1.1 %d %s\r\nDate: %s\r\n", status, reason_phrase(connection, status),
                  date_now(worker));
    if (has_body)
        buffer_printf(out, "Content-Type: %s\r\nContent-Length: %zu\r\n", response->content_type,
                      response->body->size);
    buffer_append_text(out, "X-Content-Type-Options: nosniff\r\n");
    if (!response->headers->data || !strcasestr(response->headers->data, "Cache-Control:"))
        buffer_append_text(out, "Cache-Control: no-store\r\n");
    buffer_append_slice(out, buffer_slice(response->headers));
    buffer_append_text(out, keep);
    buffer_append_text(out, "\r\n");
    if (has_body && !head_only)
        buffer_append_slice(out, buffer_slice(response->body));
}

static void send_response(struct worker *worker, struct mg_connection *connection,
                          struct http_response *response, bool close_after)
{
    const struct mg_request_info *info = mg_get_request_info(connection);
    if (response->body->overflow || response->headers->overflow) {
        buffer_reset(response->headers);
        http_problem(response, 500, "Answer too large",
                     "the answer is larger than this server sends; ask for less at once");
    }
    bool close = close_after || !client_keeps(connection, info) ||
                 atomic_load(&worker->httpd->draining) || had_its_share(worker);
    const char *keep = close               ? "Connection: close\r\n"
                       : is_http_1_0(info) ? "Connection: keep-alive\r\n"
                                           : "";
    bool head_only = strcmp(info->request_method, "HEAD") == 0;
    assemble(worker, connection, response, head_only, keep);
    if (close || worker->out.overflow)
        mg_disable_connection_keep_alive(connection);
    if (!worker->out.overflow)
        mg_write(connection, worker->out.data, worker->out.size);
}

/* ---- the request's body ---- */

/* A peer that is still sending would lose our answer to a reset if we just closed. */
static void drain(struct mg_connection *connection)
{
    char dropped[4096];
    size_t total = 0;
    int64_t started_ns = monotonic_ns();
    while (total < DRAIN_BYTES && monotonic_ns() - started_ns < DRAIN_NS) {
        int got = mg_read(connection, dropped, sizeof dropped);
        if (got <= 0)
            return;
        total += (size_t)got;
    }
}

/* True for two lengths, or a length and chunks: a proxy in front may have chosen the other one, and
 * take what we read as this body for the next request (RFC 9112, 6.3). */
static bool is_ambiguous(const struct mg_request_info *info)
{
    int lengths = 0, encodings = 0;
    for (int i = 0; i < info->num_headers; i++) {
        lengths += strcasecmp(info->http_headers[i].name, "Content-Length") == 0;
        encodings += strcasecmp(info->http_headers[i].name, "Transfer-Encoding") == 0;
    }
    return lengths + encodings > 1;
}

enum body_result { BODY_READ, BODY_TOO_LARGE, BODY_TOO_SLOW, BODY_BROKEN };

/* A client that sends a byte now and then would hold its worker for ever. */
static bool is_too_slow(const struct httpd *httpd, int64_t started_ns, size_t size)
{
    int64_t taken_ms = (monotonic_ns() - started_ns) / 1000000;
    return taken_ms > httpd->request_timeout_ms + (int64_t)(size / SLOWEST_BYTES_PER_MS);
}

static enum body_result read_body(struct worker *worker, struct mg_connection *connection,
                                  size_t maximum)
{
    const struct mg_request_info *info = mg_get_request_info(connection);
    struct buffer *body = &worker->request_body;
    bool chunked = mg_get_header(connection, "Transfer-Encoding") != NULL;
    if (!chunked && info->content_length <= 0)
        return BODY_READ;
    if (!chunked && (unsigned long long)info->content_length > maximum)
        return BODY_TOO_LARGE;
    const char *expect = mg_get_header(connection, "Expect");
    if (expect && strcasecmp(expect, "100-continue") == 0)
        mg_write(connection, "HTTP/1.1 100 Continue\r\n\r\n", 25);
    int64_t started_ns = monotonic_ns();
    for (;;) {
        bool complete = !chunked && body->size == (size_t)info->content_length;
        if (!complete && is_too_slow(worker->httpd, started_ns, body->size))
            return BODY_TOO_SLOW;
        char *place = buffer_reserve(body, READ_STEP);
        int got = place ? mg_read(connection, place, READ_STEP) : -1;
        if (got < 0)
            return BODY_BROKEN;
        if (got == 0)
            break;
        body->size += (size_t)got;
        body->data[body->size] = '\0';
        if (body->size > maximum)
            return BODY_TOO_LARGE;
    }
    bool whole = chunked || body->size == (size_t)info->content_length;
    return whole ? BODY_READ : BODY_BROKEN;
}

/* ---- the route ---- */

static bool path_matches(const char *pattern, const char *path)
{
    size_t size = strlen(pattern);
    if (size >= 2 && strcmp(pattern + size - 2, "/*") == 0)
        return strncmp(pattern, path, size - 1) == 0;
    return strcmp(pattern, path) == 0;
}

/* NULL: *allowed says which methods the path has ("" when it is not known at all). */
static const struct http_route *find_route(const struct httpd *httpd, const char *method,
                                           const char *path, char *allowed, size_t size)
{
    bool head = strcmp(method, "HEAD") == 0;
    allowed[0] = '\0';
    for (const struct http_route *route = httpd->routes; route->method; route++) {
        if (!path_matches(route->path, path))
            continue;
        if (strcmp(route->method, method) == 0 || (head && strcmp(route->method, "GET") == 0))
            return route;
        size_t used = strlen(allowed);
        bool get = strcmp(route->method, "GET") == 0;
        if (used < size)
            snprintf(allowed + used, size - used, "%s%s", used ? ", " : "",
                     get ? "GET, HEAD" : route->method);
    }
    return NULL;
}

static void refuse_method(struct http_response *response, const char *method, const char *path,
                          const char *allowed)
{
    if (!allowed[0]) {
        http_problem(response, 404, "Not found",
                     "there is nothing at %.200s; GET "
                     "/api/openapi.json lists what there is",
                     path);
        return;
    }
    buffer_printf(response->headers, "Allow: %s\r\n", allowed);
    if (strcmp(method, "OPTIONS") == 0)
        response->status = 204;
    else
        http_problem(response, 405, "Method not allowed", "%.200s takes %s", path, allowed);
}

static bool is_welcome(struct httpd *httpd, struct mg_connection *connection,
                       const struct http_route *route, struct http_response *response)
{
    const char *host = mg_get_header(connection, "Host");
    const char *reason = route->changes_state
                             ? httpd_guard(httpd, host, mg_get_header(connection, "Origin"),
                                           mg_get_header(connection, "Sec-Fetch-Site"))
                             : httpd_guard_read(httpd, host);
    if (!reason)
        return true;
    atomic_fetch_add_explicit(&httpd->refused, 1, memory_order_relaxed);
    http_problem(response, 403, "Forbidden", "%s", reason);
    return false;
}

/* Reads the body and runs the handler. True: the connection cannot go on after the answer. */
static bool handle(struct worker *worker, struct mg_connection *connection,
                   const struct http_route *route, struct http_request *request,
                   struct http_response *response)
{
    if (!is_welcome(worker->httpd, connection, route, response))
        return true;
    enum body_result result = read_body(worker, connection, route->max_body);
    if (result == BODY_TOO_LARGE) {
        http_problem(response, 413, "Body too large", "%s takes at most %zu bytes", route->path,
                     route->max_body);
        return true;
    }
    if (result == BODY_TOO_SLOW) {
        http_problem(response, 408, "Request timeout", "the body came too slowly");
        return true;
    }
    if (result == BODY_BROKEN) {
        http_problem(response, 400, "Body incomplete", "the body ended before its stated length");
        return true;
    }
    request->body = buffer_slice(&worker->request_body);
    route->handle(worker->httpd->context, request, response);
    return route->closes;
}

static void answer(struct worker *worker, struct mg_connection *connection,
                   const struct mg_request_info *info, struct http_response *response)
{
    struct httpd *httpd = worker->httpd;
    struct http_request request = {
        .method = info->request_method,
        .path = info->local_uri ? info->local_uri : "",
        .query = info->query_string ? info->query_string : "",
        .remote = info->remote_addr,
        .connection = connection,
    };
    bool close_after = true;
    char allowed[96];
    const struct http_socket_route *socket = httpd_find_socket(httpd, connection, request.path);
    const struct http_route *route =
        find_route(httpd, request.method, request.path, allowed, sizeof allowed);
    if (atomic_load(&httpd->draining)) {
        buffer_append_text(response->headers, "Retry-After: 1\r\n");
        http_problem(response, 503, "Shutting down", "this instance is about to end");
    } else if (is_ambiguous(info)) {
        http_problem(response, 400, "Not understood",
                     "the length of the body is given more than once");
    } else if (socket) {
        if (httpd_hand_over(httpd, connection, socket, response))
            return;
    } else if (!route) {
        refuse_method(response, request.method, request.path, allowed);
        close_after =
            info->content_length > 0 || mg_get_header(connection, "Transfer-Encoding") != NULL;
    } else {
        close_after = handle(worker, connection, route, &request, response);
    }
    send_response(worker, connection, response, close_after);
    if (close_after && response->status != 408 && !mg_get_header(connection, "Expect"))
        drain(connection);
}

/* ---- a worker's buffers ---- */

struct worker *httpd_worker_create(struct httpd *httpd)
{
    struct worker *worker = calloc(1, sizeof *worker);
    if (!worker)
        return NULL;
    worker->httpd = httpd;
    buffer_init(&worker->request_body, httpd->max_body + READ_STEP);
    buffer_init(&worker->body, MAX_RESPONSE);
    buffer_init(&worker->headers, MAX_HEADERS);
    buffer_init(&worker->out, MAX_RESPONSE + 2 * MAX_HEADERS);
    return worker;
}

void httpd_worker_destroy(struct worker *worker)
{
    if (!worker)
        return;
    buffer_free(&worker->request_body);
    buffer_free(&worker->body);
    buffer_free(&worker->headers);
    buffer_free(&worker->out);
    free(worker);
}

static void reuse(struct buffer *buffer)
{
    if (buffer->capacity > KEPT_CAPACITY)
        buffer_free(buffer);
    buffer_reset(buffer);
}

int httpd_serve(struct mg_connection *connection)
{
    struct worker *worker = mg_get_thread_pointer(connection);
    const struct mg_request_info *info = mg_get_request_info(connection);
    if (!worker) {
        mg_disable_connection_keep_alive(connection);
        return 503; /* no memory even for the buffers: the peer sees the connection close */
    }
    struct httpd *httpd = worker->httpd;
    atomic_fetch_add(&httpd->in_flight, 1);
    reuse(&worker->request_body);
    reuse(&worker->body);
    reuse(&worker->headers);
    reuse(&worker->out);
    struct http_response response = {
        .status = 200,
        .content_type = "application/json",
        .body = &worker->body,
        .headers = &worker->headers,
    };
    answer(worker, connection, info, &response);
    atomic_fetch_sub(&httpd->in_flight, 1);
    atomic_fetch_add_explicit(&httpd->requests, 1, memory_order_relaxed);
    return response.status;
}

/* ---- refusing outside of a route ---- */

void httpd_refuse(struct mg_connection *connection, int status, const char *title,
                  const char *detail)
{
    struct buffer body, headers;
    buffer_init(&body, 4096);
    buffer_init(&headers, 0);
    struct http_response response = {.body = &body, .headers = &headers};
    http_problem(&response, status, title, "%s", detail);
    mg_disable_connection_keep_alive(connection);
    struct buffer out;
    buffer_init(&out, 8192);
    buffer_printf(&out,
                  "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n%s"
                  "Cache-Control: no-store\r\nConnection: close\r\n\r\n",
                  status, reason_phrase(connection, status), response.content_type, body.size,
                  status == 503 ? "Retry-After: 5\r\n" : "");
    buffer_append_slice(&out, buffer_slice(&body));
    if (!out.overflow)
        mg_write(connection, out.data, out.size);
    buffer_free(&out);
    buffer_free(&body);
}

int httpd_refuse_nonsense(struct mg_connection *connection, int status, const char *message)
{
    httpd_refuse(connection, status, reason_phrase(connection, status),
                 message ? message : "the request could not be understood");
    return 0;
}
