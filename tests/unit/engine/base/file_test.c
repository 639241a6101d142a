/* Whole files: copied and summed, never half; folders removed with what is in them. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/base/file.h"
#include "tests/unit/folder.h"

static const char *path(const char *name)
{
    static char texts[4][200];
    static int next;
    char *text = texts[next++ % 4];
    snprintf(text, 200, "%s/%s", folder, name);
    return text;
}

static void write_file(const char *at, size_t size)
{
    FILE *file = fopen(at, "w");
    assert_non_null(file);
    for (size_t i = 0; i < size; i++)
        fputc((int)(i * 31 & 0xff), file);
    assert_int_equal(fclose(file), 0);
}

static void add_up(void *context, int64_t bytes)
{
    *(int64_t *)context += bytes;
}

static void a_copy_has_the_bytes_and_the_sum_of_its_original(void **state)
{
    struct file_sum copied, there;
    struct error error;
    struct stat facts;
    int64_t told = 0;
    (void)state;
    write_file(path("a"), 3000001);
    assert_int_equal(file_copy(path("a"), path("b"), &copied, add_up, &told, &error), STATUS_OK);
    assert_int_equal(file_sum(path("a"), &there, &error), STATUS_OK);
    assert_int_equal(copied.bytes, 3000001);
    assert_int_equal(told, 3000001);
    assert_memory_equal(copied.sha256, there.sha256, SHA256_SIZE);
    assert_int_equal(file_sum(path("b"), &there, &error), STATUS_OK);
    assert_memory_equal(copied.sha256, there.sha256, SHA256_SIZE);
    assert_int_equal(stat(path("b"), &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0600);
}

/* The sum of no bytes, as everybody knows it. */
static void an_empty_file_has_the_known_sum(void **state)
{
    static const uint8_t first[4] = {0xe3, 0xb0, 0xc4, 0x42};
    struct file_sum sum;
    struct error error;
    (void)state;
    write_file(path("empty"), 0);
    assert_int_equal(file_sum(path("empty"), &sum, &error), STATUS_OK);
    assert_int_equal(sum.bytes, 0);
    assert_memory_equal(sum.sha256, first, 4);
}

static void what_is_there_is_not_overwritten(void **state)
{
    struct file_sum sum, after;
    struct error error;
    (void)state;
    write_file(path("c"), 10);
    write_file(path("d"), 20);
    assert_int_equal(file_copy(path("c"), path("d"), &sum, NULL, NULL, &error), STATUS_CONFLICT);
    assert_int_equal(file_sum(path("d"), &after, &error), STATUS_OK);
    assert_int_equal(after.bytes, 20);
    assert_int_equal(file_copy(path("none"), path("e"), &sum, NULL, NULL, &error),
                     STATUS_NOT_FOUND);
    assert_int_not_equal(access(path("e"), F_OK), 0);
    assert_int_equal(file_copy(path("c"), "/dev/full", &sum, NULL, NULL, &error), STATUS_CONFLICT);
}

static void a_folder_goes_with_what_is_in_it_and_links_are_not_followed(void **state)
{
    struct error error;
    (void)state;
    assert_int_equal(mkdir(path("tree"), 0700), 0);
    assert_int_equal(mkdir(path("tree/below"), 0700), 0);
    write_file(path("tree/below/x"), 5);
    write_file(path("outside"), 5);
    assert_int_equal(symlink(folder, path("tree/link")), 0);
    assert_int_equal(folder_sync(path("tree"), &error), STATUS_OK);
    assert_int_equal(folder_remove_all(path("tree"), &error), STATUS_OK);
    assert_int_not_equal(access(path("tree"), F_OK), 0);
    assert_int_equal(access(path("outside"), F_OK), 0);
    assert_int_equal(folder_remove_all(path("tree"), &error), STATUS_OK);
}

static void reads_a_whole_file_or_says_why_not(void **state)
{
    (void)state;
    struct error error;
    struct buffer bytes;
    write_file(path("whole"), 100000);
    buffer_init(&bytes, 100000);
    assert_int_equal(file_read_whole(path("whole"), &bytes, &error), STATUS_OK);
    assert_int_equal(bytes.size, 100000);
    for (size_t i = 0; i < bytes.size; i++)
        assert_int_equal((unsigned char)bytes.data[i], i * 31 & 0xff);
    buffer_free(&bytes);

    buffer_init(&bytes, 99999);
    assert_int_equal(file_read_whole(path("whole"), &bytes, &error), STATUS_FULL);
    assert_non_null(strstr(error.message, "whole: larger than the 99999 bytes"));
    buffer_reset(&bytes);
    assert_int_equal(file_read_whole(path("nowhere"), &bytes, &error), STATUS_NOT_FOUND);
    assert_non_null(strstr(error.message, "nowhere: No such file"));
    assert_int_equal(file_read_whole(folder, &bytes, &error), STATUS_IO);
    buffer_free(&bytes);
}

/* A pipe takes less at a time than is given to it. */
static void writes_all_however_many_calls_that_takes(void **state)
{
    (void)state;
    static char sent[300000], got[sizeof sent];
    int ends[2];
    size_t n = 0;
    memset(sent, 'x', sizeof sent);
    assert_int_equal(pipe(ends), 0);
    pid_t reader = fork();
    assert_true(reader >= 0);
    if (reader == 0) {
        close(ends[1]);
        for (ssize_t part; (part = read(ends[0], got + n, sizeof got - n)) > 0;)
            n += (size_t)part;
        _exit(n == sizeof sent && memcmp(got, sent, n) == 0 ? 0 : 1);
    }
    close(ends[0]);
    assert_true(file_write_all(ends[1], sent, sizeof sent));
    close(ends[1]);
    int outcome = 1;
    assert_int_equal(waitpid(reader, &outcome, 0), reader);
    assert_int_equal(outcome, 0);

    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    assert_false(file_write_all(full, sent, 1));
    assert_int_equal(errno, ENOSPC);
    close(full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_copy_has_the_bytes_and_the_sum_of_its_original),
        cmocka_unit_test(an_empty_file_has_the_known_sum),
        cmocka_unit_test(what_is_there_is_not_overwritten),
        cmocka_unit_test(a_folder_goes_with_what_is_in_it_and_links_are_not_followed),
        cmocka_unit_test(reads_a_whole_file_or_says_why_not),
        cmocka_unit_test(writes_all_however_many_calls_that_takes),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
