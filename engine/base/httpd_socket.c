/* One open WebSocket: frames out at the client's pace, whatever it sends in, and how it ends.
 *
 * It has room for a few messages meant for it alone, which are kept, and for one broadcast, which a
 * newer one replaces: a slow client gets fewer pictures, not older ones. Nothing waits for it: what
 * does not fit now is sent when epoll says that there is room.
 *
 * Threads: the one that serves the sockets. */
#include "engine/base/httpd_socket.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "engine/base/clock.h"

#define MAX_INCOMING ((size_t)64 << 10)
#define SEND_BUFFER  (128 << 10) /* bytes that may be under way: older pictures are no use */
#define STALLED_NS   INT64_C(10000000000) /* a client that takes nothing for so long is gone */
#define QUIET_NS     INT64_C(20000000000) /* nothing sent for so long: a ping, to see who lives */
#define FAREWELL_NS  INT64_C(2000000000)  /* for the client to end the connection */

/* ---- frames ---- */

struct frame *frame_create(enum websocket_opcode opcode, struct slice payload)
{
    struct frame *frame = malloc(sizeof *frame + WEBSOCKET_MAX_HEAD + payload.size);
    if (!frame)
        return NULL;
    size_t head = websocket_head(opcode, payload.size, frame->bytes);
    if (payload.size)
        memcpy(frame->bytes + head, payload.data, payload.size);
    frame->readers = 1;
    frame->number = 0;
    frame->size = head + payload.size;
    return frame;
}

void frame_release(struct frame *frame)
{
    if (frame && --frame->readers == 0)
        free(frame);
}

static void replace_frame(struct frame **place, struct frame *frame)
{
    frame_release(*place);
    *place = frame;
}

/* ---- sending ---- */

static void watch(struct http_socket *socket, bool for_room)
{
    if (socket->waits_for_room == for_room)
        return;
    struct epoll_event event = {.events = EPOLLIN | (for_room ? EPOLLOUT : 0), .data.ptr = socket};
    socket->waits_for_room = for_room;
    if (epoll_ctl(socket->host->epoll, EPOLL_CTL_MOD, socket->link.fd, &event) != 0)
        socket->phase = SOCKET_GONE;
}

static struct frame *next_frame(struct http_socket *socket)
{
    struct frame *frame = socket->control;
    socket->control = NULL;
    if (frame || socket->phase != SOCKET_OPEN)
        return frame;
    if (socket->n_direct > 0) {
        frame = socket->direct[0];
        socket->n_direct--;
        memmove(socket->direct, socket->direct + 1,
                (size_t)socket->n_direct * sizeof *socket->direct);
        return frame;
    }
    frame = socket->latest;
    socket->latest = NULL;
    return frame;
}

static void end_frame(struct http_socket *socket)
{
    replace_frame(&socket->sending, NULL);
    if (socket->phase == SOCKET_FAREWELL && !socket->control) {
        mg_detached_finish(&socket->link);
        socket->phase = SOCKET_FINISHED;
    }
}

/* Sends what there is until the client's side is full. */
static void flush(struct http_socket *socket, int64_t now_ns)
{
    while (socket->phase == SOCKET_OPEN || socket->phase == SOCKET_FAREWELL) {
        if (!socket->sending) {
            socket->sending = next_frame(socket);
            socket->n_sent = 0;
        }
        struct frame *frame = socket->sending;
        if (!frame)
            break;
        long sent = mg_detached_write(&socket->link, frame->bytes + socket->n_sent,
                                      frame->size - socket->n_sent);
        if (sent < 0) {
            socket->phase = SOCKET_GONE;
        } else if (sent == 0) {
            if (!socket->blocked_ns)
                socket->blocked_ns = now_ns;
            watch(socket, true);
            return;
        } else {
            socket->blocked_ns = 0;
            socket->sent_ns = now_ns;
            socket->n_sent += (size_t)sent;
            if (socket->n_sent == frame->size)
                end_frame(socket);
        }
    }
    if (socket->phase != SOCKET_GONE)
        watch(socket, false);
}

static void say_farewell(struct http_socket *socket, int code, int64_t now_ns)
{
    if (socket->phase != SOCKET_OPEN)
        return;
    unsigned char bytes[2] = {(unsigned char)(code >> 8), (unsigned char)code};
    size_t size = code == WEBSOCKET_NO_CODE ? 0 : sizeof bytes;
    socket->phase = SOCKET_FAREWELL;
    socket->deadline_ns = now_ns + FAREWELL_NS;
    replace_frame(&socket->control, frame_create(WEBSOCKET_CLOSE, slice_make(bytes, size)));
    if (!socket->control)
        socket->phase = SOCKET_GONE;
}

void http_socket_send(struct http_socket *socket, uint64_t number, struct slice text)
{
    if (socket->phase != SOCKET_OPEN)
        return;
    struct frame *frame =
        socket->n_direct < SOCKET_MAX_DIRECT ? frame_create(WEBSOCKET_TEXT, text) : NULL;
    if (!frame) {
        say_farewell(socket, WEBSOCKET_POLICY, monotonic_ns());
        return;
    }
    socket->direct[socket->n_direct++] = frame;
    if (number > socket->seen)
        socket->seen = number;
}

void socket_offer(struct http_socket *socket, struct frame *frame, int64_t now_ns)
{
    if (socket->phase != SOCKET_OPEN || (frame->number && frame->number <= socket->seen))
        return;
    if (frame->number)
        socket->seen = frame->number;
    if (socket->latest)
        atomic_fetch_add_explicit(socket->host->frames_replaced, 1, memory_order_relaxed);
    frame->readers++;
    replace_frame(&socket->latest, frame);
    if (!socket->waits_for_room)
        flush(socket, now_ns);
}

void socket_dismiss(struct http_socket *socket, int code, int64_t now_ns)
{
    say_farewell(socket, code, now_ns);
    flush(socket, now_ns);
}

/* ---- what clients send ---- */

static void take_event(struct http_socket *socket, const struct websocket_event *event,
                       int64_t now_ns)
{
    switch (event->kind) {
    case WEBSOCKET_MESSAGE:
        if (!event->is_text)
            say_farewell(socket, WEBSOCKET_UNSUPPORTED, now_ns);
        else if (socket->route->on_text)
            socket->route->on_text(socket->host->context, socket, event->payload);
        break;
    case WEBSOCKET_PINGED:
        replace_frame(&socket->control, frame_create(WEBSOCKET_PONG, event->payload));
        break;
    case WEBSOCKET_CLOSED:
    case WEBSOCKET_BROKEN:
        say_farewell(socket, event->code, now_ns);
        break;
    case WEBSOCKET_PONGED:
    case WEBSOCKET_MORE:
        break;
    }
}

static void take_bytes(struct http_socket *socket, struct slice bytes, int64_t now_ns)
{
    socket->pinged_ns = 0;
    struct websocket_event event = {.kind = WEBSOCKET_PONGED};
    while (socket->phase == SOCKET_OPEN && event.kind != WEBSOCKET_MORE) {
        event = websocket_read(&socket->reader, &bytes);
        take_event(socket, &event, now_ns);
    }
}

static void receive(struct http_socket *socket, int64_t now_ns)
{
    const struct socket_host *host = socket->host;
    long got = mg_detached_read(&socket->link, host->incoming, host->incoming_size);
    if (got < 0)
        socket->phase = SOCKET_GONE;
    else if (got > 0 && socket->phase == SOCKET_OPEN)
        take_bytes(socket, slice_make(host->incoming, (size_t)got), now_ns);
}

/* ---- a socket's life ---- */

struct http_socket *socket_create(const struct socket_host *host,
                                  const struct http_socket_route *route,
                                  const struct mg_detached *link)
{
    struct http_socket *socket = calloc(1, sizeof *socket + link->early_size);
    if (!socket)
        return NULL;
    socket->host = host;
    socket->route = route;
    socket->link = *link;
    socket->n_early = link->early_size;
    if (link->early_size)
        memcpy(socket->early, link->early, link->early_size);
    websocket_reader_init(&socket->reader, MAX_INCOMING);
    return socket;
}

void socket_destroy(struct http_socket *socket)
{
    for (int i = 0; i < socket->n_direct; i++)
        frame_release(socket->direct[i]);
    frame_release(socket->latest);
    frame_release(socket->control);
    frame_release(socket->sending);
    websocket_reader_free(&socket->reader);
    mg_detached_close(&socket->link); /* takes it out of the epoll set, too */
    atomic_fetch_sub(socket->host->n_open, 1);
    free(socket);
}

void socket_welcome(struct http_socket *socket, int64_t now_ns)
{
    int room = SEND_BUFFER;
    setsockopt(socket->link.fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    socket->sent_ns = now_ns;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = socket};
    if (epoll_ctl(socket->host->epoll, EPOLL_CTL_ADD, socket->link.fd, &event) != 0) {
        socket->phase = SOCKET_GONE;
        return;
    }
    if (socket->route->on_open)
        socket->route->on_open(socket->host->context, socket);
    if (socket->n_early)
        take_bytes(socket, slice_make(socket->early, socket->n_early), now_ns);
    receive(socket, now_ns); /* TLS may hold bytes already that epoll knows nothing of */
    flush(socket, now_ns);
}

void socket_serve(struct http_socket *socket, uint32_t events, int64_t now_ns)
{
    if (events & (EPOLLIN | EPOLLERR | EPOLLHUP))
        receive(socket, now_ns);
    flush(socket, now_ns);
}

void socket_look_at_clock(struct http_socket *socket, int64_t now_ns)
{
    bool overdue = socket->phase != SOCKET_OPEN && now_ns > socket->deadline_ns;
    bool stalled = socket->blocked_ns && now_ns - socket->blocked_ns > STALLED_NS;
    bool silent = socket->pinged_ns && now_ns - socket->pinged_ns > QUIET_NS;
    if (overdue || stalled || silent) {
        socket->phase = SOCKET_GONE;
        return;
    }
    if (socket->phase != SOCKET_OPEN || socket->pinged_ns || now_ns - socket->sent_ns < QUIET_NS)
        return;
    socket->pinged_ns = now_ns;
    replace_frame(&socket->control, frame_create(WEBSOCKET_PING, slice_of("")));
    flush(socket, now_ns);
}
