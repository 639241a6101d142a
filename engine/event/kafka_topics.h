/* What a cluster says about a topic: how it is spread, how long it keeps events. */
#ifndef BINNACLE_EVENT_KAFKA_TOPICS_H
#define BINNACLE_EVENT_KAFKA_TOPICS_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/event/kafka.h"

struct kafka_topic_facts {
    const char *name; /* the caller's */
    bool exists;
    int n_partitions;
    int replication_factor; /* of the partition that has the fewest replicas */
    int n_under_replicated; /* partitions with replicas that are not in sync */
    int n_leaderless;
    bool has_settings; /* false: the cluster does not tell; what follows is not known */
    int64_t retention_ms, retention_bytes; /* -1: no limit */
    int64_t min_insync;
    bool compacted;        /* cleanup.policy has compact */
    bool unclean_election; /* a replica that is not in sync may become the leader */
};

struct kafka_cluster_facts {
    int n_brokers;
};

/* Asks within `timeout_ms`. The facts' names say which topics. STATUS_UNAVAILABLE: no broker
 * answers; the message says why. */
MUST_USE enum status kafka_topics_look(const struct kafka_options *options, struct log *log,
                                       int timeout_ms, struct kafka_cluster_facts *cluster,
                                       struct kafka_topic_facts *topics, int n_topics,
                                       struct error *error);

#endif
