/* What the Kafka modules share: a librdkafka configuration and its errors in our words. */
#ifndef BINNACLE_EVENT_KAFKA_PRIV_H
#define BINNACLE_EVENT_KAFKA_PRIV_H

#include <librdkafka/rdkafka.h>

#include "engine/event/kafka.h"

/* Opaque of every handle: must be the first member of what the callbacks take it for. */
struct kafka_client {
    struct log *log;
};

/* Pairs ending with a NULL name; a NULL value leaves librdkafka's default. */
struct kafka_setting {
    const char *name, *value;
};

/* A configuration with the connection's settings, `settings` (NULL: none), the operator's, which
 * win where they are not refused, and the log. The caller owns *conf; NULL on failure. */
MUST_USE enum status kafka_conf(const struct kafka_options *options,
                                const struct kafka_setting *settings, struct kafka_client *client,
                                rd_kafka_conf_t **conf, struct error *error);

/* Takes `conf` over, also when it fails. */
MUST_USE enum status kafka_new(rd_kafka_type_t type, rd_kafka_conf_t *conf, rd_kafka_t **handle,
                               struct error *error);

/* Puts what librdkafka says into *error, with `doing` before it, and destroys `failure`. NULL is
 * STATUS_OK, anything else STATUS_UNAVAILABLE: close, and open again. */
enum status kafka_failed(rd_kafka_error_t *failure, const char *doing, struct error *error);
enum status kafka_code_failed(rd_kafka_resp_err_t code, const char *doing, struct error *error);

#endif
