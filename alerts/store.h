/* alerts.db: the state of every alert, what people did about it, and the messages with what became
 * of them. What belongs together is one transaction, so that after a crash a transition is there
 * with its messages, or neither is. One thread at a time. */
#ifndef BINNACLE_ALERTS_STORE_H
#define BINNACLE_ALERTS_STORE_H

#include <stdint.h>

#include "alerts/hold.h"
#include "alerts/machine.h"
#include "alerts/outbox.h"
#include "engine/base/status.h"

struct store;

MUST_USE enum status store_open(const char *path, struct store **store, struct error *error);
void store_close(struct store *store); /* NULL is ignored */

/* How an alert stood, and what people did about it; all zero when there is nothing. */
MUST_USE enum status store_read(struct store *store, const char *rule, struct machine *machine,
                                struct hold *hold, struct error *error);
/* Puts the messages that wait into the outbox, and the counts since the file was made. */
MUST_USE enum status store_load(struct store *store, struct outbox *outbox, struct error *error);

struct store_rule {
    const char *name; /* borrowed */
    struct machine machine;
    struct hold hold;
};

/* Rows to write, new ones or in place of those of the same rule and key. */
struct store_changes {
    const struct store_rule *rules;
    size_t n_rules;
    const struct outbox_message *messages;
    size_t n_messages;
};
/* On the disk when it returns, all or nothing. */
MUST_USE enum status store_write(struct store *store, const struct store_changes *changes,
                                 struct error *error);

/* How long messages are kept after they were delivered or given up, to be looked up. */
#define STORE_KEPT_US (30 * US_PER_DAY)
/* Deletes the messages that have been settled for longer; their numbers stay in the counts. */
MUST_USE enum status store_prune(struct store *store, int64_t now_us, struct error *error);

#endif
