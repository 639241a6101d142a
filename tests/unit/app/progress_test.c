/* The bar on stderr: drawn on a terminal only, never too often, and gone at the end. The terminal
 * is a pseudo-terminal of the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <fcntl.h>

#include <cmocka.h>

#include "app/progress.h"
#include "engine/base/clock.h"

static int saved = -1, master = -1;

/* Makes `target` stderr until restore_stderr(). */
static void redirect_stderr(int target)
{
    fflush(stderr);
    saved = dup(STDERR_FILENO);
    assert_true(saved >= 0);
    assert_true(dup2(target, STDERR_FILENO) >= 0);
    close(target);
}

static void restore_stderr(void)
{
    fflush(stderr);
    assert_true(dup2(saved, STDERR_FILENO) >= 0);
    close(saved);
}

static void open_terminal(void)
{
    master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
    assert_true(master >= 0);
    assert_int_equal(grantpt(master), 0);
    assert_int_equal(unlockpt(master), 0);
    int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    assert_true(slave >= 0);
    redirect_stderr(slave);
}

/* What the terminal has got so far. */
static const char *shown(void)
{
    static char text[4096];
    size_t size = 0;
    ssize_t n;
    while ((n = read(master, text + size, sizeof text - 1 - size)) > 0)
        size += (size_t)n;
    text[size] = '\0';
    return text;
}

static void draws_the_share_done_and_clears_the_line(void **state)
{
    (void)state;
    struct progress progress;
    char first[4096], second[4096], last[4096];
    open_terminal();
    progress_begin(&progress, "replay", "events");
    progress_update(&progress, 0.5, 1200);
    snprintf(first, sizeof first, "%s", shown());
    progress_update(&progress, 0.6, 1300); /* too soon */
    snprintf(second, sizeof second, "%s", shown());
    progress_end(&progress);
    snprintf(last, sizeof last, "%s", shown());
    restore_stderr();
    close(master);
    assert_non_null(strstr(first, "replay ████████████············ 50 %  1200 events"));
    assert_null(strchr(first, '\n'));
    assert_string_equal(second, "");
    assert_string_equal(last, "\r\033[K");
}

static void draws_again_after_a_tenth_of_a_second(void **state)
{
    (void)state;
    struct progress progress;
    char text[4096];
    open_terminal();
    progress_begin(&progress, "replay", "events");
    progress_update(&progress, 0.25, 1);
    shown();
    pause_us(120000);
    progress_update(&progress, 1.5, 2); /* more than was thought */
    snprintf(text, sizeof text, "%s", shown());
    restore_stderr();
    close(master);
    assert_non_null(strstr(text, "████████████████████████ 100 %  2 events"));
    assert_null(strstr(text, "-"));
}

static void an_unknown_end_has_a_count_and_no_bar(void **state)
{
    (void)state;
    struct progress progress;
    char text[4096];
    open_terminal();
    progress_begin(&progress, "read", "rows");
    progress_update(&progress, -1, 77);
    snprintf(text, sizeof text, "%s", shown());
    restore_stderr();
    close(master);
    assert_non_null(strstr(text, "read   77 rows"));
    assert_null(strstr(text, "%"));
    assert_null(strstr(text, "·"));
}

static void is_silent_where_nobody_looks(void **state)
{
    (void)state;
    struct progress progress;
    int ends[2];
    char text[16];
    assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
    redirect_stderr(ends[1]);
    progress_begin(&progress, "replay", "events");
    progress_update(&progress, 0.5, 1);
    progress_end(&progress);
    restore_stderr();
    assert_false(progress.shown);
    assert_true(read(ends[0], text, sizeof text) <= 0);
    close(ends[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(draws_the_share_done_and_clears_the_line),
        cmocka_unit_test(draws_again_after_a_tenth_of_a_second),
        cmocka_unit_test(an_unknown_end_has_a_count_and_no_bar),
        cmocka_unit_test(is_silent_where_nobody_looks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
