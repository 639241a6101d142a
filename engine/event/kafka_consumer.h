/* Events from a topic, as a member of a consumer group. Where to go on is the ledger's to say, not
 * the broker's: the broker's offsets only tell how far the group's output has come. */
#ifndef BINNACLE_EVENT_KAFKA_CONSUMER_H
#define BINNACLE_EVENT_KAFKA_CONSUMER_H

#include <stddef.h>
#include <stdint.h>

#include "engine/base/slice.h"
#include "engine/event/kafka.h"

struct kafka_consumer;

/* One message; its bytes live until the next kafka_consumer_take(). */
struct kafka_record {
    struct slice value;       /* empty for a tombstone */
    struct slice traceparent; /* header; empty: none */
    int32_t partition;
    int64_t offset;
};

#define KAFKA_NEVER INT64_C(-2) /* the group has never committed an offset */

/* A partition of ours. Offsets as in the ledger: that of the last event that was dealt with. */
struct kafka_partition {
    int32_t number;
    int64_t recorded; /* in the ledger; -1: none */
    int64_t sent;     /* up to here the group's decisions are on their topic; -1: none yet;
                         KAFKA_NEVER */
};

#define KAFKA_LEDGER_SIZE 40 /* of a ledger's name, zero included */

struct kafka_consumer_options {
    const struct kafka_options *kafka;
    /* Names the ledger. Offsets are committed with it, so that a ledger that has lost rows is told
     * from a partition that comes from another instance. Also the name of a static member. */
    const char *ledger;
    /* The partition's last offset in the ledger, -1: none. Called from within take. */
    int64_t (*recorded)(void *context, int32_t partition);
    /* Partitions are about to go to somebody else: what was taken from them has to be recorded and
     * its offsets committed when this returns. Anything but STATUS_OK ends the connection. Called
     * from within take and wait. NULL: nothing is ever under way. */
    enum status (*settle)(void *context, struct error *error);
    void *context;
    struct log *log;
};

/* Connects in the background: a broker that is down is waited for. */
MUST_USE enum status kafka_consumer_open(const struct kafka_consumer_options *options,
                                         struct kafka_consumer **consumer, struct error *error);
/* Leaves the group's work to others, or to our next start. NULL is ignored. */
void kafka_consumer_close(struct kafka_consumer *consumer);

/* Up to `max` messages, or fewer when they are large; waits up to timeout_ms for the first. *n may
 * be 0. When partitions come or go it returns at once, with *rebalanced true and no messages: what
 * was recorded beyond `sent` of the partitions must be sent before the next call. STATUS_CONFLICT:
 * the group has gone further than this ledger, which has lost rows; STATUS_UNAVAILABLE: close, and
 * open again. One thread. */
MUST_USE enum status kafka_consumer_take(struct kafka_consumer *consumer,
                                         struct kafka_record *records, size_t max, int timeout_ms,
                                         size_t *n, bool *rebalanced, struct error *error);
/* Takes nothing, and stays in the group for timeout_ms: for when there is no room for messages.
 * What was fetched ahead is fetched again afterwards. Otherwise like kafka_consumer_take(). */
MUST_USE enum status kafka_consumer_wait(struct kafka_consumer *consumer, int timeout_ms,
                                         bool *rebalanced, struct error *error);
/* The partitions that are ours now; until the next kafka_consumer_take(). */
const struct kafka_partition *kafka_consumer_partitions(const struct kafka_consumer *consumer,
                                                        size_t *n);

/* Messages between what was taken last and the ends of our partitions, as far as the brokers have
 * told with what they sent; -1: not of all partitions. The thread of take. */
int64_t kafka_consumer_lag(const struct kafka_consumer *consumer);
/* Asks a broker something; waits so long for its answer at most. The thread of take. */
bool kafka_consumer_reaches(const struct kafka_consumer *consumer, int timeout_ms);

#endif
