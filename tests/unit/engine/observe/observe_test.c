/* What was told to the counters is what the snapshot says, by kind, by arm and by worker. */
#include "tests/unit/engine/observe/fixture.h"

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
        cmocka_unit_test(history_read_back_enters_windows_but_not_totals),
        cmocka_unit_test(quarantine_duplicates_and_errors_are_counted_apart),
        cmocka_unit_test(arms_show_their_share_wanted_and_measured),
        cmocka_unit_test(newest_decisions_come_from_all_workers_in_order),
        cmocka_unit_test(rates_are_of_this_machine_and_unknown_at_first),
        cmocka_unit_test(nothing_is_lost_between_workers_and_tick),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
