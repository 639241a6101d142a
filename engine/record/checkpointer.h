/* Moves the log of a database that is being written into it, in a thread of its own, so that no
 * commit waits for it. The log begins anew when all of it has been moved; what is written
 * meanwhile is left over, and when that is little, or the log has become too long, the writer moves
 * the rest itself between two commits. */
#ifndef BINNACLE_RECORD_CHECKPOINTER_H
#define BINNACLE_RECORD_CHECKPOINTER_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/db.h"
#include "engine/base/status.h"

struct checkpointer;

/* `pages`: from so many pages in the log on it is moved; at four times as many the writer helps. */
MUST_USE enum status checkpointer_create(int64_t pages, struct checkpointer **checkpointer,
                                         struct error *error);
/* Waits for a move under way. NULL is ignored. */
void checkpointer_destroy(struct checkpointer *checkpointer);

/* After a commit on `db` (db_keep_log() was called): has the log moved when it is long, and moves
 * the rest when that is due. Anything but STATUS_OK, once: an error from the disk, here or in the
 * thread, which does nothing more before checkpointer_leave(); what was committed is in the log.
 * Writer thread; waits for the disk only to move a rest. */
MUST_USE enum status checkpointer_tend(struct checkpointer *checkpointer, struct db *db,
                                       struct error *error);
/* The writer closes the file, or opens it anew: the thread has let go of it when this returns. */
void checkpointer_leave(struct checkpointer *checkpointer);

#endif
