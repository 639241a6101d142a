/* The format of a database: a number in its header, and a step of SQL from each format to the next.
 * On the thread of the connection. */
#include <stdio.h>

#include "engine/base/db_priv.h"

enum status db_version(struct db *db, int64_t *version, struct error *error)
{
    struct db_stmt *stmt;
    enum status status = db_prepare(db, "PRAGMA user_version", &stmt, error);
    if (status)
        return status;
    status = db_step(stmt, error);
    if (!status)
        *version = db_int(stmt, 0);
    db_finish(stmt);
    return status;
}

static enum status migrate_step(struct db *db, const char *sql, int64_t version,
                                struct error *error)
{
    char set_version[64];
    snprintf(set_version, sizeof set_version, "PRAGMA user_version=%d", (int)version);
    enum status status = db_exec(db, sql, error);
    if (!status)
        status = db_exec(db, set_version, error);
    return status;
}

enum status db_migrate_within(struct db *db, const char *const *steps, int n_steps,
                              struct error *error)
{
    int64_t version = 0;
    enum status status = db_version(db, &version, error);
    for (; status == STATUS_OK && version < n_steps; version++)
        status = migrate_step(db, steps[version], version + 1, error);
    return status;
}

enum status db_migrate(struct db *db, const char *const *steps, int n_steps, struct error *error)
{
    for (;;) {
        int64_t version = 0;
        enum status status = db_version(db, &version, error);
        if (status)
            return status;
        if (version > n_steps || version < 0)
            return error_set(error, STATUS_UNSUPPORTED,
                             "%s: format %d is newer than this binnacle knows (%d); upgrade "
                             "binnacle to open it",
                             db_path(db), (int)version, n_steps);
        if (version == n_steps)
            return STATUS_OK;
        status = db_begin(db, error);
        if (status)
            return status;
        /* Somebody else may have done the step between the look and the lock. */
        int64_t locked_version = 0;
        status = db_version(db, &locked_version, error);
        if (!status && locked_version == version)
            status = migrate_step(db, steps[version], version + 1, error);
        if (!status)
            status = db_commit(db, error);
        if (status) {
            db_rollback(db);
            return status;
        }
    }
}
