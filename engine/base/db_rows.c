/* Rows in memory as a table: an eponymous virtual table (https://www.sqlite.org/vtab.html) that is
 * read from its beginning and cannot be written. The thread of the connection. */
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/db.h"
#include "engine/base/db_priv.h"

#define MOST_COLUMNS 100
#define MANY_ROWS    1e6 /* for the planner */

struct rows_table {
    sqlite3_vtab base;
    const struct db_rows *rows;
};

struct rows_cursor {
    sqlite3_vtab_cursor base;
    size_t row;
};

static const struct db_rows *rows_of(sqlite3_vtab_cursor *cursor)
{
    return ((const struct rows_table *)(const void *)cursor->pVtab)->rows;
}

static int rows_connect(sqlite3 *handle, void *context, int n_words, const char *const *words,
                        sqlite3_vtab **table, char **message)
{
    (void)n_words;
    (void)words;
    (void)message;
    const struct db_rows *rows = context;
    char sql[32 + 8 * MOST_COLUMNS];
    int at = snprintf(sql, sizeof sql, "CREATE TABLE x(");
    for (int i = 0; i < rows->n_columns && i < MOST_COLUMNS; i++)
        at += snprintf(sql + at, sizeof sql - (size_t)at, "%sc%d", i > 0 ? "," : "", i);
    (void)snprintf(sql + at, sizeof sql - (size_t)at, ")");
    int result = sqlite3_declare_vtab(handle, sql);
    if (result != SQLITE_OK)
        return result;
    struct rows_table *made = calloc(1, sizeof *made);
    if (!made)
        return SQLITE_NOMEM;
    made->rows = rows;
    *table = &made->base;
    return SQLITE_OK;
}

static int rows_disconnect(sqlite3_vtab *table)
{
    free(table);
    return SQLITE_OK;
}

static int rows_plan(sqlite3_vtab *table, sqlite3_index_info *plan)
{
    (void)table;
    plan->estimatedCost = MANY_ROWS;
    return SQLITE_OK;
}

static int rows_open(sqlite3_vtab *table, sqlite3_vtab_cursor **cursor)
{
    (void)table;
    struct rows_cursor *made = calloc(1, sizeof *made);
    if (!made)
        return SQLITE_NOMEM;
    *cursor = &made->base;
    return SQLITE_OK;
}

static int rows_close(sqlite3_vtab_cursor *cursor)
{
    free(cursor);
    return SQLITE_OK;
}

static int rows_first(sqlite3_vtab_cursor *cursor, int plan, const char *plan_text, int n,
                      sqlite3_value **values)
{
    (void)plan;
    (void)plan_text;
    (void)n;
    (void)values;
    ((struct rows_cursor *)(void *)cursor)->row = 0;
    return SQLITE_OK;
}

static int rows_next(sqlite3_vtab_cursor *cursor)
{
    ((struct rows_cursor *)(void *)cursor)->row++;
    return SQLITE_OK;
}

static int rows_end(sqlite3_vtab_cursor *cursor)
{
    return ((struct rows_cursor *)(void *)cursor)->row >= rows_of(cursor)->n;
}

static int rows_column(sqlite3_vtab_cursor *cursor, sqlite3_context *result, int column)
{
    const struct db_rows *rows = rows_of(cursor);
    size_t row = ((struct rows_cursor *)(void *)cursor)->row;
    const struct db_value *value = &rows->values[row * (size_t)rows->n_columns + (size_t)column];
    const char *bytes = value->bytes.data ? value->bytes.data : "";
    switch (value->type) {
    case DB_NULL:
        sqlite3_result_null(result);
        break;
    case DB_INT:
        sqlite3_result_int64(result, value->integer);
        break;
    case DB_REAL:
        sqlite3_result_double(result, value->real);
        break;
    case DB_TEXT:
        sqlite3_result_text64(result, bytes, value->bytes.size, SQLITE_STATIC, SQLITE_UTF8);
        break;
    case DB_BLOB:
        sqlite3_result_blob64(result, bytes, value->bytes.size, SQLITE_STATIC);
        break;
    }
    return SQLITE_OK;
}

static int rows_number(sqlite3_vtab_cursor *cursor, sqlite3_int64 *number)
{
    *number = (sqlite3_int64)((struct rows_cursor *)(void *)cursor)->row;
    return SQLITE_OK;
}

static const sqlite3_module rows_module = {
    .xConnect = rows_connect,
    .xBestIndex = rows_plan,
    .xDisconnect = rows_disconnect,
    .xOpen = rows_open,
    .xClose = rows_close,
    .xFilter = rows_first,
    .xNext = rows_next,
    .xEof = rows_end,
    .xColumn = rows_column,
    .xRowid = rows_number,
};

enum status db_offer_rows(struct db *db, const char *name, const struct db_rows *rows,
                          struct error *error)
{
    if (rows->n_columns < 1 || rows->n_columns > MOST_COLUMNS)
        return error_set(error, STATUS_INVALID, "%s: rows of %d columns", name, rows->n_columns);
    int result = sqlite3_create_module(db_handle(db), name, &rows_module, (void *)(uintptr_t)rows);
    return result == SQLITE_OK ? STATUS_OK : db_fail(db, result, error);
}
