/* The names of conditions: each stands for its number of the snapshot, null without data, and is in
 * the README. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "alerts/vocabulary.h"

static const struct alert_objective slos[] = {{"latency", true}, {"in-time", true}};
static const char *const columns[] = {"score", "amount", "9lives"};

static struct vocabulary *vocabulary;
static struct snapshot *snapshot;
static struct value *slots;
static size_t n_slots;

static int set_up(void **state)
{
    (void)state;
    struct error error;
    if (vocabulary_create(slos, 2, columns, 3, &vocabulary, &error) != STATUS_OK)
        return -1;
    vocabulary_symbols(vocabulary, &n_slots);
    slots = calloc(n_slots, sizeof *slots);
    snapshot = snapshot_create();
    return slots && snapshot ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    free(slots);
    snapshot_release(snapshot);
    vocabulary_destroy(vocabulary);
    return 0;
}

static const struct value *value_of(const char *name)
{
    int slot = vocabulary_find(vocabulary, name, NULL);
    if (slot < 0)
        fail_msg("no %s", name);
    vocabulary_values(vocabulary, snapshot, slots);
    return &slots[slot];
}

static void assert_number(const char *name, double expected)
{
    const struct value *value = value_of(name);
    assert_int_equal(value->type, VALUE_NUMBER);
    assert_float_equal(value->number, expected, 0);
}

static void every_kind_of_name_stands_for_its_number(void **state)
{
    (void)state;
    snapshot->events_per_s = 12.5;
    snapshot->decisions[DECISION_DECLINE] = 3;
    snapshot->ready = true;
    snapshot->outbox.dead = 2;
    snapshot->n_slos = 1;
    snapshot->slos[0] = (struct slo_status){.name = "latency", .state = HEALTH_PAGE, .n = 9};
    snapshot->slos[0].burn[BURN_6H] = 6.5;
    snapshot->slos[0].bad[BURN_3D] = 77;
    snapshot->slos[0].counted[BURN_1H] = 78;
    snapshot->n_drift = 2;
    snapshot->drift[0] = (struct drift_status){.feature = "amount", .psi = 0.5};
    snapshot->drift[1] = (struct drift_status){.feature = "score", .psi = 0.25};
    snapshot->n_arms = 1;
    snapshot->arms[0] = (struct arm_status){.variant = VARIANT_CANARY, .share_measured = 0.1};
    assert_number("events_per_s", 12.5);
    assert_number("decisions.decline", 3);
    assert_number("outbox.dead", 2);
    assert_number("slo.latency.burn_6h", 6.5);
    assert_number("slo.latency.bad_3d", 77);
    assert_number("slo.latency.n_1h", 78);
    assert_number("slo.latency.n", 9);
    assert_number("drift.score.psi", 0.25);
    assert_number("drift.amount.psi", 0.5);
    assert_number("traffic.canary.share_measured", 0.1);
    const struct value *value = value_of("ready");
    assert_true(value->type == VALUE_BOOL && value->boolean);
    value = value_of("slo.latency.state");
    assert_true(value->type == VALUE_STRING && slice_is(value->string, "page"));
}

static void what_is_not_known_is_null(void **state)
{
    (void)state;
    snapshot->events_per_s = (double)NAN;
    snapshot->n_slos = 1;
    snapshot->slos[0] = (struct slo_status){.name = "latency", .attainment = (double)NAN};
    snapshot->n_drift = 0;
    snapshot->n_arms = 0;
    assert_int_equal(value_of("events_per_s")->type, VALUE_NULL);
    assert_int_equal(value_of("slo.latency.attainment")->type, VALUE_NULL);
    assert_int_equal(value_of("drift.score.n")->type, VALUE_NULL);
    assert_int_equal(value_of("traffic.shadow.p99_us")->type, VALUE_NULL);
    snapshot->slos[0].attainment = (double)INFINITY;
    assert_int_equal(value_of("slo.latency.attainment")->type, VALUE_NULL);
}

static void names_that_no_expression_could_write_are_left_out(void **state)
{
    (void)state;
    assert_int_equal(vocabulary_find(vocabulary, "slo.in-time.n", NULL), -1);
    assert_int_equal(vocabulary_find(vocabulary, "drift.9lives.psi", NULL), -1);
}

static void a_mistyped_name_has_a_nearest_one(void **state)
{
    (void)state;
    const char *nearest = NULL;
    assert_int_equal(vocabulary_find(vocabulary, "slo.latency.burn_4h", &nearest), -1);
    assert_non_null(nearest);
    assert_memory_equal(nearest, "slo.latency.burn_", 17);
    assert_int_equal(vocabulary_find(vocabulary, "something else altogether", &nearest), -1);
    assert_null(nearest);
}

/* "slo.latency.n" as the README writes it: "`slo.OBJECTIVE.n`". */
static void readme_name(const char *name, char out[160])
{
    static const struct {
        const char *here, *there;
    } subjects[] = {
        {"slo.latency.", "slo.OBJECTIVE."},      {"drift.score.", "drift.COLUMN."},
        {"drift.amount.", "drift.COLUMN."},      {"traffic.champion.", "traffic.VARIANT."},
        {"traffic.canary.", "traffic.VARIANT."}, {"traffic.shadow.", "traffic.VARIANT."},
    };
    for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++) {
        size_t length = strlen(subjects[i].here);
        if (strncmp(name, subjects[i].here, length) == 0) {
            snprintf(out, 160, "| `%s%s` | ", subjects[i].there, name + length);
            return;
        }
    }
    snprintf(out, 160, "| `%s` | ", name);
}

static void every_name_is_in_the_readme_with_its_meaning(void **state)
{
    (void)state;
    static char text[65536];
    FILE *file = fopen("alerts/README.md", "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    const struct expr_symbol *symbols = vocabulary_symbols(vocabulary, &n_slots);
    for (size_t i = 0; i < n_slots; i++) {
        char row[160], whole[320];
        readme_name(symbols[i].name, row);
        snprintf(whole, sizeof whole, "%s%s |\n", row, symbols[i].help);
        if (!strstr(text, whole))
            fail_msg("alerts/README.md has no row: %s", whole);
    }
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(every_kind_of_name_stands_for_its_number),
        TEST(what_is_not_known_is_null),
        TEST(names_that_no_expression_could_write_are_left_out),
        TEST(a_mistyped_name_has_a_nearest_one),
        TEST(every_name_is_in_the_readme_with_its_meaning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
