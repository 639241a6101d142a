/* PSI against figures computed by hand elsewhere, its noise against simulation and chi-square
 * tables. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/monitor/drift.h"
#include "tests/unit/random.h"

/* The figures are from this, run with Python 3.11:
 *   import math
 *   def psi(r, c):
 *       b = [(x, y) for x, y in zip(r, c) if x or y]; k = len(b) * .5
 *       p = [(x + .5) / (sum(r) + k) for x, y in b]; q = [(y + .5) / (sum(c) + k) for x, y in b]
 *       return sum((y - x) * math.log(y / x) for x, y in zip(p, q))
 */
static void psi_equals_an_independent_computation(void **state)
{
    (void)state;
    const struct {
        uint64_t reference[5], current[5];
        double psi;
    } rows[] = {
        {{100, 100, 100, 100, 100}, {80, 120, 90, 110, 100}, 0.020028871786354457},
        {{1000, 500, 250, 125, 0}, {500, 500, 500, 125, 3}, 0.28026236232952473},
        {{10, 0, 0, 0, 0}, {0, 0, 0, 0, 10}, 5.535495341315315},
        {{7, 3, 0, 1, 0}, {2, 2, 0, 9, 0}, 1.4937867584233393},
        {{1000000, 1, 1, 1, 1}, {1, 1, 1, 1, 1000000}, 26.81989075033019},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double psi = drift_psi(rows[i].reference, rows[i].current, 5, NULL);
        assert_true(fabs(psi - rows[i].psi) < 1e-12);
    }
}

static void psi_is_zero_for_equal_counts_and_symmetric(void **state)
{
    (void)state;
    const uint64_t a[] = {10, 20, 30, 0}, b[] = {33, 7, 20, 0};
    assert_true(fabs(drift_psi(a, a, 4, NULL)) < 1e-15);
    assert_true(fabs(drift_psi(a, b, 4, NULL) - drift_psi(b, a, 4, NULL)) < 1e-15);
    double terms[4];
    double psi = drift_psi(a, b, 4, terms);
    assert_true(psi > 0 && fabs(terms[0] + terms[1] + terms[2] - psi) < 1e-15);
    assert_true(terms[0] > 0 && terms[3] == 0);
}

static void psi_of_nothing_is_no_data(void **state)
{
    (void)state;
    const uint64_t none[3] = {0}, some[3] = {1, 2, 3};
    assert_true(isnan(drift_psi(none, some, 3, NULL)));
    double terms[3] = {0};
    assert_true(isnan(drift_psi(some, none, 3, terms)) && isnan(terms[0]) && isnan(terms[2]));
    assert_true(isnan(drift_noise(10, 0, 5, 0.95)));
    assert_true(isnan(drift_noise(1, 5, 5, 0.95)));
}

/* Quantiles of chi-square: NIST/SEMATECH e-Handbook of Statistical Methods, section 1.3.6.7.4. */
static void noise_follows_the_chi_square_table(void **state)
{
    (void)state;
    const struct {
        int freedom;
        double share, quantile;
    } rows[] = {
        {4, 0.95, 9.488},   {9, 0.95, 16.919},  {10, 0.95, 18.307},
        {10, 0.99, 23.209}, {20, 0.90, 28.412},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double noise = drift_noise(rows[i].freedom + 1, 1000, 4000, rows[i].share);
        double exact = rows[i].quantile * (1.0 / 1000 + 1.0 / 4000);
        assert_true(fabs(noise - exact) < 1e-4 * exact);
    }
}

static void sample(uint64_t *counts, int n_bins, int n)
{
    memset(counts, 0, (size_t)n_bins * sizeof *counts);
    for (int i = 0; i < n; i++)
        counts[(int)(random_ratio() * n_bins)]++;
}

static void noise_is_exceeded_by_five_percent_of_samples_without_drift(void **state)
{
    (void)state;
    enum { ROUNDS = 2000, BINS = 10, N = 500, M = 2000 };
    uint64_t reference[BINS], current[BINS];
    int exceeded = 0;
    double sum = 0;
    for (int i = 0; i < ROUNDS; i++) {
        sample(reference, BINS, M);
        sample(current, BINS, N);
        double psi = drift_psi(reference, current, BINS, NULL);
        exceeded += psi > drift_noise(BINS, N, M, 0.95);
        sum += psi;
    }
    /* 100 expected, standard deviation 9.7. */
    assert_in_range(exceeded, 65, 135);
    double expected = (BINS - 1) * (1.0 / N + 1.0 / M);
    assert_true(fabs(sum / ROUNDS - expected) < 0.06 * expected);
}

static struct binning flat_binning(uint64_t per_bin)
{
    struct binning binning = {.n_edges = MAX_VALUE_BINS - 1};
    for (int i = 0; i < MAX_VALUE_BINS; i++)
        binning.reference[i] = per_bin;
    binning.n_reference = per_bin * MAX_VALUE_BINS;
    return binning;
}

static void judges_only_with_enough_events_and_beyond_noise(void **state)
{
    (void)state;
    struct drift_options options;
    drift_defaults(&options);
    struct binning binning = flat_binning(200);
    uint64_t counts[MAX_BINS] = {0};
    struct drift_status status;

    drift_judge(&options, &binning, counts, &status);
    assert_int_equal(status.state, HEALTH_NODATA);
    assert_true(isnan(status.psi));

    counts[0] = 80; /* all in one bin: as drifted as can be, yet only 80 events */
    drift_judge(&options, &binning, counts, &status);
    assert_int_equal(status.state, HEALTH_NODATA);
    assert_true(status.psi > options.threshold);

    counts[0] = 400;
    drift_judge(&options, &binning, counts, &status);
    assert_int_equal(status.state, HEALTH_TICKET);

    for (int i = 0; i < MAX_VALUE_BINS; i++)
        counts[i] = 40;
    drift_judge(&options, &binning, counts, &status);
    assert_int_equal(status.state, HEALTH_OK);
    assert_int_equal(status.n, 400);
    assert_int_equal(status.n_reference, 2000);
}

static void a_psi_below_noise_is_no_drift_whatever_the_threshold(void **state)
{
    (void)state;
    struct drift_options options;
    drift_defaults(&options);
    options.threshold = 0.01;
    options.min_events = 20;
    struct binning binning = flat_binning(10);
    uint64_t counts[MAX_BINS] = {12, 8, 9, 13, 7, 11, 10, 12, 8, 10, 0};
    struct drift_status status;
    drift_judge(&options, &binning, counts, &status);
    assert_true(status.psi > options.threshold);
    assert_true(status.psi < status.noise);
    assert_int_equal(status.state, HEALTH_OK);
}

static void reads_its_options_and_refuses_wrong_keys(void **state)
{
    (void)state;
    struct yaml *yaml;
    struct error error;
    struct drift_options options;
    assert_int_equal(yaml_load_text("t", slice_of("window: 2h\nthreshold: 0.2\nmin_events: 50\n"),
                                    &yaml, &error),
                     STATUS_OK);
    assert_int_equal(drift_read(yaml_root(yaml), &options, &error), STATUS_OK);
    assert_int_equal(options.window_us, INT64_C(7200000000));
    assert_true(options.threshold == 0.2);
    assert_int_equal(options.min_events, 50);
    assert_int_equal(options.n_bins, 10);
    yaml_destroy(yaml);
    assert_int_equal(yaml_load_text("t", slice_of("treshold: 0.2\n"), &yaml, &error), STATUS_OK);
    assert_int_equal(drift_read(yaml_root(yaml), &options, &error), STATUS_INVALID);
    assert_non_null(strstr(error.message, "t:1:1"));
    assert_non_null(strstr(error.message, "threshold"));
    yaml_destroy(yaml);
}

/* ---- beside PSI ---- */

static struct drift_status measured(const uint64_t reference[MAX_BINS],
                                    const uint64_t live[MAX_BINS])
{
    struct drift_options options;
    struct drift_status status = {0};
    struct binning binning = {.n_edges = 3, .edges = {1, 2, 3}};
    drift_defaults(&options);
    for (int i = 0; i < MAX_BINS; i++)
        binning.n_reference += binning.reference[i] = reference[i];
    drift_judge(&options, &binning, live, &status);
    drift_measure(&binning, live, &status);
    return status;
}

/* scipy 1.17.1: distance.jensenshannon(p, q, 2), chi2_contingency([a, b], correction=False). */
static void other_measures_are_as_scipy_has_them(void **state)
{
    (void)state;
    static const uint64_t a[MAX_BINS] = {400, 300, 200, 100}, b[MAX_BINS] = {350, 310, 240, 160};
    struct drift_status status = measured(a, b);
    const struct drift_measure *measures = status.measures;
    assert_true(fabs(measures[DRIFT_JS].statistic - 0.08241556444174618) < 1e-12);
    assert_true(fabs(measures[DRIFT_CHISQUARE].statistic - 19.248541663512267) < 1e-9);
    assert_true(fabs(measures[DRIFT_CHISQUARE].p_value / 2.428800140293849e-04 - 1) < 1e-3);
    assert_true(measures[DRIFT_CHISQUARE].expected == 3);
    assert_true(fabs(measures[DRIFT_TVD].statistic - 0.07735849056603773) < 1e-12);
    assert_true(measures[DRIFT_PSI].statistic == status.psi);
    assert_true(fabs(measures[DRIFT_PSI].expected - 3 * (1.0 / 1060 + 1.0 / 1000)) < 1e-12);
    assert_true(measures[DRIFT_PSI].p_value < 1e-3 && measures[DRIFT_TVD].p_value < 1e-2);
}

static void nothing_counted_is_no_data(void **state)
{
    (void)state;
    static const uint64_t some[MAX_BINS] = {400, 300}, none[MAX_BINS];
    struct drift_status status[2] = {measured(some, none), measured(none, some)};
    struct drift_verdict verdict;
    drift_judge_all(status, 2, &verdict);
    for (int i = 0; i < 2; i++) {
        assert_true(isnan(status[i].measures[DRIFT_JS].statistic) && isnan(status[i].p_adjusted));
        assert_true(isnan(status[i].missing_live_ratio) && !status[i].nulls_risen);
        assert_int_equal(status[i].state, HEALTH_NODATA);
    }
    assert_true(verdict.n_features == 0 && isnan(verdict.drifted_ratio) && !verdict.drift);
}

static void more_missing_values_than_chance_gives_are_drift(void **state)
{
    (void)state;
    static const uint64_t a[MAX_BINS] = {[0] = 500, [1] = 480, [MISSING_BIN] = 20};
    static const uint64_t b[MAX_BINS] = {[0] = 470, [1] = 450, [MISSING_BIN] = 80};
    static const uint64_t c[MAX_BINS] = {[0] = 495, [1] = 475, [MISSING_BIN] = 30};
    struct drift_status status[3] = {measured(a, a), measured(a, b), measured(a, c)};
    struct drift_verdict verdict;
    assert_int_equal(status[1].state, HEALTH_OK); /* by PSI alone */
    drift_judge_all(status, 3, &verdict);
    assert_int_equal(status[0].state, HEALTH_OK);
    assert_true(status[1].state == HEALTH_TICKET && status[1].nulls_risen);
    assert_true(status[2].state == HEALTH_OK && !status[2].nulls_risen);
    assert_int_equal(verdict.n_features, 3);
    assert_int_equal(verdict.n_drifted, 1);
    assert_true(fabs(verdict.drifted_ratio - 1.0 / 3) < 1e-12 && !verdict.drift);
}

/* The ninety-fifth percentile of one feature is not that of a hundred. */
static void many_features_are_held_to_more(void **state)
{
    (void)state;
    static const uint64_t a[MAX_BINS] = {1000, 1000}, b[MAX_BINS] = {140, 110};
    struct drift_options options;
    struct drift_status status[MAX_SNAPSHOT_DRIFT];
    struct drift_verdict verdict;
    drift_defaults(&options);
    for (int i = 0; i < 100; i++) {
        status[i] = measured(a, i ? a : b);
        status[i].state = i ? HEALTH_OK : HEALTH_TICKET;
    }
    double alone = status[0].measures[DRIFT_PSI].p_value;
    drift_judge_all(status, 100, &verdict);
    assert_true(alone > 0.02 && alone < 0.1 && status[0].p_adjusted > 0.5);
    assert_true(status[0].state == HEALTH_OK && verdict.n_drifted == 0);
}

/* A column of two values, in bins 1 and 2; anything else lies outside. */
static void values_that_few_have_not_and_vanished_ones_are_drift(void **state)
{
    (void)state;
    static const uint64_t a[MAX_BINS] = {0, 9000, 1000}, b[MAX_BINS] = {0, 4500, 480, 20};
    static const uint64_t c[MAX_BINS] = {0, 4500, 500, 1}, d[MAX_BINS] = {[MISSING_BIN] = 5000};
    struct drift_status status[4] = {measured(a, a), measured(a, b), measured(a, c),
                                     measured(a, d)};
    struct drift_verdict verdict;
    for (int i = 0; i < 4; i++)
        status[i].binning.few = true;
    assert_int_equal(status[1].state, HEALTH_OK); /* by PSI alone */
    drift_judge_all(status, 4, &verdict);
    assert_true(status[0].state == HEALTH_OK && !status[0].unseen && !status[0].vanished);
    assert_true(status[1].state == HEALTH_TICKET && status[1].unseen && !status[1].vanished);
    assert_true(status[2].state == HEALTH_OK && !status[2].unseen); /* one in 5,000 */
    assert_true(status[3].state == HEALTH_TICKET && status[3].vanished && status[3].nulls_risen);
    assert_int_equal(verdict.n_drifted, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(psi_equals_an_independent_computation),
        cmocka_unit_test(psi_is_zero_for_equal_counts_and_symmetric),
        cmocka_unit_test(psi_of_nothing_is_no_data),
        cmocka_unit_test(noise_follows_the_chi_square_table),
        cmocka_unit_test(noise_is_exceeded_by_five_percent_of_samples_without_drift),
        cmocka_unit_test(judges_only_with_enough_events_and_beyond_noise),
        cmocka_unit_test(a_psi_below_noise_is_no_drift_whatever_the_threshold),
        cmocka_unit_test(reads_its_options_and_refuses_wrong_keys),
        cmocka_unit_test(other_measures_are_as_scipy_has_them),
        cmocka_unit_test(nothing_counted_is_no_data),
        cmocka_unit_test(more_missing_values_than_chance_gives_are_drift),
        cmocka_unit_test(many_features_are_held_to_more),
        cmocka_unit_test(values_that_few_have_not_and_vanished_ones_are_drift),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
