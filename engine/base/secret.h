/* What people keep in a file of its own: a password, a signing key, an address that is one. */
#ifndef BINNACLE_BASE_SECRET_H
#define BINNACLE_BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/status.h"

/* The file's first line, without its end, into `out` (of `size` bytes, zero included). A relative
 * `name` is looked for in `folder`. With `only_owner` a file that others may read is refused
 * (STATUS_DENIED). STATUS_NOT_FOUND when it cannot be opened; STATUS_INVALID when the line is empty
 * or too long. The error names the path, and never says what is in it. Any thread. */
MUST_USE enum status secret_read(const char *folder, const char *name, bool only_owner, char *out,
                                 size_t size, struct error *error);

#endif
