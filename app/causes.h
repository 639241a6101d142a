/* Why something is wrong, as a service goes on: explanations made once in a while and when asked,
 * with what they compare kept over a restart. */
#ifndef BINNACLE_APP_CAUSES_H
#define BINNACLE_APP_CAUSES_H

#include "app/session.h"
#include "engine/monitor/explain.h"
#include "engine/observe/snapshot.h"

#define RECENT_NAME "recent.checkpoint"

struct causes;
/* The session is borrowed. Takes up what the service before it knew: RECENT_NAME beside the
 * ledger. One that cannot be used is said to the log. NULL: out of memory. */
struct causes *causes_create(const struct session *session);
/* Writes it down. NULL is ignored. */
void causes_destroy(struct causes *causes);

/* What was changed in the last half hour and could be a cause, oldest first; copied. */
#define CAUSES_CHANGES 64
void causes_set_changes(struct causes *causes, const struct explain_change *changes, int n);
/* Explains when it is time, or `at_once`, into snapshot->explanation; *last: the last trouble that
 * was explained, over or not. The judge's thread. */
void causes_tick(struct causes *causes, bool at_once, struct snapshot *snapshot,
                 struct explanation *last);
/* The same for whoever asks. Any thread. */
void causes_now(struct causes *causes, struct explanation *explanation);
/* Writes down what a restart needs, but no more often than once a minute. The thread of the judge's
 * notes. */
void causes_save(struct causes *causes);

#endif
