/* A queue of bytes in blocks: items never move, memory comes and goes a block at a time. */
#include "engine/contract/fifo.h"

#include <stdlib.h>

#define FIRST_RING 4

void fifo_free(struct fifo *fifo)
{
    for (uint64_t i = 0; i < fifo->n_ring; i++)
        free(fifo->blocks[i]);
    free(fifo->blocks);
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
        *slot = malloc(fifo->block_size);
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
