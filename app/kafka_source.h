/* Kafka as the source of a running service: events from a topic, decisions and dead letters into
 * others. Every event is decided once and every decision is on its topic once. */
#ifndef BINNACLE_APP_KAFKA_SOURCE_H
#define BINNACLE_APP_KAFKA_SOURCE_H

#include <stdatomic.h>

#include "app/session.h"

struct kafka_source;

/* The session's first source is the topic; it must have a ledger, which knows how far it has come.
 * Nothing is connected yet. */
MUST_USE enum status kafka_source_create(struct session *session, struct kafka_source **source,
                                         struct error *error);
void kafka_source_destroy(struct kafka_source *source); /* NULL is ignored */

/* How the connection stands, for the screens, and the queue to the brokers. Any thread. */
void kafka_source_fill(const struct kafka_source *source, struct snapshot *snapshot);

/* Until *stopping. Brokers that are away are waited for; only a ledger and a group that contradict
 * each other end it early (logged). The worker is this thread's. */
void kafka_source_run(struct kafka_source *source, struct worker *worker,
                      const atomic_bool *stopping);

#endif
