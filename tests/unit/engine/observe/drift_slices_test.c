/* The sample of rows: bounded, the same chance for each, weights that add up; the canary's counts.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

#include "engine/base/clock.h"
#include "engine/observe/drift_slices.h"

#define T0     (INT64_C(1767225600) * US_PER_S)
#define WINDOW US_PER_HOUR

static void tell(struct drift_slices *slices, int place, int64_t at_us, enum variant variant,
                 float score, float feature)
{
    float values[] = {feature};
    struct outcome outcome = {.variant = variant,
                              .decided_at_us = at_us,
                              .score = score,
                              .decision = score > 0.9f ? DECISION_DECLINE : DECISION_APPROVE,
                              .features = {NULL, values}};
    const struct outcome *one = &outcome;
    drift_slices_outcomes(slices, place, &one, 1);
}

static struct drift_slices *create(void)
{
    struct drift_slices *slices = drift_slices_create(2, WINDOW);
    assert_non_null(slices);
    return slices;
}

static void few_rows_are_all_there(void **state)
{
    (void)state;
    struct observed_value values[OBSERVE_SAMPLE];
    struct drift_slices *slices = create();
    for (int i = 0; i < 100; i++)
        tell(slices, i % 3, T0 + i * US_PER_S, VARIANT_CHAMPION, 0.5f, i % 4 ? (float)i : NAN);
    assert_int_equal(drift_slices_values(slices, 0, VARIANT_COUNT, values), 100);
    size_t n = drift_slices_values(slices, 1, VARIANT_COUNT, values);
    assert_int_equal(n, 75); /* missing ones are left out */
    for (size_t i = 0; i < n; i++)
        assert_true(values[i].weight == 1);
    drift_slices_advance(slices, T0 + 3 * US_PER_HOUR);
    assert_int_equal(drift_slices_values(slices, 0, VARIANT_COUNT, values), 0);
    drift_slices_destroy(slices);
}

/* Three workers, slices of very different traffic: what is sampled stands for all of it. */
static void a_sample_is_bounded_and_stands_for_all(void **state)
{
    (void)state;
    enum { SLICES = 13 };
    struct observed_value values[OBSERVE_SAMPLE];
    struct drift_slices *slices = create();
    double events = 0, sum = 0, weights = 0, weighted = 0, early = 0;
    for (int slice = 0; slice < SLICES; slice++) {
        int n = slice % 2 ? 20000 : 500;
        for (int i = 0; i < n; i++) {
            float value = (float)slice + (float)i / (float)n;
            tell(slices, i % 3, T0 + slice * SLICE_US + i * SLICE_US / n, VARIANT_CHAMPION, 0,
                 value);
            events++;
            sum += (double)value;
        }
    }
    size_t n = drift_slices_values(slices, 1, VARIANT_COUNT, values);
    assert_in_range(n, 1000, OBSERVE_SAMPLE);
    for (size_t i = 0; i < n; i++) {
        weights += values[i].weight;
        weighted += values[i].weight * values[i].value;
        early += values[i].value - floor(values[i].value) < 0.5 ? values[i].weight : 0;
    }
    /* Five standard errors, about: a slice's weights vary by its rate. */
    assert_true(fabs(weights / events - 1) < 0.15);
    assert_true(fabs(weighted / weights - sum / events) < 0.5);
    assert_true(fabs(early / weights - 0.5) < 0.08);
    drift_slices_destroy(slices);
}

static void the_same_events_give_the_same_sample(void **state)
{
    (void)state;
    static struct observed_value a[OBSERVE_SAMPLE], b[OBSERVE_SAMPLE];
    size_t n[2];
    for (int turn = 0; turn < 2; turn++) {
        struct drift_slices *slices = create();
        for (int i = 0; i < 5000; i++)
            tell(slices, 0, T0 + i * US_PER_S / 50, VARIANT_CHAMPION, 0, (float)i);
        n[turn] = drift_slices_values(slices, 1, VARIANT_COUNT, turn ? b : a);
        drift_slices_destroy(slices);
    }
    assert_int_equal(n[0], n[1]);
    assert_memory_equal(a, b, n[0] * sizeof *a);
}

static void what_the_canary_decides_is_counted_apart(void **state)
{
    (void)state;
    float sample[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, again[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    struct binning binnings[2];
    uint64_t bins[MAX_BINS], decisions[DECISION_COUNT];
    struct observed_value values[OBSERVE_SAMPLE];
    struct drift_slices *slices = create();
    binning_make(&binnings[0], sample, 10, 2);
    binning_make(&binnings[1], again, 10, 2);
    drift_slices_set_binnings(slices, binnings, false);
    for (int i = 0; i < 1000; i++)
        tell(slices, 0, T0 + i * US_PER_S, i % 10 ? VARIANT_CHAMPION : VARIANT_CANARY,
             i % 20 ? 0.5f : 0.95f, i % 50 ? 3 : NAN);
    drift_slices_bins(slices, 1, bins);
    assert_int_equal(bins[MISSING_BIN], 20);
    assert_int_equal(bins[binning_find(&binnings[1], 3)], 80);
    drift_slices_decisions(slices, decisions);
    assert_int_equal(decisions[DECISION_DECLINE], 50);
    assert_int_equal(decisions[DECISION_APPROVE], 50);
    size_t n = drift_slices_values(slices, 0, VARIANT_CANARY, values);
    assert_true(n > 0 && n <= 100);
    drift_slices_destroy(slices);
}

static void the_canary_is_known_after_a_restart(void **state)
{
    (void)state;
    struct buffer bytes;
    uint64_t before[DECISION_COUNT], after[DECISION_COUNT];
    struct drift_slices *slices = create(), *again = create();
    for (int i = 0; i < 1000; i++)
        tell(slices, 0, T0 + i * US_PER_S, VARIANT_CANARY, i % 20 ? 0.5f : 0.95f, 3);
    buffer_init(&bytes, 1 << 20);
    drift_slices_encode(slices, &bytes);
    struct slice rest = buffer_slice(&bytes);
    assert_true(drift_slices_decode(again, &rest));
    assert_int_equal(rest.size, 0);
    drift_slices_decisions(slices, before);
    drift_slices_decisions(again, after);
    assert_memory_equal(before, after, sizeof before);
    for (size_t size = 0; size < bytes.size; size++) {
        struct slice cut = slice_make(bytes.data, size);
        assert_false(drift_slices_decode(again, &cut));
    }
    drift_slices_rewind(slices, T0 - US_PER_HOUR);
    drift_slices_decisions(slices, after);
    assert_int_equal(after[DECISION_APPROVE] + after[DECISION_DECLINE], 0);
    tell(slices, 0, T0 - US_PER_HOUR, VARIANT_CANARY, 0.5f, 3);
    drift_slices_decisions(slices, after);
    assert_int_equal(after[DECISION_APPROVE], 1);
    buffer_free(&bytes);
    drift_slices_destroy(slices);
    drift_slices_destroy(again);
}

/* Bug: after a restart the methods by value began with nothing. */
static void the_sample_is_there_after_a_restart_and_goes_on(void **state)
{
    (void)state;
    struct buffer bytes;
    struct observed_value before[OBSERVE_SAMPLE], after[OBSERVE_SAMPLE];
    struct drift_slices *slices = create(), *again = create();
    for (int i = 0; i < 20000; i++)
        tell(slices, 0, T0 + i * US_PER_S / 10, i % 10 ? VARIANT_CHAMPION : VARIANT_CANARY,
             (float)(i % 1000) / 1000, (float)i);
    buffer_init(&bytes, 1 << 20);
    drift_slices_encode(slices, &bytes);
    struct slice rest = buffer_slice(&bytes);
    assert_true(drift_slices_decode(again, &rest));
    const enum variant variants[] = {VARIANT_CHAMPION, VARIANT_CANARY, VARIANT_COUNT};
    for (size_t v = 0; v < 3; v++) {
        size_t n = drift_slices_values(slices, 1, variants[v], before);
        assert_true(n > 100);
        assert_int_equal(drift_slices_values(again, 1, variants[v], after), n);
        assert_memory_equal(before, after, n * sizeof *before);
    }
    for (int i = 20000; i < 40000; i++)
        tell(again, 0, T0 + i * US_PER_S / 10, VARIANT_CHAMPION, 0.5f, (float)i);
    double weight = 0;
    size_t n = drift_slices_values(again, 1, VARIANT_COUNT, after);
    for (size_t i = 0; i < n; i++)
        weight += after[i].weight;
    assert_true(weight > 30000 && weight < 39000); /* of the last hour: 36,000 and a bit */
    buffer_free(&bytes);
    drift_slices_destroy(slices);
    drift_slices_destroy(again);
}

/* Bug: after the window was made longer, what had been counted under the shorter one was damaged.
 */
static void a_sample_is_taken_up_under_another_window(void **state)
{
    enum { N = 20000 };
    const int64_t windows[][2] = {{US_PER_HOUR, 24 * US_PER_HOUR}, {24 * US_PER_HOUR, US_PER_HOUR}};
    (void)state;
    for (size_t turn = 0; turn < 2; turn++) {
        struct observed_value values[OBSERVE_SAMPLE];
        struct drift_slices *before = drift_slices_create(2, windows[turn][0]);
        struct drift_slices *after = drift_slices_create(2, windows[turn][1]);
        struct buffer bytes;
        double weights = 0, weighted = 0;
        assert_true(before && after);
        for (int i = 0; i < N; i++) /* half an hour */
            tell(before, 0, T0 + i * (US_PER_HOUR / 2 / N), VARIANT_CANARY, 0, (float)i / N);
        buffer_init(&bytes, 1 << 20);
        drift_slices_encode(before, &bytes);
        struct slice rest = buffer_slice(&bytes);
        assert_true(drift_slices_decode(after, &rest));
        assert_int_equal(rest.size, 0);
        size_t n = drift_slices_values(after, 1, VARIANT_CANARY, values);
        assert_true(n >= 6 * 5);
        for (size_t i = 0; i < n; i++) {
            weights += values[i].weight;
            weighted += values[i].weight * values[i].value;
        }
        assert_true(fabs(weights / N - 1) < 0.5); /* few rows were there */
        assert_true(fabs(weighted / weights - 0.5) < 0.1);
        tell(after, 0, T0 + US_PER_HOUR / 2 - 1, VARIANT_CANARY, 0, 0.5f); /* and it goes on */
        assert_true(drift_slices_values(after, 1, VARIANT_CANARY, values) >= 6 * 5);
        buffer_free(&bytes);
        drift_slices_destroy(before);
        drift_slices_destroy(after);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_rows_are_all_there),
        cmocka_unit_test(a_sample_is_bounded_and_stands_for_all),
        cmocka_unit_test(the_same_events_give_the_same_sample),
        cmocka_unit_test(what_the_canary_decides_is_counted_apart),
        cmocka_unit_test(the_canary_is_known_after_a_restart),
        cmocka_unit_test(the_sample_is_there_after_a_restart_and_goes_on),
        cmocka_unit_test(a_sample_is_taken_up_under_another_window),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
