/* Secrets out of files: what is taken, what is refused, and what the refusal says. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/secret.h"
#include "tests/unit/folder.h"

static void write_file(const char *text, mode_t mode)
{
    char path[FOLDER_PATH];
    folder_path("secret", path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    assert_int_equal(chmod(path, mode), 0);
}

static void takes_the_first_line_without_its_end(void **state)
{
    (void)state;
    static const char *const texts[] = {"pass word", "pass word\n", "pass word\r\nmore\n"};
    char out[16], path[FOLDER_PATH];
    struct error error;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        write_file(texts[i], 0600);
        assert_int_equal(secret_read(folder, "secret", true, out, sizeof out, &error), STATUS_OK);
        assert_string_equal(out, "pass word");
    }
    folder_path("secret", path);
    assert_int_equal(secret_read("/nowhere", path, true, out, sizeof out, &error), STATUS_OK);
    assert_string_equal(out, "pass word");
}

static void refuses_a_line_that_does_not_fit(void **state)
{
    (void)state;
    char out[9];
    struct error error;
    write_file("12345678\n", 0600);
    assert_int_equal(secret_read(folder, "secret", true, out, sizeof out, &error), STATUS_OK);
    assert_string_equal(out, "12345678");
    write_file("123456789\n", 0600);
    assert_int_equal(secret_read(folder, "secret", true, out, sizeof out, &error), STATUS_INVALID);
    assert_non_null(strstr(error.message, "secret: the line is longer than 8 bytes"));
    assert_null(strstr(error.message, "12345678"));
}

static void says_what_is_wrong_with_the_file(void **state)
{
    (void)state;
    char out[16];
    struct error error;
    write_file("\nsecond\n", 0600);
    assert_int_equal(secret_read(folder, "secret", true, out, sizeof out, &error), STATUS_INVALID);
    assert_non_null(strstr(error.message, "secret: is empty"));
    write_file("word\n", 0644);
    assert_int_equal(secret_read(folder, "secret", true, out, sizeof out, &error), STATUS_DENIED);
    assert_non_null(strstr(error.message, "chmod 600"));
    assert_int_equal(secret_read(folder, "secret", false, out, sizeof out, &error), STATUS_OK);
    assert_int_equal(secret_read(folder, "none", true, out, sizeof out, &error), STATUS_NOT_FOUND);
    assert_non_null(strstr(error.message, "none: cannot be read: No such file"));
}

static void makes_a_header_of_a_token_with_or_without_its_name(void **state)
{
    (void)state;
    static const char *const texts[] = {"night t0k-en\n", "t0k-en", "on call t0k-en\r\n"};
    char out[SECRET_BEARER_SIZE], path[FOLDER_PATH];
    struct error error;
    folder_path("secret", path);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        write_file(texts[i], 0644);
        assert_int_equal(secret_bearer(path, out, &error), STATUS_OK);
        assert_string_equal(out, "Authorization: Bearer t0k-en");
    }
    write_file("", 0600);
    assert_int_equal(secret_bearer(path, out, &error), STATUS_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_the_first_line_without_its_end),
        cmocka_unit_test(refuses_a_line_that_does_not_fit),
        cmocka_unit_test(says_what_is_wrong_with_the_file),
        cmocka_unit_test(makes_a_header_of_a_token_with_or_without_its_name),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
