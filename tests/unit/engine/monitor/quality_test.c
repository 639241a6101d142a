/* What is told of the data from counts that were put in, expectations over it, and nothing where
 * nothing was seen. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/monitor/expect.h"
#include "engine/monitor/quality.h"

#define START_US INT64_C(1700000000000000)

static const char *const countries[] = {"US", "CA"};
static const struct field fields[] = {
    {.name = "id", .type = FIELD_STRING},
    {.name = "amount", .type = FIELD_FLOAT},
    {.name = "country", .type = FIELD_STRING},
};
static const struct schema schema = {.name = "t",
                                     .version = "1",
                                     .fields = fields,
                                     .n_fields = 3,
                                     .id = 0,
                                     .time = -1,
                                     .label = -1,
                                     .entity = 0};

static struct slices *make(void)
{
    static const struct slice_field shapes[] = {{NULL, 0}, {NULL, 0}, {countries, 2}};
    struct slices *slices = slices_create(&(struct slices_options){&schema, shapes});
    assert_non_null(slices);
    return slices;
}

/* One event a tenth of a second; of those with `null` every fourth has no country. */
static void feed(struct slices *slices, int from_s, int to_s, bool null)
{
    for (int i = from_s * 10; i < to_s * 10; i++) {
        char id[16];
        snprintf(id, sizeof id, "id-%d", i);
        struct value values[3] = {
            {.type = VALUE_STRING, .string = slice_of(id)},
            value_number(1 + i % 50),
            {.type = VALUE_STRING, .string = slice_of(countries[i % 5 == 0])},
        };
        int64_t at_us = START_US + i * INT64_C(100000);
        struct event event = {.schema = &schema, .values = values, .time_us = at_us};
        if (null && i % 4 == 0) {
            values[2] = value_null();
            event.violations[0] = (struct violation){VIOLATION_NULL, 2, NULL};
            event.n_violations = 1;
            slices_quarantine(slices, &event, at_us);
            continue;
        }
        struct outcome outcome = {
            .event = &event, .rule = "default", .decided_at_us = at_us, .latency_us = 10};
        const struct outcome *outcomes[] = {&outcome};
        slices_outcomes(slices, outcomes, 1);
    }
}

struct look {
    struct slices_view view;
    struct span_sums sums;
    struct quality_window window;
};

static struct look look_at(struct slices *slices, int now_s)
{
    struct look look;
    assert_true(slices_view(slices, START_US + now_s * INT64_C(1000000), &look.view));
    return look;
}

static void sum(struct look *look)
{
    assert_true(span_sums_make(&look->view, NULL, 0, &look->sums));
    look->window = quality_window(&look->view, QUALITY_CELLS);
}

static void end(struct look *look, struct slices *slices)
{
    span_sums_free(&look->sums);
    slices_view_free(&look->view);
    slices_destroy(slices);
}

static void tells_what_each_field_holds(void **state)
{
    (void)state;
    struct slices *slices = make();
    feed(slices, 0, 600, false);
    struct look look = look_at(slices, 599);
    sum(&look);
    struct field_quality country, amount, id;
    quality_of_field(&look.sums, &look.window, 2, &country);
    quality_of_field(&look.sums, &look.window, 1, &amount);
    quality_of_field(&look.sums, &look.window, 0, &id);
    assert_int_equal(country.state, HEALTH_OK);
    assert_true(country.missing == 0 && country.invalid == 0 && isnan(country.distinct));
    assert_true(amount.low == 1 && amount.high == 50);
    assert_true(fabs(id.distinct / (double)id.n - 1) < 0.26);
    assert_true(country.distance < 0.03);
    end(&look, slices);
}

static void notices_a_field_that_is_missing(void **state)
{
    (void)state;
    struct slices *slices = make();
    feed(slices, 0, 300, false);
    feed(slices, 300, 600, true);
    struct look look = look_at(slices, 599);
    sum(&look);
    struct field_quality country;
    quality_of_field(&look.sums, &look.window, 2, &country);
    assert_int_equal(country.state, HEALTH_PAGE);
    assert_true(fabs(country.missing - 0.25) < 0.01 && country.usual_missing < 0.01);
    assert_true(country.reasons[VIOLATION_NULL] > 700);
    assert_non_null(strstr(country.why, "missing"));
    end(&look, slices);
}

static void tells_nothing_of_what_nobody_saw(void **state)
{
    (void)state;
    struct slices *slices = make();
    slices_count(slices, SLICED_ERRORS, START_US);
    struct look look = look_at(slices, 3);
    sum(&look);
    struct field_quality amount;
    struct span_quality span;
    quality_of_field(&look.sums, &look.window, 1, &amount);
    quality_of_span(&look.sums, &look.window, &span);
    assert_int_equal(amount.state, HEALTH_NODATA);
    assert_int_equal(span.state, HEALTH_NODATA);
    assert_true(isnan(amount.missing) && isnan(amount.low) && isnan(amount.distance));
    assert_true(isnan(span.age_p95_s) && isnan(span.feature_lag_s) && isnan(span.duplicate_ratio));
    end(&look, slices);
}

/* ---- expectations ---- */

/* Names and checks are the document's. */
static struct expectations *read(const char *text, struct yaml **yaml, struct error *error)
{
    struct expectations *expectations = NULL;
    assert_int_equal(yaml_load_text("test", slice_of(text), yaml, error), STATUS_OK);
    enum status status =
        expectations_read(yaml_root(*yaml), &schema, NULL, 0, &expectations, error);
    assert_true((status == STATUS_OK) == (expectations != NULL));
    return expectations;
}

static void judges_expectations_over_their_windows(void **state)
{
    static const struct {
        const char *text;
        int wanted;
    } rows[] = {
        {"[{name: a, check: \"null_share('country') < 0.01\", over: 15m}]", EXPECTATION_FAILED},
        {"[{name: a, check: \"null_share('country') < 0.01\", over: 10s}]", EXPECTATION_FAILED},
        {"[{name: a, check: \"null_share('country') < 0.2\", over: 15m}]", EXPECTATION_OK},
        {"[{name: a, check: \"greatest('amount') <= 50 and least('amount') >= 1\"}]",
         EXPECTATION_OK},
        {"[{name: a, check: \"word_share('country', 'US') > 0.5\"}]", EXPECTATION_OK},
        {"[{name: a, check: \"distinct('id') > 1000\"}]", EXPECTATION_OK},
        {"[{name: a, check: \"distinct('amount') > 1\"}]", EXPECTATION_NODATA},
        {"[{name: a, check: \"duplicate_share() == 0 and events() > 100\"}]", EXPECTATION_OK},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error error;
        struct yaml *yaml;
        struct slices *slices = make();
        feed(slices, 0, 300, false);
        feed(slices, 300, 600, true);
        struct look look = look_at(slices, 599);
        sum(&look);
        struct expectations *expectations = read(rows[i].text, &yaml, &error);
        assert_non_null(expectations);
        struct expectation_state seen;
        expectation_judge(expectations, 0, &look.sums, &seen);
        assert_int_equal(seen.state, rows[i].wanted);
        expectations_destroy(expectations);
        yaml_destroy(yaml);
        end(&look, slices);
    }
}

static void takes_checks_of_a_contract_beside_its_own(void **state)
{
    struct expectation_rule rule = {.name = "b", .check = "events() > 1", .over_us = 60000000};
    struct expectations *expectations;
    struct error error;
    struct yaml *yaml;
    (void)state;
    assert_int_equal(
        yaml_load_text("test", slice_of("[{name: a, check: events() > 1}]"), &yaml, &error),
        STATUS_OK);
    const struct yaml_node *root = yaml_root(yaml);
    rule.node = yaml_item(root, 0);
    assert_int_equal(expectations_read(root, &schema, &rule, 1, &expectations, &error), STATUS_OK);
    assert_int_equal(expectations_count(expectations), 2);
    expectations_destroy(expectations);
    rule.name = "a";
    assert_int_equal(expectations_read(root, &schema, &rule, 1, &expectations, &error),
                     STATUS_INVALID);
    rule.name = "b";
    rule.over_us = INT64_C(3600000000);
    assert_int_equal(expectations_read(NULL, &schema, &rule, 1, &expectations, &error),
                     STATUS_INVALID);
    assert_non_null(strstr(error.message, "15m"));
    yaml_destroy(yaml);
}

static void has_no_data_while_half_the_window_is_not_known(void **state)
{
    (void)state;
    struct error error;
    struct yaml *yaml;
    struct slices *slices = make();
    feed(slices, 0, 60, false);
    struct look look = look_at(slices, 59);
    sum(&look);
    struct expectations *expectations =
        read("[{name: a, check: \"null_share('country') < 0.01\", over: 15m}]", &yaml, &error);
    struct expectation_state seen;
    expectation_judge(expectations, 0, &look.sums, &seen);
    assert_int_equal(seen.state, EXPECTATION_NODATA);
    assert_string_equal(expectation_state_name(&seen), "nodata");
    expectations_destroy(expectations);
    yaml_destroy(yaml);
    end(&look, slices);
}

static void refuses_checks_that_mean_nothing(void **state)
{
    static const struct {
        const char *text, *says;
    } rows[] = {
        {"[{name: a, check: \"null_share('cuontry') < 1\"}]", "no field"},
        {"[{name: a, check: \"events()\"}]", "check"},
        {"[{name: a}]", "check"},
        {"[{name: a, check: \"events() > 1\", over: 1h}]", "over"},
        {"{name: a}", "list"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error error;
        struct yaml *yaml;
        assert_null(read(rows[i].text, &yaml, &error));
        assert_non_null(strstr(error.message, rows[i].says));
        yaml_destroy(yaml);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_what_each_field_holds),
        cmocka_unit_test(notices_a_field_that_is_missing),
        cmocka_unit_test(tells_nothing_of_what_nobody_saw),
        cmocka_unit_test(judges_expectations_over_their_windows),
        cmocka_unit_test(takes_checks_of_a_contract_beside_its_own),
        cmocka_unit_test(has_no_data_while_half_the_window_is_not_known),
        cmocka_unit_test(refuses_checks_that_mean_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
