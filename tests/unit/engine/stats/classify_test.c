/* Figures against scikit-learn 1.9.1 (roc_auc_score, average_precision_score, brier_score_loss,
 * log_loss, precision_score, recall_score, f1_score, calibration_curve) and the Fraud Detection
 * Handbook's own card_precision_top_k, run on the same generated rows; the numbers below are
 * theirs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "engine/stats/classify.h"
#include "engine/stats/top_k.h"

/* The generator of C's standard (ISO C 7.22.2.2), which Python repeats easily. */
static uint32_t draw(uint32_t *state)
{
    *state = (*state * 1103515245u + 12345u) & 0x7fffffffu;
    return *state >> 8;
}

static void assert_near(double value, double expected)
{
    if (!(fabs(value - expected) < 1e-12))
        fail_msg("%.15g, not %.15g", value, expected);
}

#define VALUE(result, figure) ((result).figures[CLASSIFY_##figure].value)

static struct classify_result measure(struct classify_row *rows, size_t n)
{
    struct classify_options options = classify_defaults();
    struct classify_result result;
    assert_int_equal(classify(rows, n, &options, &result, NULL), STATUS_OK);
    return result;
}

static void fill(struct classify_row rows[500])
{
    uint32_t seed = 12345;
    for (int i = 0; i < 500; i++) {
        double score = draw(&seed) % 1000 / 1000.0, chance = draw(&seed) % 1000 / 1000.0;
        if (i % 2) /* many ties */
            score = (int)(score * 20) / 20.0;
        rows[i] = (struct classify_row){score, 1, chance < 0.05 + 0.6 * score * score, false};
    }
}

static void agrees_with_scikit_learn(void **state)
{
    (void)state;
    struct classify_row rows[500];
    fill(rows);
    struct classify_result result = measure(rows, 500);
    assert_int_equal(result.n, 500);
    assert_int_equal(result.positives, 125);
    assert_near(VALUE(result, AUC), 0.741504);
    assert_near(VALUE(result, AVERAGE_PRECISION), 0.50551912638421);
    assert_near(VALUE(result, BRIER), 0.227953576);
    assert_near(VALUE(result, LOG_LOSS), 0.7234804032535144);
    assert_near(VALUE(result, ECE), 0.21999999999999997);
    assert_near(VALUE(result, PRECISION), 0.3775933609958506);
    assert_near(VALUE(result, RECALL), 0.728);
    assert_near(VALUE(result, F1), 0.4972677595628415);
}

/* Against the formulas of the papers, evaluated by numpy on the same rows with scipy's quantiles.
 */
static void intervals_are_those_of_their_papers(void **state)
{
    (void)state;
    struct classify_row rows[500];
    fill(rows);
    struct classify_result result = measure(rows, 500);
    assert_near(result.figures[CLASSIFY_AUC].low, 0.6926766420691763);
    assert_near(result.figures[CLASSIFY_AUC].high, 0.7903313579308238);
    assert_near(result.figures[CLASSIFY_AVERAGE_PRECISION].low, 0.41859274808544006);
    assert_near(result.figures[CLASSIFY_AVERAGE_PRECISION].high, 0.5921131111575989);
    assert_near(result.figures[CLASSIFY_PRECISION].low, 0.3187602724929821);
    assert_near(result.figures[CLASSIFY_PRECISION].high, 0.4402674661743988);
    assert_near(result.figures[CLASSIFY_RECALL].low, 0.644064961834957);
    assert_near(result.figures[CLASSIFY_RECALL].high, 0.7983392186340461);
    assert_near(result.figures[CLASSIFY_F1].low, 0.43500649337665787);
    assert_near(result.figures[CLASSIFY_F1].high, 0.5596138752357616);
    assert_near(result.figures[CLASSIFY_BRIER].low, 0.20615535979253188);
    assert_near(result.figures[CLASSIFY_BRIER].high, 0.2497517922074681);
    const struct classify_value *ece = &result.figures[CLASSIFY_ECE];
    assert_true(ece->low >= 0 && ece->low <= ece->value && ece->value <= ece->high);
}

static void ties_count_half(void **state)
{
    (void)state;
    struct classify_row same[] = {{0.5, 1, true, false},
                                  {0.5, 1, false, false},
                                  {0.5, 1, false, false},
                                  {0.5, 1, false, false}};
    struct classify_row best[] = {{0.9, 1, true, false},
                                  {0.1, 1, false, false},
                                  {0.2, 1, false, false},
                                  {0.3, 1, false, false}};
    struct classify_row worst[] = {{0.1, 1, true, false},
                                   {0.9, 1, false, false},
                                   {0.8, 1, false, false},
                                   {0.7, 1, false, false}};
    struct classify_result result = measure(same, 4);
    assert_near(VALUE(result, AUC), 0.5);
    assert_near(VALUE(result, AVERAGE_PRECISION), 0.25);
    assert_near(VALUE(measure(best, 4), AUC), 1);
    assert_near(VALUE(measure(worst, 4), AUC), 0);
}

static void what_is_not_defined_is_not_a_number(void **state)
{
    (void)state;
    struct classify_row honest[] = {{0, 1, false, false}, {1, 1, false, false}};
    struct classify_row frauds[] = {{0.2, 1, true, false}, {0.7, 1, true, false}};
    struct classify_row margins[] = {{-3, 1, false, false}, {4, 1, true, false}};
    struct classify_result result = measure(NULL, 0);
    for (int i = 0; i < CLASSIFY_COUNT; i++)
        assert_true(isnan(result.figures[i].value) && isnan(result.figures[i].low));
    result = measure(honest, 2);
    assert_true(isnan(VALUE(result, AUC)) && isnan(VALUE(result, AVERAGE_PRECISION)));
    assert_true(isnan(VALUE(result, RECALL)));
    assert_near(VALUE(result, PRECISION), 0);
    assert_near(VALUE(result, BRIER), 0.5);
    assert_true(isfinite(VALUE(result, LOG_LOSS)));
    result = measure(frauds, 2);
    assert_true(isnan(VALUE(result, AUC)));
    assert_near(VALUE(result, AVERAGE_PRECISION), 1); /* as scikit-learn says */
    result = measure(margins, 2);
    assert_near(VALUE(result, AUC), 1);
    assert_true(isnan(VALUE(result, BRIER)) && isnan(VALUE(result, ECE)));
    struct classify_row one[] = {{0.4, 1, true, false}};
    result = measure(one, 1);
    assert_near(VALUE(result, BRIER), 0.36);
    assert_true(isnan(result.figures[CLASSIFY_BRIER].low));
}

static void refuses_a_row_without_a_score(void **state)
{
    (void)state;
    struct classify_row rows[] = {{0.5, 1, true, false}, {(double)NAN, 1, false, false}};
    struct classify_options options = classify_defaults();
    struct classify_result result;
    struct error error = {0};
    assert_int_equal(classify(rows, 2, &options, &result, &error), STATUS_INVALID);
    assert_string_equal(error.message, "row 2 has no score");
}

static void costs_are_those_of_wrong_decisions(void **state)
{
    (void)state;
    struct classify_row rows[] = {{0.9, 10, true, false},
                                  {0.8, 20, false, false},
                                  {0.2, 30, true, false},
                                  {0.1, 40, false, false}};
    struct classify_options options = classify_defaults();
    struct classify_result result;
    options.cost_false_positive = 5;
    options.cost_false_negative = 2;
    assert_int_equal(classify(rows, 4, &options, &result, NULL), STATUS_OK);
    assert_near(result.cost_total, 5 + 2 * 30);
    assert_near(VALUE(result, COST), 65 / 4.0);
    assert_int_equal(result.true_positives + result.false_positives, 2);
}

/* Bug: an amount that was null counted as 1. */
static void rows_whose_amount_is_not_known_have_no_cost(void **state)
{
    (void)state;
    struct classify_row rows[] = {{0.9, 10, true, false},
                                  {0.8, 20, false, false},
                                  {0.3, (double)NAN, true, false},
                                  {0.2, 30, true, false},
                                  {0.1, (double)NAN, false, false}};
    struct classify_options options = classify_defaults();
    struct classify_result result;
    options.cost_false_positive = 5;
    options.cost_false_negative = 2;
    assert_int_equal(classify(rows, 5, &options, &result, NULL), STATUS_OK);
    assert_near(result.cost_total, 5 + 2 * 30);
    assert_near(VALUE(result, COST), 65 / 3.0);
    assert_int_equal(result.amounts_missing, 2);
    assert_int_equal(result.n, 5);
    rows[0].amount = rows[1].amount = rows[2].amount = rows[3].amount = rows[4].amount =
        (double)NAN;
    assert_int_equal(classify(rows, 5, &options, &result, NULL), STATUS_OK);
    assert_true(isnan(result.cost_total) && isnan(VALUE(result, COST)));
}

static void deviations_are_those_of_the_normal_distribution(void **state)
{
    (void)state;
    assert_near(classify_deviations(0.95), 1.959963984540054); /* scipy 1.17.1, norm.ppf */
    assert_near(classify_deviations(0.5), 0.6744897501960817);
    assert_near(classify_deviations(0.9999), 3.890591886413124);
}

static double card_precision(size_t k)
{
    struct top_k_event events[400];
    uint32_t seed = 99;
    for (int i = 0; i < 400; i++) {
        uint64_t card = draw(&seed) % 60;
        double score = draw(&seed) % 100003 / 100003.0;
        bool fraud = draw(&seed) % 100 < 8 + 25 * score;
        events[i] = (struct top_k_event){card, i % 5, score, fraud};
    }
    struct top_k top;
    assert_int_equal(top_k_precision(events, 400, k, &top, NULL), STATUS_OK);
    assert_int_equal(top.n_days, 5);
    return top.precision;
}

static void card_precision_is_the_handbooks(void **state)
{
    (void)state;
    assert_near(card_precision(3), 0.466666666666667);
    assert_near(card_precision(10), 0.5);
    assert_near(card_precision(100), 0.098); /* fewer cards than that: still over 100 */
    struct top_k none;
    assert_int_equal(top_k_precision(NULL, 0, 100, &none, NULL), STATUS_OK);
    assert_true(isnan(none.precision));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_scikit_learn),
        cmocka_unit_test(ties_count_half),
        cmocka_unit_test(what_is_not_defined_is_not_a_number),
        cmocka_unit_test(refuses_a_row_without_a_score),
        cmocka_unit_test(costs_are_those_of_wrong_decisions),
        cmocka_unit_test(rows_whose_amount_is_not_known_have_no_cost),
        cmocka_unit_test(intervals_are_those_of_their_papers),
        cmocka_unit_test(deviations_are_those_of_the_normal_distribution),
        cmocka_unit_test(card_precision_is_the_handbooks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
