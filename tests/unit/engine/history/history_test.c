/* What the history keeps, against the same events counted by brute force: any range, any labels,
 * across restarts, crashes and a disk that is full. */
#include "tests/unit/engine/history/fixture.h"

#include <signal.h>
#include <sys/resource.h>

static void any_range_and_any_labels_add_up_as_counted_by_hand(void **state)
{
    (void)state;
    struct history_store *history = fill();
    check_many(history); /* partly in memory */
    assert_true(history_flush(history, PATIENCE));
    check_many(history);
    history_destroy(history);
}

static void a_restart_forgets_nothing_and_goes_on(void **state)
{
    (void)state;
    unlink(path);
    struct history_store *history = create(LIMIT_US);
    history_begin(history, T0);
    tell_range(history, 0, N_EVENTS / 2);
    history_destroy(history);
    history = create(LIMIT_US);
    assert_true(history_upto_us(history) > all[N_EVENTS / 2 - 1].at_us);
    history_begin(history, all[N_EVENTS / 2 - 1].at_us);
    tell_range(history, N_EVENTS / 2, N_EVENTS);
    check_many(history);
    history_destroy(history);
}

/* A copy of the file as it stood at some moment is what a killed process leaves. */
static void what_a_crash_lost_is_counted_again_from_the_ledger_and_nothing_twice(void **state)
{
    (void)state;
    char command[400];
    unlink(path);
    struct history_store *history = create(LIMIT_US);
    history_begin(history, T0);
    tell_range(history, 0, N_EVENTS / 2);
    usleep(300000); /* the writer has written most of it, on its own */
    snprintf(command, sizeof command, "cd %s && for f in history.db*; do cp $f crashed-$f; done",
             folder);
    assert_int_equal(system(command), 0);
    history_destroy(history);
    snprintf(command, sizeof command,
             "cd %s && rm history.db* && for f in crashed-*; do mv $f ${f#crashed-}; done", folder);
    assert_int_equal(system(command), 0);

    history = create(LIMIT_US);
    int64_t upto_us = history_upto_us(history);
    assert_true(upto_us > T0 && upto_us < all[N_EVENTS / 2].at_us);
    tell_range(history, 0, N_EVENTS / 2); /* the ledger, from its beginning */
    history_begin(history, all[N_EVENTS / 2].at_us);
    tell_range(history, N_EVENTS / 2, N_EVENTS);
    check_many(history);
    history_destroy(history);
}

static void nothing_counted_is_zero_where_the_service_was_and_null_where_it_was_not(void **state)
{
    (void)state;
    unlink(path);
    struct history_store *history = create(LIMIT_US);
    history_begin(history, T0);
    tell(history, &all[0]);
    history_tick(history, T0 + 1800 * US_PER_S);
    assert_true(history_flush(history, PATIENCE));
    assert_true(value_at(history, "accepted", T0_S + 600, T0_S + 1200) == 0);
    assert_true(value_at(history, "errors", T0_S + 600, T0_S + 1200) == 0);
    assert_true(isnan(value_at(history, "latency_p99_us", T0_S + 600, T0_S + 1200)));
    assert_true(isnan(value_at(history, "error_ratio", T0_S + 600, T0_S + 1200)));
    assert_true(isnan(value_at(history, "accepted", T0_S + 7200, T0_S + 10800)));
    assert_true(isnan(value_at(history, "errors", T0_S - 7200, T0_S - 3600)));
    history_destroy(history);
    history = create(LIMIT_US); /* the gap between two runs */
    history_begin(history, T0 + 5400 * US_PER_S);
    history_tick(history, T0 + 7200 * US_PER_S);
    assert_true(isnan(value_at(history, "accepted", T0_S + 2400, T0_S + 3000)));
    assert_true(value_at(history, "accepted", T0_S + 6000, T0_S + 6600) == 0);
    history_destroy(history);
}

/* Half is counted under one limit, half under another. */
static void a_share_under_a_new_limit_is_known_only_where_it_was_an_edge(void **state)
{
    (void)state;
    const int64_t other_us = 150001, half_s = SPAN_S / 2;
    unlink(path);
    all[1].latency_us = other_us - 1; /* in the cell that the other limit divides */
    struct history_store *history = create(LIMIT_US);
    history_begin(history, T0);
    tell_range(history, 0, N_EVENTS / 2);
    history_destroy(history);
    history = create(other_us);
    history_begin(history, all[N_EVENTS / 2].at_us);
    tell_range(history, N_EVENTS / 2, N_EVENTS);
    uint64_t n = 0, below = 0;
    for (int i = N_EVENTS / 2; i < N_EVENTS; i++) {
        int64_t minute_s = all[i].event_us / US_PER_S / 60 * 60;
        n += minute_s >= T0_S + half_s + 9000 - 600;
        below += minute_s >= T0_S + half_s + 9000 - 600 && all[i].latency_us < other_us;
    }
    assert_true(n > 0);
    assert_true(value_at(history, "latency_good_ratio", T0_S + half_s + 9000 - 600,
                         T0_S + SPAN_S) == (double)below / (double)n);
    assert_true(isnan(value_at(history, "latency_good_ratio", T0_S, T0_S + 3600)));
    /* Percentiles do not depend on edges. */
    struct query query = {T0_S, T0_S + SPAN_S, -1, -1};
    static struct truth truth;
    count_by_hand(&query, &truth);
    double p99 = (double)truth.latencies[(size_t)ceil(0.99 * (double)truth.n) - 1];
    struct got got = ask(history, &query);
    assert_int_equal(got.n, truth.n);
    assert_true(fabs(got.p99 - p99) <= 0.01 * p99);
    history_destroy(history);
}

static void bins_of_another_reference_are_left_out(void **state)
{
    (void)state;
    struct history_store *history = fill();
    struct observe_sink sink = history_sink(history);
    struct binning other[2] = {cuts[0], cuts[1]};
    other[1].edges[0] += 1;
    sink.cuts(sink.context, other, 2);
    struct query query = {T0_S, T0_S + SPAN_S, -1, -1};
    struct got got = ask(history, &query);
    for (int i = 0; i < MAX_BINS; i++)
        assert_int_equal(got.bins[i], 0);
    assert_int_equal(got.n, ask(history, &(struct query){T0_S, T0_S + SPAN_S, -1, -1}).n);
    assert_true(isnan(value_at(history, "psi.amount", T0_S, T0_S + SPAN_S / 300 * 300)));
    sink.cuts(sink.context, cuts, 2);
    check(history, &query); /* the first layout is known again */
    history_destroy(history);
}

static void a_full_disk_loses_history_and_says_so_and_deciding_goes_on(void **state)
{
    (void)state;
    unlink(path);
    struct history_store *history = create(LIMIT_US);
    history_begin(history, T0);
    tell_range(history, 0, 1000);
    assert_true(history_flush(history, PATIENCE));
    struct rlimit before, none = {0};
    getrlimit(RLIMIT_FSIZE, &before);
    none.rlim_max = before.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &none);
    tell_range(history, 1000, N_EVENTS); /* returns */
    struct history_stats stats;
    for (int i = 0; i < 100; i++) {
        history_stats(history, &stats);
        if (stats.problem[0])
            break;
        usleep(50000);
    }
    assert_true(stats.problem[0] != '\0');
    assert_true(stats.waiting > 0);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_true(history_flush(history, PATIENCE));
    history_stats(history, &stats);
    assert_string_equal(stats.problem, "");
    assert_int_equal(stats.lost_minutes, 0);
    check_many(history);
    history_destroy(history);
}

static void a_clock_that_leaps_or_stands_still_is_counted_once(void **state)
{
    (void)state;
    unlink(path);
    struct history_store *history = create(LIMIT_US);
    history_begin(history, T0);
    struct happened event = all[0];
    int64_t times_s[] = {0, 30, 30, 5 * 86400, 5 * 86400 + 1, 5 * 86400 - 600, 40 * 86400};
    for (size_t i = 0; i < sizeof times_s / sizeof *times_s; i++) {
        event.at_us = event.event_us = T0 + times_s[i] * US_PER_S;
        tell(history, &event);
    }
    assert_true(history_flush(history, PATIENCE));
    assert_true(value_at(history, "accepted", T0_S, T0_S + 86400) == 3);
    assert_true(value_at(history, "accepted", T0_S + 4 * 86400, T0_S + 6 * 86400) == 3);
    struct query query = {T0_S, T0_S + 60 * 86400, -1, -1};
    assert_int_equal(ask(history, &query).n, 7);
    history_destroy(history);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_range_and_any_labels_add_up_as_counted_by_hand),
        cmocka_unit_test(a_restart_forgets_nothing_and_goes_on),
        cmocka_unit_test(what_a_crash_lost_is_counted_again_from_the_ledger_and_nothing_twice),
        cmocka_unit_test(nothing_counted_is_zero_where_the_service_was_and_null_where_it_was_not),
        cmocka_unit_test(a_share_under_a_new_limit_is_known_only_where_it_was_an_edge),
        cmocka_unit_test(bins_of_another_reference_are_left_out),
        cmocka_unit_test(a_full_disk_loses_history_and_says_so_and_deciding_goes_on),
        cmocka_unit_test(a_clock_that_leaps_or_stands_still_is_counted_once),
    };
    return cmocka_run_group_tests(tests, set_up, remove_folder);
}
