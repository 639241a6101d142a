/* A result's file appears whole or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "app/output.h"

static char folder[64], path[96], part[112];

static int set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/output-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/result.json", folder);
    snprintf(part, sizeof part, "%s.part", path);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(path);
    unlink(part);
    return rmdir(folder);
}

static void write_text(struct output *output, const char *text)
{
    struct error error = {0};
    assert_int_equal(output_write(output->file, "result", slice_of(text), &error), STATUS_OK);
}

static void assert_content(const char *expected)
{
    char text[64] = "";
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(fread(text, 1, sizeof text - 1, file), strlen(expected));
    assert_string_equal(text, expected);
    fclose(file);
}

static void the_file_appears_with_the_commit(void **state)
{
    (void)state;
    struct output output;
    struct error error = {0};
    assert_int_equal(output_open(path, &output, &error), STATUS_OK);
    write_text(&output, "whole");
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(output_commit(&output, &error), STATUS_OK);
    output_discard(&output);
    assert_content("whole");
    assert_int_equal(access(part, F_OK), -1);
}

static void without_a_commit_the_old_file_stays(void **state)
{
    (void)state;
    struct output output;
    struct error error = {0};
    assert_int_equal(output_open(path, &output, &error), STATUS_OK);
    write_text(&output, "old");
    assert_int_equal(output_commit(&output, &error), STATUS_OK);
    output_discard(&output);
    assert_int_equal(output_open(path, &output, &error), STATUS_OK);
    write_text(&output, "half of the n");
    output_discard(&output);
    assert_content("old");
    assert_int_equal(access(part, F_OK), -1);
    output_discard(&output); /* a second time and on a zeroed one: nothing */
}

static void a_place_that_cannot_be_written_is_told_at_once(void **state)
{
    (void)state;
    struct output output;
    struct error error = {0};
    assert_int_equal(output_open("/no/such/folder/x", &output, &error), STATUS_IO);
    assert_non_null(strstr(error.message, "/no/such/folder/x"));
    output_discard(&output);
}

static void a_full_disk_is_told_and_leaves_nothing(void **state)
{
    (void)state;
    struct output output;
    struct error error = {0};
    if (access("/dev/full", W_OK) != 0)
        skip();
    assert_int_equal(symlink("/dev/full", part), 0);
    assert_int_equal(output_open(path, &output, &error), STATUS_OK);
    write_text(&output, "lost"); /* still in the buffer */
    assert_int_equal(output_commit(&output, &error), STATUS_IO);
    assert_non_null(strstr(error.message, "result.json: cannot be written: No space left"));
    output_discard(&output);
    assert_int_equal(access(path, F_OK), -1);
}

/* The path is a link, so that a mistake takes the link's place and not the device's. */
static void a_device_is_written_to_and_not_replaced(void **state)
{
    (void)state;
    struct output output;
    struct error error = {0};
    struct stat facts;
    assert_int_equal(symlink("/dev/null", path), 0);
    assert_int_equal(output_open(path, &output, &error), STATUS_OK);
    write_text(&output, "gone");
    assert_int_equal(output_commit(&output, &error), STATUS_OK);
    output_discard(&output);
    assert_int_equal(lstat(path, &facts), 0);
    assert_true(S_ISLNK(facts.st_mode));
}

static void a_dash_is_stdout_and_stays_open(void **state)
{
    (void)state;
    struct output output;
    struct error error = {0};
    assert_int_equal(output_open("-", &output, &error), STATUS_OK);
    assert_ptr_equal(output.file, stdout);
    assert_int_equal(output_commit(&output, &error), STATUS_OK);
    output_discard(&output);
    assert_int_equal(fflush(stdout), 0);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_file_appears_with_the_commit),
        TEST(without_a_commit_the_old_file_stays),
        TEST(a_place_that_cannot_be_written_is_told_at_once),
        TEST(a_full_disk_is_told_and_leaves_nothing),
        TEST(a_device_is_written_to_and_not_replaced),
        TEST(a_dash_is_stdout_and_stays_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
