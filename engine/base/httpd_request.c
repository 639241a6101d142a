/* One request on a worker: its body read whole, its route found, its handler run, its answer sent.
 *
 * The answer leaves with one single write (head and body in one buffer: two writes cost a delayed
 * acknowledgement, 40 ms, on a kept connection). Runs in civetweb's workers. */
#include "engine/base/httpd_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/base/clock.h"

#define KEPT_CAPACITY ((size_t)1 << 20) /* larger buffers are given back after the request */
#define DRAIN_BYTES   ((size_t)1 << 20) /* of a refused body, read so that the answer arrives */
#define DRAIN_NS      INT64_C(2000000000)
#define READ_STEP     ((size_t)16 << 10)

/* ---- the answer ---- */

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
    if (monotonic_ns() - worker->connected_ns < HTTPD_SHARE_NS)
        return false;
    atomic_fetch_add_explicit(&httpd->turned_away, 1, memory_order_relaxed);
    return true;
}

static void send_response(struct worker *worker, struct mg_connection *connection,
                          struct http_response *response, bool close_after)
{
    const struct mg_request_info *info = mg_get_request_info(connection);
    httpd_bound_response(response);
    bool close = close_after || !client_keeps(connection, info) ||
                 atomic_load(&worker->httpd->draining) || had_its_share(worker);
    const char *keep = close               ? "Connection: close\r\n"
                       : is_http_1_0(info) ? "Connection: keep-alive\r\n"
                                           : "";
    bool head_only = strcmp(info->request_method, "HEAD") == 0;
    httpd_assemble(response, httpd_date(&worker->date), head_only, keep, &worker->out);
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

/* What keeps this request from being read in one way only, or NULL. Decodes its path. */
static const char *read_head(struct worker *worker, const struct mg_request_info *info,
                             const char **path)
{
    struct httpd_heads heads = {0};
    const char *encoded = info->local_uri ? info->local_uri : "";
    size_t size = strlen(encoded);
    char *place = buffer_reserve(&worker->path, size + 1);
    *path = "";
    if (!place || httpd_decode_path(encoded, size, place) < 0)
        return "the target is no path";
    *path = place;
    for (int i = 0; i < info->num_headers; i++)
        httpd_count_head(&heads, info->http_headers[i].name);
    return httpd_contradiction(&heads);
}

enum body_result { BODY_READ, BODY_TOO_LARGE, BODY_TOO_SLOW, BODY_BROKEN };

/* A client that sends a byte now and then would hold its worker for ever. */
static bool is_too_slow(const struct httpd *httpd, int64_t started_ns, size_t size)
{
    int64_t taken_ms = (monotonic_ns() - started_ns) / 1000000;
    return taken_ms > httpd->request_timeout_ms + (int64_t)(size / HTTPD_SLOWEST_BYTES_PER_MS);
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
    door_wait(worker);
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
        door_arrived(worker, body->size);
        if (body->size > maximum)
            return BODY_TOO_LARGE;
    }
    bool whole = chunked || body->size == (size_t)info->content_length;
    return whole ? BODY_READ : BODY_BROKEN;
}

/* Reads the body and runs the handler. True: the connection cannot go on after the answer. */
static bool handle(struct worker *worker, struct mg_connection *connection,
                   const struct http_route *route, struct http_request *request,
                   struct http_response *response)
{
    if (!httpd_is_welcome(worker->httpd, request, route, response) ||
        (route->closes && !httpd_is_in_time(worker->httpd, request, response)))
        return true;
    enum body_result result = read_body(worker, connection, route->max_body);
    if (door_done(worker) && result == BODY_BROKEN)
        result = BODY_TOO_SLOW;
    if (result == BODY_TOO_LARGE) {
        httpd_refuse_large(route, response);
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
    httpd_run(worker->httpd, route, request, response);
    if (route->closes && strcmp(route->method, "GET") == 0)
        httpd_economize(request, response, &worker->packed);
    return route->closes;
}

static const char *header_of(const void *connection, const char *name)
{
    return mg_get_header(connection, name);
}

static void answer(struct worker *worker, struct mg_connection *connection,
                   const struct mg_request_info *info, struct http_response *response)
{
    struct httpd *httpd = worker->httpd;
    const char *path;
    const char *problem = read_head(worker, info, &path);
    struct http_request request = {
        .method = info->request_method,
        .path = path,
        .query = info->query_string ? info->query_string : "",
        .remote = info->remote_addr,
        .connection = connection,
        .header = header_of,
    };
    bool close_after = true;
    struct httpd_allowed allowed;
    const struct http_socket_route *socket = httpd_find_socket(httpd, connection, request.path);
    const struct http_route *route =
        httpd_find_route(httpd, request.method, request.path, &allowed);
    if (atomic_load(&httpd->draining)) {
        httpd_refuse_draining(response);
    } else if (problem) {
        http_problem(response, 400, "Not understood", "%s", problem);
    } else if (socket) {
        if (httpd_hand_over(httpd, connection, socket, response))
            return;
    } else if (!route) {
        if (!httpd_wants_upgrade(httpd, request.path, response))
            httpd_refuse_method(&request, &allowed, response);
        close_after =
            info->content_length > 0 || mg_get_header(connection, "Transfer-Encoding") != NULL;
    } else {
        close_after = handle(worker, connection, route, &request, response);
    }
    send_response(worker, connection, response, close_after);
    if (close_after && response->status != 408 && !mg_get_header(connection, "Expect")) {
        door_wait(worker);
        drain(connection);
    }
}

/* ---- a worker's buffers ---- */

struct worker *httpd_worker_create(struct httpd *httpd)
{
    struct worker *worker = calloc(1, sizeof *worker);
    if (!worker)
        return NULL;
    worker->httpd = httpd;
    buffer_init(&worker->path, HTTPD_MAX_HEADERS);
    buffer_init(&worker->request_body, httpd->max_body + READ_STEP);
    buffer_init(&worker->body, HTTPD_MAX_RESPONSE);
    buffer_init(&worker->packed, HTTPD_MAX_RESPONSE);
    buffer_init(&worker->headers, HTTPD_MAX_HEADERS);
    buffer_init(&worker->out, HTTPD_MAX_RESPONSE + 2 * HTTPD_MAX_HEADERS);
    door_add_worker(worker);
    return worker;
}

void httpd_worker_destroy(struct worker *worker)
{
    if (!worker)
        return;
    door_remove_worker(worker);
    buffer_free(&worker->path);
    buffer_free(&worker->request_body);
    buffer_free(&worker->body);
    buffer_free(&worker->packed);
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
    door_done(worker);
    reuse(&worker->request_body);
    reuse(&worker->body);
    reuse(&worker->packed);
    reuse(&worker->headers);
    reuse(&worker->out);
    struct http_response response = {
        .status = 200,
        .content_type = "application/json",
        .body = &worker->body,
        .headers = &worker->headers,
    };
    answer(worker, connection, info, &response);
    door_wait(worker);
    atomic_fetch_sub(&httpd->in_flight, 1);
    atomic_fetch_add_explicit(&httpd->requests, 1, memory_order_relaxed);
    return response.status;
}

/* ---- refusing outside of a route ---- */

/* An answer outside of the handlers: a problem document, after which the connection is closed. */
static void refuse(struct mg_connection *connection, int status, const char *title,
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
                  status, httpd_phrase(status), response.content_type, body.size,
                  status == 503 ? "Retry-After: 5\r\n" : "");
    buffer_append_slice(&out, buffer_slice(&body));
    if (!out.overflow)
        mg_write(connection, out.data, out.size);
    buffer_free(&out);
    buffer_free(&body);
}

int httpd_refuse_nonsense(struct mg_connection *connection, int status, const char *message)
{
    refuse(connection, status, httpd_phrase(status),
           message ? message : "the request could not be understood");
    return 0;
}
