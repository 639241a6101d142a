/* The state in a file. What is kept are the entries; everything else is made from them again, since
 * sums are exact and nothing depends on the way there. Format, version 1, little endian: a header,
 * then the entities of each shard, idle longest first, as a stream of chunks {size, checksum,
 * bytes}; each checksum is seeded with the one before, the first with that of the header; an empty
 * chunk ends the file. One thread, while nothing else uses the store. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/feature/store_priv.h"

#define CHECKPOINT_MAGIC   "BNFEATS"
#define CHECKPOINT_VERSION 1U
#define CHUNK_BYTES        ((size_t)256 * 1024)

struct header {
    char magic[8];
    uint32_t version;
    uint32_t shared; /* entries carry ids for the online store */
    struct hash128 views;
    int64_t lateness_us;
    uint64_t upto_index;
    int64_t newest_us;
    uint64_t n_entities;
    uint64_t checksum; /* of what stands before */
};

struct entity_record {
    struct hash128 key;
    struct log_place seen;
    uint32_t stream;
    uint32_t n;
};

struct chunk {
    uint64_t size, checksum;
};

struct stream_file {
    int fd;
    const char *path;
    uint64_t checksum;
    unsigned char *bytes; /* of the chunk in hand */
    size_t size, at;
};

static enum status io_error(const char *path, const char *what, struct error *error)
{
    return error_set(error, STATUS_IO, "%s: cannot %s: %s", path, what, strerror(errno));
}

static enum status write_all(struct stream_file *file, const void *data, size_t size,
                             struct error *error)
{
    const char *at = data;
    while (size > 0) {
        ssize_t n = write(file->fd, at, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return io_error(file->path, "write", error);
        at += n;
        size -= (size_t)n;
    }
    return STATUS_OK;
}

static enum status flush(struct stream_file *file, struct error *error)
{
    file->checksum = hash64(file->bytes, file->at, file->checksum);
    struct chunk chunk = {.size = file->at, .checksum = file->checksum};
    enum status status = write_all(file, &chunk, sizeof chunk, error);
    /* The analyzer loses the buffer here; feature_store_save() frees it. */
    // NOLINTNEXTLINE(clang-analyzer-unix.Malloc)
    status = status == STATUS_OK ? write_all(file, file->bytes, file->at, error) : status;
    file->at = 0;
    return status;
}

static enum status put(struct stream_file *file, const void *data, size_t size, struct error *error)
{
    const unsigned char *from = data;
    while (size > 0) {
        size_t part = CHUNK_BYTES - file->at < size ? CHUNK_BYTES - file->at : size;
        memcpy(file->bytes + file->at, from, part);
        file->at += part;
        from += part;
        size -= part;
        if (file->at == CHUNK_BYTES) {
            enum status status = flush(file, error);
            if (status != STATUS_OK)
                return status;
        }
    }
    return STATUS_OK;
}

static enum status put_entity(struct stream_file *file, const struct feature_store *store,
                              const struct entity *entity, struct error *error)
{
    const struct series *series = &entity->series;
    struct entity_record record = {
        .key = entity->key, .seen = entity->seen, .stream = entity->stream, .n = series->n};
    enum status status = put(file, &record, sizeof record, error);
    for (uint32_t i = 0; status == STATUS_OK && i < series->n; i++)
        status = put(file, series_entry(&store->layouts[entity->stream], series, series->first + i),
                     store->layouts[entity->stream].stride, error);
    return status;
}

static enum status put_shard(struct stream_file *file, const struct feature_store *store,
                             struct shard *shard, struct error *error)
{
    enum status status = STATUS_OK;
    lock_take(&shard->lock);
    for (const struct entity *entity = shard->oldest; status == STATUS_OK && entity;
         entity = entity->newer)
        status = put_entity(file, store, entity, error);
    lock_release(&shard->lock);
    return status;
}

static void make_header(struct feature_store *store, uint64_t upto_index, struct header *header)
{
    struct feature_usage usage;
    feature_store_usage(store, &usage);
    memset(header, 0, sizeof *header);
    memcpy(header->magic, CHECKPOINT_MAGIC, sizeof CHECKPOINT_MAGIC);
    header->version = CHECKPOINT_VERSION;
    header->shared = store->online != NULL;
    header->views = store->views->digest;
    header->lateness_us = store->lateness_us;
    header->upto_index = upto_index;
    header->newest_us = usage.newest_us;
    header->n_entities = usage.entities;
    header->checksum = hash64(header, offsetof(struct header, checksum), 0);
}

static enum status write_state(struct stream_file *file, struct feature_store *store,
                               uint64_t upto_index, struct error *error)
{
    struct header header;
    make_header(store, upto_index, &header);
    file->checksum = header.checksum;
    enum status status = write_all(file, &header, sizeof header, error);
    for (size_t i = 0; status == STATUS_OK && i < store->n_shards; i++)
        status = put_shard(file, store, &store->shards[i], error);
    if (status == STATUS_OK && file->at > 0)
        status = flush(file, error);
    if (status == STATUS_OK)
        status = flush(file, error); /* empty: the end */
    if (status == STATUS_OK && fsync(file->fd) != 0)
        status = io_error(file->path, "sync", error);
    return status;
}

/* So that the new name survives a crash as well. */
static enum status sync_folder(const char *path, struct error *error)
{
    char copy[4096];
    if (snprintf(copy, sizeof copy, "%s", path) >= (int)sizeof copy)
        return error_set(error, STATUS_INVALID, "%.100s...: path too long", path);
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return io_error(path, "open the folder of", error);
    enum status status = fsync(fd) == 0 ? STATUS_OK : io_error(path, "sync the folder of", error);
    close(fd);
    return status;
}

enum status feature_store_save(struct feature_store *store, const char *path, uint64_t upto_index,
                               struct error *error)
{
    char temporary[4096];
    struct feature_usage usage;
    feature_store_usage(store, &usage);
    if (usage.pending > 0)
        return error_set(error, STATUS_UNAVAILABLE,
                         "%s: %llu entries wait for the online store; a checkpoint now would let "
                         "them be forgotten",
                         path, (unsigned long long)usage.pending);
    struct stream_file file = {.fd = -1, .path = temporary, .bytes = malloc(CHUNK_BYTES)};
    enum status status = STATUS_OK;
    if (!file.bytes)
        return error_set(error, STATUS_MEMORY, "out of memory for a checkpoint");
    if (snprintf(temporary, sizeof temporary, "%s.new", path) >= (int)sizeof temporary) {
        status = error_set(error, STATUS_INVALID, "%.100s...: path too long", path);
        goto out;
    }
    file.fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file.fd < 0) {
        status = io_error(temporary, "create", error);
        goto out;
    }
    status = write_state(&file, store, upto_index, error);
    if (close(file.fd) != 0 && status == STATUS_OK)
        status = io_error(temporary, "close", error);
    if (status == STATUS_OK && rename(temporary, path) != 0)
        status = io_error(path, "replace", error);
    if (status == STATUS_OK)
        status = sync_folder(path, error);
    if (status != STATUS_OK)
        unlink(temporary);
out:
    free(file.bytes);
    return status;
}

static enum status corrupt(const struct stream_file *file, struct error *error)
{
    return error_set(error, STATUS_CORRUPT,
                     "%s: the checkpoint is damaged; the state is made from the record instead",
                     file->path);
}

static enum status read_all(struct stream_file *file, void *data, size_t size, struct error *error)
{
    char *at = data;
    while (size > 0) {
        ssize_t n = read(file->fd, at, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return io_error(file->path, "read", error);
        if (n == 0)
            return corrupt(file, error);
        at += n;
        size -= (size_t)n;
    }
    return STATUS_OK;
}

static enum status fill(struct stream_file *file, struct error *error)
{
    struct chunk chunk;
    enum status status = read_all(file, &chunk, sizeof chunk, error);
    if (status == STATUS_OK && chunk.size > CHUNK_BYTES)
        status = corrupt(file, error);
    if (status == STATUS_OK)
        status = read_all(file, file->bytes, chunk.size, error);
    if (status != STATUS_OK)
        return status;
    file->checksum = hash64(file->bytes, chunk.size, file->checksum);
    file->size = chunk.size;
    file->at = 0;
    return file->checksum == chunk.checksum ? STATUS_OK : corrupt(file, error);
}

static enum status get(struct stream_file *file, void *data, size_t size, struct error *error)
{
    unsigned char *to = data;
    while (size > 0) {
        if (file->at == file->size) {
            enum status status = fill(file, error);
            if (status != STATUS_OK)
                return status;
            if (file->size == 0)
                return corrupt(file, error);
        }
        size_t part = file->size - file->at < size ? file->size - file->at : size;
        memcpy(to, file->bytes + file->at, part);
        file->at += part;
        to += part;
        size -= part;
    }
    return STATUS_OK;
}

static enum status get_entity(struct stream_file *file, struct feature_store *store,
                              struct error *error)
{
    struct entity_record record;
    enum status status = get(file, &record, sizeof record, error);
    if (status != STATUS_OK)
        return status;
    if (record.stream >= store->views->n_streams || record.n == 0 || record.n > UINT32_MAX / 4)
        return corrupt(file, error);
    const struct series_layout *layout = &store->layouts[record.stream];
    struct shard *shard = store_shard(store, record.key);
    lock_take(&shard->lock);
    struct entity *entity = NULL;
    if (shard_find(shard, record.stream, record.key))
        status = corrupt(file, error);
    else
        entity = shard_touch(shard, store->layouts, record.stream, record.key);
    if (status == STATUS_OK && (!entity || !series_reserve(layout, &entity->series, record.n)))
        status = error_set(error, STATUS_MEMORY, "out of memory for the feature state");
    for (uint32_t i = 0; status == STATUS_OK && i < record.n; i++) {
        status = get(file, series_entry(layout, &entity->series, i), layout->stride, error);
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

static enum status check_header(const struct stream_file *file, const struct feature_store *store,
                                const struct header *header, struct error *error)
{
    if (memcmp(header->magic, CHECKPOINT_MAGIC, sizeof CHECKPOINT_MAGIC) != 0)
        return corrupt(file, error);
    if (header->version > CHECKPOINT_VERSION)
        return error_set(error, STATUS_UNSUPPORTED,
                         "%s: written by a newer binnacle; the state is made from the record "
                         "instead",
                         file->path);
    if (header->checksum != hash64(header, offsetof(struct header, checksum), 0))
        return corrupt(file, error);
    if (memcmp(&header->views, &store->views->digest, sizeof header->views) != 0 ||
        header->lateness_us != store->lateness_us || header->shared != (store->online != NULL))
        return error_set(error, STATUS_CONFLICT,
                         "%s: made for other feature views; the state is made from the record "
                         "instead",
                         file->path);
    return STATUS_OK;
}

static enum status read_state(struct stream_file *file, struct feature_store *store,
                              uint64_t *upto_index, struct error *error)
{
    struct header header;
    enum status status = read_all(file, &header, sizeof header, error);
    if (status == STATUS_OK)
        status = check_header(file, store, &header, error);
    if (status != STATUS_OK)
        return status;
    file->checksum = header.checksum;
    for (uint64_t i = 0; status == STATUS_OK && i < header.n_entities; i++)
        status = get_entity(file, store, error);
    if (status == STATUS_OK && file->at != file->size)
        status = corrupt(file, error);
    if (status == STATUS_OK)
        status = fill(file, error);
    if (status == STATUS_OK && file->size != 0)
        status = corrupt(file, error);
    atomic_store(&store->newest_us, header.newest_us);
    *upto_index = header.upto_index;
    return status;
}

enum status feature_store_load(struct feature_store *store, const char *path, uint64_t *upto_index,
                               struct error *error)
{
    struct stream_file file = {.path = path, .bytes = malloc(CHUNK_BYTES)};
    feature_store_clear(store);
    if (!file.bytes)
        return error_set(error, STATUS_MEMORY, "out of memory for a checkpoint");
    enum status status = STATUS_OK;
    file.fd = open(path, O_RDONLY | O_CLOEXEC);
    if (file.fd < 0)
        status = errno == ENOENT
                     ? error_set(error, STATUS_NOT_FOUND, "%s: there is no checkpoint", path)
                     : io_error(path, "open", error);
    else
        status = read_state(&file, store, upto_index, error);
    if (file.fd >= 0)
        close(file.fd);
    if (status != STATUS_OK)
        feature_store_clear(store);
    free(file.bytes);
    return status;
}
