/* What numbers and times look like: one table per kind. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "engine/base/clock.h"
#include "ui/view/words.h"

#define T "\xe2\x80\x89" /* thin space */

static void separates_thousands_by_thin_spaces(void **state)
{
    (void)state;
    char out[WORD_SIZE];
    assert_string_equal(words_count(0, out), "0");
    assert_string_equal(words_count(999, out), "999");
    assert_string_equal(words_count(1000, out), "1" T "000");
    assert_string_equal(words_count(1754155, out), "1" T "754" T "155");
    assert_string_equal(words_count(UINT64_MAX, out),
                        "18" T "446" T "744" T "073" T "709" T "551" T "615");
    assert_string_equal(words_rate(12480.4, out), "12" T "480/s");
    assert_string_equal(words_rate(0.42, out), "0.4/s");
    assert_string_equal(words_rate(0, out), "0/s");
    assert_string_equal(words_rate(99.96, out), "100/s");
    assert_string_equal(words_rate(NAN, out), "no data");
}

static void says_latencies_in_three_digits_and_the_nearest_unit(void **state)
{
    (void)state;
    static const struct {
        double us;
        const char *text;
    } cases[] = {{0.4, "0" T "µs"},      {85.2, "85" T "µs"},    {999.4, "999" T "µs"},
                 {999.6, "1.00" T "ms"}, {1240, "1.24" T "ms"},  {12400, "12.4" T "ms"},
                 {212400, "212" T "ms"}, {999600, "1.00" T "s"}, {1.4e6, "1.40" T "s"},
                 {1.2e8, "120" T "s"},   {NAN, "no data"},       {-1, "no data"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char out[WORD_SIZE];
        assert_string_equal(words_latency(cases[i].us, out), cases[i].text);
    }
}

static void does_not_state_a_quantile_of_too_few(void **state)
{
    (void)state;
    char out[WORD_SIZE];
    assert_string_equal(words_quantile(1000, 0.99, 0, out), "no data");
    assert_string_equal(words_quantile(1000, 0.99, 99, out), "too few");
    assert_string_equal(words_quantile(1000, 0.99, 100, out), "1.00" T "ms");
    assert_string_equal(words_quantile(1000, 0.95, 19, out), "too few");
    assert_string_equal(words_quantile(1000, 0.95, 20, out), "1.00" T "ms");
    assert_string_equal(words_quantile(1000, 0.5, 2, out), "1.00" T "ms");
}

static void gives_shares_the_digits_their_sample_earns(void **state)
{
    (void)state;
    char out[WORD_SIZE];
    assert_string_equal(words_share(0.25, 0, out), "no data");
    assert_string_equal(words_share(0.25, 4, out), "25" T "%");
    assert_string_equal(words_share(0.046, 1000, out), "5" T "%");
    assert_string_equal(words_share(0.046, 50000, out), "4.6" T "%");
    assert_string_equal(words_share(0.04612, 5000000, out), "4.61" T "%");
    assert_string_equal(words_share(0, 10, out), "0" T "%");
    assert_string_equal(words_share(1, 1000000, out), "100.00" T "%");
    assert_string_equal(words_share(NAN, 10, out), "no data");
    assert_string_equal(words_percent(0.95, out), "95" T "%");
    assert_string_equal(words_percent(0.995, out), "99.5" T "%");
    assert_string_equal(words_percent(0.9995, out), "99.95" T "%");
    assert_string_equal(words_percent(0, out), "0" T "%");
}

static void says_statistics_without_a_leading_zero(void **state)
{
    (void)state;
    char out[WORD_SIZE];
    assert_string_equal(words_statistic(0.084, 0.03, out), ".08");
    assert_string_equal(words_statistic(0.2124, 0.004, out), ".212");
    assert_string_equal(words_statistic(1.3, 0.1, out), "1.30");
    assert_string_equal(words_statistic(12.34, 0.1, out), "12.3");
    assert_string_equal(words_statistic(NAN, 0.1, out), "no data");
    assert_string_equal(words_score(0.0123, out), ".0123");
    assert_string_equal(words_score(0.97, out), ".970");
    assert_string_equal(words_score(1, out), "1.000");
    assert_string_equal(words_burn(16.24, out), "16.2×");
    assert_string_equal(words_burn(120, out), "120×");
    assert_string_equal(words_bytes(999, out), "999" T "B");
    assert_string_equal(words_bytes(1400000000, out), "1.4" T "GB");
    assert_string_equal(words_bytes(812345, out), "812" T "kB");
}

static void says_durations_in_at_most_two_units(void **state)
{
    (void)state;
    char out[WORD_SIZE];
    assert_string_equal(words_duration(-5, out), "0" T "s");
    assert_string_equal(words_duration(59 * US_PER_S, out), "59" T "s");
    assert_string_equal(words_duration(12 * US_PER_MIN + 40 * US_PER_S, out), "12" T "min");
    assert_string_equal(words_duration(200 * US_PER_MIN, out), "3" T "h 20" T "min");
    assert_string_equal(words_duration(3 * US_PER_HOUR, out), "3" T "h");
    assert_string_equal(words_duration(124 * US_PER_HOUR, out), "5" T "d 4" T "h");
}

static void leaves_out_the_date_that_goes_without_saying(void **state)
{
    (void)state;
    int64_t now, then;
    char out[WORD_SIZE];
    assert_true(time_parse(slice_of("2026-01-02T14:03:22Z"), &now));
    assert_true(time_parse(slice_of("2026-01-02T13:51:07Z"), &then));
    assert_string_equal(words_time(then, now, false, out), "13:51Z");
    assert_string_equal(words_time(then, now, true, out), "13:51:07Z");
    assert_true(time_parse(slice_of("2026-01-01T23:59:59Z"), &then));
    assert_string_equal(words_time(then, now, false, out), "01-01 23:59Z");
    assert_true(time_parse(slice_of("2018-08-08T10:00:00Z"), &then));
    assert_string_equal(words_time(then, now, false, out), "2018-08-08 10:00Z");
    assert_string_equal(words_time(0, now, false, out), "");
}

static void tells_severities_by_shape_and_word(void **state)
{
    (void)state;
    for (int a = HEALTH_NODATA; a <= HEALTH_PAGE; a++) {
        for (int b = HEALTH_NODATA; b < a; b++) {
            assert_string_not_equal(words_mark((enum health)a), words_mark((enum health)b));
            assert_string_not_equal(words_health((enum health)a), words_health((enum health)b));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(separates_thousands_by_thin_spaces),
        cmocka_unit_test(says_latencies_in_three_digits_and_the_nearest_unit),
        cmocka_unit_test(does_not_state_a_quantile_of_too_few),
        cmocka_unit_test(gives_shares_the_digits_their_sample_earns),
        cmocka_unit_test(says_statistics_without_a_leading_zero),
        cmocka_unit_test(says_durations_in_at_most_two_units),
        cmocka_unit_test(leaves_out_the_date_that_goes_without_saying),
        cmocka_unit_test(tells_severities_by_shape_and_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
