/* Statements of a database: prepared once, reset after each use, with checked binds and columns as
 * the project's own types. They belong to the thread of their connection. */
#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "engine/base/db_priv.h"

struct db_stmt {
    struct db *db;
    sqlite3_stmt *handle;
    int bind_result; /* the first bind that failed; reported by db_step */
};

enum status db_prepare(struct db *db, const char *sql, struct db_stmt **stmt, struct error *error)
{
    *stmt = NULL;
    struct db_stmt *prepared = calloc(1, sizeof *prepared);
    if (!prepared)
        return error_set(error, STATUS_MEMORY, "%s: out of memory", db_path(db));
    prepared->db = db;
    int result = sqlite3_prepare_v3(db_handle(db), sql, -1, SQLITE_PREPARE_PERSISTENT,
                                    &prepared->handle, NULL);
    if (result != SQLITE_OK || !prepared->handle) {
        free(prepared);
        return result != SQLITE_OK
                   ? db_fail(db, result, error)
                   : error_set(error, STATUS_INVALID, "%s: empty statement", db_path(db));
    }
    *stmt = prepared;
    return STATUS_OK;
}

void db_finish(struct db_stmt *stmt)
{
    if (!stmt)
        return;
    sqlite3_finalize(stmt->handle); /* repeats the error of the last step, told already */
    free(stmt);
}

static void note_bind(struct db_stmt *stmt, int result)
{
    assert(result != SQLITE_RANGE && result != SQLITE_MISUSE);
    if (result != SQLITE_OK && stmt->bind_result == SQLITE_OK)
        stmt->bind_result = result;
}

void db_bind_int(struct db_stmt *stmt, int index, int64_t value)
{
    note_bind(stmt, sqlite3_bind_int64(stmt->handle, index, value));
}

void db_bind_double(struct db_stmt *stmt, int index, double value)
{
    note_bind(stmt, sqlite3_bind_double(stmt->handle, index, value));
}

void db_bind_text(struct db_stmt *stmt, int index, struct slice text)
{
    note_bind(stmt, sqlite3_bind_text64(stmt->handle, index, text.data ? text.data : "", text.size,
                                        SQLITE_STATIC, SQLITE_UTF8));
}

void db_bind_blob(struct db_stmt *stmt, int index, struct slice blob)
{
    note_bind(stmt, sqlite3_bind_blob64(stmt->handle, index, blob.data ? blob.data : "", blob.size,
                                        SQLITE_STATIC));
}

void db_bind_null(struct db_stmt *stmt, int index)
{
    note_bind(stmt, sqlite3_bind_null(stmt->handle, index));
}

enum status db_step(struct db_stmt *stmt, struct error *error)
{
    if (stmt->bind_result != SQLITE_OK)
        return error_set(error, db_status(stmt->bind_result), "%s: %s", db_path(stmt->db),
                         sqlite3_errstr(stmt->bind_result));
    int result = sqlite3_step(stmt->handle);
    if (result == SQLITE_ROW)
        return STATUS_OK;
    if (result == SQLITE_DONE)
        return STATUS_END;
    return db_fail(stmt->db, result, error);
}

void db_reset(struct db_stmt *stmt)
{
    sqlite3_reset(stmt->handle); /* repeats the error of the last step, told already */
    sqlite3_clear_bindings(stmt->handle);
    stmt->bind_result = SQLITE_OK;
}

enum status db_run(struct db_stmt *stmt, struct error *error)
{
    enum status status = db_step(stmt, error);
    if (status == STATUS_END)
        status = STATUS_OK;
    else if (status == STATUS_OK)
        status = error_set(error, STATUS_INVALID, "%s: statement gave a row where none belongs",
                           db_path(stmt->db));
    db_reset(stmt);
    return status;
}

bool db_is_null(struct db_stmt *stmt, int column)
{
    return sqlite3_column_type(stmt->handle, column) == SQLITE_NULL;
}

enum db_type db_type(struct db_stmt *stmt, int column)
{
    switch (sqlite3_column_type(stmt->handle, column)) {
    case SQLITE_INTEGER:
        return DB_INT;
    case SQLITE_FLOAT:
        return DB_REAL;
    case SQLITE_TEXT:
        return DB_TEXT;
    case SQLITE_BLOB:
        return DB_BLOB;
    default:
        return DB_NULL;
    }
}

int64_t db_int(struct db_stmt *stmt, int column)
{
    return sqlite3_column_int64(stmt->handle, column);
}

double db_double(struct db_stmt *stmt, int column)
{
    return db_is_null(stmt, column) ? NAN : sqlite3_column_double(stmt->handle, column);
}

struct slice db_text(struct db_stmt *stmt, int column)
{
    const unsigned char *text = sqlite3_column_text(stmt->handle, column);
    return slice_make(text ? (const char *)text : "",
                      text ? (size_t)sqlite3_column_bytes(stmt->handle, column) : 0);
}

struct slice db_blob(struct db_stmt *stmt, int column)
{
    const void *blob = sqlite3_column_blob(stmt->handle, column);
    return slice_make(blob, blob ? (size_t)sqlite3_column_bytes(stmt->handle, column) : 0);
}
