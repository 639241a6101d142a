/* The log of the day file is moved beside the commits: none of them waits for it, and under steady
 * load it stays short all the same. */
#include "tests/unit/disk/disk.h"
#include "tests/unit/engine/record/load.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGE = 16384, LIMIT = 48, ROUNDS = 400 };

static struct ledger *open_short(const char *dir, const struct clock *clock)
{
    struct ledger *ledger = NULL;
    struct error error = {0};
    struct ledger_options options = {.dir = dir, .clock = clock, .log_pages = LIMIT};
    if (ledger_open(&options, &ledger, &error) != STATUS_OK ||
        ledger_use_features(ledger, &FEATURES, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return ledger;
}

static int64_t log_pages(const char *dir)
{
    char path[4200];
    struct stat about;
    snprintf(path, sizeof path, "%s/2018-08-08.db-wal", dir);
    return stat(path, &about) == 0 ? about.st_size / (PAGE + 24) : 0;
}

static void write_round(struct ledger *ledger, uint64_t round)
{
    submit_decisions(ledger, round * 20, 20, DAY_ONE + (int64_t)round, 0, -1);
    flush_ledger(ledger);
}

static void wait_until_held(void)
{
    for (int i = 0; i < 20000 && disk_held() == 0; i++)
        usleep(1000);
    assert_int_equal(disk_held(), 1);
}

static void commits_go_on_while_a_move_waits_for_the_disk(void **state)
{
    char *dir = *state;
    struct clock *clock = clock_create_event(DAY_ONE);
    struct ledger *ledger = open_short(dir, clock);
    struct ledger_stats stats;
    uint64_t round = 0;
    disk_watch(dir);
    write_round(ledger, round++);
    disk_hold_syncs("08.db");
    while (log_pages(dir) < LIMIT)
        write_round(ledger, round++);
    /* No more is written before the move began: a log four times too long the writer would move
     * itself, and then every commit would wait. */
    wait_until_held();
    /* The disk has not yet said that the moved pages are safe, and does not for long. */
    for (int i = 0; i < 30; i++)
        write_round(ledger, round++);
    assert_int_equal(disk_held(), 1);
    ledger_stats(ledger, &stats);
    assert_int_equal(stats.tree_size, round * 20);
    assert_int_equal(stats.health, LEDGER_OK);
    disk_hold_syncs(NULL);
    close_ledger(ledger);
    disk_end();
    clock_destroy(clock);
}

/* How long it gets depends on who gets the processor; that it begins anew again and again does not:
 * else it would be as long as all that was written. */
static void under_steady_load_the_log_stays_short(void **state)
{
    char *dir = *state;
    struct clock *clock = clock_create_event(DAY_ONE);
    struct ledger *ledger = open_short(dir, clock);
    int64_t longest = 0, written = 0;
    for (uint64_t round = 0; round < ROUNDS || written < 10 * longest; round++) {
        assert_true(round < 50 * ROUNDS);
        write_round(ledger, round);
        int64_t pages = log_pages(dir);
        longest = pages > longest ? pages : longest;
        written += 8; /* at least so many pages a commit */
    }
    assert_true(longest >= LIMIT);
    close_ledger(ledger);
    assert_int_equal(log_pages(dir), 0);
    clock_destroy(clock);
}

static void a_move_that_fails_loses_nothing_and_is_made_good(void **state)
{
    char *dir = *state;
    struct clock *clock = clock_create_event(DAY_ONE);
    struct ledger *ledger = open_short(dir, clock);
    struct ledger_stats stats = {0};
    uint64_t round = 0;
    disk_watch(dir);
    write_round(ledger, round++);
    disk_fail(&(struct disk_fault){CALL_SYNC, "08.db", .times = 1, .error = EIO, .evicted = true});
    while (stats.reopened == 0) {
        write_round(ledger, round++);
        ledger_stats(ledger, &stats);
        assert_true(round < ROUNDS);
    }
    assert_int_equal(disk_failed(), 1);
    assert_int_equal(stats.health, LEDGER_OK);
    close_ledger(ledger);
    disk_end();
    struct error error = {0};
    struct verify_options options = {.dir = dir, .threads = 1, .max_bad = 1};
    struct verify_report report;
    assert_int_equal(ledger_verify(&options, &report, &error), STATUS_OK);
    if (!report.ok)
        fail_msg("%s", report.bad[0].where);
    assert_int_equal(report.n_rows, round * 20);
    verify_report_free(&report);
    clock_destroy(clock);
}

static int set_up(void **state)
{
    *state = folder_create();
    return 0;
}

static int tear_down(void **state)
{
    disk_hold_syncs(NULL);
    disk_end();
    folder_remove(*state);
    return 0;
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(commits_go_on_while_a_move_waits_for_the_disk),
        T(under_steady_load_the_log_stays_short),
        T(a_move_that_fails_loses_nothing_and_is_made_good),
    };
    disk_register();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
