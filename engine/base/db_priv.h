/* Parts of db.c in files of their own. */
#ifndef BINNACLE_BASE_DB_PRIV_H
#define BINNACLE_BASE_DB_PRIV_H

#include <stdbool.h>

#include <sqlite3.h>

#include "engine/base/db.h"

sqlite3 *db_handle(struct db *db);
/* The kind of error that a result of SQLite is. */
enum status db_status(int result);
/* What SQLite says of a result that is not SQLITE_OK. */
enum status db_fail(struct db *db, int result, struct error *error);

/* Whether the file lies where nobody can write at present: on a read-only file system, or in a
 * folder that is closed to this user and in which no writer has made SQLite's file of locks. */
bool db_is_unwritable(const char *path);
/* Opens such a file for reading, its log included. Gives SQLite's result; *handle is to be closed
 * in any case, NULL: out of memory. */
int db_open_unwritable(const char *path, sqlite3 **handle);

#endif
