/* Messages into topics: in transactions together with a consumer's offsets, or, without a consumer,
 * one by one. Either way idempotent: a retry by the network doubles nothing. */
#ifndef BINNACLE_EVENT_KAFKA_PRODUCER_H
#define BINNACLE_EVENT_KAFKA_PRODUCER_H

#include <stddef.h>
#include <stdint.h>

#include "engine/base/slice.h"
#include "engine/event/kafka.h"
#include "engine/event/kafka_consumer.h"

struct kafka_producer;

struct kafka_producer_options {
    const struct kafka_options *kafka;
    /* The same name fences off an earlier process that died in the middle; NULL: no transactions.
     */
    const char *transactional_id;
    struct log *log;
};

/* Bytes are copied by the call. */
struct kafka_message {
    const char *topic;
    struct slice key, value;
    const char *header; /* one name and value, or NULL */
    struct slice header_value;
};

/* With transactions: waits up to 30 s for the cluster. STATUS_UNAVAILABLE when it is not there. */
MUST_USE enum status kafka_producer_open(const struct kafka_producer_options *options,
                                         struct kafka_producer **producer, struct error *error);
/* What was put and neither committed nor flushed is given up. NULL is ignored. */
void kafka_producer_close(struct kafka_producer *producer);

MUST_USE enum status kafka_producer_begin(struct kafka_producer *producer, struct error *error);
/* Waits for room in the queue when it is full. A message beyond message.max.bytes goes without its
 * value, which is logged. One thread. */
MUST_USE enum status kafka_producer_put(struct kafka_producer *producer,
                                        const struct kafka_message *message, struct error *error);
/* Everything since begin, and that the consumer's `partitions` are dealt with up to and including
 * their `recorded`, become visible together or not at all. On failure: close producer and consumer
 * and open them again; what the broker did not take is still in the ledger. */
MUST_USE enum status kafka_producer_commit(struct kafka_producer *producer,
                                           struct kafka_consumer *consumer,
                                           const struct kafka_partition *partitions,
                                           size_t n_partitions, struct error *error);
/* Without transactions: waits until all that was put is acknowledged. */
MUST_USE enum status kafka_producer_flush(struct kafka_producer *producer, int timeout_ms,
                                          struct error *error);

#endif
