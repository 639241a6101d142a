/* Heads for a file that takes none: a limit on the size of files stands for a full disk. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "engine/record/head_file.h"

#define KEPT  16
#define ADDED 40

static char path[] = "/tmp/binnacle-heads-XXXXXX";

static void limit_files(rlim_t most)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = most < limit.rlim_max ? most : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* The sizes of the trees in the file, line by line. */
static int read_sizes(uint64_t *sizes, int most)
{
    char line[1000];
    int n = 0;
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    while (n < most && fgets(line, sizeof line, file)) {
        struct json *json = NULL;
        struct signed_head head;
        struct error error;
        assert_int_equal(json_parse(slice_of(line), &json, &error), STATUS_OK);
        assert_int_equal(head_parse(json, &head, &error), STATUS_OK);
        json_destroy(json);
        sizes[n++] = head.tree_size;
    }
    fclose(file);
    return n;
}

static void a_file_that_takes_none_gets_the_newest_later(void **state)
{
    (void)state;
    struct head_file *file;
    struct error error;
    uint64_t sizes[ADDED];
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(head_file_open(path, NULL, &file, &error), STATUS_OK);
    limit_files(0);
    for (uint64_t i = 1; i <= ADDED; i++) {
        struct signed_head head = {
            .tree_size = i, .timestamp_ms = (int64_t)i, .key_id = "0123456789abcdef"};
        head_file_add(file, &head);
    }
    /* So that the thread has tried the oldest that is left. */
    nanosleep(&(struct timespec){.tv_nsec = 200000000}, NULL);
    size_t waiting, capacity;
    uint64_t dropped;
    head_file_queue(file, &waiting, &capacity, &dropped);
    assert_int_equal(waiting, KEPT);
    assert_int_equal(capacity, KEPT);
    assert_int_equal(dropped, ADDED - KEPT);
    limit_files(RLIM_INFINITY);
    head_file_close(file);
    assert_int_equal(read_sizes(sizes, ADDED), KEPT);
    for (int i = 0; i < KEPT; i++)
        assert_int_equal(sizes[i], ADDED - KEPT + 1 + i);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_that_takes_none_gets_the_newest_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
