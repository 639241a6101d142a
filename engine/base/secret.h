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

/* "Authorization: Bearer TOKEN" out of a file whose first line is `NAME TOKEN`, as the service's
 * own file of tokens has it, or the token alone. Who else may read it is not looked at: mounted
 * secrets are often readable by all of a container. Errors as secret_read()'s, and
 * STATUS_INVALID for a line that ends with a blank. Any thread. */
#define SECRET_BEARER_SIZE 600
MUST_USE enum status secret_bearer(const char *path, char out[SECRET_BEARER_SIZE],
                                   struct error *error);

#endif
