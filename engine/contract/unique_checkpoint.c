/* The set of ids in a file: each shard's queues and table as they stand in memory, so that millions
 * of ids are back within the time it takes to read them. One thread, while nothing else uses the
 * set. */
#include <stdlib.h>

#include "engine/base/state_file.h"
#include "engine/contract/unique_priv.h"

static const struct state_file_kind ids_kind = {"BNIDS", 1};

struct ids_header {
    uint64_t upto_index, seed;
    int64_t span_us;
    uint32_t n_shards, entry_size;
};

struct shard_header {
    uint64_t n_slots, n_ids;
    int64_t now_us;
};

static bool has_pending(const struct shard *shard)
{
    for (uint64_t at = shard->entries.head; at < shard->entries.tail; at += sizeof(struct entry)) {
        const struct entry *entry = (const void *)fifo_at(&shard->entries, at);
        if (!entry->dead && entry->ledger_index == UNIQUE_PENDING)
            return true;
    }
    return false;
}

static enum status put_shard(struct state_file *file, const struct shard *shard,
                             struct error *error)
{
    const struct shard_header header = {shard->n_slots, shard->n_ids, shard->now_us};
    if (has_pending(shard))
        return error_set(error, STATUS_UNAVAILABLE, "an id still waits for its row");
    enum status status = state_file_put(file, &header, sizeof header, error);
    if (status == STATUS_OK)
        status = fifo_save(&shard->entries, file, error);
    if (status == STATUS_OK)
        status = fifo_save(&shard->bytes, file, error);
    if (status == STATUS_OK)
        status = state_file_put(file, shard->table, shard->n_slots * sizeof *shard->table, error);
    return status;
}

enum status unique_create_file(const char *path, struct state_file **file, struct error *error)
{
    return state_file_create(path, &ids_kind, file, error);
}

enum status unique_write(const struct unique *unique, struct state_file *file, uint64_t upto_index,
                         struct error *error)
{
    const struct ids_header header = {upto_index, unique->seed, unique->span_us, SHARDS,
                                      sizeof(struct entry)};
    enum status status = state_file_put(file, &header, sizeof header, error);
    for (int i = 0; status == STATUS_OK && i < SHARDS; i++)
        status = put_shard(file, &unique->shards[i], error);
    return status;
}

static enum status get_table(struct state_file *file, struct shard *shard, uint64_t n_slots,
                             struct error *error)
{
    if (n_slots == 0)
        return STATUS_OK;
    if ((n_slots & (n_slots - 1)) != 0 || n_slots > shard->memory.maximum / sizeof *shard->table ||
        !memory_take(&shard->memory, n_slots * sizeof *shard->table))
        return error_set(error, STATUS_FULL, "no memory for what is in the checkpoint");
    uint64_t *table = malloc(n_slots * sizeof *table);
    if (!table)
        return error_set(error, STATUS_MEMORY, "out of memory for the ids");
    unique_take_table(shard, table, n_slots);
    return state_file_get(file, shard->table, n_slots * sizeof *shard->table, error);
}

static enum status get_shard(struct state_file *file, struct shard *shard, struct error *error)
{
    struct shard_header header;
    enum status status = state_file_get(file, &header, sizeof header, error);
    if (status == STATUS_OK)
        status = fifo_load(&shard->entries, &shard->memory, file, error);
    if (status == STATUS_OK)
        status = fifo_load(&shard->bytes, &shard->memory, file, error);
    if (status == STATUS_OK)
        status = get_table(file, shard, header.n_slots, error);
    if (status == STATUS_OK) {
        shard->n_ids = header.n_ids;
        shard->now_us = header.now_us;
    }
    return status;
}

static enum status get_all(struct state_file *file, struct unique *unique, uint64_t *upto_index,
                           struct error *error)
{
    struct ids_header header;
    enum status status = state_file_get(file, &header, sizeof header, error);
    if (status != STATUS_OK)
        return status;
    if (header.span_us != unique->span_us || header.n_shards != SHARDS ||
        header.entry_size != sizeof(struct entry))
        return error_set(error, STATUS_CONFLICT, "%s: ids kept for another span",
                         state_file_path(file));
    unique->seed = header.seed;
    for (int i = 0; status == STATUS_OK && i < SHARDS; i++)
        status = get_shard(file, &unique->shards[i], error);
    for (int i = 0; i < SHARDS; i++)
        if (unique->shards[i].now_us > atomic_load(&unique->newest_us))
            atomic_store(&unique->newest_us, unique->shards[i].now_us);
    *upto_index = header.upto_index;
    return status == STATUS_OK ? state_file_end(file, error) : status;
}

enum status unique_load(struct unique *unique, const char *path, uint64_t *upto_index,
                        struct error *error)
{
    struct state_file *file;
    enum status status = state_file_open(path, &ids_kind, &file, error);
    if (status != STATUS_OK)
        return status;
    status = get_all(file, unique, upto_index, error);
    state_file_close(file);
    for (int i = 0; status != STATUS_OK && i < SHARDS; i++)
        unique_clear_shard(&unique->shards[i]);
    return status;
}
