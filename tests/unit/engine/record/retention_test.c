/* Deletion by policy: whole days from the oldest end, told by the record, and what is left is read,
 * proved and verified as before. */
#include "tests/unit/engine/record/tiers_fixture.h"

#include <sys/wait.h>

#include "engine/record/proof.h"
#include "engine/record/retention.h"

#define DAY_ROWS 1406u /* rows of one day of fill_ledger() */
#define ROWS     (3 * DAY_ROWS)

static enum status retain(const char *dir, int64_t keep_us, struct error *error)
{
    struct tier_policy policy = {.keep_us = keep_us};
    return keep_as(dir, &policy, KEEPER_ALL, YEARS, error);
}

static void retain_all_over(const char *dir)
{
    struct error error = {0};
    if (retain(dir, 0, &error) != STATUS_OK)
        fail_msg("%s", error.message);
}

static void assert_deleted(const char *dir, int day)
{
    assert_false(exists(dir, day, ".db"));
    assert_false(exists(dir, day, ".db.zst"));
    assert_false(exists(dir, day, ".db.sha256"));
}

static void deletes_days_whose_time_is_over(void **state)
{
    const char *dir = *state;
    struct verify_report report;
    fill_ledger(dir);
    retain_all_over(dir);
    assert_deleted(dir, 0);
    assert_deleted(dir, 1);
    assert_true(exists(dir, 2, ".db")); /* the writer's */
    verify_with(dir, NULL, &report);
    if (!report.ok)
        fail_msg("%s", report.bad[0].where);
    assert_int_equal(report.n_deleted, 2 * DAY_ROWS);
    assert_true(report.deleted_us > DAY_ONE);
    assert_int_equal(report.tree_size, ROWS + 4); /* two sealed, two deleted */
    verify_report_free(&report);
}

static void keeps_days_whose_time_is_not_over(void **state)
{
    const char *dir = *state;
    struct error error = {0};
    fill_ledger(dir);
    assert_int_equal(retain(dir, YEARS + US_PER_DAY, &error), STATUS_OK);
    assert_true(exists(dir, 0, ".db.zst"));
    assert_untouched(dir);
}

static void says_that_rows_were_deleted(void **state)
{
    const char *dir = *state;
    struct ledger_row row;
    struct deleted_rows rows;
    struct error error = {0};
    fill_ledger(dir);
    retain_all_over(dir);
    struct reader *reader = open_reader(dir);
    assert_int_equal(reader_row(reader, 5, &row, &error), STATUS_NOT_FOUND);
    assert_non_null(strstr(error.message, "rows 0 to 2811 of the ledger"));
    assert_non_null(strstr(error.message, "deleted by policy"));
    assert_int_equal(reader_row(reader, 2 * DAY_ROWS, &row, &error), STATUS_OK);
    assert_true(reader_deleted(reader, &rows));
    assert_int_equal(rows.n, 2 * DAY_ROWS);
    assert_int_equal(rows.until_us, DAY_ONE + 2 * US_PER_DAY);
    /* The row that says so. */
    assert_int_equal(reader_row(reader, ROWS + 1, &row, &error), STATUS_OK);
    assert_true(slice_equal(row.what, slice_of("ledger.delete")) ||
                slice_equal(row.what, slice_of("ledger.seal")));
    reader_close(reader);
}

static enum status count_row(void *context, const struct ledger_row *row, struct error *error)
{
    uint64_t *next = context;
    (void)error;
    assert_int_equal(row->index, *next);
    ++*next;
    return STATUS_OK;
}

static void scans_what_is_left(void **state)
{
    const char *dir = *state;
    struct error error = {0};
    uint64_t next = 2 * DAY_ROWS;
    fill_ledger(dir);
    retain_all_over(dir);
    struct reader *reader = open_reader(dir);
    assert_int_equal(reader_scan(reader, 0, count_row, &next, &error), STATUS_OK);
    assert_int_equal(next, ROWS + 4);
    reader_close(reader);
}

static void proves_rows_that_are_left(void **state)
{
    const char *dir = *state;
    struct error error = {0};
    struct proofs *proofs = NULL;
    struct proof_path path;
    struct buffer leaf;
    uint8_t before[SHA256_SIZE], root[SHA256_SIZE];
    fill_ledger(dir);
    struct reader *reader = open_reader(dir);
    assert_int_equal(proofs_open(reader, &proofs, &error), STATUS_OK);
    assert_int_equal(proof_root(proofs, ROWS, before, &error), STATUS_OK);
    proofs_close(proofs);
    reader_close(reader);
    retain_all_over(dir);
    reader = open_reader(dir);
    buffer_init(&leaf, 1 << 20);
    assert_int_equal(proofs_open(reader, &proofs, &error), STATUS_OK);
    assert_int_equal(proof_root(proofs, ROWS, root, &error), STATUS_OK);
    assert_memory_equal(before, root, SHA256_SIZE); /* the tree is the one it was */
    for (uint64_t index = 2 * DAY_ROWS; index < ROWS; index += 41) {
        uint8_t hash[SHA256_SIZE], stored[SHA256_SIZE];
        buffer_reset(&leaf);
        assert_int_equal(reader_leaf(reader, index, &leaf, stored, &error), STATUS_OK);
        assert_int_equal(tree_leaf_hash(buffer_slice(&leaf), hash), STATUS_OK);
        if (proof_inclusion(proofs, index, ROWS, &path, &error) != STATUS_OK)
            fail_msg("%s", error.message);
        assert_true(proof_includes(hash, index, ROWS, &path, root));
    }
    assert_int_equal(proof_consistency(proofs, 2 * DAY_ROWS, ROWS, &path, &error), STATUS_OK);
    assert_int_equal(proof_consistency(proofs, 3000, ROWS, &path, &error), STATUS_OK);
    assert_int_equal(proof_inclusion(proofs, 17, ROWS, &path, &error), STATUS_NOT_FOUND);
    assert_non_null(strstr(error.message, "deleted by policy"));
    proofs_close(proofs);
    reader_close(reader);
    buffer_free(&leaf);
}

static void put_hold(const char *dir, bool held)
{
    struct hold hold = {.held = held, .at_us = DAY_ONE + YEARS, .who = "anna", .reason = "case 17"};
    struct error error = {0};
    if (hold_put(dir, &hold, &error) != STATUS_OK)
        fail_msg("%s", error.message);
}

static void a_hold_stops_deletion_until_it_is_released(void **state)
{
    const char *dir = *state;
    struct reader *reader;
    struct ledger_row row;
    struct hold hold;
    struct error error = {0};
    fill_ledger(dir);
    put_hold(dir, true);
    assert_int_equal(hold_read(dir, &hold, &error), STATUS_OK);
    assert_true(hold.held);
    assert_string_equal(hold.reason, "case 17");
    retain_all_over(dir);
    assert_true(exists(dir, 0, ".db.zst"));
    reader = open_reader(dir);
    assert_int_equal(reader_row(reader, ROWS, &row, &error), STATUS_OK);
    assert_true(slice_equal(row.what, slice_of("ledger.hold")));
    assert_non_null(strstr(row.arguments.data, "\"who\":\"anna\",\"reason\":\"case 17\""));
    reader_close(reader);
    put_hold(dir, false);
    retain_all_over(dir);
    assert_deleted(dir, 0);
    assert_untouched(dir);
}

static void a_day_that_cannot_be_kept_in_order_stops_those_after_it(void **state)
{
    const char *dir = *state;
    char path[4200];
    struct error error = {0};
    fill_ledger(dir);
    keep(dir, KEEPER_SEAL);
    day_name(path, dir, 0, ".db");
    flip_byte(path, 16384 - 200);
    assert_int_equal(retain(dir, YEARS - US_PER_DAY, &error), STATUS_CORRUPT);
    assert_true(exists(dir, 0, ".db"));
    assert_true(exists(dir, 1, ".db.zst"));
}

static void what_tiers_db_says_of_deleted_days_is_checked(void **state)
{
    const char *dir = *state;
    fill_ledger(dir);
    retain_all_over(dir);
    assert_int_equal(
        execute(dir, "tiers", "UPDATE days SET tree_size = 2811 WHERE name = '2018-08-09'"),
        STATUS_OK);
    assert_found(dir, NULL, "tiers.db");
}

static bool retain_and_kill(const char *dir, int64_t after_us)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct error error = {0};
        _exit(retain(dir, 0, &error) == STATUS_OK ? 0 : 1);
    }
    int status;
    usleep((useconds_t)after_us);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void goes_on_wherever_it_is_killed(void **state)
{
    const char *dir = *state;
    fill_ledger(dir);
    keep(dir, KEEP_PACKED);
    bool done = false;
    for (int i = 0; i < 40 && !done; i++) {
        done = retain_and_kill(dir, 1000 + i * 1500);
        assert_untouched(dir);
    }
    retain_all_over(dir);
    assert_deleted(dir, 0);
    assert_deleted(dir, 1);
    assert_untouched(dir);
    struct reader *reader = open_reader(dir);
    uint64_t size;
    uint8_t root[SHA256_SIZE];
    struct error error = {0};
    assert_int_equal(reader_head(reader, &size, root, &error), STATUS_OK);
    assert_int_equal(size, ROWS + 4); /* nothing is said twice */
    reader_close(reader);
}

/* ---- the bytes of quarantined events ---- */

static enum status count_gone(void *context, const struct quarantine_row *row, struct error *error)
{
    int *counts = context;
    (void)error;
    counts[row->raw_deleted]++;
    assert_int_equal(row->raw.size, row->raw_deleted ? 0 : 13);
    assert_non_null(strstr(row->violations.data, "range"));
    return STATUS_OK;
}

static void count_raw(const char *dir, int *kept, int *gone)
{
    struct quarantine_filter filter;
    struct error error = {0};
    int counts[2] = {0};
    struct reader *reader = open_reader(dir);
    quarantine_filter_init(&filter);
    if (quarantine_scan(reader, &filter, true, count_gone, counts, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    reader_close(reader);
    *kept = counts[0];
    *gone = counts[1];
}

static void raw_bytes_are_deleted_when_their_time_is_over(void **state)
{
    const char *dir = *state;
    struct error error = {0};
    int kept, gone;
    struct tier_policy policy = {.raw_us = 48 * US_PER_HOUR};
    fill_ledger(dir);
    assert_int_equal(keep_as(dir, &policy, KEEPER_SEAL, 47 * US_PER_HOUR, &error), STATUS_OK);
    assert_false(exists(dir, 0, ".db.sha256")); /* it waits for them */
    count_raw(dir, &kept, &gone);
    assert_int_equal(kept, 9);
    assert_int_equal(keep_as(dir, &policy, KEEPER_SEAL, 49 * US_PER_HOUR, &error), STATUS_OK);
    assert_true(exists(dir, 0, ".db.sha256"));
    count_raw(dir, &kept, &gone);
    assert_int_equal(kept, 3); /* of the day that is not over */
    assert_int_equal(gone, 6);
    assert_untouched(dir);
}

static void raw_bytes_stay_when_the_policy_keeps_them(void **state)
{
    const char *dir = *state;
    struct error error = {0};
    int kept, gone;
    struct tier_policy policy = {.keep_raw = true};
    fill_ledger(dir);
    assert_int_equal(keep_as(dir, &policy, KEEP_PACKED, YEARS, &error), STATUS_OK);
    count_raw(dir, &kept, &gone);
    assert_int_equal(kept, 9);
    assert_untouched(dir);
}

static void what_is_left_of_an_event_is_still_checked(void **state)
{
    const char *dir = *state;
    fill_ledger(dir);
    keep(dir, KEEPER_SEAL);
    char path[4200];
    day_name(path, dir, 0, ".db");
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(execute(dir, "2018-08-08", "UPDATE quarantine SET part = 5 WHERE id = 2"),
                     STATUS_OK);
    assert_found(dir, NULL, "2018-08-08.db quarantine row 2: a field was changed");
}

static void bytes_that_no_policy_deleted_are_missed(void **state)
{
    const char *dir = *state;
    fill_ledger(dir);
    assert_int_equal(execute(dir, "2018-08-08",
                             "UPDATE quarantine SET sealed = CAST('binnacle-deleted-v1' AS BLOB) ||"
                             " zeroblob(32) WHERE id = 2"),
                     STATUS_OK);
    assert_found(dir, NULL, "quarantine row 2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(deletes_days_whose_time_is_over),
        IN_FOLDER(keeps_days_whose_time_is_not_over),
        IN_FOLDER(says_that_rows_were_deleted),
        IN_FOLDER(scans_what_is_left),
        IN_FOLDER(proves_rows_that_are_left),
        IN_FOLDER(a_hold_stops_deletion_until_it_is_released),
        IN_FOLDER(a_day_that_cannot_be_kept_in_order_stops_those_after_it),
        IN_FOLDER(what_tiers_db_says_of_deleted_days_is_checked),
        IN_FOLDER(goes_on_wherever_it_is_killed),
        IN_FOLDER(raw_bytes_are_deleted_when_their_time_is_over),
        IN_FOLDER(raw_bytes_stay_when_the_policy_keeps_them),
        IN_FOLDER(what_is_left_of_an_event_is_still_checked),
        IN_FOLDER(bytes_that_no_policy_deleted_are_missed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
