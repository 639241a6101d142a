/* Counts of hashes for distinct windows: linear probing, deletion by shifting back, at most half
 * full. Not for sharing between threads. */
#include "engine/feature/counts_priv.h"

#include <string.h>

static uint32_t find(const struct counts *counts, uint64_t hash)
{
    uint32_t mask = counts->capacity - 1;
    uint32_t at = (uint32_t)hash & mask;
    while (counts->cells[at].hash != 0 && counts->cells[at].hash != hash)
        at = (at + 1) & mask;
    return at;
}

static bool grow(struct counts *counts, struct pool *pool)
{
    struct counts grown = {.capacity = counts->capacity ? counts->capacity * 2 : 4,
                           .used = counts->used};
    grown.cells = pool_take(pool, counts_bytes(&grown));
    if (!grown.cells)
        return false;
    memset(grown.cells, 0, counts_bytes(&grown));
    for (uint32_t i = 0; i < counts->capacity; i++)
        if (counts->cells[i].hash != 0)
            grown.cells[find(&grown, counts->cells[i].hash)] = counts->cells[i];
    pool_give(pool, counts->cells, counts_bytes(counts));
    *counts = grown;
    return true;
}

bool counts_add(struct counts *counts, struct pool *pool, uint64_t hash)
{
    if (counts->used * 2 >= counts->capacity && !grow(counts, pool))
        return false;
    struct count_cell *cell = &counts->cells[find(counts, hash)];
    if (cell->hash == 0) {
        cell->hash = hash;
        counts->used++;
    }
    cell->count++;
    return true;
}

void counts_remove(struct counts *counts, uint64_t hash)
{
    uint32_t mask = counts->capacity - 1;
    uint32_t hole = find(counts, hash);
    if (--counts->cells[hole].count > 0)
        return;
    counts->used--;
    for (uint32_t at = (hole + 1) & mask; counts->cells[at].hash != 0; at = (at + 1) & mask) {
        uint32_t home = (uint32_t)counts->cells[at].hash & mask;
        if (((at - home) & mask) >= ((at - hole) & mask)) {
            counts->cells[hole] = counts->cells[at];
            hole = at;
        }
    }
    counts->cells[hole] = (struct count_cell){0};
}

void counts_reset(struct counts *counts)
{
    if (counts->cells)
        memset(counts->cells, 0, counts_bytes(counts));
    counts->used = 0;
}

void counts_free(struct counts *counts, struct pool *pool)
{
    pool_give(pool, counts->cells, counts_bytes(counts));
    *counts = (struct counts){0};
}
