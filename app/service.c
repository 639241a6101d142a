/* Starts the parts in the order in which they need each other and stops them in reverse. The tick
 * belongs to one thread at a time: the main loop's, or, in event time, also the source's between
 * two batches, so that objectives and alerts are judged as the events' time goes by. */
#include "app/service.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "app/alerting.h"
#include "app/backend.h"
#include "app/history.h"
#include "app/inquiry.h"
#include "app/judge.h"
#include "app/performance.h"
#include "app/source.h"
#include "app/tiers.h"
#include "app/watch.h"
#include "engine/base/thread.h"
#include "engine/monitor/slo.h"
#include "ui/web/web.h"

/* Well within the minute that many figures cover, so that none of them escapes judgement. */
#define JUDGE_EVERY_US (10 * US_PER_S)
/* Small, so that what depends on the events' time is judged often while it goes by. */
#define EVENT_TIME_BATCH 64
#define MAX_HOSTS        16
#define OTHER_FILES      256 /* open ones that are no connection: the record's, models, Kafka's */

struct service {
    struct session session;
    struct service_options options;
    struct snapshot_board *board;
    struct alerts *alerts;
    struct performance *performance;
    char *alerts_path;
    struct watch *watch;
    struct judge *judge;
    struct backend *backend;
    struct inquiry *inquiry;
    struct web_backend table;
    struct access *access;
    const char *hosts[MAX_HOSTS + 1]; /* ends with NULL; borrowed from the configuration */
    struct web *web, *inside;         /* inside: for this process's own screen */
    struct source *source;
    struct keeper *keeper;
    struct lock tick_lock;
    struct queue_statuses queues; /* of the last picture */
    uint64_t seq;
    int64_t started_us;
    int64_t judged_us; /* event time of the last judgement */
    atomic_bool stopping;
};

/* ---- the tick ---- */

static void add_listener(const char *name, const struct httpd_stats *stats,
                         struct snapshot *snapshot)
{
    struct listener_status *listener = &snapshot->listeners[snapshot->n_listeners++];
    *listener = (struct listener_status){.requests = stats->requests,
                                         .refused = stats->refused,
                                         .turned_away = stats->turned_away,
                                         .hung_up = stats->hung_up,
                                         .sockets_refused = stats->sockets_refused,
                                         .frames_missed = stats->frames_replaced,
                                         .connections = (uint64_t)stats->connections,
                                         .sockets = (uint64_t)stats->sockets};
    snprintf(listener->name, sizeof listener->name, "%s", name);
}

/* The first picture is taken before anybody listens. */
static void fill_listeners(const struct service *service, struct snapshot *snapshot)
{
    struct httpd_stats stats;
    if (!service->web)
        return;
    web_stats(service->web, &stats);
    add_listener("main", &stats, snapshot);
    queues_add(&snapshot->queues, "connections", (uint64_t)stats.connections,
               (uint64_t)stats.max_connections, stats.hung_up);
    if (web_score_stats(service->web, &stats)) {
        add_listener("score", &stats, snapshot);
        queues_add(&snapshot->queues, "score_connections", (uint64_t)stats.connections,
                   (uint64_t)stats.max_connections, stats.hung_up);
        queues_add(&snapshot->queues, "long_requests", stats.jobs, stats.max_jobs,
                   stats.jobs_refused);
    }
}

static struct snapshot *take_picture(struct service *service)
{
    struct snapshot *snapshot = snapshot_create();
    if (!snapshot)
        return NULL;
    engine_fill(service->session.engine, snapshot);
    performance_fill(service->performance, &snapshot->performance);
    snapshot->seq = ++service->seq;
    snapshot->staging = service->session.config->staging ||
                        strcmp(service->session.config->source.type, "demo") == 0;
    /* In event time the start is the first event's, not the clock's before it. */
    if (service->started_us == 0)
        service->started_us = snapshot->time_us;
    snapshot->started_us = service->started_us;
    fill_listeners(service, snapshot);
    source_fill(service->source, snapshot);
    heads_fill(service->session.heads, snapshot);
    tiers_fill(service->keeper, snapshot);
    return snapshot;
}

void service_tick(struct service *service)
{
    lock_take(&service->tick_lock);
    struct snapshot *snapshot = take_picture(service);
    if (snapshot) {
        judge_tick(service->judge, snapshot);
        queues_follow(&snapshot->queues, &service->queues, snapshot->time_us);
        service->judged_us = snapshot->time_us;
        snapshot_publish(service->board, snapshot);
    }
    lock_release(&service->tick_lock);
}

static void event_time_moved(void *context)
{
    struct service *service = context;
    if (clock_now_us(service->session.clock) - service->judged_us >= JUDGE_EVERY_US)
        service_tick(service);
}

/* ---- starting ---- */

static enum status start_alerts(struct service *service, struct error *error)
{
    struct alerting alerting;
    const char *ledger = service_ledger(service);
    if (ledger && asprintf(&service->alerts_path, "%s/alerts.db", ledger) < 0)
        return error_set(error, STATUS_MEMORY, "out of memory");
    alerting_fill(&alerting, service->session.config, engine_objectives(service->session.engine));
    alerting.options.path = service->alerts_path;
    alerting.options.log = service->session.log;
    return alerts_create(&alerting.options, &service->alerts, error);
}

struct access_keys {
    const char *token_file;
    const struct yaml_node *allowed_hosts;
};

static enum status read_hosts(struct service *service, const struct yaml_node *list,
                              struct error *error)
{
    if (!list)
        return STATUS_OK;
    if (yaml_kind(list) != YAML_LIST || yaml_size(list) > MAX_HOSTS)
        return yaml_error(list, error, "allowed_hosts is a list of up to %d host names", MAX_HOSTS);
    for (size_t i = 0; i < yaml_size(list); i++)
        service->hosts[i] = yaml_text(yaml_item(list, i));
    return STATUS_OK;
}

static enum status start_access(struct service *service, struct error *error)
{
    static const struct config_key keys[] = {
        {"token_file", CONFIG_STRING, offsetof(struct access_keys, token_file), false, 0, 0,
         "lines `NAME TOKEN` of those who may change state; mode 0600"},
        {"allowed_hosts", CONFIG_NODE, offsetof(struct access_keys, allowed_hosts), false, 0, 0,
         "Host names that are served, besides addresses, localhost and the name listened on: those "
         "of a proxy in front"},
        {NULL, CONFIG_STRING, 0, false, 0, 0, NULL},
    };
    const struct config *config = service->session.config;
    struct access_keys values = {NULL, NULL};
    if (!config->access)
        return access_create(NULL, &service->access, error);
    enum status status = config_read(config->access, keys, &values, error);
    if (status != STATUS_OK)
        return status;
    status = read_hosts(service, values.allowed_hosts, error);
    if (status != STATUS_OK)
        return status;
    char *path = values.token_file ? config_path(config, values.token_file) : NULL;
    status = access_create(path, &service->access, error);
    free(path);
    return status;
}

static const char *listen_address(const struct service *service)
{
    return service->options.listen ? service->options.listen : service->session.config->listen;
}

/* What could not be listened on is in the message already; which option moves it is not. */
static enum status advise_address(const struct web_options *web, struct error *error)
{
    struct error cause = *error;
    bool scoring = web->listen_score && strstr(cause.message, web->listen_score);
    return error_set(error, cause.code, "%s; another is chosen with %s HOST:PORT", cause.message,
                     scoring ? "--listen-score" : "--listen");
}

/* Every page takes a file descriptor, and the record must never go without: as many pages as the
 * system's limit, raised as far as it may be, has room for. */
static int64_t viewers_with_room(const struct service *service)
{
    const struct config *config = service->session.config;
    struct rlimit limit;
    rlim_t others = (rlim_t)(OTHER_FILES + 2 * config->workers);
    rlim_t wanted = others + (rlim_t)config->viewers;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
        return config->viewers;
    limit.rlim_cur = wanted < limit.rlim_max ? wanted : limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
        return config->viewers;
    int64_t viewers = limit.rlim_cur > others ? (int64_t)(limit.rlim_cur - others) : 1;
    log_write(service->session.log, LOG_WARN, "web", "few_viewers",
              "the limit of open files (ulimit -n) leaves room for %lld of %lld viewers",
              (long long)viewers, (long long)config->viewers);
    return viewers;
}

/* What the command line said in place of the configuration. */
static void tell_backend(struct service *service)
{
    const struct service_options *options = &service->options;
    struct backend_about about = {
        .config = service->session.config,
        .log = service->session.log,
        .given = {{"listen", "--listen", options->listen},
                  {"listen_score", "--listen-score", options->listen_score},
                  {"ledger.dir", "--ledger", options->session.ledger_dir},
                  {"model", "--model", options->session.model_file}},
    };
    backend_tell(service->backend, &about);
}

static enum status start_web(struct service *service, struct error *error)
{
    const struct config *config = service->session.config;
    const struct service_options *options = &service->options;
    struct web_options web = {
        .listen = listen_address(service),
        .listen_score = options->listen_score ? options->listen_score : config->listen_score,
        .workers = (int)config->workers,
        .viewers = (int)viewers_with_room(service),
        .api_rate = (int)config->api_rate,
        .access = service->access,
        .allowed_hosts = service->hosts,
    };
    struct worker_options reasons = session_worker_options(&service->session);
    enum status status =
        backend_create(service->session.engine, service->board, (int)config->workers * 2, &reasons,
                       &service->backend, error);
    if (status != STATUS_OK)
        return status;
    tell_backend(service);
    backend_list_changes(service->backend, watch_changes(service->watch));
    backend_table(service->backend, &service->table);
    history_table(service->session.engine, &service->table.history);
    watch_table(service->watch, &service->table);
    struct inquiry_parts parts = {service->session.engine, service->alerts,
                                  watch_changes(service->watch), reasons};
    status = inquiry_create(&parts, &service->inquiry, error);
    if (status != STATUS_OK)
        return status;
    inquiry_table(service->inquiry, &service->table);
    performance_table(service->performance, &service->table);
    status = web_open_inside(&service->table, &service->inside, error);
    if (status != STATUS_OK)
        return status;
    status = web_start(&web, &service->table, &service->web, error);
    return status == STATUS_UNAVAILABLE ? advise_address(&web, error) : status;
}

static enum status start_source(struct service *service, struct error *error)
{
    service->session.batch = EVENT_TIME_BATCH;
    struct source_options options = {
        .session = &service->session,
        .path = service->options.input,
        .speed = service->options.speed ? service->options.speed : "max",
        .moved = event_time_moved,
        .context = service,
    };
    return source_start(&options, &service->source, error);
}

static bool is_stopping(void *context)
{
    struct service *service = context;
    return atomic_load(&service->stopping);
}

static enum status start(struct service *service, struct error *error)
{
    service->board = snapshot_board_create();
    if (!service->board)
        return error_set(error, STATUS_MEMORY, "out of memory");
    service->options.session.interrupted = is_stopping;
    service->options.session.context = service;
    enum status status = session_open(&service->options.session, &service->session, error);
    if (status == STATUS_OK && engine_ledger(service->session.engine))
        status = performance_start(service->session.engine, service->session.config->performance,
                                   &service->performance, error);
    if (status == STATUS_OK)
        status = watch_create(&service->session, &service->watch, error);
    if (status == STATUS_OK)
        status = start_alerts(service, error);
    if (status == STATUS_OK)
        status = judge_start(service->alerts, service->watch, service->session.log, &service->judge,
                             error);
    if (status == STATUS_OK)
        status = start_access(service, error);
    if (status != STATUS_OK)
        return status;
    service->started_us = clock_now_us(service->session.clock);
    service_tick(service);
    status = start_web(service, error);
    if (status == STATUS_OK)
        status = tiers_start(&service->session, &service->keeper, error);
    if (status == STATUS_OK)
        status = start_source(service, error);
    return status;
}

enum status service_start(const struct service_options *options, struct service **service,
                          struct error *error)
{
    *service = NULL;
    struct service *made = calloc(1, sizeof *made);
    if (!made)
        return error_set(error, STATUS_MEMORY, "out of memory");
    made->options = *options;
    lock_init(&made->tick_lock, "service.tick");
    made->session.log = log_create(2, options->log_level, false);
    enum status status = start(made, error);
    if (status != STATUS_OK) {
        service_stop(made);
        return status;
    }
    *service = made;
    return STATUS_OK;
}

void service_stop(struct service *service)
{
    if (!service)
        return;
    atomic_store(&service->stopping, true);
    source_stop(service->source);
    keeper_destroy(service->keeper);
    web_stop(service->inside);
    web_stop(service->web);
    inquiry_destroy(service->inquiry);
    backend_destroy(service->backend);
    access_destroy(service->access);
    judge_stop(service->judge);
    alerts_destroy(service->alerts);
    watch_destroy(service->watch);
    performance_stop(service->performance);
    session_close(&service->session);
    if (service->board)
        snapshot_board_destroy(service->board);
    lock_destroy(&service->tick_lock);
    free(service->alerts_path);
    free(service);
}

struct snapshot_board *service_board(struct service *service)
{
    return service->board;
}

struct log *service_log(struct service *service)
{
    return service->session.log;
}

int service_call(struct service *service, const char *method, const char *target, struct slice body,
                 struct buffer *reply)
{
    return web_call(service->inside, method, target, body, reply);
}

const char *service_address(const struct service *service, char *text)
{
    const char *listen = listen_address(service);
    if (strncmp(listen, "0.0.0.0:", 8) == 0)
        listen = "127.0.0.1:";
    const char *colon = strrchr(listen, ':');
    int size = colon ? (int)(colon - listen) : 0;
    snprintf(text, SERVICE_ADDRESS_SIZE, "%.*s:%d", size, listen, web_port(service->web));
    return text;
}

const char *service_ledger(const struct service *service)
{
    return engine_parts(service->session.engine)->ledger_dir;
}
