/* How often each hash occurs: a small open-addressing table. Private to engine/feature. */
#ifndef BINNACLE_FEATURE_COUNTS_PRIV_H
#define BINNACLE_FEATURE_COUNTS_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/pool.h"

struct count_cell {
    uint64_t hash; /* 0: free */
    uint64_t count;
};

struct counts {
    struct count_cell *cells;
    uint32_t used, capacity; /* power of two, or 0 */
};

/* False: out of memory, which is from the pool (NULL: malloc). The hash is not 0. */
bool counts_add(struct counts *counts, struct pool *pool, uint64_t hash);
/* It was added before. */
void counts_remove(struct counts *counts, uint64_t hash);
void counts_reset(struct counts *counts); /* keeps the memory */
void counts_free(struct counts *counts, struct pool *pool);
static inline size_t counts_bytes(const struct counts *counts)
{
    return counts->capacity * sizeof(struct count_cell);
}

#endif
