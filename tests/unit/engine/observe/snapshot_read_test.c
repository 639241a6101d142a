/* What snapshot_json() wrote, snapshot_read() reads back; what is not a snapshot is refused. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/observe/snapshot.h"

static void fill_objective(struct snapshot *snapshot)
{
    snapshot->n_slos = 1;
    struct slo_status *slo = &snapshot->slos[0];
    snprintf(slo->name, sizeof slo->name, "latency");
    slo->target = 0.95;
    slo->attainment = NAN;
    slo->budget_left = -0.5;
    for (int i = 0; i < BURN_WINDOWS; i++) {
        slo->burn[i] = i + 0.5;
        slo->bad[i] = (uint64_t)i;
    }
    slo->state = HEALTH_PAGE;
    slo->since_us = snapshot->time_us - US_PER_MIN;
    slo->window_us = 30 * US_PER_DAY;
    slo->reach_us = 6 * US_PER_MIN;
    slo->counted[BURN_2H] = 99;
    slo->min_bad = 10;
    slo->min_counted = 50;
    for (int i = 0; i < SLO_PAIRS; i++)
        slo->pairs[i] =
            (struct slo_pair){BURN_1D, BURN_2H, i + 0.5, HEALTH_TICKET, i == 1, "capped"};
    slo->pairs[0].severity = HEALTH_PAGE;
    slo->pairs[3].rate = NAN;
    slo->forecast = (struct slo_forecast){US_PER_DAY, snapshot->time_us + US_PER_HOUR,
                                          snapshot->time_us + US_PER_MIN, 0};
    snprintf(slo->unit, sizeof slo->unit, "decisions");
    snprintf(slo->sentence, sizeof slo->sentence, "it burns");
}

static void fill_record(struct snapshot *snapshot)
{
    snapshot->root[0] = 0xab;
    snapshot->tree_size = 18;
    snapshot->kafka =
        (struct kafka_status){.used = true, .connected = true, .partitions = 4, .lag = NAN};
    snapshot->clock = (struct clock_status){.ahead_s = 3600,
                                            .behind_record_s = NAN,
                                            .last_step_s = -3600,
                                            .last_step_us = snapshot->time_us - US_PER_MIN,
                                            .steps = 1,
                                            .future_ratio = 0.75,
                                            .future = 12};
    snapshot->record = (struct record_status){.used = true,
                                              .state = RECORD_RETRYING,
                                              .problem = "full",
                                              .since_us = snapshot->time_us - US_PER_MIN,
                                              .not_written_s = 60,
                                              .last_from_us = snapshot->time_us - US_PER_HOUR,
                                              .last_to_us = snapshot->time_us - US_PER_HOUR / 2,
                                              .stops = 2,
                                              .stopped_s = 1860,
                                              .failed_writes = 40,
                                              .refused = 70,
                                              .unconfirmed = 3,
                                              .batch_us = 250000,
                                              .commit_us = 900,
                                              .wait_us = NAN};
}

static void fill_quality(struct snapshot *snapshot)
{
    snapshot->n_drift = 1;
    snapshot->drift[0] = (struct drift_status){
        .feature = "score", .psi = NAN, .noise = NAN, .warm_us = snapshot->time_us + US_PER_HOUR};
    snapshot->quality = (struct quality_status){.used = true,
                                                .state = HEALTH_TICKET,
                                                .why = "country: missing",
                                                .n = 321,
                                                .missing_ratio = 0.25,
                                                .invalid_ratio = NAN,
                                                .duplicate_ratio = 0.5,
                                                .age_p95_s = 1.5,
                                                .feature_lag_s = 2.5,
                                                .volume_per_s = 80,
                                                .volume_usual_per_s = NAN,
                                                .volume_z = -4.5,
                                                .expectations_failed = 1,
                                                .expectations_nodata = 2,
                                                .anomalies = 3};
}

static void fill(struct snapshot *snapshot)
{
    snapshot->seq = 41;
    (void)time_parse(slice_of("2026-01-02T14:03:22.25Z"), &snapshot->time_us);
    snapshot->started_us = snapshot->time_us - US_PER_HOUR;
    snapshot->event_time = true;
    snprintf(snapshot->service, sizeof snapshot->service, "fraud \"eu\"\n");
    snapshot->events_per_s = NAN;
    snapshot->events_total = UINT64_C(9007199254740992);
    snapshot->latency_us = (struct latency_summary){.p50 = 85.5, .p95 = NAN, .p99 = 480, .n = 12};
    snapshot->decisions[DECISION_DECLINE] = 3;
    snapshot->score_bins[SCORE_BINS - 1] = 7;
    snapshot->n_quarantine = 1;
    snapshot->quarantine[0] = (struct count_status){.name = "future_timestamp", .n = 5};
    snapshot->kept = (struct history_status){3, 2, "disk full"};
    snapshot->n_arms = 1;
    snapshot->arms[0] = (struct arm_status){.variant = VARIANT_CANARY,
                                            .model = "fraud",
                                            .version = "13",
                                            .share_wanted = 0.25,
                                            .share_measured = NAN,
                                            .latency_us = {NAN, NAN, NAN, 0}};
    queues_add(&snapshot->queues, "shadow", 5, 4096, 12);
    queues_add(&snapshot->queues, "judge", 0, 1, 0);
    snapshot->queues.list[0].full_us = snapshot->time_us - US_PER_MIN;
    snapshot->n_recent = 2;
    snapshot->recent[0].decision = DECISION_REVIEW;
    snapshot->recent[0].score = 0.1f;
    snapshot->recent[0].ledger_index = UINT64_MAX;
    snapshot->recent[1].ledger_index = 17;
    snapshot->rate_history.n = 3;
    snapshot->rate_history.points[1] = NAN;
    snapshot->rate_history.points[2] = 12480;
    fill_objective(snapshot);
    fill_record(snapshot);
    fill_quality(snapshot);
    snprintf(snapshot->not_ready, sizeof snapshot->not_ready, "no model");
}

static void reads_back_what_was_written(void **state)
{
    (void)state;
    struct snapshot *before = calloc(1, sizeof *before), *after = malloc(sizeof *after);
    struct buffer json, again;
    buffer_init(&json, 1u << 20);
    buffer_init(&again, 1u << 20);
    fill(before);
    snapshot_json(before, &json);
    memset(after, 0xff, sizeof *after);
    assert_int_equal(snapshot_read(buffer_slice(&json), after, NULL), STATUS_OK);
    snapshot_json(after, &again);
    assert_string_equal(json.data, again.data);
    assert_int_equal(after->time_us, before->time_us);
    assert_true(isnan(after->events_per_s));
    assert_true(after->quality.used && isnan(after->quality.invalid_ratio));
    assert_string_equal(after->quality.why, "country: missing");
    assert_true(isnan(after->slos[0].attainment));
    assert_true(after->slos[0].state == HEALTH_PAGE);
    assert_true(after->recent[0].ledger_index == UINT64_MAX);
    assert_true(after->recent[1].ledger_index == 17);
    assert_true(isnan((double)after->rate_history.points[1]));
    assert_int_equal(after->decisions_total[0], 0);
    buffer_free(&json);
    buffer_free(&again);
    free(before);
    free(after);
}

static void refuses_what_is_no_snapshot(void **state)
{
    (void)state;
    struct snapshot *snapshot = calloc(1, sizeof *snapshot);
    struct error error;
    assert_int_equal(snapshot_read(slice_of("<html>"), snapshot, &error), STATUS_INVALID);
    assert_int_equal(snapshot_read(slice_of("{}"), snapshot, &error), STATUS_UNSUPPORTED);
    assert_int_equal(snapshot_read(slice_of("{\"schema\":2}"), snapshot, &error),
                     STATUS_UNSUPPORTED);
    free(snapshot);
}

static void cuts_lists_and_takes_odd_members_as_no_data(void **state)
{
    (void)state;
    struct snapshot *snapshot = calloc(1, sizeof *snapshot);
    struct buffer json;
    buffer_init(&json, 1u << 20);
    buffer_append_text(&json, "{\"schema\":1,\"seq\":-3,\"time\":7,\"slo\":5,\"history\":[],"
                              "\"latency_us\":null,\"traffic\":[");
    for (int i = 0; i < MAX_ARMS + 5; i++)
        buffer_printf(&json, "%s{\"variant\":\"x\",\"n\":1e300}", i ? "," : "");
    buffer_append_text(&json, "]}");
    assert_int_equal(snapshot_read(buffer_slice(&json), snapshot, NULL), STATUS_OK);
    assert_int_equal(snapshot->n_arms, MAX_ARMS);
    assert_int_equal(snapshot->n_slos, 0);
    assert_int_equal(snapshot->seq, 0);
    assert_true(isnan(snapshot->latency_us.p50));
    buffer_free(&json);
    free(snapshot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_back_what_was_written),
        cmocka_unit_test(refuses_what_is_no_snapshot),
        cmocka_unit_test(cuts_lists_and_takes_odd_members_as_no_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
