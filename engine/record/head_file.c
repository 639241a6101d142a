/* Heads appended to a file by a thread of its own, because a file elsewhere may hang or be full,
 * and the ledger must not wait for it. A line is written with one call and synced; what the disk
 * refuses is tried again every second. */
#include "engine/record/head_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/thread.h"

#define MAX_WAITING 16
#define RETRY_MS    1000

struct head_file {
    char *path;
    int fd;
    struct log *log;
    struct thread *thread;
    struct lock lock; /* everything below; never held while writing */
    pthread_cond_t changed;
    struct signed_head waiting[MAX_WAITING];
    size_t n;
    uint64_t added;   /* heads so far */
    uint64_t dropped; /* of them, for newer ones */
    bool closing;
    bool failing; /* the last line was refused; thread only */
    bool torn;    /* the file ends with a part of one; thread only */
};

/* Half a line is no head. A file that can only be added to keeps it. */
static bool take_back(struct head_file *file, ssize_t size)
{
    off_t end = lseek(file->fd, 0, SEEK_END);
    return end >= size && ftruncate(file->fd, end - size) == 0;
}

static bool write_line(struct head_file *file, const struct signed_head *head)
{
    struct buffer line;
    struct json_writer json;
    buffer_init(&line, 4096);
    if (file->torn) /* so that it does not go on in the middle of another */
        buffer_append_char(&line, '\n');
    json_begin(&json, &line);
    head_json(head, &json, NULL);
    buffer_append_char(&line, '\n');
    ssize_t size = write(file->fd, line.data, line.size);
    bool written = size == (ssize_t)line.size;
    if (size > 0 && !written) {
        file->torn = !take_back(file, size);
        errno = ENOSPC;
    } else if (written) {
        file->torn = false;
    }
    buffer_free(&line);
    return written && (fdatasync(file->fd) == 0 || errno == EINVAL); /* a pipe cannot be synced */
}

static void note(struct head_file *file, bool written)
{
    if (!written && !file->failing)
        log_write(file->log, LOG_WARN, "record", "head_not_kept",
                  "%s: %s; the newest heads wait and are tried again", file->path, strerror(errno));
    if (written && file->failing)
        log_write(file->log, LOG_INFO, "record", "head_kept", "%s: heads are written again",
                  file->path);
    file->failing = !written;
}

/* The oldest head that waits; false: closing, and none does. */
static bool take(struct head_file *file, struct signed_head *head, uint64_t *seen, bool *closing)
{
    lock_take(&file->lock);
    bool timed_out = false;
    while (!file->closing && !timed_out &&
           (file->n == 0 || (file->failing && file->added == *seen))) {
        bool retries = file->failing && file->n > 0;
        timed_out =
            !condition_wait(&file->changed, &file->lock, retries ? RETRY_MS : -1) && retries;
    }
    bool any = file->n > 0;
    if (any)
        *head = file->waiting[0];
    *seen = file->added;
    *closing = file->closing;
    lock_release(&file->lock);
    return any;
}

static void drop(struct head_file *file, const struct signed_head *head)
{
    lock_take(&file->lock);
    if (file->n > 0 && file->waiting[0].tree_size == head->tree_size) {
        file->n--;
        memmove(file->waiting, file->waiting + 1, file->n * sizeof *file->waiting);
    }
    lock_release(&file->lock);
}

static void run(void *context)
{
    struct head_file *file = context;
    struct signed_head head;
    uint64_t seen = 0;
    bool closing = false;
    while (take(file, &head, &seen, &closing)) {
        bool written = write_line(file, &head);
        note(file, written);
        if (written)
            drop(file, &head);
        else if (closing)
            return;
    }
}

enum status head_file_open(const char *path, struct log *log, struct head_file **file,
                           struct error *error)
{
    struct head_file *opened = calloc(1, sizeof *opened);
    if (!opened)
        return error_set(error, STATUS_MEMORY, "out of memory");
    opened->log = log;
    opened->fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    int reason = errno;
    lock_init(&opened->lock, "head_file");
    condition_init(&opened->changed);
    opened->path = strdup(path);
    enum status status = STATUS_OK;
    if (opened->fd < 0)
        status =
            error_set(error, STATUS_IO, "heads are to be kept in %s: %s", path, strerror(reason));
    else if (!opened->path)
        status = error_set(error, STATUS_MEMORY, "out of memory");
    if (status == STATUS_OK)
        status = thread_start("ledger-heads", run, opened, &opened->thread, error);
    if (status != STATUS_OK) {
        head_file_close(opened);
        return status;
    }
    *file = opened;
    return STATUS_OK;
}

void head_file_add(struct head_file *file, const struct signed_head *head)
{
    if (!file)
        return;
    lock_take(&file->lock);
    if (file->n == MAX_WAITING) {
        file->n--;
        file->dropped++;
        memmove(file->waiting, file->waiting + 1, file->n * sizeof *file->waiting);
    }
    file->waiting[file->n++] = *head;
    file->added++;
    pthread_cond_signal(&file->changed);
    lock_release(&file->lock);
}

void head_file_queue(struct head_file *file, size_t *waiting, size_t *capacity, uint64_t *dropped)
{
    *waiting = *capacity = 0;
    *dropped = 0;
    if (!file)
        return;
    lock_take(&file->lock);
    *waiting = file->n;
    *capacity = MAX_WAITING;
    *dropped = file->dropped;
    lock_release(&file->lock);
}

void head_file_close(struct head_file *file)
{
    if (!file)
        return;
    lock_take(&file->lock);
    file->closing = true;
    pthread_cond_signal(&file->changed);
    lock_release(&file->lock);
    thread_join(file->thread);
    if (file->fd >= 0)
        close(file->fd);
    pthread_cond_destroy(&file->changed);
    lock_destroy(&file->lock);
    free(file->path);
    free(file);
}
