/* Put before the C library's functions (LD_PRELOAD) of a process under test: makes the files below
 * FAULT_DIR as slow or as broken as the file FAULT_FILE says, which is read at each call:
 *   slow MS      every sync takes so much longer
 *   fails ERRNO  writing, syncing and opening for writing fails with this number
 * An empty or missing file: all is well. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

struct fault {
    int slow_ms, fails;
};

static struct fault read_fault(void)
{
    struct fault fault = {0, 0};
    char text[64] = "";
    const char *path = getenv("FAULT_FILE");
    int fd = path ? REAL(open)(path, O_RDONLY) : -1;
    if (fd < 0)
        return fault;
    ssize_t size = read(fd, text, sizeof text - 1);
    text[size > 0 ? size : 0] = '\0';
    close(fd);
    sscanf(text, "slow %d", &fault.slow_ms);
    sscanf(text, "fails %d", &fault.fails);
    return fault;
}

static int below(const char *path)
{
    const char *dir = getenv("FAULT_DIR");
    return dir && strncmp(path, dir, strlen(dir)) == 0;
}

static int is_ours(int fd)
{
    char link[32], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof path - 1);
    path[size > 0 ? size : 0] = '\0';
    return below(path);
}

/* -1 with errno, or 0 after as long as it takes. */
static int suffer(int fd, int syncs)
{
    int before = errno;
    struct fault fault = {0, 0};
    if (is_ours(fd))
        fault = read_fault();
    errno = before;
    if (fault.fails) {
        errno = fault.fails;
        return -1;
    }
    if (syncs && fault.slow_ms) {
        struct timespec pause = {fault.slow_ms / 1000, fault.slow_ms % 1000 * 1000000L};
        nanosleep(&pause, NULL);
    }
    return 0;
}

int fsync(int fd)
{
    return suffer(fd, 1) ? -1 : REAL(fsync)(fd);
}

int fdatasync(int fd)
{
    return suffer(fd, 1) ? -1 : REAL(fdatasync)(fd);
}

ssize_t write(int fd, const void *bytes, size_t size)
{
    return suffer(fd, 0) ? -1 : REAL(write)(fd, bytes, size);
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t at)
{
    return suffer(fd, 0) ? -1 : REAL(pwrite64)(fd, bytes, size, at);
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t at)
{
    return suffer(fd, 0) ? -1 : REAL(pwrite)(fd, bytes, size, at);
}

static int may_open(const char *path, int flags)
{
    struct fault fault = {0, 0};
    if ((flags & O_ACCMODE) != O_RDONLY && below(path))
        fault = read_fault();
    if (fault.fails)
        errno = fault.fails;
    return fault.fails == 0;
}

#define OPEN(name)                                                                                 \
    int name(const char *path, int flags, ...)                                                     \
    {                                                                                              \
        va_list list;                                                                              \
        va_start(list, flags);                                                                     \
        int mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(list, int) : 0;                          \
        va_end(list);                                                                              \
        return may_open(path, flags) ? REAL(name)(path, flags, mode) : -1;                         \
    }

OPEN(open)
OPEN(open64)
