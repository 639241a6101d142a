/* Whole files and folders: copied, summed, synced, removed. Any thread. */
#ifndef BINNACLE_BASE_FILE_H
#define BINNACLE_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/buffer.h"
#include "engine/base/crypto.h"
#include "engine/base/status.h"

struct file_sum {
    int64_t bytes;
    uint8_t sha256[SHA256_SIZE];
};

/* Called after each piece with the bytes that it had. May be NULL. */
typedef void file_progress(void *context, int64_t bytes);

/* "PATH: cannot WHAT: ..." by errno: STATUS_NOT_FOUND, STATUS_CONFLICT (it exists), STATUS_IO. */
enum status file_error(const char *path, const char *what, struct error *error);

/* STATUS_NOT_FOUND, STATUS_IO. */
MUST_USE enum status file_sum(const char *path, struct file_sum *sum, struct error *error);

/* Appends all of a file to `into`. STATUS_NOT_FOUND, STATUS_IO; STATUS_FULL when it is larger than
 * `into` may become, which is then of no use. */
MUST_USE enum status file_read_whole(const char *path, struct buffer *into, struct error *error);
/* Writes all of it at the descriptor's place, however many calls that takes. False: errno says why,
 * and some of it may have been written. */
MUST_USE bool file_write_all(int fd, const void *data, size_t size);

/* Copies into `to`, which must not be there (STATUS_CONFLICT), with mode 0600; summed on the way
 * and on the disk when the call returns. After an error nothing is left of it. */
MUST_USE enum status file_copy(const char *from, const char *to, struct file_sum *sum,
                               file_progress *progress, void *context, struct error *error);

/* Makes what was written to a file lie on the disk. */
MUST_USE enum status file_sync(const char *path, struct error *error);
/* The same for the names in a folder: what was made, renamed or removed there. */
MUST_USE enum status folder_sync(const char *dir, struct error *error);

/* Removes a folder with all that is in it, following no links. It need not be there. */
MUST_USE enum status folder_remove_all(const char *dir, struct error *error);

#endif
