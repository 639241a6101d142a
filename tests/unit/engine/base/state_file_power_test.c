/* A checkpoint when the power fails while it is replaced: the old one or the new one, whole; once
 * it was reported written, the new one. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/base/state_file.h"
#include "tests/unit/disk/disk.h"

enum { SIZE = 700000 };

static const struct state_file_kind KIND = {"TEST", 1};

static char *make_folder(void)
{
    char template[] = "/tmp/binnacle-state-XXXXXX";
    assert_non_null(mkdtemp(template));
    return strdup(template);
}

static void remove_folder(char *dir)
{
    char command[4200];
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    assert_int_equal(system(command), 0);
    free(dir);
}

static enum status write_all(const char *path, char letter, struct error *error)
{
    struct state_file *file;
    char *bytes = malloc(SIZE);
    memset(bytes, letter, SIZE);
    assert_int_equal(state_file_create(path, &KIND, &file, error), STATUS_OK);
    assert_int_equal(state_file_put(file, bytes, SIZE, error), STATUS_OK);
    free(bytes);
    return state_file_commit(file, error);
}

/* The letter that it is full of; 0: it is not whole. */
static char read_all(const char *path)
{
    struct state_file *file;
    struct error error;
    char *bytes = calloc(1, SIZE), letter = 0;
    if (state_file_open(path, &KIND, &file, &error) == STATUS_OK) {
        if (state_file_get(file, bytes, SIZE, &error) == STATUS_OK &&
            state_file_end(file, &error) == STATUS_OK)
            letter = bytes[SIZE / 2];
        state_file_close(file);
    }
    free(bytes);
    return letter;
}

static void a_replaced_file_is_the_old_one_or_the_new_one(void **state)
{
    char path[4200];
    struct error error;
    char *dir = make_folder();
    (void)state;
    snprintf(path, sizeof path, "%s/counts", dir);
    assert_int_equal(write_all(path, 'a', &error), STATUS_OK);
    disk_watch(dir);
    assert_int_equal(write_all(path, 'b', &error), STATUS_OK);
    size_t end = disk_moment();
    for (size_t i = 0; i < 8 * (end + 1); i++) {
        size_t moment = i / 8;
        char *found = make_folder();
        disk_image(moment, i % 8 == 0 ? CRASH_LOST : CRASH_MIXED, i, found);
        snprintf(path, sizeof path, "%s/counts", found);
        char letter = read_all(path);
        assert_true(letter == 'b' || (letter == 'a' && moment < end));
        remove_folder(found);
    }
    disk_end();
    remove_folder(dir);
}

static void a_sync_that_fails_leaves_the_old_one_in_its_place(void **state)
{
    char path[4200];
    struct error error;
    char *dir = make_folder();
    (void)state;
    snprintf(path, sizeof path, "%s/counts", dir);
    assert_int_equal(write_all(path, 'a', &error), STATUS_OK);
    disk_watch(dir);
    disk_fail(&(struct disk_fault){CALL_SYNC, "counts.new", .times = 1, .error = EIO});
    assert_int_equal(write_all(path, 'b', &error), STATUS_IO);
    assert_int_equal(disk_failed(), 1);
    assert_int_equal(read_all(path), 'a');
    assert_int_equal(write_all(path, 'c', &error), STATUS_OK);
    assert_int_equal(read_all(path), 'c');
    disk_end();
    remove_folder(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_replaced_file_is_the_old_one_or_the_new_one),
        cmocka_unit_test(a_sync_that_fails_leaves_the_old_one_in_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
