/* Sealed and compressed days: the same rows in every tier, damage found and named, nothing lost
 * wherever the keeper is killed. */
#include "tests/unit/engine/record/tiers_fixture.h"

#include <sys/wait.h>

#include "engine/record/proof.h"

#define ROWS 4218u /* of fill_ledger(): three days of 1400 decisions, 3 labels and 3 actions */

static uint64_t count_query(const char *dir, const struct query_filter *filter)
{
    struct reader *reader = open_reader(dir);
    struct query *query = NULL;
    struct ledger_row row;
    struct error error = {0};
    uint64_t n = 0;
    if (query_open(reader, filter, &query, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    enum status status;
    while ((status = query_next(query, &row, &error)) == STATUS_OK)
        n++;
    if (status != STATUS_END)
        fail_msg("%s", error.message);
    query_close(query);
    reader_close(reader);
    return n;
}

static void assert_all_there(const char *dir)
{
    struct query_filter filter;
    query_filter_init(&filter);
    assert_int_equal(count_query(dir, &filter), 4200);
    filter.newest_first = true;
    assert_int_equal(count_query(dir, &filter), 4200);
    filter.cursor = (int64_t)ROWS; /* all rows are before it */
    assert_int_equal(count_query(dir, &filter), 4200);
    query_filter_init(&filter);
    filter.entity = slice_of("p-00000000000000000000000000000011");
    assert_int_equal(count_query(dir, &filter), 43);
    filter.from_us = DAY_ONE + US_PER_DAY;
    filter.to_us = DAY_ONE + 2 * US_PER_DAY;
    assert_int_equal(count_query(dir, &filter), 14);
    query_filter_init(&filter);
    filter.event_id = slice_of("EV000000000000000000000017");
    assert_int_equal(count_query(dir, &filter), 1);
    assert_untouched(dir);
}

static void assert_finds(const char *dir, const char *event_id, uint64_t index)
{
    struct reader *reader = open_reader(dir);
    struct ledger_row row;
    struct error error = {0};
    if (reader_find_event(reader, slice_of(event_id), &row, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    assert_int_equal(row.index, index);
    reader_close(reader);
}

static void seals_days_that_are_over(void **state)
{
    const char *dir = *state;
    char path[4200];
    struct stat about;
    fill_ledger(dir);
    keep(dir, KEEPER_SEAL);
    for (int day = 0; day < 2; day++) {
        assert_false(exists(dir, day, ".db-wal"));
        assert_false(exists(dir, day, ".db-shm"));
        assert_false(exists(dir, day, ".db.sealing"));
        assert_true(exists(dir, day, ".db.sha256"));
        day_name(path, dir, day, ".db");
        assert_int_equal(stat(path, &about), 0);
        assert_int_equal(about.st_mode & 0777, 0444);
    }
    day_name(path, dir, 2, ".db"); /* the writer's */
    assert_int_equal(stat(path, &about), 0);
    assert_true(about.st_mode & 0200);
    assert_false(exists(dir, 2, ".db.sha256"));
    assert_all_there(dir);
}

static void sums_agree_with_sha256sum(void **state)
{
    char command[4300];
    fill_ledger(*state);
    keep(*state, KEEPER_SEAL);
    snprintf(command, sizeof command, "cd '%s' && sha256sum --quiet -c *.sha256", (char *)*state);
    assert_int_equal(system(command), 0);
}

static void waits_for_the_grace_and_counts_it_from_when_the_day_was_written(void **state)
{
    const char *dir = *state;
    struct error error = {0};
    struct tier_policy policy = {.grace_us = US_PER_HOUR};
    fill_ledger(dir); /* days of 2018, written now */
    assert_int_equal(keep_as(dir, &policy, KEEP_PACKED, US_PER_HOUR / 2, &error), STATUS_OK);
    assert_false(exists(dir, 0, ".db.sha256"));
    assert_int_equal(keep_as(dir, &policy, KEEP_PACKED, 2 * US_PER_HOUR, &error), STATUS_OK);
    assert_true(exists(dir, 0, ".db.sha256"));
}

static void reads_the_same_rows_in_every_tier(void **state)
{
    const char *dir = *state;
    uint8_t live[SHA256_SIZE], sealed[SHA256_SIZE], packed[SHA256_SIZE];
    fill_ledger(dir);
    read_content(dir, ROWS, live);
    keep(dir, KEEPER_SEAL); /* two rows more: what was done */
    read_content(dir, ROWS + 2, sealed);
    keep(dir, KEEP_PACKED);
    assert_true(exists(dir, 0, ".db.zst"));
    assert_false(exists(dir, 0, ".db"));
    read_content(dir, ROWS + 2, packed);
    assert_memory_not_equal(live, sealed, SHA256_SIZE);
    assert_memory_equal(sealed, packed, SHA256_SIZE);
    assert_all_there(dir);
    assert_finds(dir, "EV000000000000000000000003", 3);
    assert_finds(dir, "EV000000000000000000002003", 1409);
}

static void seals_once_and_says_so_in_the_record(void **state)
{
    const char *dir = *state;
    struct reader *reader;
    uint64_t size;
    uint8_t root[SHA256_SIZE];
    struct error error = {0};
    fill_ledger(dir);
    for (int i = 0; i < 3; i++)
        keep(dir, KEEP_PACKED);
    reader = open_reader(dir);
    assert_int_equal(reader_head(reader, &size, root, &error), STATUS_OK);
    assert_int_equal(size, ROWS + 2);
    struct ledger_row row;
    assert_int_equal(reader_row(reader, ROWS, &row, &error), STATUS_OK);
    assert_int_equal(row.kind, ROW_ACTION);
    assert_true(slice_equal(row.what, slice_of("ledger.seal")));
    assert_non_null(strstr(row.arguments.data, "\"day\":\"2018-08-08\",\"first_index\":0,"
                                               "\"tree_size\":1406,"));
    reader_close(reader);
}

static void proves_rows_of_compressed_days(void **state)
{
    const char *dir = *state;
    struct error error = {0};
    struct proofs *proofs = NULL;
    struct proof_path path;
    struct buffer leaf;
    uint8_t hash[SHA256_SIZE], stored[SHA256_SIZE], root[SHA256_SIZE];
    fill_ledger(dir);
    keep(dir, KEEP_PACKED);
    struct reader *reader = open_reader(dir);
    buffer_init(&leaf, 1 << 20);
    assert_int_equal(reader_leaf(reader, 77, &leaf, stored, &error), STATUS_OK);
    assert_int_equal(tree_leaf_hash(buffer_slice(&leaf), hash), STATUS_OK);
    assert_int_equal(proofs_open(reader, &proofs, &error), STATUS_OK);
    assert_int_equal(proof_root(proofs, ROWS, root, &error), STATUS_OK);
    assert_int_equal(proof_inclusion(proofs, 77, ROWS, &path, &error), STATUS_OK);
    assert_true(proof_includes(hash, 77, ROWS, &path, root));
    proofs_close(proofs);
    reader_close(reader);
    buffer_free(&leaf);
}

static void finds_a_changed_byte_in_a_sealed_file_by_its_sum(void **state)
{
    const char *dir = *state;
    char path[4200];
    fill_ledger(dir);
    keep(dir, KEEPER_SEAL);
    day_name(path, dir, 0, ".db");
    flip_byte(path, 16384 - 200); /* in the last page's unused part or content */
    assert_found(dir, NULL, "2018-08-08.db: its SHA-256 is not that of the sealed file");
}

static void a_damaged_sealed_file_is_not_compressed(void **state)
{
    const char *dir = *state;
    char path[4200];
    struct error error = {0};
    struct tier_policy policy = {0};
    fill_ledger(dir);
    keep(dir, KEEPER_SEAL);
    day_name(path, dir, 0, ".db");
    flip_byte(path, 16384 - 200);
    assert_int_equal(keep_as(dir, &policy, KEEP_PACKED, YEARS, &error), STATUS_CORRUPT);
    assert_non_null(strstr(error.message, "2018-08-08.db: its SHA-256"));
    assert_true(exists(dir, 0, ".db"));
    assert_false(exists(dir, 0, ".db.zst"));
    assert_false(exists(dir, 0, ".db.zst.new"));
    assert_true(exists(dir, 1, ".db.zst")); /* the others go on */
}

static void a_damaged_compressed_file_is_an_error_and_never_fewer_rows(void **state)
{
    const char *dir = *state;
    char path[4200];
    struct query_filter filter;
    struct query *query = NULL;
    struct ledger_row row;
    struct error error = {0};
    fill_ledger(dir);
    keep(dir, KEEP_PACKED);
    day_name(path, dir, 1, ".db.zst");
    flip_byte(path, 5000);
    struct reader *reader = open_reader(dir);
    query_filter_init(&filter);
    assert_int_equal(query_open(reader, &filter, &query, &error), STATUS_OK);
    enum status status;
    uint64_t n = 0;
    while ((status = query_next(query, &row, &error)) == STATUS_OK)
        n++;
    assert_int_equal(status, STATUS_CORRUPT);
    assert_int_equal(n, 1400);
    assert_non_null(strstr(error.message, "2018-08-09.db.zst"));
    query_close(query);
    reader_close(reader);
    assert_found(dir, NULL, "2018-08-09.db.zst");
}

static void a_missing_compressed_file_is_an_error(void **state)
{
    const char *dir = *state;
    char path[4200];
    struct error error = {0};
    struct ledger_row row;
    fill_ledger(dir);
    keep(dir, KEEP_PACKED);
    day_name(path, dir, 0, ".db.zst");
    assert_int_equal(unlink(path), 0);
    struct reader *reader = open_reader(dir);
    assert_int_equal(reader_row(reader, 5, &row, &error), STATUS_IO);
    assert_non_null(strstr(error.message, "2018-08-08.db.zst is missing"));
    assert_int_equal(reader_row(reader, 1410, &row, &error), STATUS_OK);
    reader_close(reader);
    assert_found(dir, NULL, "2018-08-08.db.zst is missing");
}

static void tiers_db_is_checked_against_the_record(void **state)
{
    const char *dir = *state;
    fill_ledger(dir);
    keep(dir, KEEPER_SEAL);
    assert_int_equal(
        execute(dir, "tiers", "UPDATE days SET sha256 = zeroblob(32) WHERE day = 17751"),
        STATUS_OK);
    assert_found(dir, NULL, "tiers.db, day 2018-08-08: not what row 4218 of the ledger");
}

static void the_cache_keeps_to_its_bound(void **state)
{
    const char *dir = *state;
    struct error error = {0};
    struct tier_policy policy = {.cache_bytes = 1};
    char command[4300];
    fill_ledger(dir);
    assert_int_equal(keep_as(dir, &policy, KEEP_PACKED, YEARS, &error), STATUS_OK);
    assert_all_there(dir);
    snprintf(command, sizeof command, "test $(ls '%s'/cache/*.db | wc -l) = 1", dir);
    assert_int_equal(system(command), 0);
}

static void a_reader_goes_on_while_its_day_is_sealed_and_compressed(void **state)
{
    const char *dir = *state;
    struct error error = {0};
    struct ledger_row row;
    fill_ledger(dir);
    struct reader *reader = open_reader(dir);
    assert_int_equal(reader_row(reader, 5, &row, &error), STATUS_OK);
    keep(dir, KEEPER_SEAL);
    assert_int_equal(reader_row(reader, 5, &row, &error), STATUS_OK);
    keep(dir, KEEP_PACKED);
    assert_int_equal(reader_row(reader, 5, &row, &error), STATUS_OK);
    assert_int_equal(row.index, 5);
    reader_close(reader);
}

static void a_dry_run_changes_nothing(void **state)
{
    const char *dir = *state;
    struct keeping keeping;
    struct error error = {0};
    struct tier_policy policy = {0};
    struct keeper_pass pass = {.steps = KEEP_PACKED, .now_us = DAY_ONE + YEARS, .dry_run = true};
    fill_ledger(dir);
    keeping_open(&keeping, dir, &policy);
    assert_int_equal(keeper_run(keeping.keeper, &pass, &error), STATUS_OK);
    keeping_close(&keeping);
    assert_false(exists(dir, 0, ".db.sha256"));
    assert_false(exists(dir, 0, ".db.zst"));
}

/* The keeper in a process of its own, killed `after_us` after its start. True: it got to its end.
 */
static bool keep_and_kill(const char *dir, int64_t after_us)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct error error = {0};
        struct tier_policy policy = {0};
        _exit(keep_as(dir, &policy, KEEP_PACKED, YEARS, &error) == STATUS_OK ? 0 : 1);
    }
    int status;
    usleep((useconds_t)after_us);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void nothing_is_lost_wherever_the_keeper_is_killed(void **state)
{
    const char *dir = *state;
    char copy[128];
    fill_ledger(dir);
    snprintf(copy, sizeof copy, "%s-copy", dir);
    for (int64_t step_us = 1000; step_us <= 8000; step_us *= 8) {
        bool done = false;
        copy_ledger(dir, copy);
        for (int i = 0; i < 40 && !done; i++) {
            done = keep_and_kill(copy, step_us + i * step_us / 2);
            if (i % 8 == 0)
                assert_all_there(copy);
        }
        keep(copy, KEEP_PACKED);
        assert_all_there(copy);
        for (int day = 0; day < 2; day++) {
            assert_true(exists(copy, day, ".db.zst"));
            assert_false(exists(copy, day, ".db"));
            assert_false(exists(copy, day, ".db.sealing"));
            assert_false(exists(copy, day, ".db.zst.new"));
        }
    }
    folder_remove(strdup(copy));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(seals_days_that_are_over),
        IN_FOLDER(sums_agree_with_sha256sum),
        IN_FOLDER(waits_for_the_grace_and_counts_it_from_when_the_day_was_written),
        IN_FOLDER(reads_the_same_rows_in_every_tier),
        IN_FOLDER(seals_once_and_says_so_in_the_record),
        IN_FOLDER(proves_rows_of_compressed_days),
        IN_FOLDER(finds_a_changed_byte_in_a_sealed_file_by_its_sum),
        IN_FOLDER(a_damaged_sealed_file_is_not_compressed),
        IN_FOLDER(a_damaged_compressed_file_is_an_error_and_never_fewer_rows),
        IN_FOLDER(a_missing_compressed_file_is_an_error),
        IN_FOLDER(tiers_db_is_checked_against_the_record),
        IN_FOLDER(the_cache_keeps_to_its_bound),
        IN_FOLDER(a_reader_goes_on_while_its_day_is_sealed_and_compressed),
        IN_FOLDER(a_dry_run_changes_nothing),
        IN_FOLDER(nothing_is_lost_wherever_the_keeper_is_killed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
