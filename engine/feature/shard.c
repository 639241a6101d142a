/* A table of entities by the hash of their key (128 bits: two keys of one hash are not to be
 * expected), and a list of them by last use, from whose end they are forgotten when memory is
 * short. Under the shard's lock. */
#include "engine/feature/shard_priv.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 64

bool shard_init(struct shard *shard)
{
    memset(shard, 0, sizeof *shard);
    lock_init(&shard->lock, "feature_shard");
    shard->table = calloc(FIRST_CAPACITY, sizeof *shard->table);
    shard->capacity = shard->table ? FIRST_CAPACITY : 0;
    shard->bytes = shard->capacity * sizeof *shard->table;
    return shard->table != NULL;
}

static size_t slot_in(struct entity *const *table, size_t capacity, uint32_t stream,
                      struct hash128 key)
{
    size_t mask = capacity - 1;
    size_t at = (size_t)key.low & mask;
    for (const struct entity *entity; (entity = table[at]) != NULL; at = (at + 1) & mask)
        if (entity->key.low == key.low && entity->key.high == key.high && entity->stream == stream)
            break;
    return at;
}

static size_t slot_of(const struct shard *shard, uint32_t stream, struct hash128 key)
{
    return slot_in(shard->table, shard->capacity, stream, key);
}

void shard_prefetch_slot(const struct shard *shard, struct hash128 key)
{
    __builtin_prefetch(&shard->table[(size_t)key.low & (shard->capacity - 1)]);
}

void shard_prefetch_entity(const struct shard *shard, struct hash128 key, size_t size)
{
    const char *entity = (const char *)shard->table[(size_t)key.low & (shard->capacity - 1)];
    for (size_t at = 0; entity && at < size; at += 64)
        __builtin_prefetch(entity + at, 1);
}

struct entity *shard_find(const struct shard *shard, uint32_t stream, struct hash128 key)
{
    return shard->table[slot_of(shard, stream, key)];
}

static void unlink_entity(struct shard *shard, struct entity *entity)
{
    *(entity->newer ? &entity->newer->older : &shard->newest) = entity->older;
    *(entity->older ? &entity->older->newer : &shard->oldest) = entity->newer;
}

static void link_newest(struct shard *shard, struct entity *entity)
{
    entity->newer = NULL;
    entity->older = shard->newest;
    *(shard->newest ? &shard->newest->newer : &shard->oldest) = entity;
    shard->newest = entity;
}

static bool grow(struct shard *shard)
{
    size_t capacity = shard->capacity * 2;
    struct entity **table = calloc(capacity, sizeof *table);
    if (!table)
        return false;
    for (struct entity *entity = shard->oldest; entity; entity = entity->newer)
        table[slot_in(table, capacity, entity->stream, entity->key)] = entity;
    shard->bytes += (capacity - shard->capacity) * sizeof *shard->table;
    free(shard->table);
    shard->table = table;
    shard->capacity = capacity;
    return true;
}

static size_t entity_size(const struct series_layout *layout)
{
    return sizeof(struct entity) + layout->stream->states_size;
}

void shard_renew(struct shard *shard, struct entity *entity)
{
    lock_assert_held(&shard->lock);
    if (entity == shard->newest)
        return;
    unlink_entity(shard, entity);
    link_newest(shard, entity);
}

struct entity *shard_make(struct shard *shard, const struct series_layout *layouts, uint32_t stream,
                          struct hash128 key)
{
    lock_assert_held(&shard->lock);
    if (shard->n * 2 >= shard->capacity && !grow(shard))
        return NULL;
    struct entity *entity = pool_take(layouts[stream].pool, entity_size(&layouts[stream]));
    if (!entity)
        return NULL;
    memset(entity, 0, entity_size(&layouts[stream]));
    entity->key = key;
    entity->stream = stream;
    series_init(&layouts[stream], &entity->series, entity->states);
    shard->table[slot_of(shard, stream, key)] = entity;
    shard->n++;
    shard->bytes += entity_size(&layouts[stream]);
    link_newest(shard, entity);
    return entity;
}

/* Takes the entity out of the table, closing the gap it leaves. */
static void remove_slot(struct shard *shard, const struct entity *entity)
{
    size_t mask = shard->capacity - 1;
    size_t hole = slot_of(shard, entity->stream, entity->key);
    for (size_t at = (hole + 1) & mask; shard->table[at]; at = (at + 1) & mask) {
        size_t home = (size_t)shard->table[at]->key.low & mask;
        if (((at - home) & mask) >= ((at - hole) & mask)) {
            shard->table[hole] = shard->table[at];
            hole = at;
        }
    }
    shard->table[hole] = NULL;
}

static void forget(struct shard *shard, const struct series_layout *layouts, struct entity *entity)
{
    const struct series_layout *layout = &layouts[entity->stream];
    remove_slot(shard, entity);
    unlink_entity(shard, entity);
    shard->n--;
    shard->bytes -= entity_size(layout) + entity->series.bytes;
    shard->entries -= entity->series.n;
    series_free(layout, &entity->series);
    pool_give(layout->pool, entity, entity_size(layout));
}

bool shard_insert(struct shard *shard, const struct series_layout *layouts, struct entity *entity,
                  const struct entry *entry, uint32_t *number)
{
    const struct series_layout *layout = &layouts[entity->stream];
    struct series *series = &entity->series;
    size_t bytes = series->bytes;
    uint32_t n = series->n;
    shard->late += n > 0 && entry->time_us < series->newest_us;
    bool inserted = series_insert(layout, series, entry, number);
    shard->bytes += series->bytes;
    shard->bytes -= bytes;
    shard->entries += series->n;
    shard->entries -= n;
    if (!inserted) {
        shard->evicted++;
        forget(shard, layouts, entity);
    }
    return inserted;
}

bool shard_evict(struct shard *shard, const struct series_layout *layouts, size_t max_bytes,
                 int64_t newest_us)
{
    if (shard->bytes <= max_bytes)
        return false;
    while (shard->bytes > max_bytes && shard->oldest) {
        struct entity *entity = shard->oldest;
        const struct series_layout *layout = &layouts[entity->stream];
        bool in_reach = entity->series.n > 0 &&
                        entity->series.newest_us > newest_us - layout->stream->horizon_us;
        *(in_reach ? &shard->evicted : &shard->expired) += 1;
        forget(shard, layouts, entity);
    }
    return true;
}

void shard_clear(struct shard *shard, const struct series_layout *layouts)
{
    while (shard->oldest)
        /* forget() puts the next one in its place, which the analyzer does not follow. */
        forget(shard, layouts, shard->oldest); // NOLINT(clang-analyzer-unix.Malloc)
}

void shard_free(struct shard *shard, const struct series_layout *layouts)
{
    if (shard->table)
        shard_clear(shard, layouts);
    free(shard->table);
    lock_destroy(&shard->lock);
}
