/* Drift detectors against River 0.26.1 (Python 3.11, scipy 1.17.1), run on the same generated
 * streams: the positions below are those at which its detectors fired. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "engine/stats/detector.h"

#define LENGTH 3000

struct streams {
    double errors[LENGTH], reals[LENGTH];
};

/* The generator of C's standard (ISO C 7.22.2.2), which Python repeats easily. */
static uint32_t draw(uint32_t *state)
{
    *state = (*state * 1103515245u + 12345u) & 0x7fffffffu;
    return *state >> 8;
}

static void fill(struct streams *streams)
{
    uint32_t seed = 12345;
    for (int i = 0; i < LENGTH; i++) {
        uint32_t rate = i < 1000 ? 200 : i < 2000 ? 450 : 120;
        streams->errors[i] = draw(&seed) % 1000 < rate;
    }
    for (int i = 0; i < LENGTH; i++) {
        double shift = i < 1000 ? 0 : i < 2000 ? 0.4 : -0.3;
        streams->reals[i] = draw(&seed) % 1000 / 1000.0 + shift;
    }
}

static struct detector *make(const char *name, const char *settings)
{
    enum detector_method method;
    double values[DETECTOR_MAX_PARAMETERS];
    struct detector *detector = NULL;
    struct error error;
    assert_true(detector_find(name, &method));
    detector_defaults(method, values);
    while (*settings) {
        size_t size = strcspn(settings, " ");
        if (detector_set(method, slice_make(settings, size), values, &error) != STATUS_OK)
            fail_msg("%s", error.message);
        settings += size + (settings[size] == ' ');
    }
    assert_int_equal(detector_create(method, values, &detector, &error), STATUS_OK);
    return detector;
}

/* The positions at which the detector fires; returns how many. */
static int run(const char *name, const char *settings, const double *numbers, int *positions)
{
    struct detector *detector = make(name, settings);
    int n = 0;
    for (int i = 0; i < LENGTH; i++) {
        bool fired;
        assert_int_equal(detector_update(detector, numbers[i], &fired, NULL), STATUS_OK);
        if (fired)
            positions[n++] = i;
    }
    detector_destroy(detector);
    return n;
}

static void fires_where_river_fires(void **state)
{
    (void)state;
    static const struct {
        const char *method, *settings;
        bool reals;
        int n, first[12];
    } cases[] = {
        {"adwin", "", false, 2, {1087, 2079}},
        {"adwin",
         "delta=0.05 clock=1 max_buckets=2 min_window_length=1 grace_period=0",
         true,
         2,
         {1019, 2006}},
        {"ddm", "", false, 1, {1717}},
        {"ddm",
         "warm_start=10 drift_threshold=2",
         false,
         18,
         {14, 61, 196, 243, 283, 401, 461, 656, 685, 742, 790, 1003}},
        {"eddm", "", false, 3, {195, 1103, 1351}},
        {"eddm",
         "warm_start=10 alpha=0.99 beta=0.97",
         false,
         70,
         {52, 154, 196, 232, 272, 318, 378, 409, 470, 528, 573, 633}},
        {"hddm_a", "", false, 1, {1060}},
        {"hddm_a", "two_sided_test=true drift_confidence=0.05", false, 4, {1006, 1715, 1989, 2164}},
        {"ph", "", false, 2, {1220, 2126}},
        {"ph", "threshold=10 alpha=1", true, 6, {287, 694, 1020, 1268, 2003, 2365}},
        {"ph", "mode=down threshold=5", true, 6, {240, 982, 1817, 1951, 2003, 2690}},
        {"kswin", "", true, 8, {264, 499, 679, 1013, 1327, 1828, 2014, 2777}},
        {"kswin", "seed=7 alpha=0.0005 window_size=300 stat_size=40", true, 2, {1031, 2018}},
    };
    static struct streams streams;
    fill(&streams);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int positions[LENGTH];
        int n = run(cases[i].method, cases[i].settings,
                    cases[i].reals ? streams.reals : streams.errors, positions);
        if (n != cases[i].n)
            fail_msg("%s %s: %d positions, not %d", cases[i].method, cases[i].settings, n,
                     cases[i].n);
        for (int k = 0; k < n && k < 12; k++)
            assert_int_equal(positions[k], cases[i].first[k]);
    }
}

/* A step of the mean: the paper's ADWIN keeps what followed it, so that it needs no second warm-up.
 */
static void keeps_the_window_when_asked(void **state)
{
    (void)state;
    for (int keeps = 0; keeps < 2; keeps++) {
        struct detector *detector = make("adwin", keeps ? "restart=false clock=1 grace_period=100"
                                                        : "clock=1 grace_period=100");
        int second = -1, n_fired = 0;
        for (int i = 0; i < 1000; i++) {
            bool fired;
            double number = i < 400 ? 0 : i < 460 ? 1 : 5;
            assert_int_equal(detector_update(detector, number, &fired, NULL), STATUS_OK);
            n_fired += fired;
            if (fired && i >= 460 && second < 0)
                second = i;
        }
        assert_true(n_fired > 0);
        if (keeps)
            assert_true(second > 0 && second < 500);
        else
            assert_true(second < 0 || second > 500); /* 100 numbers of grace again */
        detector_destroy(detector);
    }
}

static void says_what_is_wrong_with_a_parameter(void **state)
{
    (void)state;
    static const struct {
        enum detector_method method;
        const char *text, *said;
    } cases[] = {
        {DETECTOR_ADWIN, "delt=1", "did you mean delta?"},
        {DETECTOR_ADWIN, "delta=0", "a number from 1e-300 to 1"},
        {DETECTOR_ADWIN, "clock=1.5", "a whole number from 1"},
        {DETECTOR_ADWIN, "delta", "name=value"},
        {DETECTOR_ADWIN, "=1", "no parameter"},
        {DETECTOR_DDM, "warm_start=nan", "a whole number"},
        {DETECTOR_PAGE_HINKLEY, "mode=sideways", "up, down, both"},
        {DETECTOR_HDDM_A, "two_sided_test=2", "true or false"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double values[DETECTOR_MAX_PARAMETERS];
        struct error error;
        detector_defaults(cases[i].method, values);
        assert_int_equal(detector_set(cases[i].method, slice_of(cases[i].text), values, &error),
                         STATUS_INVALID);
        if (!strstr(error.message, cases[i].said))
            fail_msg("%s: %s", cases[i].text, error.message);
    }
}

static void refuses_values_that_contradict_each_other(void **state)
{
    (void)state;
    double values[DETECTOR_MAX_PARAMETERS];
    struct detector *detector = NULL;
    struct error error;
    detector_defaults(DETECTOR_KSWIN, values);
    assert_int_equal(detector_set(DETECTOR_KSWIN, slice_of("window_size=59"), values, &error),
                     STATUS_OK);
    assert_int_equal(detector_create(DETECTOR_KSWIN, values, &detector, &error), STATUS_INVALID);
    detector_defaults(DETECTOR_EDDM, values);
    assert_int_equal(detector_set(DETECTOR_EDDM, slice_of("alpha=0.5"), values, &error), STATUS_OK);
    assert_int_equal(detector_create(DETECTOR_EDDM, values, &detector, &error), STATUS_INVALID);
    assert_null(detector);
}

static void refuses_what_is_no_number_of_its_stream(void **state)
{
    (void)state;
    bool fired;
    struct detector *detector = make("ddm", "");
    assert_int_equal(detector_update(detector, 1.5, &fired, NULL), STATUS_INVALID);
    assert_int_equal(detector_update(detector, (double)NAN, &fired, NULL), STATUS_INVALID);
    assert_int_equal(detector_update(detector, 1, &fired, NULL), STATUS_OK);
    detector_destroy(detector);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fires_where_river_fires),
        cmocka_unit_test(keeps_the_window_when_asked),
        cmocka_unit_test(says_what_is_wrong_with_a_parameter),
        cmocka_unit_test(refuses_values_that_contradict_each_other),
        cmocka_unit_test(refuses_what_is_no_number_of_its_stream),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
