/* Pairs of windows against the table of the Site Reliability Workbook, for other periods and lax
 * targets too; evidence, forecast and the sentence. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/monitor/slo.h"

#define NOW (INT64_C(1533081600) * US_PER_S)

static struct slo objective(double target, int64_t window_us)
{
    return (struct slo){.name = "availability",
                        .indicator = SLO_AVAILABILITY,
                        .target = target,
                        .window_us = window_us,
                        .min_bad = 10,
                        .min_events = 50};
}

static struct tally events(uint64_t good, uint64_t bad)
{
    return (struct tally){.accepted = good, .errors = bad};
}

/* The same share of bad ones in all windows, as many events in each as its hours times `hourly`. */
static struct slo_status judge(const struct slo *slo, double bad_ratio, double hourly)
{
    struct tally burn[BURN_WINDOWS];
    struct slo_status status;
    memset(&status, 0, sizeof status);
    for (int i = 0; i < BURN_WINDOWS; i++) {
        double n = hourly * (double)burn_window_us((enum burn_window)i) / (double)US_PER_HOUR;
        burn[i] = events((uint64_t)llrint(n * (1 - bad_ratio)), (uint64_t)llrint(n * bad_ratio));
    }
    slo_judge(slo, burn, &burn[BURN_3D], &status);
    return status;
}

static void thirty_days_have_the_rates_of_the_workbook(void **state)
{
    (void)state;
    static const double rates[SLO_PAIRS] = {14.4, 6, 3, 1};
    static const enum burn_window wide[] = {BURN_1H, BURN_6H, BURN_1D, BURN_3D},
                                  narrow[] = {BURN_5M, BURN_30M, BURN_2H, BURN_6H};
    struct slo_pair pairs[SLO_PAIRS];
    struct slo slo = objective(0.999, 30 * US_PER_DAY);
    slo_pairs(&slo, pairs);
    for (int i = 0; i < SLO_PAIRS; i++) {
        assert_true(fabs(pairs[i].rate - rates[i]) < 1e-12);
        assert_int_equal(pairs[i].wide, wide[i]);
        assert_int_equal(pairs[i].narrow, narrow[i]);
        assert_int_equal(pairs[i].severity, i < 2 ? HEALTH_PAGE : HEALTH_TICKET);
        assert_string_equal(pairs[i].note, "");
    }
}

static void other_periods_scale_and_leave_out_what_is_longer(void **state)
{
    (void)state;
    struct slo_pair pairs[SLO_PAIRS];
    struct slo slo = objective(0.999, 7 * US_PER_DAY);
    slo_pairs(&slo, pairs);
    assert_true(fabs(pairs[0].rate - 14.4 * 7 / 30) < 1e-12); /* 2 % of the budget in an hour */
    assert_true(fabs(pairs[3].rate - 7.0 / 30) < 1e-12);
    slo = objective(0.999, US_PER_DAY);
    slo_pairs(&slo, pairs);
    assert_true(isfinite(pairs[2].rate));
    assert_true(isnan(pairs[3].rate));
    assert_non_null(strstr(pairs[3].note, "3d is longer"));
    assert_true(judge(&slo, 0.5, 10000).state == HEALTH_PAGE);
}

static void a_lax_target_gets_a_rate_that_can_be_reached_and_a_note(void **state)
{
    (void)state;
    struct slo_pair pairs[SLO_PAIRS];
    struct slo slo = objective(0.95, 30 * US_PER_DAY); /* burn cannot exceed 20 */
    slo_pairs(&slo, pairs);
    assert_true(fabs(pairs[0].rate - 14.4) < 1e-12);
    slo = objective(0.9, 30 * US_PER_DAY); /* nor 10 */
    slo_pairs(&slo, pairs);
    assert_true(fabs(pairs[0].rate - 9) < 1e-9);
    assert_non_null(strstr(pairs[0].note, "cannot exceed 10"));
    assert_string_equal(pairs[1].note, "");
    assert_int_equal(judge(&slo, 0.95, 1000).state, HEALTH_PAGE);
    slo = objective(0.5, 30 * US_PER_DAY);
    slo_pairs(&slo, pairs);
    assert_true(pairs[0].rate < 2 && pairs[1].rate < 2 && pairs[2].rate < 2);
}

static void both_windows_must_burn_and_there_must_be_evidence(void **state)
{
    (void)state;
    struct slo slo = objective(0.99, 30 * US_PER_DAY);
    assert_int_equal(judge(&slo, 0.15, 1000).state, HEALTH_PAGE); /* 15 times */
    assert_int_equal(judge(&slo, 0.04, 1000).state, HEALTH_TICKET);
    assert_int_equal(judge(&slo, 0.009, 1000).state, HEALTH_OK);
    assert_int_equal(judge(&slo, 0.15, 0).state, HEALTH_NODATA);
    struct tally burn[BURN_WINDOWS];
    struct slo_status status = {.n = 0};
    for (int i = 0; i < BURN_WINDOWS; i++)
        burn[i] = events(0, 3); /* three failures in the night */
    slo_judge(&slo, burn, &burn[0], &status);
    assert_int_equal(status.state, HEALTH_OK);
    for (int i = 0; i < BURN_WINDOWS; i++)
        burn[i] = events(20, 20); /* 20 bad, but of 40 only */
    slo_judge(&slo, burn, &burn[0], &status);
    assert_int_equal(status.state, HEALTH_OK);
    for (int i = 0; i < BURN_WINDOWS; i++)
        burn[i] = events(100, 100);
    burn[BURN_5M] = burn[BURN_30M] = events(100, 0); /* it is over */
    slo_judge(&slo, burn, &burn[0], &status);
    assert_int_equal(status.state, HEALTH_TICKET);
    assert_false(status.pairs[0].fires || status.pairs[1].fires);
}

/* 1 % may be bad. 100 an hour; over 30 days 720 may be bad, 360 were. */
static struct slo_status forecast(uint64_t bad_each, uint64_t bad_every_third, bool full)
{
    static struct tally hours[24], whole;
    struct slo slo = objective(0.99, 30 * US_PER_DAY);
    struct slo_status status = {.n = 0};
    whole = events(72000 - 360, 360);
    for (int i = 0; i < 24; i++) {
        uint64_t bad = bad_each + (i % 3 == 0 ? bad_every_third : 0);
        hours[i] = events(100 - bad, bad);
    }
    struct tally burn[BURN_WINDOWS];
    for (int i = 0; i < BURN_WINDOWS; i++)
        burn[i] = hours[0];
    slo_judge(&slo, burn, &whole, &status);
    struct slo_past past = {US_PER_HOUR, hours, 24};
    slo_forecast(&slo, &past, full, NOW, &status);
    slo_sentence(&slo, NOW, &status);
    return status;
}

static void the_budget_runs_out_when_simulation_says(void **state)
{
    (void)state;
    struct slo_status status = forecast(10, 0, true);
    /* Each hour 10 come and 0.5 fall out of the window; 360 are left. */
    double hours = (double)(status.forecast.runs_out_us - NOW) / (double)US_PER_HOUR;
    assert_true(fabs(hours - 360 / 9.5) < 0.01);
    assert_int_equal(status.forecast.earliest_us, status.forecast.latest_us);
    assert_int_equal(status.forecast.basis_us, US_PER_DAY);
    assert_non_null(strstr(status.sentence, "50 % of the error budget is left"));
    assert_non_null(strstr(status.sentence, "gone in 38 h"));

    status = forecast(0, 30, true); /* the same mean, in bursts */
    assert_true(
        fabs((double)(status.forecast.runs_out_us - NOW) / (double)US_PER_HOUR - 360 / 9.5) < 0.01);
    assert_true(status.forecast.earliest_us < status.forecast.runs_out_us);
    assert_true(status.forecast.latest_us == 0 ||
                status.forecast.latest_us > status.forecast.runs_out_us);

    status = forecast(10, 0, false); /* a young window still gains: 1 an hour may be bad */
    hours = (double)(status.forecast.runs_out_us - NOW) / (double)US_PER_HOUR;
    assert_true(fabs(hours - 360.0 / 9) < 0.01);
}

static void what_is_not_used_up_lasts(void **state)
{
    (void)state;
    struct slo_status status = forecast(0, 0, true);
    assert_int_equal(status.forecast.runs_out_us, 0);
    assert_true(status.forecast.basis_us > 0);
    assert_non_null(strstr(status.sentence, "it lasts"));
}

static void nothing_judged_is_said_to_be_unknown(void **state)
{
    (void)state;
    struct tally none[BURN_WINDOWS];
    memset(none, 0, sizeof none);
    for (int indicator = 0; indicator < SLO_INDICATORS; indicator++) {
        struct slo slo = objective(0.99, 30 * US_PER_DAY);
        slo.indicator = (enum slo_indicator)indicator;
        struct slo_status status = {.n = 0};
        slo_judge(&slo, none, &none[0], &status);
        struct slo_past past = {US_PER_HOUR, none, BURN_WINDOWS};
        slo_forecast(&slo, &past, true, NOW, &status);
        slo_sentence(&slo, NOW, &status);
        assert_int_equal(status.state, HEALTH_NODATA);
        assert_int_equal(status.forecast.basis_us, 0);
        assert_non_null(strstr(status.sentence, "nothing is known"));
        assert_null(strstr(status.sentence, "nan"));
    }
}

static void one_sentence_says_how_bad_it_is(void **state)
{
    (void)state;
    struct slo slo = objective(0.99, 30 * US_PER_DAY);
    struct slo_status status = judge(&slo, 0.15, 1000);
    slo_sentence(&slo, NOW, &status);
    assert_string_equal(status.sentence,
                        "85.0 % of events were answered over the last 30 d (wanted: 99.0 %). The "
                        "error budget is used up, 15 times over. It burns 15 times as fast as it "
                        "may over 1h: 150 of 1000 bad.");
}

/* Minutes after the first start, "over the last 30 d" would be read as 30 days of trouble. */
static void windows_longer_than_the_service_is_old_say_what_there_is(void **state)
{
    (void)state;
    struct slo slo = objective(0.99, 30 * US_PER_DAY);
    struct slo_status status = judge(&slo, 0.15, 1000);
    status.reach_us = 6 * US_PER_MIN;
    slo_sentence(&slo, NOW, &status);
    assert_string_equal(status.sentence,
                        "85.0 % of events were answered over the 6 min there are (wanted: 99.0 %). "
                        "The error budget is used up, 15 times over. It burns 15 times as fast as "
                        "it may over the 6 min there are: 150 of 1000 bad.");
    assert_string_equal(status.so_far, "; there are only 6 min so far");
    status.reach_us = 2 * US_PER_HOUR;
    slo_sentence(&slo, NOW, &status);
    assert_non_null(strstr(status.sentence, "over the 2 h there are (wanted"));
    assert_non_null(strstr(status.sentence, "as it may over 1h:"));
    status.reach_us = 40 * US_PER_DAY;
    slo_sentence(&slo, NOW, &status);
    assert_non_null(strstr(status.sentence, "over the last 30 d (wanted"));
    assert_string_equal(status.so_far, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thirty_days_have_the_rates_of_the_workbook),
        cmocka_unit_test(other_periods_scale_and_leave_out_what_is_longer),
        cmocka_unit_test(a_lax_target_gets_a_rate_that_can_be_reached_and_a_note),
        cmocka_unit_test(both_windows_must_burn_and_there_must_be_evidence),
        cmocka_unit_test(the_budget_runs_out_when_simulation_says),
        cmocka_unit_test(what_is_not_used_up_lasts),
        cmocka_unit_test(nothing_judged_is_said_to_be_unknown),
        cmocka_unit_test(one_sentence_says_how_bad_it_is),
        cmocka_unit_test(windows_longer_than_the_service_is_old_say_what_there_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
