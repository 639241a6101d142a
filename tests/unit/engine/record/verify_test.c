/* ledger verify: rows, files and heads that were taken out, exchanged, cut or put back are found.
 */
#include "tests/unit/engine/record/verify_fixture.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "engine/base/hash.h"

static void rows_taken_out_exchanged_or_added_are_found(void **state)
{
    static const struct {
        const char *sql, *word;
    } changes[] = {
        {"DELETE FROM decisions WHERE idx = 1500", "row 1500 is missing"},
        {"DELETE FROM decisions WHERE idx BETWEEN 1500 AND 1599", "rows 1500 to 1599 are missing"},
        {"DELETE FROM labels", "is missing"},
        {"UPDATE decisions SET idx = -1 WHERE idx = 1500;"
         "UPDATE decisions SET idx = 1500 WHERE idx = 1600;"
         "UPDATE decisions SET idx = 1600 WHERE idx = -1",
         "do not lead to the root"},
        {"INSERT INTO decisions SELECT 900000, event_id, entity, event_us, decided_us, source, "
         "part,"
         " offset, contract, contract_version, input, feature_set, features, score, margin, "
         "decision,"
         " rule, reasons, model, model_version, variant, shadows, trace_id, latency_us, leaf_hash"
         " FROM decisions WHERE idx = 1500",
         "belong to no group"},
        {"DELETE FROM quarantine WHERE id = 5", "quarantine row 5 is missing"},
        {"DELETE FROM quarantine_marks WHERE n = 2", "quarantine_marks"},
        {"DELETE FROM commits WHERE id = (SELECT min(id) + 1 FROM commits)", "commits"},
        {"DELETE FROM names WHERE id = (SELECT max(id) FROM names)", "names"},
        {"DELETE FROM nodes", "nodes"},
        {"DELETE FROM positions WHERE part = 1", "positions"},
        {"DELETE FROM event_keys WHERE bucket = 3", "event_keys"},
        {"DELETE FROM state", "state is missing"},
        {"UPDATE decisions SET decision = 0, leaf_hash = zeroblob(32) WHERE idx = 1501",
         "do not lead to the root"},
    };
    char copy[4200];
    fill_ledger(*state);
    snprintf(copy, sizeof copy, "%s-copy", (const char *)*state);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        copy_ledger(*state, copy);
        if (execute(copy, "2018-08-09", changes[i].sql) != STATUS_OK)
            fail_msg("%s", changes[i].sql);
        assert_found(copy, NULL, changes[i].word);
    }
    folder_remove(strdup(copy));
}

static void shell(const char *format, const char *dir)
{
    char command[9000];
    snprintf(command, sizeof command, format, dir);
    assert_int_equal(system(command), 0);
}

static void read_head(const char *dir, struct signed_head *head)
{
    uint8_t key[PUBLIC_KEY_SIZE];
    struct error error = {0};
    struct reader *reader = open_reader(dir);
    if (reader_signed_head(reader, head, key, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    reader_close(reader);
}

static void files_taken_away_cut_or_put_back_are_found(void **state)
{
    char copy[4200];
    struct signed_head head;
    fill_ledger(*state);
    read_head(*state, &head);
    snprintf(copy, sizeof copy, "%s-copy", (const char *)*state);

    copy_ledger(*state, copy);
    shell("rm '%s/2018-08-09.db'", copy);
    assert_found(copy, NULL, "a day file or its last rows are missing");

    copy_ledger(*state, copy);
    shell("rm '%s/2018-08-10.db'", copy);
    assert_untouched(copy); /* what a shorter ledger looks like: only a head kept elsewhere tells */
    assert_found(copy, &head, "taken out, or an older copy");

    copy_ledger(*state, copy);
    shell("truncate -s 40000 '%s/2018-08-09.db'", copy);
    assert_found(copy, NULL, "2018-08-09.db");
    copy_ledger(*state, copy);
    shell("truncate -s 0 '%s/2018-08-09.db'", copy);
    assert_found(copy, NULL, "a day file or its last rows are missing");
    copy_ledger(*state, copy);
    shell("head -c 100000 /dev/urandom > '%s/2018-08-09.db'", copy);
    assert_found(copy, NULL, "2018-08-09.db");
    folder_remove(strdup(copy));
}

static void files_cut_or_missing_are_seen_without_looking_at_rows(void **state)
{
    static const char *const damage[] = {"truncate -s 300000 '%s/2018-08-09.db'",
                                         "rm '%s/2018-08-09.db'",
                                         "head -c 100000 /dev/urandom > '%s/2018-08-09.db'"};
    char copy[4200];
    struct error error = {0};
    fill_ledger(*state);
    assert_int_equal(ledger_check_files(*state, &error), STATUS_OK);
    snprintf(copy, sizeof copy, "%s-copy", (const char *)*state);
    for (size_t i = 0; i < sizeof damage / sizeof *damage; i++) {
        copy_ledger(*state, copy);
        shell(damage[i], copy);
        assert_int_equal(ledger_check_files(copy, &error), STATUS_CORRUPT);
        assert_non_null(strstr(error.message, "2018-08-"));
    }
    folder_remove(strdup(copy));
}

static void a_head_kept_elsewhere_must_be_of_this_past(void **state)
{
    struct signed_head head, other;
    struct verify_report report;
    fill_ledger(*state);
    read_head(*state, &head);
    verify_with(*state, &head, &report);
    assert_true(report.ok);
    verify_report_free(&report);

    other = head;
    other.root[0] ^= 1;
    assert_found(*state, &other, "does not fit the ledger's key");

    /* Everything changed and hashed anew, with the true key: what its holder could do. */
    char *second = folder_create(), keys[9000];
    snprintf(keys, sizeof keys, "cp -r '%s/keys' '%s/'", (const char *)*state, second);
    assert_int_equal(system(keys), 0);
    struct clock *clock = clock_create_event(DAY_ONE);
    struct ledger *ledger = open_ledger(second, clock);
    submit_decisions(ledger, 7, head.tree_size + 5, DAY_ONE, 1, -1);
    close_ledger(ledger);
    clock_destroy(clock);
    assert_untouched(second);
    assert_found(second, &head, "kept elsewhere over");
    folder_remove(second);
}

static void heads_by_another_key_are_found(void **state)
{
    fill_ledger(*state);
    shell("rm '%1$s/keys/head.key' && head -c 32 /dev/urandom > '%1$s/keys/head.key'"
          " && chmod 600 '%1$s/keys/head.key'",
          *state);
    assert_found(*state, NULL, "head");
}

/* The same rows go into two copies, quarantined bytes are sealed anew in each: the second has good
 * digests of its own, and what the first one's key has signed is put into it. */
static void forge_rest(const char *dir, const char *copy)
{
    struct clock *clock = clock_create_event(DAY_ONE);
    struct ledger *ledger = open_ledger(dir, clock);
    submit_others(ledger, DAY_ONE, -1);
    close_ledger(ledger);
    copy_ledger(dir, copy);
    shell("head -c 32 /dev/urandom > '%s/keys/head.key'", copy);
    const char *const both[] = {dir, copy};
    for (int i = 0; i < 2; i++) {
        ledger = open_ledger(both[i], clock);
        submit_others(ledger, DAY_ONE + US_PER_HOUR, -1);
        close_ledger(ledger);
    }
    clock_destroy(clock);
    char command[9000];
    snprintf(command, sizeof command, "cp '%s/keys/head.key' '%s/keys/head.key'", dir, copy);
    assert_int_equal(system(command), 0);
}

static void what_is_no_leaf_changed_and_computed_anew_is_found(void **state)
{
    static const struct {
        const char *rest_head, *word;
    } ways[] = {
        {"SELECT 1", "rest_head does not fit its signature"},
        {"REPLACE INTO rest_head SELECT * FROM a.rest_head", "not those that were signed"},
        {"DELETE FROM rest_head", "is missing"},
        {"REPLACE INTO rest_head SELECT * FROM b.rest_head", "older than the newest head"},
    };
    char dir[4200], copy[4200], before[4200], forged[4200], sql[14000];
    struct clock *clock = clock_create_event(DAY_ONE);
    snprintf(dir, sizeof dir, "%s/ledger", (const char *)*state);
    snprintf(copy, sizeof copy, "%s/copy", (const char *)*state);
    snprintf(before, sizeof before, "%s/before", (const char *)*state);
    snprintf(forged, sizeof forged, "%s/forged", (const char *)*state);
    struct ledger *ledger = open_ledger(dir, clock);
    submit_others(ledger, DAY_ONE, -1);
    close_ledger(ledger);
    clock_destroy(clock);
    copy_ledger(dir, before);
    forge_rest(dir, copy);
    assert_untouched(dir);
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        copy_ledger(copy, forged);
        snprintf(sql, sizeof sql,
                 "ATTACH '%s/2018-08-08.db' AS a; ATTACH '%s/2018-08-08.db' AS b;"
                 "DELETE FROM heads; INSERT INTO heads SELECT * FROM a.heads;"
                 "DELETE FROM head_keys; INSERT INTO head_keys SELECT * FROM a.head_keys; %s",
                 dir, before, ways[i].rest_head);
        assert_int_equal(execute(forged, "2018-08-08", sql), STATUS_OK);
        assert_found(forged, NULL, ways[i].word);
    }
}

static void an_older_format_is_checked_as_far_as_it_goes(void **state)
{
    static const char to_version_1[] =
        "DROP TABLE rest_head; DROP TABLE heads; DROP TABLE head_keys; DROP TABLE nodes;"
        "ALTER TABLE quarantine DROP COLUMN digest; ALTER TABLE commits DROP COLUMN names;"
        "ALTER TABLE commits DROP COLUMN next_quarantine; ALTER TABLE commits DROP COLUMN marks;"
        "ALTER TABLE commits DROP COLUMN rest; ALTER TABLE state DROP COLUMN rest;"
        "ALTER TABLE state DROP COLUMN digest; PRAGMA user_version = 1;"
        "UPDATE commits SET id = id"; /* so that there is a change to count */
    struct clock *clock = clock_create_event(DAY_ONE);
    fill_ledger(*state);
    for (int day = 8; day <= 10; day++) {
        char name[16];
        snprintf(name, sizeof name, "2018-08-%02d", day);
        assert_int_equal(execute(*state, name, to_version_1), STATUS_OK);
    }
    shell("rm '%s/keys/head.key'", *state);
    assert_untouched(*state);

    /* ... and goes on in the new one, in the middle of a day. */
    struct ledger *ledger = open_ledger(*state, clock);
    int64_t now_us = DAY_ONE + 2 * US_PER_DAY + 3 * US_PER_HOUR;
    submit_decisions(ledger, 50000, 1500, now_us, 1000, -1);
    submit_others(ledger, now_us + US_PER_HOUR, -1);
    submit_decisions(ledger, 60000, 100, now_us + US_PER_DAY, 1000, -1);
    close_ledger(ledger);
    clock_destroy(clock);
    assert_untouched(*state);
    assert_int_equal(
        execute(*state, "2018-08-08", "UPDATE decisions SET latency_us = 84 WHERE idx = 77"),
        STATUS_OK);
    assert_found(*state, NULL, "decisions.latency_us");
}

/* The format before this one: digests that nobody signed. */
static void the_format_before_is_checked_and_gone_on_with(void **state)
{
    struct clock *clock = clock_create_event(DAY_ONE);
    fill_ledger(*state);
    for (int day = 8; day <= 10; day++) {
        char name[16];
        snprintf(name, sizeof name, "2018-08-%02d", day);
        assert_int_equal(execute(*state, name,
                                 "DROP TABLE rest_head; PRAGMA user_version = 2;"
                                 "UPDATE commits SET id = id"),
                         STATUS_OK);
    }
    assert_untouched(*state);
    struct ledger *ledger = open_ledger(*state, clock);
    submit_others(ledger, DAY_ONE + 2 * US_PER_DAY + 3 * US_PER_HOUR, -1);
    close_ledger(ledger);
    clock_destroy(clock);
    assert_untouched(*state);
    assert_int_equal(execute(*state, "2018-08-10", "DELETE FROM rest_head"), STATUS_OK);
    assert_found(*state, NULL, "rest_head");
}

static void a_service_that_writes_does_not_disturb(void **state)
{
    struct clock *clock = clock_create_event(DAY_ONE);
    struct ledger *ledger = open_ledger(*state, clock);
    for (uint64_t i = 0; i < 20; i++) {
        submit_decisions(ledger, i * 300, 300, DAY_ONE + (int64_t)i * 3 * US_PER_HOUR, 1000, -1);
        assert_untouched(*state);
    }
    close_ledger(ledger);
    clock_destroy(clock);
}

/* ---- bits ---- */

/* Everything that can be read out of a file; 0: it cannot be. */
static uint64_t content(const char *dir, const char *day)
{
    static struct place places[200];
    char path[9000];
    uint64_t sum = 1;
    struct db *db;
    struct db_stmt *select;
    struct error error;
    snprintf(path, sizeof path, "%s/%s.db", dir, day);
    if (db_open(path, DB_READ, DB_SYNC_OFF, &db, &error) != STATUS_OK)
        return 0;
    db_close(db);
    size_t n = list_columns(dir, day, places, 200);
    db = open_file(dir, day);
    for (size_t i = 0; i < n && sum != 0; i++) {
        char sql[400];
        enum status status;
        snprintf(sql, sizeof sql, "SELECT typeof(\"%s\") || quote(\"%s\") FROM \"%s\" ORDER BY %s",
                 places[i].column, places[i].column, places[i].table, places[i].key);
        if (db_prepare(db, sql, &select, &error) != STATUS_OK) {
            sum = 0;
            break;
        }
        while ((status = db_step(select, &error)) == STATUS_OK)
            sum = hash64(db_text(select, 0).data, db_text(select, 0).size, sum);
        db_finish(select);
        if (status != STATUS_END)
            sum = 0;
    }
    db_close(db);
    return sum;
}

static void a_flipped_bit_is_found_unless_nothing_reads_it(void **state)
{
    enum { FLIPS = 40 };
    char copy[4200], path[9000];
    unsigned seed = 20261121;
    size_t found = 0;
    fill_ledger(*state);
    uint64_t whole = content(*state, "2018-08-09");
    assert_true(whole != 0);
    snprintf(copy, sizeof copy, "%s-copy", (const char *)*state);
    snprintf(path, sizeof path, "%s/2018-08-09.db", copy);
    for (int i = 0; i < FLIPS; i++) {
        struct stat about;
        struct verify_report report;
        copy_ledger(*state, copy);
        assert_int_equal(stat(path, &about), 0);
        off_t at = (off_t)rand_r(&seed) % about.st_size;
        int file = open(path, O_RDWR);
        unsigned char byte;
        assert_true(file >= 0);
        assert_int_equal(pread(file, &byte, 1, at), 1);
        byte ^= (unsigned char)(1u << rand_r(&seed) % 8);
        assert_int_equal(pwrite(file, &byte, 1, at), 1);
        close(file);
        verify_with(copy, NULL, &report);
        found += !report.ok;
        bool ok = report.ok;
        verify_report_free(&report);
        if (ok && content(copy, "2018-08-09") != whole)
            fail_msg("a bit at %lld is not found", (long long)at);
    }
    print_message("%zu of %d flips found, the others lie where nothing is read\n", found, FLIPS);
    assert_true(found > FLIPS / 3);
    folder_remove(strdup(copy));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(rows_taken_out_exchanged_or_added_are_found),
        IN_FOLDER(files_taken_away_cut_or_put_back_are_found),
        IN_FOLDER(files_cut_or_missing_are_seen_without_looking_at_rows),
        IN_FOLDER(a_head_kept_elsewhere_must_be_of_this_past),
        IN_FOLDER(heads_by_another_key_are_found),
        IN_FOLDER(what_is_no_leaf_changed_and_computed_anew_is_found),
        IN_FOLDER(an_older_format_is_checked_as_far_as_it_goes),
        IN_FOLDER(the_format_before_is_checked_and_gone_on_with),
        IN_FOLDER(a_service_that_writes_does_not_disturb),
        IN_FOLDER(a_flipped_bit_is_found_unless_nothing_reads_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
