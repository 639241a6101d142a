/* The second half of a Kafka source: sends parcels behind the ledger, on a thread of its own, so
 * that the next batches are decided and recorded while the brokers commit the last ones. */
#ifndef BINNACLE_APP_KAFKA_SENDER_H
#define BINNACLE_APP_KAFKA_SENDER_H

#include <stdatomic.h>

#include "app/kafka_parcel.h"
#include "engine/record/ledger.h"

#define KAFKA_PARCELS 16 /* batches that may be on their way to the brokers */

struct kafka_sender;

struct kafka_sender_options {
    struct ledger *ledger;
    struct kafka_producer *producer; /* the sender's alone, but for when it is drained */
    struct kafka_consumer *consumer; /* whose offsets are committed */
    const atomic_bool *stopping;     /* a disk that refuses is waited for until then */
};

MUST_USE enum status kafka_sender_start(const struct kafka_sender_options *options,
                                        struct kafka_sender **sender, struct error *error);
/* Sends what it was given, unless it has failed, and ends. Before the producer is closed. NULL is
 * ignored. */
void kafka_sender_stop(struct kafka_sender *sender);

/* Whether a batch may be taken: there will be a parcel for it. Waits up to timeout_ms for that. A
 * sender that has failed says why, for good: what it did not send is in the ledger, and is sent
 * from there on another connection. This and the following: the thread that started it. */
MUST_USE enum status kafka_sender_room(struct kafka_sender *sender, int timeout_ms, bool *room,
                                       struct error *error);
/* Whether it is the ledger that it waits for, and not the brokers. */
bool kafka_sender_awaits_ledger(const struct kafka_sender *sender);
/* Batches on their way, KAFKA_PARCELS at most. */
size_t kafka_sender_depth(const struct kafka_sender *sender);
/* The parcel that there was room for, to be filled and given, or given back (`keep` false). */
struct kafka_parcel *kafka_sender_parcel(struct kafka_sender *sender);
void kafka_sender_give(struct kafka_sender *sender, struct kafka_parcel *parcel, bool keep);
/* Until everything given is committed. STATUS_UNAVAILABLE: not within timeout_ms, or as above. */
MUST_USE enum status kafka_sender_drain(struct kafka_sender *sender, int timeout_ms,
                                        struct error *error);

#endif
