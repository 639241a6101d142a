/* The thread that delivers what waits in the outbox. */
#ifndef BINNACLE_ALERTS_SENDER_H
#define BINNACLE_ALERTS_SENDER_H

#include "alerts/channel.h"
#include "alerts/outbox.h"
#include "alerts/saver.h"
#include "engine/base/log.h"

struct sender;

/* Tells `saver`, which may be NULL, of what became of messages. Everything is borrowed until
 * sender_stop(). */
MUST_USE enum status sender_start(struct outbox *outbox, struct saver *saver,
                                  const struct channels *channels, struct log *log,
                                  struct sender **sender, struct error *error);
/* Lets it go on for up to two seconds while something is due, on the disk or not, then ends it;
 * what is left waits in the outbox. NULL is ignored. */
void sender_stop(struct sender *sender);

/* How long to wait after the n-th failure (from 1): 1 s doubling up to 5 min, of which a random
 * half, so that many instances do not come back at once. `chance` is 0..1. */
int64_t sender_backoff_us(int failures, double chance);

#endif
