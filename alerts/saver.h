/* The thread that writes what has changed into alerts.db, so that neither judging nor delivering
 * waits for a disk. There is no queue that could be full: it writes what stands when it comes to
 * it. What the disk refuses is tried again every second. */
#ifndef BINNACLE_ALERTS_SAVER_H
#define BINNACLE_ALERTS_SAVER_H

#include "alerts/store.h"
#include "engine/base/log.h"

/* Where changes come from; called by the saver's thread alone, and must not wait. */
struct saver_source {
    /* What is not on the disk yet, as it stands now; alive until done(). */
    enum status (*collect)(void *context, struct store_changes *changes, struct error *error);
    /* Whether the disk has it now. Also after a collect() that failed. */
    void (*done)(void *context, bool stored);
    void *context;
};

struct saver;
/* Everything is borrowed until saver_stop(). */
MUST_USE enum status saver_start(struct store *store, const struct saver_source *source,
                                 struct log *log, struct saver **saver, struct error *error);
/* Writes what is left, tries that once, and ends. NULL is ignored. */
void saver_stop(struct saver *saver);

/* Something has changed. Any thread; NULL: nothing. */
void saver_wake(struct saver *saver);
/* Waits until what has changed before is on the disk. The disk's own error when it refuses;
 * STATUS_UNAVAILABLE when it has not answered by the deadline (monotonic_ns()): what was changed
 * may still be written. Any thread; NULL: at once. */
MUST_USE enum status saver_await(struct saver *saver, int64_t deadline_ns, struct error *error);

#endif
