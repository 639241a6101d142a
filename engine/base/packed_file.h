/* Whole files compressed by Zstandard (RFC 8878), as `zstd` reads and writes
 * them. What is written is on the disk when a call returns; after an error nothing is left of it.
 * Any thread. */
#ifndef BINNACLE_BASE_PACKED_FILE_H
#define BINNACLE_BASE_PACKED_FILE_H

#include <stdint.h>

#include "engine/base/file.h"

/* Compresses `from` into `to`, which must not be there (STATUS_CONFLICT), with mode 0600. */
MUST_USE enum status file_pack(const char *from, const char *to, struct file_sum *plain,
                               struct file_sum *packed, struct error *error);
/* The reverse; `to` NULL: it is only read and summed. More than `max_bytes` of content, an end that
 * is missing or bytes that are not Zstandard: STATUS_CORRUPT. */
MUST_USE enum status file_unpack(const char *from, const char *to, int64_t max_bytes,
                                 struct file_sum *plain, struct file_sum *packed,
                                 struct error *error);

#endif
