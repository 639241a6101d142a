/* The ledger when the power fails: on a disk that forgets what was not synced, what was reported
 * written is there, nothing is half there, and going on ends where an uninterrupted run ends. With
 * syncing off the same checks find what is missing, so they can. POWER_FAILURES: how many. */
#include "tests/unit/engine/record/load.h"

#include "tests/unit/disk/disk.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { FAILURES = 16 };
#else
enum { FAILURES = 100 };
#endif
enum { BATCHES = 200 };

/* Said to be on the disk when the disk stood at `moment`: so many entries. */
struct report {
    size_t moment;
    uint64_t entries;
};

struct run {
    char *dir;
    struct report reports[BATCHES];
    size_t n_reports, end;
    uint8_t leaves[LOAD_ENTRIES][SHA256_SIZE];
    uint64_t n_leaves;
    uint8_t root[SHA256_SIZE];
};

static size_t failures(void)
{
    const char *wanted = getenv("POWER_FAILURES");
    return wanted ? (size_t)strtoul(wanted, NULL, 10) : FAILURES;
}

static struct clock *start_clock(void)
{
    return clock_create_event(DAY_ONE);
}

static enum status keep_leaf(void *context, const struct ledger_row *row, struct error *error)
{
    struct run *run = context;
    struct buffer leaf;
    (void)error;
    buffer_init(&leaf, 1 << 20);
    assert_true(leaf_encode(row, &leaf));
    assert_int_equal(tree_leaf_hash(buffer_slice(&leaf), run->leaves[run->n_leaves++]), STATUS_OK);
    buffer_free(&leaf);
    return STATUS_OK;
}

static void note_end(struct run *run)
{
    struct error error = {0};
    uint64_t size;
    struct reader *reader = open_reader(run->dir);
    assert_int_equal(reader_scan(reader, 0, keep_leaf, run, &error), STATUS_OK);
    assert_int_equal(reader_head(reader, &size, run->root, &error), STATUS_OK);
    assert_int_equal(size, load_counts(LOAD_ENTRIES).leaves);
    assert_int_equal(run->n_leaves, size);
    reader_close(reader);
}

/* The uninterrupted run, but for one orderly restart in the middle, with every moment at which
 * something was said to be safe. */
static struct run *run_create(enum disk_syncing syncing)
{
    struct run *run = calloc(1, sizeof *run);
    struct clock *clock = start_clock();
    int source;
    assert_non_null(run);
    run->dir = folder_create();
    struct ledger *ledger = load_open(run->dir, clock, &source);
    close_ledger(ledger); /* has made the keys: pseudonyms are the same in all that follows */
    disk_begin(run->dir);
    disk_set_syncing(syncing);
    ledger = load_open(run->dir, clock, &source);
    for (uint64_t n = 0, batch = 0; n < LOAD_ENTRIES; batch++) {
        uint64_t ticket = load_submit(ledger, n, source);
        n += load_batch(n);
        if (batch % 3 == 1 && n < LOAD_ENTRIES)
            continue; /* the next goes in behind it */
        load_wait(ledger, ticket);
        run->reports[run->n_reports++] = (struct report){disk_moment(), n};
        if (n > LOAD_ENTRIES / 2 && batch % 20 == 0) {
            close_ledger(ledger);
            ledger = load_open(run->dir, clock, &source);
        }
    }
    close_ledger(ledger);
    run->end = disk_moment();
    clock_destroy(clock);
    note_end(run);
    return run;
}

static int run_destroy(void **state)
{
    struct run *run = *state;
    disk_end();
    folder_remove(run->dir);
    free(run);
    return 0;
}

static uint64_t reported(const struct run *run, size_t moment)
{
    uint64_t entries = 0;
    for (size_t i = 0; i < run->n_reports && run->reports[i].moment <= moment; i++)
        entries = run->reports[i].entries;
    return entries;
}

static enum status check_verify(const char *dir, struct error *error)
{
    struct verify_options options = {.dir = dir, .threads = 1, .max_bad = 1};
    struct verify_report report;
    enum status status = ledger_verify(&options, &report, error);
    if (status == STATUS_OK && !report.ok)
        status = error_set(error, STATUS_CORRUPT, "verify: %s", report.bad[0].where);
    verify_report_free(&report);
    return status;
}

static enum status check_person(void *context, const struct ledger_row *row, struct error *error)
{
    struct buffer original;
    buffer_init(&original, 4096);
    enum status status = row->kind == ROW_DECISION
                             ? ledger_reveal(context, row->entity, &original, error)
                             : STATUS_OK;
    buffer_free(&original);
    return status == STATUS_NOT_FOUND ? STATUS_CORRUPT : status; /* the former ends a scan well */
}

static enum status count_event(void *context, const struct quarantine_row *row, struct error *error)
{
    uint64_t *n = context;
    (void)error;
    (*n)++;
    assert_int_equal(row->id, *n);
    return STATUS_OK;
}

/* Beside the rows: people are known, quarantined events are there. */
static enum status check_others(const char *dir, struct ledger *ledger, uint64_t quarantined,
                                struct error *error)
{
    struct reader *reader = open_reader(dir);
    struct quarantine_filter filter;
    uint64_t n = 0;
    quarantine_filter_init(&filter);
    enum status status = reader_scan(reader, 0, check_person, ledger, error);
    if (status == STATUS_OK)
        status = quarantine_scan(reader, &filter, true, count_event, &n, error);
    reader_close(reader);
    if (status == STATUS_OK && n != quarantined)
        status = error_set(error, STATUS_CORRUPT, "%llu quarantined events of %llu",
                           (unsigned long long)n, (unsigned long long)quarantined);
    return status;
}

/* Rows, positions, quarantine and people are those of one moment, at which no less than `least`
 * entries had been reported. */
static enum status check_found(const struct run *run, const char *dir, struct ledger *ledger,
                               uint64_t least, struct error *error)
{
    struct ledger_stats stats;
    struct tree tree = {0};
    uint8_t root[SHA256_SIZE];
    uint64_t entries = load_position(ledger);
    struct load_counts counts = load_counts(entries);
    ledger_stats(ledger, &stats);
    if (entries < least || stats.tree_size != counts.leaves)
        return error_set(error, STATUS_CORRUPT, "%llu rows, position %llu; %llu were reported",
                         (unsigned long long)stats.tree_size, (unsigned long long)entries,
                         (unsigned long long)least);
    for (uint64_t i = 0; i < stats.tree_size; i++)
        assert_int_equal(tree_append(&tree, run->leaves[i]), STATUS_OK);
    assert_int_equal(tree_root(&tree, root), STATUS_OK);
    if (memcmp(root, stats.root, SHA256_SIZE) != 0)
        return error_set(error, STATUS_CORRUPT, "another root after %llu rows",
                         (unsigned long long)stats.tree_size);
    return check_others(dir, ledger, counts.quarantined, error);
}

/* Goes on to the end and compares with the run that was not interrupted. */
static enum status check_rest(const struct run *run, const char *dir, struct ledger *ledger,
                              int source, struct error *error)
{
    struct ledger_stats stats;
    load_rest(ledger, source);
    ledger_stats(ledger, &stats);
    if (stats.tree_size != run->n_leaves || memcmp(stats.root, run->root, SHA256_SIZE) != 0)
        return error_set(error, STATUS_CORRUPT, "in the end another root");
    return check_verify(dir, error);
}

/* What is found in `dir`; ends with the whole run in it. */
static enum status check_ledger(const struct run *run, const char *dir, uint64_t least,
                                struct error *error)
{
    struct ledger *ledger = NULL;
    struct clock *clock = start_clock();
    struct ledger_options options = {.dir = dir, .clock = clock};
    int source;
    enum status status = ledger_open(&options, &ledger, error);
    if (status == STATUS_OK)
        status = ledger_use_features(ledger, &FEATURES, error);
    if (status == STATUS_OK)
        status = ledger_source(ledger, "file", &source);
    if (status == STATUS_OK)
        status = check_found(run, dir, ledger, least, error);
    if (status == STATUS_OK)
        status = check_rest(run, dir, ledger, source, error);
    if (ledger)
        close_ledger(ledger);
    clock_destroy(clock);
    return status;
}

static enum status fail_at(const struct run *run, size_t moment, enum disk_crash crash,
                           uint64_t seed, struct error *error)
{
    char *dir = folder_create();
    disk_image(moment, crash, seed, dir);
    enum status status = check_ledger(run, dir, reported(run, moment), error);
    folder_remove(dir);
    return status;
}

/* The i-th of n failures: moments spread over the run. */
static size_t moment_of(const struct run *run, size_t i, size_t n)
{
    return (size_t)((double)run->end * ((double)i + 0.5) / (double)n);
}

static void whatever_the_disk_forgets_what_was_reported_is_there(void **state)
{
    struct error error = {0};
    struct run *run = *state = run_create(SYNCING_WORKS);
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
    struct run *run = *state = run_create(SYNCING_WORKS);
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
    struct run *run = *state = run_create(SYNCING_WORKS);
    char *first = folder_create();
    size_t moment = moment_of(run, 2, 3), n = failures() / 4;
    uint64_t least = reported(run, moment);
    disk_image(moment, CRASH_MIXED, 1, first);
    disk_end();
    disk_begin(first);
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
    disk_begin(run->dir);
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
    struct run *run = *state = run_create(syncing);
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
