/* Rules: the built-in ones, what replaces them, what their conditions say of a snapshot, and
 * mistakes told with their place. */
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

static const struct alert_objective slos[] = {{"latency", true}, {"newness", false}};
static const char *const columns[] = {"score", "amount"};

struct bench {
    struct vocabulary *vocabulary;
    struct yaml *yaml;
    struct rules_set *set;
    struct error error;
};

static enum status read_text(struct bench *bench, const char *text)
{
    const struct yaml_node *root = NULL;
    *bench = (struct bench){0};
    assert_int_equal(vocabulary_create(slos, 2, columns, 2, &bench->vocabulary, &bench->error),
                     STATUS_OK);
    if (text) {
        if (yaml_load_text("a.yaml", slice_of(text), &bench->yaml, &bench->error) != STATUS_OK)
            fail_msg("%s", bench->error.message);
        root = yaml_root(bench->yaml);
    }
    return rules_set_read(root, slos, 2, bench->vocabulary, &bench->set, &bench->error);
}

static void done(struct bench *bench)
{
    rules_set_destroy(bench->set);
    yaml_destroy(bench->yaml);
    vocabulary_destroy(bench->vocabulary);
}

static const struct rule *find(const struct bench *bench, const char *name)
{
    for (int i = 0; i < rules_set_count(bench->set); i++) {
        if (strcmp(rules_set_get(bench->set, i)->name, name) == 0)
            return rules_set_get(bench->set, i);
    }
    return NULL;
}

static void each_objective_has_two_rules_the_score_and_the_ledger_one(void **state)
{
    (void)state;
    struct bench bench;
    assert_int_equal(read_text(&bench, NULL), STATUS_OK);
    assert_int_equal(rules_set_count(bench.set), 10);
    assert_true(find(&bench, "latency-burn")->page);
    assert_false(find(&bench, "latency-slow-burn")->page);
    const struct rule *drift = find(&bench, "score-drift");
    assert_false(drift->page);
    assert_int_equal(drift->times.for_us, 5 * US_PER_MIN);
    assert_true(find(&bench, "ledger-not-written")->page);
    assert_true(find(&bench, "newness-burn")->page);
    done(&bench);
}

static void a_rule_of_the_same_name_replaces_the_built_in_one(void **state)
{
    (void)state;
    struct bench bench;
    assert_int_equal(read_text(&bench, "- name: latency-burn\n"
                                       "  when: events_per_s < 1\n"
                                       "  for: 90s\n"
                                       "  severity: ticket\n"
                                       "  channels: [a, b]\n"
                                       "- {name: score-drift, enabled: false}\n"
                                       "- {name: mine, when: not ready}\n"),
                     STATUS_OK);
    assert_int_equal(rules_set_count(bench.set), 10);
    const struct rule *rule = find(&bench, "latency-burn");
    assert_false(rule->page);
    assert_int_equal(rule->times.for_us, 90 * US_PER_S);
    assert_int_equal(rule->times.resolve_us, 2 * US_PER_MIN);
    assert_int_equal(rule->n_channels, 2);
    assert_string_equal(rule->channels[1], "b");
    assert_null(find(&bench, "score-drift"));
    assert_int_equal(find(&bench, "mine")->n_channels, 0);
    done(&bench);
}

static enum condition evaluate(const struct bench *bench, const char *name,
                               const struct snapshot *snapshot, double *value)
{
    size_t n;
    vocabulary_symbols(bench->vocabulary, &n);
    struct value *slots = calloc(n, sizeof *slots);
    assert_non_null(slots);
    vocabulary_values(bench->vocabulary, snapshot, slots);
    enum condition condition = rule_evaluate(find(bench, name), slots, value);
    free(slots);
    return condition;
}

/* A snapshot in which the objective "latency" burns at this rate in every window. */
static void fill(struct snapshot *snapshot, double burn, uint64_t bad)
{
    memset(snapshot, 0, sizeof *snapshot);
    snapshot->events_per_s = (double)NAN;
    snapshot->n_slos = 1;
    snprintf(snapshot->slos[0].name, sizeof snapshot->slos[0].name, "latency");
    for (int i = 0; i < BURN_WINDOWS; i++) {
        snapshot->slos[0].burn[i] = burn;
        snapshot->slos[0].bad[i] = bad;
        snapshot->slos[0].counted[i] = 1000;
    }
    snapshot->slos[0].min_bad = 10;
    snapshot->slos[0].min_counted = 50;
    static const double rates[SLO_PAIRS] = {14.4, 6, 3, 1};
    for (int i = 0; i < SLO_PAIRS; i++)
        snapshot->slos[0].pairs[i].rate = rates[i];
}

static void the_built_in_page_needs_a_fast_burn_and_ten_bad_events(void **state)
{
    (void)state;
    static const struct {
        double burn;
        uint64_t bad;
        enum condition page, ticket;
    } cases[] = {
        {20, 50, CONDITION_TRUE, CONDITION_TRUE},
        {20, 9, CONDITION_FALSE, CONDITION_FALSE},
        {6.5, 50, CONDITION_TRUE, CONDITION_TRUE}, /* 6 h and 30 min burn above 6 */
        {6, 50, CONDITION_FALSE, CONDITION_TRUE},
        {1, 50, CONDITION_FALSE, CONDITION_FALSE},
        {(double)NAN, 0, CONDITION_UNKNOWN, CONDITION_UNKNOWN},
    };
    struct bench bench;
    struct snapshot *snapshot = snapshot_create();
    assert_non_null(snapshot);
    assert_int_equal(read_text(&bench, NULL), STATUS_OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double value;
        fill(snapshot, cases[i].burn, cases[i].bad);
        enum condition page = evaluate(&bench, "latency-burn", snapshot, &value);
        if (cases[i].page == CONDITION_UNKNOWN) /* without data it never says yes */
            assert_true(page != CONDITION_TRUE && isnan(value));
        else
            assert_int_equal(page, cases[i].page);
        if (!isnan(cases[i].burn))
            assert_float_equal(value, cases[i].burn, 0);
        enum condition ticket = evaluate(&bench, "latency-slow-burn", snapshot, &value);
        if (cases[i].ticket == CONDITION_UNKNOWN)
            assert_true(ticket != CONDITION_TRUE);
        else
            assert_int_equal(ticket, cases[i].ticket);
    }
    snapshot_release(snapshot);
    done(&bench);
}

static void data_that_is_not_sound_is_a_ticket_or_a_page_after_a_minute(void **state)
{
    (void)state;
    static const struct {
        enum health state;
        enum condition page, ticket;
    } cases[] = {{HEALTH_NODATA, CONDITION_UNKNOWN, CONDITION_UNKNOWN},
                 {HEALTH_OK, CONDITION_FALSE, CONDITION_FALSE},
                 {HEALTH_TICKET, CONDITION_FALSE, CONDITION_TRUE},
                 {HEALTH_PAGE, CONDITION_TRUE, CONDITION_TRUE}};
    struct bench bench;
    struct snapshot *snapshot = snapshot_create();
    assert_non_null(snapshot);
    assert_int_equal(read_text(&bench, NULL), STATUS_OK);
    assert_true(find(&bench, "data-quality")->page);
    assert_false(find(&bench, "data-quality-ticket")->page);
    assert_int_equal(find(&bench, "data-quality")->times.for_us, US_PER_MIN);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double value;
        fill(snapshot, 0, 0);
        snapshot->quality.used = true;
        snapshot->quality.state = cases[i].state;
        assert_int_equal(evaluate(&bench, "data-quality", snapshot, &value), cases[i].page);
        assert_int_equal(evaluate(&bench, "data-quality-ticket", snapshot, &value),
                         cases[i].ticket);
    }
    snapshot_release(snapshot);
    done(&bench);
}

static void the_value_is_the_one_asked_for_or_the_first_that_is_named(void **state)
{
    (void)state;
    struct bench bench;
    double value = 0;
    struct snapshot *snapshot = snapshot_create();
    assert_non_null(snapshot);
    assert_int_equal(read_text(&bench,
                               "- {name: first, when: queue.depth > 5 and events_total > 3}\n"
                               "- {name: asked, when: queue.depth > 5, value: events_total / 2}\n"
                               "- {name: none, when: not ready}\n"
                               "- {name: unknown, when: events_per_s < 1}\n"),
                     STATUS_OK);
    fill(snapshot, 0, 0);
    snapshot->queue_depth = 7;
    snapshot->events_total = 9;
    assert_int_equal(evaluate(&bench, "first", snapshot, &value), CONDITION_TRUE);
    assert_float_equal(value, 7, 0);
    assert_int_equal(evaluate(&bench, "asked", snapshot, &value), CONDITION_TRUE);
    assert_float_equal(value, 4.5, 0);
    assert_int_equal(evaluate(&bench, "none", snapshot, &value), CONDITION_TRUE);
    assert_true(isnan(value));
    assert_int_equal(evaluate(&bench, "unknown", snapshot, &value), CONDITION_UNKNOWN);
    assert_true(isnan(value)); /* no data is not zero */
    snapshot_release(snapshot);
    done(&bench);
}

static void tells_where_a_mistake_stands(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"name: a\n", "a.yaml:1:1: alerts is a list"},
        {"- {name: a, wen: ready}\n", "a.yaml:1:13: unknown key \"wen\"; did you mean \"when\"?"},
        {"- {when: ready}\n", "a.yaml:1:"},
        {"- {name: a}\n", "a.yaml:1:3: alert a has no `when`"},
        {"- {name: \"a b\", when: ready}\n", "a.yaml:1:10: an alert's name has letters"},
        {"- {name: a, when: ready}\n- {name: a, when: ready}\n",
         "a.yaml:2:10: there are two alerts named a"},
        {"- {name: a, when: slo.latency.burn_4h > 1}\n", "a.yaml:1:19: when: "},
        {"- {name: a, when: events_total}\n", "a.yaml:1:19: when: "},
        {"- {name: a, when: ready, severity: urgent}\n",
         "a.yaml:1:36: severity: \"urgent\" is neither page nor ticket"},
        {"- {name: a, when: ready, summary: \"{event_total}\"}\n",
         "a.yaml:1:35: summary: unknown name {event_total}; did you mean {events_total}?"},
        {"- {name: a, when: ready, value: ready}\n", "a.yaml:1:33: value: "},
        {"- {name: a, when: ready, for: soon}\n", "a.yaml:1:31: "},
        {"- {name: a, when: ready, for: 8d}\n", "a.yaml:1:31: "},
        {"- {name: a, when: ready, channels: []}\n", "a.yaml:1:36: channels is a list of 1 to 8"},
        {"- {name: a, when: ready, channels: pager}\n", "channels is a list of 1 to 8"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bench bench;
        if (read_text(&bench, cases[i].text) != STATUS_INVALID)
            fail_msg("case %zu was taken", i);
        if (!strstr(bench.error.message, cases[i].message))
            fail_msg("case %zu: \"%s\" has no \"%s\"", i, bench.error.message, cases[i].message);
        done(&bench);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_objective_has_two_rules_the_score_and_the_ledger_one),
        cmocka_unit_test(a_rule_of_the_same_name_replaces_the_built_in_one),
        cmocka_unit_test(the_built_in_page_needs_a_fast_burn_and_ten_bad_events),
        cmocka_unit_test(data_that_is_not_sound_is_a_ticket_or_a_page_after_a_minute),
        cmocka_unit_test(the_value_is_the_one_asked_for_or_the_first_that_is_named),
        cmocka_unit_test(tells_where_a_mistake_stands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
