/* Parcels go round: empty ones to the worker's thread, full ones to the sender's, each way through
 * a queue that holds them all. The sender takes whatever has gathered, waits for the ledger to have
 * the first of it, and sends all that the ledger has by then in one transaction: an event alone is
 * sent at once, and the further it lags behind the larger are the transactions and the cheaper each
 * event. After a failure parcels only go back: what was in them is sent from the ledger. */
#include "app/kafka_sender.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/base/thread.h"

#define TRANSACTION_BYTES (16u << 20)
#define LOOK_TIMEOUT_MS   200
#define DISK_RETRY_US     100000

struct kafka_sender {
    struct kafka_sender_options options;
    struct queue *empty, *full;
    struct kafka_parcel *parcels[KAFKA_PARCELS];
    struct kafka_parcel *held[KAFKA_PARCELS]; /* taken out of `full`, in order */
    size_t n_held;
    struct kafka_parcel *spare; /* the worker's, for its next batch */
    struct kafka_reach reach;
    struct thread *thread;
    atomic_bool awaits_ledger;
    atomic_bool failed; /* set after `why` */
    struct error why;
    enum status status;
};

/* There are no more parcels than fit. */
static void push(struct queue *queue, struct kafka_parcel *parcel)
{
    enum status status = queue_push(queue, parcel);
    assert(status == STATUS_OK);
    (void)status;
}

/* ---- sending ---- */

/* A disk that refuses is waited for: the rows are queued; to decide them again would be wrong. */
static enum status await_ledger(struct kafka_sender *sender, uint64_t ticket, struct error *error)
{
    enum status status;
    atomic_store(&sender->awaits_ledger, true);
    while ((status = ledger_wait(sender->options.ledger, ticket, -1, error)) == STATUS_IO &&
           !atomic_load(sender->options.stopping))
        pause_us(DISK_RETRY_US);
    atomic_store(&sender->awaits_ledger, false);
    return status;
}

/* How many of those held go into the next transaction: as far as the ledger is. */
static size_t ready(const struct kafka_sender *sender)
{
    struct ledger_stats stats;
    ledger_stats(sender->options.ledger, &stats);
    size_t n = 0, bytes = 0;
    while (n < sender->n_held && kafka_parcel_ticket(sender->held[n]) <= stats.durable &&
           (n == 0 || bytes + kafka_parcel_bytes(sender->held[n]) <= TRANSACTION_BYTES))
        bytes += kafka_parcel_bytes(sender->held[n++]);
    return n;
}

static enum status send(struct kafka_sender *sender, size_t n, struct error *error)
{
    struct kafka_producer *producer = sender->options.producer;
    sender->reach.n = 0;
    enum status status = kafka_producer_begin(producer, error);
    for (size_t i = 0; i < n && status == STATUS_OK; i++)
        status = kafka_parcel_put(sender->held[i], producer, &sender->reach, error);
    if (status == STATUS_OK)
        status = kafka_producer_commit(producer, sender->options.consumer, sender->reach.partitions,
                                       sender->reach.n, error);
    return status;
}

static void give_back(struct kafka_sender *sender, size_t n)
{
    for (size_t i = 0; i < n; i++)
        push(sender->empty, sender->held[i]);
    sender->n_held -= n;
    memmove(sender->held, sender->held + n, sender->n_held * sizeof *sender->held);
}

static void send_held(struct kafka_sender *sender)
{
    struct error error;
    size_t n = 0;
    enum status status = await_ledger(sender, kafka_parcel_ticket(sender->held[0]), &error);
    if (status == STATUS_OK) {
        n = ready(sender);
        status = send(sender, n, &error);
    }
    if (status == STATUS_OK) {
        give_back(sender, n);
        return;
    }
    sender->status = status;
    sender->why = error;
    atomic_store(&sender->failed, true);
}

static void run(void *context)
{
    struct kafka_sender *sender = context;
    for (;;) {
        void *taken[KAFKA_PARCELS];
        int timeout_ms = sender->n_held > 0 ? 0 : LOOK_TIMEOUT_MS;
        size_t n = queue_take(sender->full, taken, KAFKA_PARCELS - sender->n_held, timeout_ms);
        for (size_t i = 0; i < n; i++)
            sender->held[sender->n_held++] = taken[i];
        if (sender->n_held > 0 && atomic_load(&sender->failed))
            give_back(sender, sender->n_held);
        else if (sender->n_held > 0)
            send_held(sender);
        else if (queue_is_closed(sender->full) && queue_depth(sender->full) == 0)
            return;
    }
}

/* ---- the worker's side ---- */

static enum status look(const struct kafka_sender *sender, struct error *error)
{
    if (!atomic_load(&sender->failed))
        return STATUS_OK;
    *error = sender->why;
    return sender->status;
}

enum status kafka_sender_room(struct kafka_sender *sender, int timeout_ms, bool *room,
                              struct error *error)
{
    void *taken = sender->spare;
    if (!taken)
        (void)queue_take(sender->empty, &taken, 1, timeout_ms);
    sender->spare = taken;
    *room = taken != NULL;
    return look(sender, error);
}

bool kafka_sender_awaits_ledger(const struct kafka_sender *sender)
{
    return atomic_load(&sender->awaits_ledger);
}

struct kafka_parcel *kafka_sender_parcel(struct kafka_sender *sender)
{
    struct kafka_parcel *parcel = sender->spare;
    sender->spare = NULL;
    return parcel;
}

void kafka_sender_give(struct kafka_sender *sender, struct kafka_parcel *parcel, bool keep)
{
    push(keep ? sender->full : sender->empty, parcel);
}

size_t kafka_sender_depth(const struct kafka_sender *sender)
{
    return KAFKA_PARCELS - queue_depth(sender->empty) - (sender->spare ? 1 : 0);
}

static bool idle(const struct kafka_sender *sender)
{
    return kafka_sender_depth(sender) == 0;
}

enum status kafka_sender_drain(struct kafka_sender *sender, int timeout_ms, struct error *error)
{
    int64_t give_up_ns = monotonic_ns() + (int64_t)timeout_ms * 1000000;
    while (!idle(sender) && monotonic_ns() < give_up_ns && !atomic_load(&sender->failed))
        pause_us(1000);
    enum status status = look(sender, error);
    if (status == STATUS_OK && !idle(sender))
        status =
            error_set(error, STATUS_UNAVAILABLE,
                      "kafka: what was decided could not be sent within %d s", timeout_ms / 1000);
    return status;
}

/* ---- starting and ending ---- */

static bool make_parcels(struct kafka_sender *sender)
{
    for (size_t i = 0; i < KAFKA_PARCELS; i++) {
        sender->parcels[i] = kafka_parcel_create();
        if (!sender->parcels[i] || queue_push(sender->empty, sender->parcels[i]) != STATUS_OK)
            return false;
    }
    return true;
}

enum status kafka_sender_start(const struct kafka_sender_options *options,
                               struct kafka_sender **sender, struct error *error)
{
    *sender = NULL;
    struct kafka_sender *made = calloc(1, sizeof *made);
    if (!made)
        return error_set(error, STATUS_MEMORY, "out of memory");
    made->options = *options;
    made->empty = queue_create("kafka empty", KAFKA_PARCELS, QUEUE_REFUSE);
    made->full = queue_create("kafka full", KAFKA_PARCELS, QUEUE_REFUSE);
    enum status status = STATUS_OK;
    if (!made->empty || !made->full || !make_parcels(made))
        status = error_set(error, STATUS_MEMORY, "out of memory");
    if (status == STATUS_OK)
        status = thread_start("kafka-sender", run, made, &made->thread, error);
    if (status != STATUS_OK) {
        kafka_sender_stop(made);
        return status;
    }
    *sender = made;
    return STATUS_OK;
}

void kafka_sender_stop(struct kafka_sender *sender)
{
    if (!sender)
        return;
    if (sender->full)
        queue_close(sender->full);
    thread_join(sender->thread);
    for (size_t i = 0; i < KAFKA_PARCELS; i++)
        kafka_parcel_destroy(sender->parcels[i]);
    queue_destroy(sender->full);
    queue_destroy(sender->empty);
    kafka_reach_free(&sender->reach);
    free(sender);
}
