/* Starts and stops the servers, and the thread that pushes each new snapshot to the open pages.
 *
 * One server carries everything, with a thread for each connection; with listen_score a second one
 * carries scoring on a loop, where callers share neither threads nor waiting with browsers. Open
 * pages never have a worker. */
#include "ui/web/web_priv.h"

#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

#include "ui/web/delta.h"

#define DEFAULT_VIEWERS   256
#define LOOK_AGAIN_US     50000
#define MAX_SNAPSHOT_JSON ((size_t)4 << 20)

/* Views of one's own, under "own": pages have them in the picture, without asking. */
static void write_own(const struct web_backend *backend, struct buffer *out)
{
    struct error error;
    size_t size = out->size;
    buffer_append_text(out, ",\"own\":");
    if (!backend->views || backend->views(backend->context, out, &error) != 200)
        out->size = size;
}

/* The snapshot's own members, and the words that screens show under "view". */
static bool write_picture(const struct web_backend *backend, const struct snapshot *snapshot,
                          struct buffer *out)
{
    struct view *view = malloc(sizeof *view);
    if (!view)
        return false;
    buffer_reset(out);
    snapshot_json(snapshot, out);
    if (out->size && out->data[out->size - 1] == '}') {
        out->size--;
        buffer_append_text(out, ",\"view\":");
        view_build(snapshot, view);
        view_json(view, out);
        write_own(backend, out);
        buffer_append_char(out, '}');
    }
    free(view);
    return !out->overflow;
}

enum web_picture web_picture(struct web *web,
                             void (*take)(void *context, uint64_t seq, struct slice json),
                             void *context)
{
    const struct snapshot *snapshot = snapshot_acquire(web->backend.board);
    if (!snapshot)
        return WEB_PICTURE_NONE_YET;
    lock_take(&web->picture_lock);
    bool made = web->picture.size && web->picture_seq >= snapshot->seq;
    if (!made) {
        made = write_picture(&web->backend, snapshot, &web->picture);
        web->picture_seq = snapshot->seq;
        if (!made)
            buffer_reset(&web->picture);
    }
    if (made)
        take(context, web->picture_seq, buffer_slice(&web->picture));
    lock_release(&web->picture_lock);
    snapshot_release(snapshot);
    return made ? WEB_PICTURE_TAKEN : WEB_PICTURE_NO_MEMORY;
}

static void send_first(void *context, uint64_t seq, struct slice json)
{
    http_socket_send(context, seq, json);
}

/* The first message: what is known now, at once. */
static void on_live_open(void *context, struct http_socket *socket)
{
    web_picture(context, send_first, socket);
}

static void send_whole(void *context, uint64_t seq, struct slice json)
{
    (void)seq; /* without a number: it is sent although what changed was */
    http_socket_send(context, 0, json);
}

/* A page that missed a message asks for the whole picture, whatever it says. */
static void on_live_text(void *context, struct http_socket *socket, struct slice text)
{
    (void)text;
    web_picture(context, send_whole, socket);
}

static const struct http_socket_route live_routes[] = {
    {.path = WEB_LIVE_PATH, .on_open = on_live_open, .on_text = on_live_text},
    {.path = NULL},
};

/* {"schema","seq","base","delta"}: what changed since the picture number `base`. False: it is not
 * worth it. */
static bool write_delta(struct web *web, uint64_t seq, struct slice json)
{
    buffer_reset(&web->delta);
    buffer_printf(&web->delta,
                  "{\"schema\":1,\"seq\":%llu,\"base\":%llu,\"delta\":", (unsigned long long)seq,
                  (unsigned long long)web->sent_seq);
    bool made = web->sent.size > 0 && delta_write(buffer_slice(&web->sent), json, &web->delta) &&
                buffer_append_char(&web->delta, '}');
    return made && web->delta.size < json.size - json.size / 8;
}

static void send_all(void *context, uint64_t seq, struct slice json)
{
    struct web *web = context;
    bool made = write_delta(web, seq, json);
    httpd_broadcast(web->httpd, WEB_LIVE_PATH, seq, made ? buffer_slice(&web->delta) : json);
    buffer_reset(&web->sent);
    if (!buffer_append_slice(&web->sent, json))
        buffer_reset(&web->sent);
    web->sent_seq = seq;
}

static void push(struct web *web)
{
    struct httpd_stats stats;
    httpd_stats(web->httpd, &stats);
    if (stats.sockets > 0)
        web_picture(web, send_all, web);
    else
        buffer_reset(&web->sent); /* nobody looks */
}

static void run_live(void *context)
{
    struct web *web = context;
    uint64_t pushed = 0;
    while (!atomic_load(&web->stopping)) {
        const struct snapshot *snapshot = snapshot_acquire(web->backend.board);
        uint64_t seq = snapshot ? snapshot->seq : pushed;
        if (snapshot)
            snapshot_release(snapshot);
        if (seq != pushed)
            push(web);
        pushed = seq;
        usleep(LOOK_AGAIN_US);
    }
}

static enum status start_servers(const struct web_options *options, struct web *web,
                                 struct error *error)
{
    struct httpd_options server = {
        .listen = options->listen,
        .workers = options->workers,
        .rate = options->api_rate,
        .max_sockets = options->viewers > 0 ? options->viewers : DEFAULT_VIEWERS,
        .allowed_hosts = options->allowed_hosts,
        .accepts = web_knows_parameters,
        .tls_certificate = options->tls_certificate,
    };
    enum status status = httpd_start(&server, web_routes, live_routes, web, &web->httpd, error);
    if (status != STATUS_OK || !options->listen_score)
        return status;
    server.listen = options->listen_score;
    server.max_sockets = 0;
    struct httpd_loop_options loop = {
        .gather = web_gather_scores,
        .max_gathered = web->backend.gather.max_calls,
        .watched_fd = web->backend.gather.fd,
        .on_watched = web_settle_scores,
        .max_connections = WEB_SCORE_CONNECTIONS,
    };
    /* The loop has no TLS. */
    if (web->backend.gather.score && !options->tls_certificate)
        server.loop = &loop;
    return httpd_start(&server, web_score_routes, NULL, web, &web->score_httpd, error);
}

/* Everything but the servers. `access` NULL: nobody is asked for a token. */
static enum status make(const struct web_backend *backend, const struct access *access,
                        struct web **out, struct error *error)
{
    assert(backend->board);
    struct web *web = calloc(1, sizeof *web);
    if (!web)
        return error_set(error, STATUS_MEMORY, "out of memory");
    web->backend = *backend;
    lock_init(&web->picture_lock, "picture");
    buffer_init(&web->picture, MAX_SNAPSHOT_JSON);
    buffer_init(&web->sent, MAX_SNAPSHOT_JSON);
    buffer_init(&web->delta, MAX_SNAPSHOT_JSON);
    web->calls = calloc(backend->gather.max_calls + 1, sizeof *web->calls);
    *out = web;
    if (!web->calls)
        return error_set(error, STATUS_MEMORY, "out of memory");
    enum status status = STATUS_OK;
    if (!access)
        status = access_create(NULL, &web->open_access, error);
    web->access = access ? access : web->open_access;
    return status;
}

enum status web_open_inside(const struct web_backend *backend, struct web **out,
                            struct error *error)
{
    struct web *web = NULL;
    enum status status = make(backend, NULL, &web, error);
    if (status != STATUS_OK) {
        web_stop(web);
        return status;
    }
    *out = web;
    return STATUS_OK;
}

enum status web_start(const struct web_options *options, const struct web_backend *backend,
                      struct web **out, struct error *error)
{
    struct web *web = NULL;
    enum status status = make(backend, options->access, &web, error);
    if (status == STATUS_OK)
        status = start_servers(options, web, error);
    if (status == STATUS_OK)
        status = thread_start("web-live", run_live, web, &web->live, error);
    if (status != STATUS_OK) {
        web_stop(web);
        return status;
    }
    *out = web;
    return STATUS_OK;
}

void web_stop(struct web *web)
{
    if (!web)
        return;
    atomic_store(&web->stopping, true);
    thread_join(web->live);
    httpd_stop(web->score_httpd);
    httpd_stop(web->httpd);
    access_destroy(web->open_access);
    buffer_free(&web->picture);
    buffer_free(&web->sent);
    buffer_free(&web->delta);
    lock_destroy(&web->picture_lock);
    free(web->calls);
    free(web);
}

int web_port(const struct web *web)
{
    return httpd_port(web->httpd);
}

int web_score_port(const struct web *web)
{
    return web->score_httpd ? httpd_port(web->score_httpd) : -1;
}

void web_stats(const struct web *web, struct httpd_stats *stats)
{
    httpd_stats(web->httpd, stats);
}

bool web_score_stats(const struct web *web, struct httpd_stats *stats)
{
    if (!web->score_httpd)
        return false;
    httpd_stats(web->score_httpd, stats);
    return true;
}
