/* Files through libzstd, chunk by chunk: memory does not grow with the file. Both sides are summed
 * on the way, so that checking a copy costs no second reading. Any thread.
 *
 * One frame with content size and checksum; level 9 at a few MB/s of a background thread: what is
 * packed here is written once and kept for years. */
#include "engine/base/packed_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zstd.h>

#include "engine/base/file.h"

#define LEVEL       9
#define CHUNK_BYTES ((size_t)256 << 10)

/* One end: an open file and what went through it. */
struct end {
    const char *path; /* NULL: only counted */
    int fd;
    struct crypto_sum *sum;
    int64_t bytes;
};

struct transfer {
    struct end from, to;
    char *in, *out;
    int64_t max_bytes;
};

static enum status system_error(const char *path, struct error *error)
{
    enum status status = errno == ENOENT   ? STATUS_NOT_FOUND
                         : errno == EEXIST ? STATUS_CONFLICT
                         : errno == EACCES ? STATUS_DENIED
                                           : STATUS_IO;
    return error_set(error, status, "%s: %s", path, strerror(errno));
}

static enum status open_end(struct end *end, int flags, struct error *error)
{
    end->sum = crypto_sum_begin();
    if (!end->sum)
        return error_set(error, STATUS_MEMORY, "out of memory");
    if (!end->path)
        return STATUS_OK;
    end->fd = open(end->path, flags | O_CLOEXEC, 0600);
    return end->fd < 0 ? system_error(end->path, error) : STATUS_OK;
}

static enum status read_some(struct end *end, char *into, size_t *n, struct error *error)
{
    ssize_t size;
    do {
        size = read(end->fd, into, CHUNK_BYTES);
    } while (size < 0 && errno == EINTR);
    *n = size > 0 ? (size_t)size : 0;
    crypto_sum_add(end->sum, into, *n);
    end->bytes += (int64_t)*n;
    return size < 0 ? system_error(end->path, error) : STATUS_OK;
}

static enum status put_end(struct end *end, const char *data, size_t n, struct error *error)
{
    crypto_sum_add(end->sum, data, n);
    end->bytes += (int64_t)n;
    return !end->path || file_write_all(end->fd, data, n) ? STATUS_OK
                                                          : system_error(end->path, error);
}

static enum status open_transfer(struct transfer *transfer, struct error *error)
{
    transfer->in = malloc(CHUNK_BYTES);
    transfer->out = malloc(CHUNK_BYTES);
    if (!transfer->in || !transfer->out)
        return error_set(error, STATUS_MEMORY, "out of memory");
    enum status status = open_end(&transfer->from, O_RDONLY, error);
    return status == STATUS_OK ? open_end(&transfer->to, O_WRONLY | O_CREAT | O_EXCL, error)
                               : status;
}

static enum status end_sum(struct end *end, struct file_sum *sum, enum status status)
{
    struct file_sum dropped;
    struct file_sum *into = sum ? sum : &dropped;
    into->bytes = end->bytes;
    enum status ended = end->sum ? crypto_sum_end(end->sum, into->sha256) : status;
    return status == STATUS_OK ? ended : status;
}

/* Syncs what was written, or takes it away again. */
static enum status close_transfer(struct transfer *transfer, struct file_sum *from,
                                  struct file_sum *to, enum status status, struct error *error)
{
    struct end *out = &transfer->to;
    status = end_sum(&transfer->from, from, status);
    status = end_sum(out, to, status);
    if (status == STATUS_OK && out->fd >= 0 && fsync(out->fd) != 0)
        status = system_error(out->path, error);
    if (out->fd >= 0 && close(out->fd) != 0 && status == STATUS_OK)
        status = system_error(out->path, error);
    if (out->fd >= 0 && status != STATUS_OK)
        unlink(out->path);
    if (transfer->from.fd >= 0)
        close(transfer->from.fd);
    free(transfer->in);
    free(transfer->out);
    return status;
}

/* ---- packing ---- */

static enum status zstd_failed(const struct transfer *transfer, size_t code, struct error *error)
{
    return error_set(error, STATUS_CORRUPT, "%s: %s", transfer->from.path, ZSTD_getErrorName(code));
}

static enum status pack_chunk(struct transfer *transfer, ZSTD_CCtx *stream, size_t n,
                              struct error *error)
{
    ZSTD_inBuffer in = {transfer->in, n, 0};
    ZSTD_EndDirective how = n == 0 ? ZSTD_e_end : ZSTD_e_continue;
    for (bool done = false; !done;) {
        ZSTD_outBuffer out = {transfer->out, CHUNK_BYTES, 0};
        size_t left = ZSTD_compressStream2(stream, &out, &in, how);
        if (ZSTD_isError(left))
            return zstd_failed(transfer, left, error);
        enum status status = put_end(&transfer->to, transfer->out, out.pos, error);
        if (status != STATUS_OK)
            return status;
        done = how == ZSTD_e_end ? left == 0 : in.pos == in.size;
    }
    return STATUS_OK;
}

enum status file_pack(const char *from, const char *to, struct file_sum *plain,
                      struct file_sum *packed, struct error *error)
{
    struct transfer transfer = {.from = {.path = from, .fd = -1}, .to = {.path = to, .fd = -1}};
    struct stat about;
    ZSTD_CCtx *stream = ZSTD_createCCtx();
    enum status status =
        stream ? open_transfer(&transfer, error) : error_set(error, STATUS_MEMORY, "out of memory");
    if (status == STATUS_OK && fstat(transfer.from.fd, &about) != 0)
        status = system_error(from, error);
    if (status == STATUS_OK) {
        ZSTD_CCtx_setParameter(stream, ZSTD_c_compressionLevel, LEVEL);
        ZSTD_CCtx_setParameter(stream, ZSTD_c_checksumFlag, 1);
        ZSTD_CCtx_setPledgedSrcSize(stream, (unsigned long long)about.st_size);
    }
    for (size_t n = 1; status == STATUS_OK && n > 0;) {
        status = read_some(&transfer.from, transfer.in, &n, error);
        if (status == STATUS_OK)
            status = pack_chunk(&transfer, stream, n, error);
    }
    ZSTD_freeCCtx(stream);
    return close_transfer(&transfer, plain, packed, status, error);
}

/* ---- unpacking ---- */

/* *ended: the frame is complete with this chunk. */
static enum status unpack_chunk(struct transfer *transfer, ZSTD_DCtx *stream, size_t n, bool *ended,
                                struct error *error)
{
    ZSTD_inBuffer in = {transfer->in, n, 0};
    bool full = true; /* there may be more to come out */
    while (in.pos < in.size || full) {
        ZSTD_outBuffer out = {transfer->out, CHUNK_BYTES, 0};
        if (*ended)
            return error_set(error, STATUS_CORRUPT, "%s: bytes follow after the end",
                             transfer->from.path);
        size_t left = ZSTD_decompressStream(stream, &out, &in);
        if (ZSTD_isError(left))
            return zstd_failed(transfer, left, error);
        if (transfer->to.bytes + (int64_t)out.pos > transfer->max_bytes)
            return error_set(error, STATUS_CORRUPT, "%s: holds more than was packed",
                             transfer->from.path);
        enum status status = put_end(&transfer->to, transfer->out, out.pos, error);
        if (status != STATUS_OK)
            return status;
        *ended = left == 0;
        full = out.pos == out.size && !*ended;
    }
    return STATUS_OK;
}

enum status file_unpack(const char *from, const char *to, int64_t max_bytes, struct file_sum *plain,
                        struct file_sum *packed, struct error *error)
{
    struct transfer transfer = {
        .from = {.path = from, .fd = -1}, .to = {.path = to, .fd = -1}, .max_bytes = max_bytes};
    bool ended = false;
    ZSTD_DCtx *stream = ZSTD_createDCtx();
    enum status status =
        stream ? open_transfer(&transfer, error) : error_set(error, STATUS_MEMORY, "out of memory");
    for (size_t n = 1; status == STATUS_OK && n > 0;) {
        status = read_some(&transfer.from, transfer.in, &n, error);
        if (status == STATUS_OK && n > 0)
            status = unpack_chunk(&transfer, stream, n, &ended, error);
    }
    if (status == STATUS_OK && !ended)
        status = error_set(error, STATUS_CORRUPT, "%s: was cut", from);
    ZSTD_freeDCtx(stream);
    return close_transfer(&transfer, packed, plain, status, error);
}
