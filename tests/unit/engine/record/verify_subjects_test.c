/* ledger verify: what is sealed in subjects.db. */
#include "tests/unit/engine/record/verify_fixture.h"

#include <sys/stat.h>
#include <unistd.h>

#include "engine/record/pseudonym.h"
#include "engine/record/subjects.h"

#define ANNA  "p-00000000000000000000000000000001"
#define BERTA "p-00000000000000000000000000000002"

static void add_people(const char *dir)
{
    static const char *const people[][2] = {{ANNA, "anna"}, {BERTA, "berta"}};
    struct subjects *subjects;
    struct error error = {0};
    assert_int_equal(subjects_open(dir, true, &subjects, &error), STATUS_OK);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(
            subjects_add(subjects, slice_of(people[i][0]), slice_of(people[i][1]), 7, &error),
            STATUS_OK);
    subjects_close(subjects);
}

static void a_change_of_what_is_sealed_is_found_and_named(void **state)
{
    static const struct {
        const char *sql, *said;
    } changes[] = {
        {"UPDATE subjects SET value = CAST(substr(value, 1, 20) || CASE substr(value, 21, 1) WHEN "
         "X'00' THEN X'01' ELSE X'00' END || substr(value, 22) AS BLOB) WHERE pseudonym = '" ANNA
         "'",
         "subjects, " ANNA ": value was changed"},
        {"UPDATE subjects SET key = (SELECT key FROM subjects WHERE pseudonym = '" BERTA "') WHERE "
         "pseudonym = '" ANNA "'",
         "subjects, " ANNA ": pseudonym or key was changed"},
        {"UPDATE subjects SET pseudonym = 'p-x' WHERE pseudonym = '" BERTA "'",
         "subjects, p-x: pseudonym or key was changed"},
        {"UPDATE subjects SET erased_us = 9 WHERE pseudonym = '" ANNA "'",
         "subjects, " ANNA ": key, value or erased_us was changed"},
        {"UPDATE subjects SET key = NULL WHERE pseudonym = '" ANNA "'",
         "subjects, " ANNA ": pseudonym or key was changed"},
        {"UPDATE subjects SET key = zeroblob(300) WHERE pseudonym = '" ANNA "'",
         "subjects, " ANNA ": pseudonym or key was changed"},
        {"UPDATE subjects SET value = zeroblob(17000000) WHERE pseudonym = '" ANNA "'",
         "subjects, " ANNA ": value was changed"},
        {"UPDATE subjects SET value = X'' WHERE pseudonym = '" ANNA "'",
         "subjects, " ANNA ": value was changed"},
    };
    char copy[4200];
    fill_ledger(*state);
    add_people(*state);
    assert_untouched(*state);
    snprintf(copy, sizeof copy, "%s-copy", (const char *)*state);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        copy_ledger(*state, copy);
        assert_int_equal(execute(copy, "subjects", changes[i].sql), STATUS_OK);
        assert_found(copy, NULL, changes[i].said);
    }
    folder_remove(strdup(copy));
}

static void an_erased_person_is_nothing_wrong(void **state)
{
    struct subjects *subjects;
    struct error error = {0};
    fill_ledger(*state);
    add_people(*state);
    assert_int_equal(subjects_open(*state, false, &subjects, &error), STATUS_OK);
    assert_int_equal(subject_erase(subjects, slice_of(ANNA), 8, &error), STATUS_OK);
    subjects_close(subjects);
    assert_untouched(*state);
}

static void without_the_key_nothing_is_said_of_what_it_seals(void **state)
{
    char path[4200];
    fill_ledger(*state);
    add_people(*state);
    snprintf(path, sizeof path, "%s/keys/master.key", (const char *)*state);
    assert_int_equal(unlink(path), 0);
    assert_untouched(*state);
}

static void a_key_that_cannot_be_used_is_said(void **state)
{
    char path[4200];
    fill_ledger(*state);
    add_people(*state);
    snprintf(path, sizeof path, "%s/keys/master.key", (const char *)*state);
    assert_int_equal(chmod(path, 0644), 0);
    assert_found(*state, NULL, "what is sealed in it was not checked");
    assert_found(*state, NULL, "others may read this key");
    assert_int_equal(chmod(path, 0600), 0);
    assert_untouched(*state);
    assert_int_equal(truncate(path, KEY_SIZE - 1), 0);
    assert_found(*state, NULL, "this file does not");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(a_change_of_what_is_sealed_is_found_and_named),
        IN_FOLDER(an_erased_person_is_nothing_wrong),
        IN_FOLDER(a_key_that_cannot_be_used_is_said),
        IN_FOLDER(without_the_key_nothing_is_said_of_what_it_seals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
