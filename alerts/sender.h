/* The thread that delivers what waits in the outbox. */
#ifndef BINNACLE_ALERTS_SENDER_H
#define BINNACLE_ALERTS_SENDER_H

#include "alerts/channel.h"
#include "alerts/outbox.h"
#include "engine/base/log.h"

struct sender;

/* `spare` has what was told while `outbox` could not be written. Everything is borrowed until
 * sender_stop(). */
MUST_USE enum status sender_start(struct outbox *outbox, struct outbox *spare,
                                  const struct channels *channels, struct log *log,
                                  struct sender **sender, struct error *error);
/* Tells it that there is something new. Any thread. */
void sender_wake(struct sender *sender);
/* Lets it go on for up to two seconds while something is due, then ends it; what is left waits in
 * the outbox. NULL is ignored. */
void sender_stop(struct sender *sender);

/* How long to wait after the n-th failure (from 1): 1 s doubling up to 5 min, of which a random
 * half, so that many instances do not come back at once. `chance` is 0..1. */
int64_t sender_backoff_us(int failures, double chance);

#endif
