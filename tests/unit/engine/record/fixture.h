/* Outcomes and folders for the tests of this room. */
#ifndef BINNACLE_TESTS_RECORD_FIXTURE_H
#define BINNACLE_TESTS_RECORD_FIXTURE_H

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/base/db.h"
#include "engine/record/ledger.h"
#include "engine/record/reader.h"
#include "engine/record/tree.h"

#define DAY_ONE INT64_C(1533686400000000) /* 2018-08-08T00:00:00Z */

static const struct field FIELDS[] = {
    {.name = "event_id", .type = FIELD_STRING, .required = true},
    {.name = "user_id", .type = FIELD_STRING, .required = true, .pii = true},
    {.name = "amount", .type = FIELD_FLOAT, .required = true},
    {.name = "event_ts", .type = FIELD_TIMESTAMP, .required = true},
};
static const struct schema SCHEMA = {.name = "payments",
                                     .version = "7",
                                     .fields = FIELDS,
                                     .n_fields = 4,
                                     .id = 0,
                                     .time = 3,
                                     .label = -1,
                                     .entity = 1};
static const char *const FEATURE_NAMES[] = {"amount", "count_1d", "mean_1d"};
static const struct feature_schema FEATURES = {FEATURE_NAMES, 3};

struct sample {
    struct event event;
    struct outcome outcome;
    struct reason reasons[2];
    float features[3];
    char id[32], entity[40], input[256];
};

/* The n-th event: everything about it follows from n. */
static inline struct ledger_entry sample_decision(struct sample *sample, uint64_t n, int64_t at_us,
                                                  int source)
{
    memset(sample, 0, sizeof *sample);
    snprintf(sample->id, sizeof sample->id, "EV%024llu", (unsigned long long)n);
    snprintf(sample->entity, sizeof sample->entity, "p-%032llx", (unsigned long long)(n % 97));
    snprintf(sample->input, sizeof sample->input,
             "{\"event_id\":\"%s\",\"user_id\":\"%s\",\"amount\":%llu}", sample->id, sample->entity,
             (unsigned long long)n);
    sample->event = (struct event){.schema = &SCHEMA,
                                   .position = {source, 0, (int64_t)n + 1},
                                   .received_us = at_us,
                                   .time_us = at_us - 5};
    sample->features[0] = (float)n;
    sample->features[1] = 1.5f;
    sample->features[2] = __builtin_nanf("");
    sample->reasons[0] = (struct reason){"R-AMOUNT", 0, (float)n, 0.25f};
    sample->reasons[1] = (struct reason){n % 2 ? "R-ODD" : "R-EVEN", 2, sample->features[2], -0.5f};
    sample->outcome = (struct outcome){
        .event = &sample->event,
        .features = {&FEATURES, sample->features},
        .margin = (float)(n % 13) - 6.0f,
        .score = (float)(n % 100) / 100.0f,
        .decision = (enum decision)(n % 3),
        .rule = n % 3 ? "high-score" : "default",
        .reasons = sample->reasons,
        .n_reasons = 2,
        .model = "fraud",
        .model_version = "3",
        .variant = n % 10 == 0 ? VARIANT_CANARY : VARIANT_CHAMPION,
        .shadows = {{"fraud", "4", 0.125f}},
        .n_shadows = n % 5 == 0,
        .decided_at_us = at_us,
        .latency_us = 85,
    };
    memcpy(sample->outcome.trace_id, &n, sizeof n);
    struct ledger_entry entry = {.kind = ENTRY_DECISION};
    entry.decision.outcome = &sample->outcome;
    entry.decision.event_id = slice_of(sample->id);
    entry.decision.entity = slice_of(sample->entity);
    entry.decision.input = slice_of(sample->input);
    return entry;
}

/* An event that broke the contract in three ways. `event` must live as long as the entry. */
static inline struct ledger_entry bad_event(struct event *event, const char *raw)
{
    *event = (struct event){.schema = &SCHEMA,
                            .raw = slice_of(raw),
                            .position = {-1, 0, 0},
                            .received_us = DAY_ONE,
                            .n_violations = 3};
    event->violations[0] = (struct violation){VIOLATION_RANGE, 2, NULL};
    event->violations[1] = (struct violation){VIOLATION_CHECK, -1, "not_weekend"};
    event->violations[2] = (struct violation){VIOLATION_RANGE, 2, NULL};
    struct ledger_entry entry = {.kind = ENTRY_QUARANTINE};
    entry.quarantine.event = event;
    return entry;
}

static inline char *folder_create(void)
{
    /* In memory where that can be: what the machine's own disk is busy with is no matter here. */
    char memory[] = "/dev/shm/binnacle-record-XXXXXX", disk[] = "/tmp/binnacle-record-XXXXXX";
    char *made = mkdtemp(memory);
    if (!made)
        made = mkdtemp(disk);
    assert_non_null(made);
    return strdup(made);
}

static inline void folder_remove(char *dir)
{
    char command[4200];
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    assert_int_equal(system(command), 0);
    free(dir);
}

static inline int make_folder(void **state)
{
    *state = folder_create();
    return 0;
}

static inline int remove_folder(void **state)
{
    folder_remove(*state);
    return 0;
}

/* A test that is given a folder of its own. */
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

static inline struct ledger *open_ledger(const char *dir, const struct clock *clock)
{
    struct ledger *ledger = NULL;
    struct error error = {0};
    struct ledger_options options = {.dir = dir, .clock = clock};
    if (ledger_open(&options, &ledger, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    if (ledger_use_features(ledger, &FEATURES, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return ledger;
}

static inline void close_ledger(struct ledger *ledger)
{
    struct error error = {0};
    if (ledger_close(ledger, &error) != STATUS_OK)
        fail_msg("%s", error.message);
}

/* Submits `n` decisions from event `first` on, in batches, a `step_us` apart. */
static inline void submit_decisions(struct ledger *ledger, uint64_t first, uint64_t n,
                                    int64_t start_us, int64_t step_us, int source)
{
    enum { BATCH = 100 };
    struct sample *samples = calloc(BATCH, sizeof *samples);
    struct ledger_entry entries[BATCH];
    struct error error = {0};
    for (uint64_t at = 0; at < n;) {
        size_t batch = 0;
        for (; batch < BATCH && at < n; batch++, at++)
            entries[batch] = sample_decision(&samples[batch], first + at,
                                             start_us + (int64_t)at * step_us, source);
        if (ledger_submit(ledger, entries, batch, SUBMIT_WAIT, NULL, &error) != STATUS_OK)
            fail_msg("%s", error.message);
    }
    free(samples);
}

static inline void flush_ledger(struct ledger *ledger)
{
    struct error error = {0};
    if (ledger_flush(ledger, 20000, &error) != STATUS_OK)
        fail_msg("%s", error.message);
}

static inline struct reader *open_reader(const char *dir)
{
    struct reader *reader = NULL;
    struct error error = {0};
    if (reader_open(dir, &reader, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return reader;
}

/* What somebody does to the file of the first day, behind the ledger's back. */
static inline void change_day(const char *dir, const char *sql)
{
    char path[4200];
    struct db *db;
    struct error error = {0};
    snprintf(path, sizeof path, "%s/2018-08-08.db", dir);
    assert_int_equal(db_open(path, DB_WRITE, DB_SYNC_FULL, &db, &error), STATUS_OK);
    if (db_exec(db, sql, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    db_close(db);
}

/* ---- the whole ledger ---- */

struct scan {
    uint64_t rows, decisions, labels, actions;
    struct tree tree;
    void (*look)(const struct ledger_row *row);
};

static inline enum status scan_row(void *context, const struct ledger_row *row, struct error *error)
{
    (void)error;
    struct scan *scan = context;
    struct buffer leaf;
    uint8_t hash[SHA256_SIZE];
    assert_int_equal(row->index, scan->rows);
    scan->rows++;
    scan->decisions += row->kind == ROW_DECISION;
    scan->labels += row->kind == ROW_LABEL;
    scan->actions += row->kind == ROW_ACTION;
    if (scan->look)
        scan->look(row);
    buffer_init(&leaf, 1 << 20);
    assert_true(leaf_encode(row, &leaf));
    assert_int_equal(tree_leaf_hash(buffer_slice(&leaf), hash), STATUS_OK);
    assert_int_equal(tree_append(&scan->tree, hash), STATUS_OK);
    buffer_free(&leaf);
    return STATUS_OK;
}

/* Rows come without gaps, and their leaves hash to the recorded root. `look`, unless it is NULL,
 * judges each. */
static inline struct scan scan_ledger(const char *dir, void (*look)(const struct ledger_row *row))
{
    struct scan scan = {.look = look};
    struct error error = {0};
    uint8_t root[SHA256_SIZE], expected[SHA256_SIZE];
    uint64_t size;
    struct reader *reader = open_reader(dir);
    if (reader_scan(reader, 0, scan_row, &scan, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    assert_int_equal(reader_head(reader, &size, root, &error), STATUS_OK);
    assert_int_equal(size, scan.rows);
    assert_int_equal(tree_root(&scan.tree, expected), STATUS_OK);
    assert_memory_equal(root, expected, SHA256_SIZE);
    reader_close(reader);
    return scan;
}

#endif
