/* The ledger when the power fails: on a disk that forgets what was not synced, what was reported
 * written is there, nothing is half there, and going on ends where an uninterrupted run ends. With
 * syncing off the same checks find what is missing, so they can. POWER_FAILURES: how many. */
#include "tests/unit/disk/disk.h"
#include "tests/unit/engine/record/power.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { FAILURES = 16 };
#else
enum { FAILURES = 100 };
#endif
static size_t failures(void)
{
    const char *wanted = getenv("POWER_FAILURES");
    return wanted ? (size_t)strtoul(wanted, NULL, 10) : FAILURES;
}

/* The i-th of n failures: moments spread over the run. */
static size_t moment_of(const struct run *run, size_t i, size_t n)
{
    return (size_t)((double)run->end * ((double)i + 0.5) / (double)n);
}

static void whatever_the_disk_forgets_what_was_reported_is_there(void **state)
{
    struct error error = {0};
    struct run *run = *state = run_create(SYNCING_WORKS, NULL);
    size_t n = failures();
    for (size_t i = 0; i < n; i++) {
        enum disk_crash crash = i % 3 == 0 ? CRASH_LOST : CRASH_MIXED;
        if (fail_at(run, moment_of(run, i, n), crash, i, &error) != STATUS_OK)
            fail_msg("failure %zu of %zu: %s", i, n, error.message);
    }
}

static void at_each_report_the_worst_disk_has_it(void **state)
{
    struct error error = {0};
    struct run *run = *state = run_create(SYNCING_WORKS, NULL);
    size_t step = 1 + run->n_reports / failures();
    for (size_t i = 0; i < run->n_reports; i += step) {
        if (fail_at(run, run->reports[i].moment, CRASH_LOST, i, &error) != STATUS_OK)
            fail_msg("report %zu: %s", i, error.message);
    }
}

/* The first failure's folder is taken up, and the power fails again while that goes on. */
static void a_failure_while_going_on_after_a_failure_loses_nothing_either(void **state)
{
    struct error error = {0};
    struct run *run = *state = run_create(SYNCING_WORKS, NULL);
    char *first = folder_create();
    size_t moment = moment_of(run, 2, 3), n = failures() / 4;
    uint64_t least = reported(run, moment);
    disk_image(moment, CRASH_MIXED, 1, first);
    disk_end();
    disk_watch(first);
    if (check_ledger(run, first, least, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    run->end = disk_moment();
    run->n_reports = 1;
    run->reports[0] = (struct report){0, least};
    for (size_t i = 0; i < n; i++)
        if (fail_at(run, moment_of(run, i, n), i % 3 ? CRASH_MIXED : CRASH_LOST, i, &error))
            fail_msg("failure %zu of %zu: %s", i, n, error.message);
    folder_remove(first);
}

/* A new ledger in a folder that is made with it: whenever the power fails it opens, and if a row
 * was reported it is there with all that it needs. */
static void a_ledger_that_is_being_made_is_whole_or_begins_anew(void **state)
{
    struct run *run = *state = calloc(1, sizeof *run);
    struct clock *clock = start_clock();
    char path[4200];
    int source;
    run->dir = folder_create();
    snprintf(path, sizeof path, "%s/new/ledger", run->dir);
    disk_watch(run->dir);
    struct ledger *ledger = load_open(path, clock, &source);
    load_wait(ledger, load_submit(ledger, 0, source));
    size_t written = disk_moment();
    close_ledger(ledger);
    run->end = disk_moment();
    for (size_t moment = 0; moment <= run->end; moment += 1 + run->end / failures()) {
        char *dir = folder_create();
        disk_image(moment, moment % 2 ? CRASH_LOST : CRASH_MIXED, moment, dir);
        snprintf(path, sizeof path, "%s/new/ledger", dir);
        ledger = load_open(path, clock, &source);
        if (moment >= written)
            assert_int_equal(load_position(ledger), load_batch(0));
        struct error error = {0};
        load_rest(ledger, source);
        if (check_others(path, ledger, load_counts(LOAD_ENTRIES).quarantined, &error) ||
            check_verify(path, &error))
            fail_msg("moment %zu of %zu: %s", moment, run->end, error.message);
        close_ledger(ledger);
        folder_remove(dir);
    }
    clock_destroy(clock);
}

/* The control: these checks do find rows that are lost. */
static void finds_lost_rows(void **state, enum disk_syncing syncing)
{
    struct error error = {0};
    struct run *run = *state = run_create(syncing, NULL);
    size_t wrong = 0, n = 12;
    for (size_t i = 0; i < n; i++)
        wrong += fail_at(run, moment_of(run, i, n), CRASH_LOST, i, &error) != STATUS_OK;
    assert_true(wrong >= n - 3);
}

static void with_synchronous_off_lost_rows_are_found(void **state)
{
    finds_lost_rows(state, SYNCING_OFF);
}

static void on_a_disk_that_lies_lost_rows_are_found(void **state)
{
    finds_lost_rows(state, SYNCING_LIES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(whatever_the_disk_forgets_what_was_reported_is_there,
                                  run_destroy),
        cmocka_unit_test_teardown(at_each_report_the_worst_disk_has_it, run_destroy),
        cmocka_unit_test_teardown(a_failure_while_going_on_after_a_failure_loses_nothing_either,
                                  run_destroy),
        cmocka_unit_test_teardown(a_ledger_that_is_being_made_is_whole_or_begins_anew, run_destroy),
        cmocka_unit_test_teardown(with_synchronous_off_lost_rows_are_found, run_destroy),
        cmocka_unit_test_teardown(on_a_disk_that_lies_lost_rows_are_found, run_destroy),
    };
    disk_register();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
