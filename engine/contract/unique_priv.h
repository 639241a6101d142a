/* The insides of the set of ids, shared by unique.c and its checkpoint. */
#ifndef BINNACLE_CONTRACT_UNIQUE_PRIV_H
#define BINNACLE_CONTRACT_UNIQUE_PRIV_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/base/thread.h"
#include "engine/contract/fifo.h"
#include "engine/contract/unique.h"

#define UNIQUE_MAGIC 0x0E1D5E70u
#define SHARDS       16
#define INLINE_SIZE  16

enum id_kind { ID_ULID, ID_INLINE, ID_POOLED };

struct entry {
    union {
        uint64_t ulid[2];
        char text[INLINE_SIZE];
        uint64_t place; /* in the byte queue */
    };
    uint64_t content;
    uint64_t ledger_index;
    int64_t at_us;
    uint32_t hash; /* its place in the table */
    uint16_t size; /* of the id in bytes */
    uint8_t kind;
    bool dead; /* forgotten: waits for its turn to leave the queue */
};

struct shard {
    struct lock lock;
    struct fifo entries, bytes;
    uint64_t *table; /* hash << 32 | number; EMPTY */
    uint64_t n_slots;
    /* The table as unique_prefetch() sees it, without the lock: where it was is good enough. */
    atomic_uintptr_t table_at;
    atomic_uint_fast64_t table_mask;
    uint64_t n_ids;
    struct memory_budget memory;
    uint64_t refused;
    int64_t now_us;
};

struct unique {
    unsigned magic;
    int64_t span_us;
    uint64_t max_bytes;
    uint64_t seed;
    _Atomic int64_t newest_us; /* the latest time that any shard has seen, within a second */
    struct shard shards[SHARDS];
};

/* The shard has another table, of n_slots. */
static inline void unique_take_table(struct shard *shard, uint64_t *table, uint64_t n_slots)
{
    shard->table = table;
    shard->n_slots = n_slots;
    atomic_store_explicit(&shard->table_at, (uintptr_t)table, memory_order_relaxed);
    atomic_store_explicit(&shard->table_mask, n_slots ? n_slots - 1 : 0, memory_order_relaxed);
}
/* Forgets everything in it. */
void unique_clear_shard(struct shard *shard);

#endif
