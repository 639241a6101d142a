/* CBPE against NannyML 0.13.1 (scikit-learn 1.9.1, numpy 2.4.6), run on the same generated rows
 * after numpy.random.seed(42): the tables are its estimates of two chunks, of scores that need
 * calibration and of scores that do not. Isotonic regression against scikit-learn's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "engine/stats/calibration.h"
#include "engine/stats/cbpe.h"
#include "engine/stats/isotonic.h"

#define N_REFERENCE 1500
#define N_CURRENT   500
#define CHUNK       400

struct rows {
    double scores[N_REFERENCE], predictions[N_REFERENCE], labels[N_REFERENCE];
};

/* The generator of C's standard (ISO C 7.22.2.2), which Python repeats easily. */
static uint32_t draw(uint32_t *state)
{
    *state = (*state * 1103515245u + 12345u) & 0x7fffffffu;
    return *state >> 8;
}

static struct cbpe_columns fill(struct rows *rows, size_t n, int power, uint32_t *seed)
{
    for (size_t i = 0; i < n; i++) {
        double score = draw(seed) % 1000003 / 1000003.0, chance = draw(seed) % 1000003 / 1000003.0;
        rows->scores[i] = score;
        rows->labels[i] =
            power == 2 ? chance < score * score : score + 0.02 * (chance - 0.5) >= 0.5;
        rows->predictions[i] = score >= 0.5;
    }
    return (struct cbpe_columns){rows->scores, rows->predictions, rows->labels, n};
}

static struct cbpe_options all_metrics(void)
{
    struct cbpe_options options = {
        .chunk_size = CHUNK, .seed = 42, .business_value = {{1, -5}, {-20, 10}}};
    for (int i = 0; i < CBPE_COUNT; i++)
        options.metrics[i] = true;
    return options;
}

static void assert_near(double value, double expected, const char *what)
{
    if (!(fabs(value - expected) < 1e-9 * fmax(1, fabs(expected))))
        fail_msg("%s: %.15g, not %.15g", what, value, expected);
}

/* NannyML's figures of both chunks, by metric. */
static const struct cbpe_estimate of_calibrated[2 * CBPE_COUNT] = {
    {0.8789700687030302, 0.8681932924630364, 0.012315830605081535, 0.8420225768877856,
     0.9159175605182748, 0.853890150810853, 0.899480407864591, false},
    {0.7734216329498104, 0.7694588949129795, 0.03739071448042955, 0.6612494895085217,
     0.885593776391099, 0.7650317921781699, 0.7946926653077332, false},
    {0.7072192191154397, 0.6757679180887372, 0.04431213106877952, 0.5742828259091012,
     0.8401556123217783, 0.6576820101674234, 0.7708081411449077, false},
    {0.6159407097119504, 0.5657142857142857, 0.035449649331647216, 0.5095917617170087,
     0.722289657706892, 0.5552760582706011, 0.6666005235275934, false},
    {0.8302582261268165, 0.8389830508474576, 0.030129280667712054, 0.7398703841236804,
     0.9206460681299526, 0.7712065863448807, 0.9493838412393907, false},
    {0.7512324223398422, 0.7304964539007093, 0.027515861792691214, 0.6686848369617686,
     0.8337800077179158, 0.67779612641696, 0.7646019582781728, false},
    {0.7768815560196316, 0.7625, 0.0211265762068117, 0.7135018273991965, 0.8402612846400667,
     0.7301128720011625, 0.8061371279988374, false},
    {107.7896241995913, 99.0, 9.062852138752396, 80.60106778333412, 134.9781806158485,
     83.29629286057882, 133.2037071394212, false},
    {202.9629982082613, 206.0, 9.990893631480398, 172.9903173138201, 232.9356791027025,
     110.41852636198328, 248.58147363801672, false},
    {67.21037580040868, 76.0, 7.760538354750627, 43.9287607361568, 90.49199086466056,
     43.15043103804203, 95.34956896195797, false},
    {22.037001791738696, 19.0, 4.275324549083963, 9.211028144486807, 34.86297543899059,
     2.2678672774477278, 33.73213272255227, false},
    {504.06732536735694, 436.0, 142.7804972676591, 75.72583356437968, 932.4088171703343,
     368.251500006, 743.248499994, false},
    {0.904922709961789, 0.8894830659536541, 0.02463166121016307, 0.8310277263312998,
     0.9788176935922782, 0.853890150810853, 0.899480407864591, true},
    {0.8350663818483626, 0.8175563246285849, 0.0747814289608591, 0.6107220949657852, 1.0,
     0.7650317921781699, 0.7946926653077332, true},
    {0.7655588609058936, 0.7407407407407407, 0.08862426213755904, 0.4996860744932165, 1.0,
     0.6576820101674234, 0.7708081411449077, false},
    {0.6713946606588501, 0.6382978723404256, 0.07089929866329443, 0.4586967646689668,
     0.8840925566487334, 0.5552760582706011, 0.6666005235275934, true},
    {0.890445267329789, 0.8823529411764706, 0.06025856133542411, 0.7096695833235167, 1.0,
     0.7712065863448807, 0.9493838412393907, false},
    {0.7607813043720679, 0.7424242424242424, 0.05503172358538243, 0.5956861336159207,
     0.9258764751282151, 0.67779612641696, 0.7646019582781728, false},
    {0.8067315462721083, 0.79, 0.0422531524136234, 0.6799720890312381, 0.9334910035129785,
     0.7301128720011625, 0.8061371279988374, true},
    {31.555549050965954, 30.0, 4.531426069376198, 17.96127084283736, 45.14982725909455,
     83.29629286057882, 133.2037071394212, true},
    {49.117605576244884, 49.0, 4.995446815740199, 34.131265129024285, 64.10394602346548,
     110.41852636198328, 248.58147363801672, true},
    {15.444450949034048, 17.0, 3.8802691773753133, 3.8036434169081073, 27.08525848115999,
     43.15043103804203, 95.34956896195797, true},
    {3.8823944237551116, 4.0, 2.1376622745419813, 0.0, 10.295381247381055, 2.2678672774477278,
     33.73213272255227, false},
    {209.80295286563194, 184.0, 71.39024863382954, -4.3677930358566925, 423.9736987671206,
     368.251500006, 743.248499994, true},
};
static const struct cbpe_estimate of_plain[2 * CBPE_COUNT] = {
    {0.8371344115294607, 0.9998499662424045, 2.2797188360904072e-05, 0.8370660199643779,
     0.8372028030945434, 0.9998828644005612, 1.0, true},
    {0.8309481901503795, 0.9998473331122618, 4.431573466641779e-05, 0.8308152429463802,
     0.8310811373543787, 0.9998732770990493, 1.0, true},
    {0.7529461766011479, 0.9924433249370277, 0.007076539960942541, 0.7317165567183203,
     0.7741757964839756, 0.9900923604838923, 0.9998756318238355, true},
    {0.74778665664003, 0.985, 0.0038036178248081628, 0.7363758031656055, 0.7591975101144545,
     0.9898252615787152, 1.0, true},
    {0.758177389730787, 1.0, 0.005976603124291655, 0.740247580357912, 0.7761071991036619,
     0.980531520007089, 1.0, true},
    {0.7511964799920056, 0.9852216748768473, 0.003515540429959737, 0.7406498587021264,
     0.7617431012818847, 0.9901272630233209, 1.0, true},
    {0.7546390985827043, 0.9925, 0.0034076710848059003, 0.7444160853282866, 0.7648621118371219,
     0.990744940565494, 0.9996717261011727, true},
    {149.557331328006, 197.0, 9.990315310339309, 119.58638539698808, 179.52827725902392,
     103.93939317732196, 254.56060682267804, false},
    {152.2983081050757, 200.0, 9.993989304688203, 122.3163401910111, 182.2802760191403,
     133.92504681649763, 254.07495318350237, false},
    {50.442668671993985, 3.0, 0.7298097164482138, 48.253239522649345, 52.632097821338625, 0.0, 2.0,
     true},
    {47.701691894924316, 0.0, 1.1527744310527053, 44.2433686017662, 51.16001518808243, 0.0,
     2.549038105676658, true},
    {441.6244401266795, 2155.0, 94.64422644831538, 157.69176078173336, 725.5571194716256,
     1133.4901575389908, 2784.509842461009, true},
    {0.8460109301358114, 1.0, 4.5594376721808145e-05, 0.845874147005646, 0.8461477132659768,
     0.9998828644005612, 1.0, true},
    {0.8532146065043348, 1.0, 8.863146933283557e-05, 0.8529487120963363, 0.8534805009123333,
     0.9998732770990493, 1.0, true},
    {0.7848647310576415, 1.0, 0.014153079921885083, 0.7424054912919863, 0.8273239708232968,
     0.9900923604838923, 0.9998756318238355, true},
    {0.7676324425572177, 1.0, 0.0076072356496163255, 0.7448107356083687, 0.7904541495060667,
     0.9898252615787152, 1.0, true},
    {0.8028884686678674, 1.0, 0.01195320624858331, 0.7670288499221175, 0.8387480874136174,
     0.980531520007089, 1.0, true},
    {0.7304612433537767, 1.0, 0.007031080859919474, 0.7093680007740183, 0.7515544859335351,
     0.9901272630233209, 1.0, true},
    {0.7685470043589868, 1.0, 0.006815342169611801, 0.7481009778501514, 0.7889930308678222,
     0.990744940565494, 0.9996717261011727, true},
    {42.21978434064697, 55.0, 4.995157655169654, 27.234311375138006, 57.20525730615593,
     103.93939317732196, 254.56060682267804, true},
    {34.63491609525172, 45.0, 4.996994652344101, 19.643932138219412, 49.625900052284024,
     133.92504681649763, 254.07495318350237, true},
    {12.78021565935302, 0.0, 0.3649048582241069, 11.6855010846807, 13.87493023402534, 0.0, 2.0,
     true},
    {10.365083904748285, 0.0, 0.5763872155263526, 8.635922258169227, 12.094245551327344, 0.0,
     2.549038105676658, true},
    {185.63000310999058, 595.0, 47.32211322415769, 43.66366343751753, 327.59634278246364,
     1133.4901575389908, 2784.509842461009, true},
};

static void compare(const struct cbpe *cbpe, const struct cbpe_columns *current, int chunk,
                    const struct cbpe_estimate *expected)
{
    for (int i = 0; i < CBPE_COUNT; i++) {
        const char *name = cbpe_name((enum cbpe_metric)i);
        struct cbpe_estimate got;
        assert_int_equal(cbpe_estimate(cbpe, current, (size_t)chunk * CHUNK,
                                       chunk ? N_CURRENT - CHUNK : CHUNK, (enum cbpe_metric)i, &got,
                                       NULL),
                         STATUS_OK);
        assert_near(got.estimated, expected[i].estimated, name);
        assert_near(got.realized, expected[i].realized, name);
        assert_near(got.sampling_error, expected[i].sampling_error, name);
        assert_near(got.lower, expected[i].lower, name);
        assert_near(got.upper, expected[i].upper, name);
        assert_near(got.lower_threshold, expected[i].lower_threshold, name);
        assert_near(got.upper_threshold, expected[i].upper_threshold, name);
        assert_int_equal(got.alert, expected[i].alert);
    }
}

static void estimates_what_nannyml_estimates(void **state)
{
    (void)state;
    static struct rows first, second;
    uint32_t seed = 12345;
    for (int power = 2; power >= 1; power--) {
        struct cbpe_columns reference = fill(&first, N_REFERENCE, power, &seed);
        struct cbpe_columns current = fill(&second, N_CURRENT, power, &seed);
        struct cbpe_options options = all_metrics();
        struct cbpe *cbpe = NULL;
        struct error error;
        if (cbpe_fit(&reference, &options, &cbpe, &error) != STATUS_OK)
            fail_msg("%s", error.message);
        assert_int_equal(cbpe_is_calibrated(cbpe), power == 2);
        const struct cbpe_estimate *expected = power == 2 ? of_calibrated : of_plain;
        compare(cbpe, &current, 0, expected);
        compare(cbpe, &current, 1, expected + CBPE_COUNT);
        cbpe_destroy(cbpe);
    }
}

static void what_is_missing_is_left_out(void **state)
{
    (void)state;
    static struct rows first, second;
    uint32_t seed = 1;
    struct cbpe_columns reference = fill(&first, N_REFERENCE, 2, &seed);
    struct cbpe_columns current = fill(&second, N_CURRENT, 2, &seed);
    struct cbpe_options options = all_metrics();
    struct cbpe_estimate whole, holes, none;
    struct cbpe *cbpe = NULL;
    assert_int_equal(cbpe_fit(&reference, &options, &cbpe, NULL), STATUS_OK);
    for (enum cbpe_metric metric = 0; metric < CBPE_COUNT; metric++) {
        current.labels = NULL;
        assert_int_equal(cbpe_estimate(cbpe, &current, 0, 100, metric, &whole, NULL), STATUS_OK);
        assert_true(isnan(whole.realized) && isfinite(whole.estimated));
        for (int i = 100; i < 120; i++)
            second.scores[i] = (double)NAN;
        assert_int_equal(cbpe_estimate(cbpe, &current, 0, 120, metric, &holes, NULL), STATUS_OK);
        assert_near(holes.estimated, whole.estimated, cbpe_name(metric));
        assert_near(holes.sampling_error, whole.sampling_error, cbpe_name(metric));
        assert_int_equal(cbpe_estimate(cbpe, &current, 100, 20, metric, &none, NULL), STATUS_OK);
        assert_true(isnan(none.estimated) && isnan(none.lower) && !none.alert);
    }
    cbpe_destroy(cbpe);
}

static void refuses_a_reference_that_says_too_little(void **state)
{
    (void)state;
    static struct rows rows;
    uint32_t seed = 1;
    struct cbpe_columns reference = fill(&rows, N_REFERENCE, 1, &seed);
    struct cbpe_options options = all_metrics();
    struct cbpe *cbpe = NULL;
    reference.n = 0;
    assert_int_equal(cbpe_fit(&reference, &options, &cbpe, NULL), STATUS_INVALID);
    for (int i = 0; i < 8; i++)
        rows.labels[i] = i % 2;
    reference.n = 8;
    assert_int_equal(cbpe_fit(&reference, &options, &cbpe, NULL), STATUS_INVALID);
    reference.n = 100;
    rows.labels[70] = (double)NAN;
    assert_int_equal(cbpe_fit(&reference, &options, &cbpe, NULL), STATUS_INVALID);
    assert_null(cbpe);
}

static void one_class_needs_no_calibration(void **state)
{
    (void)state;
    double scores[20], labels[20];
    bool helps = true;
    for (int i = 0; i < 20; i++) {
        scores[i] = i / 20.0;
        labels[i] = 1;
    }
    assert_int_equal(calibration_helps(scores, labels, 20, &helps, NULL), STATUS_OK);
    assert_false(helps);
    for (int i = 0; i < 20; i++)
        labels[i] = i >= 10; /* told apart without a mistake */
    assert_int_equal(calibration_helps(scores, labels, 20, &helps, NULL), STATUS_OK);
    assert_false(helps);
}

static void violators_are_pooled(void **state)
{
    (void)state;
    const double x[] = {1, 2, 2, 3, 4, 5, 6, 7}, y[] = {1, 0, 2, 0.5, 3, 2.5, 2.75, 4};
    /* scikit-learn 1.9.1: IsotonicRegression(out_of_bounds="clip") */
    const double at[] = {0, 1, 1.5, 3, 3.5, 5, 6.5, 9};
    const double expected[] = {0.875, 0.875, 0.875, 0.875, 1.8125, 2.75, 3.375, 4.0};
    struct isotonic isotonic;
    assert_int_equal(isotonic_fit(x, y, 8, &isotonic, NULL), STATUS_OK);
    for (size_t i = 0; i < 8; i++)
        assert_near(isotonic_at(&isotonic, at[i]), expected[i], "isotonic");
    assert_true(isnan(isotonic_at(&isotonic, (double)NAN)));
    isotonic_free(&isotonic);
    assert_int_equal(isotonic_fit(x, y, 1, &isotonic, NULL), STATUS_OK);
    assert_near(isotonic_at(&isotonic, 55), 1, "isotonic");
    isotonic_free(&isotonic);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(estimates_what_nannyml_estimates),
        cmocka_unit_test(what_is_missing_is_left_out),
        cmocka_unit_test(refuses_a_reference_that_says_too_little),
        cmocka_unit_test(one_class_needs_no_calibration),
        cmocka_unit_test(violators_are_pooled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
