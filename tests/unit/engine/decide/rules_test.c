/* Rules and lists: which rule decides, what is null, when entries expire, where errors point. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "engine/base/clock.h"
#include "engine/decide/rules.h"

static const struct field fields[] = {
    {"event_id", FIELD_STRING, true, false, false},    {"user_id", FIELD_STRING, true, false, true},
    {"amount", FIELD_FLOAT, true, false, false},       {"country", FIELD_STRING, true, true, false},
    {"event_ts", FIELD_TIMESTAMP, true, false, false},
};
static const struct schema schema = {"t", "1", fields, sizeof fields / sizeof fields[0],
                                     0,   4,   -1,     1};
/* "amount" is also a field: in rules the field is meant. */
static const char *const names[] = {"amount", "tx_per_day", "Mean amount (7d)", "night"};
static const struct feature_schema features = {names, 4};

static const char good[] = "lists:\n"
                           "  - name: blocked\n"
                           "    entries:\n"
                           "      - user-1\n"
                           "      - {value: user-2, until: '2026-01-02T00:00:00Z', note: stolen}\n"
                           "  - name: friends\n"
                           "    entries: [user-3]\n"
                           "rules:\n"
                           "  - name: blocked-user\n"
                           "    when: in_list('blocked', user_id)\n"
                           "    decision: decline\n"
                           "    code: R-BLOCKED\n"
                           "  - name: friend\n"
                           "    when: in_list('friends', user_id) and margin < 100\n"
                           "    decision: approve\n"
                           "  - name: high-score\n"
                           "    when: score > 0.9\n"
                           "    decision: decline\n"
                           "  - name: large-abroad\n"
                           "    when: amount > 3000 and country != 'US'\n"
                           "    decision: review\n"
                           "    code: R-ABROAD\n"
                           "  - name: busy-night\n"
                           "    when: tx_per_day > 10 and night == 1\n"
                           "    decision: review\n"
                           "default: approve\n"
                           "reasons: {tx_per_day: R-VELOCITY}\n";

static struct rules *load(const char *text)
{
    struct rules *rules = NULL;
    struct error error = {0};
    if (rules_load_text("r.yaml", slice_of(text), &schema, &features, &rules, &error))
        fail_msg("%s", error.message);
    return rules;
}

struct input {
    const char *user;
    double amount;
    const char *country; /* NULL: null */
    float tx_per_day, night, score;
    const char *now;
};

static struct verdict decide(const struct rules *rules, struct input input)
{
    struct rules_scratch *scratch = NULL;
    int64_t now_us = 0;
    assert_int_equal(rules_scratch_create(&scratch, NULL), STATUS_OK);
    assert_true(time_parse(slice_of(input.now ? input.now : "2026-01-01T00:00:00Z"), &now_us));
    struct value values[] = {
        value_string(slice_of("e1")),
        value_string(slice_of(input.user ? input.user : "user-9")),
        value_number(input.amount),
        input.country ? value_string(slice_of(input.country)) : value_null(),
        value_time(now_us),
    };
    const struct event event = {.schema = &schema, .values = values};
    float row[] = {0.5f, input.tx_per_day, 1.0f, input.night};
    const struct feature_vector vector = {&features, row};
    struct verdict verdict = {0};
    rules_decide(rules, scratch, &event, &vector, input.score, 0.0f, now_us, &verdict);
    rules_scratch_destroy(scratch);
    return verdict;
}

static void assert_verdict(struct verdict verdict, enum decision decision, const char *rule,
                           const char *code)
{
    assert_string_equal(verdict.rule, rule);
    assert_int_equal(verdict.decision, decision);
    if (code)
        assert_string_equal(verdict.code, code);
    else
        assert_null(verdict.code);
}

static void the_first_rule_that_holds_decides(void **state)
{
    (void)state;
    struct rules *rules = load(good);
    assert_int_equal(rules_count(rules), 5);
    struct input all = {"user-1", 4000, "DE", 20, 1, 0.99f, NULL};
    assert_verdict(decide(rules, all), DECISION_DECLINE, "blocked-user", "R-BLOCKED");
    all.user = "user-3";
    assert_verdict(decide(rules, all), DECISION_APPROVE, "friend", NULL);
    all.user = "user-4";
    assert_verdict(decide(rules, all), DECISION_DECLINE, "high-score", NULL);
    all.score = 0.5f;
    assert_verdict(decide(rules, all), DECISION_REVIEW, "large-abroad", "R-ABROAD");
    all.country = "US";
    assert_verdict(decide(rules, all), DECISION_REVIEW, "busy-night", NULL);
    all.night = 0;
    assert_verdict(decide(rules, all), DECISION_APPROVE, "default", NULL);
    rules_release(rules);
}

static void what_is_missing_does_not_fire(void **state)
{
    (void)state;
    struct rules *rules = load(good);
    assert_verdict(decide(rules, (struct input){.amount = 4000, .country = NULL}), DECISION_APPROVE,
                   "default", NULL);
    assert_verdict(decide(rules, (struct input){.country = "US", .tx_per_day = 20, .night = NAN}),
                   DECISION_APPROVE, "default", NULL);
    assert_verdict(decide(rules, (struct input){.country = "US", .score = NAN}), DECISION_APPROVE,
                   "default", NULL);
    rules_release(rules);
}

static void list_entries_expire_at_the_given_time(void **state)
{
    (void)state;
    struct rules *rules = load(good);
    struct input input = {.user = "user-2", .country = "US"};
    input.now = "2026-01-01T23:59:59.999999Z";
    assert_verdict(decide(rules, input), DECISION_DECLINE, "blocked-user", "R-BLOCKED");
    input.now = "2026-01-02T00:00:00Z";
    assert_verdict(decide(rules, input), DECISION_APPROVE, "default", NULL);
    rules_release(rules);
}

static void a_field_hides_a_feature_of_its_name(void **state)
{
    (void)state;
    struct rules *rules = load("rules:\n  - {name: a, when: amount == 7, decision: review}\n");
    assert_verdict(decide(rules, (struct input){.amount = 7}), DECISION_REVIEW, "a", NULL);
    assert_verdict(decide(rules, (struct input){.amount = 0.5}), DECISION_APPROVE, "default", NULL);
    rules_release(rules);
}

static void no_rules_give_the_default(void **state)
{
    (void)state;
    struct rules *rules = load("rules: []\n");
    assert_int_equal(rules_count(rules), 0);
    assert_verdict(decide(rules, (struct input){0}), DECISION_APPROVE, "default", NULL);
    rules_release(rules);
    rules = load("default: review\nrules: []\n");
    assert_verdict(decide(rules, (struct input){0}), DECISION_REVIEW, "default", NULL);
    assert_ptr_equal(rules_acquire(rules), rules);
    rules_release(rules);
    assert_int_equal(rules_count(rules), 0);
    rules_release(rules);
}

static void finds_every_entry_of_a_long_list(void **state)
{
    (void)state;
    static char text[64 * 1024];
    size_t used = (size_t)snprintf(text, sizeof text, "lists:\n  - name: l\n    entries:\n");
    for (int i = 0; i < 2000; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "      - user-%d\n", i * 7);
    snprintf(text + used, sizeof text - used,
             "rules:\n  - {name: a, when: \"in_list('l', user_id)\", decision: decline}\n");
    struct rules *rules = load(text);
    for (int i = 0; i < 14000; i++) {
        char user[32];
        snprintf(user, sizeof user, "user-%d", i);
        struct verdict verdict = decide(rules, (struct input){.user = user});
        assert_int_equal(verdict.decision, i % 7 ? DECISION_APPROVE : DECISION_DECLINE);
    }
    rules_release(rules);
}

static void errors_say_where(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"", "r.yaml: there is no `rules:`; if no rule is meant, write `rules: []`"},
        {"default: review\n", "r.yaml: there is no `rules:`"},
        {"rulez: []\n", "r.yaml:1:1: unknown key \"rulez\"; did you mean \"rules\"?"},
        {"default: aprove\n", "r.yaml:1:10: \"aprove\" is not approve, review or decline; did you "
                              "mean \"approve\"?"},
        {"rules:\n  - {name: a, when: scor > 1, decision: review}\n",
         "r.yaml:2:21: in the condition, at 1:1: unknown name \"scor\"; did you mean \"score\"?"},
        {"rules:\n  - {name: a, when: amount, decision: review}\n",
         "r.yaml:2:21: in the condition, at 1:1: "},
        {"lists: [{name: blocked}]\nrules:\n"
         "  - {name: a, when: \"in_list('blokced', user_id)\", decision: review}\n",
         "r.yaml:3:21: in the condition, at 1:9: there is no list \"blokced\"; did you mean "
         "\"blocked\"?"},
        {"rules:\n  - {name: a, when: score > 1, decision: review}\n"
         "  - {name: a, when: score > 2, decision: review}\n",
         "r.yaml:3:12: another rule is called \"a\""},
        {"rules:\n  - {name: default, when: score > 1, decision: review}\n",
         "r.yaml:2:12: another rule is called \"default\""},
        {"rules:\n  - {name: a, decision: review}\n", "r.yaml:2:5: "},
        {"reasons: {nigth: R-N}\n",
         "r.yaml:1:11: there is no feature \"nigth\"; did you mean \"night\"?"},
        {"lists: [{name: a, entries: [x, y, x]}]\n", "r.yaml:1:35: \"x\" is in the list twice"},
        {"lists: [{name: a, entries: [{value: x, until: tomorrow}]}]\n",
         "r.yaml:1:47: \"tomorrow\" is not a time; write 2026-01-31T00:00:00Z"},
        {"lists: [{name: a}, {name: a}]\n", "r.yaml:1:27: there are two lists \"a\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rules *rules = NULL;
        struct error error = {0};
        enum status status =
            rules_load_text("r.yaml", slice_of(cases[i].text), &schema, &features, &rules, &error);
        assert_int_equal(status, STATUS_INVALID);
        if (strncmp(error.message, cases[i].message, strlen(cases[i].message)) != 0)
            fail_msg("case %zu: %s", i, error.message);
    }
}

static void reason_codes_come_from_the_file_or_the_name(void **state)
{
    (void)state;
    struct rules *rules = load(good);
    float values[] = {1, 2, 3, 4};
    const struct feature_vector vector = {&features, values};
    const float falling[] = {3, 2, 1, 0, 0};
    struct reason reasons[3];
    assert_int_equal(reasons_rank(rules, &vector, falling, 3, 3, reasons), 3);
    assert_string_equal(reasons[0].code, "R-AMOUNT");
    assert_string_equal(reasons[1].code, "R-VELOCITY");
    assert_string_equal(reasons[2].code, "R-MEAN-AMOUNT--7D-");
    rules_release(rules);
}

static void ranks_reasons_by_absolute_contribution(void **state)
{
    (void)state;
    struct rules *rules = load(good);
    float values[] = {1, 2, NAN, 4};
    const struct feature_vector vector = {&features, values};
    struct reason reasons[5];
    const float contribs[] = {0.5f, -2.0f, 0.5f, 0.0f, 99.0f};
    assert_int_equal(reasons_rank(rules, &vector, contribs, 3, 5, reasons), 3);
    assert_int_equal(reasons[0].feature, 1);
    assert_true(reasons[0].contribution == -2.0f && reasons[0].value == 2);
    assert_string_equal(reasons[0].code, "R-VELOCITY");
    assert_int_equal(reasons[1].feature, 0); /* a tie: the view's order */
    assert_int_equal(reasons[2].feature, 2);
    assert_true(isnan(reasons[2].value));
    assert_int_equal(reasons_rank(rules, &vector, contribs, 2, 5, reasons), 2);
    assert_int_equal(reasons[1].feature, 0);
    assert_int_equal(reasons_rank(rules, &vector, contribs, 0, 5, reasons), 0);
    const float rising[] = {1, 2, 3, 4, 0};
    assert_int_equal(reasons_rank(rules, &vector, rising, 3, 5, reasons), 3);
    assert_int_equal(reasons[0].feature, 3);
    assert_int_equal(reasons[2].feature, 1);
    rules_release(rules);
}

static void all_features_are_told_where_all_are_asked_for(void **state)
{
    (void)state;
    struct rules *rules = load(good);
    float values[] = {1, 2, 3, 4};
    const struct feature_vector vector = {&features, values};
    struct reason reasons[5];
    const float contribs[] = {0.0f, -2.0f, 0.5f, 0.0f, 99.0f};
    assert_int_equal(reasons_rank(rules, &vector, contribs, -1, 5, reasons), 4);
    assert_int_equal(reasons[0].feature, 1);
    assert_int_equal(reasons[1].feature, 2);
    assert_int_equal(reasons[2].feature, 0);
    assert_int_equal(reasons[3].feature, 3);
    assert_true(reasons[3].contribution == 0 && reasons[3].value == 4);
    assert_int_equal(reasons_rank(rules, &vector, contribs, -1, 3, reasons), 3);
    assert_int_equal(reasons[2].feature, 0); /* what there is no room for is the least */
    const float unknown[] = {NAN, NAN, NAN, NAN, NAN};
    assert_int_equal(reasons_rank(rules, &vector, unknown, -1, 5, reasons), 0);
    rules_release(rules);
}

/* A number as large as the view is no word for all: the same number means the same of any view. */
static void no_number_makes_a_reason_of_a_contribution_of_zero(void **state)
{
    (void)state;
    struct rules *rules = load(good);
    float values[] = {1, 2, 3, 4};
    const struct feature_vector vector = {&features, values};
    struct reason reasons[9];
    const float contribs[] = {0.0f, -2.0f, 0.5f, 0.0f, 99.0f};
    for (int top = 2; top <= 9; top++)
        assert_int_equal(reasons_rank(rules, &vector, contribs, top, 9, reasons), 2);
    assert_int_equal(reasons_rank(rules, &vector, contribs, 9, 1, reasons), 1);
    assert_int_equal(reasons[0].feature, 1);
    rules_release(rules);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_rule_that_holds_decides),
        cmocka_unit_test(what_is_missing_does_not_fire),
        cmocka_unit_test(list_entries_expire_at_the_given_time),
        cmocka_unit_test(a_field_hides_a_feature_of_its_name),
        cmocka_unit_test(no_rules_give_the_default),
        cmocka_unit_test(finds_every_entry_of_a_long_list),
        cmocka_unit_test(errors_say_where),
        cmocka_unit_test(reason_codes_come_from_the_file_or_the_name),
        cmocka_unit_test(ranks_reasons_by_absolute_contribution),
        cmocka_unit_test(all_features_are_told_where_all_are_asked_for),
        cmocka_unit_test(no_number_makes_a_reason_of_a_contribution_of_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
