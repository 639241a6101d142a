/* Clocks, and times and durations as text; times against the C library (timegm). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>
#include <time.h>

#include "engine/base/clock.h"
#include "engine/base/hash.h"
#include "tests/unit/random.h"

static void reads_times(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t us;
    } table[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"1970-01-01", 0},
        {"1969-12-31T23:59:59.999999Z", -1},
        {"2018-08-08T10:00:00Z", INT64_C(1533722400000000)},
        {"2018-08-08 10:00:00", INT64_C(1533722400000000)},
        {"2018-08-08T10:00:00", INT64_C(1533722400000000)},
        {"2018-08-08t10:00:00z", INT64_C(1533722400000000)},
        {"2018-08-08T12:00:00+02:00", INT64_C(1533722400000000)},
        {"2018-08-08T04:30:00-05:30", INT64_C(1533722400000000)},
        {"2018-08-08T10:00:00-00:00", INT64_C(1533722400000000)},
        {"2018-08-08T10:00:00.5Z", INT64_C(1533722400500000)},
        {"2018-08-08T10:00:00.123456789Z", INT64_C(1533722400123456)},
        {"2018-08-08T10:00:00.0000009", INT64_C(1533722400000000)},
        {"2000-02-29", INT64_C(951782400000000)},
        {"2024-02-29T23:59:59Z", INT64_C(1709251199000000)},
        {"0001-01-01T00:00:00Z", INT64_C(-62135596800000000)},
        {"9999-12-31T23:59:59.999999Z", INT64_C(253402300799999999)},
        {"1900-03-01", INT64_C(-2203891200000000)},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        int64_t us = 1;
        if (!time_parse(slice_of(table[i].text), &us) || us != table[i].us)
            fail_msg("%s read as %lld", table[i].text, (long long)us);
    }
}

static void refuses_what_is_not_a_time(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "2018",
        "2018-08",
        "2018-8-8",
        "20180808",
        "2018-08-08T",
        "2018-08-08 ",
        "2018-08-08T10",
        "2018-08-08T10:00",
        "2018-08-08T10:00Z",
        "2018-08-08T10:00:60Z",
        "2018-08-08T24:00:00Z",
        "2018-08-08T10:60:00Z",
        "2018-13-01",
        "2018-00-01",
        "2018-01-00",
        "2018-01-32",
        "2018-04-31",
        "2018-02-29",
        "1900-02-29",
        "2100-02-29",
        "0000-01-01",
        "2018-08-08T10:00:00.Z",
        "2018-08-08T10:00:00.1234567890Z",
        "2018-08-08T10:00:00+2:00",
        "2018-08-08T10:00:00+0200",
        "2018-08-08T10:00:00+24:00",
        "2018-08-08T10:00:00+02:60",
        "2018-08-08T10:00:00ZZ",
        "2018-08-08T10:00:00 Z",
        "2018-08-08T10:00:00,5Z",
        "+018-08-08",
        " 2018-08-08",
        "2018-08-08_10:00:00",
        "2018/08/08",
        "-2018-08-08",
        "10000-01-01",
        "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
        "now",
        "1533722400",
        "2018-08-08T10:00:00.5", /* the last is fine: see below */
    };
    for (size_t i = 0; i + 1 < sizeof bad / sizeof bad[0]; i++) {
        int64_t us;
        if (time_parse(slice_of(bad[i]), &us))
            fail_msg("%s read as %lld", bad[i], (long long)us);
    }
    int64_t us;
    assert_true(time_parse(slice_of(bad[sizeof bad / sizeof bad[0] - 1]), &us));
    assert_false(time_parse(slice_make("2018-08-08\0", 11), &us));
    assert_false(time_parse(slice_make(NULL, 0), &us));
}

static void agrees_with_the_c_library_on_every_day_of_eight_centuries(void **state)
{
    (void)state;
    for (int64_t day = -INT64_C(150000); day < 150000; day++) {
        time_t second = (time_t)(day * 86400 + 45296);
        struct tm parts;
        gmtime_r(&second, &parts);
        char expected[TIME_TEXT_SIZE], text[TIME_TEXT_SIZE];
        strftime(expected, sizeof expected, "%Y-%m-%dT%H:%M:%SZ", &parts);
        assert_string_equal(time_format(second * US_PER_S, text), expected);
        int64_t us;
        assert_true(time_parse(slice_of(expected), &us));
        assert_true(us == second * US_PER_S);
    }
}

static void writes_what_it_reads(void **state)
{
    (void)state;
    char text[TIME_TEXT_SIZE];
    assert_string_equal(time_format(0, text), "1970-01-01T00:00:00Z");
    assert_string_equal(time_format(-1, text), "1969-12-31T23:59:59.999999Z");
    assert_string_equal(time_format(INT64_C(1533722400123450), text),
                        "2018-08-08T10:00:00.123450Z");
    time_format(INT64_MAX, text); /* stays within its size */
    time_format(INT64_MIN, text);
    for (uint64_t i = 0; i < 100000; i++) {
        int64_t us = (int64_t)(hash64(&i, sizeof i, 0) % UINT64_C(315537897600000000)) -
                     INT64_C(62135596800000000);
        int64_t back;
        assert_true(time_parse(slice_of(time_format(us, text)), &back));
        assert_true(back == us);
    }
}

static void reads_durations(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t us;
    } table[] = {{"90s", 90 * US_PER_S},
                 {"5m", 5 * US_PER_MIN},
                 {"12h", 12 * US_PER_HOUR},
                 {"7d", 7 * US_PER_DAY},
                 {"2w", 14 * US_PER_DAY},
                 {"250ms", 250000},
                 {"0s", 0},
                 {"1.5h", 90 * US_PER_MIN},
                 {"0.25s", 250000},
                 {"0.0005ms", 1},
                 {"0.1d", 8640 * US_PER_S},
                 {"106751991d", 106751991 * US_PER_DAY}};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        int64_t us = -1;
        if (!duration_parse(slice_of(table[i].text), &us) || us != table[i].us)
            fail_msg("%s read as %lld", table[i].text, (long long)us);
    }
    static const char *const bad[] = {"",
                                      "5",
                                      "m",
                                      "5 m",
                                      "-5m",
                                      "+5m",
                                      "5min",
                                      "5M",
                                      ".5h",
                                      "5.h",
                                      "1h30m",
                                      "5us",
                                      "106751992d",
                                      "99999999999999999999s",
                                      "1.1234567890123456s",
                                      "1e3s"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int64_t us;
        if (duration_parse(slice_of(bad[i]), &us))
            fail_msg("%s read as %lld", bad[i], (long long)us);
    }
}

static void tells_the_unit_of_an_epoch_by_its_magnitude(void **state)
{
    (void)state;
    static const double same[] = {1533722400, 1533722400e3, 1533722400e6, 1533722400e9};
    for (size_t i = 0; i < 4; i++) {
        int64_t us;
        assert_true(time_from_epoch(same[i], &us));
        assert_true(us == INT64_C(1533722400000000));
    }
    int64_t us;
    assert_true(time_from_epoch(1533722400.123456, &us));
    assert_true(us == INT64_C(1533722400123456));
    assert_true(time_from_epoch(-1, &us));
    assert_true(us == -US_PER_S);
    assert_true(time_from_epoch(0, &us));
    static const double bad[] = {NAN, INFINITY, -INFINITY, 1e21, 1e300, -9e10};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(time_from_epoch(bad[i], &us));
}

static void event_clock_only_moves_forward(void **state)
{
    (void)state;
    struct clock *clock = clock_create_event(100);
    assert_int_equal(clock_now_us(clock), 100);
    clock_advance(clock, 50);
    assert_int_equal(clock_now_us(clock), 100);
    clock_advance(clock, 200);
    assert_int_equal(clock_now_us(clock), 200);
    clock_destroy(clock);
}

static void wall_clock_is_the_systems(void **state)
{
    (void)state;
    struct clock *clock = clock_create_wall();
    clock_advance(clock, INT64_MAX);
    int64_t before = (int64_t)time(NULL) * US_PER_S;
    int64_t now = clock_now_us(clock);
    assert_true(now >= before && now < before + 10 * US_PER_S);
    int64_t mono = monotonic_ns();
    assert_true(monotonic_ns() >= mono);
    clock_destroy(clock);
}

/* That a step is noticed and not followed back is proved by tests/scenario/clock_steps. */
static void steady_clock_agrees_with_the_systems_and_never_goes_back(void **state)
{
    (void)state;
    struct clock *clock = clock_create_steady(), *wall = clock_create_wall();
    int64_t ahead_us = -1, last_us = clock_now_us(clock);
    assert_true(llabs(last_us - clock_now_us(wall)) < US_PER_S);
    for (int i = 0; i < 1000; i++) {
        if (i % 100 == 0) {
            assert_int_equal(clock_follow(clock, &ahead_us), 0);
            assert_in_range(ahead_us, 0, US_PER_S);
        }
        int64_t now_us = clock_now_us(clock);
        assert_true(now_us >= last_us - 500); /* no more than the slew of calls this dense */
        last_us = now_us;
    }
    assert_int_equal(clock_follow(wall, &ahead_us), 0);
    assert_int_equal(ahead_us, 0);
    clock_destroy(wall);
    clock_destroy(clock);
}

/* Times with a 't' between date and time are not taken at fixed places: both ways must say the
 * same of times with anything wrong in one place. */
static void times_at_fixed_places_are_read_as_others(void **state)
{
    (void)state;
    int n_good = 0;
    for (int round = 0; round < 200000; round++) {
        char text[TIME_TEXT_SIZE], careful[TIME_TEXT_SIZE];
        int64_t us = (int64_t)random_below(4000000000u) * US_PER_S - 62135596800 * US_PER_S / 64;
        time_format(us + (round % 2 ? (int64_t)random_below(1000000) : 0), text);
        size_t size = strlen(text);
        size_t at = random_below((uint64_t)size);
        if (round % 3)
            text[at == 10 ? 0 : at] = "0123456789:-.Zz+ /T"[random_below(19)];
        if (round % 5 == 0)
            text[--size] = '\0'; /* no zone is UTC */
        if (round % 7 == 0)
            text[10] = ' ';
        memcpy(careful, text, sizeof careful);
        careful[10] = 't';
        int64_t fixed_us = 1, careful_us = 1;
        bool good = time_parse(slice_make(text, size), &fixed_us);
        if (good != time_parse(slice_make(careful, size), &careful_us) || fixed_us != careful_us)
            fail_msg("%s: %d", text, good);
        n_good += good;
    }
    assert_true(n_good > 60000);
}

static void a_day_begins_at_its_midnight_before_the_epoch_too(void **state)
{
    (void)state;
    assert_int_equal(time_day(0), 0);
    assert_int_equal(time_day(US_PER_DAY - 1), 0);
    assert_int_equal(time_day(US_PER_DAY), 1);
    assert_int_equal(time_day(-1), -1);
    assert_int_equal(time_day(-US_PER_DAY), -1);
    assert_int_equal(time_day(-US_PER_DAY - 1), -2);
}

static void a_pause_takes_no_less_time_than_it_was_given(void **state)
{
    (void)state;
    int64_t begun_ns = monotonic_ns();
    pause_us(1500);
    assert_true(monotonic_ns() - begun_ns >= 1500000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_times),
        cmocka_unit_test(refuses_what_is_not_a_time),
        cmocka_unit_test(agrees_with_the_c_library_on_every_day_of_eight_centuries),
        cmocka_unit_test(writes_what_it_reads),
        cmocka_unit_test(times_at_fixed_places_are_read_as_others),
        cmocka_unit_test(reads_durations),
        cmocka_unit_test(tells_the_unit_of_an_epoch_by_its_magnitude),
        cmocka_unit_test(a_day_begins_at_its_midnight_before_the_epoch_too),
        cmocka_unit_test(a_pause_takes_no_less_time_than_it_was_given),
        cmocka_unit_test(event_clock_only_moves_forward),
        cmocka_unit_test(wall_clock_is_the_systems),
        cmocka_unit_test(steady_clock_agrees_with_the_systems_and_never_goes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
