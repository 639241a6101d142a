/* Metrics against scikit-learn 1.9.1 (roc_auc_score, average_precision_score, brier_score_loss,
 * log_loss) and the Fraud Detection Handbook's own card_precision_top_k, run on the same generated
 * rows; the numbers below are theirs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "engine/model/metrics.h"

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

static void agrees_with_scikit_learn(void **state)
{
    (void)state;
    float scores[500], labels[500];
    uint32_t seed = 12345;
    for (int i = 0; i < 500; i++) {
        double score = draw(&seed) % 1000 / 1000.0, chance = draw(&seed) % 1000 / 1000.0;
        scores[i] = (float)score;
        if (i % 2) /* many ties */
            scores[i] = (float)(int)(score * 20) / 20.0f;
        labels[i] = chance < 0.05 + 0.6 * (double)scores[i] * (double)scores[i];
    }
    struct metrics metrics;
    assert_int_equal(metrics_compute(scores, labels, 500, &metrics, NULL), STATUS_OK);
    assert_int_equal(metrics.n, 500);
    assert_int_equal(metrics.positives, 125);
    assert_near(metrics.auc, 0.741504);
    assert_near(metrics.average_precision, 0.50551912638421);
    assert_near(metrics.brier, 0.227953575892371);
    assert_near(metrics.log_loss, 0.723480401809316);
}

static void ties_count_half(void **state)
{
    (void)state;
    const float same[] = {0.5f, 0.5f, 0.5f, 0.5f}, labels[] = {1, 0, 0, 0};
    const float ordered[] = {0.9f, 0.1f, 0.2f, 0.3f}, reversed[] = {0.1f, 0.9f, 0.8f, 0.7f};
    struct metrics metrics;
    assert_int_equal(metrics_compute(same, labels, 4, &metrics, NULL), STATUS_OK);
    assert_near(metrics.auc, 0.5);
    assert_near(metrics.average_precision, 0.25);
    assert_int_equal(metrics_compute(ordered, labels, 4, &metrics, NULL), STATUS_OK);
    assert_near(metrics.auc, 1);
    assert_near(metrics.average_precision, 1);
    assert_int_equal(metrics_compute(reversed, labels, 4, &metrics, NULL), STATUS_OK);
    assert_near(metrics.auc, 0);
    assert_near(metrics.average_precision, 0.25);
}

static void what_is_not_defined_is_not_a_number(void **state)
{
    (void)state;
    const float scores[] = {0.0f, 1.0f}, honest[] = {0, 0};
    struct metrics metrics;
    assert_int_equal(metrics_compute(NULL, NULL, 0, &metrics, NULL), STATUS_OK);
    assert_true(isnan(metrics.auc) && isnan(metrics.brier) && isnan(metrics.log_loss));
    assert_int_equal(metrics_compute(scores, honest, 2, &metrics, NULL), STATUS_OK);
    assert_true(isnan(metrics.auc) && isnan(metrics.average_precision));
    assert_near(metrics.brier, 0.5);
    assert_true(isfinite(metrics.log_loss));
}

static void refuses_what_cannot_be_ranked(void **state)
{
    (void)state;
    const float scores[] = {0.5f, NAN}, whole[] = {0.5f, 0.6f}, labels[] = {0, 1};
    const float odd[] = {0, 2};
    struct metrics metrics;
    struct error error = {0};
    assert_int_equal(metrics_compute(scores, labels, 2, &metrics, &error), STATUS_INVALID);
    assert_string_equal(error.message, "row 2 has no score");
    assert_int_equal(metrics_compute(whole, odd, 2, &metrics, &error), STATUS_INVALID);
    assert_string_equal(error.message, "row 2 has the label 2, not 0 or 1");
}

static double card_precision(size_t k)
{
    struct card_event events[400];
    uint32_t seed = 99;
    for (int i = 0; i < 400; i++) {
        uint64_t card = draw(&seed) % 60;
        double score = draw(&seed) % 100003 / 100003.0;
        bool fraud = draw(&seed) % 100 < 8 + 25 * score;
        events[i] = (struct card_event){card, i % 5, (float)score, fraud};
    }
    double precision = 0;
    assert_int_equal(metrics_card_precision(events, 400, k, &precision, NULL), STATUS_OK);
    return precision;
}

static void card_precision_is_the_handbooks(void **state)
{
    (void)state;
    assert_near(card_precision(3), 0.466666666666667);
    assert_near(card_precision(10), 0.5);
    assert_near(card_precision(100), 0.098); /* fewer cards than that: still over 100 */
    double none = 0;
    assert_int_equal(metrics_card_precision(NULL, 0, 100, &none, NULL), STATUS_OK);
    assert_true(isnan(none));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_scikit_learn),
        cmocka_unit_test(ties_count_half),
        cmocka_unit_test(what_is_not_defined_is_not_a_number),
        cmocka_unit_test(refuses_what_cannot_be_ranked),
        cmocka_unit_test(card_precision_is_the_handbooks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
