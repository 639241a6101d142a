/* How to reach a Kafka cluster and what to do there: read once, used by consumer, producer and
 * the look at the topics. librdkafka is behind these headers and nowhere else. */
#ifndef BINNACLE_EVENT_KAFKA_H
#define BINNACLE_EVENT_KAFKA_H

#include "engine/base/log.h"
#include "engine/base/status.h"
#include "engine/base/yaml.h"

#define KAFKA_PASSWORD_SIZE 256

/* Strings are borrowed (from the document, or from the caller). */
struct kafka_options {
    const char *brokers; /* HOST:PORT, comma-separated */
    const char *topic;   /* events come from here */
    const char *group;
    const char *decisions_topic;   /* "": decisions are not sent */
    const char *dead_letter_topic; /* "": quarantined events are not sent */
    const char *client_id;
    const char *password_file;
    bool static_member; /* a restart takes its place in the group over without a rebalance */
    const struct yaml_node *settings; /* of librdkafka, passed on as they are; NULL: none */
    char password[KAFKA_PASSWORD_SIZE];
};

/* Everything at its default, brokers NULL. */
void kafka_options_init(struct kafka_options *options);
/* Reads the `kafka` map of binnacle.yaml, the password's file (relative to `folder`), and tries
 * each setting on librdkafka, so that a wrong one is an error with file, line, column and the
 * nearest name before anything connects. */
MUST_USE enum status kafka_options_read(const struct yaml_node *map, const char *folder,
                                        struct kafka_options *options, struct error *error);

/* "kafka://BROKERS/TOPIC", where `brokers` (of `size` bytes) takes the first part and *topic points
 * at the second. STATUS_INVALID when it is not that. */
MUST_USE enum status kafka_address(const char *text, char *brokers, size_t size, const char **topic,
                                   struct error *error);

#endif
