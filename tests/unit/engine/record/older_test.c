/* Ledgers that earlier versions of binnacle wrote, as ledgers/format-N.tar.zst has them: three
 * days, decisions, labels, actions and quarantined events, the newest day still in its log because
 * the service was killed. Read as they are, taken up and gone on with, and migrated on a disk where
 * the power fails at every moment of it. */
#include "tests/unit/disk/disk.h"
#include "tests/unit/engine/record/verify_fixture.h"

#include "engine/record/tree.h"

#define LEDGERS     "tests/unit/engine/record/ledgers"
#define A_DAY_LATER (INT64_C(1795353600000000)) /* 2026-11-22T16:00:00Z */

enum { FORMATS = 2, ROWS = 162 };

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { MOMENTS = 10 };
#else
enum { MOMENTS = 60 };
#endif

struct rows {
    struct tree tree;
    uint64_t n, decisions, labels, actions;
};

static char *unpack(int format)
{
    char command[4400];
    char *dir = folder_create();
    snprintf(command, sizeof command, "zstd -dcq %s/format-%d.tar.zst | tar x -C '%s'", LEDGERS,
             format, dir);
    assert_int_equal(system(command), 0);
    return dir;
}

static enum status add_row(void *context, const struct ledger_row *row, struct error *error)
{
    struct rows *rows = context;
    struct buffer leaf;
    uint8_t hash[SHA256_SIZE];
    (void)error;
    buffer_init(&leaf, 1 << 20);
    assert_true(leaf_encode(row, &leaf));
    assert_int_equal(tree_leaf_hash(buffer_slice(&leaf), hash), STATUS_OK);
    assert_int_equal(tree_append(&rows->tree, hash), STATUS_OK);
    buffer_free(&leaf);
    rows->decisions += row->kind == ROW_DECISION;
    rows->labels += row->kind == ROW_LABEL;
    rows->actions += row->kind == ROW_ACTION;
    rows->n++;
    return STATUS_OK;
}

/* The rows, and the root made from them anew, which is the one that the file has. */
static void read_rows(const char *dir, uint8_t root[SHA256_SIZE], struct rows *rows)
{
    struct error error = {0};
    uint64_t size;
    uint8_t said[SHA256_SIZE];
    *rows = (struct rows){0};
    struct reader *reader = open_reader(dir);
    if (reader_scan(reader, 0, add_row, rows, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    assert_int_equal(reader_head(reader, &size, said, &error), STATUS_OK);
    reader_close(reader);
    assert_int_equal(size, rows->n);
    assert_int_equal(tree_root(&rows->tree, root), STATUS_OK);
    assert_memory_equal(said, root, SHA256_SIZE);
}

static int64_t format_of(const char *dir)
{
    struct error error = {0};
    struct db_stmt *select;
    struct db *db = open_file(dir, "2026-11-21");
    assert_int_equal(db_prepare(db, "PRAGMA user_version", &select, &error), STATUS_OK);
    assert_int_equal(db_step(select, &error), STATUS_OK);
    int64_t version = db_int(select, 0);
    db_finish(select);
    db_close(db);
    return version;
}

static void is_read_as_it_is(void **state)
{
    (void)state;
    for (int format = 1; format <= FORMATS; format++) {
        char *dir = unpack(format);
        uint8_t root[SHA256_SIZE];
        struct rows rows;
        read_rows(dir, root, &rows);
        assert_int_equal(rows.n, ROWS);
        assert_true(rows.decisions == 155 && rows.labels == 6 && rows.actions == 1);
        assert_untouched(dir);
        assert_int_equal(format_of(dir), format);
        folder_remove(dir);
    }
}

static void go_on(const char *dir)
{
    struct clock *clock = clock_create_event(A_DAY_LATER);
    struct ledger *ledger = open_ledger(dir, clock);
    submit_decisions(ledger, 0, 300, A_DAY_LATER, 1000, -1);
    submit_others(ledger, A_DAY_LATER + US_PER_HOUR, -1);
    close_ledger(ledger);
    clock_destroy(clock);
}

static void is_gone_on_with(void **state)
{
    (void)state;
    for (int format = 1; format <= FORMATS; format++) {
        char *dir = unpack(format);
        uint8_t before[SHA256_SIZE], after[SHA256_SIZE], then[SHA256_SIZE];
        struct rows rows;
        struct error error = {0};
        read_rows(dir, before, &rows);
        go_on(dir);
        read_rows(dir, after, &rows);
        assert_true(rows.n > ROWS + 300);
        assert_true(format_of(dir) >= FORMATS);
        struct reader *reader = open_reader(dir);
        assert_int_equal(reader_root_at(reader, ROWS, then, &error), STATUS_OK);
        assert_memory_equal(then, before, SHA256_SIZE);
        reader_close(reader);
        assert_untouched(dir);
        folder_remove(dir);
    }
}

/* What is there after the power failed is the ledger of before, in the one format or the other, and
 * it can be gone on with. */
static void check_image(size_t moment, enum disk_crash crash, const uint8_t before[SHA256_SIZE])
{
    char *found = folder_create();
    uint8_t root[SHA256_SIZE];
    struct rows rows;
    disk_image(moment, crash, moment, found);
    struct clock *clock = clock_create_event(A_DAY_LATER);
    read_rows(found, root, &rows);
    if (rows.n != ROWS || memcmp(root, before, SHA256_SIZE) != 0)
        fail_msg("moment %zu: %llu rows", moment, (unsigned long long)rows.n);
    close_ledger(open_ledger(found, clock));
    read_rows(found, root, &rows);
    assert_memory_equal(root, before, SHA256_SIZE);
    assert_untouched(found);
    clock_destroy(clock);
    folder_remove(found);
}

static void survives_a_failure_at_any_moment_of_its_migration(void **state)
{
    (void)state;
    for (int format = 1; format <= FORMATS; format++) {
        char *dir = unpack(format);
        uint8_t before[SHA256_SIZE];
        struct rows rows;
        struct clock *clock = clock_create_event(A_DAY_LATER);
        read_rows(dir, before, &rows);
        disk_watch(dir);
        struct ledger *ledger = open_ledger(dir, clock);
        size_t end = disk_moment();
        assert_true(end > 10);
        for (size_t moment = 0; moment <= end; moment += 1 + end / MOMENTS)
            for (enum disk_crash crash = CRASH_LOST; crash <= CRASH_MIXED; crash++)
                check_image(moment, crash, before);
        close_ledger(ledger);
        disk_end();
        clock_destroy(clock);
        folder_remove(dir);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_read_as_it_is),
        cmocka_unit_test(is_gone_on_with),
        cmocka_unit_test(survives_a_failure_at_any_moment_of_its_migration),
    };
    disk_register();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
