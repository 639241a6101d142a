/* The ledger on a disk that refuses: whatever call fails, once or for a while, the ledger gets over
 * it by itself, the rows are those of a run without faults, and what it reports then survives a
 * power failure. */
#include "tests/unit/disk/disk.h"
#include "tests/unit/engine/record/power.h"

#include <errno.h>

static char *hex(const uint8_t root[SHA256_SIZE], char out[2 * SHA256_SIZE + 1])
{
    for (int i = 0; i < SHA256_SIZE; i++)
        snprintf(out + (size_t)(2 * i), 3, "%02x", root[i]);
    return out;
}

/* A run with this fault, and the worst power failure at every third report of it. */
static void gets_over(void **state, const struct disk_fault *fault)
{
    struct error error = {0};
    struct run *run = *state = run_create(SYNCING_WORKS, fault);
    unsigned hit = disk_failed();
    disk_fail(NULL);
    if (hit == 0)
        fail_msg("%s: no call failed", fault->name);
    assert_int_equal(run->stats.health, LEDGER_OK);
    assert_int_equal(run->stats.damaged_files, 0);
    for (size_t i = hit % 3; i < run->n_reports; i += 3)
        if (fail_at(run, run->reports[i].moment, CRASH_LOST, i, &error) != STATUS_OK)
            fail_msg("%s after %u calls, report %zu: %s", fault->name, fault->after, i,
                     error.message);
    run_destroy(state);
    *state = NULL;
}

static void gets_over_at(void **state, struct disk_fault fault, const unsigned *after, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        fault.after = after[i];
        gets_over(state, &fault);
    }
}

#define AT(...)                                                                                    \
    (const unsigned[]){__VA_ARGS__}, sizeof((const unsigned[]){__VA_ARGS__}) / sizeof(unsigned)

static void a_log_that_cannot_be_synced(void **state)
{
    const struct disk_fault kept = {CALL_SYNC, "08.db-wal", .times = 1, .error = EIO};
    const struct disk_fault evicted = {CALL_SYNC, "08.db-wal", .times = 2, .error = EIO,
                                       .evicted = true};
    gets_over_at(state, kept, AT(0, 1, 5, 12));
    gets_over_at(state, evicted, AT(0, 2, 9));
}

static void people_that_cannot_be_synced(void **state)
{
    const struct disk_fault kept = {CALL_SYNC, "subjects.db-wal", .times = 1, .error = EIO};
    const struct disk_fault evicted = {CALL_SYNC, "subjects.db-wal", .times = 1, .error = EIO,
                                       .evicted = true};
    gets_over_at(state, kept, AT(0, 3));
    gets_over_at(state, evicted, AT(0, 4));
}

static void a_day_file_that_cannot_be_synced(void **state)
{
    const struct disk_fault file = {CALL_SYNC, "09.db", .times = 1, .error = EIO, .evicted = true};
    const struct disk_fault journal = {CALL_SYNC, "09.db-journal", .times = 1, .error = EIO};
    gets_over_at(state, file, AT(0, 1));
    gets_over_at(state, journal, AT(0, 1));
}

static void writes_that_fail_or_stop_halfway(void **state)
{
    const struct disk_fault broken = {CALL_WRITE, ".db-wal", .times = 1, .error = EIO};
    const struct disk_fault full = {CALL_WRITE, ".db-wal", .times = 3, .error = ENOSPC,
                                    .partial = true};
    const struct disk_fault file = {CALL_WRITE, ".db", .times = 1, .error = EIO, .partial = true};
    gets_over_at(state, broken, AT(3, 40));
    gets_over_at(state, full, AT(1, 77));
    gets_over_at(state, file, AT(0, 4));
}

static void reads_that_fail(void **state)
{
    const struct disk_fault log = {CALL_READ, ".db-wal", .times = 1, .error = EIO};
    const struct disk_fault file = {CALL_OPEN, "09.db", .times = 2, .error = EIO};
    gets_over_at(state, log, AT(0));
    gets_over_at(state, file, AT(0));
}

/* A fault gone by is not forgotten: the file was closed, checked and opened again, and every row
 * is there once. */
static void counts_that_a_file_was_opened_again(void **state)
{
    const struct disk_fault fault = {CALL_SYNC, "08.db-wal", .after = 1, .times = 1, .error = EIO};
    char given[2 * SHA256_SIZE + 1], expected[2 * SHA256_SIZE + 1];
    struct run *run = *state = run_create(SYNCING_WORKS, &fault);
    assert_int_equal(disk_failed(), 1);
    assert_int_equal(run->stats.reopened, 1);
    assert_int_equal(run->stats.errors, 1);
    assert_string_equal(hex(run->root, given), hex(run->stats.root, expected));
}

int main(void)
{
#define T(name) cmocka_unit_test_teardown(name, run_destroy)
    const struct CMUnitTest tests[] = {
        T(a_log_that_cannot_be_synced),
        T(people_that_cannot_be_synced),
        T(a_day_file_that_cannot_be_synced),
        T(writes_that_fail_or_stop_halfway),
        T(reads_that_fail),
        T(counts_that_a_file_was_opened_again),
    };
    disk_register();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
