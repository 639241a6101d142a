/* What a batch has to tell the brokers: its messages and how far it has come in each partition, in
 * memory of its own, so that the worker can go on while it is sent. */
#ifndef BINNACLE_APP_KAFKA_PARCEL_H
#define BINNACLE_APP_KAFKA_PARCEL_H

#include "engine/event/kafka_producer.h"
#include "engine/pipeline.h"

/* Partitions, each with the offset of its last event. */
struct kafka_reach {
    struct kafka_partition *partitions;
    size_t n, capacity;
};

void kafka_reach_free(struct kafka_reach *reach);

struct kafka_parcel;

struct kafka_parcel *kafka_parcel_create(void); /* NULL: out of memory */
void kafka_parcel_destroy(struct kafka_parcel *parcel);

/* Takes over what there is to tell about the worker's last batch, whose answers were `answers` to
 * `records`. What was in the parcel before is forgotten. */
MUST_USE enum status kafka_parcel_fill(struct kafka_parcel *parcel,
                                       const struct kafka_options *options, struct worker *worker,
                                       const struct answer *answers,
                                       const struct kafka_record *records, size_t n,
                                       struct error *error);
/* The ledger has to be that far before the parcel may go. */
uint64_t kafka_parcel_ticket(const struct kafka_parcel *parcel);
size_t kafka_parcel_bytes(const struct kafka_parcel *parcel);
/* Into the producer's open transaction; adds how far the batch has come to *reach. */
MUST_USE enum status kafka_parcel_put(const struct kafka_parcel *parcel,
                                      struct kafka_producer *producer, struct kafka_reach *reach,
                                      struct error *error);

/* The two kinds of messages, for whoever has no batch: `place` is TOPIC/PARTITION/OFFSET of the
 * event. Topics that are configured away swallow them. */
#define KAFKA_PLACE_SIZE 320
struct slice kafka_place(const struct kafka_options *options, int32_t partition, int64_t offset,
                         char text[KAFKA_PLACE_SIZE]);
struct kafka_message kafka_decision(const struct kafka_options *options, struct slice entity,
                                    struct slice body, struct slice place);
struct kafka_message kafka_dead_letter(const struct kafka_options *options, struct slice raw,
                                       struct slice violations, struct slice place);

#endif
