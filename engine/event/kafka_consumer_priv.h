/* For the producer's transactions, which commit a consumer's offsets. */
#ifndef BINNACLE_EVENT_KAFKA_CONSUMER_PRIV_H
#define BINNACLE_EVENT_KAFKA_CONSUMER_PRIV_H

#include "engine/event/kafka_consumer.h"
#include "engine/event/kafka_priv.h"

rd_kafka_t *kafka_consumer_handle(struct kafka_consumer *consumer);
const char *kafka_consumer_topic(const struct kafka_consumer *consumer);
const char *kafka_consumer_ledger(const struct kafka_consumer *consumer);

#endif
