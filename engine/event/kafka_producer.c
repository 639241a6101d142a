/* An idempotent producer, transactional when it has a name. Delivery reports arrive on the caller's
 * thread, from within put, commit and flush. */
#include "engine/event/kafka_producer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/event/kafka_consumer_priv.h"

#define INIT_TIMEOUT_MS   30000
#define COMMIT_TIMEOUT_MS 60000
#define ROOM_TIMEOUT_MS   60000
#define CLOSE_TIMEOUT_MS  1000
#define POLL_EVERY        64 /* messages */

struct kafka_producer {
    struct kafka_client client; /* first: the handle's opaque */
    rd_kafka_t *handle;
    rd_kafka_topic_t *topic; /* the last one's handle: most messages go where the last one went */
    uint64_t n_put;
    uint64_t n_failed; /* deliveries since the last flush */
    struct error first_failure;
};

static void note_delivery(rd_kafka_t *handle, const rd_kafka_message_t *message, void *opaque)
{
    struct kafka_producer *producer = opaque;
    (void)handle;
    if (!message->err || producer->n_failed++ > 0)
        return;
    error_set(&producer->first_failure, STATUS_UNAVAILABLE, "kafka: %s: %s",
              rd_kafka_topic_name(message->rkt), rd_kafka_err2str(message->err));
}

/* ---- opening and closing ---- */

static enum status open_handle(struct kafka_producer *producer,
                               const struct kafka_producer_options *options, struct error *error)
{
    const struct kafka_setting settings[] = {
        {"enable.idempotence", "true"},
        /* Long enough for batches to fill while an event passes the stages, short against a commit.
         */
        {"linger.ms", "1"},
        /* Right after a transaction the brokers are still marking its messages and want to be asked
         * again: with the usual 100 ms that is what an event waits for most. */
        {"retry.backoff.ms", "10"},
        {"compression.codec", "lz4"},
        /* Nobody asks about those that arrive, and each report costs a wake-up. */
        {"delivery.report.only.error", "true"},
        {"transactional.id", options->transactional_id},
        {NULL, NULL},
    };
    rd_kafka_conf_t *conf;
    enum status status = kafka_conf(options->kafka, settings, &producer->client, &conf, error);
    if (status != STATUS_OK)
        return status;
    rd_kafka_conf_set_dr_msg_cb(conf, note_delivery);
    status = kafka_new(RD_KAFKA_PRODUCER, conf, &producer->handle, error);
    if (status != STATUS_OK || !options->transactional_id)
        return status;
    return kafka_failed(rd_kafka_init_transactions(producer->handle, INIT_TIMEOUT_MS),
                        "starting transactions", error);
}

enum status kafka_producer_open(const struct kafka_producer_options *options,
                                struct kafka_producer **producer, struct error *error)
{
    *producer = NULL;
    struct kafka_producer *made = calloc(1, sizeof *made);
    if (!made)
        return error_set(error, STATUS_MEMORY, "out of memory");
    made->client.log = options->log;
    enum status status = open_handle(made, options, error);
    if (status != STATUS_OK) {
        kafka_producer_close(made);
        return status;
    }
    *producer = made;
    return STATUS_OK;
}

void kafka_producer_close(struct kafka_producer *producer)
{
    if (!producer)
        return;
    if (producer->handle) {
        /* An open transaction is left to the next rd_kafka_init_transactions() or the broker's
         * time-out: to abort it needs a broker, and there may be none. */
        rd_kafka_purge(producer->handle, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
        rd_kafka_flush(producer->handle, CLOSE_TIMEOUT_MS);
        if (producer->topic)
            rd_kafka_topic_destroy(producer->topic);
        rd_kafka_destroy(producer->handle);
    }
    free(producer);
}

/* ---- putting ---- */

static rd_kafka_topic_t *topic_of(struct kafka_producer *producer, const char *name)
{
    if (producer->topic && strcmp(rd_kafka_topic_name(producer->topic), name) == 0)
        return producer->topic;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(producer->handle, name, NULL);
    if (!topic)
        return NULL;
    if (producer->topic)
        rd_kafka_topic_destroy(producer->topic);
    producer->topic = topic;
    return topic;
}

static rd_kafka_resp_err_t produce(struct kafka_producer *producer, rd_kafka_topic_t *topic,
                                   const struct kafka_message *message)
{
    const char *header = message->header ? message->header : "";
    rd_kafka_vu_t fields[] = {
        {.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = topic},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
        {.vtype = RD_KAFKA_VTYPE_KEY,
         .u.mem = {(void *)(uintptr_t)message->key.data, message->key.size}},
        {.vtype = RD_KAFKA_VTYPE_VALUE,
         .u.mem = {(void *)(uintptr_t)message->value.data, message->value.size}},
        {.vtype = RD_KAFKA_VTYPE_HEADER,
         .u.header = {header, message->header_value.data, (ssize_t)message->header_value.size}},
    };
    size_t n = sizeof fields / sizeof fields[0] - (message->header ? 0 : 1);
    rd_kafka_error_t *failure = rd_kafka_produceva(producer->handle, fields, n);
    rd_kafka_resp_err_t code = failure ? rd_kafka_error_code(failure) : RD_KAFKA_RESP_ERR_NO_ERROR;
    if (failure)
        rd_kafka_error_destroy(failure);
    return code;
}

/* Better without its value than that everything after it waits for ever. */
static rd_kafka_resp_err_t produce_bare(struct kafka_producer *producer, rd_kafka_topic_t *topic,
                                        const struct kafka_message *message)
{
    struct kafka_message bare = *message;
    bare.value = slice_of("");
    log_write(producer->client.log, LOG_ERROR, "kafka", "too_large",
              "a message of %zu bytes goes to %s without its value, which is in the ledger; raise "
              "message.max.bytes here and on the brokers",
              message->value.size, message->topic);
    return produce(producer, topic, &bare);
}

enum status kafka_producer_put(struct kafka_producer *producer, const struct kafka_message *message,
                               struct error *error)
{
    rd_kafka_topic_t *topic = topic_of(producer, message->topic);
    if (!topic)
        return kafka_code_failed(rd_kafka_last_error(), message->topic, error);
    int64_t give_up_ns = monotonic_ns() + (int64_t)ROOM_TIMEOUT_MS * 1000000;
    rd_kafka_resp_err_t code;
    while ((code = produce(producer, topic, message)) == RD_KAFKA_RESP_ERR__QUEUE_FULL &&
           monotonic_ns() < give_up_ns)
        rd_kafka_poll(producer->handle, 100);
    if (code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE && message->value.size > 0)
        code = produce_bare(producer, topic, message);
    if (++producer->n_put % POLL_EVERY == 0)
        rd_kafka_poll(producer->handle, 0);
    return kafka_code_failed(code, message->topic, error);
}

enum status kafka_producer_flush(struct kafka_producer *producer, int timeout_ms,
                                 struct error *error)
{
    enum status status =
        kafka_code_failed(rd_kafka_flush(producer->handle, timeout_ms), "sending", error);
    if (status == STATUS_OK && producer->n_failed > 0) {
        *error = producer->first_failure;
        status = error->code;
    }
    producer->n_failed = 0;
    return status;
}

/* ---- transactions ---- */

enum status kafka_producer_begin(struct kafka_producer *producer, struct error *error)
{
    producer->n_failed = 0;
    return kafka_failed(rd_kafka_begin_transaction(producer->handle), "beginning a transaction",
                        error);
}

static bool add_place(rd_kafka_topic_partition_list_t *places, struct kafka_consumer *consumer,
                      const struct kafka_partition *partition)
{
    rd_kafka_topic_partition_t *place = rd_kafka_topic_partition_list_add(
        places, kafka_consumer_topic(consumer), partition->number);
    const char *ledger = kafka_consumer_ledger(consumer);
    place->offset = partition->recorded + 1;
    place->metadata = strdup(ledger); /* freed with the list, by free() */
    place->metadata_size = place->metadata ? strlen(ledger) : 0;
    return place->metadata != NULL;
}

static enum status send_offsets(struct kafka_producer *producer, struct kafka_consumer *consumer,
                                const struct kafka_partition *partitions, size_t n_partitions,
                                struct error *error)
{
    rd_kafka_consumer_group_metadata_t *group =
        rd_kafka_consumer_group_metadata(kafka_consumer_handle(consumer));
    rd_kafka_topic_partition_list_t *places = rd_kafka_topic_partition_list_new((int)n_partitions);
    bool room = group && places;
    for (size_t i = 0; room && i < n_partitions; i++)
        room = add_place(places, consumer, &partitions[i]);
    enum status status =
        room ? kafka_failed(rd_kafka_send_offsets_to_transaction(producer->handle, places, group,
                                                                 COMMIT_TIMEOUT_MS),
                            "sending offsets", error)
             : error_set(error, STATUS_MEMORY, "out of memory");
    if (places)
        rd_kafka_topic_partition_list_destroy(places);
    if (group)
        rd_kafka_consumer_group_metadata_destroy(group);
    return status;
}

enum status kafka_producer_commit(struct kafka_producer *producer, struct kafka_consumer *consumer,
                                  const struct kafka_partition *partitions, size_t n_partitions,
                                  struct error *error)
{
    enum status status = send_offsets(producer, consumer, partitions, n_partitions, error);
    if (status != STATUS_OK)
        return status;
    return kafka_failed(rd_kafka_commit_transaction(producer->handle, COMMIT_TIMEOUT_MS),
                        "committing", error);
}
