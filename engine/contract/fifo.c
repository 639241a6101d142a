/* A queue of bytes in blocks: items never move, memory comes and goes a block at a time. */
#include "engine/contract/fifo.h"

#include <stdlib.h>

#include "engine/base/state_file.h"

#define FIRST_RING 4

void fifo_free(struct fifo *fifo)
{
    for (uint64_t i = 0; i < fifo->n_ring; i++)
        free(fifo->blocks[i]);
    free(fifo->blocks);
    *fifo = (struct fifo){.block_size = fifo->block_size};
}

/* Twice as many places for blocks; the blocks stay where they are. */
static bool widen(struct fifo *fifo, struct memory_budget *budget)
{
    uint64_t n_ring = fifo->n_ring ? 2 * fifo->n_ring : FIRST_RING;
    uint64_t more = (n_ring - fifo->n_ring) * sizeof *fifo->blocks;
    if (!memory_take(budget, more))
        return false;
    char **blocks = calloc(n_ring, sizeof *blocks);
    if (!blocks) {
        memory_give(budget, more);
        return false;
    }
    uint64_t first = fifo->head / fifo->block_size;
    for (uint64_t i = 0; i < fifo->n_ring; i++)
        blocks[(first + i) & (n_ring - 1)] = fifo->blocks[(first + i) & (fifo->n_ring - 1)];
    free(fifo->blocks);
    fifo->blocks = blocks;
    fifo->n_ring = n_ring;
    return true;
}

bool fifo_room(struct fifo *fifo, uint64_t size, struct memory_budget *budget, uint64_t *place)
{
    uint64_t at = fifo->tail;
    if (at % fifo->block_size + size > fifo->block_size)
        at += fifo->block_size - at % fifo->block_size;
    uint64_t block = at / fifo->block_size;
    if (block - fifo->head / fifo->block_size >= fifo->n_ring && !widen(fifo, budget))
        return false;
    char **slot = &fifo->blocks[block & (fifo->n_ring - 1)];
    if (!*slot) {
        if (!memory_take(budget, fifo->block_size))
            return false;
        *slot = calloc(1, fifo->block_size); /* a checkpoint holds what lies between items, too */
        if (!*slot) {
            memory_give(budget, fifo->block_size);
            return false;
        }
    }
    *place = at;
    return true;
}

void fifo_drop(struct fifo *fifo, uint64_t place, struct memory_budget *budget)
{
    uint64_t last = place / fifo->block_size;
    for (uint64_t block = fifo->head / fifo->block_size; block < last; block++) {
        char **slot = &fifo->blocks[block & (fifo->n_ring - 1)];
        if (*slot)
            memory_give(budget, fifo->block_size);
        free(*slot);
        *slot = NULL;
    }
    fifo->head = place;
}

/* What of a block lies between head and tail. */
static uint64_t part_of(const struct fifo *fifo, uint64_t place)
{
    uint64_t end = (place / fifo->block_size + 1) * fifo->block_size;
    return (end < fifo->tail ? end : fifo->tail) - place;
}

enum status fifo_save(const struct fifo *fifo, struct state_file *file, struct error *error)
{
    const uint64_t ends[2] = {fifo->head, fifo->tail};
    enum status status = state_file_put(file, ends, sizeof ends, error);
    for (uint64_t at = fifo->head, n; status == STATUS_OK && at < fifo->tail; at += n) {
        n = part_of(fifo, at);
        status = state_file_put(file, fifo_at(fifo, at), n, error);
    }
    return status;
}

enum status fifo_load(struct fifo *fifo, struct memory_budget *budget, struct state_file *file,
                      struct error *error)
{
    uint64_t ends[2], place;
    enum status status = state_file_get(file, ends, sizeof ends, error);
    if (status == STATUS_OK && ends[0] > ends[1])
        status = state_file_damaged(file, error);
    if (status != STATUS_OK)
        return status;
    fifo->head = fifo->tail = ends[0];
    while (status == STATUS_OK && fifo->tail < ends[1]) {
        uint64_t end = (fifo->tail / fifo->block_size + 1) * fifo->block_size;
        uint64_t n = (end < ends[1] ? end : ends[1]) - fifo->tail;
        if (!fifo_room(fifo, n, budget, &place))
            return error_set(error, STATUS_FULL, "no memory for what is in the checkpoint");
        status = state_file_get(file, fifo_at(fifo, place), n, error);
        fifo->tail += n;
    }
    return status;
}
