/* SQLite through db: opening, binding, transactions, migrations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <math.h>
#include <sys/stat.h>

#include "engine/base/db.h"
#include "tests/unit/folder.h"

static struct error error; /* of the last call */

static const char *path_of(const char *name)
{
    static char path[FOLDER_PATH];
    folder_path(name, path);
    unlink(path);
    return path;
}

#define OK(call)                                                                                   \
    do {                                                                                           \
        if (call)                                                                                  \
            fail_msg("%s", error.message);                                                         \
    } while (0)

static struct db *open_new(const char *name)
{
    struct db *db;
    OK(db_open(path_of(name), DB_WRITE, DB_SYNC_FULL, &db, &error));
    return db;
}

static void binds_and_reads_every_type(void **state)
{
    (void)state;
    struct db *db = open_new("types.db");
    OK(db_exec(db, "CREATE TABLE t(a, b, c, d, e); CREATE TABLE u(x)", &error));
    struct db_stmt *insert, *select;
    OK(db_prepare(db, "INSERT INTO t VALUES(?,?,?,?,?)", &insert, &error));
    db_bind_int(insert, 1, INT64_MIN);
    db_bind_double(insert, 2, 0.1);
    db_bind_text(insert, 3, slice_make("a\0b", 3));
    db_bind_blob(insert, 4, slice_make("\0\xff", 2));
    db_bind_null(insert, 5);
    OK(db_run(insert, &error));
    assert_int_equal(db_changes(db), 1);
    db_bind_text(insert, 3, slice_make(NULL, 0)); /* the rest is null again */
    db_bind_blob(insert, 4, slice_make(NULL, 0));
    OK(db_run(insert, &error));
    OK(db_prepare(db, "SELECT * FROM t ORDER BY rowid", &select, &error));
    OK(db_step(select, &error));
    assert_true(db_int(select, 0) == INT64_MIN);
    assert_true(db_double(select, 1) == 0.1);
    assert_true(slice_equal(db_text(select, 2), slice_make("a\0b", 3)));
    assert_true(slice_equal(db_blob(select, 3), slice_make("\0\xff", 2)));
    assert_true(db_is_null(select, 4));
    assert_true(isnan(db_double(select, 4)));
    assert_int_equal(db_text(select, 4).size, 0);
    OK(db_step(select, &error));
    assert_true(db_is_null(select, 0));
    assert_int_equal(db_int(select, 0), 0);
    assert_false(db_is_null(select, 2));
    assert_int_equal(db_text(select, 2).size, 0);
    assert_false(db_is_null(select, 3));
    assert_int_equal(db_step(select, &error), STATUS_END);
    db_reset(select);
    assert_int_equal(db_step(select, &error), STATUS_OK);
    db_finish(select);
    db_finish(insert);
    db_finish(NULL);
    db_close(db);
    db_close(NULL);
}

static void says_what_went_wrong_and_where(void **state)
{
    (void)state;
    struct db *db = open_new("wrong.db");
    assert_int_equal(db_exec(db, "CREATE TABL t(a)", &error), STATUS_INVALID);
    assert_non_null(strstr(error.message, "wrong.db: near \"TABL\": syntax error"));
    struct db_stmt *stmt;
    assert_int_equal(db_prepare(db, "SELECT * FROM absent", &stmt, &error), STATUS_INVALID);
    assert_int_equal(db_prepare(db, " ", &stmt, &error), STATUS_INVALID);
    OK(db_exec(db, "CREATE TABLE t(a UNIQUE); INSERT INTO t VALUES(1)", &error));
    OK(db_prepare(db, "INSERT INTO t VALUES(1)", &stmt, &error));
    assert_int_equal(db_run(stmt, &error), STATUS_CONFLICT);
    assert_int_equal(db_run(stmt, &error), STATUS_CONFLICT); /* usable again */
    db_finish(stmt);
    OK(db_prepare(db, "SELECT 1", &stmt, &error));
    assert_int_equal(db_run(stmt, &error), STATUS_INVALID);
    db_finish(stmt);
    OK(db_exec(db, "CREATE TABLE c(t REFERENCES t(a))", &error));
    assert_int_equal(db_exec(db, "INSERT INTO c VALUES(7)", &error), STATUS_CONFLICT);
    db_close(db);
}

static void reader_needs_a_database_and_never_writes(void **state)
{
    (void)state;
    struct db *db;
    assert_int_equal(db_open(path_of("absent.db"), DB_READ, DB_SYNC_FULL, &db, &error),
                     STATUS_NOT_FOUND);
    assert_null(db);
    const char *path = path_of("text.db");
    FILE *file = fopen(path, "w");
    for (int i = 0; i < 200; i++)
        fputs("this is not a database\n", file);
    fclose(file);
    assert_int_equal(db_open(path, DB_READ, DB_SYNC_FULL, &db, &error), STATUS_CORRUPT);
    assert_int_equal(db_open(path, DB_WRITE, DB_SYNC_FULL, &db, &error), STATUS_CORRUPT);
    db_close(open_new("read.db"));
    char name[FOLDER_PATH];
    folder_path("read.db", name);
    OK(db_open(name, DB_READ, DB_SYNC_FULL, &db, &error));
    assert_int_equal(db_exec(db, "CREATE TABLE t(a)", &error), STATUS_DENIED);
    db_close(db);
}

static void migrates_step_by_step(void **state)
{
    (void)state;
    static const char *const steps[] = {"CREATE TABLE t(a); INSERT INTO t VALUES(1)",
                                        "ALTER TABLE t ADD COLUMN b; UPDATE t SET b = a + 1",
                                        "CREATE TABLE u(x); THIS IS WRONG"};
    struct db *db = open_new("migrate.db");
    OK(db_migrate(db, steps, 1, &error));
    OK(db_migrate(db, steps, 1, &error));
    OK(db_migrate(db, steps, 2, &error));
    struct db_stmt *stmt;
    OK(db_prepare(db, "SELECT count(*), sum(b) FROM t", &stmt, &error));
    OK(db_step(stmt, &error));
    assert_int_equal(db_int(stmt, 0), 1);
    assert_int_equal(db_int(stmt, 1), 2);
    db_finish(stmt);
    assert_int_equal(db_migrate(db, steps, 3, &error), STATUS_INVALID);
    OK(db_exec(db, "CREATE TABLE u(x)", &error)); /* the broken step left nothing behind */
    OK(db_exec(db, "PRAGMA user_version=7", &error));
    assert_int_equal(db_migrate(db, steps, 2, &error), STATUS_UNSUPPORTED);
    assert_non_null(strstr(error.message, "upgrade binnacle"));
    db_close(db);
}

/* Row i: i, its half (NaN in the fourth), a text of i times "x", the number's bytes, NULL. */
static void fill_rows(struct db_value (*values)[5], int64_t *numbers, int64_t first, int n)
{
    static const char text[] = "xxxxxxxx";
    for (int i = 0; i < n; i++) {
        numbers[i] = first + i;
        values[i][0] = (struct db_value){.type = DB_INT, .integer = numbers[i]};
        values[i][1] = (struct db_value){
            .type = DB_REAL, .real = numbers[i] == 3 ? (double)NAN : (double)numbers[i] / 2};
        values[i][2] = (struct db_value){
            .type = DB_TEXT, .bytes = slice_make(numbers[i] ? text : NULL, (size_t)numbers[i])};
        values[i][3] =
            (struct db_value){.type = DB_BLOB, .bytes = slice_make(&numbers[i], sizeof numbers[i])};
        values[i][4] = (struct db_value){.type = DB_NULL};
    }
}

static void inserts_rows_of_memory_by_one_statement(void **state)
{
    (void)state;
    struct db_value values[4][5];
    struct db_rows rows = {.n_columns = 5, .values = values[0]}, wide = {.n_columns = 101};
    int64_t numbers[4];
    struct db *db = open_new("rows.db");
    struct db_stmt *insert, *select;
    OK(db_exec(db, "CREATE TABLE t(a INTEGER PRIMARY KEY, b, c, d, e)", &error));
    OK(db_offer_rows(db, "waiting", &rows, &error));
    assert_int_equal(db_offer_rows(db, "too_wide", &wide, &error), STATUS_INVALID);
    OK(db_prepare(db, "INSERT INTO t SELECT * FROM waiting", &insert, &error));
    OK(db_run(insert, &error)); /* none */
    for (int64_t first = 0; first < 8; first += 4) {
        fill_rows(values, numbers, first, 4);
        rows.n = 4;
        OK(db_run(insert, &error));
        assert_int_equal(db_changes(db), 4);
    }
    assert_int_equal(db_run(insert, &error), STATUS_CONFLICT); /* the same keys again */
    OK(db_prepare(db, "SELECT a, b, c, d, e FROM t ORDER BY a", &select, &error));
    for (int64_t i = 0; i < 8; i++) {
        OK(db_step(select, &error));
        assert_int_equal(db_int(select, 0), i);
        assert_true(i == 3 ? db_is_null(select, 1) : db_double(select, 1) == (double)i / 2);
        assert_int_equal(db_type(select, 2), DB_TEXT);
        assert_int_equal(db_text(select, 2).size, i);
        assert_int_equal(db_blob(select, 3).size, sizeof i);
        assert_memory_equal(db_blob(select, 3).data, &i, sizeof i);
        assert_true(db_is_null(select, 4));
    }
    assert_int_equal(db_step(select, &error), STATUS_END);
    db_finish(select);
    db_finish(insert);
    db_close(db);
}

static void commits_or_rolls_back_whole(void **state)
{
    (void)state;
    struct db *db = open_new("commit.db");
    OK(db_exec(db, "CREATE TABLE t(a)", &error));
    OK(db_begin(db, &error));
    OK(db_exec(db, "INSERT INTO t VALUES(1)", &error));
    db_rollback(db);
    db_rollback(db); /* nothing to do */
    OK(db_begin(db, &error));
    OK(db_exec(db, "INSERT INTO t VALUES(2)", &error));
    OK(db_commit(db, &error));
    char name[FOLDER_PATH];
    folder_path("commit.db", name);
    struct db *reader;
    OK(db_open(name, DB_READ, DB_SYNC_FULL, &reader, &error));
    struct db_stmt *stmt;
    OK(db_prepare(reader, "SELECT sum(a) FROM t", &stmt, &error));
    OK(db_step(stmt, &error));
    assert_int_equal(db_int(stmt, 0), 2);
    db_finish(stmt);
    db_close(reader);
    db_close(db);
}

static void copy_file(const char *from, const char *to)
{
    char command[256];
    snprintf(command, sizeof command, "cp %s/%s %s/%s", folder, from, folder, to);
    assert_int_equal(system(command), 0);
}

static void reader_undoes_what_a_killed_writer_left(void **state)
{
    (void)state;
    struct db *db = open_new("killed.db");
    OK(db_exec(db, "PRAGMA journal_mode=DELETE; PRAGMA cache_size=2; CREATE TABLE t(a)", &error));
    OK(db_exec(db, "INSERT INTO t VALUES(1)", &error));
    OK(db_begin(db, &error));
    OK(db_exec(db,
               "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<9999) "
               "INSERT INTO t SELECT i FROM n",
               &error));
    copy_file("killed.db", "left.db"); /* what a kill at this moment leaves */
    copy_file("killed.db-journal", "left.db-journal");
    db_rollback(db);
    db_close(db);
    char name[FOLDER_PATH];
    folder_path("left.db", name);
    OK(db_open(name, DB_READ, DB_SYNC_FULL, &db, &error));
    struct db_stmt *stmt;
    OK(db_prepare(db, "SELECT count(*) FROM t", &stmt, &error));
    OK(db_step(stmt, &error));
    assert_int_equal(db_int(stmt, 0), 1);
    db_finish(stmt);
    db_close(db);
}

static int64_t page_size(struct db *db)
{
    struct db_stmt *stmt;
    OK(db_prepare(db, "PRAGMA page_size", &stmt, &error));
    OK(db_step(stmt, &error));
    int64_t size = db_int(stmt, 0);
    db_finish(stmt);
    return size;
}

static void new_large_file_has_large_pages_and_an_older_one_keeps_its_own(void **state)
{
    (void)state;
    struct db *db = open_new("older.db");
    OK(db_exec(db, "CREATE TABLE t(a); INSERT INTO t VALUES(1)", &error));
    db_close(db);
    char older[FOLDER_PATH];
    folder_path("older.db", older);
    OK(db_open(older, DB_WRITE_LARGE, DB_SYNC_FULL, &db, &error));
    assert_int_equal(page_size(db), 4096);
    OK(db_exec(db, "INSERT INTO t VALUES(2)", &error));
    db_close(db);
    OK(db_open(path_of("large.db"), DB_WRITE_LARGE, DB_SYNC_FULL, &db, &error));
    OK(db_exec(db, "CREATE TABLE t(a)", &error));
    assert_int_equal(page_size(db), 16384);
    db_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(binds_and_reads_every_type),
        cmocka_unit_test(says_what_went_wrong_and_where),
        cmocka_unit_test(reader_needs_a_database_and_never_writes),
        cmocka_unit_test(migrates_step_by_step),
        cmocka_unit_test(new_large_file_has_large_pages_and_an_older_one_keeps_its_own),
        cmocka_unit_test(reader_undoes_what_a_killed_writer_left),
        cmocka_unit_test(inserts_rows_of_memory_by_one_statement),
        cmocka_unit_test(commits_or_rolls_back_whole),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
