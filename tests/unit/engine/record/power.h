/* A run of the load on a disk that can lose what was not synced, and what is checked in the folder
 * that is found after a power failure. */
#ifndef BINNACLE_TESTS_RECORD_POWER_H
#define BINNACLE_TESTS_RECORD_POWER_H

#include "tests/unit/disk/disk.h"
#include "tests/unit/engine/record/load.h"

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
    struct ledger_stats stats; /* before the last close */
};

static inline struct clock *start_clock(void)
{
    return clock_create_event(DAY_ONE);
}

static inline enum status keep_leaf(void *context, const struct ledger_row *row,
                                    struct error *error)
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

static inline void note_end(struct run *run)
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

/* The uninterrupted run, with every moment at which something was said to be safe. With orderly
 * restarts in between, or with a fault (NULL: none) that the ledger has to get over. */
static inline struct run *run_create(enum disk_syncing syncing, const struct disk_fault *fault)
{
    struct run *run = calloc(1, sizeof *run);
    struct clock *clock = start_clock();
    int source;
    assert_non_null(run);
    run->dir = folder_create();
    struct ledger *ledger = load_open(run->dir, clock, &source);
    close_ledger(ledger); /* has made the keys: pseudonyms are the same in all that follows */
    disk_watch(run->dir);
    disk_set_syncing(syncing);
    disk_fail(fault);
    ledger = load_open(run->dir, clock, &source);
    for (uint64_t n = 0, batch = 0; n < LOAD_ENTRIES; batch++) {
        uint64_t ticket = load_submit(ledger, n, source);
        n += load_batch(n);
        if (batch % 3 == 1 && n < LOAD_ENTRIES)
            continue; /* the next goes in behind it */
        load_wait(ledger, ticket);
        run->reports[run->n_reports++] = (struct report){disk_moment(), n};
        if (n > LOAD_ENTRIES / 2 && batch % 20 == 0 && !fault) {
            close_ledger(ledger);
            ledger = load_open(run->dir, clock, &source);
        }
    }
    ledger_stats(ledger, &run->stats);
    close_ledger(ledger);
    run->end = disk_moment();
    clock_destroy(clock);
    note_end(run);
    return run;
}

static inline int run_destroy(void **state)
{
    struct run *run = *state;
    if (!run)
        return 0;
    disk_end();
    folder_remove(run->dir);
    free(run);
    return 0;
}

static inline uint64_t reported(const struct run *run, size_t moment)
{
    uint64_t entries = 0;
    for (size_t i = 0; i < run->n_reports && run->reports[i].moment <= moment; i++)
        entries = run->reports[i].entries;
    return entries;
}

static inline enum status check_verify(const char *dir, struct error *error)
{
    struct verify_options options = {.dir = dir, .threads = 1, .max_bad = 1};
    struct verify_report report;
    enum status status = ledger_verify(&options, &report, error);
    if (status == STATUS_OK && !report.ok)
        status = error_set(error, STATUS_CORRUPT, "verify: %s", report.bad[0].where);
    verify_report_free(&report);
    return status;
}

static inline enum status check_person(void *context, const struct ledger_row *row,
                                       struct error *error)
{
    struct buffer original;
    buffer_init(&original, 4096);
    enum status status = row->kind == ROW_DECISION
                             ? ledger_reveal(context, row->entity, &original, error)
                             : STATUS_OK;
    buffer_free(&original);
    return status == STATUS_NOT_FOUND ? STATUS_CORRUPT : status; /* the former ends a scan well */
}

static inline enum status count_event(void *context, const struct quarantine_row *row,
                                      struct error *error)
{
    uint64_t *n = context;
    (void)error;
    (*n)++;
    assert_int_equal(row->id, *n);
    return STATUS_OK;
}

/* Beside the rows: people are known, quarantined events are there. */
static inline enum status check_others(const char *dir, struct ledger *ledger, uint64_t quarantined,
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
static inline enum status check_found(const struct run *run, const char *dir, struct ledger *ledger,
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
static inline enum status check_rest(const struct run *run, const char *dir, struct ledger *ledger,
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
static inline enum status check_ledger(const struct run *run, const char *dir, uint64_t least,
                                       struct error *error)
{
    struct ledger *ledger = NULL;
    struct clock *clock = start_clock();
    struct ledger_options options = {.dir = dir, .clock = clock, .log_pages = LOAD_LOG_PAGES};
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

static inline enum status fail_at(const struct run *run, size_t moment, enum disk_crash crash,
                                  uint64_t seed, struct error *error)
{
    char *dir = folder_create();
    disk_image(moment, crash, seed, dir);
    enum status status = check_ledger(run, dir, reported(run, moment), error);
    folder_remove(dir);
    return status;
}

#endif
