#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ui/access/access.h"

#define FIRST  "correct-horse-battery"
#define SECOND "staple-staple-staple"

static char path[] = "/tmp/binnacle-access-XXXXXX";

static void write_file(const char *text, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_TRUNC);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    assert_int_equal(chmod(path, mode), 0);
}

static struct access_answer ask(const struct access *access, bool changes_state,
                                const char *authorization)
{
    struct access_request request = {.changes_state = changes_state,
                                     .authorization = authorization};
    struct access_answer answer;
    access_check(access, &request, &answer);
    return answer;
}

static void asks_for_no_token_when_there_are_none(void **state)
{
    (void)state;
    struct access *access = NULL;
    assert_int_equal(access_create(NULL, &access, NULL), STATUS_OK);
    assert_true(ask(access, true, NULL).allowed);
    assert_string_equal(ask(access, true, NULL).actor, "local");
    access_destroy(access);
}

static void lets_readers_in_and_asks_writers_for_a_token(void **state)
{
    (void)state;
    struct access *access = NULL;
    write_file("# who\nshift-1 " FIRST "\n\n  shift-2   " SECOND "  \n", 0600);
    assert_int_equal(access_create(path, &access, NULL), STATUS_OK);
    assert_true(ask(access, false, NULL).allowed);
    assert_false(ask(access, true, NULL).allowed);
    assert_int_equal(ask(access, true, NULL).status, 401);
    static const char *const wrong[] = {
        "Bearer ", "Bearer " FIRST "x", "Bearer correct-horse", "Basic " FIRST, FIRST, ""};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(ask(access, true, wrong[i]).allowed);
    assert_true(ask(access, true, "Bearer " FIRST).allowed);
    assert_string_equal(ask(access, true, "Bearer " FIRST).actor, "shift-1");
    assert_string_equal(ask(access, true, "bearer " SECOND).actor, "shift-2");
    access_destroy(access);
}

static void refuses_files_that_are_open_to_others_or_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        mode_t mode;
        enum status status;
        const char *message;
    } cases[] = {
        {"a " FIRST "\n", 0644, STATUS_DENIED, "chmod 600"},
        {"a " FIRST "\na short\n", 0600, STATUS_INVALID, ":2:"},
        {"justone\n", 0600, STATUS_INVALID, ":1:"},
        {"a two words-in-this-token\n", 0600, STATUS_INVALID, ":1:"},
        {"# nobody\n", 0600, STATUS_INVALID, "no token"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct access *access = NULL;
        struct error error = {0};
        write_file(cases[i].text, cases[i].mode);
        assert_int_equal(access_create(path, &access, &error), cases[i].status);
        assert_non_null(strstr(error.message, cases[i].message));
        assert_null(access);
    }
    struct access *access = NULL;
    assert_int_equal(access_create("/nowhere/tokens", &access, NULL), STATUS_NOT_FOUND);
}

int main(void)
{
    int fd = mkstemp(path);
    close(fd);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asks_for_no_token_when_there_are_none),
        cmocka_unit_test(lets_readers_in_and_asks_writers_for_a_token),
        cmocka_unit_test(refuses_files_that_are_open_to_others_or_wrong),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return failed;
}
