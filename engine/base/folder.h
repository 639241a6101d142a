/* Names that must survive a power failure: fsync() of a file saves its bytes, its name is saved by
 * fsync() of the folder that it is in. */
#ifndef BINNACLE_BASE_FOLDER_H
#define BINNACLE_BASE_FOLDER_H

#include "engine/base/status.h"

/* Syncs the folder in which `path` lies, so that `path` is there, or gone, for good. Does nothing
 * on a file system that cannot sync folders. STATUS_IO. Any thread. */
MUST_USE enum status folder_sync_of(const char *path, struct error *error);
/* Makes the folder with all those above it, each with `mode`, and syncs the names of the new ones
 * and its own. One that is there is left as it is. STATUS_IO. */
MUST_USE enum status folder_make(const char *path, unsigned mode, struct error *error);

#endif
