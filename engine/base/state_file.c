/* A stream of chunks {size, checksum, bytes}: each checksum is seeded with the one before, so that
 * chunks cannot be lost or change places; the first is seeded with that of the kind. An empty chunk
 * ends the file. Integers as the machine has them. One thread. */
#include "engine/base/state_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/file.h"
#include "engine/base/folder.h"
#include "engine/base/hash.h"

#define CHUNK_BYTES ((size_t)256 * 1024)

struct chunk {
    uint64_t size, checksum;
};

struct state_file {
    int fd;
    char *path;
    char *aside; /* NULL when reading */
    uint64_t checksum;
    size_t size, at; /* of the chunk in hand */
    unsigned char bytes[CHUNK_BYTES];
};

static enum status io_error(const char *path, const char *what, struct error *error)
{
    if (!error)
        return STATUS_IO; /* after fork(), strerror() is not to be called */
    return error_set(error, STATUS_IO, "%s: cannot %s: %s", path, what, strerror(errno));
}

static uint64_t kind_checksum(const struct state_file_kind *kind)
{
    return hash64(kind->name, sizeof kind->name, kind->version);
}

static struct state_file *make(const char *path, const struct state_file_kind *kind, bool writing)
{
    struct state_file *file = malloc(sizeof *file);
    if (!file)
        return NULL;
    *file = (struct state_file){.fd = -1, .checksum = kind_checksum(kind)};
    file->path = strdup(path);
    if (file->path && writing && asprintf(&file->aside, "%s.new", path) < 0)
        file->aside = NULL;
    if (file->path && (!writing || file->aside))
        return file;
    state_file_close(file);
    return NULL;
}

void state_file_close(struct state_file *file)
{
    if (!file)
        return;
    if (file->fd >= 0)
        close(file->fd);
    free(file->path);
    free(file->aside);
    free(file);
}

/* ---- writing ---- */

static enum status flush(struct state_file *file, struct error *error)
{
    file->checksum = hash64(file->bytes, file->at, file->checksum);
    struct chunk chunk = {.size = file->at, .checksum = file->checksum};
    bool written = file_write_all(file->fd, &chunk, sizeof chunk) &&
                   file_write_all(file->fd, file->bytes, file->at);
    file->at = 0;
    return written ? STATUS_OK : io_error(file->aside, "write", error);
}

enum status state_file_create(const char *path, const struct state_file_kind *kind,
                              struct state_file **out, struct error *error)
{
    *out = NULL;
    struct state_file *file = make(path, kind, true);
    if (!file)
        return error_set(error, STATUS_MEMORY, "out of memory for %s", path);
    file->fd = open(file->aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    enum status status = file->fd >= 0 ? STATUS_OK : io_error(file->aside, "create", error);
    if (status == STATUS_OK && !(file_write_all(file->fd, kind->name, sizeof kind->name) &&
                                 file_write_all(file->fd, &kind->version, sizeof kind->version)))
        status = io_error(file->aside, "write", error);
    if (status == STATUS_OK)
        *out = file;
    else
        state_file_abandon(file);
    return status;
}

enum status state_file_put(struct state_file *file, const void *data, size_t size,
                           struct error *error)
{
    const unsigned char *from = data;
    while (size > 0) {
        size_t part = CHUNK_BYTES - file->at < size ? CHUNK_BYTES - file->at : size;
        memcpy(file->bytes + file->at, from, part);
        file->at += part;
        from += part;
        size -= part;
        enum status status = file->at == CHUNK_BYTES ? flush(file, error) : STATUS_OK;
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

enum status state_file_finish(struct state_file *file, struct error *error)
{
    enum status status = file->at > 0 ? flush(file, error) : STATUS_OK;
    if (status == STATUS_OK)
        status = flush(file, error); /* empty: the end */
    if (status == STATUS_OK && fsync(file->fd) != 0)
        status = io_error(file->aside, "sync", error);
    return status;
}

enum status state_file_commit(struct state_file *file, struct error *error)
{
    enum status status = state_file_finish(file, error);
    if (status == STATUS_OK)
        return state_file_install(file, error);
    state_file_abandon(file);
    return status;
}

int state_file_number(const struct state_file *file)
{
    return file->fd;
}

enum status state_file_install(struct state_file *file, struct error *error)
{
    enum status status = STATUS_OK;
    if (rename(file->aside, file->path) != 0)
        status = io_error(file->path, "replace", error);
    if (status == STATUS_OK)
        status = folder_sync_of(file->path, error);
    if (status == STATUS_OK)
        state_file_close(file);
    else
        state_file_abandon(file);
    return status;
}

void state_file_abandon(struct state_file *file)
{
    if (file)
        unlink(file->aside);
    state_file_close(file);
}

/* ---- reading ---- */

const char *state_file_path(const struct state_file *file)
{
    return file->path;
}

enum status state_file_damaged(const struct state_file *file, struct error *error)
{
    return error_set(error, STATUS_CORRUPT, "%s: damaged", file->path);
}

static enum status read_all(struct state_file *file, void *data, size_t size, struct error *error)
{
    char *at = data;
    while (size > 0) {
        ssize_t n = read(file->fd, at, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return io_error(file->path, "read", error);
        if (n == 0)
            return state_file_damaged(file, error);
        at += n;
        size -= (size_t)n;
    }
    return STATUS_OK;
}

static enum status read_kind(struct state_file *file, const struct state_file_kind *kind,
                             struct error *error)
{
    struct state_file_kind found;
    enum status status = read_all(file, found.name, sizeof found.name, error);
    if (status == STATUS_OK)
        status = read_all(file, &found.version, sizeof found.version, error);
    if (status != STATUS_OK)
        return status;
    if (memcmp(found.name, kind->name, sizeof found.name) != 0 || found.version < kind->version)
        return state_file_damaged(file, error);
    if (found.version > kind->version)
        return error_set(error, STATUS_UNSUPPORTED, "%s: written by a newer binnacle", file->path);
    return STATUS_OK;
}

enum status state_file_open(const char *path, const struct state_file_kind *kind,
                            struct state_file **out, struct error *error)
{
    *out = NULL;
    struct state_file *file = make(path, kind, false);
    if (!file)
        return error_set(error, STATUS_MEMORY, "out of memory for %s", path);
    enum status status = STATUS_OK;
    file->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (file->fd < 0)
        status = errno == ENOENT ? error_set(error, STATUS_NOT_FOUND, "%s: no such file", path)
                                 : io_error(path, "open", error);
    if (status == STATUS_OK)
        status = read_kind(file, kind, error);
    if (status == STATUS_OK)
        *out = file;
    else
        state_file_close(file);
    return status;
}

static enum status fill(struct state_file *file, struct error *error)
{
    struct chunk chunk;
    enum status status = read_all(file, &chunk, sizeof chunk, error);
    if (status == STATUS_OK && chunk.size > CHUNK_BYTES)
        status = state_file_damaged(file, error);
    if (status == STATUS_OK)
        status = read_all(file, file->bytes, chunk.size, error);
    if (status != STATUS_OK)
        return status;
    file->checksum = hash64(file->bytes, chunk.size, file->checksum);
    file->size = chunk.size;
    file->at = 0;
    return file->checksum == chunk.checksum ? STATUS_OK : state_file_damaged(file, error);
}

enum status state_file_get(struct state_file *file, void *data, size_t size, struct error *error)
{
    unsigned char *to = data;
    while (size > 0) {
        enum status status = file->at == file->size ? fill(file, error) : STATUS_OK;
        if (status != STATUS_OK)
            return status;
        if (file->size == 0)
            return state_file_damaged(file, error);
        size_t part = file->size - file->at < size ? file->size - file->at : size;
        memcpy(to, file->bytes + file->at, part);
        file->at += part;
        to += part;
        size -= part;
    }
    return STATUS_OK;
}

enum status state_file_end(struct state_file *file, struct error *error)
{
    enum status status =
        file->at == file->size ? fill(file, error) : state_file_damaged(file, error);
    return status == STATUS_OK && file->size != 0 ? state_file_damaged(file, error) : status;
}

/* ---- files of one piece: how many bytes, and these ---- */

enum status state_file_write(const char *path, const struct state_file_kind *kind,
                             const struct buffer *content, struct error *error)
{
    struct state_file *file;
    const uint64_t size = content->size;
    if (content->overflow)
        return error_set(error, STATUS_MEMORY, "out of memory for %s", path);
    enum status status = state_file_create(path, kind, &file, error);
    if (status != STATUS_OK)
        return status;
    status = state_file_put(file, &size, sizeof size, error);
    if (status == STATUS_OK)
        status = state_file_put(file, content->data, size, error);
    if (status == STATUS_OK)
        return state_file_commit(file, error);
    state_file_abandon(file);
    return status;
}

enum status state_file_read(const char *path, const struct state_file_kind *kind,
                            struct buffer *content, struct error *error)
{
    char piece[4096];
    uint64_t size;
    struct state_file *file;
    enum status status = state_file_open(path, kind, &file, error);
    if (status != STATUS_OK)
        return status;
    status = state_file_get(file, &size, sizeof size, error);
    for (uint64_t left = size, n; status == STATUS_OK && left > 0; left -= n) {
        n = left < sizeof piece ? left : sizeof piece;
        status = state_file_get(file, piece, n, error);
        if (status == STATUS_OK)
            buffer_append(content, piece, n);
    }
    if (status == STATUS_OK)
        status = state_file_end(file, error);
    state_file_close(file);
    if (status == STATUS_OK && content->overflow)
        status = error_set(error, STATUS_MEMORY, "out of memory for %s", path);
    return status;
}
