/* Windows, arms, reference and restart of observe, against counts made by hand or by brute force.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/base/json.h"
#include "engine/observe/observe.h"
#include "tests/unit/folder.h"
#include "tests/unit/random.h"

#define T0 (INT64_C(1533081600) * US_PER_S) /* 2018-08-01T00:00:00Z */

static const char *const feature_names[] = {"amount", "night"};
static const struct feature_schema features = {feature_names, 2};
static const struct field fields[] = {{"event_id", FIELD_STRING, true, false, false}};
static const struct schema schema = {"t", "1", fields, 1, 0, 0, -1, -1};

static struct observe *create(int64_t reference_events)
{
    struct observe_options options;
    observe_options_init(&options);
    options.features = &features;
    options.reference_events = reference_events;
    struct observe *observe = NULL;
    struct error error;
    assert_int_equal(observe_create(&options, &observe, &error), STATUS_OK);
    return observe;
}

/* One outcome by the champion. */
static void tell(struct observe *observe, int64_t at_us, int64_t latency_us, enum decision decision,
                 float score)
{
    struct value id = value_string(slice_of("01ARZ3NDEKTSV4RRFFQ69G5FAV"));
    struct event event = {.schema = &schema, .values = &id, .time_us = at_us};
    float values[] = {(float)(random_bits() % 1000), (float)(random_bits() % 10 == 0)};
    struct outcome outcome = {.event = &event,
                              .features = {&features, values},
                              .score = score,
                              .decision = decision,
                              .rule = "default",
                              .model = "fraud",
                              .model_version = "3",
                              .variant = VARIANT_CHAMPION,
                              .decided_at_us = at_us,
                              .latency_us = latency_us};
    const struct outcome *pointer = &outcome;
    observe_outcomes(observe, 0, &pointer, 1);
}

static struct snapshot *fill(struct observe *observe, int64_t now_us, int64_t monotonic_s)
{
    struct snapshot *snapshot = snapshot_create();
    assert_non_null(snapshot);
    snapshot->time_us = now_us;
    observe_fill(observe, now_us, monotonic_s * 1000000000, snapshot);
    return snapshot;
}

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

static void history_read_back_enters_windows_but_not_totals(void **state)
{
    (void)state;
    struct observe *observe = create(0);
    int64_t now_us = T0 + 2 * US_PER_DAY;
    snapshot_release(fill(observe, now_us, 1)); /* the clock is ahead of the rows already */
    for (int hour = 0; hour < 48; hour++) {
        struct outcome outcome = {.score = 0.5f,
                                  .model = "fraud",
                                  .model_version = "3",
                                  .decided_at_us = T0 + hour * US_PER_HOUR,
                                  .latency_us = 10};
        observe_recorded(observe, &outcome, NULL, OBSERVE_WINDOWS);
    }
    struct snapshot *snapshot = fill(observe, now_us, 2);
    assert_int_equal(snapshot->accepted_total, 0);
    assert_int_equal(snapshot->n_recent, 0);
    snapshot_release(snapshot);
    struct tally sum;
    observe_sum(observe, 3 * US_PER_DAY, &sum);
    assert_int_equal(sum.accepted, 48);
    observe_sum(observe, US_PER_DAY, &sum);
    assert_int_equal(sum.accepted, 24);
    observe_destroy(observe);
}

static void quarantine_duplicates_and_errors_are_counted_apart(void **state)
{
    (void)state;
    struct observe *observe = create(0);
    struct event event = {.schema = &schema};
    event_violate(&event, VIOLATION_RANGE, 0);
    event_violate(&event, VIOLATION_RANGE, 0); /* twice the same reason is one */
    event_violate(&event, VIOLATION_ENUM, 0);
    observe_quarantine(observe, 3, &event, T0);
    observe_quarantine(observe, 4, &event, T0);
    observe_duplicate(observe, 5, T0);
    observe_error(observe, 6, T0);
    struct snapshot *snapshot = fill(observe, T0 + 1, 1);
    assert_int_equal(snapshot->quarantined_total, 2);
    assert_int_equal(snapshot->duplicate_total, 1);
    assert_int_equal(snapshot->error_total, 1);
    assert_int_equal(snapshot->events_total, 4);
    assert_int_equal(snapshot->n_quarantine, 2);
    assert_string_equal(snapshot->quarantine[0].name, "range");
    assert_int_equal(snapshot->quarantine[0].n, 2);
    assert_string_equal(snapshot->quarantine[1].name, "enum");
    snapshot_release(snapshot);
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

static void the_first_outcomes_become_the_reference(void **state)
{
    (void)state;
    struct observe *observe = create(1000);
    struct binning binning;
    for (int i = 0; i < 999; i++)
        tell(observe, T0, 1, DECISION_APPROVE, (float)i / 1000);
    assert_false(observe_binning(observe, 0, &binning));
    tell(observe, T0, 1, DECISION_APPROVE, 0.999f);
    assert_true(observe_binning(observe, 0, &binning));
    assert_int_equal(binning.n_reference, 1000);
    assert_int_equal(binning.n_edges, 11);
    for (int i = 0; i <= 11; i++)
        assert_int_equal(binning.reference[i], i == 0 || i == 11 ? 0 : 100);
    /* A flag that is set for a tenth of the events has two bins, and nothing outside them. */
    assert_true(observe_binning(observe, 2, &binning));
    assert_true(binning.few);
    assert_int_equal(binning.n_edges, 3);
    assert_int_equal(binning.reference[1] + binning.reference[2], 1000);
    assert_in_range(binning.reference[2], 60, 140);
    assert_int_equal(binning_find(&binning, 2), 3);
    assert_true(binning_outside(&binning, 3));

    uint64_t counts[MAX_BINS];
    for (int i = 0; i < 300; i++)
        tell(observe, T0 + US_PER_S, 1, DECISION_APPROVE, 0.05f);
    snapshot_release(fill(observe, T0 + 2 * US_PER_S, 1));
    observe_bins(observe, 0, US_PER_HOUR, counts);
    assert_true(observe_binning(observe, 0, &binning));
    assert_int_equal(counts[binning_find(&binning, 0.05f)], 300);
    observe_renew_reference(observe);
    assert_false(observe_binning(observe, 0, &binning));
    observe_bins(observe, 0, US_PER_HOUR, counts);
    assert_int_equal(counts[0], 0);
    observe_destroy(observe);
}

static void a_given_reference_replaces_the_collected_one(void **state)
{
    (void)state;
    struct observe *observe = create(50);
    enum { N = 400 };
    static float rows[N][2], scores[N];
    for (int i = 0; i < N; i++) {
        rows[i][0] = i % 4 ? (float)i : NAN;
        rows[i][1] = 7;
        scores[i] = (float)i / N;
    }
    struct error error;
    assert_int_equal(observe_set_reference(observe, &rows[0][0], scores, N, &error), STATUS_OK);
    struct binning binning;
    assert_true(observe_binning(observe, 1, &binning));
    assert_int_equal(binning.n_reference, N);
    assert_int_equal(binning.reference[MISSING_BIN], N / 4);
    assert_int_equal(binning_find(&binning, NAN), MISSING_BIN);
    assert_int_equal(binning_find(&binning, -1e30f), 0);
    assert_int_equal(binning_find(&binning, INFINITY), binning.n_edges);
    assert_true(observe_binning(observe, 2, &binning));
    assert_int_equal(binning.n_edges, 2); /* one value, and what is not */
    assert_int_equal(observe_set_reference(observe, &rows[0][0], scores, 0, &error),
                     STATUS_INVALID);
    observe_destroy(observe);
}

static void arms_show_their_share_wanted_and_measured(void **state)
{
    (void)state;
    struct observe *observe = create(0);
    const struct observe_arm arms[] = {
        {VARIANT_CHAMPION, "fraud", "3", 0.75},
        {VARIANT_CANARY, "fraud", "4", 0.25},
        {VARIANT_SHADOW, "other", "1", 1},
    };
    observe_set_arms(observe, arms, 3);
    for (int i = 0; i < 100; i++) {
        struct outcome outcome = {.model = "fraud",
                                  .model_version = i % 5 ? "3" : "4",
                                  .variant = i % 5 ? VARIANT_CHAMPION : VARIANT_CANARY,
                                  .decided_at_us = T0 + i,
                                  .latency_us = i % 5 ? 100 : 1000,
                                  .shadows = {{"other", "1", 0.5f}},
                                  .n_shadows = 1};
        const struct outcome *pointer = &outcome;
        observe_outcomes(observe, i % 7, &pointer, 1);
    }
    struct snapshot *snapshot = fill(observe, T0 + 1000, 1);
    assert_int_equal(snapshot->n_arms, 3);
    assert_string_equal(snapshot->arms[1].version, "4");
    assert_true(snapshot->arms[0].share_wanted == 0.75);
    assert_true(snapshot->arms[0].share_measured == 0.8);
    assert_true(snapshot->arms[1].share_measured == 0.2);
    assert_true(snapshot->arms[2].share_measured == 1);
    assert_int_equal(snapshot->arms[1].n, 20);
    assert_true(fabs(snapshot->arms[1].latency_us.p50 - 1000) < 8);
    assert_true(isnan(snapshot->arms[2].latency_us.p50));
    snapshot_release(snapshot);
    observe_destroy(observe);
}

static void newest_decisions_come_from_all_workers_in_order(void **state)
{
    (void)state;
    struct observe *observe = create(0);
    for (int i = 0; i < 100; i++) {
        char name[16];
        snprintf(name, sizeof name, "event-%d", i);
        struct value id = value_string(slice_of(name));
        struct event event = {.schema = &schema, .values = &id, .time_us = T0};
        struct outcome outcome = {.event = &event,
                                  .model = "m",
                                  .model_version = "1",
                                  .rule = "high",
                                  .decided_at_us = T0 + i,
                                  .ledger_index = (uint64_t)i};
        const struct outcome *pointer = &outcome;
        observe_outcomes(observe, i % 3, &pointer, 1);
    }
    struct snapshot *snapshot = fill(observe, T0 + 1000, 1);
    assert_int_equal(snapshot->n_recent, MAX_SNAPSHOT_DECISIONS);
    assert_string_equal(snapshot->recent[0].event_id, "event-99");
    assert_string_equal(snapshot->recent[19].event_id, "event-80");
    assert_string_equal(snapshot->recent[0].rule, "high");
    snapshot_release(snapshot);
    observe_destroy(observe);
}

static void rates_are_of_this_machine_and_unknown_at_first(void **state)
{
    (void)state;
    struct observe *observe = create(0);
    struct snapshot *snapshot = fill(observe, T0, 100);
    assert_true(isnan(snapshot->events_per_s));
    snapshot_release(snapshot);
    for (int second = 1; second <= 20; second++) {
        for (int i = 0; i < 50; i++) /* a day of event time a second */
            tell(observe, T0 + second * US_PER_DAY, 1, DECISION_DECLINE, 1);
        snapshot = fill(observe, T0 + second * US_PER_DAY, 100 + second);
        assert_true(fabs(snapshot->events_per_s - 50) < 1e-9);
        assert_int_equal(snapshot->rate_history.n, second + 1);
        assert_true(snapshot->decline_history.points[second] == 1);
        snapshot_release(snapshot);
    }
    observe_destroy(observe);
}

static void a_restart_goes_on_where_it_was_saved(void **state)
{
    (void)state;
    char path[FOLDER_PATH];
    folder_path("observe.state", path);
    struct observe *first = create(100);
    const struct observe_arm arm = {VARIANT_CHAMPION, "fraud", "3", 1};
    observe_set_arms(first, &arm, 1);
    for (int i = 0; i < 3000; i++)
        tell(first, T0 + i * 97 * US_PER_S, (int64_t)(random_bits() % 300000),
             (enum decision)(i % 3), (float)(i % 100) / 100);
    observe_error(first, 0, T0 + 2999 * 97 * US_PER_S);
    int64_t now_us = T0 + 3000 * 97 * US_PER_S;
    struct snapshot *before = fill(first, now_us, 1);
    struct error error;
    assert_int_equal(observe_save(first, path, 4711, &error), STATUS_OK);

    struct observe *second = create(100);
    observe_set_arms(second, &arm, 1);
    uint64_t mark = 0;
    assert_int_equal(observe_load(second, path, &mark, &error), STATUS_OK);
    assert_int_equal(mark, 4711);
    struct snapshot *after = fill(second, now_us, 1);
    assert_memory_equal(before->decisions_usual, after->decisions_usual,
                        sizeof before->decisions_usual);
    assert_memory_equal(before->score_bins, after->score_bins, sizeof before->score_bins);
    assert_int_equal(after->n_arms, 1);
    assert_true(after->arms[0].share_wanted == 1);
    assert_int_equal(after->accepted_total, 0);
    static const int64_t windows[] = {5 * US_PER_MIN, US_PER_HOUR, US_PER_DAY, 30 * US_PER_DAY};
    for (size_t i = 0; i < 4; i++) {
        struct tally a, b;
        observe_sum(first, windows[i], &a);
        observe_sum(second, windows[i], &b);
        assert_memory_equal(&a, &b, sizeof a);
        assert_true(a.accepted > 0);
    }
    struct binning a, b;
    assert_true(observe_binning(first, 0, &a) && observe_binning(second, 0, &b));
    assert_memory_equal(&a, &b, sizeof a);
    static struct histogram x, y;
    observe_latency(first, 30 * US_PER_DAY, &x);
    observe_latency(second, 30 * US_PER_DAY, &y);
    assert_memory_equal(&x, &y, sizeof x);
    uint64_t bins_a[MAX_BINS], bins_b[MAX_BINS];
    observe_bins(first, 1, US_PER_DAY, bins_a);
    observe_bins(second, 1, US_PER_DAY, bins_b);
    assert_memory_equal(bins_a, bins_b, sizeof bins_a);
    snapshot_release(before);
    snapshot_release(after);
    observe_destroy(first);
    observe_destroy(second);
}

static void a_damaged_or_foreign_file_is_refused_whole(void **state)
{
    (void)state;
    char path[FOLDER_PATH];
    folder_path("observe.state", path);
    struct error error;
    uint64_t mark;
    struct observe_options options;
    observe_options_init(&options);
    options.reference_events = 0;
    struct observe *other = NULL;
    assert_int_equal(observe_create(&options, &other, &error), STATUS_OK);
    assert_int_equal(observe_load(other, path, &mark, &error), STATUS_CONFLICT);
    assert_int_equal(observe_load(other, "/nonexistent/file", &mark, &error), STATUS_NOT_FOUND);
    observe_destroy(other);

    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    fseek(file, 3000, SEEK_SET);
    int byte = fgetc(file);
    fseek(file, 3000, SEEK_SET);
    fputc(byte ^ 1, file);
    fclose(file);
    struct observe *observe = create(100);
    assert_int_equal(observe_load(observe, path, &mark, &error), STATUS_CORRUPT);
    assert_int_equal(truncate(path, 40), 0);
    assert_int_equal(observe_load(observe, path, &mark, &error), STATUS_CORRUPT);
    struct tally sum;
    observe_sum(observe, 30 * US_PER_DAY, &sum);
    assert_int_equal(sum.accepted, 0);
    observe_destroy(observe);
    unlink(path);
}

struct writer {
    struct observe *observe;
    int worker;
};

static void *write_many(void *context)
{
    struct writer *writer = context;
    static float values[] = {1, 0};
    for (int i = 0; i < 3000; i++) {
        struct outcome outcome = {.features = {&features, values},
                                  .score = (float)(i % 10) / 10,
                                  .model = "fraud",
                                  .model_version = i % 2 ? "3" : "4",
                                  .decided_at_us = T0 + i * 1000,
                                  .latency_us = 3};
        const struct outcome *pointer = &outcome;
        observe_outcomes(writer->observe, writer->worker, &pointer, 1);
        observe_answer_latency(writer->observe, 17);
    }
    return NULL;
}

static void nothing_is_lost_between_workers_and_tick(void **state)
{
    (void)state;
    struct observe *observe = create(500);
    struct writer writers[4];
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        writers[i] = (struct writer){observe, i == 3 ? 32 : i}; /* two share a shard */
        pthread_create(&threads[i], NULL, write_many, &writers[i]);
    }
    for (int i = 0; i < 20; i++)
        snapshot_release(fill(observe, T0, i));
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    struct snapshot *snapshot = fill(observe, T0 + 3 * US_PER_S, 30);
    assert_int_equal(snapshot->accepted_total, 12000);
    assert_int_equal(snapshot->answer_latency.n, 12000);
    assert_int_equal(snapshot->answer_latency.sum_us, 12000 * 17);
    assert_int_equal(snapshot->n_arms, 2);
    assert_int_equal(snapshot->arms[0].n + snapshot->arms[1].n, 12000);
    snapshot_release(snapshot);
    observe_destroy(observe);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_the_last_minute_and_forgets_what_is_older),
        cmocka_unit_test(sums_equal_brute_force_over_cells),
        cmocka_unit_test(a_leap_over_years_leaves_nothing_behind_and_costs_one_ring),
        cmocka_unit_test(a_clock_behind_what_was_counted_sees_the_present_again),
        cmocka_unit_test(history_read_back_enters_windows_but_not_totals),
        cmocka_unit_test(quarantine_duplicates_and_errors_are_counted_apart),
        cmocka_unit_test(a_minute_is_stale_when_its_newest_event_was_old),
        cmocka_unit_test(judges_every_slice_once_also_when_days_pass_between_two_reads),
        cmocka_unit_test(the_first_outcomes_become_the_reference),
        cmocka_unit_test(a_given_reference_replaces_the_collected_one),
        cmocka_unit_test(arms_show_their_share_wanted_and_measured),
        cmocka_unit_test(newest_decisions_come_from_all_workers_in_order),
        cmocka_unit_test(rates_are_of_this_machine_and_unknown_at_first),
        cmocka_unit_test(a_restart_goes_on_where_it_was_saved),
        cmocka_unit_test(a_damaged_or_foreign_file_is_refused_whole),
        cmocka_unit_test(nothing_is_lost_between_workers_and_tick),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
