/* The ledger when it is killed in the middle of writing, and when the disk refuses. */
#include "tests/unit/engine/record/fixture.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "engine/record/tree.h"

enum { KILLS = 20 };

/* Writes on from the recorded position, over several days, until it is killed. */
static void write_until_killed(const char *dir)
{
    struct clock *clock = clock_create_event(DAY_ONE);
    struct ledger *ledger = open_ledger(dir, clock);
    int source;
    if (ledger_source(ledger, "file", &source) != STATUS_OK)
        _exit(1);
    int64_t at = ledger_position(ledger, "file", 0);
    for (uint64_t n = at < 0 ? 0 : (uint64_t)at;; n += 50)
        submit_decisions(ledger, n, 50, DAY_ONE + (int64_t)n * 20 * US_PER_S, 20 * US_PER_S,
                         source);
}

static void is_as_it_was_written(const struct ledger_row *row)
{
    struct sample sample;
    assert_int_equal(row->offset, row->index + 1);
    sample_decision(&sample, row->index, 0, 0);
    assert_true(slice_is(row->event_id, sample.id));
}

static void check_ledger(const char *dir)
{
    struct scan scan = scan_ledger(dir, is_as_it_was_written);
    struct clock *clock = clock_create_event(DAY_ONE);
    struct ledger *ledger = open_ledger(dir, clock);
    int64_t position = ledger_position(ledger, "file", 0);
    assert_int_equal(position < 0 ? 0 : position, scan.rows);
    close_ledger(ledger);
    clock_destroy(clock);
}

static void rows_and_positions_agree_after_kills_at_random_moments(void **state)
{
    (void)state;
    char *dir = folder_create();
    uint32_t random = 12345;
    for (int i = 0; i < KILLS; i++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            write_until_killed(dir);
        random = random * 1664525u + 1013904223u;
        usleep(3000 + (random >> 8) % 60000);
        kill(child, SIGKILL);
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        check_ledger(dir);
    }
    folder_remove(dir);
}

static void limit_file_size(rlim_t bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes == RLIM_INFINITY ? limit.rlim_max : bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void waits_for_room_on_the_disk_and_then_loses_nothing(void **state)
{
    (void)state;
    char *dir = folder_create();
    struct error error;
    struct ledger_stats stats;
    struct clock *clock = clock_create_event(DAY_ONE);
    struct ledger *ledger = open_ledger(dir, clock);
    int source;
    assert_int_equal(ledger_source(ledger, "file", &source), STATUS_OK);
    submit_decisions(ledger, 0, 300, DAY_ONE, 1, source);
    flush_ledger(ledger);
    ledger_stats(ledger, &stats);
    uint64_t before = stats.tree_size;
    signal(SIGXFSZ, SIG_IGN);
    limit_file_size(300000);
    submit_decisions(ledger, 300, 3000, DAY_ONE + 300, 1, source);
    assert_int_equal(ledger_flush(ledger, 20000, &error), STATUS_IO);
    ledger_stats(ledger, &stats);
    assert_int_equal(stats.health, LEDGER_RETRYING);
    assert_true(stats.problem[0] != '\0');
    /* Whoever cannot wait is told; nothing is half applied. */
    struct sample sample;
    struct ledger_entry entry = sample_decision(&sample, 9999, DAY_ONE, source);
    assert_int_equal(ledger_submit(ledger, &entry, 1, SUBMIT_REFUSE, NULL, &error), STATUS_IO);
    assert_true(ledger_position(ledger, "file", 0) == (int64_t)stats.tree_size);
    assert_true(stats.tree_size >= before && stats.tree_size < 3300);
    limit_file_size(RLIM_INFINITY);
    for (int i = 0; i < 400 && stats.tree_size < 3300; i++) {
        usleep(20000);
        ledger_stats(ledger, &stats);
    }
    assert_int_equal(stats.tree_size, 3300);
    assert_int_equal(stats.health, LEDGER_OK);
    close_ledger(ledger);
    clock_destroy(clock);
    check_ledger(dir);
    folder_remove(dir);
}

static void gives_up_after_a_while_when_closed_on_a_full_disk(void **state)
{
    (void)state;
    char *dir = folder_create();
    struct error error;
    struct clock *clock = clock_create_event(DAY_ONE);
    struct ledger *ledger = open_ledger(dir, clock);
    int source;
    assert_int_equal(ledger_source(ledger, "file", &source), STATUS_OK);
    submit_decisions(ledger, 0, 300, DAY_ONE, 1, source);
    flush_ledger(ledger);
    limit_file_size(300000);
    submit_decisions(ledger, 300, 3000, DAY_ONE + 300, 1, source);
    assert_int_equal(ledger_close(ledger, &error), STATUS_IO);
    assert_non_null(strstr(error.message, "given up"));
    limit_file_size(RLIM_INFINITY);
    clock_destroy(clock);
    check_ledger(dir);
    folder_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_and_positions_agree_after_kills_at_random_moments),
        cmocka_unit_test(waits_for_room_on_the_disk_and_then_loses_nothing),
        cmocka_unit_test(gives_up_after_a_while_when_closed_on_a_full_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
