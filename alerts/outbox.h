/* alerts.db: the state of every alert and the messages that are still to be delivered, written in
 * one transaction, so that a crash neither loses a transition nor tells it twice. */
#ifndef BINNACLE_ALERTS_OUTBOX_H
#define BINNACLE_ALERTS_OUTBOX_H

#include <stdint.h>

#include "alerts/hold.h"
#include "alerts/machine.h"
#include "engine/base/buffer.h"
#include "engine/base/clock.h"
#include "engine/base/status.h"
#include "engine/observe/snapshot.h"

struct outbox; /* any thread: one lock inside */

#define OUTBOX_KEY_SIZE 80

/* A message to one channel, ready to be sent. */
struct outbox_message {
    int64_t id;
    char key[OUTBOX_KEY_SIZE]; /* the same for the same transition and channel: sent once */
    char channel[NAME_SIZE];
    struct buffer body; /* the caller's; outbox_take() fills it */
    int64_t made_us;    /* wall clock */
    int attempts;       /* that have failed */
};

/* NULL path: in memory only. */
MUST_USE enum status outbox_open(const char *path, struct outbox **outbox, struct error *error);
void outbox_close(struct outbox *outbox); /* NULL is ignored */

/* The stored state of an alert; all zero when there is none. */
MUST_USE enum status outbox_state(struct outbox *outbox, const char *rule, struct machine *machine,
                                  struct error *error);

/* What people did about it; all zero when nobody did anything. */
MUST_USE enum status outbox_hold(struct outbox *outbox, const char *rule, struct hold *hold,
                                 struct error *error);

/* Several changes that belong together: begin, put..., commit. */
MUST_USE enum status outbox_begin(struct outbox *outbox, struct error *error);
MUST_USE enum status outbox_put_state(struct outbox *outbox, const char *rule,
                                      const struct machine *machine, struct error *error);
MUST_USE enum status outbox_put_hold(struct outbox *outbox, const char *rule,
                                     const struct hold *hold, struct error *error);
/* A key that is already there is left as it is: that message was put before. */
MUST_USE enum status outbox_put(struct outbox *outbox, const char *key, const char *channel,
                                struct slice body, int64_t now_us, struct error *error);
/* On the disk when it returns. Must follow begin, also after a failed put (then it rolls back and
 * returns the failure). */
MUST_USE enum status outbox_commit(struct outbox *outbox, enum status so_far, struct error *error);

/* The waiting message that has been due longest; message->body must be initialised. STATUS_END:
 * none is due; *next_us says when the next one will be (INT64_MAX: none waits). */
MUST_USE enum status outbox_take(struct outbox *outbox, int64_t now_us,
                                 struct outbox_message *message, int64_t *next_us,
                                 struct error *error);
/* What became of it. */
MUST_USE enum status outbox_sent(struct outbox *outbox, int64_t id, int64_t now_us,
                                 struct error *error);
MUST_USE enum status outbox_retry(struct outbox *outbox, int64_t id, int64_t due_us,
                                  const char *problem, struct error *error);
MUST_USE enum status outbox_bury(struct outbox *outbox, int64_t id, int64_t now_us,
                                 const char *problem, struct error *error);

/* How long messages are kept after they were delivered or given up, to be looked up. */
#define OUTBOX_KEPT_US (30 * US_PER_DAY)
/* Deletes the messages that have been settled for longer; their numbers stay in the counts. */
MUST_USE enum status outbox_prune(struct outbox *outbox, int64_t now_us, struct error *error);

/* Since the file was made. */
void outbox_count(struct outbox *outbox, struct outbox_status *status);

#endif
