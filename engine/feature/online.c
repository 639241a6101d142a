/* The shared log of entries in Redis. Every entity has a Redis stream to which instances append
 * what they see (XADD) and from which they read what others appended since they last looked
 * (XRANGE), both in one round trip. Redis gives the order of arrival. Records carry the event's id,
 * so that one that is sent twice counts once.
 *
 * When Redis does not answer within the timeout the caller goes on with what it has; its records
 * wait in a bounded queue, Redis is asked again once a second by one thread, and is sent the queue
 * first when it is back. Any thread, each with its own link; the queue's lock is never held over
 * I/O. */
#include "engine/feature/online_priv.h"

#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "engine/base/clock.h"
#include "engine/base/number.h"
#include "engine/feature/store.h"

#define DEFAULT_TIMEOUT_MS 50
#define RETRY_NS           INT64_C(1000000000)
#define MAX_PENDING        65536
#define FLUSH_RECORDS      256
#define KEY_TEXT           120
#define SLACK_US           US_PER_HOUR /* clocks of instances and of Redis may differ by it */

struct pending {
    uint32_t stream;
    struct hash128 key;
    int64_t keep_us;
    enum online_kind kind;
    size_t size;
    void *record;
};

struct online {
    char host[256], password[256];
    int port, db;
    int64_t timeout_ms;
    struct hash128 views;
    struct log *log;
    _Atomic bool degraded;
    _Atomic int64_t retry_at_ns; /* 0: it is there */
    _Atomic uint64_t fallbacks;
    _Atomic uint64_t returns; /* times that it came back: connections from before are dead */
    struct lock lock;         /* of the queue */
    struct pending *queue;    /* a ring of MAX_PENDING */
    size_t first, n;
    bool flushing; /* one thread at a time sends from its front */
    uint64_t lost;
};

struct online_link {
    struct online *online;
    redisContext *redis; /* NULL: not connected */
    uint64_t returns;    /* of the online store when it connected */
    redisReply *replies[MAX_STREAMS];
    size_t at[MAX_STREAMS]; /* of online_next */
};

/* Reads "name=number" of the URL's query. */
static bool read_query(const char *query, struct online *online)
{
    static const char name[] = "timeout_ms=";
    return strncmp(query, name, sizeof name - 1) == 0 &&
           integer_parse(slice_of(query + sizeof name - 1), &online->timeout_ms) &&
           online->timeout_ms > 0 && online->timeout_ms <= 60000;
}

/* redis://[:password@]host[:port][/db][?timeout_ms=N] */
static bool read_url(const char *url, struct online *online)
{
    static const char scheme[] = "redis://";
    char text[600], *rest = text;
    int64_t number;
    if (strncmp(url, scheme, sizeof scheme - 1) != 0 ||
        snprintf(text, sizeof text, "%s", url + sizeof scheme - 1) >= (int)sizeof text)
        return false;
    char *query = strchr(text, '?');
    if (query) {
        *query = '\0';
        if (!read_query(query + 1, online))
            return false;
    }
    char *at = strrchr(text, '@');
    if (at) {
        *at = '\0';
        char *colon = strchr(text, ':');
        snprintf(online->password, sizeof online->password, "%.255s", colon ? colon + 1 : text);
        rest = at + 1;
    }
    char *slash = strchr(rest, '/');
    if (slash) {
        *slash = '\0';
        if (slash[1] &&
            (!integer_parse(slice_of(slash + 1), &number) || number < 0 || number > 1023))
            return false;
        online->db = slash[1] ? (int)number : 0;
    }
    char *colon = strrchr(rest, ':');
    if (colon) {
        *colon = '\0';
        if (!integer_parse(slice_of(colon + 1), &number) || number < 1 || number > 65535)
            return false;
        online->port = (int)number;
    }
    snprintf(online->host, sizeof online->host, "%.255s", rest);
    return rest[0] != '\0';
}

enum status online_create(const char *url, struct hash128 views, struct log *log,
                          struct online **out, struct error *error)
{
    struct online *online = calloc(1, sizeof *online);
    if (!online)
        return error_set(error, STATUS_MEMORY, "out of memory for the online store");
    *online =
        (struct online){.port = 6379, .timeout_ms = DEFAULT_TIMEOUT_MS, .views = views, .log = log};
    lock_init(&online->lock, "online_queue");
    if (!read_url(url, online)) {
        online_destroy(online);
        return error_set(error, STATUS_INVALID,
                         "online_store: expected \"embedded\" or "
                         "redis://[:password@]host[:port][/db][?timeout_ms=N]");
    }
    online->queue = calloc(MAX_PENDING, sizeof *online->queue);
    if (!online->queue) {
        online_destroy(online);
        return error_set(error, STATUS_MEMORY, "out of memory for the online store");
    }
    *out = online;
    return STATUS_OK;
}

void online_destroy(struct online *online)
{
    if (!online)
        return;
    for (size_t i = 0; i < online->n; i++)
        free(online->queue[(online->first + i) % MAX_PENDING].record);
    free(online->queue);
    lock_destroy(&online->lock);
    free(online);
}

struct online_link *online_link_create(struct online *online)
{
    struct online_link *link = calloc(1, sizeof *link);
    if (link)
        link->online = online;
    return link;
}

static void forget_replies(struct online_link *link)
{
    for (size_t i = 0; i < MAX_STREAMS; i++) {
        if (link->replies[i])
            freeReplyObject(link->replies[i]);
        link->replies[i] = NULL;
        link->at[i] = 0;
    }
}

void online_link_destroy(struct online_link *link)
{
    if (!link)
        return;
    forget_replies(link);
    if (link->redis)
        redisFree(link->redis);
    free(link);
}

void online_append_later(struct online *online, const struct online_request *request)
{
    void *record = malloc(request->size);
    lock_take(&online->lock);
    if (!record || online->n == MAX_PENDING) {
        online->lost++;
        lock_release(&online->lock);
        free(record);
        return;
    }
    memcpy(record, request->record, request->size);
    online->queue[(online->first + online->n++) % MAX_PENDING] =
        (struct pending){.stream = request->stream,
                         .key = request->key,
                         .keep_us = request->keep_us,
                         .kind = request->kind,
                         .size = request->size,
                         .record = record};
    lock_release(&online->lock);
}

/* The connection is of no use: says so once, and when to try again. */
static void fail(struct online_link *link, const char *why)
{
    struct online *online = link->online;
    if (!atomic_exchange(&online->degraded, true))
        log_write(online->log, LOG_WARN, "feature", "online_store_away",
                  "Redis at %s:%d: %s; features come from this instance's own state until it is "
                  "back",
                  online->host, online->port, why);
    if (link->redis)
        redisFree(link->redis);
    link->redis = NULL;
    atomic_store(&online->retry_at_ns, monotonic_ns() + RETRY_NS);
}

/* Whether this thread should ask Redis now: it is there, or it is time for somebody to try. */
static bool is_due(struct online *online)
{
    int64_t at = atomic_load(&online->retry_at_ns);
    int64_t now = monotonic_ns();
    return at == 0 ||
           (now >= at && atomic_compare_exchange_strong(&online->retry_at_ns, &at, now + RETRY_NS));
}

/* The reply to the oldest command sent; NULL (and the link closed) when it is none or an error. */
static redisReply *take_reply(struct online_link *link)
{
    redisReply *reply = NULL;
    if (redisGetReply(link->redis, (void **)&reply) != REDIS_OK || !reply) {
        char why[128];
        snprintf(why, sizeof why, "%.120s", link->redis->errstr);
        fail(link, why);
        return NULL;
    }
    if (reply->type == REDIS_REPLY_ERROR) {
        char why[128];
        snprintf(why, sizeof why, "%.120s", reply->str);
        freeReplyObject(reply);
        fail(link, why);
        return NULL;
    }
    return reply;
}

static bool expect_reply(struct online_link *link)
{
    redisReply *reply = take_reply(link);
    if (reply)
        freeReplyObject(reply);
    return reply != NULL;
}

/* Writing to a connection that the other side closed must not end the process. */
static void block_sigpipe(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static bool connect_link(struct online_link *link)
{
    struct online *online = link->online;
    uint64_t returns = atomic_load(&online->returns);
    if (link->redis && link->returns == returns)
        return true;
    if (link->redis)
        redisFree(link->redis);
    link->returns = returns;
    struct timeval timeout = {.tv_sec = online->timeout_ms / 1000,
                              .tv_usec = online->timeout_ms % 1000 * 1000};
    block_sigpipe();
    link->redis = redisConnectWithTimeout(online->host, online->port, timeout);
    if (!link->redis || link->redis->err) {
        fail(link, link->redis ? link->redis->errstr : "out of memory");
        return false;
    }
    redisSetTimeout(link->redis, timeout);
    if (online->password[0]) {
        redisAppendCommand(link->redis, "AUTH %s", online->password);
        if (!expect_reply(link))
            return false;
    }
    if (online->db) {
        redisAppendCommand(link->redis, "SELECT %d", online->db);
        return expect_reply(link);
    }
    return true;
}

static void key_text(const struct online *online, uint32_t stream, struct hash128 key,
                     char out[KEY_TEXT])
{
    snprintf(out, KEY_TEXT,
             "binnacle:features:%016" PRIx64 "%016" PRIx64 ":%u:%016" PRIx64 "%016" PRIx64,
             online->views.high, online->views.low, stream, key.high, key.low);
}

/* Two commands: the record, and how long an idle entity's log stays. */
static int send_append(struct online_link *link, const char *key, enum online_kind kind,
                       const void *record, size_t size, int64_t keep_us)
{
    const char field[2] = {(char)kind, '\0'};
    if (keep_us == INT64_MAX) {
        redisAppendCommand(link->redis, "XADD %s * %s %b", key, field, record, size);
        return 1;
    }
    struct timeval now;
    gettimeofday(&now, NULL);
    int64_t keep_ms = (keep_us + SLACK_US) / 1000;
    int64_t oldest_ms = (int64_t)now.tv_sec * 1000 - keep_ms;
    redisAppendCommand(link->redis, "XADD %s MINID ~ %lld * %s %b", key,
                       (long long)(oldest_ms > 0 ? oldest_ms : 0), field, record, size);
    redisAppendCommand(link->redis, "PEXPIRE %s %lld", key, (long long)keep_ms);
    return 2;
}

/* Claims up to FLUSH_RECORDS at the queue's front; 0: none, or another thread is at it. */
static size_t claim(struct online *online)
{
    lock_take(&online->lock);
    size_t n = online->flushing ? 0 : online->n < FLUSH_RECORDS ? online->n : FLUSH_RECORDS;
    online->flushing = online->flushing || n > 0;
    lock_release(&online->lock);
    return n;
}

static void settle(struct online *online, size_t n_sent)
{
    lock_take(&online->lock);
    for (size_t i = 0; i < n_sent; i++) {
        free(online->queue[online->first].record);
        online->first = (online->first + 1) % MAX_PENDING;
    }
    online->n -= n_sent;
    online->flushing = false;
    lock_release(&online->lock);
}

/* Sends what waits; the claimed front is this thread's alone. What fails half way is sent again. */
static bool flush(struct online_link *link)
{
    struct online *online = link->online;
    char key[KEY_TEXT];
    bool sent = true;
    for (size_t n; sent && (n = claim(online)) > 0; settle(online, sent ? n : 0)) {
        int n_replies = 0;
        for (size_t i = 0; i < n; i++) {
            const struct pending *pending = &online->queue[(online->first + i) % MAX_PENDING];
            key_text(online, pending->stream, pending->key, key);
            n_replies += send_append(link, key, pending->kind, pending->record, pending->size,
                                     pending->keep_us);
        }
        for (int i = 0; sent && i < n_replies; i++)
            sent = expect_reply(link);
    }
    return sent;
}

static bool read_place(const char *text, struct log_place *place)
{
    char *end;
    place->ms = strtoull(text, &end, 10);
    if (*end != '-')
        return false;
    place->sequence = strtoull(end + 1, &end, 10);
    return *end == '\0';
}

static void send_request(struct online_link *link, const struct online_request *request,
                         int *n_appends)
{
    char key[KEY_TEXT];
    key_text(link->online, request->stream, request->key, key);
    *n_appends = request->record ? send_append(link, key, request->kind, request->record,
                                               request->size, request->keep_us)
                                 : 0;
    if (!request->skip_read)
        redisAppendCommand(link->redis, "XRANGE %s (%llu-%llu +", key,
                           (unsigned long long)request->after.ms,
                           (unsigned long long)request->after.sequence);
}

static bool take_replies(struct online_link *link, struct online_request *request, size_t i,
                         int n_appends)
{
    if (n_appends > 0) {
        redisReply *reply = take_reply(link);
        bool understood = reply && reply->str && read_place(reply->str, &request->own);
        if (reply)
            freeReplyObject(reply);
        if (!understood || (n_appends > 1 && !expect_reply(link)))
            return false;
    }
    if (request->skip_read)
        return true;
    link->replies[i] = take_reply(link);
    return link->replies[i] != NULL;
}

static bool exchange(struct online_link *link, struct online_request *requests, size_t n)
{
    int n_appends[MAX_STREAMS];
    struct online *online = link->online;
    if (!is_due(online) || !connect_link(link) || !flush(link))
        return false;
    for (size_t i = 0; i < n; i++)
        send_request(link, &requests[i], &n_appends[i]);
    for (size_t i = 0; i < n; i++)
        if (!take_replies(link, &requests[i], i, n_appends[i])) {
            if (link->redis)
                fail(link, "an answer that is not understood");
            return false;
        }
    atomic_store(&online->retry_at_ns, 0);
    if (atomic_exchange(&online->degraded, false)) {
        link->returns = atomic_fetch_add(&online->returns, 1) + 1;
        log_write(online->log, LOG_INFO, "feature", "online_store_back",
                  "Redis at %s:%d is there and has what waited for it", online->host, online->port);
    }
    return true;
}

bool online_exchange(struct online_link *link, struct online_request *requests, size_t n)
{
    forget_replies(link);
    if (exchange(link, requests, n))
        return true;
    forget_replies(link);
    atomic_fetch_add(&link->online->fallbacks, 1);
    for (size_t i = 0; i < n; i++)
        if (requests[i].record)
            online_append_later(link->online, &requests[i]);
    return false;
}

bool online_next(struct online_link *link, size_t i, struct online_record *record)
{
    const redisReply *list = link->replies[i];
    while (list && list->type == REDIS_REPLY_ARRAY && link->at[i] < list->elements) {
        const redisReply *item = list->element[link->at[i]++];
        if (item->type != REDIS_REPLY_ARRAY || item->elements != 2)
            continue;
        const redisReply *id = item->element[0], *fields = item->element[1];
        if (id->type != REDIS_REPLY_STRING || fields->type != REDIS_REPLY_ARRAY ||
            fields->elements < 2 || !read_place(id->str, &record->place))
            continue;
        record->kind = (enum online_kind)fields->element[0]->str[0];
        record->data = fields->element[1]->str;
        record->size = (size_t)fields->element[1]->len;
        return true;
    }
    return false;
}

void online_usage(struct online *online, struct feature_usage *usage)
{
    usage->shared = true;
    usage->degraded = atomic_load(&online->degraded);
    usage->fallbacks = atomic_load(&online->fallbacks);
    lock_take(&online->lock);
    usage->pending = online->n;
    usage->pending_capacity = MAX_PENDING;
    usage->pending_lost = online->lost;
    lock_release(&online->lock);
}
