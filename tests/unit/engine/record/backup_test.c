/* Backups: taken while rows are written, put back, finished where one was ended in the middle. */
#include "tests/unit/engine/record/verify_fixture.h"

#include <sys/stat.h>

#include "engine/record/backup.h"

static char *place(const char *dir, const char *name)
{
    static char texts[64][4200];
    static int next;
    char *text = texts[next++ % 64];
    snprintf(text, sizeof texts[0], "%s/%s", dir, name);
    return text;
}

static enum status back_up(const char *dir, const char *to, struct backup_report *report)
{
    struct error error = {0};
    const struct backup_options options = {.ledger = dir, .to = to};
    enum status status = ledger_backup(&options, report, &error);
    if (status != STATUS_OK)
        print_message("%s\n", error.message);
    return status;
}

static enum status put_back(const char *from, const char *dir, struct backup_report *report)
{
    struct error error = {0};
    const struct restore_options options = {.from = from, .ledger = dir};
    enum status status = ledger_restore(&options, report, &error);
    if (status != STATUS_OK)
        print_message("%s\n", error.message);
    return status;
}

static void a_backup_is_the_ledger_and_comes_back_as_it(void **state)
{
    struct backup_report report;
    char *dir = place(*state, "ledger"), *copy = place(*state, "copy"),
         *back = place(*state, "back");
    fill_ledger(dir);
    assert_int_equal(back_up(dir, copy, &report), STATUS_OK);
    assert_true(report.has_head);
    assert_int_equal(report.head.tree_size, report.tree_size);
    backup_report_free(&report);
    assert_untouched(copy);
    assert_int_equal(put_back(copy, back, &report), STATUS_OK);
    assert_string_equal(report.aside, "");
    backup_report_free(&report);
    assert_untouched(back);
    assert_int_equal(put_back(copy, back, &report), STATUS_CONFLICT);
    backup_report_free(&report);
}

/* In the middle of a second there are rows that no head covers yet: a backup waits for one. */
static void a_backup_of_a_ledger_that_is_written_ends_at_a_head(void **state)
{
    struct clock *clock = clock_create_event(DAY_ONE);
    char *dir = place(*state, "ledger"), *copy = place(*state, "copy");
    struct ledger *ledger = open_ledger(dir, clock);
    uint64_t last = 0;
    for (uint64_t i = 0; i < 3; i++) {
        struct backup_report report;
        submit_decisions(ledger, i * 700, 700, DAY_ONE + (int64_t)i * US_PER_HOUR, 1000, -1);
        flush_ledger(ledger);
        assert_int_equal(back_up(dir, copy, &report), STATUS_OK);
        assert_true(report.has_head && report.head.tree_size == report.tree_size);
        assert_true(report.tree_size > last);
        last = report.tree_size;
        backup_report_free(&report);
        assert_untouched(copy);
    }
    close_ledger(ledger);
    clock_destroy(clock);
    assert_int_equal(last, 2100);
}

/* As if the machine had stopped right after the new backup was whole, and with some of its files in
 * their places already. */
static void a_backup_that_was_whole_is_finished(void **state)
{
    struct backup_report report;
    char *dir = place(*state, "ledger"), *copy = place(*state, "copy"),
         *back = place(*state, "back");
    fill_ledger(dir);
    assert_int_equal(back_up(dir, copy, &report), STATUS_OK);
    backup_report_free(&report);
    assert_int_equal(mkdir(place(copy, ".ready"), 0700), 0);
    assert_int_equal(mkdir(place(copy, ".next"), 0700), 0);
    for (int i = 0; i < 2; i++) {
        static const char *const names[] = {"2018-08-09.db", "backup.json"};
        char into[64];
        snprintf(into, sizeof into, ".ready/%s", names[i]);
        assert_int_equal(rename(place(copy, names[i]), place(copy, into)), 0);
    }
    assert_int_equal(put_back(copy, back, &report), STATUS_OK);
    backup_report_free(&report);
    assert_untouched(back);
    assert_untouched(copy);
    assert_int_not_equal(access(place(copy, ".ready"), F_OK), 0);
    assert_int_not_equal(access(place(copy, ".next"), F_OK), 0);
}

/* A file name out of a list that somebody wrote must not lead elsewhere. */
static void a_list_that_names_other_files_is_refused(void **state)
{
    struct backup_report report;
    char *copy = place(*state, "copy");
    static const char *const names[] = {"../x.db",      "keys/../../x", "/etc/passwd",
                                        "2018-08-08.d", "alerts.db",    ""};
    assert_int_equal(mkdir(copy, 0700), 0);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        FILE *file = fopen(place(copy, "backup.json"), "w");
        assert_non_null(file);
        fprintf(file,
                "{\"format\":1,\"tree_size\":0,\"root\":\"%064d\",\"files\":[{\"name\":\"%s\","
                "\"bytes\":0,\"sha256\":\"%064d\"}]}",
                0, names[i], 0);
        assert_int_equal(fclose(file), 0);
        assert_int_equal(put_back(copy, place(*state, "back"), &report), STATUS_CORRUPT);
        backup_report_free(&report);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(a_backup_is_the_ledger_and_comes_back_as_it),
        IN_FOLDER(a_backup_of_a_ledger_that_is_written_ends_at_a_head),
        IN_FOLDER(a_backup_that_was_whole_is_finished),
        IN_FOLDER(a_list_that_names_other_files_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
