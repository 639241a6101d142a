/* Personal data: pseudonyms, sealed originals, erasure, quarantined bytes, and that none of it lies
 * in the ledger's folder in the clear. Pseudonyms are checked against Python's hmac module. */
#include "tests/unit/engine/record/fixture.h"

#include <dirent.h>
#include <sys/stat.h>

#include "engine/base/db.h"

static void gives_the_first_128_bits_of_the_hmac(void **state)
{
    (void)state;
    uint8_t key[KEY_SIZE];
    for (int i = 0; i < KEY_SIZE; i++)
        key[i] = (uint8_t)i;
    struct pseudonyms *pseudonyms;
    struct error error;
    char out[PSEUDONYM_SIZE];
    assert_int_equal(pseudonyms_create(key, 100, NULL, NULL, &pseudonyms, &error), STATUS_OK);
    for (int i = 0; i < 3; i++) {
        /* hmac.new(bytes(range(32)), b'user-1001', 'sha256').hexdigest()[:32] */
        assert_int_equal(pseudonym_of(pseudonyms, slice_of("user-1001"), out), STATUS_OK);
        assert_string_equal(out, "p-6c9bad363503bdda39cf75fc2f4c88bb");
    }
    /* Longer than the cache holds, and empty. */
    char text[200];
    memset(text, 'x', sizeof text);
    assert_int_equal(pseudonym_of(pseudonyms, slice_make(text, sizeof text), out), STATUS_OK);
    assert_string_equal(out, "p-7b48ae507721b7feb27d8403d20568ca");
    assert_int_equal(pseudonym_of(pseudonyms, slice_make("", 0), out), STATUS_OK);
    assert_string_equal(out, "p-d38b42096d80f45f826b44a9d5607de7");
    pseudonyms_destroy(pseudonyms);
}

static enum status count_call(void *context, const char pseudonym[PSEUDONYM_SIZE],
                              struct slice original)
{
    (void)pseudonym;
    (void)original;
    ++*(int *)context;
    return STATUS_OK;
}

static void answers_from_the_cache_and_stays_right_when_it_overflows(void **state)
{
    (void)state;
    uint8_t key[KEY_SIZE] = {7};
    struct pseudonyms *small, *none;
    struct error error;
    int calls = 0;
    assert_int_equal(pseudonyms_create(key, 256, count_call, &calls, &small, &error), STATUS_OK);
    assert_int_equal(pseudonyms_create(key, 0, NULL, NULL, &none, &error), STATUS_OK);
    char value[32], cached[PSEUDONYM_SIZE], fresh[PSEUDONYM_SIZE];
    for (int round = 0; round < 20; round++) {
        snprintf(value, sizeof value, "user-%d", 1);
        assert_int_equal(pseudonym_of(small, slice_of(value), cached), STATUS_OK);
    }
    assert_int_equal(calls, 1);
    for (int i = 0; i < 5000; i++) {
        snprintf(value, sizeof value, "user-%d", i % 1500);
        assert_int_equal(pseudonym_of(small, slice_of(value), cached), STATUS_OK);
        assert_int_equal(pseudonym_of(none, slice_of(value), fresh), STATUS_OK);
        assert_string_equal(cached, fresh);
    }
    pseudonyms_destroy(small);
    pseudonyms_destroy(none);
}

/* Whether any file under the folder holds the bytes. */
static bool folder_has(const char *dir, const char *bytes, size_t size)
{
    bool found = false;
    DIR *folder = opendir(dir);
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder)) && !found;) {
        char path[4500];
        struct stat info;
        snprintf(path, sizeof path, "%s/%s", dir, entry->d_name);
        if (entry->d_name[0] == '.' || stat(path, &info) != 0)
            continue;
        if (S_ISDIR(info.st_mode)) {
            found = folder_has(path, bytes, size);
            continue;
        }
        FILE *file = fopen(path, "rb");
        char *content = malloc((size_t)info.st_size + 1);
        assert_non_null(file);
        size_t read = fread(content, 1, (size_t)info.st_size, file);
        found = memmem(content, read, bytes, size) != NULL;
        free(content);
        fclose(file);
    }
    closedir(folder);
    return found;
}

#define PERSON "user-773311-margarete"

static void keeps_no_personal_value_in_the_clear(void **state)
{
    struct clock *clock = clock_create_event(DAY_ONE);
    struct ledger *ledger = open_ledger(*state, clock);
    struct error error;
    char pseudonym[PSEUDONYM_SIZE];
    assert_int_equal(pseudonym_of(ledger_pseudonyms(ledger), slice_of(PERSON), pseudonym),
                     STATUS_OK);
    struct sample sample;
    struct event event;
    struct ledger_entry entries[2] = {
        sample_decision(&sample, 1, DAY_ONE, -1),
        bad_event(&event, "{\"user_id\":\"" PERSON "\",\"amount\":-1}")};
    entries[0].decision.entity = slice_of(pseudonym);
    assert_int_equal(ledger_submit(ledger, entries, 2, SUBMIT_REFUSE, NULL, &error), STATUS_OK);
    flush_ledger(ledger);
    assert_false(folder_has(*state, PERSON, strlen(PERSON)));
    assert_true(folder_has(*state, pseudonym, PSEUDONYM_LENGTH)); /* the search itself works */
    struct buffer original;
    buffer_init(&original, 1000);
    assert_int_equal(ledger_reveal(ledger, slice_of(pseudonym), &original, &error), STATUS_OK);
    assert_string_equal(original.data, PERSON);
    buffer_free(&original);
    close_ledger(ledger);
    assert_false(folder_has(*state, PERSON, strlen(PERSON)));
    clock_destroy(clock);
}

static void read_sealed(const char *dir, char *out, size_t *size)
{
    char path[4200];
    struct db *db;
    struct db_stmt *select;
    struct error error;
    snprintf(path, sizeof path, "%s/subjects.db", dir);
    assert_int_equal(db_open(path, DB_READ, DB_SYNC_FULL, &db, &error), STATUS_OK);
    assert_int_equal(db_prepare(db, "SELECT value FROM subjects", &select, &error), STATUS_OK);
    assert_int_equal(db_step(select, &error), STATUS_OK);
    struct slice value = db_blob(select, 0);
    *size = value.size;
    memcpy(out, value.data, value.size);
    db_finish(select);
    db_close(db);
}

static void erases_a_person_for_good_and_leaves_the_rows_as_they_were(void **state)
{
    struct clock *clock = clock_create_event(DAY_ONE);
    struct ledger *ledger = open_ledger(*state, clock);
    struct error error;
    char pseudonym[PSEUDONYM_SIZE], again[PSEUDONYM_SIZE], sealed[256];
    size_t size;
    struct buffer original;
    buffer_init(&original, 1000);
    assert_int_equal(pseudonym_of(ledger_pseudonyms(ledger), slice_of(PERSON), pseudonym),
                     STATUS_OK);
    submit_decisions(ledger, 0, 5, DAY_ONE, 1, -1);
    flush_ledger(ledger);
    struct ledger_stats before, after;
    ledger_stats(ledger, &before);
    read_sealed(*state, sealed, &size);
    assert_true(size > 20 && folder_has(*state, sealed, size));

    assert_int_equal(ledger_erase(ledger, slice_of(pseudonym), &error), STATUS_OK);
    assert_false(folder_has(*state, sealed, size));
    assert_int_equal(ledger_reveal(ledger, slice_of(pseudonym), &original, &error),
                     STATUS_NOT_FOUND);
    assert_non_null(strstr(error.message, "erased at 2018-08-08"));
    assert_int_equal(ledger_erase(ledger, slice_of(pseudonym), &error), STATUS_NOT_FOUND);
    ledger_stats(ledger, &after);
    assert_memory_equal(before.root, after.root, SHA256_SIZE);
    /* Seen once more, the person stays erased and keeps the pseudonym. */
    assert_int_equal(pseudonym_of(ledger_pseudonyms(ledger), slice_of(PERSON), again), STATUS_OK);
    assert_string_equal(again, pseudonym);
    flush_ledger(ledger);
    assert_int_equal(ledger_reveal(ledger, slice_of(pseudonym), &original, &error),
                     STATUS_NOT_FOUND);
    buffer_free(&original);
    close_ledger(ledger);
    clock_destroy(clock);
}

static void pseudonyms_survive_a_restart(void **state)
{
    struct clock *clock = clock_create_event(DAY_ONE);
    char first[PSEUDONYM_SIZE], second[PSEUDONYM_SIZE];
    struct ledger *ledger = open_ledger(*state, clock);
    assert_int_equal(pseudonym_of(ledger_pseudonyms(ledger), slice_of(PERSON), first), STATUS_OK);
    close_ledger(ledger);
    ledger = open_ledger(*state, clock);
    assert_int_equal(pseudonym_of(ledger_pseudonyms(ledger), slice_of(PERSON), second), STATUS_OK);
    assert_string_equal(first, second);
    struct buffer original;
    struct error error;
    buffer_init(&original, 1000);
    assert_int_equal(ledger_reveal(ledger, slice_of(first), &original, &error), STATUS_OK);
    buffer_free(&original);
    close_ledger(ledger);
    clock_destroy(clock);
}

/* A new key beside old rows would part every person from their past, without a word. */
static void refuses_a_ledger_whose_keys_are_gone(void **state)
{
    static const char *const names[] = {"pseudonym.key", "master.key"};
    struct clock *clock = clock_create_event(DAY_ONE);
    struct ledger *ledger = open_ledger(*state, clock);
    struct sample sample;
    struct error error;
    struct ledger_entry entry = sample_decision(&sample, 1, DAY_ONE, -1);
    assert_int_equal(ledger_submit(ledger, &entry, 1, SUBMIT_REFUSE, NULL, &error), STATUS_OK);
    close_ledger(ledger);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[512], aside[600];
        snprintf(path, sizeof path, "%s/keys/%s", (const char *)*state, names[i]);
        snprintf(aside, sizeof aside, "%s.aside", path);
        assert_int_equal(rename(path, aside), 0);
        struct ledger_options options = {.dir = *state, .clock = clock};
        assert_int_equal(ledger_open(&options, &ledger, &error), STATUS_NOT_FOUND);
        assert_non_null(strstr(error.message, names[i]));
        assert_non_null(strstr(error.message, "backup"));
        assert_int_equal(access(path, F_OK), -1);
        assert_int_equal(rename(aside, path), 0);
    }
    close_ledger(open_ledger(*state, clock));
    clock_destroy(clock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(gives_the_first_128_bits_of_the_hmac),
        IN_FOLDER(answers_from_the_cache_and_stays_right_when_it_overflows),
        IN_FOLDER(keeps_no_personal_value_in_the_clear),
        IN_FOLDER(erases_a_person_for_good_and_leaves_the_rows_as_they_were),
        IN_FOLDER(pseudonyms_survive_a_restart),
        IN_FOLDER(refuses_a_ledger_whose_keys_are_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
