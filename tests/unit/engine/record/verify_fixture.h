/* What tests of ledger verify share: a ledger with something in every table, and changes to copies
 * of it. */
#ifndef BINNACLE_TESTS_RECORD_VERIFY_FIXTURE_H
#define BINNACLE_TESTS_RECORD_VERIFY_FIXTURE_H

#include "tests/unit/engine/record/fixture.h"

#include "engine/base/db.h"
#include "engine/record/verify.h"

/* ---- a ledger with something in every table ---- */

static inline void submit_all(struct ledger *ledger, struct ledger_entry *entries, size_t n)
{
    struct error error = {0};
    if (ledger_submit(ledger, entries, n, SUBMIT_WAIT, NULL, &error) != STATUS_OK)
        fail_msg("%s", error.message);
}

static inline void submit_others(struct ledger *ledger, int64_t at_us, int source)
{
    struct event event = {.schema = &SCHEMA,
                          .received_us = at_us,
                          .position = {source, 0, 900000},
                          .raw = slice_of("{\"amount\":-1}"),
                          .violations = {{.field = 2, .code = VIOLATION_RANGE}},
                          .n_violations = 1};
    struct ledger_entry entries[] = {
        {.kind = ENTRY_LABEL, .position = {source, 1, 17}},
        {.kind = ENTRY_ACTION, .position = {source, 2, 18}},
        {.kind = ENTRY_QUARANTINE},
        {.kind = ENTRY_QUARANTINE_MARK, .position = {-1, 0, 0}},
    };
    entries[0].label.event_id = slice_of("EV000000000000000000000003");
    entries[0].label.label = 1;
    entries[0].label.observed_us = at_us - 1;
    entries[0].label.at_us = at_us;
    entries[1].action.who = "anna";
    entries[1].action.what = "traffic.set";
    entries[1].action.arguments = slice_of("{\"canary\":5}");
    entries[1].action.at_us = at_us + 1;
    entries[2].quarantine.event = &event;
    entries[3].mark.id = 1;
    entries[3].mark.status = QUARANTINE_RETRIED;
    entries[3].mark.at_us = at_us + 2;
    for (int i = 0; i < 3; i++) {
        submit_all(ledger, entries, 4);
        flush_ledger(ledger);
    }
}

/* Three days: groups of many sizes, all kinds of rows, runs of the event index, nodes, heads. */
static inline void fill_ledger(const char *dir)
{
    struct clock *clock = clock_create_event(DAY_ONE);
    struct ledger *ledger = open_ledger(dir, clock);
    int source = 0;
    assert_int_equal(ledger_source(ledger, "file", &source), STATUS_OK);
    for (int day = 0; day < 3; day++) {
        int64_t start_us = DAY_ONE + day * US_PER_DAY;
        submit_decisions(ledger, (uint64_t)day * 2000, 1100, start_us, 1000, source);
        flush_ledger(ledger);
        submit_others(ledger, start_us + US_PER_HOUR, source);
        submit_decisions(ledger, (uint64_t)day * 2000 + 1100, 300, start_us + 2 * US_PER_HOUR, 1000,
                         source);
        flush_ledger(ledger);
    }
    close_ledger(ledger);
    clock_destroy(clock);
}

static inline void copy_ledger(const char *from, const char *to)
{
    char command[14000];
    snprintf(command, sizeof command, "rm -rf '%s' && cp -r '%s' '%s'", to, from, to);
    assert_int_equal(system(command), 0);
}

static inline void verify_with(const char *dir, const struct signed_head *head,
                               struct verify_report *report)
{
    struct error error = {0};
    struct verify_options options = {
        .dir = dir, .heads = head, .n_heads = head != NULL, .threads = 2, .max_bad = 100};
    if (ledger_verify(&options, report, &error) != STATUS_OK)
        fail_msg("%s", error.message);
}

static inline void assert_untouched(const char *dir)
{
    struct verify_report report;
    verify_with(dir, NULL, &report);
    if (!report.ok)
        fail_msg("%zu findings, the first: %s", report.n_kept, report.bad[0].where);
    verify_report_free(&report);
}

static inline bool mentions(const struct verify_report *report, const char *word)
{
    for (size_t i = 0; i < report->n_kept; i++)
        if (strstr(report->bad[i].where, word))
            return true;
    return false;
}

static inline struct db *open_file(const char *dir, const char *day)
{
    char path[9000];
    struct db *db;
    struct error error = {0};
    snprintf(path, sizeof path, "%s/%s.db", dir, day);
    if (db_open(path, DB_WRITE, DB_SYNC_OFF, &db, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return db;
}

static inline enum status execute(const char *dir, const char *day, const char *sql)
{
    struct error error = {0};
    struct db *db = open_file(dir, day);
    enum status status = db_exec(db, sql, &error);
    if (status == STATUS_OK && db_changes(db) == 0)
        status = STATUS_NOT_FOUND;
    db_close(db);
    return status;
}

static inline void assert_found(const char *dir, const struct signed_head *head, const char *word)
{
    struct verify_report report;
    verify_with(dir, head, &report);
    assert_false(report.ok);
    if (!mentions(&report, word))
        fail_msg("'%s' is not said; the first of %zu: %s", word, report.n_kept,
                 report.bad[0].where);
    verify_report_free(&report);
}

/* ---- every column of every table ---- */

struct place {
    char table[64], column[64], key[200];
    bool whole_number;
};

static inline size_t list_columns(const char *dir, const char *day, struct place *places,
                                  size_t capacity)
{
    struct db *db = open_file(dir, day);
    struct db_stmt *select;
    struct error error;
    size_t n = 0;
    /* One row a column; the primary key of its table beside it. */
    assert_int_equal(
        db_prepare(
            db,
            "SELECT t.name, c.name, (SELECT group_concat('\"' || k.name || '\"') FROM"
            " pragma_table_info(t.name) k WHERE k.pk > 0), c.type = 'INTEGER' FROM sqlite_master t"
            " JOIN pragma_table_info(t.name) c WHERE t.type = 'table'"
            " AND t.name NOT LIKE 'sqlite%' ORDER BY 1, c.cid",
            &select, &error),
        STATUS_OK);
    while (db_step(select, &error) == STATUS_OK) {
        assert_true(n < capacity);
        snprintf(places[n].table, 64, SLICE_FORMAT, SLICE_ARGS(db_text(select, 0)));
        snprintf(places[n].column, 64, SLICE_FORMAT, SLICE_ARGS(db_text(select, 1)));
        snprintf(places[n].key, 200, SLICE_FORMAT, SLICE_ARGS(db_text(select, 2)));
        places[n].whole_number = db_int(select, 3);
        n++;
    }
    db_finish(select);
    db_close(db);
    return n;
}

#endif
