/* The first half: takes a batch, decides, queues its rows for the ledger, hands what there is to
 * tell to the sender (app/kafka_sender.c) and takes the next. Whatever goes wrong on the way to the
 * brokers has one cure: close the connection, wait until the ledger has all that was decided, open
 * it again, send what the ledger holds beyond the group's offsets, go on after that. A start after
 * a crash is the same. While there is no room, because the disk or the brokers take nothing, it
 * stays in the group and takes nothing. One thread. */
#include "app/kafka_source.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/kafka_sender.h"
#include "engine/base/clock.h"
#include "engine/base/trace.h"
#include "engine/recorded.h"

#define SOURCE           0 /* in engine_parts.sources */
#define TAKE_TIMEOUT_MS  200
#define FIRST_BACKOFF_MS 500
#define MAX_BACKOFF_MS   15000
#define LOOK_EVERY_NS    INT64_C(2000000000)
#define LOOK_TIMEOUT_MS  300
#define ROOM_TIMEOUT_MS  2000 /* longer without room is a pause */
#define DRAIN_TIMEOUT_MS 30000

struct kafka_source {
    struct session *session;
    char transactional_id[128];
    struct worker *worker;
    const atomic_bool *stopping;
    struct kafka_producer *producer;
    struct kafka_consumer *consumer;
    struct kafka_sender *sender;
    int backoff_ms;
    struct kafka_record records[MAX_BATCH];
    struct raw_event events[MAX_BATCH];
    struct answer answers[MAX_BATCH];
    /* For kafka_source_fill(), by any thread. */
    atomic_bool connected;
    atomic_llong lag; /* -1: not known */
    atomic_ullong n_partitions, connections;
    atomic_size_t n_parcels; /* batches on their way to the brokers */
    atomic_ullong n_full;    /* how often that was as many as may be; since start */
    atomic_llong paused_us;  /* since when; 0: events are taken */
    atomic_bool slow_ledger; /* while paused: it is the ledger that is waited for */
    bool full;               /* by the last look */
    int64_t looked_ns;       /* when the state was last looked at */
    /* while settling */
    int32_t partition;
    uint64_t n_sent;
};

static struct log *log_of(const struct kafka_source *source)
{
    return source->session->log;
}

static const struct kafka_options *options_of(const struct kafka_source *source)
{
    return &source->session->config->kafka;
}

static void pause_ms(const struct kafka_source *source, int ms)
{
    for (; ms > 0 && !atomic_load(source->stopping); ms -= 50)
        pause_us(50000);
}

/* ---- deciding ---- */

static void take_record(const struct kafka_source *source, const struct kafka_record *record,
                        struct raw_event *event)
{
    struct trace trace;
    *event = (struct raw_event){
        .bytes = record->value,
        .position = {.source = engine_source(source->session->engine, SOURCE),
                     .part = record->partition,
                     .offset = record->offset},
        .received_ns = monotonic_ns(),
    };
    if (record->traceparent.size > 0 && trace_parse(record->traceparent, &trace))
        memcpy(event->trace_id, trace.id, sizeof event->trace_id);
}

/* A disk that refuses is waited for: the rows are queued, and to decide them again would be wrong.
 */
static enum status await_disk(struct kafka_source *source, struct error *error)
{
    enum status status;
    bool told = false;
    while ((status = worker_wait(source->worker, error)) != STATUS_OK &&
           !atomic_load(source->stopping)) {
        if (!told)
            log_write(log_of(source), LOG_ERROR, "kafka", "waiting_for_disk", "%s", error->message);
        told = true;
        pause_ms(source, 200);
    }
    return status;
}

static enum status handle_batch(struct kafka_source *source, size_t n, struct error *error)
{
    for (size_t i = 0; i < n; i++)
        take_record(source, &source->records[i], &source->events[i]);
    enum status status = worker_process(source->worker, source->events, n, source->answers, error);
    if (status != STATUS_OK)
        return status;
    struct kafka_parcel *parcel = kafka_sender_parcel(source->sender);
    status = kafka_parcel_fill(parcel, options_of(source), source->worker, source->answers,
                               source->records, n, error);
    kafka_sender_give(source->sender, parcel, status == STATUS_OK);
    return status;
}

/* ---- what the brokers missed ---- */

static enum status put_recorded(void *context, const struct recorded *recorded, struct error *error)
{
    struct kafka_source *source = context;
    const struct kafka_options *options = options_of(source);
    char text[KAFKA_PLACE_SIZE];
    struct slice place = kafka_place(options, source->partition, recorded->offset, text);
    const struct kafka_message message =
        recorded->decided ? kafka_decision(options, recorded->entity, recorded->body, place)
                          : kafka_dead_letter(options, recorded->body, recorded->violations, place);
    source->n_sent++;
    return message.topic[0] ? kafka_producer_put(source->producer, &message, error) : STATUS_OK;
}

static enum status put_missed(struct kafka_source *source, const struct kafka_partition *partition,
                              struct error *error)
{
    const struct kafka_options *options = options_of(source);
    if (partition->sent == KAFKA_NEVER) {
        if (partition->recorded >= 0)
            log_write(log_of(source), LOG_WARN, "kafka", "no_group_offset",
                      "group %s has no offset for %s/%d, the ledger ends at %lld: what is recorded "
                      "is taken as sent",
                      options->group, options->topic, partition->number,
                      (long long)partition->recorded);
        return STATUS_OK;
    }
    source->partition = partition->number;
    source->n_sent = 0;
    enum status status =
        engine_recorded(source->session->engine, SOURCE, partition->number, partition->sent + 1,
                        partition->recorded, put_recorded, source, error);
    if (status == STATUS_OK && source->n_sent > 0)
        log_write(log_of(source), LOG_INFO, "kafka", "sent_again",
                  "%llu messages of %s/%d that the brokers had missed",
                  (unsigned long long)source->n_sent, options->topic, partition->number);
    return status;
}

/* Partitions without a group offset get one before their first event, so that none later means that
 * the offsets were lost. */
static enum status settle(struct kafka_source *source, struct error *error)
{
    size_t n, n_behind = 0;
    const struct kafka_partition *partitions = kafka_consumer_partitions(source->consumer, &n);
    struct kafka_partition *behind = calloc(n ? n : 1, sizeof *behind);
    if (!behind)
        return error_set(error, STATUS_MEMORY, "out of memory");
    for (size_t i = 0; i < n; i++) {
        if (partitions[i].sent < partitions[i].recorded || partitions[i].sent == KAFKA_NEVER)
            behind[n_behind++] = partitions[i];
    }
    enum status status = n_behind > 0 ? kafka_producer_begin(source->producer, error) : STATUS_OK;
    for (size_t i = 0; i < n_behind && status == STATUS_OK; i++)
        status = put_missed(source, &behind[i], error);
    if (status == STATUS_OK && n_behind > 0)
        status = kafka_producer_commit(source->producer, source->consumer, behind, n_behind, error);
    free(behind);
    return status;
}

/* ---- the connection ---- */

static int64_t recorded_offset(void *context, int32_t partition)
{
    struct kafka_source *source = context;
    return engine_position(source->session->engine, SOURCE, partition);
}

/* The next owner of our partitions must find their offsets where we leave them. */
static enum status finish_taken(void *context, struct error *error)
{
    struct kafka_source *source = context;
    return source->sender ? kafka_sender_drain(source->sender, DRAIN_TIMEOUT_MS, error) : STATUS_OK;
}

static enum status connect_to_brokers(struct kafka_source *source, struct error *error)
{
    const struct kafka_producer_options producer = {
        .kafka = options_of(source),
        .transactional_id = source->transactional_id,
        .log = log_of(source),
    };
    const struct kafka_consumer_options consumer = {
        .kafka = options_of(source),
        .ledger = engine_identity(source->session->engine),
        .recorded = recorded_offset,
        .settle = finish_taken,
        .context = source,
        .log = log_of(source),
    };
    enum status status = kafka_producer_open(&producer, &source->producer, error);
    if (status == STATUS_OK)
        status = kafka_consumer_open(&consumer, &source->consumer, error);
    if (status != STATUS_OK)
        return status;
    const struct kafka_sender_options sender = {
        .ledger = engine_ledger(source->session->engine),
        .producer = source->producer,
        .consumer = source->consumer,
        .stopping = source->stopping,
    };
    return kafka_sender_start(&sender, &source->sender, error);
}

static void close_connection(struct kafka_source *source)
{
    kafka_sender_stop(source->sender);
    source->sender = NULL;
    kafka_consumer_close(source->consumer);
    source->consumer = NULL;
    kafka_producer_close(source->producer);
    source->producer = NULL;
}

static void look_at_connection(struct kafka_source *source, bool messages_came)
{
    int64_t now_ns = monotonic_ns();
    if (now_ns - source->looked_ns < LOOK_EVERY_NS)
        return;
    source->looked_ns = now_ns;
    size_t n;
    kafka_consumer_partitions(source->consumer, &n);
    bool connected = messages_came || kafka_consumer_reaches(source->consumer, LOOK_TIMEOUT_MS);
    atomic_store(&source->n_partitions, n);
    atomic_store(&source->connected, connected);
    atomic_store(&source->lag, kafka_consumer_lag(source->consumer));
}

static void forget_connection(struct kafka_source *source)
{
    atomic_store(&source->connected, false);
    atomic_store(&source->n_partitions, 0);
    atomic_store(&source->lag, -1);
    atomic_store(&source->paused_us, 0);
    source->looked_ns = 0;
}

/* ---- no room ---- */

static void say_why(const struct kafka_source *source, char *why, size_t size)
{
    struct ledger_stats stats;
    ledger_stats(engine_ledger(source->session->engine), &stats);
    if (stats.health != LEDGER_OK)
        snprintf(why, size, "the ledger cannot write: %s", stats.problem);
    else
        snprintf(why, size, "%s",
                 atomic_load(&source->slow_ledger)
                     ? "the ledger's disk is slow to take what was decided"
                     : "the brokers are slow to take what was decided");
}

static void set_paused(struct kafka_source *source, bool paused)
{
    char why[160];
    long long since_us = atomic_load(&source->paused_us);
    int64_t now_us = clock_now_us(source->session->clock);
    if (paused)
        atomic_store(&source->slow_ledger, kafka_sender_awaits_ledger(source->sender));
    if (paused == (since_us > 0))
        return;
    atomic_store(&source->paused_us, paused ? now_us : 0);
    say_why(source, why, sizeof why);
    if (paused)
        log_write(log_of(source), LOG_WARN, "kafka", "paused",
                  "%s; events stay on the topic meanwhile", why);
    else
        log_write(log_of(source), LOG_INFO, "kafka", "resumed", "after %.1f s",
                  (double)(now_us - since_us) / 1e6);
}

/* A pause because the ledger does not write is none of this queue's. */
static void note_full(struct kafka_source *source, bool full)
{
    if (full && !source->full)
        atomic_fetch_add(&source->n_full, 1);
    source->full = full;
}

static bool ledger_writes(const struct kafka_source *source)
{
    struct ledger_stats stats;
    ledger_stats(engine_ledger(source->session->engine), &stats);
    return stats.health == LEDGER_OK;
}

void kafka_source_fill(const struct kafka_source *source, struct snapshot *snapshot)
{
    struct kafka_status *status = &snapshot->kafka;
    long long lag = atomic_load(&source->lag);
    unsigned long long connections = atomic_load(&source->connections);
    long long paused_us = atomic_load(&source->paused_us);
    *status = (struct kafka_status){
        .used = true,
        .paused_us = paused_us,
        .connected = atomic_load(&source->connected),
        .partitions = atomic_load(&source->n_partitions),
        .lag = lag < 0 ? (double)NAN : (double)lag,
        .reconnects = connections > 0 ? connections - 1 : 0,
    };
    if (paused_us > 0)
        say_why(source, status->paused_why, sizeof status->paused_why);
    queues_add(&snapshot->queues, "kafka", atomic_load(&source->n_parcels), KAFKA_PARCELS,
               atomic_load(&source->n_full));
}

/* Takes a batch, or stays in the group until one can be taken. */
static enum status take(struct kafka_source *source, size_t *n, bool *rebalanced,
                        struct error *error)
{
    bool room;
    *n = 0;
    *rebalanced = false;
    enum status status = kafka_sender_room(source->sender, ROOM_TIMEOUT_MS, &room, error);
    if (status != STATUS_OK)
        return status;
    atomic_store(&source->n_parcels, kafka_sender_depth(source->sender));
    note_full(source, !room);
    room = room && ledger_writes(source);
    set_paused(source, !room);
    if (!room)
        return kafka_consumer_wait(source->consumer, TAKE_TIMEOUT_MS, rebalanced, error);
    return kafka_consumer_take(source->consumer, source->records, MAX_BATCH, TAKE_TIMEOUT_MS, n,
                               rebalanced, error);
}

static enum status step(struct kafka_source *source, struct error *error)
{
    size_t n;
    bool rebalanced;
    enum status status = take(source, &n, &rebalanced, error);
    if (status == STATUS_OK && rebalanced)
        status = settle(source, error);
    else if (status == STATUS_OK && n > 0)
        status = handle_batch(source, n, error);
    if (status == STATUS_OK) {
        source->backoff_ms = FIRST_BACKOFF_MS;
        look_at_connection(source, n > 0);
    }
    return status;
}

/* What was decided is in the ledger when it ends, unless the process ends first: the next
 * connection goes on where the ledger ends. */
static enum status run_connection(struct kafka_source *source, struct error *error)
{
    struct error disk;
    atomic_fetch_add(&source->connections, 1);
    enum status status = connect_to_brokers(source, error);
    while (status == STATUS_OK && !atomic_load(source->stopping))
        status = step(source, error);
    forget_connection(source);
    close_connection(source);
    enum status recorded = await_disk(source, &disk);
    return status == STATUS_OK && recorded != STATUS_OK
               ? error_set(error, recorded, "%s", disk.message)
               : status;
}

void kafka_source_run(struct kafka_source *source, struct worker *worker,
                      const atomic_bool *stopping)
{
    struct error error;
    source->worker = worker;
    source->stopping = stopping;
    source->backoff_ms = FIRST_BACKOFF_MS;
    while (!atomic_load(stopping)) {
        enum status status = run_connection(source, &error);
        if (status == STATUS_OK || atomic_load(stopping))
            continue;
        bool contradiction = status == STATUS_CONFLICT;
        log_write(log_of(source), LOG_ERROR, "kafka", contradiction ? "stopped" : "connection_lost",
                  "%s%s", error.message,
                  contradiction ? "" : "; nothing is lost, it is tried again");
        if (contradiction)
            return;
        pause_ms(source, source->backoff_ms);
        if (source->backoff_ms < MAX_BACKOFF_MS)
            source->backoff_ms *= 2;
    }
}

/* ---- making ---- */

enum status kafka_source_create(struct session *session, struct kafka_source **source,
                                struct error *error)
{
    *source = NULL;
    if (!engine_ledger(session->engine))
        return error_set(error, STATUS_INVALID,
                         "a source of type kafka needs a ledger, which knows how far it has come: "
                         "configure `ledger: {dir: ...}` or give --ledger DIR");
    struct kafka_source *made = calloc(1, sizeof *made);
    if (!made)
        return error_set(error, STATUS_MEMORY, "out of memory");
    made->session = session;
    atomic_store(&made->lag, -1);
    snprintf(made->transactional_id, sizeof made->transactional_id, "binnacle-%s",
             engine_identity(session->engine));
    *source = made;
    return STATUS_OK;
}

void kafka_source_destroy(struct kafka_source *source)
{
    if (!source)
        return;
    free(source);
}
