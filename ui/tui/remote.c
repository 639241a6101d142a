/* Another process as the source of pictures and documents: GET over HTTP, the snapshot among them
 * once a second, read back and put on a board. The feed's thread asks; the rest is the screen's. */
#include "ui/tui/remote.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/base/http.h"
#include "engine/base/secret.h"

#define EVERY_MS   1000
#define TIMEOUT_MS 3000
#define STALE_US   (5 * US_PER_S) /* that long the same picture: it stands still */

struct remote {
    const struct remote_options *options;
    struct snapshot_board *board;
    struct feed *feed;
    struct tui_peer peer;
    uint64_t seq, version;
    int code;         /* of the last answer */
    int64_t moved_us; /* when seq last changed */
    char url[200];
    char authorization[SECRET_BEARER_SIZE]; /* a header, "" for none */
};

/* ---- asking: the feed's thread ---- */

static int ask_peer(void *context, const char *method, const char *target, struct slice body,
                    struct buffer *reply, struct error *error)
{
    const struct remote *remote = context;
    const char *headers[4] = {"Accept: application/json"};
    char url[sizeof remote->url + FEED_TARGET_SIZE];
    int n = 1, code = 0;
    if (body.size > 0)
        headers[n++] = "Content-Type: application/json";
    if (remote->authorization[0])
        headers[n++] = remote->authorization;
    snprintf(url, sizeof url, "%s%s", remote->url, target);
    struct http_call call = {
        .method = method, .url = url, .headers = headers, .body = body, .timeout_ms = TIMEOUT_MS};
    return http_perform(&call, &code, reply, NULL, error) == STATUS_OK ? code : 0;
}

/* ---- the picture ---- */

static enum status publish(struct remote *remote, struct slice text, struct error *error)
{
    struct snapshot *snapshot = snapshot_create();
    if (!snapshot)
        return error_set(error, STATUS_MEMORY, "no memory for a snapshot");
    enum status status = snapshot_read(text, snapshot, error);
    if (status != STATUS_OK) {
        snapshot_release(snapshot);
        return status == STATUS_UNSUPPORTED
                   ? status
                   : error_set(error, status, "the answer is no snapshot: is this a binnacle?");
    }
    if (snapshot->seq != remote->seq || !remote->moved_us)
        remote->moved_us = wall_us();
    remote->seq = snapshot->seq;
    snapshot_publish(remote->board, snapshot);
    return STATUS_OK;
}

static enum peer_state judge(const struct remote *remote, const struct feed_document *document,
                             enum status read)
{
    switch (document->state) {
    case FEED_LOADING:
        return PEER_LOADING;
    case FEED_READY:
        return read != STATUS_OK                         ? PEER_REFUSED
               : wall_us() - remote->moved_us > STALE_US ? PEER_STALE
                                                         : PEER_LIVE;
    case FEED_AWAY:
        return PEER_AWAY;
    case FEED_FAILED: /* 503: it is there and has no picture yet */
        return remote->moved_us ? PEER_STALE : PEER_LOADING;
    case FEED_REFUSED:
    case FEED_NOT_OFFERED:
        break;
    }
    return PEER_REFUSED;
}

/* Takes the newest picture in; STATUS_OK too when there is none yet. */
static enum status sample_peer(struct remote *remote, struct error *error)
{
    struct feed_document document = feed_read(remote->feed, FEED_SNAPSHOT, EVERY_MS);
    enum status read = STATUS_OK;
    error->message[0] = '\0';
    if (document.state == FEED_READY && document.version != remote->version)
        read = publish(remote, document.text, error);
    if (read == STATUS_OK)
        remote->version = document.version;
    remote->code = document.code;
    enum peer_state state = judge(remote, &document, read);
    struct tui_peer *peer = &remote->peer;
    if (state != peer->state)
        peer->since_us = state == PEER_STALE ? remote->moved_us : wall_us();
    peer->state = state;
    snprintf(peer->why, sizeof peer->why, "%.200s%s",
             read != STATUS_OK ? error->message : document.why,
             document.state == FEED_NOT_OFFERED ? ": is this a binnacle?" : "");
    return read;
}

static bool tick_remote(void *context)
{
    struct remote *remote = context;
    struct error error;
    if (sample_peer(remote, &error) != STATUS_OK)
        remote->peer.state = PEER_REFUSED; /* with its reason */
    return !remote->options->stopped || !remote->options->stopped(remote->options->context);
}

static bool tick_player(void *context)
{
    struct remote *remote = context;
    return !remote->options->stopped || !remote->options->stopped(remote->options->context);
}

static void copy_peer(void *context, struct tui_peer *peer)
{
    const struct remote *remote = context;
    *peer = remote->peer;
    peer->now_us = wall_us();
}

/* ---- once ---- */

static int side(const char *variable, int measured, int fallback)
{
    const char *text = getenv(variable);
    int number = text ? atoi(text) : 0;
    return number > 0 ? number : measured > 0 ? measured : fallback;
}

static enum status print_once(const struct tui_options *screen, struct error *error)
{
    struct winsize size = {0};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0)
        size = (struct winsize){0};
    return tui_print(screen, side("COLUMNS", size.ws_col, 80), side("LINES", size.ws_row, 24),
                     error);
}

/* The first picture, or why there is none. */
static enum status await_picture(struct remote *remote, struct error *error)
{
    enum status status = sample_peer(remote, error);
    if (status != STATUS_OK)
        return error_prefix(error, "%s", remote->url);
    switch (remote->peer.state) {
    case PEER_AWAY:
        return error_set(error, STATUS_UNAVAILABLE, "%s: %s", remote->url, remote->peer.why);
    case PEER_LOADING:
        return error_set(error, STATUS_UNAVAILABLE, "%s: it is starting and has no picture yet",
                         remote->url);
    case PEER_REFUSED:
        return remote->code == 401 || remote->code == 403
                   ? error_set(error, STATUS_DENIED, "%s: refused (%d): %s", remote->url,
                               remote->code, remote->peer.why)
                   : error_set(error, STATUS_DENIED, "%s: %s", remote->url, remote->peer.why);
    case PEER_LIVE:
    case PEER_STALE:
        break;
    }
    return STATUS_OK;
}

/* ---- beginning and end ---- */

static enum status run_player(struct remote *remote, struct tui_options *screen,
                              struct error *error)
{
    struct player *player = NULL;
    enum status status = player_create(remote->options->play, &player, error);
    if (status != STATUS_OK)
        return status;
    struct feed_source source = player_source(player);
    status = feed_create(&source, &remote->feed, error);
    screen->player = player;
    screen->feed = remote->feed;
    screen->readonly = true;
    screen->tick = tick_player;
    if (status == STATUS_OK)
        status = remote->options->once ? print_once(screen, error) : tui_run(screen, error);
    feed_destroy(remote->feed);
    player_destroy(player);
    return status;
}

static enum status run_peer(struct remote *remote, struct tui_options *screen, struct error *error)
{
    const struct remote_options *options = remote->options;
    struct feed_source source = {.ask = ask_peer, .context = remote, .direct = options->once};
    enum status status = STATUS_OK;
    if (options->token_file)
        status = secret_bearer(options->token_file, remote->authorization, error);
    if (status == STATUS_OK)
        status = feed_create(&source, &remote->feed, error);
    if (status == STATUS_OK && options->record)
        status = recorder_create(options->record, &screen->recorder, error);
    screen->feed = remote->feed;
    screen->tick = tick_remote;
    screen->peer = copy_peer;
    if (status == STATUS_OK && options->once)
        status = await_picture(remote, error);
    else if (status == STATUS_OK) /* asked for now: it comes while the terminal is set up */
        (void)feed_read(remote->feed, FEED_SNAPSHOT, EVERY_MS);
    if (status == STATUS_OK)
        status = options->once ? print_once(screen, error) : tui_run(screen, error);
    feed_destroy(remote->feed);
    struct error late;
    enum status closed = recorder_close(screen->recorder, &late);
    if (status == STATUS_OK && closed != STATUS_OK)
        *error = late;
    return status == STATUS_OK ? closed : status;
}

enum status remote_run(const struct remote_options *options, struct error *error)
{
    struct remote remote = {.options = options};
    struct tui_options screen = options->screen;
    size_t length = strlen(options->url);
    while (length > 0 && options->url[length - 1] == '/')
        length--;
    if (length >= sizeof remote.url)
        return error_set(error, STATUS_INVALID, "the URL is too long");
    snprintf(remote.url, sizeof remote.url, "%.*s", (int)length, options->url);
    snprintf(remote.peer.url, sizeof remote.peer.url, "%s", remote.url);
    remote.peer.since_us = wall_us();
    remote.board = snapshot_board_create();
    if (!remote.board)
        return error_set(error, STATUS_MEMORY, "no memory for the screen");
    screen.board = remote.board;
    screen.context = &remote;
    enum status status =
        options->play ? run_player(&remote, &screen, error) : run_peer(&remote, &screen, error);
    snapshot_board_destroy(remote.board);
    return status;
}
