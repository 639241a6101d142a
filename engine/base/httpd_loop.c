/* The HTTP server with a loop: one thread waits for all connections at once, takes whatever has
 * arrived, and lets requests of one kind be handled together. There is no hand-over and no wake-up
 * for each request, and what is handled together shares its waiting.
 *
 * The grammar is libhttp-parser's; sockets and time are ours. Measured with a constant answer given
 * after the round that read the request, 128 keep-alive connections: 6.9 us of processor an answer
 * this way, 12.8 with libmicrohttpd (external epoll, suspend and resume: three more system calls),
 * 14.9 with libevent's evhttp. Those two also answer what they cannot read by themselves, where
 * our callers are promised a problem document, and bound the silence between two bytes, not the
 * time that a request takes.
 *
 * Four times a second all connections are looked at for what takes too long: of some thousand that
 * costs less than a heap kept in order for each request.
 *
 * Threads: everything here runs on the loop's thread but start, stop and http_loop_wake(). */
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/base/httpd_loop_priv.h"

#define MAX_CONNECTIONS 4096
#define OTHER_FILES     256 /* that the rest of the process may have open */
#define MAX_EVENTS      512
#define MAX_ACCEPTED    64 /* in one round */
#define BACKLOG         1024
#define LOOK_MS         250
#define ACCEPT_PAUSE_NS INT64_C(100000000)

void http_loop_wake(struct http_loop *loop)
{
    uint64_t one = 1;
    (void)!write(loop->wakeup, &one, sizeof one);
}

void http_loop_run_again(struct connection *connection)
{
    struct http_loop *loop = connection->loop;
    if (connection->is_again)
        return;
    connection->is_again = true;
    connection->next_again = loop->again;
    loop->again = connection;
}

/* ---- what is handled together ---- */

static void gather_all(struct http_loop *loop)
{
    size_t n = loop->n_gathered;
    loop->n_gathered = 0;
    if (n > 0)
        loop->options.gather(loop->httpd->context, loop->gathered, n);
}

void http_loop_gather(struct http_loop *loop, struct connection *connection)
{
    loop->gathered[loop->n_gathered++] = &connection->exchange;
    if (loop->n_gathered == loop->options.max_gathered)
        gather_all(loop);
}

/* ---- new connections ---- */

static bool is_idle(const struct connection *connection)
{
    return (connection->phase == PHASE_READING && connection->idle) ||
           connection->phase == PHASE_LINGERING;
}

static bool is_slow(const struct connection *connection)
{
    int64_t earned_ns = (int64_t)(connection->body.size / HTTPD_SLOWEST_BYTES_PER_MS) * 1000000;
    return connection->phase == PHASE_READING && !connection->idle &&
           connection->loop->now_ns - connection->since_ns > HTTPD_SHARE_NS + earned_ns;
}

static struct connection *find_oldest(const struct http_loop *loop,
                                      bool (*is)(const struct connection *connection))
{
    struct connection *found = NULL;
    for (struct connection *each = loop->connections; each; each = each->next) {
        if (is(each) && (!found || each->since_ns < found->since_ns))
            found = each;
    }
    return found;
}

/* Closes the one that will be missed least: idle for longest, or else the one whose request has
 * been coming for longest. False: there is none. */
static bool make_room(struct http_loop *loop)
{
    struct connection *idle = find_oldest(loop, is_idle);
    struct connection *slow = idle ? NULL : find_oldest(loop, is_slow);
    if (idle) {
        atomic_fetch_add_explicit(&loop->httpd->turned_away, 1, memory_order_relaxed);
        connection_close(idle);
    } else if (slow) {
        atomic_fetch_add_explicit(&loop->httpd->hung_up, 1, memory_order_relaxed);
        connection_close(slow);
    }
    return idle || slow;
}

static void welcome(struct http_loop *loop, int fd, const struct sockaddr_storage *peer)
{
    int on = 1;
    bool full = loop->n_connections >= loop->options.max_connections;
    if (full && make_room(loop))
        full = false;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct connection *connection = connection_open(loop, fd, peer);
    if (connection && full) {
        atomic_fetch_add_explicit(&loop->httpd->turned_away, 1, memory_order_relaxed);
        connection_turn_away(connection);
    }
}

static void accept_some(struct http_loop *loop)
{
    for (int i = 0; i < MAX_ACCEPTED; i++) {
        struct sockaddr_storage peer;
        socklen_t size = sizeof peer;
        int fd =
            accept4(loop->listener, (struct sockaddr *)&peer, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            welcome(loop, fd, &peer);
            continue;
        }
        /* Out of descriptors or memory: asking again at once would only burn the processor. */
        if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
            loop->accept_again_ns = loop->now_ns + ACCEPT_PAUSE_NS;
        return;
    }
}

int http_loop_max_connections(const struct http_loop *loop)
{
    return loop->options.max_connections;
}

static void watch_listener(struct http_loop *loop, bool watch)
{
    struct epoll_event event = {.events = watch ? EPOLLIN : 0, .data.ptr = &loop->listener};
    (void)epoll_ctl(loop->epoll, EPOLL_CTL_MOD, loop->listener, &event);
}

static void pause_or_resume_accepting(struct http_loop *loop, bool was_paused)
{
    bool paused = loop->accept_again_ns > loop->now_ns;
    if (loop->listener >= 0 && paused != was_paused)
        watch_listener(loop, !paused);
    if (!paused)
        loop->accept_again_ns = 0;
}

/* ---- a round ---- */

static void empty_eventfd(int fd)
{
    uint64_t count;
    (void)!read(fd, &count, sizeof count);
}

static void take_event(struct http_loop *loop, const struct epoll_event *event)
{
    if (event->data.ptr == &loop->listener) {
        accept_some(loop);
    } else if (event->data.ptr == &loop->wakeup) {
        empty_eventfd(loop->wakeup);
    } else if (event->data.ptr == &loop->options) {
        empty_eventfd(loop->options.watched_fd);
        loop->options.on_watched(loop->httpd->context);
    } else {
        connection_event(event->data.ptr, event->events);
    }
}

static void send_finished(struct http_loop *loop)
{
    struct connection *finished = http_pool_finished(loop->pool);
    while (finished) {
        struct connection *next = finished->next_job;
        http_exchange_answer(&finished->exchange);
        finished = next;
    }
}

static void run_again(struct http_loop *loop)
{
    struct connection *again = loop->again;
    loop->again = NULL;
    while (again) {
        struct connection *next = again->next_again;
        again->is_again = false;
        connection_run(again);
        again = next;
    }
}

static void look_at_clock(struct http_loop *loop)
{
    for (struct connection *each = loop->connections, *next; each; each = next) {
        next = each->next;
        connection_look_at_clock(each);
    }
}

/* Those on the list of what goes on are taken off it first, by going on. */
static void bury(struct http_loop *loop)
{
    struct connection **link = &loop->dead;
    while (*link) {
        struct connection *dead = *link;
        if (dead->is_again) {
            link = &dead->next;
            continue;
        }
        *link = dead->next;
        connection_destroy(dead);
    }
}

/* ---- the end ---- */

static void stop_listening(struct http_loop *loop)
{
    if (loop->listener >= 0)
        close(loop->listener);
    loop->listener = -1;
}

/* Closes who has nothing in the making; false when somebody is left that may be waited for. */
static bool is_over(struct http_loop *loop)
{
    bool over = true;
    stop_listening(loop);
    for (struct connection *each = loop->connections, *next; each; each = next) {
        next = each->next;
        if (each->phase == PHASE_READING && each->idle && !each->readable)
            connection_close(each);
        else
            over = over && each->phase == PHASE_LINGERING;
    }
    return over || loop->now_ns >= atomic_load(&loop->stop_by_ns);
}

static void run(void *context)
{
    struct http_loop *loop = context;
    struct epoll_event events[MAX_EVENTS];
    int64_t looked_ns = 0;
    bool over = false;
    thread_ask_short_slices();
    while (!over) {
        bool paused = loop->accept_again_ns > 0;
        int n = epoll_wait(loop->epoll, events, MAX_EVENTS,
                           loop->again                         ? 0
                           : loop->n_connections > 0 || paused ? LOOK_MS
                                                               : -1);
        loop->now_ns = monotonic_ns();
        for (int i = 0; i < n; i++)
            take_event(loop, &events[i]);
        send_finished(loop);
        run_again(loop);
        gather_all(loop);
        if (loop->now_ns - looked_ns > LOOK_MS * INT64_C(1000000)) {
            looked_ns = loop->now_ns;
            look_at_clock(loop);
            if (loop->options.on_watched)
                loop->options.on_watched(loop->httpd->context);
        }
        pause_or_resume_accepting(loop, paused);
        over = atomic_load(&loop->stop_by_ns) != 0 && is_over(loop);
        bury(loop);
    }
}

/* ---- start and stop ---- */

static enum status cannot_listen(const char *listen, const char *why, struct error *error)
{
    return error_set(error, STATUS_UNAVAILABLE, "cannot listen on %s: %s", listen, why);
}

static int open_listener(const struct addrinfo *address)
{
    int on = 1;
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (address->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (bind(fd, address->ai_addr, address->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int reason = errno;
    close(fd);
    errno = reason;
    return -1;
}

static int bound_port(int fd)
{
    struct sockaddr_storage bound;
    socklen_t size = sizeof bound;
    if (getsockname(fd, (struct sockaddr *)&bound, &size) != 0)
        return 0;
    return ntohs(bound.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&bound)->sin6_port
                                             : ((struct sockaddr_in *)&bound)->sin_port);
}

static enum status listen_on(struct http_loop *loop, const char *text, struct error *error)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    int failed = getaddrinfo(loop->httpd->listen_host, strrchr(text, ':') + 1, &hints, &found);
    if (failed)
        return cannot_listen(text, gai_strerror(failed), error);
    loop->listener = open_listener(found);
    int reason = errno;
    freeaddrinfo(found);
    if (loop->listener < 0)
        return cannot_listen(
            text, reason == EADDRINUSE ? "the address is in use" : strerror(reason), error);
    loop->httpd->port = bound_port(loop->listener);
    return STATUS_OK;
}

/* Each connection is an open file; the limit that a shell sets is often below what is allowed. */
static int allowed_connections(int wanted)
{
    struct rlimit limit;
    rlim_t files = (rlim_t)wanted + OTHER_FILES;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return wanted;
    if (limit.rlim_cur < files) {
        limit.rlim_cur = limit.rlim_max < files ? limit.rlim_max : files;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
    if (limit.rlim_cur >= files)
        return wanted;
    return limit.rlim_cur > 2 * (rlim_t)OTHER_FILES ? (int)limit.rlim_cur - OTHER_FILES
                                                    : OTHER_FILES;
}

static bool watch(const struct http_loop *loop, int fd, const void *tag)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = (void *)(uintptr_t)tag};
    return fd < 0 || epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

static enum status make_loop(struct http_loop *loop, struct error *error)
{
    int wanted = loop->options.max_connections;
    loop->options.max_connections = allowed_connections(wanted > 0 ? wanted : MAX_CONNECTIONS);
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    loop->wakeup = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    loop->in = malloc(LOOP_READ_BYTES);
    loop->gathered = calloc(loop->options.max_gathered + 1, sizeof *loop->gathered);
    buffer_init(&loop->out, HTTPD_MAX_RESPONSE + 2 * HTTPD_MAX_HEADERS);
    if (!loop->in || !loop->gathered)
        return error_set(error, STATUS_MEMORY, "out of memory");
    if (loop->epoll < 0 || loop->wakeup < 0 || !watch(loop, loop->listener, &loop->listener) ||
        !watch(loop, loop->wakeup, &loop->wakeup) ||
        !watch(loop, loop->options.watched_fd, &loop->options))
        return error_set(error, STATUS_UNAVAILABLE, "cannot wait for connections: %s",
                         strerror(errno));
    return STATUS_OK;
}

static void destroy(struct http_loop *loop)
{
    http_pool_destroy(loop->pool);
    while (loop->connections)
        connection_close(loop->connections);
    for (struct connection *each = loop->dead, *next; each; each = next) {
        next = each->next;
        connection_destroy(each);
    }
    stop_listening(loop);
    if (loop->wakeup >= 0)
        close(loop->wakeup);
    if (loop->epoll >= 0)
        close(loop->epoll);
    buffer_free(&loop->out);
    free(loop->gathered);
    free(loop->in);
    free(loop);
}

enum status http_loop_start(struct httpd *httpd, const struct httpd_options *options,
                            struct http_loop **out, struct error *error)
{
    struct http_loop *loop = calloc(1, sizeof *loop);
    if (!loop)
        return error_set(error, STATUS_MEMORY, "out of memory");
    loop->httpd = httpd;
    loop->options = *options->loop;
    loop->epoll = loop->wakeup = loop->listener = -1;
    enum status status = listen_on(loop, options->listen, error);
    if (status == STATUS_OK)
        status = make_loop(loop, error);
    if (status == STATUS_OK)
        status = http_pool_create(loop, &loop->pool, error);
    if (status == STATUS_OK)
        status = thread_start("http-loop", run, loop, &loop->thread, error);
    if (status != STATUS_OK) {
        destroy(loop);
        return status;
    }
    *out = loop;
    return STATUS_OK;
}

void http_loop_stop(struct http_loop *loop, int patience_ms)
{
    if (!loop)
        return;
    atomic_store(&loop->stop_by_ns, monotonic_ns() + (int64_t)patience_ms * 1000000);
    http_loop_wake(loop);
    thread_join(loop->thread);
    destroy(loop);
}
