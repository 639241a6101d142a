/* A queue of bytes in blocks, for what arrives and leaves in the same order. */
#ifndef BINNACLE_CONTRACT_FIFO_H
#define BINNACLE_CONTRACT_FIFO_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/status.h"

/* What several structures may take together. */
struct memory_budget {
    uint64_t used, maximum; /* bytes */
};

static inline bool memory_take(struct memory_budget *budget, uint64_t bytes)
{
    if (bytes > budget->maximum - budget->used)
        return false;
    budget->used += bytes;
    return true;
}

static inline void memory_give(struct memory_budget *budget, uint64_t bytes)
{
    budget->used -= bytes;
}

/* Zeroed but for block_size. An item never spans two blocks. Places only grow. One thread at a
 * time. */
struct fifo {
    char **blocks; /* a ring of n_ring (a power of two); block b stands at b & (n_ring - 1) */
    uint64_t n_ring;
    uint64_t block_size;
    uint64_t head, tail; /* places of the first byte kept and of the next one; tail is moved by the
                            caller once the item is written */
};

void fifo_free(struct fifo *fifo); /* empty afterwards; the budget is the caller's */
/* Where `size` (at most block_size) more bytes go; false when memory or the budget is out. */
bool fifo_room(struct fifo *fifo, uint64_t size, struct memory_budget *budget, uint64_t *place);
/* Everything before `place` goes; blocks that are empty now are given back. */
void fifo_drop(struct fifo *fifo, uint64_t place, struct memory_budget *budget);

static inline char *fifo_at(const struct fifo *fifo, uint64_t place)
{
    return fifo->blocks[place / fifo->block_size & (fifo->n_ring - 1)] + place % fifo->block_size;
}

/* The queue as it stands, places included. */
struct state_file;
MUST_USE enum status fifo_save(const struct fifo *fifo, struct state_file *file,
                               struct error *error);
/* Into an empty queue of the same block size. STATUS_FULL: beyond the budget. */
MUST_USE enum status fifo_load(struct fifo *fifo, struct memory_budget *budget,
                               struct state_file *file, struct error *error);

#endif
