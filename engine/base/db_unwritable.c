/* Database files where nothing can be written: a read-only disk, a folder of somebody else's.
 * SQLite reads a log with the help of a file beside it, which cannot be made there. Any thread. */
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "engine/base/db_priv.h"

bool db_is_unwritable(const char *path)
{
    struct statvfs system;
    char beside[PATH_MAX];
    if (statvfs(path, &system) == 0 && (system.f_flag & ST_RDONLY) != 0)
        return true;
    int size = snprintf(beside, sizeof beside, "%s-shm", path);
    if (size < 0 || (size_t)size >= sizeof beside || access(beside, F_OK) == 0)
        return false;
    snprintf(beside, sizeof beside, "%s", path);
    return access(dirname(beside), W_OK) != 0;
}

static bool has_log(const char *path)
{
    char log[PATH_MAX];
    int size = snprintf(log, sizeof log, "%s-wal", path);
    return size > 0 && (size_t)size < sizeof log && access(log, F_OK) == 0;
}

/* The file's name in a URI. */
static void write_uri(const char *path, const char *options, char *out, size_t size)
{
    size_t end = size - strlen(options) - 4;
    size_t used = (size_t)snprintf(out, size, "file:");
    for (; *path && used < end; path++)
        used += (size_t)snprintf(out + used, size - used, strchr("%?#", *path) ? "%%%02X" : "%c",
                                 (unsigned char)*path);
    snprintf(out + used, size - used, "%s", options);
}

/* Nobody writes: locks are not needed, and the help can lie in memory. A file without a log is all
 * there is. */
int db_open_unwritable(const char *path, sqlite3 **handle)
{
    char uri[3 * PATH_MAX + 64];
    *handle = NULL;
    write_uri(path, has_log(path) ? "" : "?immutable=1", uri, sizeof uri);
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_READONLY | SQLITE_OPEN_URI;
    int result = sqlite3_open_v2(uri, handle, flags, "unix-none");
    if (result != SQLITE_OK)
        return result;
    sqlite3_extended_result_codes(*handle, 1);
    return sqlite3_exec(*handle, "PRAGMA locking_mode=EXCLUSIVE", NULL, NULL, NULL);
}
