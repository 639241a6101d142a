/* WebSockets (RFC 6455, framing by civetweb): pictures for screens, sent at the pace of each.
 *
 * Every socket has a sender thread with a small mailbox: a few messages meant for it alone, which
 * are kept, and room for one broadcast, which a newer one replaces. So a client that is slow or
 * gone costs its own sender's patience (civetweb's write timeout) and nothing else. The frame of a
 * broadcast is copied once and counted by its readers.
 *
 * Threads: callbacks run in the civetweb worker that belongs to the socket, frames leave from the
 * sender, broadcasts come from anywhere. Lock order: sockets_lock, then a socket's own. */
#include "engine/base/httpd_priv.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define MAX_DIRECT   8
#define MAX_INCOMING ((size_t)64 << 10)
#define GOODBYE_MS   500        /* how long a stop waits for the close frames to leave */
#define GOING_AWAY   "\x03\xe9" /* close code 1001 */

struct message {
    atomic_int readers;
    size_t size;
    char text[];
};

struct http_socket {
    struct http_socket *next;
    const struct socket_binding *binding;
    struct mg_connection *connection;
    struct thread *sender;
    struct lock lock;
    pthread_cond_t changed;
    struct message *direct[MAX_DIRECT]; /* oldest first */
    int n_direct;
    struct message *latest; /* the newest broadcast not sent yet */
    bool closing;           /* no more is sent; the worker is told to end */
    bool goodbye;           /* with a close frame, because the server stops */
};

static struct message *message_create(struct slice text)
{
    struct message *message = malloc(sizeof *message + text.size);
    if (!message)
        return NULL;
    atomic_init(&message->readers, 1);
    message->size = text.size;
    if (text.size)
        memcpy(message->text, text.data, text.size);
    return message;
}

static void message_release(struct message *message)
{
    if (message && atomic_fetch_sub(&message->readers, 1) == 1)
        free(message);
}

static struct message *message_acquire(struct message *message)
{
    atomic_fetch_add(&message->readers, 1);
    return message;
}

/* ---- the sender ---- */

static struct message *next_message(struct http_socket *socket)
{
    lock_take(&socket->lock);
    while (!socket->closing && !socket->n_direct && !socket->latest)
        condition_wait(&socket->changed, &socket->lock, -1);
    struct message *message = NULL;
    if (socket->closing) {
        /* nothing more */
    } else if (socket->n_direct) {
        message = socket->direct[0];
        socket->n_direct--;
        memmove(socket->direct, socket->direct + 1,
                (size_t)socket->n_direct * sizeof *socket->direct);
    } else {
        message = socket->latest;
        socket->latest = NULL;
    }
    lock_release(&socket->lock);
    return message;
}

static void send_frames(void *context)
{
    struct http_socket *socket = context;
    bool reached = true;
    for (struct message *message; reached && (message = next_message(socket));) {
        reached = mg_websocket_write(socket->connection, MG_WEBSOCKET_OPCODE_TEXT, message->text,
                                     message->size) > 0;
        message_release(message);
    }
    if (reached && socket->goodbye)
        mg_websocket_write(socket->connection, MG_WEBSOCKET_OPCODE_CONNECTION_CLOSE, GOING_AWAY, 2);
    /* The worker ends the connection when it next looks: at the latest at its ping. */
    mg_disable_connection_keep_alive(socket->connection);
    atomic_fetch_sub(&socket->binding->httpd->n_senders, 1);
}

static void close_socket(struct http_socket *socket, bool goodbye)
{
    lock_take(&socket->lock);
    if (!socket->closing) {
        socket->goodbye = goodbye;
        socket->closing = true;
    }
    pthread_cond_signal(&socket->changed);
    lock_release(&socket->lock);
}

void http_socket_send(struct http_socket *socket, struct slice text)
{
    struct message *message = message_create(text);
    lock_take(&socket->lock);
    bool taken = message && !socket->closing && socket->n_direct < MAX_DIRECT;
    if (taken)
        socket->direct[socket->n_direct++] = message;
    else
        socket->closing = true;
    pthread_cond_signal(&socket->changed);
    lock_release(&socket->lock);
    if (!taken)
        message_release(message);
}

static void offer_latest(struct httpd *httpd, struct http_socket *socket, struct message *message)
{
    lock_take(&socket->lock);
    struct message *unsent = socket->latest;
    socket->latest = message_acquire(message);
    pthread_cond_signal(&socket->changed);
    lock_release(&socket->lock);
    if (unsent)
        atomic_fetch_add_explicit(&httpd->frames_replaced, 1, memory_order_relaxed);
    message_release(unsent);
}

void httpd_broadcast(struct httpd *httpd, const char *path, struct slice text)
{
    if (atomic_load(&httpd->n_sockets) == 0)
        return;
    struct message *message = message_create(text);
    if (!message)
        return;
    lock_take(&httpd->sockets_lock);
    for (struct http_socket *socket = httpd->sockets; socket; socket = socket->next) {
        if (strcmp(socket->binding->route->path, path) == 0)
            offer_latest(httpd, socket, message);
    }
    lock_release(&httpd->sockets_lock);
    message_release(message);
}

/* ---- a socket's life, in its worker ---- */

bool httpd_is_handshake(const struct httpd *httpd, struct mg_connection *connection,
                        const char *path)
{
    const char *upgrade = mg_get_header(connection, "Upgrade");
    const char *kind = mg_get_header(connection, "Connection");
    if (!upgrade || strcasecmp(upgrade, "websocket") != 0 || !kind || !strcasestr(kind, "upgrade"))
        return false;
    for (size_t i = 0; i < httpd->n_bindings; i++) {
        if (path && strcmp(httpd->bindings[i].route->path, path) == 0)
            return true;
    }
    return false;
}

/* The handshake has arrived: 0 lets it go on. */
static int on_connect(const struct mg_connection *connection, void *context)
{
    struct socket_binding *binding = context;
    struct httpd *httpd = binding->httpd;
    /* Only the type of civetweb's callback is const; an answer may be written here. */
    struct mg_connection *writable = (struct mg_connection *)(uintptr_t)connection;
    const char *reason = httpd_guard(httpd, mg_get_header(connection, "Host"),
                                     mg_get_header(connection, "Origin"), NULL);
    if (reason) {
        atomic_fetch_add_explicit(&httpd->refused, 1, memory_order_relaxed);
        httpd_refuse(writable, 403, "Forbidden", reason);
        return 1;
    }
    struct worker *worker = mg_get_thread_pointer(connection);
    if (!worker || atomic_fetch_add(&httpd->n_sockets, 1) >= httpd->max_sockets) {
        if (worker)
            atomic_fetch_sub(&httpd->n_sockets, 1);
        httpd_refuse(writable, 503, "Too many live connections",
                     "as many WebSockets as this server holds are open; ask for the path by GET "
                     "instead, or try again later");
        return 1;
    }
    worker->reserved = true;
    return 0;
}

static void socket_destroy(struct http_socket *socket)
{
    for (int i = 0; i < socket->n_direct; i++)
        message_release(socket->direct[i]);
    message_release(socket->latest);
    pthread_cond_destroy(&socket->changed);
    lock_destroy(&socket->lock);
    free(socket);
}

static void list_socket(struct httpd *httpd, struct http_socket *socket)
{
    lock_take(&httpd->sockets_lock);
    socket->next = httpd->sockets;
    httpd->sockets = socket;
    lock_release(&httpd->sockets_lock);
}

static void unlist_socket(struct httpd *httpd, const struct http_socket *socket)
{
    lock_take(&httpd->sockets_lock);
    struct http_socket **place = &httpd->sockets;
    while (*place && *place != socket)
        place = &(*place)->next;
    if (*place)
        *place = socket->next;
    lock_release(&httpd->sockets_lock);
}

static void on_ready(struct mg_connection *connection, void *context)
{
    struct socket_binding *binding = context;
    struct http_socket *socket = calloc(1, sizeof *socket);
    if (!socket) {
        mg_disable_connection_keep_alive(connection);
        return;
    }
    socket->binding = binding;
    socket->connection = connection;
    lock_init(&socket->lock, "websocket");
    condition_init(&socket->changed);
    mg_set_user_connection_data(connection, socket);
    /* Listed before its first message and sending only after it: no broadcast is missed, and none
     * comes before. */
    list_socket(binding->httpd, socket);
    if (binding->route->on_open)
        binding->route->on_open(binding->httpd->context, socket);
    atomic_fetch_add(&binding->httpd->n_senders, 1);
    if (thread_start("ws-sender", send_frames, socket, &socket->sender, NULL) != STATUS_OK) {
        atomic_fetch_sub(&binding->httpd->n_senders, 1);
        mg_disable_connection_keep_alive(connection);
    }
    if (atomic_load(&binding->httpd->draining))
        close_socket(socket, true);
}

static int on_data(struct mg_connection *connection, int flags, char *data, size_t size,
                   void *context)
{
    struct socket_binding *binding = context;
    struct http_socket *socket = mg_get_user_connection_data(connection);
    int opcode = flags & 0xf;
    bool final = flags & 0x80;
    if (!socket || opcode == MG_WEBSOCKET_OPCODE_CONNECTION_CLOSE || !final || size > MAX_INCOMING)
        return 0;
    if (opcode == MG_WEBSOCKET_OPCODE_TEXT && binding->route->on_text)
        binding->route->on_text(binding->httpd->context, socket, slice_make(data, size));
    return 1;
}

static void on_close(const struct mg_connection *connection, void *context)
{
    struct socket_binding *binding = context;
    struct http_socket *socket = mg_get_user_connection_data(connection);
    if (!socket)
        return;
    unlist_socket(binding->httpd, socket);
    close_socket(socket, false);
    thread_join(socket->sender);
    socket_destroy(socket);
}

/* ---- the server's side ---- */

enum status httpd_sockets_create(struct httpd *httpd, const struct http_socket_route *routes,
                                 struct error *error)
{
    lock_init(&httpd->sockets_lock, "websockets");
    size_t n = 0;
    while (routes && routes[n].path)
        n++;
    httpd->bindings = calloc(n ? n : 1, sizeof *httpd->bindings);
    if (!httpd->bindings)
        return error_set(error, STATUS_MEMORY, "out of memory");
    httpd->n_bindings = n;
    for (size_t i = 0; i < n; i++)
        httpd->bindings[i] = (struct socket_binding){.httpd = httpd, .route = &routes[i]};
    return STATUS_OK;
}

void httpd_sockets_bind(struct httpd *httpd)
{
    for (size_t i = 0; i < httpd->n_bindings; i++)
        mg_set_websocket_handler(httpd->mg, httpd->bindings[i].route->path, on_connect, on_ready,
                                 on_data, on_close, &httpd->bindings[i]);
}

void httpd_sockets_close(struct httpd *httpd)
{
    lock_take(&httpd->sockets_lock);
    for (struct http_socket *socket = httpd->sockets; socket; socket = socket->next)
        close_socket(socket, true);
    lock_release(&httpd->sockets_lock);
    for (int waited = 0; waited < GOODBYE_MS && atomic_load(&httpd->n_senders) > 0; waited++)
        usleep(1000);
}

void httpd_sockets_destroy(struct httpd *httpd)
{
    assert(!httpd->sockets);
    free(httpd->bindings);
    if (httpd->sockets_lock.name)
        lock_destroy(&httpd->sockets_lock);
}
