/* One thread that serves every open WebSocket.
 *
 * In: connections whose handshake is done (from the server's workers) and broadcasts (from
 * anywhere), both left in an inbox under a lock; an eventfd wakes the thread. The sockets
 * themselves, httpd_socket.c, belong to the thread alone, so that one more costs some hundred bytes
 * and no thread, and nobody ever waits for a client. */
#include "engine/base/httpd_viewers.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/base/httpd_socket.h"
#include "engine/base/thread.h"

#define MAX_ROUTES 8
#define MAX_EVENTS 128
#define READ_SIZE  ((size_t)64 << 10)
#define SWEEP_MS   1000
#define GOODBYE_NS INT64_C(500000000) /* for all close frames to leave, when the server stops */

struct viewers {
    const struct http_socket_route *routes;
    struct socket_host host;
    int wake;
    struct thread *thread;
    struct lock lock; /* of the inbox */
    struct http_socket *arrived;
    struct frame *broadcast[MAX_ROUTES]; /* by the place of its route */
    bool stopping;
    struct http_socket *sockets; /* the thread's own, from here on */
    char incoming[READ_SIZE];
};

/* ---- the list ---- */

static void list_socket(struct viewers *viewers, struct http_socket *socket)
{
    socket->next = viewers->sockets;
    socket->previous = NULL;
    if (socket->next)
        socket->next->previous = socket;
    viewers->sockets = socket;
}

static void destroy_if_gone(struct viewers *viewers, struct http_socket *socket)
{
    if (socket->phase != SOCKET_GONE)
        return;
    if (socket->previous)
        socket->previous->next = socket->next;
    else
        viewers->sockets = socket->next;
    if (socket->next)
        socket->next->previous = socket->previous;
    socket_destroy(socket);
}

/* ---- the thread ---- */

struct delivery { /* what the inbox held */
    struct http_socket *arrived;
    struct frame *broadcast[MAX_ROUTES];
    bool stopping;
};

static void take_delivery(struct viewers *viewers, struct delivery *delivery)
{
    lock_take(&viewers->lock);
    delivery->arrived = viewers->arrived;
    delivery->stopping = viewers->stopping;
    memcpy(delivery->broadcast, viewers->broadcast, sizeof delivery->broadcast);
    viewers->arrived = NULL;
    memset(viewers->broadcast, 0, sizeof viewers->broadcast);
    lock_release(&viewers->lock);
}

static void spread(struct viewers *viewers, size_t route, struct frame *frame, int64_t now_ns)
{
    for (struct http_socket *socket = viewers->sockets, *next; socket; socket = next) {
        next = socket->next;
        if (socket->route == &viewers->routes[route])
            socket_offer(socket, frame, now_ns);
        destroy_if_gone(viewers, socket);
    }
}

static void handle_delivery(struct viewers *viewers, const struct delivery *delivery,
                            int64_t now_ns)
{
    for (size_t i = 0; i < MAX_ROUTES; i++) {
        if (delivery->broadcast[i])
            spread(viewers, i, delivery->broadcast[i], now_ns);
        frame_release(delivery->broadcast[i]);
    }
    for (struct http_socket *socket = delivery->arrived, *next; socket; socket = next) {
        next = socket->next;
        list_socket(viewers, socket);
        socket_welcome(socket, now_ns);
        destroy_if_gone(viewers, socket);
    }
}

static void sweep(struct viewers *viewers, int64_t now_ns)
{
    for (struct http_socket *socket = viewers->sockets, *next; socket; socket = next) {
        next = socket->next;
        socket_look_at_clock(socket, now_ns);
        destroy_if_gone(viewers, socket);
    }
}

/* Waits for something to do; n events, of which the inbox's own is no socket's. */
static void turn(struct viewers *viewers, struct delivery *delivery, int timeout_ms)
{
    struct epoll_event events[MAX_EVENTS];
    int n = epoll_wait(viewers->host.epoll, events, MAX_EVENTS, timeout_ms);
    int64_t now_ns = monotonic_ns();
    for (int i = 0; i < n; i++) {
        uint64_t rung;
        struct http_socket *socket = events[i].data.ptr;
        if (socket) {
            socket_serve(socket, events[i].events, now_ns);
            destroy_if_gone(viewers, socket);
        } else if (read(viewers->wake, &rung, sizeof rung) < 0) {
            assert(errno == EAGAIN || errno == EINTR);
        }
    }
    take_delivery(viewers, delivery);
    handle_delivery(viewers, delivery, now_ns);
}

static bool some_are_served(const struct viewers *viewers)
{
    for (const struct http_socket *socket = viewers->sockets; socket; socket = socket->next) {
        if (socket->phase != SOCKET_FINISHED)
            return true;
    }
    return false;
}

static void say_goodbye(struct viewers *viewers)
{
    struct delivery delivery;
    int64_t now_ns = monotonic_ns(), end_ns = now_ns + GOODBYE_NS;
    for (struct http_socket *socket = viewers->sockets, *next; socket; socket = next) {
        next = socket->next;
        socket_dismiss(socket, WEBSOCKET_GOING_AWAY, now_ns);
        destroy_if_gone(viewers, socket);
    }
    while (some_are_served(viewers) && monotonic_ns() < end_ns)
        turn(viewers, &delivery, 10);
}

static void run(void *context)
{
    struct viewers *viewers = context;
    struct delivery delivery = {0};
    int64_t swept_ns = monotonic_ns();
    while (!delivery.stopping) {
        turn(viewers, &delivery, viewers->sockets ? SWEEP_MS : -1);
        if (monotonic_ns() - swept_ns < SWEEP_MS * INT64_C(1000000))
            continue;
        swept_ns = monotonic_ns();
        sweep(viewers, swept_ns);
    }
    say_goodbye(viewers);
}

/* ---- from other threads ---- */

static void ring(struct viewers *viewers)
{
    uint64_t one = 1;
    while (write(viewers->wake, &one, sizeof one) < 0 && errno == EINTR) {
    }
}

void viewers_adopt(struct viewers *viewers, const struct http_socket_route *route,
                   const struct mg_detached *link)
{
    struct http_socket *socket = socket_create(&viewers->host, route, link);
    if (!socket) {
        struct mg_detached lost = *link;
        mg_detached_close(&lost);
        atomic_fetch_sub(viewers->host.n_open, 1);
        return;
    }
    lock_take(&viewers->lock);
    socket->next = viewers->arrived;
    viewers->arrived = socket;
    lock_release(&viewers->lock);
    ring(viewers);
}

void viewers_broadcast(struct viewers *viewers, const char *path, uint64_t number,
                       struct slice text)
{
    size_t route = 0;
    while (viewers->routes[route].path && strcmp(viewers->routes[route].path, path) != 0)
        route++;
    int n_open = atomic_load(viewers->host.n_open);
    if (!viewers->routes[route].path || n_open == 0)
        return;
    struct frame *frame = frame_create(WEBSOCKET_TEXT, text);
    if (!frame)
        return;
    frame->number = number;
    lock_take(&viewers->lock);
    struct frame *unseen = viewers->broadcast[route];
    viewers->broadcast[route] = frame;
    lock_release(&viewers->lock);
    if (unseen)
        atomic_fetch_add(viewers->host.frames_replaced, (unsigned long long)n_open);
    frame_release(unseen);
    ring(viewers);
}

/* ---- start and stop ---- */

enum status viewers_create(const struct viewers_options *options, struct viewers **out,
                           struct error *error)
{
    struct viewers *viewers = calloc(1, sizeof *viewers);
    if (!viewers)
        return error_set(error, STATUS_MEMORY, "out of memory");
    size_t n = 0;
    while (options->routes[n].path)
        n++;
    assert(n <= MAX_ROUTES);
    viewers->routes = options->routes;
    viewers->host = (struct socket_host){.context = options->context,
                                         .n_open = options->n_open,
                                         .frames_replaced = options->frames_replaced,
                                         .epoll = epoll_create1(EPOLL_CLOEXEC),
                                         .incoming = viewers->incoming,
                                         .incoming_size = sizeof viewers->incoming};
    lock_init(&viewers->lock, "viewers");
    viewers->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN};
    enum status status = STATUS_OK;
    if (viewers->host.epoll < 0 || viewers->wake < 0 ||
        epoll_ctl(viewers->host.epoll, EPOLL_CTL_ADD, viewers->wake, &event) != 0)
        status = error_set(error, STATUS_UNAVAILABLE, "cannot watch sockets: %s", strerror(errno));
    if (status == STATUS_OK)
        status = thread_start("viewers", run, viewers, &viewers->thread, error);
    if (status != STATUS_OK) {
        viewers_destroy(viewers);
        return status;
    }
    *out = viewers;
    return STATUS_OK;
}

void viewers_stop(struct viewers *viewers)
{
    lock_take(&viewers->lock);
    viewers->stopping = true;
    lock_release(&viewers->lock);
    ring(viewers);
    thread_join(viewers->thread);
    viewers->thread = NULL;
}

static void free_all(struct http_socket *socket)
{
    for (struct http_socket *next; socket; socket = next) {
        next = socket->next;
        socket_destroy(socket);
    }
}

void viewers_destroy(struct viewers *viewers)
{
    if (!viewers)
        return;
    assert(!viewers->thread);
    free_all(viewers->sockets);
    free_all(viewers->arrived);
    for (size_t i = 0; i < MAX_ROUTES; i++)
        frame_release(viewers->broadcast[i]);
    if (viewers->wake >= 0)
        close(viewers->wake);
    if (viewers->host.epoll >= 0)
        close(viewers->host.epoll);
    lock_destroy(&viewers->lock);
    free(viewers);
}
