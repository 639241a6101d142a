/* A WebSocket's first request (RFC 6455, section 4): who may have one, and the hand-over from the
 * worker that read it to the thread that serves them all. Runs in civetweb's workers. */
#include <string.h>
#include <strings.h>

#include "engine/base/httpd_priv.h"
#include "engine/base/websocket.h"

#define ACCEPT_SIZE 64

static const struct http_socket_route *find_path(const struct httpd *httpd, const char *path)
{
    const struct http_socket_route *route = httpd->socket_routes;
    while (route && route->path && strcmp(route->path, path) != 0)
        route++;
    return route && route->path ? route : NULL;
}

const struct http_socket_route *
httpd_find_socket(const struct httpd *httpd, struct mg_connection *connection, const char *path)
{
    const char *upgrade = mg_get_header(connection, "Upgrade");
    const char *kind = mg_get_header(connection, "Connection");
    if (!upgrade || strcasecmp(upgrade, "websocket") != 0 || !kind || !strcasestr(kind, "upgrade"))
        return NULL;
    return find_path(httpd, path);
}

bool httpd_wants_upgrade(const struct httpd *httpd, const char *path,
                         struct http_response *response)
{
    if (!find_path(httpd, path))
        return false;
    buffer_append_text(response->headers, "Upgrade: websocket\r\n");
    http_problem(response, 426, "Upgrade required", "%.200s is a WebSocket", path);
    return true;
}

/* True when the request is one that this server understands and its sender may have a socket. */
static bool is_acceptable(struct httpd *httpd, struct mg_connection *connection,
                          struct buffer *accept, struct http_response *response)
{
    const char *version = mg_get_header(connection, "Sec-WebSocket-Version");
    const char *refusal = httpd_guard(httpd, mg_get_header(connection, "Host"),
                                      mg_get_header(connection, "Origin"), NULL);
    if (refusal) {
        atomic_fetch_add_explicit(&httpd->refused, 1, memory_order_relaxed);
        http_problem(response, 403, "Forbidden", "%s", refusal);
    } else if (strcmp(mg_get_request_info(connection)->request_method, "GET") != 0) {
        http_problem(response, 400, "Not understood", "a WebSocket begins with GET");
    } else if (!version || strcmp(version, "13") != 0) {
        buffer_append_text(response->headers, "Sec-WebSocket-Version: 13\r\n");
        http_problem(response, 426, "Upgrade required", "Sec-WebSocket-Version is 13 here");
    } else if (websocket_accept(mg_get_header(connection, "Sec-WebSocket-Key"), accept)) {
        http_problem(response, 400, "Not understood",
                     "Sec-WebSocket-Key is not 16 bytes in base64");
    } else {
        return true;
    }
    return false;
}

static bool take_place(struct httpd *httpd, struct http_response *response)
{
    if (atomic_fetch_add(&httpd->n_sockets, 1) < httpd->max_sockets)
        return true;
    atomic_fetch_sub(&httpd->n_sockets, 1);
    atomic_fetch_add_explicit(&httpd->sockets_refused, 1, memory_order_relaxed);
    buffer_append_text(response->headers, "Retry-After: 5\r\n");
    http_problem(response, 503, "Too many live connections",
                 "the %d WebSockets that this server holds are taken; ask for the path by GET "
                 "instead, or try again later",
                 httpd->max_sockets);
    return false;
}

static bool send_agreement(struct mg_connection *connection, struct slice accept)
{
    char text[256];
    int size = snprintf(text, sizeof text,
                        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                        "Connection: Upgrade\r\nSec-WebSocket-Accept: " SLICE_FORMAT "\r\n\r\n",
                        SLICE_ARGS(accept));
    return mg_write(connection, text, (size_t)size) == size;
}

bool httpd_hand_over(struct httpd *httpd, struct mg_connection *connection,
                     const struct http_socket_route *route, struct http_response *response)
{
    struct buffer accept;
    buffer_init(&accept, ACCEPT_SIZE);
    bool agreed =
        is_acceptable(httpd, connection, &accept, response) && take_place(httpd, response);
    if (agreed) {
        struct mg_detached link;
        response->status = 101;
        mg_disable_connection_keep_alive(connection);
        if (send_agreement(connection, buffer_slice(&accept))) {
            mg_detach(connection, &link);
            viewers_adopt(httpd->viewers, route, &link);
        } else {
            atomic_fetch_sub(&httpd->n_sockets, 1); /* it is gone already */
        }
    }
    buffer_free(&accept);
    return agreed;
}
