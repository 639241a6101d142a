/* Folders, made and synced. Any thread. */
#include "engine/base/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum status io_error(const char *path, const char *what, struct error *error)
{
    return error_set(error, STATUS_IO, "%s: cannot %s: %s", path, what, strerror(errno));
}

enum status folder_sync_of(const char *path, struct error *error)
{
    char *copy = strdup(path); /* dirname() writes into it */
    if (!copy)
        return error_set(error, STATUS_MEMORY, "out of memory for %s", path);
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(copy);
    if (fd < 0 && errno == EACCES)
        return STATUS_OK; /* may be passed through, not looked into: nothing here is ours */
    if (fd < 0)
        return io_error(path, "open the folder of", error);
    enum status status =
        fsync(fd) == 0 || errno == EINVAL ? STATUS_OK : io_error(path, "sync the folder of", error);
    close(fd);
    return status;
}

enum status folder_make(const char *path, unsigned mode, struct error *error)
{
    size_t size = strlen(path);
    if (size == 0)
        return error_set(error, STATUS_INVALID, "the name of a folder is empty");
    char *copy = strdup(path);
    if (!copy)
        return error_set(error, STATUS_MEMORY, "out of memory for %s", path);
    enum status status = STATUS_OK;
    for (size_t i = 1; i <= size && status == STATUS_OK; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        copy[i] = '\0';
        bool made = mkdir(copy, (mode_t)mode) == 0;
        if (!made && errno != EEXIST)
            status = io_error(copy, "make folder", error);
        else if (made || i == size)
            status = folder_sync_of(copy, error);
        copy[i] = path[i];
    }
    free(copy);
    return status;
}
