/* The reference that distributions are held against: given, or collected. */
#include "tests/unit/engine/observe/fixture.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_outcomes_become_the_reference),
        cmocka_unit_test(a_given_reference_replaces_the_collected_one),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
