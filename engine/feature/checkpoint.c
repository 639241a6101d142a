/* The state in a file. What is kept are the entries; everything else is made from them again, since
 * sums are exact and nothing depends on the way there: a header, then the entities of each shard,
 * idle longest first. One thread, while nothing else uses the store. */
#include <string.h>

#include "engine/base/state_file.h"
#include "engine/feature/store_priv.h"

static const struct state_file_kind checkpoint_kind = {"BNFEATS", 2};

struct header {
    struct hash128 views;
    int64_t lateness_us;
    uint64_t upto_index;
    int64_t newest_us;
    uint64_t n_entities;
    uint64_t shared; /* entries carry ids for the online store */
};

struct entity_record {
    struct hash128 key;
    struct log_place seen;
    uint32_t stream;
    uint32_t n;
};

static enum status put_entity(struct state_file *file, const struct feature_store *store,
                              const struct entity *entity, struct error *error)
{
    const struct series *series = &entity->series;
    struct entity_record record = {
        .key = entity->key, .seen = entity->seen, .stream = entity->stream, .n = series->n};
    enum status status = state_file_put(file, &record, sizeof record, error);
    for (uint32_t i = 0; status == STATUS_OK && i < series->n; i++)
        status = state_file_put(
            file, series_entry(&store->layouts[entity->stream], series, series->first + i),
            store->layouts[entity->stream].stride, error);
    return status;
}

static enum status put_shard(struct state_file *file, const struct feature_store *store,
                             const struct shard *shard, struct error *error)
{
    enum status status = STATUS_OK;
    for (const struct entity *entity = shard->oldest; status == STATUS_OK && entity;
         entity = entity->newer)
        status = put_entity(file, store, entity, error);
    return status;
}

enum status feature_store_write(const struct feature_store *store, struct state_file *file,
                                uint64_t upto_index, struct error *error)
{
    struct header header = {
        .views = store->views->digest,
        .lateness_us = store->lateness_us,
        .upto_index = upto_index,
        .newest_us = atomic_load(&store->newest_us),
        .shared = store->online != NULL,
    };
    for (size_t i = 0; i < store->n_shards; i++)
        header.n_entities += store->shards[i].n;
    enum status status = state_file_put(file, &header, sizeof header, error);
    for (size_t i = 0; status == STATUS_OK && i < store->n_shards; i++)
        status = put_shard(file, store, &store->shards[i], error);
    return status;
}

enum status feature_store_may_save(struct feature_store *store, struct error *error)
{
    struct feature_usage usage;
    feature_store_usage(store, &usage);
    if (usage.pending > 0)
        return error_set(error, STATUS_UNAVAILABLE,
                         "%llu entries wait for the online store; a checkpoint now would let them "
                         "be forgotten",
                         (unsigned long long)usage.pending);
    return STATUS_OK;
}

enum status feature_store_create_file(struct feature_store *store, const char *path,
                                      struct state_file **file, struct error *error)
{
    enum status status = feature_store_may_save(store, error);
    return status == STATUS_OK ? state_file_create(path, &checkpoint_kind, file, error) : status;
}

static enum status get_entity(struct state_file *file, struct feature_store *store,
                              struct error *error)
{
    struct entity_record record;
    enum status status = state_file_get(file, &record, sizeof record, error);
    if (status != STATUS_OK)
        return status;
    if (record.stream >= store->views->n_streams || record.n == 0 || record.n > UINT32_MAX / 4)
        return state_file_damaged(file, error);
    const struct series_layout *layout = &store->layouts[record.stream];
    struct shard *shard = store_shard(store, record.key);
    lock_take(&shard->lock);
    struct entity *entity = NULL;
    if (shard_find(shard, record.stream, record.key))
        status = state_file_damaged(file, error);
    else
        entity = shard_make(shard, store->layouts, record.stream, record.key);
    if (status == STATUS_OK && (!entity || !series_reserve(layout, &entity->series, record.n)))
        status = error_set(error, STATUS_MEMORY, "out of memory for the feature state");
    for (uint32_t i = 0; status == STATUS_OK && i < record.n; i++) {
        status =
            state_file_get(file, series_entry(layout, &entity->series, i), layout->stride, error);
        entity->series.n += status == STATUS_OK;
    }
    if (status == STATUS_OK && !series_restore(layout, &entity->series))
        status = error_set(error, STATUS_MEMORY, "out of memory for the feature state");
    if (entity) {
        entity->seen = record.seen;
        shard->entries += entity->series.n;
        shard->bytes += entity->series.bytes;
    }
    lock_release(&shard->lock);
    return status;
}

static enum status check_header(const struct state_file *file, const struct feature_store *store,
                                const struct header *header, struct error *error)
{
    if (memcmp(&header->views, &store->views->digest, sizeof header->views) == 0 &&
        header->lateness_us == store->lateness_us &&
        (header->shared != 0) == (store->online != NULL))
        return STATUS_OK;
    return error_set(error, STATUS_CONFLICT, "%s: made for other feature views",
                     state_file_path(file));
}

static enum status get_state(struct state_file *file, struct feature_store *store,
                             uint64_t *upto_index, struct error *error)
{
    struct header header;
    enum status status = state_file_get(file, &header, sizeof header, error);
    if (status == STATUS_OK)
        status = check_header(file, store, &header, error);
    if (status != STATUS_OK)
        return status;
    for (uint64_t i = 0; status == STATUS_OK && i < header.n_entities; i++)
        status = get_entity(file, store, error);
    if (status == STATUS_OK)
        status = state_file_end(file, error);
    atomic_store(&store->newest_us, header.newest_us);
    *upto_index = header.upto_index;
    return status;
}

enum status feature_store_load(struct feature_store *store, const char *path, uint64_t *upto_index,
                               struct error *error)
{
    struct state_file *file;
    feature_store_clear(store);
    enum status status = state_file_open(path, &checkpoint_kind, &file, error);
    if (status != STATUS_OK)
        return status;
    status = get_state(file, store, upto_index, error);
    state_file_close(file);
    if (status != STATUS_OK)
        feature_store_clear(store);
    return status;
}
