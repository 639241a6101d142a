/* Joined outcomes: exactly once, corrections, periods, what is kept, estimates made before the
 * truth and how they did, changes of the error stream, and all of it over a restart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>

#include "engine/base/clock.h"
#include "engine/monitor/truth_measure.h"

#define PER_DAY ((uint64_t)400)

static uint32_t draw(uint32_t *state)
{
    *state = (*state * 1103515245u + 12345u) & 0x7fffffffu;
    return *state >> 8;
}

static struct truth *make(int64_t keep)
{
    struct truth_options options;
    struct truth *truth = NULL;
    truth_defaults(&options);
    options.keep = keep;
    options.reference = 500;
    options.k = 5;
    assert_int_equal(truth_create(&options, &truth, NULL), STATUS_OK);
    return truth;
}

static struct truth_decision decision_at(uint64_t index, int64_t at_us, float score)
{
    return (struct truth_decision){.index = index,
                                   .at_us = at_us,
                                   .score = score,
                                   .decision = score >= 0.5F ? DECISION_DECLINE : DECISION_APPROVE,
                                   .variant = VARIANT_CHAMPION,
                                   .cohort = slice_of(index % 2 ? "odd" : "even")};
}

static struct truth_label label_of(struct truth_decision decision, int64_t delay_us, int label)
{
    return (struct truth_label){.decision = decision,
                                .entity = decision.index % 50,
                                .amount = 1,
                                .observed_us = decision.at_us,
                                .arrived_us = decision.at_us + delay_us,
                                .label = label};
}

/* Days of decisions; the labels of a day arrive two days later. `flip_from`: from this day on the
 * truth is the opposite. */
static void run_days(struct truth *truth, int n_days, int flip_from)
{
    uint32_t seed = 7;
    static struct truth_decision days[64][PER_DAY];
    for (int day = 0; day < n_days; day++) {
        for (int i = 0; i < (int)PER_DAY; i++) {
            float score = (float)(draw(&seed) % 10007) / 10007.0F;
            int64_t at_us = (day + 10) * US_PER_DAY + i * US_PER_S;
            days[day][i] = decision_at((uint64_t)day * PER_DAY + (uint64_t)i, at_us, score);
            truth_decided(truth, &days[day][i]);
        }
        for (int i = 0; day >= 2 && i < (int)PER_DAY; i++) {
            struct truth_decision *then = &days[day - 2][i];
            bool positive = (draw(&seed) % 10007) / 10007.0 < (double)then->score;
            struct truth_label label =
                label_of(*then, 2 * US_PER_DAY, positive != (day - 2 >= flip_from));
            assert_int_equal(truth_labelled(truth, &label), TRUTH_JOINED);
        }
    }
}

static const struct truth_selection everything = {INT64_MIN, INT64_MAX, -1, -1};

static void a_label_counts_once_and_a_correction_takes_its_place(void **state)
{
    (void)state;
    struct truth *truth = make(1000);
    struct truth_decision decision = decision_at(7, 5 * US_PER_DAY, 0.9F);
    struct truth_label label = label_of(decision, US_PER_HOUR, 1);
    struct truth_figures figures;
    truth_decided(truth, &decision);
    assert_int_equal(truth_labelled(truth, &label), TRUTH_JOINED);
    assert_int_equal(truth_labelled(truth, &label), TRUTH_REPEATED);
    label.label = 0;
    assert_int_equal(truth_labelled(truth, &label), TRUTH_CORRECTED);
    assert_int_equal(truth_labelled(truth, &label), TRUTH_REPEATED);
    assert_int_equal(truth_measure(truth, &everything, &figures, NULL), STATUS_OK);
    assert_int_equal(figures.result.n, 1);
    assert_int_equal(figures.result.false_positives, 1);
    assert_int_equal(figures.decided, 1);
    assert_int_equal(figures.labelled, 1);
    assert_true(figures.delay_p50_s == 3600);
    assert_int_equal(truth_counts(truth)->joined, 1);
    assert_int_equal(truth_counts(truth)->corrected, 1);
    assert_int_equal(truth_counts(truth)->repeated, 2);
    truth_destroy(truth);
}

static void figures_are_of_what_was_asked_for(void **state)
{
    (void)state;
    struct truth *truth = make(100000);
    struct truth_figures figures;
    run_days(truth, 8, 99);
    struct truth_selection one = {12 * US_PER_DAY, 13 * US_PER_DAY, VARIANT_CHAMPION, -1};
    assert_int_equal(truth_measure(truth, &one, &figures, NULL), STATUS_OK);
    assert_int_equal(figures.result.n, PER_DAY);
    assert_int_equal(figures.decided, PER_DAY);
    assert_true(figures.result.figures[CLASSIFY_AUC].value > 0.75);
    one.cohort = 0;
    assert_int_equal(truth_measure(truth, &one, &figures, NULL), STATUS_OK);
    assert_int_equal(figures.result.n, PER_DAY / 2);
    assert_int_equal(figures.decided, PER_DAY / 2);
    assert_int_equal(figures.labelled, PER_DAY / 2);
    one = (struct truth_selection){16 * US_PER_DAY, 18 * US_PER_DAY, -1, -1};
    assert_int_equal(truth_measure(truth, &one, &figures, NULL), STATUS_OK);
    assert_int_equal(figures.result.n, 0);
    assert_int_equal(figures.decided, 2 * PER_DAY); /* decided, and no label yet */
    assert_true(isnan(figures.result.figures[CLASSIFY_AUC].value));
    one.cohort = 0;
    assert_int_equal(truth_measure(truth, &one, &figures, NULL), STATUS_OK);
    assert_int_equal(figures.decided, PER_DAY); /* a cohort without labels is covered by none */
    assert_int_equal(figures.labelled, 0);
    one.cohort = -1;
    one.variant = VARIANT_CANARY;
    assert_int_equal(truth_measure(truth, &one, &figures, NULL), STATUS_OK);
    assert_int_equal(figures.decided, 0);
    truth_destroy(truth);
}

static void the_oldest_arrivals_make_room(void **state)
{
    (void)state;
    struct truth *truth = make(1000);
    struct truth_figures figures;
    run_days(truth, 8, 99); /* 2400 labels */
    assert_int_equal(truth_n_rows(truth), 1000);
    assert_int_equal(truth_counts(truth)->evicted, 1400);
    assert_int_equal(truth_row(truth, 999)->index, 6 * PER_DAY - 1);
    assert_int_equal(truth_row(truth, 0)->index, 6 * PER_DAY - 1000);
    assert_int_equal(truth_measure(truth, &everything, &figures, NULL), STATUS_OK);
    assert_int_equal(figures.result.n, 1000);
    assert_int_equal(figures.labelled, 2400); /* coverage forgets nothing */
    struct truth_label again = label_of(decision_at(6 * PER_DAY - 1, 0, 0.5F), 0, 2);
    again.label = truth_row(truth, 999)->positive;
    assert_int_equal(truth_labelled(truth, &again), TRUTH_REPEATED);
    truth_destroy(truth);
}

/* Scores that are probabilities: the estimates hold, until the truth turns round. */
static void estimates_have_a_track_record(void **state)
{
    (void)state;
    struct truth *truth = make(100000);
    struct truth_track tracks[TRUTH_ESTIMATES];
    run_days(truth, 12, 99);
    assert_int_equal(truth_track(truth, tracks, NULL), STATUS_OK);
    /* Days 0 to 9 are labelled; the first estimate is made when day 4 is over. */
    assert_int_equal(tracks[CBPE_ROC_AUC].n, 7);
    assert_true(tracks[CBPE_ROC_AUC].mean_error < 0.05);
    assert_true(tracks[CBPE_PRECISION].mean_error < 0.08);
    assert_true(tracks[CBPE_ROC_AUC].within >= 6);
    truth_destroy(truth);
    truth = make(100000);
    run_days(truth, 12, 8);
    assert_int_equal(truth_track(truth, tracks, NULL), STATUS_OK);
    assert_true(tracks[CBPE_ROC_AUC].mean_error > 0.1); /* and nobody can say that it was good */
    assert_true(tracks[CBPE_ROC_AUC].bias > 0.1);
    truth_destroy(truth);
}

static void a_turn_of_the_truth_is_found(void **state)
{
    (void)state;
    struct truth_detection detections[TRUTH_DETECTIONS];
    uint64_t n_all, n_labels;
    struct truth *truth = make(100000);
    run_days(truth, 10, 99);
    truth_detections(truth, detections, &n_all, &n_labels);
    assert_int_equal(n_all, 0);
    assert_int_equal(n_labels, 8 * PER_DAY);
    truth_destroy(truth);
    truth = make(100000);
    run_days(truth, 10, 4);
    assert_true(truth_detections(truth, detections, &n_all, &n_labels) >= 1);
    assert_true(detections[0].position >= 4 * PER_DAY && detections[0].position < 5 * PER_DAY);
    assert_true(detections[0].at_us / US_PER_DAY == 16); /* labels come two days late */
    truth_destroy(truth);
}

static void many_cohorts_end_in_one(void **state)
{
    (void)state;
    struct truth *truth = make(1000);
    for (uint64_t i = 0; i < 200; i++) {
        char name[100];
        snprintf(name, sizeof name, "cohort-%llu-%080d", (unsigned long long)(i % 100), 1);
        struct truth_label label = label_of(decision_at(i, US_PER_DAY, 0.1F), 0, 0);
        label.decision.cohort = slice_of(i % 50 == 49 ? "" : name);
        truth_labelled(truth, &label);
    }
    assert_true(truth_n_cohorts(truth) <= TRUTH_MAX_COHORTS);
    assert_string_equal(truth_cohort(truth, truth_n_cohorts(truth) - 1), "other");
    truth_destroy(truth);
}

static char *document(const struct truth *truth)
{
    struct buffer text;
    buffer_init(&text, 16u << 20);
    for (enum truth_by by = TRUTH_BY_NOTHING; by <= TRUTH_BY_TIME; by++)
        assert_int_equal(truth_json(truth, INT64_MIN, INT64_MAX, by, 0, &text, NULL), STATUS_OK);
    return text.data;
}

static void is_the_same_after_a_restart(void **state)
{
    (void)state;
    char path[] = "/tmp/truth-test-XXXXXX";
    int file = mkstemp(path);
    assert_true(file >= 0);
    close(file);
    struct truth_mark mark = {.upto = 77, .root = {1, 2}, .identity = "me"}, found;
    struct truth *truth = make(3000), *again = make(3000), *other = make(4000);
    run_days(truth, 12, 9);
    truth_learn(truth);
    assert_int_equal(truth_save(truth, path, &mark, NULL), STATUS_OK);
    assert_int_equal(truth_load(again, path, &found, NULL), STATUS_OK);
    truth_learn(again);
    assert_int_equal(found.upto, 77);
    assert_memory_equal(found.root, mark.root, sizeof mark.root);
    char *before = document(truth), *after = document(again);
    assert_string_equal(before, after);
    assert_int_equal(truth_load(other, path, &found, NULL), STATUS_UNSUPPORTED);
    assert_int_equal(truth_n_rows(other), 0);
    assert_int_equal(truncate(path, 5000), 0);
    assert_int_equal(truth_load(again, path, &found, NULL), STATUS_CORRUPT);
    assert_int_equal(truth_n_rows(again), 0);
    free(after);
    free(before);
    unlink(path);
    truth_destroy(other);
    truth_destroy(again);
    truth_destroy(truth);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_label_counts_once_and_a_correction_takes_its_place),
        cmocka_unit_test(figures_are_of_what_was_asked_for),
        cmocka_unit_test(the_oldest_arrivals_make_room),
        cmocka_unit_test(estimates_have_a_track_record),
        cmocka_unit_test(a_turn_of_the_truth_is_found),
        cmocka_unit_test(many_cohorts_end_in_one),
        cmocka_unit_test(is_the_same_after_a_restart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
