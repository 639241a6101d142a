/* SQLite as every room uses it: one connection per thread, WAL, checked statements. */
#ifndef BINNACLE_BASE_DB_H
#define BINNACLE_BASE_DB_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/slice.h"
#include "engine/base/status.h"

struct db;      /* one connection; used by one thread at a time */
struct db_stmt; /* a prepared statement; owned by the caller, finished before its db */

enum db_mode {
    DB_READ,        /* must exist; not written, but what a killed writer left half done is undone */
    DB_WRITE,       /* made when missing; WAL, foreign keys on, busy timeout 5 s */
    DB_WRITE_LARGE, /* the same, for tables of many rows: a file that is made has pages of 16 KiB */
    DB_ALONE, /* must exist; written without a journal: a copy that is thrown away when it does
                 not get finished */
};

/* Durability of commits (PRAGMA synchronous). */
enum db_sync { DB_SYNC_FULL, DB_SYNC_NORMAL, DB_SYNC_OFF };

MUST_USE enum status db_open(const char *path, enum db_mode mode, enum db_sync sync, struct db **db,
                             struct error *error);
/* Every statement of it is finished beforehand. NULL is ignored. */
void db_close(struct db *db);

/* After an error from the disk: closes without moving the log into the file, and the log stays. */
void db_abandon(struct db *db);
/* After an error from the disk, or a start: while nobody writes, the log of the file at `path` is
 * written again as it can be read, and synced. An fsync() that failed may leave pages that count as
 * written and are not; written again they are saved, or this fails. Afterwards what can be read of
 * the log is on the disk. STATUS_OK, too, when there is no log. */
MUST_USE enum status db_write_log_again(const char *path, struct error *error);
/* Moves what it can from the log into the file, waiting for nobody. STATUS_UNAVAILABLE: somebody
 * else is at it. `log` may be NULL. */
struct db_log {
    int64_t pages, moved; /* in the log; of them, also in the file */
};
MUST_USE enum status db_checkpoint(struct db *db, struct db_log *log, struct error *error);
/* Commits move nothing by themselves any more; db_log_pages() says how long the log is. */
void db_keep_log(struct db *db);
const char *db_path(const struct db *db);
int64_t db_log_pages(const struct db *db); /* as of the last commit of this connection */

/* In all that follows: a broken constraint is STATUS_CONFLICT, a database still locked by others
 * after the busy timeout STATUS_UNAVAILABLE (retriable), a damaged file STATUS_CORRUPT, a full disk
 * STATUS_IO. The message begins with the path. */

/* One or more statements without parameters. */
MUST_USE enum status db_exec(struct db *db, const char *sql, struct error *error);
/* Brings a file from the version in its user_version to n_steps, step by step, each in a
 * transaction. A file newer than n_steps is refused: the message says to upgrade binnacle. */
MUST_USE enum status db_migrate(struct db *db, const char *const *steps, int n_steps,
                                struct error *error);
/* The steps that are left up to n_steps, within the caller's transaction. */
MUST_USE enum status db_migrate_within(struct db *db, const char *const *steps, int n_steps,
                                       struct error *error);
/* The file's user_version; 0: it is new. */
MUST_USE enum status db_version(struct db *db, int64_t *version, struct error *error);

MUST_USE enum status db_prepare(struct db *db, const char *sql, struct db_stmt **stmt,
                                struct error *error);
void db_finish(struct db_stmt *stmt); /* NULL is ignored */

/* Parameters count from 1. Bound bytes must stay until the statement is reset. */
void db_bind_int(struct db_stmt *stmt, int index, int64_t value);
void db_bind_double(struct db_stmt *stmt, int index, double value);
void db_bind_text(struct db_stmt *stmt, int index, struct slice text);
void db_bind_blob(struct db_stmt *stmt, int index, struct slice blob);
void db_bind_null(struct db_stmt *stmt, int index);

/* STATUS_OK: a row is there; STATUS_END: done. */
MUST_USE enum status db_step(struct db_stmt *stmt, struct error *error);
void db_reset(struct db_stmt *stmt); /* also forgets the bindings */
/* Step once, expect no row, reset. For INSERT, UPDATE, DELETE. */
MUST_USE enum status db_run(struct db_stmt *stmt, struct error *error);

/* Columns count from 0. NULL reads as 0, NaN, or an empty slice; other slices live until the
 * next step or reset. */
bool db_is_null(struct db_stmt *stmt, int column);
enum db_type { DB_NULL, DB_INT, DB_REAL, DB_TEXT, DB_BLOB };
enum db_type db_type(struct db_stmt *stmt, int column); /* as stored; asked before the value */
int64_t db_int(struct db_stmt *stmt, int column);
double db_double(struct db_stmt *stmt, int column);
struct slice db_text(struct db_stmt *stmt, int column);
struct slice db_blob(struct db_stmt *stmt, int column);

/* Rows in memory, as the table `name` of this connection: INSERT INTO t SELECT * FROM name is
 * cheaper than as many statements of a row each. A statement reads what *rows holds while it is
 * stepped; `rows` is borrowed until the connection is closed, and n_columns stays. */
struct db_value {
    enum db_type type;
    union {
        int64_t integer;
        double real; /* NaN becomes NULL */
        struct slice bytes;
    };
};
struct db_rows {
    int n_columns; /* at most 100 */
    size_t n;
    const struct db_value *values; /* row after row */
};
MUST_USE enum status db_offer_rows(struct db *db, const char *name, const struct db_rows *rows,
                                   struct error *error);

MUST_USE enum status db_begin(struct db *db, struct error *error); /* BEGIN IMMEDIATE */
MUST_USE enum status db_commit(struct db *db, struct error *error);
void db_rollback(struct db *db);
int64_t db_changes(const struct db *db);

/* Called now and then with how much is done. */
typedef void db_copy_progress(void *context, double done_ratio);
/* Copies the whole database page by page into the file `to`, which must not be there. Called in a
 * read transaction, it copies what that sees, however much is written meanwhile. The copy is not
 * synced; after an error it may be there in part. `progress` may be NULL. */
MUST_USE enum status db_copy(struct db *db, const char *to, db_copy_progress *progress,
                             void *context, struct error *error);

#endif
