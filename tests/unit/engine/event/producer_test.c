/* Synthetic transactions: repeatable, good by the contract, bad in the way they say, learnable. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/clock.h"
#include "engine/contract/contract.h"
#include "engine/event/decoder.h"
#include "engine/event/producer.h"

#define START INT64_C(1767312000000000) /* 2026-01-02T00:00:00Z */

static struct producer *make(struct producer_options options)
{
    struct producer *producer;
    struct error error;
    options.start_us = START;
    if (producer_create(&options, &producer, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return producer;
}

static void gives_the_same_events_for_the_same_seed(void **state)
{
    (void)state;
    struct producer_options options = {
        .seed = 7, .rate_per_s = 50, .fraud_share = .02, .bad_share = .1};
    struct producer *a = make(options);
    struct producer *b = make(options);
    options.seed = 8;
    struct producer *c = make(options);
    int differing = 0;
    for (int i = 0; i < 2000; i++) {
        struct producer_event from_a, from_b, from_c;
        producer_next(a, &from_a);
        producer_next(b, &from_b);
        producer_next(c, &from_c);
        assert_true(slice_equal(from_a.json, from_b.json));
        assert_int_equal(from_a.label, from_b.label);
        differing += !slice_equal(from_a.json, from_c.json);
    }
    assert_true(differing > 1990);
    producer_destroy(a);
    producer_destroy(b);
    producer_destroy(c);
}

struct judge {
    struct contract *contract;
    struct decoder *decoder;
    struct arena *arena;
    struct event event;
};

static void judge_open(struct judge *judge)
{
    struct error error;
    *judge = (struct judge){0};
    if (contract_load("packaging/examples/transactions/contract.yaml", &judge->contract, &error))
        fail_msg("%s", error.message);
    assert_int_equal(
        decoder_create(contract_schema(judge->contract), true, &judge->decoder, &error), STATUS_OK);
    judge->arena = arena_create(1 << 20);
}

static void judge_close(struct judge *judge)
{
    decoder_destroy(judge->decoder);
    contract_destroy(judge->contract);
    arena_destroy(judge->arena);
}

static struct event *judge_event(struct judge *judge, const struct producer_event *made)
{
    arena_reset(judge->arena);
    judge->event = (struct event){0};
    decoder_json(judge->decoder, made->json, judge->arena, &judge->event);
    contract_check(judge->contract, &judge->event, made->time_us, CONTRACT_WALL);
    return &judge->event;
}

static void makes_events_that_the_contract_judges_as_they_say(void **state)
{
    (void)state;
    struct judge judge;
    judge_open(&judge);
    struct producer *producer = make((struct producer_options){
        .seed = 3, .rate_per_s = 200, .fraud_share = .02, .bad_share = .2});
    int seen[VIOLATION_CODES] = {0};
    int64_t last_us = START;
    for (int i = 0; i < 20000; i++) {
        struct producer_event made;
        producer_next(producer, &made);
        struct event *event = judge_event(&judge, &made);
        assert_true(made.time_us >= last_us);
        last_us = made.time_us;
        if (made.bad < 0 || made.bad == VIOLATION_DUPLICATE_ID) {
            if (event->n_violations)
                fail_msg("%.*s: %s", (int)made.json.size, made.json.data,
                         violation_name(event->violations[0].code));
            assert_int_equal(event->time_us, made.time_us);
            assert_true(slice_is(event->values[0].string, made.event_id));
        } else if (event->n_violations != 1 || (int)event->violations[0].code != made.bad) {
            fail_msg("%.*s: not %s", (int)made.json.size, made.json.data,
                     violation_name((enum violation_code)made.bad));
        }
        if (made.bad >= 0)
            seen[made.bad]++;
    }
    static const enum violation_code wanted[] = {
        VIOLATION_NOT_JSON, VIOLATION_NOT_UTF8, VIOLATION_DUPLICATE_KEY, VIOLATION_NESTED,
        VIOLATION_MISSING,  VIOLATION_NULL,     VIOLATION_TYPE,          VIOLATION_NOT_FINITE,
        VIOLATION_RANGE,    VIOLATION_ENUM,     VIOLATION_PATTERN,       VIOLATION_LENGTH,
        VIOLATION_ULID,     VIOLATION_FUTURE,   VIOLATION_TIMESTAMP,     VIOLATION_DUPLICATE_ID};
    int bad = 0;
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        assert_true(seen[wanted[i]] > 50);
        bad += seen[wanted[i]];
    }
    assert_in_range(bad, 3700, 4300);
    producer_destroy(producer);
    judge_close(&judge);
}

static void keeps_to_rate_and_share_over_a_day(void **state)
{
    (void)state;
    struct producer *producer =
        make((struct producer_options){.seed = 5, .rate_per_s = 3, .fraud_share = .02});
    int n = 0;
    int frauds = 0;
    int by_hour[24] = {0};
    int by_scenario[SCENARIO_COUNT] = {0};
    for (;;) {
        struct producer_event made;
        producer_next(producer, &made);
        if (made.time_us >= START + US_PER_DAY)
            break;
        n++;
        frauds += made.label;
        by_scenario[made.scenario]++;
        by_hour[(made.time_us - START) / US_PER_HOUR]++;
        assert_int_equal(made.label, made.scenario != SCENARIO_NONE);
        assert_true(made.label_time_us >= made.time_us);
    }
    assert_true(fabs(n / 86400.0 / 3 - 1) < 0.05);
    assert_true(fabs((double)frauds / n / .02 - 1) < 0.15);
    assert_true(by_hour[15] > 2 * by_hour[3]);
    for (int i = 0; i < SCENARIO_COUNT; i++)
        assert_true(by_scenario[i] > 200);
    producer_destroy(producer);
}

static void comes_at_the_same_rate_at_any_hour_when_steady(void **state)
{
    (void)state;
    struct producer *producer =
        make((struct producer_options){.seed = 5, .rate_per_s = 3, .steady = true});
    int by_hour[24] = {0};
    struct producer_event made;
    for (producer_next(producer, &made); made.time_us < START + US_PER_DAY;
         producer_next(producer, &made))
        by_hour[(made.time_us - START) / US_PER_HOUR]++;
    for (int hour = 0; hour < 24; hour++) /* five standard deviations, Poisson */
        assert_true(fabs(by_hour[hour] - 3 * 3600.0) < 5 * sqrt(3 * 3600.0));
    producer_destroy(producer);
}

/* About 400 of 20,000; frauds come in bursts of up to 16, so the deviation is some 55. */
static void keeps_to_the_share_from_the_first_second(void **state)
{
    (void)state;
    int frauds = 0;
    for (uint64_t seed = 0; seed < 100; seed++) {
        struct producer *producer =
            make((struct producer_options){.seed = seed, .rate_per_s = 50, .fraud_share = .02});
        for (int i = 0; i < 200; i++) {
            struct producer_event made;
            producer_next(producer, &made);
            frauds += made.label;
        }
        producer_destroy(producer);
    }
    assert_in_range(frauds, 250, 550);
}

static void puts_the_event_time_into_the_ulid(void **state)
{
    (void)state;
    struct producer *producer = make((struct producer_options){.seed = 1, .rate_per_s = 10});
    for (int i = 0; i < 100; i++) {
        struct producer_event made;
        uint64_t bits[2];
        producer_next(producer, &made);
        assert_true(ulid_pack(slice_of(made.event_id), bits));
        assert_int_equal(bits[0] >> 16, made.time_us / 1000);
    }
    producer_destroy(producer);
}

/* What windows will see of a user: purchases within ten minutes, amount over the mean so far,
 * country other than the last one's. Enough for a score by hand. */
struct seen {
    int64_t recent_us[8];
    int next;
    double sum;
    int n;
    char country[2];
};

struct scored {
    double score;
    int label;
};

static int by_score(const void *a, const void *b)
{
    const struct scored *x = a;
    const struct scored *y = b;
    return (x->score > y->score) - (x->score < y->score);
}

static double score_by_hand(struct seen *seen, const struct event *event)
{
    int recent = 0;
    for (int i = 0; i < 8; i++)
        recent += seen->recent_us[i] > event->time_us - 10 * US_PER_MIN;
    double amount = event->values[2].number;
    double mean = seen->n > 3 ? seen->sum / seen->n : 35;
    bool hop = seen->n > 0 && memcmp(seen->country, event->values[3].string.data, 2) != 0;
    bool web = slice_is(event->values[4].string, "web");
    seen->recent_us[seen->next++ % 8] = event->time_us;
    seen->sum += amount;
    seen->n++;
    memcpy(seen->country, event->values[3].string.data, 2);
    return recent + 1.5 * fabs(log(amount / mean)) + (amount > 300 ? 2 : 0) + 3 * hop + web;
}

static void makes_frauds_that_window_features_can_find(void **state)
{
    (void)state;
    enum { USERS = 2000, WARM = 40000, EVENTS = 120000 };
    struct judge judge;
    judge_open(&judge);
    struct producer *producer = make((struct producer_options){
        .seed = 11, .rate_per_s = 4, .n_users = USERS, .fraud_share = .015});
    struct seen *users = calloc(USERS, sizeof *users);
    struct scored *scored = calloc(EVENTS, sizeof *scored);
    for (int i = 0; i < WARM + EVENTS; i++) {
        struct producer_event made;
        producer_next(producer, &made);
        struct event *event = judge_event(&judge, &made);
        long user = strtol(event->values[1].string.data + 5, NULL, 10);
        assert_in_range(user, 0, USERS - 1);
        double score = score_by_hand(&users[user], event);
        if (i >= WARM)
            scored[i - WARM] = (struct scored){score, made.label};
    }
    qsort(scored, EVENTS, sizeof *scored, by_score);
    double ranks = 0; /* area under the ROC curve by the Mann-Whitney statistic */
    double positives = 0;
    for (int i = 0; i < EVENTS; i++)
        if (scored[i].label) {
            ranks += i - positives;
            positives++;
        }
    double auc = ranks / positives / (EVENTS - positives);
    if (!(auc > 0.9 && auc < 0.999))
        fail_msg("AUC of a simple score is %.4f", auc);
    free(users);
    free(scored);
    producer_destroy(producer);
    judge_close(&judge);
}

/* `produce` without --start began too late at night: its last events lay in the future. */
static void is_done_within_the_longest_time_at_any_hour(void **state)
{
    (void)state;
    static const int counts[] = {1, 300, 5000, 30000};
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
        int64_t longest_us = producer_longest_us(counts[c], .4), latest_us = 0;
        for (int hour = 0; hour < 24; hour++) {
            struct producer_options options = {.seed = (uint64_t)hour,
                                               .start_us = START + hour * US_PER_HOUR,
                                               .rate_per_s = .4,
                                               .fraud_share = .01,
                                               .bad_share = .003};
            struct producer *producer;
            struct producer_event event;
            assert_int_equal(producer_create(&options, &producer, NULL), STATUS_OK);
            for (int i = 0; i < counts[c]; i++)
                producer_next(producer, &event);
            if (event.time_us - options.start_us > latest_us)
                latest_us = event.time_us - options.start_us;
            producer_destroy(producer);
        }
        assert_true(latest_us <= longest_us);
        if (counts[c] >= 5000) /* and no bound without use */
            assert_true((double)latest_us > .8 * (double)longest_us);
    }
}

static void refuses_options_out_of_range(void **state)
{
    (void)state;
    static const struct producer_options wrong[] = {
        {.rate_per_s = 0},
        {.rate_per_s = (double)NAN},
        {.rate_per_s = 1, .fraud_share = 0.6},
        {.rate_per_s = 1, .bad_share = 1.1},
        {.rate_per_s = 1, .bad_share = -0.1},
        {.rate_per_s = 1, .n_users = -1},
        {.rate_per_s = 1, .n_users = 20000000},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct producer *producer;
        assert_int_equal(producer_create(&wrong[i], &producer, NULL), STATUS_INVALID);
        assert_null(producer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_the_same_events_for_the_same_seed),
        cmocka_unit_test(makes_events_that_the_contract_judges_as_they_say),
        cmocka_unit_test(keeps_to_rate_and_share_over_a_day),
        cmocka_unit_test(comes_at_the_same_rate_at_any_hour_when_steady),
        cmocka_unit_test(keeps_to_the_share_from_the_first_second),
        cmocka_unit_test(puts_the_event_time_into_the_ulid),
        cmocka_unit_test(makes_frauds_that_window_features_can_find),
        cmocka_unit_test(is_done_within_the_longest_time_at_any_hour),
        cmocka_unit_test(refuses_options_out_of_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
