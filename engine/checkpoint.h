/* Checkpoints: windows, ids and counters as they were when the ledger ended with a certain row, so
 * that a start has to read no more than the rows after it. Two sets of files take turns; the mark
 * says which of them is whole, and is replaced last. */
#ifndef BINNACLE_ENGINE_CHECKPOINT_H
#define BINNACLE_ENGINE_CHECKPOINT_H

#include "engine/engine_priv.h"
#include "engine/record/tree.h"

enum checkpoint_file { CHECKPOINT_WINDOWS, CHECKPOINT_COUNTS, CHECKPOINT_IDS, CHECKPOINT_FILES };

/* Of which ledger the checkpoint is, where that stood, and which set of files it is. */
struct checkpoint_mark {
    char identity[40];
    uint64_t tree_size;
    uint8_t root[SHA256_SIZE];
    int64_t start_us; /* event time of the first decision of all; 0: there was none */
    uint64_t set;     /* 0 or 1 */
};

/* To be freed; NULL: out of memory. */
char *checkpoint_path(const struct engine *engine, enum checkpoint_file file, uint64_t set);
/* STATUS_NOT_FOUND: there is none. */
MUST_USE enum status checkpoint_load_mark(const struct engine *engine, struct checkpoint_mark *mark,
                                          struct error *error);

enum checkpoint_way {
    CHECKPOINT_HERE,  /* by this thread, and batches wait as long */
    CHECKPOINT_ASIDE, /* by a forked process, whose memory stays as it is: batches wait for the fork
                       */
};
/* Writes one while batches are decided, or not. STATUS_UNAVAILABLE: not now: a batch takes long, or
 * the ledger or the online store are not written. The one before stays in use after any error. One
 * thread at a time. */
MUST_USE enum status checkpoint_write(struct engine *engine, enum checkpoint_way way,
                                      struct error *error);

/* A thread that writes them while the service runs: when so many rows came since the last one, or
 * some came and so much time went by (struct engine_parts). */
struct checkpoint_thread;
MUST_USE enum status checkpoint_thread_start(struct engine *engine,
                                             struct checkpoint_thread **thread,
                                             struct error *error);
void checkpoint_thread_stop(struct checkpoint_thread *thread); /* NULL is ignored */

#endif
