/* Fetching: GET /api/v1/snapshot once a second, read back into a snapshot and put on a board that
 * the screen draws from. In: HTTP. Out: the board, and how the peer is. The fetching thread owns
 * the reply and shares `peer` with the screen's thread under the lock. */
#include "ui/tui/remote.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/base/http.h"
#include "engine/base/thread.h"
#include "ui/tui/tui.h"

#define REPLY_BYTES (8u << 20)
#define EVERY_MS    1000
#define TIMEOUT_MS  3000
#define STALE_US    (5 * US_PER_S) /* that long the same picture: it stands still */

struct remote {
    const struct remote_options *options;
    struct snapshot_board *board;
    struct lock lock;
    pthread_cond_t wake;
    bool ending;
    struct tui_peer peer;
    struct buffer reply; /* the fetching thread's */
    uint64_t seq;
    int64_t moved_us; /* when seq last changed */
    char url[256];
};

static int64_t wall_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * US_PER_S + now.tv_nsec / 1000;
}

static enum status publish(struct remote *remote, struct error *error)
{
    struct snapshot *snapshot = snapshot_create();
    if (!snapshot)
        return error_set(error, STATUS_MEMORY, "no memory for a snapshot");
    enum status status = snapshot_read(buffer_slice(&remote->reply), snapshot, error);
    if (status != STATUS_OK) {
        snapshot_release(snapshot);
        return status;
    }
    if (snapshot->seq != remote->seq || !remote->moved_us)
        remote->moved_us = wall_us();
    remote->seq = snapshot->seq;
    snapshot_publish(remote->board, snapshot);
    return STATUS_OK;
}

static enum status fetch(struct remote *remote, struct error *error)
{
    static const char *const headers[] = {"Accept: application/json", NULL};
    struct http_call call = {
        .method = "GET", .url = remote->url, .headers = headers, .timeout_ms = TIMEOUT_MS};
    int code = 0;
    buffer_reset(&remote->reply);
    enum status status = http_perform(&call, &code, &remote->reply, NULL, error);
    if (status != STATUS_OK)
        return status;
    if (code == 503 || code == 204)
        return STATUS_END; /* it is there and has no picture yet */
    if (code != 200)
        return error_set(error, STATUS_DENIED, "it answered %d%s", code,
                         code == 401 || code == 403 ? ": reading is not allowed from here"
                         : code == 404              ? ": is this a binnacle?"
                                                    : "");
    if (remote->reply.overflow)
        return error_set(error, STATUS_FULL, "the answer is too long for a snapshot");
    return publish(remote, error);
}

static enum peer_state judge(const struct remote *remote, enum status status)
{
    switch (status) {
    case STATUS_OK:
        return wall_us() - remote->moved_us > STALE_US ? PEER_STALE : PEER_LIVE;
    case STATUS_END:
        return PEER_LOADING;
    case STATUS_UNAVAILABLE:
    case STATUS_IO:
        return PEER_AWAY;
    default:
        return PEER_REFUSED;
    }
}

static void sample_peer(struct remote *remote)
{
    struct error error = {.message = ""};
    enum status status = fetch(remote, &error);
    enum peer_state state = judge(remote, status);
    lock_take(&remote->lock);
    struct tui_peer *peer = &remote->peer;
    if (state != peer->state)
        peer->since_us = state == PEER_STALE ? remote->moved_us : wall_us();
    peer->state = state;
    snprintf(peer->why, sizeof peer->why, "%.230s",
             status == STATUS_OK || status == STATUS_END ? "" : error.message);
    lock_release(&remote->lock);
}

static void run_fetching(void *context)
{
    struct remote *remote = context;
    lock_take(&remote->lock);
    while (!remote->ending) {
        lock_release(&remote->lock);
        sample_peer(remote);
        lock_take(&remote->lock);
        if (!remote->ending)
            condition_wait(&remote->wake, &remote->lock, EVERY_MS);
    }
    lock_release(&remote->lock);
}

static bool tick_remote(void *context)
{
    struct remote *remote = context;
    return !remote->options->stopped || !remote->options->stopped(remote->options->context);
}

static void copy_peer(void *context, struct tui_peer *peer)
{
    struct remote *remote = context;
    lock_take(&remote->lock);
    *peer = remote->peer;
    lock_release(&remote->lock);
    peer->now_us = wall_us();
}

static enum status show_remote(struct remote *remote, const struct tui_options *screen,
                               struct error *error)
{
    struct thread *thread;
    enum status status = thread_start("top-fetch", run_fetching, remote, &thread, error);
    if (status != STATUS_OK)
        return status;
    status = tui_run(screen, error);
    lock_take(&remote->lock);
    remote->ending = true;
    pthread_cond_signal(&remote->wake);
    lock_release(&remote->lock);
    thread_join(thread);
    return status;
}

static int side(const char *variable, int measured, int fallback)
{
    const char *text = getenv(variable);
    int number = text ? atoi(text) : 0;
    return number > 0 ? number : measured > 0 ? measured : fallback;
}

static enum status print_remote(struct remote *remote, const struct tui_options *screen,
                                struct error *error)
{
    enum status status = fetch(remote, error);
    if (status == STATUS_END)
        return error_set(error, STATUS_UNAVAILABLE, "%s: it is starting and has no picture yet",
                         remote->options->url);
    if (status != STATUS_OK)
        return error_prefix(error, "%.200s", remote->options->url);
    remote->peer.state = PEER_LIVE;
    struct winsize size = {0};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0)
        size = (struct winsize){0};
    return tui_print(screen, side("COLUMNS", size.ws_col, 80), side("LINES", size.ws_row, 24),
                     error);
}

enum status remote_run(const struct remote_options *options, struct error *error)
{
    struct remote remote = {.options = options};
    size_t length = strlen(options->url);
    while (length > 0 && options->url[length - 1] == '/')
        length--;
    if (length + sizeof "/api/v1/snapshot" > sizeof remote.url)
        return error_set(error, STATUS_INVALID, "the URL is too long");
    snprintf(remote.url, sizeof remote.url, "%.*s/api/v1/snapshot", (int)length, options->url);
    snprintf(remote.peer.url, sizeof remote.peer.url, "%.*s", (int)length, options->url);
    remote.peer.since_us = wall_us();
    remote.board = snapshot_board_create();
    if (!remote.board)
        return error_set(error, STATUS_MEMORY, "no memory for the screen");
    buffer_init(&remote.reply, REPLY_BYTES);
    lock_init(&remote.lock, "top");
    condition_init(&remote.wake);
    struct tui_options screen = {
        .board = remote.board,
        .tick = tick_remote,
        .peer = copy_peer,
        .context = &remote,
        .ascii = options->ascii,
    };
    enum status status = options->once ? print_remote(&remote, &screen, error)
                                       : show_remote(&remote, &screen, error);
    pthread_cond_destroy(&remote.wake);
    lock_destroy(&remote.lock);
    buffer_free(&remote.reply);
    snapshot_board_destroy(remote.board);
    return status;
}
