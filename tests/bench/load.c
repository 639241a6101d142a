/* A load generator for one HTTP route that scores: N keep-alive connections, each sending its next
 * event as soon as the answer to the last one is whole. Every event is new, good under the
 * `transactions` contract, and of this moment. An answer counts when it is 200 and holds a
 * decision; all others are errors. Optionally WebSocket connections are opened beside them and
 * read, as idle browsers would. One thread, epoll. Prints one line of JSON.
 *
 * usage: load PORT PATH CONNECTIONS SECONDS WARM_SECONDS IDLE PAGE_PORT */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_CONNECTIONS 1024
#define MAX_SAMPLES     ((size_t)16 << 20)
#define REQUEST_BYTES   1024
#define ANSWER_BYTES    65536
#define USERS           20000
#define DRAIN_NS        INT64_C(10000000000)

struct connection {
    int fd;
    bool idle;     /* a WebSocket, only read */
    bool attached; /* idle: the server has agreed to the WebSocket */
    bool waiting;  /* for an answer */
    int64_t sent_ns;
    size_t filled;
    char answer[ANSWER_BYTES];
};

struct load {
    int epoll, port;
    int page_port; /* where idle ones attach */
    const char *path;
    struct connection *connections;
    size_t n, n_idle;
    uint64_t counter, chance;
    int64_t measure_ns, stop_ns; /* when measuring begins, and when nothing more is sent */
    uint32_t *samples;           /* nanoseconds, of answers that came while measuring */
    size_t n_samples;
    uint64_t n_errors, idle_bytes;
    char first_error[160];
};

static int64_t now_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(2);
}

static uint64_t draw(struct load *load, uint64_t below)
{
    load->chance ^= load->chance << 13;
    load->chance ^= load->chance >> 7;
    load->chance ^= load->chance << 17;
    return (load->chance >> 11) % below;
}

/* ---- the event ---- */

/* A ULID: 48 bits of milliseconds, 80 that no other event of this run has. */
static void write_ulid(struct load *load, int64_t ms, char text[27])
{
    static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    uint64_t time = (uint64_t)ms, low = ++load->counter;
    uint64_t high = (uint64_t)getpid();
    for (int i = 9; i >= 0; i--, time >>= 5)
        text[i] = digits[time & 31];
    for (int i = 25; i >= 18; i--, low >>= 5)
        text[i] = digits[low & 31];
    for (int i = 17; i >= 10; i--, high >>= 5)
        text[i] = digits[high & 31];
    text[26] = '\0';
}

static int write_event(struct load *load, char *text, size_t size)
{
    static const char *const countries[] = {"US", "CA", "GB", "DE", "FR", "IN", "BR"};
    static const char *const devices[] = {"ios", "android", "web"};
    int64_t ms = now_ns(CLOCK_REALTIME) / 1000000;
    time_t seconds = (time_t)(ms / 1000);
    char ulid[27], stamp[32];
    struct tm utc;
    write_ulid(load, ms, ulid);
    gmtime_r(&seconds, &utc);
    strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%SZ", &utc);
    return snprintf(text, size,
                    "{\"event_id\":\"%s\",\"user_id\":\"user-%u\",\"transaction_amount\":%u.%02u,"
                    "\"country\":\"%s\",\"device\":\"%s\",\"event_ts\":\"%s\",\"label\":null}",
                    ulid, (unsigned)draw(load, USERS), (unsigned)draw(load, 900),
                    (unsigned)draw(load, 100), countries[draw(load, 7)], devices[draw(load, 3)],
                    stamp);
}

/* ---- connections ---- */

static void note_error(struct load *load, const char *what, size_t length)
{
    load->n_errors++;
    if (load->first_error[0])
        return;
    snprintf(load->first_error, sizeof load->first_error, "%.*s", (int)length, what);
    for (char *at = load->first_error; *at; at++) {
        if (*at == '"' || *at == '\\' || (unsigned char)*at < ' ')
            *at = ' ';
    }
}

static void send_all(struct load *load, struct connection *connection, const char *text,
                     size_t size)
{
    /* A request is far smaller than a socket's buffer, and the last one has been answered. */
    if (write(connection->fd, text, size) != (ssize_t)size)
        note_error(load, "a request could not be sent", 27);
}

static void send_event(struct load *load, struct connection *connection)
{
    char event[512], request[REQUEST_BYTES];
    int size = write_event(load, event, sizeof event);
    int length = snprintf(request, sizeof request,
                          "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json"
                          "\r\nContent-Length: %d\r\n\r\n%s",
                          load->path, load->port, size, event);
    connection->filled = 0;
    connection->waiting = true;
    connection->sent_ns = now_ns(CLOCK_MONOTONIC);
    send_all(load, connection, request, (size_t)length);
}

static void ask_for_socket(struct load *load, struct connection *connection)
{
    char request[REQUEST_BYTES];
    int length = snprintf(request, sizeof request,
                          "GET /live HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\n"
                          "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                          "Sec-WebSocket-Version: 13\r\nOrigin: http://127.0.0.1:%d\r\n\r\n",
                          load->page_port, load->page_port);
    send_all(load, connection, request, (size_t)length);
}

static void open_connection(struct load *load, struct connection *connection)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)(connection->idle ? load->page_port : load->port)),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int yes = 1;
    connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection->fd < 0 ||
        connect(connection->fd, (struct sockaddr *)&address, sizeof address) != 0)
        fail("cannot connect");
    setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    fcntl(connection->fd, F_SETFL, O_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    if (epoll_ctl(load->epoll, EPOLL_CTL_ADD, connection->fd, &event) != 0)
        fail("epoll");
}

static void close_connection(struct load *load, struct connection *connection)
{
    close(connection->fd);
    connection->fd = -1;
    if (connection->idle || !connection->waiting)
        return;
    note_error(load, "the server closed a connection", 30);
    connection->waiting = false;
}

/* ---- answers ---- */

/* The size of a whole answer, 0 while it is not whole; -1: not one that this understands. */
static ptrdiff_t answer_size(struct connection *connection)
{
    connection->answer[connection->filled] = '\0';
    char *end = strstr(connection->answer, "\r\n\r\n");
    if (!end)
        return connection->filled + 1 < ANSWER_BYTES ? 0 : -1;
    const char *length = strcasestr(connection->answer, "\r\ncontent-length:");
    if (!length || length > end)
        return -1;
    size_t size = (size_t)(end + 4 - connection->answer) + strtoul(length + 17, NULL, 10);
    if (size >= ANSWER_BYTES)
        return -1;
    return connection->filled >= size ? (ptrdiff_t)size : 0;
}

static void take_answer(struct load *load, struct connection *connection)
{
    int64_t now = now_ns(CLOCK_MONOTONIC), passed = now - connection->sent_ns;
    connection->waiting = false;
    if (strncmp(connection->answer, "HTTP/1.1 200", 12) != 0 ||
        !strstr(connection->answer, "\"decision\":\""))
        note_error(load, connection->answer, strcspn(connection->answer, "\r\n"));
    else if (now >= load->measure_ns && now < load->stop_ns && load->n_samples < MAX_SAMPLES)
        load->samples[load->n_samples++] = passed < UINT32_MAX ? (uint32_t)passed : UINT32_MAX;
    if (now < load->stop_ns)
        send_event(load, connection);
}

static void read_idle(struct load *load, struct connection *connection, size_t size)
{
    load->idle_bytes += size;
    if (!connection->attached)
        connection->attached = strncmp(connection->answer, "HTTP/1.1 101", 12) == 0;
    connection->filled = 0;
}

static void read_ready(struct load *load, struct connection *connection)
{
    ssize_t size = read(connection->fd, connection->answer + connection->filled,
                        ANSWER_BYTES - 1 - connection->filled);
    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (size <= 0) {
        close_connection(load, connection);
        return;
    }
    connection->filled += (size_t)size;
    if (connection->idle) {
        read_idle(load, connection, (size_t)size);
        return;
    }
    ptrdiff_t whole = answer_size(connection);
    if (whole < 0) {
        note_error(load, "an answer is too long or says no length", 39);
        close_connection(load, connection);
    } else if (whole > 0) {
        take_answer(load, connection);
    }
}

static bool some_wait(const struct load *load)
{
    for (size_t i = 0; i < load->n; i++) {
        if (load->connections[i].waiting)
            return true;
    }
    return false;
}

static void run(struct load *load)
{
    struct epoll_event events[256];
    int64_t now = now_ns(CLOCK_MONOTONIC);
    while (now < load->stop_ns || (some_wait(load) && now < load->stop_ns + DRAIN_NS)) {
        int n = epoll_wait(load->epoll, events, 256, 50);
        for (int i = 0; i < n; i++)
            read_ready(load, events[i].data.ptr);
        now = now_ns(CLOCK_MONOTONIC);
    }
    for (size_t i = 0; i < load->n; i++) {
        if (load->connections[i].waiting)
            note_error(load, "no answer within ten seconds", 28);
    }
}

/* ---- what is printed ---- */

static int by_size(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static double quantile_us(const struct load *load, double share)
{
    if (load->n_samples == 0)
        return 0;
    return load->samples[(size_t)(share * (double)(load->n_samples - 1))] / 1e3;
}

static void print(struct load *load, double seconds)
{
    size_t attached = 0;
    for (size_t i = load->n; i < load->n + load->n_idle; i++)
        attached += load->connections[i].attached && load->connections[i].fd >= 0;
    qsort(load->samples, load->n_samples, sizeof *load->samples, by_size);
    printf("{\"answers\":%zu,\"errors\":%llu,\"first_error\":\"%s\",\"per_s\":%.1f,\"p50_us\":%.1f,"
           "\"p99_us\":%.1f,\"max_us\":%.1f,\"idle_attached\":%zu,\"idle_bytes\":%llu}\n",
           load->n_samples, (unsigned long long)load->n_errors, load->first_error,
           (double)load->n_samples / seconds, quantile_us(load, 0.5), quantile_us(load, 0.99),
           quantile_us(load, 1), attached, (unsigned long long)load->idle_bytes);
}

static void open_all(struct load *load)
{
    for (size_t i = load->n; i < load->n + load->n_idle; i++) {
        load->connections[i].idle = true;
        open_connection(load, &load->connections[i]);
        ask_for_socket(load, &load->connections[i]);
    }
    for (size_t i = 0; i < load->n; i++)
        open_connection(load, &load->connections[i]);
}

int main(int argc, char **argv)
{
    struct load load = {.chance = 88172645463325252u};
    if (argc != 8) {
        fputs("usage: load PORT PATH CONNECTIONS SECONDS WARM_SECONDS IDLE PAGE_PORT\n", stderr);
        return 2;
    }
    load.port = atoi(argv[1]);
    load.page_port = atoi(argv[7]);
    load.path = argv[2];
    load.n = strtoul(argv[3], NULL, 10);
    load.n_idle = strtoul(argv[6], NULL, 10);
    double seconds = strtod(argv[4], NULL), warm = strtod(argv[5], NULL);
    if (load.n == 0 || load.n > MAX_CONNECTIONS || load.n_idle > MAX_CONNECTIONS ||
        !(seconds > 0 && seconds <= 60) || !(warm >= 0 && warm <= 60)) {
        fputs("load: connections 1 to 1024, seconds up to 60\n", stderr);
        return 2;
    }
    load.connections = calloc(load.n + load.n_idle, sizeof *load.connections);
    load.samples = malloc(MAX_SAMPLES * sizeof *load.samples);
    load.epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!load.connections || !load.samples || load.epoll < 0)
        fail("cannot begin");
    open_all(&load);
    load.measure_ns = now_ns(CLOCK_MONOTONIC) + (int64_t)(warm * 1e9);
    load.stop_ns = load.measure_ns + (int64_t)(seconds * 1e9);
    for (size_t i = 0; i < load.n; i++)
        send_event(&load, &load.connections[i]);
    run(&load);
    print(&load, seconds);
    return 0;
}
