/* SQLite behind checked calls: connections, their log, transactions, copies. Writers use a
 * write-ahead log. A connection and its statements belong to one thread at a time. */
#include "engine/base/db.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/db_priv.h"

#define DB_MAGIC        0x53514c44u
#define BUSY_TIMEOUT_MS 5000
#define COPY_PAGES      256 /* between two reports of progress */

struct db {
    unsigned magic;
    sqlite3 *handle;
    char *path;
    int64_t log_pages;
};

enum status db_status(int result)
{
    switch (result & 0xff) {
    case SQLITE_OK:
        return STATUS_OK;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return STATUS_UNAVAILABLE;
    case SQLITE_CONSTRAINT:
        return STATUS_CONFLICT;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return STATUS_CORRUPT;
    case SQLITE_NOMEM:
        return STATUS_MEMORY;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return STATUS_DENIED;
    case SQLITE_ERROR:
    case SQLITE_RANGE:
    case SQLITE_MISUSE:
    case SQLITE_TOOBIG:
    case SQLITE_MISMATCH:
        return STATUS_INVALID;
    default: /* SQLITE_FULL is a full disk */
        return STATUS_IO;
    }
}

enum status db_fail(struct db *db, int result, struct error *error)
{
    return error_set(error, db_status(result), "%s: %s", db->path, sqlite3_errmsg(db->handle));
}

sqlite3 *db_handle(struct db *db)
{
    return db->handle;
}

static enum status set_up_writer(struct db *db, enum db_sync sync, struct error *error)
{
    static const char *const pragmas[] = {
        [DB_SYNC_FULL] = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON",
        [DB_SYNC_NORMAL] =
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON",
        [DB_SYNC_OFF] = "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA foreign_keys=ON",
    };
    return db_exec(db, pragmas[sync], error);
}

/* SQLite opens lazily: reading the schema says whether the file is a database at all. */
static enum status check_readable(struct db *db, struct error *error)
{
    return db_exec(db, "SELECT count(*) FROM sqlite_master", error);
}

/* A writer that was killed may have left a transaction half written (in a rollback journal until
 * the file is in WAL mode), which a read-only connection sees and cannot undo. A connection that
 * may write undoes it on its first read: nothing but what was committed before is there then. */
static void undo_half_written(const char *path)
{
    sqlite3 *handle = NULL;
    if (sqlite3_open_v2(path, &handle, SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_READWRITE, NULL) ==
        SQLITE_OK) {
        sqlite3_busy_timeout(handle, BUSY_TIMEOUT_MS);
        /* The log stays the writer's business. */
        sqlite3_db_config(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
        sqlite3_exec(handle, "SELECT count(*) FROM sqlite_master", NULL, NULL, NULL);
    }
    sqlite3_close(handle);
}

static enum status set_up_reader(struct db *db, struct error *error)
{
    enum status status = check_readable(db, error);
    int result = sqlite3_extended_errcode(db->handle);
    if (!status || (result != SQLITE_READONLY_ROLLBACK && result != SQLITE_READONLY_RECOVERY))
        return status;
    undo_half_written(db->path);
    return check_readable(db, error);
}

static enum status open_unwritable(struct db *db, struct error *error)
{
    sqlite3_close(db->handle);
    int result = db_open_unwritable(db->path, &db->handle);
    if (!db->handle)
        return error_set(error, STATUS_MEMORY, "%s: out of memory", db->path);
    return result == SQLITE_OK ? check_readable(db, error) : db_fail(db, result, error);
}

static enum status open_reader(struct db *db, struct error *error)
{
    enum status status = set_up_reader(db, error);
    int result = sqlite3_errcode(db->handle) & 0xff;
    if (status != STATUS_OK && (result == SQLITE_CANTOPEN || result == SQLITE_READONLY) &&
        db_is_unwritable(db->path))
        status = open_unwritable(db, error);
    return status;
}

static enum status open_file(struct db *opened, const char *path, enum db_mode mode,
                             enum db_sync sync, struct error *error)
{
    int flags =
        SQLITE_OPEN_NOMUTEX | (mode == DB_READ    ? SQLITE_OPEN_READONLY
                               : mode == DB_ALONE ? SQLITE_OPEN_READWRITE
                                                  : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    int result = sqlite3_open_v2(path, &opened->handle, flags, NULL);
    if (result == SQLITE_CANTOPEN && mode == DB_READ)
        return error_set(error, STATUS_NOT_FOUND, "%s: cannot be opened: no such database", path);
    if (result != SQLITE_OK)
        return opened->handle ? db_fail(opened, result, error)
                              : error_set(error, STATUS_MEMORY, "%s: out of memory", path);
    sqlite3_extended_result_codes(opened->handle, 1);
    sqlite3_busy_timeout(opened->handle, BUSY_TIMEOUT_MS);
    if (mode == DB_READ)
        return open_reader(opened, error);
    if (mode == DB_ALONE)
        return db_exec(opened, "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF", error);
    enum status status = STATUS_OK;
    /* Before the file has a page at all; an older file keeps its own size. */
    if (mode == DB_WRITE_LARGE)
        status = db_exec(opened, "PRAGMA page_size=16384", error);
    return status == STATUS_OK ? set_up_writer(opened, sync, error) : status;
}

enum status db_open(const char *path, enum db_mode mode, enum db_sync sync, struct db **db,
                    struct error *error)
{
    *db = NULL;
    struct db *opened = calloc(1, sizeof *opened);
    char *copy = strdup(path);
    if (!opened || !copy) {
        free(opened);
        free(copy);
        return error_set(error, STATUS_MEMORY, "%s: out of memory", path);
    }
    opened->magic = DB_MAGIC;
    opened->path = copy;
    enum status status = open_file(opened, path, mode, sync, error);
    if (status)
        db_close(opened);
    else
        *db = opened;
    return status;
}

void db_close(struct db *db)
{
    if (!db)
        return;
    assert(db->magic == DB_MAGIC);
    int result = sqlite3_close(db->handle);
    assert(result == SQLITE_OK); /* else a statement was not finished */
    (void)result;
    db->magic = 0;
    free(db->path);
    free(db);
}

void db_abandon(struct db *db)
{
    if (db)
        sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    db_close(db);
}

static enum status log_error(const char *path, const char *what, struct error *error)
{
    return error_set(error, STATUS_IO, "%s: the log cannot be %s: %s", path, what, strerror(errno));
}

static enum status write_again(int file, const char *path, struct error *error)
{
    enum { PIECE = 1 << 16 };
    char *piece = malloc(PIECE);
    if (!piece)
        return error_set(error, STATUS_MEMORY, "%s: out of memory", path);
    enum status status = STATUS_OK;
    ssize_t size = 0;
    for (off_t at = 0; !status && (size = pread(file, piece, PIECE, at)) > 0; at += size) {
        errno = ENOSPC; /* what a write that stops halfway means */
        if (pwrite(file, piece, (size_t)size, at) != size)
            status = log_error(path, "written again", error);
    }
    if (!status && size < 0)
        status = log_error(path, "read", error);
    if (!status && fsync(file) != 0)
        status = log_error(path, "synced", error);
    free(piece);
    return status;
}

/* The log has no locks of SQLite's on it, which closing it here would let go. */
enum status db_write_log_again(const char *path, struct error *error)
{
    char *log = NULL;
    if (asprintf(&log, "%s-wal", path) < 0)
        return error_set(error, STATUS_MEMORY, "%s: out of memory", path);
    int file = open(log, O_RDWR | O_CLOEXEC);
    enum status status = STATUS_OK;
    if (file >= 0)
        status = write_again(file, path, error);
    else if (errno != ENOENT)
        status = log_error(path, "opened", error);
    if (file >= 0)
        close(file);
    free(log);
    return status;
}

enum status db_checkpoint(struct db *db, struct db_log *log, struct error *error)
{
    int pages = 0, moved = 0;
    int result =
        sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_PASSIVE, &pages, &moved);
    if (result != SQLITE_OK)
        return db_fail(db, result, error);
    if (log)
        *log = (struct db_log){pages, moved};
    return STATUS_OK;
}

static int note_log(void *context, sqlite3 *handle, const char *name, int pages)
{
    struct db *db = context;
    (void)handle;
    (void)name;
    db->log_pages = pages;
    return SQLITE_OK;
}

void db_keep_log(struct db *db)
{
    sqlite3_wal_hook(db->handle, note_log, db); /* in the place of automatic checkpoints */
}

const char *db_path(const struct db *db)
{
    return db->path;
}

int64_t db_log_pages(const struct db *db)
{
    return db->log_pages;
}

enum status db_exec(struct db *db, const char *sql, struct error *error)
{
    assert(db->magic == DB_MAGIC);
    int result = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
    return result == SQLITE_OK ? STATUS_OK : db_fail(db, result, error);
}

enum status db_begin(struct db *db, struct error *error)
{
    return db_exec(db, "BEGIN IMMEDIATE", error);
}

enum status db_commit(struct db *db, struct error *error)
{
    return db_exec(db, "COMMIT", error);
}

void db_rollback(struct db *db)
{
    if (!sqlite3_get_autocommit(db->handle))
        sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
}

int64_t db_changes(const struct db *db)
{
    return sqlite3_changes64(db->handle);
}

static enum status copy_pages(struct db *db, sqlite3 *to, const char *path,
                              db_copy_progress *progress, void *context, struct error *error)
{
    sqlite3_backup *backup = sqlite3_backup_init(to, "main", db->handle, "main");
    int result = backup ? SQLITE_OK : sqlite3_extended_errcode(to);
    while (result == SQLITE_OK && (result = sqlite3_backup_step(backup, COPY_PAGES)) == SQLITE_OK) {
        int total = sqlite3_backup_pagecount(backup), left = sqlite3_backup_remaining(backup);
        if (progress && total > 0)
            progress(context, 1 - (double)left / total);
    }
    if (backup)
        sqlite3_backup_finish(backup);
    return result == SQLITE_DONE ? STATUS_OK
                                 : error_set(error, db_status(result), "copying %s to %s: %s",
                                             db->path, path, sqlite3_errstr(result));
}

enum status db_copy(struct db *db, const char *to, db_copy_progress *progress, void *context,
                    struct error *error)
{
    assert(db->magic == DB_MAGIC);
    sqlite3 *handle = NULL;
    int result = sqlite3_open_v2(
        to, &handle, SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
    enum status status = result == SQLITE_OK
                             ? STATUS_OK
                             : error_set(error, db_status(result), "%s: %s", to,
                                         handle ? sqlite3_errmsg(handle) : "out of memory");
    /* Whoever asked syncs the file when it is whole; half a copy is worth nothing. */
    if (status == STATUS_OK)
        sqlite3_exec(handle, "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF", NULL, NULL, NULL);
    if (status == STATUS_OK)
        status = copy_pages(db, handle, to, progress, context, error);
    sqlite3_close(handle);
    return status;
}
