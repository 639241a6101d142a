/* Windows: sums of the last minutes and hours, also after leaps and with a clock that was wrong. */
#include "tests/unit/engine/observe/fixture.h"

static void counts_the_last_minute_and_forgets_what_is_older(void **state)
{
    (void)state;
    struct observe *observe = create(0);
    for (int second = 0; second < 120; second++)
        tell(observe, T0 + second * US_PER_S, second < 60 ? 900000 : 1000, DECISION_APPROVE, 0.1f);
    tell(observe, T0 + 119 * US_PER_S + 1, -1, DECISION_DECLINE, 0.99f);
    struct snapshot *snapshot = fill(observe, T0 + 119 * US_PER_S + 2, 10);
    assert_in_range(snapshot->decisions[DECISION_APPROVE], 60, 61);
    assert_int_equal(snapshot->decisions[DECISION_DECLINE], 1);
    assert_true(fabs(snapshot->latency_us.p50 - 1000) < 8);
    assert_int_equal(snapshot->decisions_total[DECISION_APPROVE], 120);
    assert_int_equal(snapshot->accepted_total, 121);
    assert_int_equal(snapshot->score_bins[2], 120);
    assert_int_equal(snapshot->score_bins[19], 1);
    assert_int_equal(snapshot->decision_latency.n, 120);
    assert_int_equal(snapshot->decision_latency.under[6], 60);  /* 1000 us < 2^10 us */
    assert_int_equal(snapshot->decision_latency.under[15], 60); /* 900 ms > 2^19 us */
    assert_int_equal(snapshot->decision_latency.under[16], 120);
    snapshot_release(snapshot);

    snapshot = fill(observe, T0 + 300 * US_PER_S, 11);
    assert_int_equal(snapshot->decisions[DECISION_APPROVE], 0);
    assert_int_equal(snapshot->latency_us.n, 0);
    assert_true(isnan(snapshot->latency_us.p99));
    assert_int_equal(snapshot->decisions_usual[DECISION_APPROVE],
                     0); /* five minutes tell nothing */
    assert_int_equal(snapshot->accepted_total, 121);
    snapshot_release(snapshot);

    snapshot = fill(observe, T0 + 63 * US_PER_MIN, 12);
    assert_int_equal(snapshot->decisions_usual[DECISION_APPROVE], 120);
    snapshot_release(snapshot);
    observe_destroy(observe);
}

/* Sums over every window against all events kept in an array. */
static void sums_equal_brute_force_over_cells(void **state)
{
    (void)state;
    enum { N = 6000 };
    static const struct {
        int64_t window_us, cell_us;
    } windows[] = {
        {5 * US_PER_MIN, US_PER_S},       {30 * US_PER_MIN, US_PER_MIN},
        {6 * US_PER_HOUR, US_PER_MIN},    {US_PER_DAY, 5 * US_PER_MIN},
        {3 * US_PER_DAY, 5 * US_PER_MIN}, {30 * US_PER_DAY, US_PER_HOUR},
    };
    struct observe *observe = create(0);
    static int64_t times[N], latencies[N];
    int64_t now_us = T0;
    for (int i = 0; i < N; i++) {
        uint64_t kind = random_bits() % 1000; /* now and then the clock leaps */
        now_us += kind < 5 ? (int64_t)(random_bits() % (2 * (uint64_t)US_PER_DAY))
                           : (int64_t)(random_bits() % (20 * (uint64_t)US_PER_S));
        times[i] = now_us - (int64_t)(random_bits() % (3 * (uint64_t)US_PER_S));
        latencies[i] = (int64_t)(random_bits() % 400000);
        tell(observe, times[i], latencies[i], DECISION_APPROVE, 0.5f);
        if (i % 500 != 499)
            continue;
        snapshot_release(fill(observe, now_us, i));
        for (size_t w = 0; w < sizeof windows / sizeof *windows; w++) {
            int64_t cell_us = windows[w].cell_us;
            int64_t from_us = (now_us - windows[w].window_us) / cell_us * cell_us;
            uint64_t n = 0, slow = 0;
            for (int k = 0; k <= i; k++) {
                n += times[k] >= from_us;
                slow += times[k] >= from_us && latencies[k] >= 200000;
            }
            struct tally sum;
            observe_sum(observe, windows[w].window_us, &sum);
            assert_int_equal(sum.accepted, n);
            assert_int_equal(sum.measured, n);
            assert_int_equal(sum.slow[0], slow);
        }
    }
    observe_destroy(observe);
}

static void a_leap_over_years_leaves_nothing_behind_and_costs_one_ring(void **state)
{
    (void)state;
    struct observe *observe = create(0);
    tell(observe, T0, 5, DECISION_APPROVE, 0.5f);
    int64_t before_ns = monotonic_ns();
    for (int year = 1; year <= 20; year++)
        tell(observe, T0 + year * 366 * US_PER_DAY, 5, DECISION_APPROVE, 0.5f);
    snapshot_release(fill(observe, T0 + 20 * 366 * US_PER_DAY, 1));
    assert_true(monotonic_ns() - before_ns < INT64_C(2000000000));
    struct tally sum;
    observe_sum(observe, 30 * US_PER_DAY, &sum);
    assert_int_equal(sum.accepted, 1);
    observe_destroy(observe);
}

static void a_clock_behind_what_was_counted_sees_the_present_again(void **state)
{
    (void)state;
    struct observe *observe = create(0);
    int64_t now_us = T0 + US_PER_DAY, behind_us = now_us - US_PER_HOUR;
    for (int minute = 0; minute < 120; minute++)
        tell(observe, now_us - minute * US_PER_MIN, 1000, DECISION_APPROVE, 0.1f);
    snapshot_release(fill(observe, now_us, 1));
    observe_rewind(observe, behind_us);
    struct tally sum;
    observe_sum(observe, 2 * US_PER_HOUR, &sum);
    assert_in_range(sum.accepted, 59, 61); /* the older half; what lay ahead is given up */
    tell(observe, behind_us + US_PER_S, 5000, DECISION_DECLINE, 0.9f);
    struct snapshot *snapshot = fill(observe, behind_us + 2 * US_PER_S, 2);
    assert_int_equal(snapshot->decisions[DECISION_DECLINE], 1);
    assert_in_range(snapshot->latency_us.n, 1, 3);
    snapshot_release(snapshot);
    observe_rewind(observe, now_us); /* not behind: nothing happens */
    observe_sum(observe, 2 * US_PER_HOUR, &sum);
    assert_in_range(sum.accepted, 60, 62);
    observe_rewind(observe, T0 - 400 * US_PER_DAY); /* further than any ring reaches */
    observe_sum(observe, OBSERVE_MAX_WINDOW_US, &sum);
    assert_int_equal(sum.accepted, 0);
    observe_destroy(observe);
}

static void a_minute_is_stale_when_its_newest_event_was_old(void **state)
{
    (void)state;
    struct observe *observe = create(0);
    struct value id = value_string(slice_of("x"));
    for (int minute = 0; minute < 10; minute++) {
        for (int i = 0; i < 3; i++) {
            int64_t at_us = T0 + minute * US_PER_MIN + i * US_PER_S;
            int64_t age_us = minute < 4 && i == 0 ? US_PER_S : 10 * US_PER_MIN;
            struct event event = {.schema = &schema, .values = &id, .time_us = at_us - age_us};
            struct outcome outcome = {.event = &event,
                                      .model = "m",
                                      .model_version = "1",
                                      .rule = "default",
                                      .decided_at_us = at_us,
                                      .latency_us = 1};
            const struct outcome *pointer = &outcome;
            observe_outcomes(observe, 0, &pointer, 1);
        }
    }
    struct tally sum;
    snapshot_release(fill(observe, T0 + 9 * US_PER_MIN + 45 * US_PER_S, 1));
    observe_sum(observe, US_PER_HOUR, &sum);
    assert_int_equal(sum.fresh_minutes, 4);
    assert_int_equal(sum.stale_minutes, 5); /* the tenth is not over yet */
    snapshot_release(fill(observe, T0 + 60 * US_PER_MIN, 2));
    observe_sum(observe, 6 * US_PER_HOUR, &sum);
    assert_int_equal(sum.fresh_minutes + sum.stale_minutes, 10); /* empty ones are no data */
    observe_destroy(observe);
}

static enum slice_verdict judge_by_count(void *context, const struct binning *binnings,
                                         const uint32_t (*counts)[MAX_BINS], int n_columns)
{
    (void)binnings;
    uint64_t n = 0;
    for (int i = 0; i < MAX_BINS; i++)
        n += counts[0][i];
    assert_int_equal(n_columns, 3);
    ++*(int *)context;
    return n < 50 ? SLICE_TOO_FEW : n < 200 ? SLICE_STEADY : SLICE_DRIFTED;
}

/* Slices with 10, 100 and 300 events in turn, many days in one go as a fast replay brings them. */
static void judges_every_slice_once_also_when_days_pass_between_two_reads(void **state)
{
    (void)state;
    static const int sizes[] = {10, 100, 300};
    struct observe *observe = create(100);
    int judged = 0;
    observe_set_judge(observe, judge_by_count, &judged);
    for (int i = 0; i < 100; i++)
        tell(observe, T0, 1, DECISION_APPROVE, (float)i / 100);
    enum { SLICES = 900 }; /* three days */
    for (int slice = 1; slice <= SLICES; slice++) {
        for (int i = 0; i < sizes[slice % 3]; i++)
            tell(observe, T0 + slice * SLICE_US + i, 1, DECISION_APPROVE, 0.5f);
    }
    snapshot_release(fill(observe, T0 + (SLICES + 1) * SLICE_US + US_PER_MIN, 1));
    struct tally sum;
    observe_sum(observe, 30 * US_PER_DAY, &sum);
    assert_int_equal(judged, SLICES);
    assert_int_equal(sum.steady_slices, SLICES / 3);
    assert_int_equal(sum.drifted_slices, SLICES / 3);
    observe_sum(observe, US_PER_HOUR, &sum);
    assert_int_equal(sum.steady_slices + sum.drifted_slices, 8);
    observe_destroy(observe);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_the_last_minute_and_forgets_what_is_older),
        cmocka_unit_test(sums_equal_brute_force_over_cells),
        cmocka_unit_test(a_leap_over_years_leaves_nothing_behind_and_costs_one_ring),
        cmocka_unit_test(a_clock_behind_what_was_counted_sees_the_present_again),
        cmocka_unit_test(a_minute_is_stale_when_its_newest_event_was_old),
        cmocka_unit_test(judges_every_slice_once_also_when_days_pass_between_two_reads),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
