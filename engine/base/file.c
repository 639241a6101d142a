/* Files as a whole, in pieces of 1 MiB. Any thread. */
#include "engine/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PIECE_BYTES  ((size_t)1 << 20)
#define OPEN_FOLDERS 16 /* at once while a tree is walked */

enum status file_error(const char *path, const char *what, struct error *error)
{
    return error_set(error,
                     errno == ENOENT   ? STATUS_NOT_FOUND
                     : errno == EEXIST ? STATUS_CONFLICT
                                       : STATUS_IO,
                     "%s: cannot %s: %s", path, what, strerror(errno));
}

bool file_write_all(int fd, const void *data, size_t size)
{
    for (const char *at = data; size > 0;) {
        ssize_t n = write(fd, at, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n == 0)
            errno = EIO; /* no device that can be written says so */
        if (n <= 0)
            return false;
        at += n;
        size -= (size_t)n;
    }
    return true;
}

enum status file_read_whole(const char *path, struct buffer *into, struct error *error)
{
    char block[16384];
    FILE *file = fopen(path, "rbe");
    if (!file)
        return error_set(error, errno == ENOENT ? STATUS_NOT_FOUND : STATUS_IO, "%s: %s", path,
                         strerror(errno));
    for (size_t n; !into->overflow && (n = fread(block, 1, sizeof block, file)) > 0;)
        buffer_append(into, block, n);
    enum status status = STATUS_OK;
    if (ferror(file))
        status = error_set(error, STATUS_IO, "%s: %s", path,
                           errno == EISDIR ? "this is a folder; give a file" : strerror(errno));
    else if (into->overflow)
        status = error_set(error, STATUS_FULL, "%s: larger than the %zu bytes that are read of it",
                           path, into->maximum);
    fclose(file);
    return status;
}

/* One pass over a file; `out` -1: it is only summed. */
struct pass {
    const char *from, *to;
    int in, out;
    char *piece;
    struct crypto_sum *sum;
    file_progress *progress;
    void *context;
};

static enum status run_pass(struct pass *pass, int64_t *bytes, struct error *error)
{
    for (*bytes = 0;;) {
        ssize_t n = read(pass->in, pass->piece, PIECE_BYTES);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return file_error(pass->from, "read", error);
        if (n == 0)
            return STATUS_OK;
        crypto_sum_add(pass->sum, pass->piece, (size_t)n);
        if (pass->out >= 0 && !file_write_all(pass->out, pass->piece, (size_t)n))
            return file_error(pass->to, "write", error);
        *bytes += n;
        if (pass->progress)
            pass->progress(pass->context, n);
    }
}

static enum status begin_pass(struct pass *pass, struct error *error)
{
    pass->piece = malloc(PIECE_BYTES);
    pass->sum = crypto_sum_begin();
    if (!pass->piece || !pass->sum)
        return error_set(error, STATUS_MEMORY, "out of memory for %s", pass->from);
    pass->in = open(pass->from, O_RDONLY | O_CLOEXEC);
    if (pass->in < 0)
        return file_error(pass->from, "open", error);
    if (!pass->to)
        return STATUS_OK;
    pass->out = open(pass->to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    return pass->out >= 0 ? STATUS_OK : file_error(pass->to, "create", error);
}

static enum status end_pass(struct pass *pass, enum status status, struct file_sum *sum,
                            struct error *error)
{
    enum status summed = crypto_sum_end(pass->sum, sum->sha256);
    if (status == STATUS_OK && summed != STATUS_OK)
        status = error_set(error, summed, "%s: cannot be summed", pass->from);
    if (status == STATUS_OK && pass->out >= 0 && fsync(pass->out) != 0)
        status = file_error(pass->to, "sync", error);
    if (pass->in >= 0)
        close(pass->in);
    if (pass->out >= 0 && close(pass->out) != 0 && status == STATUS_OK)
        status = file_error(pass->to, "write", error);
    if (pass->out >= 0 && status != STATUS_OK)
        unlink(pass->to);
    free(pass->piece);
    return status;
}

static enum status whole_pass(struct pass *pass, struct file_sum *sum, struct error *error)
{
    enum status status = begin_pass(pass, error);
    if (status == STATUS_OK)
        status = run_pass(pass, &sum->bytes, error);
    return end_pass(pass, status, sum, error);
}

enum status file_sum(const char *path, struct file_sum *sum, struct error *error)
{
    struct pass pass = {.from = path, .in = -1, .out = -1};
    return whole_pass(&pass, sum, error);
}

enum status file_copy(const char *from, const char *to, struct file_sum *sum,
                      file_progress *progress, void *context, struct error *error)
{
    struct pass pass = {
        .from = from, .to = to, .in = -1, .out = -1, .progress = progress, .context = context};
    return whole_pass(&pass, sum, error);
}

static enum status sync_path(const char *path, int flags, struct error *error)
{
    int fd = open(path, flags | O_CLOEXEC);
    if (fd < 0)
        return file_error(path, "open", error);
    enum status status = fsync(fd) == 0 ? STATUS_OK : file_error(path, "sync", error);
    close(fd);
    return status;
}

enum status file_sync(const char *path, struct error *error)
{
    return sync_path(path, O_RDONLY, error);
}

enum status folder_sync(const char *dir, struct error *error)
{
    return sync_path(dir, O_RDONLY | O_DIRECTORY, error);
}

static int remove_entry(const char *path, const struct stat *facts, int kind, struct FTW *place)
{
    (void)facts;
    (void)kind;
    (void)place;
    return remove(path);
}

enum status folder_remove_all(const char *dir, struct error *error)
{
    if (nftw(dir, remove_entry, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS) == 0 || errno == ENOENT)
        return STATUS_OK;
    return file_error(dir, "remove", error);
}
