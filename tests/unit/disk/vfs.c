/* SQLite's own VFS for Unix, watched: every write, truncation and sync is put down, and none is
 * done twice. Locks and the shared memory of a write-ahead log are the real ones and no part of the
 * disk. https://www.sqlite.org/vfs.html; which folders it syncs, and when: os_unix.c of SQLite. */
#include "tests/unit/disk/disk_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

struct watched {
    sqlite3_file base;
    int file;
    bool sync_folder; /* a journal's or log's first sync syncs its folder, too */
    const char *path; /* SQLite keeps it while the file is open */
    sqlite3_file *real;
};

static sqlite3_vfs *unix_vfs;

static struct watched *watched(sqlite3_file *file)
{
    return (struct watched *)file;
}

static sqlite3_file *real(sqlite3_file *file)
{
    return watched(file)->real;
}

/* The error that a call is to have; with the lock. */
static int fault(const struct watched *file, enum disk_call call)
{
    int error = file->file == NO_FILE ? 0 : disk_fault_of(call, file->path);
    if (error)
        errno = error;
    return error;
}

static int on_close(sqlite3_file *file)
{
    int result = real(file)->pMethods->xClose(real(file));
    file->pMethods = NULL;
    return result;
}

static int on_read(sqlite3_file *file, void *out, int size, sqlite3_int64 at)
{
    disk_lock();
    int error = fault(watched(file), CALL_READ);
    disk_unlock();
    return error ? SQLITE_IOERR_READ : real(file)->pMethods->xRead(real(file), out, size, at);
}

static int on_write(sqlite3_file *file, const void *bytes, int size, sqlite3_int64 at)
{
    disk_lock();
    int error = fault(watched(file), CALL_WRITE);
    int done = !error ? size : disk_get()->fault.partial ? size / 2 : 0;
    int result = SQLITE_OK;
    if (done > 0)
        result = real(file)->pMethods->xWrite(real(file), bytes, done, at);
    if (result == SQLITE_OK && done > 0 && watched(file)->file != NO_FILE)
        disk_put_write(watched(file)->file, bytes, (size_t)done, at);
    disk_unlock();
    if (error)
        result = error == ENOSPC ? SQLITE_FULL : SQLITE_IOERR_WRITE;
    return result;
}

static int on_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    disk_lock();
    int result = real(file)->pMethods->xTruncate(real(file), size);
    if (result == SQLITE_OK && watched(file)->file != NO_FILE)
        disk_put_truncate(watched(file)->file, size);
    disk_unlock();
    return result;
}

static void sync_folder_of(const char *path)
{
    char folder[4096];
    disk_folder_of(disk_name(path), folder, sizeof folder);
    disk_put_sync_folder(folder);
}

static int on_sync(sqlite3_file *file, int flags)
{
    struct watched *own = watched(file);
    (void)flags;
    if (own->file == NO_FILE)
        return SQLITE_OK; /* nobody asks what became of it */
    disk_lock();
    disk_wait_held(own->path);
    int error = fault(own, CALL_SYNC);
    if (error)
        disk_put_failed_sync(own->file, own->path);
    else
        disk_put_sync(own->file);
    if (!error && own->sync_folder) {
        sync_folder_of(own->path);
        own->sync_folder = false;
    }
    disk_unlock();
    errno = error;
    return error ? SQLITE_IOERR_FSYNC : SQLITE_OK;
}

static int on_file_size(sqlite3_file *file, sqlite3_int64 *size)
{
    return real(file)->pMethods->xFileSize(real(file), size);
}

static int on_lock(sqlite3_file *file, int level)
{
    return real(file)->pMethods->xLock(real(file), level);
}

static int on_unlock(sqlite3_file *file, int level)
{
    return real(file)->pMethods->xUnlock(real(file), level);
}

static int on_check_reserved_lock(sqlite3_file *file, int *out)
{
    return real(file)->pMethods->xCheckReservedLock(real(file), out);
}

/* Whether it asks for a synchronous other than OFF. */
static bool asks_to_sync(int code, void *argument)
{
    char **words = argument;
    return code == SQLITE_FCNTL_PRAGMA && sqlite3_stricmp(words[1], "synchronous") == 0 &&
           words[2] && sqlite3_stricmp(words[2], "OFF") != 0;
}

static int on_file_control(sqlite3_file *file, int code, void *argument)
{
    disk_lock();
    bool off = disk_get()->syncing == SYNCING_OFF;
    disk_unlock();
    if (off && asks_to_sync(code, argument))
        return SQLITE_OK; /* as if done */
    return real(file)->pMethods->xFileControl(real(file), code, argument);
}

static int on_sector_size(sqlite3_file *file)
{
    return real(file)->pMethods->xSectorSize(real(file));
}

static int on_characteristics(sqlite3_file *file)
{
    return real(file)->pMethods->xDeviceCharacteristics(real(file));
}

static int on_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **out)
{
    return real(file)->pMethods->xShmMap(real(file), page, size, extend, out);
}

static int on_shm_lock(sqlite3_file *file, int offset, int n, int flags)
{
    return real(file)->pMethods->xShmLock(real(file), offset, n, flags);
}

static void on_shm_barrier(sqlite3_file *file)
{
    real(file)->pMethods->xShmBarrier(real(file));
}

static int on_shm_unmap(sqlite3_file *file, int remove)
{
    return real(file)->pMethods->xShmUnmap(real(file), remove);
}

static const sqlite3_io_methods METHODS = {
    .iVersion = 2, /* without memory-mapped reading */
    .xClose = on_close,
    .xRead = on_read,
    .xWrite = on_write,
    .xTruncate = on_truncate,
    .xSync = on_sync,
    .xFileSize = on_file_size,
    .xLock = on_lock,
    .xUnlock = on_unlock,
    .xCheckReservedLock = on_check_reserved_lock,
    .xFileControl = on_file_control,
    .xSectorSize = on_sector_size,
    .xDeviceCharacteristics = on_characteristics,
    .xShmMap = on_shm_map,
    .xShmLock = on_shm_lock,
    .xShmBarrier = on_shm_barrier,
    .xShmUnmap = on_shm_unmap,
};

static int on_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags, int *out)
{
    struct watched *own = watched(file);
    (void)vfs;
    *own = (struct watched){.file = NO_FILE, .path = path, .real = (sqlite3_file *)(own + 1)};
    disk_lock();
    const char *name = disk_name(path);
    if (name && disk_fault_of(CALL_OPEN, name)) {
        disk_unlock();
        return SQLITE_CANTOPEN;
    }
    int result = unix_vfs->xOpen(unix_vfs, path, own->real, flags, out);
    if (result == SQLITE_OK && name) {
        own->file = disk_find(name);
        if (own->file == NO_FILE)
            own->file = disk_put_new(name, NO_FILE);
        own->sync_folder =
            flags & SQLITE_OPEN_CREATE && flags & (SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_WAL);
    }
    disk_unlock();
    if (own->real->pMethods)
        file->pMethods = &METHODS;
    return result;
}

static int on_delete(sqlite3_vfs *vfs, const char *path, int sync_folder)
{
    (void)vfs;
    disk_lock();
    const char *name = disk_name(path);
    int result = unix_vfs->xDelete(unix_vfs, path, 0);
    if (result == SQLITE_OK && name && disk_find(name) != NO_FILE) {
        disk_put_unname(name);
        if (sync_folder)
            sync_folder_of(path);
    }
    disk_unlock();
    return result;
}

/* Before any statement of the program's. */
static int on_connection(sqlite3 *handle, char **message, const struct sqlite3_api_routines *api)
{
    (void)message;
    (void)api;
    disk_lock();
    bool off = disk_get()->syncing == SYNCING_OFF;
    disk_unlock();
    return off ? sqlite3_exec(handle, "PRAGMA synchronous=OFF", NULL, NULL, NULL) : SQLITE_OK;
}

void disk_register(void)
{
    static sqlite3_vfs vfs;
    unix_vfs = sqlite3_vfs_find("unix");
    vfs = *unix_vfs;
    vfs.zName = "watched-disk";
    vfs.szOsFile = (int)sizeof(struct watched) + unix_vfs->szOsFile;
    vfs.xOpen = on_open;
    vfs.xDelete = on_delete;
    if (sqlite3_vfs_register(&vfs, 1) != SQLITE_OK ||
        sqlite3_auto_extension((void (*)(void))on_connection) != SQLITE_OK)
        abort();
}
