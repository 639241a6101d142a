/* ledger verify: an untouched ledger is good, and a changed value in any column of any table is
 * found and named. The columns are taken from the files themselves, so that a new one cannot be
 * forgotten. */
#include "tests/unit/engine/record/verify_fixture.h"

/* How a value is changed: whole numbers by `step`, texts in their last letter, blobs in one byte.
 */
static void change_value(const struct place *place, const char *step, struct buffer *sql)
{
    const char *c = place->column, *t = place->table, *k = place->key;
    buffer_reset(sql);
    buffer_printf(
        sql,
        "UPDATE \"%s\" SET \"%s\" = CASE typeof(\"%s\") WHEN 'integer' THEN \"%s\" + %s"
        " WHEN 'real' THEN \"%s\" + 0.25 WHEN 'null' THEN 1"
        " WHEN 'text' THEN substr(\"%s\", 1, length(\"%s\") - 1) ||"
        "  char((unicode(substr(\"%s\", -1)) & 1) + 65)"
        " ELSE CAST(substr(\"%s\", 1, length(\"%s\") / 2) || (CASE substr(\"%s\", length(\"%s\") / "
        "2"
        "  + 1, 1) WHEN X'41' THEN X'42' ELSE X'41' END) || substr(\"%s\", length(\"%s\") / 2 + 2)"
        "  AS BLOB) END",
        t, c, c, c, step, c, c, c, c, c, c, c, c, c, c);
    buffer_printf(sql,
                  " WHERE (%s) = (SELECT %s FROM \"%s\" ORDER BY %s LIMIT 1 OFFSET"
                  " (SELECT count(*) / 2 FROM \"%s\"))",
                  k, k, t, k, t);
}

/* Told from the row itself which column it was, and not only that the row or group is wrong. */
static bool names_column(const struct verify_report *report, const struct place *place)
{
    char word[140];
    snprintf(word, sizeof word, "%.60s.%.60s", place->table, place->column);
    return mentions(report, word);
}

static void a_change_in_any_column_is_found_and_named(void **state)
{
    static const char *const steps[] = {"1", "4294967296"};
    static struct place places[200];
    char copy[4200];
    struct buffer sql;
    size_t named = 0, of_rows = 0;
    buffer_init(&sql, 1 << 16);
    fill_ledger(*state);
    assert_untouched(*state);
    snprintf(copy, sizeof copy, "%s-copy", (const char *)*state);
    size_t n = list_columns(*state, "2018-08-09", places, 200);
    assert_in_range(n, 80, 200);
    for (size_t i = 0; i < n; i++) {
        for (size_t step = 0; step < sizeof steps / sizeof *steps; step++) {
            struct verify_report report;
            const struct place *place = &places[i];
            if (step > 0 && !place->whole_number)
                break;
            copy_ledger(*state, copy);
            change_value(place, steps[step], &sql);
            enum status status = execute(copy, "2018-08-09", sql.data);
            if (status == STATUS_NOT_FOUND)
                fail_msg("there is no row in %s", place->table);
            if (status != STATUS_OK) /* against a constraint: nobody can do that by hand */
                continue;
            verify_with(copy, NULL, &report);
            /* How an index run was written: nothing reads it again once the day is over. */
            bool free_choice = strcmp(place->column, "small") == 0;
            if (report.ok && !free_choice)
                fail_msg("%s.%s %s is not found", place->table, place->column, steps[step]);
            if (!report.ok && !mentions(&report, place->table) && !mentions(&report, "cannot be"))
                fail_msg("%s.%s %s is found as: %s", place->table, place->column, steps[step],
                         report.bad[0].where);
            if (strcmp(place->table, "decisions") == 0 || strcmp(place->table, "labels") == 0 ||
                strcmp(place->table, "actions") == 0) {
                of_rows++;
                named += names_column(&report, place);
                if (!names_column(&report, place))
                    print_message("%s.%s %s: %s\n", place->table, place->column, steps[step],
                                  report.bad[0].where);
            }
            verify_report_free(&report);
        }
    }
    assert_true(named * 20 >= of_rows * 19);
    buffer_free(&sql);
    folder_remove(strdup(copy));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(a_change_in_any_column_is_found_and_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
