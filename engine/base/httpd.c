/* The HTTP server: civetweb's threads and parser behind our table of routes, or a loop of ours.
 *
 * In: a table of routes and one of WebSocket paths. Each civetweb worker serves one connection,
 * request after request. Here are start, stop and what civetweb calls back about threads and
 * connections; httpd_request.c serves a request, httpd_handshake.c makes a WebSocket of one and
 * httpd_viewers.c serves those; httpd_door.c
 * keeps slow peers from holding the workers; httpd_guard.c has the rules of who may change state.
 * Where many small requests come on many connections, httpd_loop.c takes civetweb's place; what
 * both do alike is in httpd_answer.c.
 *
 * Threads: handlers run in civetweb's workers; start and stop belong to the owner. */
#include "engine/base/httpd_priv.h"

#include <assert.h>
#include <errno.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/clock.h"

#define DEFAULT_WORKERS    32
#define STOP_PATIENCE_MS   5000
#define REQUEST_TIMEOUT_MS 10000  /* for reading a request and for each write */
#define KEEP_ALIVE         "5000" /* ms that an idle connection keeps its worker */
#define RATE_WINDOW_S      10
#define WORKER_THREAD      1 /* civetweb's number for the threads that serve connections */

/* ---- what civetweb calls back ---- */

/* civetweb's own complaints. While starting, the first is the reason for the failure and the others
 * follow from it. */
static int on_log(const struct mg_connection *connection, const char *message)
{
    struct httpd *httpd = mg_get_user_data(mg_get_context(connection));
    if (httpd && !atomic_load(&httpd->serving) && !httpd->failure[0])
        snprintf(httpd->failure, sizeof httpd->failure, "%s", message);
    return 1;
}

static void *on_thread_start(const struct mg_context *mg, int type)
{
    return type == WORKER_THREAD ? httpd_worker_create(mg_get_user_data(mg)) : NULL;
}

static void on_thread_end(const struct mg_context *mg, int type, void *pointer)
{
    (void)mg;
    if (type == WORKER_THREAD)
        httpd_worker_destroy(pointer);
}

/* A handshake may take as long as a request, and holds a worker as well. */
static void on_tls_progress(const SSL *tls, int what, int result)
{
    (void)result;
    struct mg_connection *connection =
        (what & SSL_CB_HANDSHAKE_START) ? SSL_get_app_data(tls) : NULL;
    struct worker *worker = connection ? mg_get_thread_pointer(connection) : NULL;
    if (worker)
        door_enter(worker, connection);
}

static int on_tls_context(void *tls_context, void *httpd)
{
    (void)httpd;
    SSL_CTX_set_info_callback(tls_context, on_tls_progress);
    return 0; /* the certificate is civetweb's to load */
}

static int on_connection(const struct mg_connection *connection, void **data)
{
    (void)data;
    struct worker *worker = mg_get_thread_pointer(connection);
    if (worker)
        door_enter(worker, (struct mg_connection *)(uintptr_t)connection);
    return 0;
}

static void on_connection_end(const struct mg_connection *connection)
{
    struct worker *worker = mg_get_thread_pointer(connection);
    if (worker)
        door_leave(worker);
}

/* ---- start and stop ---- */

/* "HOST:PORT" to the host without brackets. */
static enum status read_listen(const struct httpd_options *options, struct httpd *httpd,
                               struct error *error)
{
    const char *colon = options->listen ? strrchr(options->listen, ':') : NULL;
    char *end = NULL;
    long port = colon ? strtol(colon + 1, &end, 10) : -1;
    size_t size = colon ? (size_t)(colon - options->listen) : 0;
    if (!colon || end == colon + 1 || *end || port < 0 || port > 65535 || size == 0 ||
        size >= sizeof httpd->listen_host || strpbrk(options->listen, ", "))
        return error_set(error, STATUS_INVALID,
                         "cannot listen on \"%s\": write HOST:PORT, for example 127.0.0.1:8420",
                         options->listen ? options->listen : "");
    bool bracketed = options->listen[0] == '[';
    snprintf(httpd->listen_host, sizeof httpd->listen_host, "%.*s",
             (int)(bracketed ? size - 2 : size), options->listen + (bracketed ? 1 : 0));
    return STATUS_OK;
}

static void read_options(const struct httpd_options *options, const struct http_route *routes,
                         struct httpd *httpd)
{
    httpd->routes = routes;
    httpd->allowed_hosts = options->allowed_hosts;
    httpd->accepts = options->accepts;
    httpd->max_sockets = options->max_sockets;
    httpd->threads = options->workers > 0 ? options->workers : DEFAULT_WORKERS;
    httpd->request_timeout_ms =
        options->request_timeout_ms > 0 ? options->request_timeout_ms : REQUEST_TIMEOUT_MS;
    httpd->tls = options->tls_certificate != NULL;
    for (const struct http_route *route = routes; route->method; route++) {
        if (route->max_body > httpd->max_body)
            httpd->max_body = route->max_body;
    }
}

static enum status limit_rate(struct httpd *httpd, int rate, struct error *error)
{
    httpd->rate = rate_create((int64_t)rate * RATE_WINDOW_S, RATE_WINDOW_S);
    return httpd->rate ? STATUS_OK : error_set(error, STATUS_MEMORY, "out of memory");
}

static struct mg_context *start_civetweb(struct httpd *httpd, const struct httpd_options *options)
{
    char ports[LISTEN_SIZE + 16], threads[16], request_timeout[16];
    snprintf(request_timeout, sizeof request_timeout, "%d", httpd->request_timeout_ms);
    snprintf(ports, sizeof ports, "%s%s", options->listen, httpd->tls ? "s" : "");
    snprintf(threads, sizeof threads, "%d", httpd->threads);
    const char *settings[] = {"listening_ports",
                              ports,
                              "num_threads",
                              threads,
                              "tcp_nodelay",
                              "1",
                              "enable_keep_alive",
                              "yes",
                              "keep_alive_timeout_ms",
                              KEEP_ALIVE,
                              "request_timeout_ms",
                              request_timeout,
                              "connection_queue",
                              "256",
                              "listen_backlog",
                              "1024",
                              "enable_directory_listing",
                              "no",
                              "decode_url", /* its way loses what follows a zero byte */
                              "no",
                              "enable_auth_domain_check",
                              "no",
                              httpd->tls ? "ssl_certificate" : NULL,
                              options->tls_certificate,
                              NULL};
    struct mg_callbacks callbacks = {
        .begin_request = httpd_serve,
        .http_error = httpd_refuse_nonsense,
        .log_message = on_log,
        .init_ssl = on_tls_context,
        .init_thread = on_thread_start,
        .exit_thread = on_thread_end,
        .init_connection = on_connection,
        .connection_close = on_connection_end,
    };
    mg_init_library(httpd->tls ? MG_FEATURES_TLS : MG_FEATURES_DEFAULT);
    /* Its threads inherit this mask: signals are for the main thread. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    struct mg_context *mg = mg_start(&callbacks, httpd, settings);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!mg)
        mg_exit_library();
    return mg;
}

static enum status start_viewers(struct httpd *httpd, const struct http_socket_route *sockets,
                                 struct error *error)
{
    struct viewers_options options = {
        .routes = sockets,
        .context = httpd->context,
        .n_open = &httpd->n_sockets,
        .frames_replaced = &httpd->frames_replaced,
    };
    httpd->socket_routes = sockets;
    return viewers_create(&options, &httpd->viewers, error);
}

static enum status cannot_listen(const struct httpd *httpd, const char *listen, struct error *error)
{
    const char *why = httpd->failure[0] ? httpd->failure : "the server did not start";
    if (strstr(why, strerror(EADDRINUSE)))
        why = "the address is in use";
    return error_set(error, STATUS_UNAVAILABLE, "cannot listen on %s: %s", listen, why);
}

static enum status start_threads(struct httpd *httpd, const struct httpd_options *options,
                                 struct error *error)
{
    enum status status = door_create(httpd, error);
    if (status != STATUS_OK)
        return status;
    httpd->mg = start_civetweb(httpd, options);
    if (!httpd->mg)
        return cannot_listen(httpd, options->listen, error);
    status = door_open(httpd->door, error);
    if (status != STATUS_OK) {
        mg_stop(httpd->mg);
        mg_exit_library();
        return status;
    }
    struct mg_server_port port;
    if (mg_get_server_ports(httpd->mg, 1, &port) == 1)
        httpd->port = port.port;
    return STATUS_OK;
}

static void stop_threads(struct httpd *httpd)
{
    for (int waited = 0; waited < STOP_PATIENCE_MS && atomic_load(&httpd->in_flight) > 0; waited++)
        usleep(1000);
    if (httpd->viewers)
        viewers_stop(httpd->viewers);
    door_close(httpd->door);
    mg_stop(httpd->mg);
    viewers_destroy(httpd->viewers);
    httpd->viewers = NULL;
    mg_exit_library();
}

enum status httpd_start(const struct httpd_options *options, const struct http_route *routes,
                        const struct http_socket_route *sockets, void *context, struct httpd **out,
                        struct error *error)
{
    struct httpd *httpd = calloc(1, sizeof *httpd);
    if (!httpd)
        return error_set(error, STATUS_MEMORY, "out of memory");
    httpd->magic = HTTPD_MAGIC;
    httpd->context = context;
    read_options(options, routes, httpd);
    enum status status = read_listen(options, httpd, error);
    if (status == STATUS_OK && options->rate > 0)
        status = limit_rate(httpd, options->rate, error);
    if (status == STATUS_OK && sockets)
        status = start_viewers(httpd, sockets, error);
    if (status != STATUS_OK)
        goto out;
    status = options->loop ? http_loop_start(httpd, options, &httpd->loop, error)
                           : start_threads(httpd, options, error);
    if (status != STATUS_OK)
        goto out;
    atomic_store(&httpd->serving, true);
    *out = httpd;
    return STATUS_OK;
out:
    if (httpd->viewers)
        viewers_stop(httpd->viewers);
    viewers_destroy(httpd->viewers);
    door_destroy(httpd->door);
    rate_destroy(httpd->rate);
    free(httpd);
    return status;
}

void httpd_stop(struct httpd *httpd)
{
    if (!httpd)
        return;
    assert(httpd->magic == HTTPD_MAGIC);
    atomic_store(&httpd->draining, true);
    if (httpd->mg)
        stop_threads(httpd);
    http_loop_stop(httpd->loop, STOP_PATIENCE_MS);
    httpd->magic = 0;
    door_destroy(httpd->door);
    rate_destroy(httpd->rate);
    free(httpd);
}

void httpd_broadcast(struct httpd *httpd, const char *path, uint64_t number, struct slice text)
{
    if (httpd->viewers)
        viewers_broadcast(httpd->viewers, path, number, text);
}

int httpd_port(const struct httpd *httpd)
{
    return httpd->port;
}

void httpd_stats(struct httpd *httpd, struct httpd_stats *stats)
{
    *stats = (struct httpd_stats){
        .requests = atomic_load(&httpd->requests),
        .refused = atomic_load(&httpd->refused),
        .turned_away = atomic_load(&httpd->turned_away),
        .hung_up = atomic_load(&httpd->hung_up),
        .sockets_refused = atomic_load(&httpd->sockets_refused),
        .frames_replaced = atomic_load(&httpd->frames_replaced),
        .jobs_refused = atomic_load(&httpd->jobs_refused),
        .jobs = atomic_load(&httpd->jobs),
        .max_jobs = httpd->loop ? LOOP_MAX_JOBS : 0,
        .connections = atomic_load(&httpd->connections),
        .max_connections = httpd->loop ? http_loop_max_connections(httpd->loop) : httpd->threads,
        .sockets = atomic_load(&httpd->n_sockets),
    };
}
