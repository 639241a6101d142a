/* The messages that are to be delivered, in memory, so that nobody who pages a person waits for a
 * disk: saver.h writes them into alerts.db beside what happens here. */
#ifndef BINNACLE_ALERTS_OUTBOX_H
#define BINNACLE_ALERTS_OUTBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/buffer.h"
#include "engine/base/clock.h"
#include "engine/base/status.h"
#include "engine/observe/snapshot.h"

#define OUTBOX_KEY_SIZE 80

/* Messages that may wait. Beyond that the one that was made first, and is not being sent, is given
 * up: it is the nearest to its greatest age, and the alert stays on the screens. As many again may
 * be settled and not written down; beyond that the oldest of them is forgotten, and may be sent
 * again by the next start. */
#define OUTBOX_MOST 1024

/* Of a message: more than the longest summary, explanation and link come to when every character is
 * escaped. All that are kept, twice OUTBOX_MOST, are 128 MiB at most. */
#define OUTBOX_BODY_BYTES (1u << 16)

/* How long a message waits for a disk, which should know of it before it is sent. */
#define OUTBOX_PATIENCE_MS 500

enum message_fate { MESSAGE_WAITING, MESSAGE_SENT, MESSAGE_DEAD, MESSAGE_FATES };

/* A message to one channel, ready to be sent. */
struct outbox_message {
    int64_t id;
    char key[OUTBOX_KEY_SIZE]; /* the same for the same transition and channel: sent once */
    char channel[NAME_SIZE];
    struct buffer body;
    int64_t made_us, due_us; /* wall clock */
    int attempts;
    enum message_fate fate;
    int64_t settled_us; /* 0: it waits */
    char problem[sizeof((struct error *)0)->message];
};

/* What became of an attempt. */
struct outbox_attempt {
    int64_t id;
    enum message_fate fate;
    int64_t at_us;
    int64_t due_us; /* MESSAGE_WAITING: when to try again */
    const char *problem;
};

/* Makes `body` a copy of `text`, to be freed whatever is returned. STATUS_FULL: it is longer than a
 * message may be. */
MUST_USE enum status outbox_copy_body(struct slice text, struct buffer *body, struct error *error);

struct outbox; /* any thread: one lock inside, never held over I/O */

/* How long messages wait for outbox_stored() before they are sent; 0: there is no disk to wait for.
 * NULL: no memory. */
struct outbox *outbox_create(int64_t patience_ms);
void outbox_destroy(struct outbox *outbox);

/* A message and the counts that the last process left; both are on the disk. */
MUST_USE enum status outbox_load(struct outbox *outbox, const struct outbox_message *message,
                                 struct error *error);
void outbox_load_counts(struct outbox *outbox, const struct outbox_status *counts);

/* A key that is there already is left as it is: that message was put before. */
MUST_USE enum status outbox_put(struct outbox *outbox, const char *key, const char *channel,
                                struct slice body, int64_t now_us, struct error *error);

/* The waiting message that has been due longest; message->body must be initialised. False: none is
 * due; *next_us says when to look again (INT64_MAX: none waits). One thread takes, and settles what
 * it took before it takes again; until then that message is not given up for lack of room. */
bool outbox_take(struct outbox *outbox, int64_t now_us, struct outbox_message *message,
                 int64_t *next_us);
/* Counts what may make another message due. outbox_wait() returns when it is another one than
 * `seen`, or after timeout_ms. */
uint64_t outbox_news(struct outbox *outbox);
void outbox_wait(struct outbox *outbox, uint64_t seen, int64_t timeout_ms);
void outbox_settle(struct outbox *outbox, const struct outbox_attempt *attempt);
/* Whether the disk refuses what it is given: while it does, messages do not wait for it. */
void outbox_refused(struct outbox *outbox, bool refused);
/* The process ends: from now on they do not wait for the disk, whatever that does. */
void outbox_hurry(struct outbox *outbox);

/* Copies of what is not on the disk yet, to be freed by outbox_free(); *mark goes to
 * outbox_stored() when they are. */
MUST_USE enum status outbox_changes(struct outbox *outbox, struct outbox_message **messages,
                                    size_t *n, uint64_t *mark, struct error *error);
void outbox_free(struct outbox_message *messages, size_t n);
void outbox_stored(struct outbox *outbox, uint64_t mark);

void outbox_count(struct outbox *outbox, struct outbox_status *status);

#endif
