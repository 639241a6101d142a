/* The expression language: what expressions are worth, run or recognised. */
#include "tests/unit/engine/expr/fixture.h"

static void knows_literals(void **state)
{
    (void)state;
    static const struct worth table[] = {{"1", "1"},
                                         {"1.5e3", "1500"},
                                         {".5", "0.5"},
                                         {"true", "true"},
                                         {"false", "false"},
                                         {"null", "null"},
                                         {"'a\"b'", "'a\"b'"},
                                         {"\"it's\"", "'it's'"},
                                         {"'it\\'s'", "'it's'"},
                                         {"'a\\\\b'", "'a\\b'"},
                                         {"'\\d+'", "'\\d+'"},
                                         {"''", "''"},
                                         {"5m", "300"},
                                         {"250ms", "0.25"},
                                         {"1.5h", "5400"},
                                         {"7d", "604800"},
                                         {"2w", "1209600"},
                                         {"90s", "90"},
                                         {"-5m", "-300"},
                                         {"amount", "3500.5"},
                                         {"country", "'GB'"},
                                         {"flag", "true"},
                                         {"nothing", "null"},
                                         {"event_ts", "@2018-08-08T10:00:00Z"},
                                         {"slo.latency.burn_1h", "15"},
                                         {"`odd name`", "-7"},
                                         {"`amount` + 1", "3501.5"},
                                         {"'\xc3\xa9'", "'\xc3\xa9'"}};
    ASSERT_ALL(table);
}

static void calculates_with_the_usual_precedence(void **state)
{
    (void)state;
    static const struct worth table[] = {{"1 + 2 * 3", "7"},
                                         {"(1 + 2) * 3", "9"},
                                         {"10 - 4 - 3", "3"},
                                         {"100 / 10 / 5", "2"},
                                         {"7 % 4", "3"},
                                         {"-7 % 4", "-3"},
                                         {"7 % -4", "3"},
                                         {"2 * -3", "-6"},
                                         {"- -3", "3"},
                                         {"-(2 + 3)", "-5"},
                                         {"-2 * 3", "-6"},
                                         {"1 - -1", "2"},
                                         {"1+2*3-4/2", "5"},
                                         {"1 + 1 == 2", "true"},
                                         {"1 < 2 and 2 < 3", "true"},
                                         {"not 1 == 2", "true"},
                                         {"not false and false", "false"},
                                         {"not (false and false)", "true"},
                                         {"true or false and false", "true"},
                                         {"(true or false) and false", "false"},
                                         {"false or true and not false", "true"},
                                         {"amount > 3000 and country != home_country", "true"},
                                         {"slo.latency.burn_1h > 14.4", "true"},
                                         {"not not true", "true"},
                                         {"1\n+\t2", "3"},
                                         {"2 + 3 in [5]", "true"},
                                         {"amount - 0.5 is null", "false"},
                                         {"1 == 2 or 3 == 3", "true"}};
    ASSERT_ALL(table);
}

static void compares_values_of_one_type(void **state)
{
    (void)state;
    static const struct worth table[] = {{"1 < 2", "true"},
                                         {"2 < 1", "false"},
                                         {"2 < 2", "false"},
                                         {"3 > 3", "false"},
                                         {"2 > 2", "false"},
                                         {"2 <= 2", "true"},
                                         {"2 > 2", "false"},
                                         {"2 >= 2", "true"},
                                         {"2 != 2", "false"},
                                         {"0.1 + 0.2 == 0.3", "false"},
                                         {"'a' < 'b'", "true"},
                                         {"'a' < 'ab'", "true"},
                                         {"'B' < 'a'", "true"},
                                         {"country == 'GB'", "true"},
                                         {"'GB' == country", "true"},
                                         {"true == flag", "true"},
                                         {"true != flag", "false"},
                                         {"event_ts == event_ts", "true"},
                                         {"event_ts > '2018-08-08'", "true"},
                                         {"'2018-08-09' > event_ts", "true"},
                                         {"event_ts == \"2018-08-08T12:00:00+02:00\"", "true"},
                                         {"event_ts < later", "true"},
                                         {"0 == -0", "true"}};
    ASSERT_ALL(table);
}

static void finds_members_of_lists(void **state)
{
    (void)state;
    static const struct worth table[] = {
        {"country in ['US', 'GB']", "true"}, {"country in ['US']", "false"},
        {"country not in ['US']", "true"},   {"amount in [1, 3500.5, -2]", "true"},
        {"-2 in [1, -2]", "true"},           {"60 in [1m]", "true"},
        {"flag in [true]", "true"},          {"event_ts in ['2018-08-08T10:00:00Z']", "true"},
        {"no_text in ['a']", "null"},        {"no_text not in ['a']", "null"},
        {"not country in ['US']", "true"}};
    ASSERT_ALL(table);
}

static void treats_null_as_sql_does(void **state)
{
    (void)state;
    static const struct worth table[] = {
        {"null and false", "false"},      {"false and null", "false"},
        {"null and true", "null"},        {"true and null", "null"},
        {"null and null", "null"},        {"null or true", "true"},
        {"true or null", "true"},         {"null or false", "null"},
        {"false or null", "null"},        {"not null", "null"},
        {"no_flag and false", "false"},   {"no_flag or true", "true"},
        {"nothing == 1", "null"},         {"nothing == nothing", "null"},
        {"nothing != 1", "null"},         {"nothing < 1", "null"},
        {"nothing + 1", "null"},          {"-nothing", "null"},
        {"nothing is null", "true"},      {"nothing is not null", "false"},
        {"amount is null", "false"},      {"amount is not null", "true"},
        {"null is null", "true"},         {"no_text == 'a'", "null"},
        {"nothing == 1 or true", "true"}, {"nothing == 1 and false", "false"},
        {"not (nothing == 1)", "null"},   {"null + 1", "null"}};
    ASSERT_ALL(table);
}

static void makes_null_of_what_is_no_number(void **state)
{
    (void)state;
    static const struct worth table[] = {
        {"1 / 0", "null"},         {"0 / 0", "null"},          {"1 % 0", "null"},
        {"1e308 * 10", "null"},    {"-1e308 - 1e308", "null"}, {"log(0)", "null"},
        {"log(-1)", "null"},       {"sqrt(-1)", "null"},       {"exp(1000)", "null"},
        {"pow(-8, 1/3)", "null"},  {"pow(10, 400)", "null"},   {"log1p(-1)", "null"},
        {"clip(5, 3, 1)", "null"}, {"1 / 0 is null", "true"},  {"coalesce(1 / 0, 7)", "7"}};
    ASSERT_ALL(table);
}

static void counts_wrong_slots_as_null(void **state)
{
    (void)state;
    struct expr *expr;
    struct error error;
    assert_int_equal(expr_compile("amount is null", &scope, VALUE_BOOL, &expr, &error), STATUS_OK);
    struct value slots[SLOTS];
    fill(slots);
    slots[AMOUNT] = value_string(slice_of("x"));
    assert_true(expr_is_true(expr_evaluate(expr, slots, NULL)));
    slots[AMOUNT] = value_number(NAN);
    assert_true(expr_is_true(expr_evaluate(expr, slots, NULL)));
    slots[AMOUNT] = value_number(INFINITY);
    assert_true(expr_is_true(expr_evaluate(expr, slots, NULL)));
    slots[AMOUNT] = value_number(0);
    assert_false(expr_is_true(expr_evaluate(expr, slots, NULL)));
    expr_destroy(expr);
}

static void tells_type_text_and_used_slots(void **state)
{
    (void)state;
    struct expr *expr;
    struct error error;
    assert_int_equal(expr_compile("amount > 1 or flag", &scope, VALUE_BOOL, &expr, &error),
                     STATUS_OK);
    assert_int_equal(expr_type(expr), VALUE_BOOL);
    assert_string_equal(expr_text(expr), "amount > 1 or flag");
    assert_true(expr_uses(expr, AMOUNT));
    assert_true(expr_uses(expr, FLAG));
    assert_false(expr_uses(expr, COUNTRY));
    expr_destroy(expr);
}

static void never_returns_text_that_is_gone(void **state)
{
    (void)state;
    struct expr *expr;
    struct error error;
    struct value slots[SLOTS];
    fill(slots);
    assert_int_equal(expr_compile("lower(country)", &scope, VALUE_STRING, &expr, &error),
                     STATUS_OK);
    assert_int_equal(expr_evaluate(expr, slots, NULL).type, VALUE_NULL);
    expr_destroy(expr);
    assert_int_equal(expr_compile("lower(country) == 'gb'", &scope, VALUE_BOOL, &expr, &error),
                     STATUS_OK);
    assert_true(expr_is_true(expr_evaluate(expr, slots, NULL)));
    expr_destroy(expr);
}

/* The same condition in a form that is not recognised and so is run. */
static void comparisons_joined_by_and_hold_as_they_run(void **state)
{
    (void)state;
    static const char *const conditions[] = {
        "x > 1",
        "x >= 1 and y < 2",
        "x == 1 and y != 1 and x <= 1",
        "x > 0 and y > 0 and x < 2 and y < 2",
        "x > 0 and y > 0 and x < 2 and y < 2 and x != 3",
        "x > 1 or y > 1",
        "(x > 1 or y > 1) and x < 2",
        "x > 0 and (y > 0 or x < 1)",
        "1 < x",
        "x > y",
        "not x > 1",
    };
    static const struct expr_symbol pair[] = {{"x", VALUE_NUMBER, 0, NULL},
                                              {"y", VALUE_NUMBER, 1, NULL}};
    const struct expr_scope two = {.symbols = pair, .n_symbols = 2};
    const struct value values[] = {value_null(),           value_number(0), value_number(1),
                                   value_number(1.5),      value_number(2), value_number(NAN),
                                   value_number(INFINITY), value_bool(true)};
    size_t n = sizeof values / sizeof *values;
    for (size_t i = 0; i < sizeof conditions / sizeof *conditions; i++) {
        char text[128];
        struct error error;
        struct expr *own, *run;
        snprintf(text, sizeof text, "true and (%s)", conditions[i]);
        assert_int_equal(expr_compile(conditions[i], &two, VALUE_BOOL, &own, &error), STATUS_OK);
        assert_int_equal(expr_compile(text, &two, VALUE_BOOL, &run, &error), STATUS_OK);
        for (size_t j = 0; j < n * n; j++) {
            const struct value slots[] = {values[j / n], values[j % n]};
            bool expected = expr_is_true(expr_evaluate(run, slots, NULL));
            if (expr_holds(own, slots, NULL) != expected)
                fail_msg("%s of values %zu and %zu: expected %d", conditions[i], j / n, j % n,
                         expected);
            assert_int_equal(expr_holds(run, slots, NULL), expected);
        }
        expr_destroy(own);
        expr_destroy(run);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_literals),
        cmocka_unit_test(calculates_with_the_usual_precedence),
        cmocka_unit_test(compares_values_of_one_type),
        cmocka_unit_test(finds_members_of_lists),
        cmocka_unit_test(treats_null_as_sql_does),
        cmocka_unit_test(makes_null_of_what_is_no_number),
        cmocka_unit_test(counts_wrong_slots_as_null),
        cmocka_unit_test(tells_type_text_and_used_slots),
        cmocka_unit_test(never_returns_text_that_is_gone),
        cmocka_unit_test(comparisons_joined_by_and_hold_as_they_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
