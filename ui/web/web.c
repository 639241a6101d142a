/* Starts and stops the servers, and the thread that pushes each new snapshot to the open pages.
 *
 * One server carries everything; with listen_score a second one, with workers of its own, carries
 * scoring, so that browsers can never take the callers' workers. */
#include "ui/web/web_priv.h"

#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

#define DEFAULT_SOCKETS   16
#define LOOK_AGAIN_US     50000
#define MAX_SNAPSHOT_JSON ((size_t)4 << 20)

/* The first message: what is known now, at once. */
static void on_live_open(void *context, struct http_socket *socket)
{
    struct web *web = context;
    const struct snapshot *snapshot = snapshot_acquire(web->backend.board);
    if (!snapshot)
        return;
    struct buffer json;
    buffer_init(&json, MAX_SNAPSHOT_JSON);
    if (web_snapshot_json(snapshot, &json))
        http_socket_send(socket, buffer_slice(&json));
    buffer_free(&json);
    snapshot_release(snapshot);
}

static const struct http_socket_route live_routes[] = {
    {.path = WEB_LIVE_PATH, .on_open = on_live_open},
    {.path = NULL},
};

static void push(struct web *web, const struct snapshot *snapshot, struct buffer *json)
{
    struct httpd_stats stats;
    httpd_stats(web->httpd, &stats);
    if (stats.sockets == 0)
        return; /* nobody looks */
    buffer_reset(json);
    if (web_snapshot_json(snapshot, json))
        httpd_broadcast(web->httpd, WEB_LIVE_PATH, buffer_slice(json));
}

static void run_live(void *context)
{
    struct web *web = context;
    struct buffer json;
    buffer_init(&json, MAX_SNAPSHOT_JSON);
    uint64_t pushed = 0;
    while (!atomic_load(&web->stopping)) {
        const struct snapshot *snapshot = snapshot_acquire(web->backend.board);
        if (snapshot && snapshot->seq != pushed) {
            pushed = snapshot->seq;
            push(web, snapshot, &json);
        }
        if (snapshot)
            snapshot_release(snapshot);
        usleep(LOOK_AGAIN_US);
    }
    buffer_free(&json);
}

static enum status start_servers(const struct web_options *options, struct web *web,
                                 struct error *error)
{
    struct httpd_options server = {
        .listen = options->listen,
        .workers = options->workers,
        .max_sockets = options->max_sockets > 0 ? options->max_sockets : DEFAULT_SOCKETS,
        .allowed_hosts = options->allowed_hosts,
        .tls_certificate = options->tls_certificate,
    };
    enum status status = httpd_start(&server, web_routes, live_routes, web, &web->httpd, error);
    if (status != STATUS_OK || !options->listen_score)
        return status;
    server.listen = options->listen_score;
    server.max_sockets = 0;
    return httpd_start(&server, web_score_routes, NULL, web, &web->score_httpd, error);
}

enum status web_start(const struct web_options *options, const struct web_backend *backend,
                      struct web **out, struct error *error)
{
    assert(backend->board);
    struct web *web = calloc(1, sizeof *web);
    if (!web)
        return error_set(error, STATUS_MEMORY, "out of memory");
    web->backend = *backend;
    enum status status = STATUS_OK;
    if (!options->access)
        status = access_create(NULL, &web->open_access, error);
    web->access = options->access ? options->access : web->open_access;
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
