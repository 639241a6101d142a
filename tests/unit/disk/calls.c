/* The program's own calls on files: the linker puts these in the place of the C library's
 * (--wrap), for the program's objects and not for SQLite's. */
#include "tests/unit/disk/disk_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_DESCRIPTORS 4096

/* NOLINTBEGIN(bugprone-reserved-identifier): the names are the linker's */
int __real_open(const char *path, int flags, ...);
int __real_mkostemp(char *path, int flags);
int __real_close(int fd);
ssize_t __real_write(int fd, const void *bytes, size_t size);
ssize_t __real_pwrite(int fd, const void *bytes, size_t size, off_t at);
int __real_ftruncate(int fd, off_t size);
int __real_rename(const char *path, const char *to);
int __real_link(const char *path, const char *to);
int __real_unlink(const char *path);
int __real_mkdir(const char *path, mode_t mode);

int __wrap_open(const char *path, int flags, ...);
int __wrap_mkostemp(char *path, int flags);
int __wrap_close(int fd);
ssize_t __wrap_write(int fd, const void *bytes, size_t size);
ssize_t __wrap_pwrite(int fd, const void *bytes, size_t size, off_t at);
int __wrap_ftruncate(int fd, off_t size);
int __wrap_fsync(int fd);
int __wrap_fdatasync(int fd);
int __wrap_rename(const char *path, const char *to);
int __wrap_link(const char *path, const char *to);
int __wrap_unlink(const char *path);
int __wrap_mkdir(const char *path, mode_t mode);

void disk_write_file(const char *path, struct content content)
{
    int fd = __real_open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 && errno == ENOENT)
        return; /* its folder is not there */
    for (size_t done = 0; fd >= 0 && done < content.size;) {
        ssize_t n = __real_pwrite(fd, content.bytes + done, content.size - done, (off_t)done);
        if (n <= 0)
            abort();
        done += (size_t)n;
    }
    if (fd < 0 || __real_ftruncate(fd, (off_t)content.size) != 0)
        abort();
    __real_close(fd);
}

/* What a descriptor stands for; NULL: nothing that is watched. With the lock. */
static char *paths[MAX_DESCRIPTORS];

static void note_descriptor(int fd, const char *path)
{
    if (fd < 0 || fd >= MAX_DESCRIPTORS)
        return;
    free(paths[fd]);
    paths[fd] = path && disk_name(path) ? strdup(path) : NULL;
}

static const char *name_of(int fd)
{
    return fd >= 0 && fd < MAX_DESCRIPTORS && paths[fd] ? disk_name(paths[fd]) : NULL;
}

static int failed(int error)
{
    errno = error;
    return -1;
}

/* With the lock; 0 or the error. */
static int fault_of(int fd, enum disk_call call)
{
    const char *name = name_of(fd);
    return name ? disk_fault_of(call, name) : 0;
}

static void note_open(int fd, const char *path, int flags)
{
    const char *name = disk_name(path);
    note_descriptor(fd, path);
    if (fd < 0 || !name)
        return;
    int file = disk_find(name);
    if (file == NO_FILE && flags & O_CREAT)
        disk_put_new(name, NO_FILE);
    else if (file >= 0 && flags & O_TRUNC)
        disk_put_truncate(file, 0);
}

int __wrap_open(const char *path, int flags, ...)
{
    mode_t mode = 0;
    if (flags & O_CREAT) {
        va_list arguments;
        va_start(arguments, flags);
        mode = va_arg(arguments, mode_t);
        va_end(arguments);
    }
    disk_lock();
    const char *name = disk_name(path);
    int error = name ? disk_fault_of(CALL_OPEN, name) : 0;
    int fd = error ? failed(error) : __real_open(path, flags, mode);
    int reason = errno;
    note_open(fd, path, flags);
    disk_unlock();
    errno = reason;
    return fd;
}

int __wrap_mkostemp(char *path, int flags)
{
    disk_lock();
    int fd = __real_mkostemp(path, flags);
    note_open(fd, path, O_CREAT);
    disk_unlock();
    return fd;
}

int __wrap_close(int fd)
{
    disk_lock();
    note_descriptor(fd, NULL);
    int result = __real_close(fd);
    disk_unlock();
    return result;
}

/* at < 0: where the file stands. */
static ssize_t write_some(int fd, const void *bytes, size_t size, off_t at)
{
    disk_lock();
    int error = fault_of(fd, CALL_WRITE);
    const char *name = name_of(fd);
    if (error && !disk_get()->fault.partial) {
        disk_unlock();
        return failed(error);
    }
    size = error ? size / 2 : size;
    ssize_t n = at < 0 ? __real_write(fd, bytes, size) : __real_pwrite(fd, bytes, size, at);
    if (n > 0 && name && disk_find(name) >= 0)
        disk_put_write(disk_find(name), bytes, (size_t)n, at < 0 ? lseek(fd, 0, SEEK_CUR) - n : at);
    disk_unlock();
    return n;
}

ssize_t __wrap_write(int fd, const void *bytes, size_t size)
{
    disk_lock();
    bool ours = name_of(fd) != NULL;
    disk_unlock();
    /* A pipe or socket may wait; the lock must not wait with it. */
    return ours ? write_some(fd, bytes, size, -1) : __real_write(fd, bytes, size);
}

ssize_t __wrap_pwrite(int fd, const void *bytes, size_t size, off_t at)
{
    return write_some(fd, bytes, size, at);
}

int __wrap_ftruncate(int fd, off_t size)
{
    disk_lock();
    int result = __real_ftruncate(fd, size);
    const char *name = name_of(fd);
    if (result == 0 && name && disk_find(name) >= 0)
        disk_put_truncate(disk_find(name), size);
    disk_unlock();
    return result;
}

static int sync_descriptor(int fd)
{
    disk_lock();
    const char *name = name_of(fd);
    int file = name ? disk_find(name) : NO_FILE;
    int error = name ? disk_fault_of(file == DIRECTORY ? CALL_SYNC_FOLDER : CALL_SYNC, name) : 0;
    if (error && file >= 0)
        disk_put_failed_sync(file, paths[fd]);
    else if (!error && file == DIRECTORY)
        disk_put_sync_folder(name);
    else if (!error && file >= 0)
        disk_put_sync(file);
    disk_unlock();
    return error ? failed(error) : 0;
}

int __wrap_fsync(int fd)
{
    return sync_descriptor(fd);
}

int __wrap_fdatasync(int fd)
{
    return sync_descriptor(fd);
}

int __wrap_rename(const char *path, const char *to)
{
    disk_lock();
    int result = __real_rename(path, to);
    if (result == 0 && disk_name(path) && disk_name(to))
        disk_put_rename(disk_name(path), disk_name(to));
    disk_unlock();
    return result;
}

int __wrap_link(const char *path, const char *to)
{
    disk_lock();
    int result = __real_link(path, to);
    if (result == 0 && disk_name(path) && disk_name(to))
        disk_put_new(disk_name(to), disk_find(disk_name(path)));
    disk_unlock();
    return result;
}

int __wrap_unlink(const char *path)
{
    disk_lock();
    int result = __real_unlink(path);
    if (result == 0 && disk_name(path))
        disk_put_unname(disk_name(path));
    disk_unlock();
    return result;
}

int __wrap_mkdir(const char *path, mode_t mode)
{
    disk_lock();
    int result = __real_mkdir(path, mode);
    if (result == 0 && disk_name(path))
        disk_put_new(disk_name(path), DIRECTORY);
    disk_unlock();
    return result;
}
/* NOLINTEND(bugprone-reserved-identifier) */
