/* A shard: the entities whose keys fall to it, behind one lock. Private to engine/feature. */
#ifndef BINNACLE_FEATURE_SHARD_PRIV_H
#define BINNACLE_FEATURE_SHARD_PRIV_H

#include <stdalign.h>

#include "engine/base/thread.h"
#include "engine/feature/series_priv.h"

/* Place in an entity's shared log; all zero: its beginning. */
struct log_place {
    uint64_t ms, sequence;
};

struct entity {
    struct hash128 key; /* of the entity's value; the value itself is not kept */
    uint32_t stream;
    struct entity *newer, *older; /* by last event inserted */
    struct log_place seen;        /* Redis only: what of its log is in the series */
    struct series series;
    alignas(8) unsigned char states[];
};

struct shard {
    alignas(64) struct lock lock;
    struct entity **table; /* by key, linear probing */
    size_t capacity, n;    /* capacity: power of two */
    struct entity *newest, *oldest;
    size_t bytes;
    uint64_t entries, late, too_late, evicted, expired;
};

/* All of these but init and free with the lock held. */
MUST_USE bool shard_init(struct shard *shard);
void shard_free(struct shard *shard, const struct series_layout *layouts);
void shard_clear(struct shard *shard, const struct series_layout *layouts);
/* NULL: not there. */
struct entity *shard_find(const struct shard *shard, uint32_t stream, struct hash128 key);
/* Asks for memory that shard_find() will look at, first the slot, then what stands there. */
void shard_prefetch_slot(const struct shard *shard, struct hash128 key);
void shard_prefetch_entity(const struct shard *shard, struct hash128 key, size_t size);
/* It is now the newest. */
void shard_renew(struct shard *shard, struct entity *entity);
/* Makes one that is not there, and it is the newest. NULL: out of memory. */
struct entity *shard_make(struct shard *shard, const struct series_layout *layouts, uint32_t stream,
                          struct hash128 key);
/* Inserts into the entity's series and keeps the shard's counts. False: out of memory, and the
 * entity is gone. */
MUST_USE bool shard_insert(struct shard *shard, const struct series_layout *layouts,
                           struct entity *entity, const struct entry *entry, uint32_t *number);
/* Forgets the entities idle longest until the shard takes `max_bytes` at most. Whether any. */
bool shard_evict(struct shard *shard, const struct series_layout *layouts, size_t max_bytes,
                 int64_t newest_us);

#endif
