/* The life of every built-in alert: it does not fire while all is well, fires when what it is about
 * happens, resolves when that is over, and the next time is an incident of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "alerts/rule.h"
#include "engine/base/clock.h"

static const struct alert_objective slos[] = {{"latency", true}};
static const char *const columns[] = {"score"};

struct bench {
    struct vocabulary *vocabulary;
    struct rules_set *set;
    struct snapshot *snapshot;
    struct value *slots;
    int64_t now_us;
};

static int set_up(void **state)
{
    struct bench *bench = calloc(1, sizeof *bench);
    struct error error;
    size_t n;
    *state = bench;
    if (!bench || vocabulary_create(slos, 1, columns, 1, &bench->vocabulary, &error) != STATUS_OK ||
        rules_set_read(NULL, slos, 1, bench->vocabulary, &bench->set, &error) != STATUS_OK)
        return -1;
    vocabulary_symbols(bench->vocabulary, &n);
    bench->slots = calloc(n, sizeof *bench->slots);
    bench->snapshot = snapshot_create();
    bench->now_us = US_PER_DAY;
    return bench->slots && bench->snapshot ? 0 : -1;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;
    free(bench->slots);
    snapshot_release(bench->snapshot);
    rules_set_destroy(bench->set);
    vocabulary_destroy(bench->vocabulary);
    free(bench);
    return 0;
}

static void burn(struct slo_status *slo, double rate, uint64_t bad)
{
    for (int i = 0; i < BURN_WINDOWS; i++) {
        slo->burn[i] = rate;
        slo->bad[i] = bad;
        slo->counted[i] = 1000;
    }
}

/* As the engine fills it when nothing is the matter. */
static void all_well(struct snapshot *snapshot)
{
    static const double rates[SLO_PAIRS] = {14.4, 6, 3, 1};
    snapshot->n_slos = snapshot->n_drift = 1;
    snapshot->slos[0] = (struct slo_status){.name = "latency", .min_bad = 10, .min_counted = 50};
    burn(&snapshot->slos[0], 0, 0);
    for (int i = 0; i < SLO_PAIRS; i++)
        snapshot->slos[0].pairs[i].rate = rates[i];
    snapshot->drift[0] = (struct drift_status){
        .feature = "score", .state = HEALTH_OK, .psi = 0.01, .threshold = 0.2, .n = 5000};
    snapshot->record = (struct record_status){.used = true, .wait_us = 900};
    snapshot->clock = (struct clock_status){.last_step_s = (double)NAN};
    snapshot->quality = (struct quality_status){.used = true, .state = HEALTH_OK};
}

static void burns_fast(struct snapshot *snapshot)
{
    burn(&snapshot->slos[0], 20, 200);
}

static void burns_slowly(struct snapshot *snapshot)
{
    burn(&snapshot->slos[0], 4, 200);
}

static void score_drifts(struct snapshot *snapshot)
{
    snapshot->drift[0].psi = 0.4;
    snapshot->drift[0].state = HEALTH_TICKET;
}

static void is_not_written(struct snapshot *snapshot)
{
    snapshot->record = (struct record_status){.used = true,
                                              .state = RECORD_RETRYING,
                                              .not_written_s = 3,
                                              .wait_us = (double)NAN,
                                              .problem = "the disk is full"};
}

static void disk_is_slow(struct snapshot *snapshot)
{
    snapshot->record.wait_us = 2500000;
}

static void events_are_of_the_future(struct snapshot *snapshot)
{
    snapshot->clock.future_ratio = 0.9;
}

static void data_is_a_page(struct snapshot *snapshot)
{
    snapshot->quality.state = HEALTH_PAGE;
}

static void data_is_a_ticket(struct snapshot *snapshot)
{
    snapshot->quality.state = HEALTH_TICKET;
}

static const struct {
    const char *alert;
    void (*happens)(struct snapshot *snapshot);
} cases[] = {
    {"latency-burn", burns_fast},     {"latency-slow-burn", burns_slowly},
    {"score-drift", score_drifts},    {"ledger-not-written", is_not_written},
    {"ledger-slow", disk_is_slow},    {"clock-behind", events_are_of_the_future},
    {"data-quality", data_is_a_page}, {"data-quality-ticket", data_is_a_ticket},
};

#define CASES ((int)(sizeof cases / sizeof *cases))

static const struct rule *find(const struct bench *bench, const char *name)
{
    for (int i = 0; i < rules_set_count(bench->set); i++) {
        if (strcmp(rules_set_get(bench->set, i)->name, name) == 0)
            return rules_set_get(bench->set, i);
    }
    fail_msg("no rule %s", name);
    return NULL;
}

/* A snapshot a second until the alert changes, or for an hour. */
static enum transition live(struct bench *bench, const struct rule *rule, struct machine *machine)
{
    vocabulary_values(bench->vocabulary, bench->snapshot, bench->slots);
    for (int i = 0; i < 3600; i++) {
        double value;
        bench->now_us += US_PER_S;
        enum condition condition = rule_evaluate(rule, bench->slots, &value);
        enum transition transition = machine_step(&rule->times, machine, bench->now_us, condition);
        if (transition != TRANSITION_NONE)
            return transition;
    }
    return TRANSITION_NONE;
}

static void fires_and_resolves_each_time_that_it_happens(void **state)
{
    struct bench *bench = *state;
    for (int i = 0; i < CASES; i++) {
        const struct rule *rule = find(bench, cases[i].alert);
        struct machine machine = {.phase = PHASE_INACTIVE};
        int64_t fired_us = 0;
        all_well(bench->snapshot);
        if (live(bench, rule, &machine) != TRANSITION_NONE)
            fail_msg("%s: changes while all is well", rule->name);
        for (int time = 0; time < 2; time++) {
            cases[i].happens(bench->snapshot);
            if (live(bench, rule, &machine) != TRANSITION_FIRING || machine.fired_us <= fired_us)
                fail_msg("%s: does not fire (time %d)", rule->name, time);
            fired_us = machine.fired_us;
            all_well(bench->snapshot);
            if (live(bench, rule, &machine) != TRANSITION_RESOLVED)
                fail_msg("%s: does not resolve (time %d)", rule->name, time);
        }
    }
}

static void each_built_in_rule_is_among_them(void **state)
{
    const struct bench *bench = *state;
    assert_int_equal(rules_set_count(bench->set), CASES);
    for (int i = 0; i < CASES; i++)
        assert_non_null(find(bench, cases[i].alert));
}

/* Numbers that are there only while something is the matter would never say that it is over. */
static void what_says_that_all_is_well_is_not_no_data(void **state)
{
    struct bench *bench = *state;
    size_t n;
    all_well(bench->snapshot);
    bench->snapshot->n_arms = 0; /* no arm of the traffic is there */
    vocabulary_values(bench->vocabulary, bench->snapshot, bench->slots);
    const struct expr_symbol *symbols = vocabulary_symbols(bench->vocabulary, &n);
    for (size_t i = 0; i < n; i++) {
        bool latency = strstr(symbols[i].name, ".p99_us") != NULL; /* of nothing: not known */
        if (!latency && bench->slots[symbols[i].slot].type == VALUE_NULL)
            fail_msg("%s: no data while all is well", symbols[i].name);
    }
}

/* Events that stop say nothing of whether they would be sound. */
static void nothing_is_over_because_there_is_no_data(void **state)
{
    static const char *const judged[] = {"data-quality", "data-quality-ticket", "score-drift"};
    struct bench *bench = *state;
    for (int i = 0; i < 3; i++) {
        const struct rule *rule = find(bench, judged[i]);
        struct machine machine = {.phase = PHASE_INACTIVE};
        all_well(bench->snapshot);
        data_is_a_page(bench->snapshot);
        score_drifts(bench->snapshot);
        assert_int_equal(live(bench, rule, &machine), TRANSITION_FIRING);
        bench->snapshot->quality.state = bench->snapshot->drift[0].state = HEALTH_NODATA;
        assert_int_equal(live(bench, rule, &machine), TRANSITION_NONE);
        bench->snapshot->drift[0].psi = (double)NAN;
        assert_int_equal(live(bench, rule, &machine), TRANSITION_NONE);
        assert_int_equal(machine.phase, PHASE_FIRING);
    }
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(fires_and_resolves_each_time_that_it_happens),
        TEST(each_built_in_rule_is_among_them),
        TEST(nothing_is_over_because_there_is_no_data),
        TEST(what_says_that_all_is_well_is_not_no_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
