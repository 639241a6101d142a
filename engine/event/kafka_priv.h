/* What the Kafka modules share: a librdkafka configuration and its errors in our words. */
#ifndef BINNACLE_EVENT_KAFKA_PRIV_H
#define BINNACLE_EVENT_KAFKA_PRIV_H

#include <librdkafka/rdkafka.h>

#include "engine/event/kafka.h"

/* Opaque of every handle: must be its owner's first member. */
struct kafka_owner {
    struct log *log;
};

/* A configuration with the connection's settings and the log; the caller adds its own. NULL: no
 * memory or a setting that librdkafka refuses (*error says which). */
rd_kafka_conf_t *kafka_conf(const struct kafka_options *options, struct kafka_owner *owner,
                            struct error *error);

/* Name and value pairs ending with a NULL name; a NULL value leaves the default. For settings that
 * are ours and known to be right.
 */
struct kafka_setting {
    const char *name, *value;
};
MUST_USE enum status kafka_set(rd_kafka_conf_t *conf, const struct kafka_setting *settings,
                               struct error *error);

/* Takes `conf` over, also when it fails. */
MUST_USE enum status kafka_new(rd_kafka_type_t type, rd_kafka_conf_t *conf, rd_kafka_t **handle,
                               struct error *error);

/* Puts what librdkafka says into *error, with `doing` before it, and destroys it. NULL is
 * STATUS_OK. Everything but a fatal or fencing error can be tried again from a new connection. */
enum status kafka_failed(rd_kafka_error_t *failure, const char *doing, struct error *error);
enum status kafka_code_failed(rd_kafka_resp_err_t code, const char *doing, struct error *error);

#endif
