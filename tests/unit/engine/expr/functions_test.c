/* Functions of the expression language: its own, and those that a room brings. */
#include "tests/unit/engine/expr/fixture.h"

static void has_functions_of_numbers(void **state)
{
    (void)state;
    static const struct worth table[] = {{"abs(-3)", "3"},
                                         {"min(3, 1, 2)", "1"},
                                         {"max(3, 1, 2)", "3"},
                                         {"min(5)", "5"},
                                         {"min(1, nothing)", "null"},
                                         {"log(exp(2))", "2"},
                                         {"log1p(0)", "0"},
                                         {"sqrt(16)", "4"},
                                         {"pow(2, 10)", "1024"},
                                         {"floor(-1.5)", "-2"},
                                         {"ceil(-1.5)", "-1"},
                                         {"round(2.5)", "3"},
                                         {"round(-2.5)", "-3"},
                                         {"clip(5, 0, 3)", "3"},
                                         {"clip(-5, 0, 3)", "0"},
                                         {"clip(2, 0, 3)", "2"},
                                         {"coalesce(nothing, 2)", "2"},
                                         {"coalesce(nothing, nothing)", "null"},
                                         {"coalesce(1, 2)", "1"},
                                         {"coalesce(null, nothing, 3, 4)", "3"},
                                         {"coalesce(null)", "null"},
                                         {"if(flag, 1, 2)", "1"},
                                         {"if(not flag, 1, 2)", "2"},
                                         {"if(no_flag, 1, 2)", "2"},
                                         {"if(true, null, 2)", "null"},
                                         {"if(flag, if(false, 1, 2), 3) + 1", "3"},
                                         {"if(amount > 0, 'some', 'none')", "'some'"},
                                         {"1 + coalesce(nothing, 2) * 3", "7"},
                                         {"max(1, 2, 3, 4, 5, 6, 7, 8)", "8"},
                                         {"abs(nothing)", "null"}};
    ASSERT_ALL(table);
}

static void has_functions_of_text(void **state)
{
    (void)state;
    static const struct worth table[] = {{"length('abc')", "3"},
                                         {"length('')", "0"},
                                         {"length('h\xc3\xa9llo')", "5"},
                                         {"lower('ABC-x\xc3\x89')", "'abc-x\xc3\x89'"},
                                         {"upper('abc-X')", "'ABC-X'"},
                                         {"lower(country) == 'gb'", "true"},
                                         {"lower(no_text)", "null"},
                                         {"starts_with(country, 'G')", "true"},
                                         {"starts_with('G', 'GB')", "false"},
                                         {"starts_with('x', '')", "true"},
                                         {"ends_with(country, 'B')", "true"},
                                         {"ends_with('B', 'GB')", "false"},
                                         {"contains('abcd', 'bc')", "true"},
                                         {"contains('abcd', 'cb')", "false"},
                                         {"contains('', '')", "true"},
                                         {"matches('user-17', 'user-[0-9]+')", "true"},
                                         {"matches('xuser-17', 'user-[0-9]+')", "false"},
                                         {"matches('user-17x', 'user-\\d+')", "false"},
                                         {"matches(no_text, 'a')", "null"},
                                         {"contains(upper('a') , 'A')", "true"}};
    ASSERT_ALL(table);
}

static void has_functions_of_times(void **state)
{
    (void)state;
    static const struct worth table[] = {
        {"hour(event_ts)", "10"},
        {"weekday(event_ts)", "2"},
        {"day(event_ts)", "8"},
        {"weekday('1970-01-01')", "3"},
        {"weekday('1969-12-31')", "2"},
        {"hour('1969-12-31T23:30:00Z')", "23"},
        {"day('1969-12-31T23:30:00Z')", "31"},
        {"weekday('2018-08-06')", "0"},
        {"weekday('2018-08-05')", "6"},
        {"seconds_between(event_ts, later)", "90.5"},
        {"seconds_between(later, event_ts)", "-90.5"},
        {"seconds_between('2018-08-08T09:59:00Z', event_ts)", "60"},
        {"seconds_between(event_ts, later) < 2m", "true"}};
    ASSERT_ALL(table);
}

static void calls_functions_of_the_room(void **state)
{
    (void)state;
    static const struct worth table[] = {{"double_it(21)", "42"},
                                         {"double_it(nothing)", "null"},
                                         {"in_list('mules', country)", "true"},
                                         {"in_list('mules', home_country)", "false"},
                                         {"in_list('mules', no_text)", "null"},
                                         {"answer() + 1", "43"},
                                         {"count_nulls(1, null, no_text, flag)", "2"},
                                         {"1 + double_it(answer())", "85"}};
    ASSERT_ALL(table);
    struct expr *expr;
    struct error error;
    assert_int_equal(expr_compile("double_it(1)", &scope, VALUE_NUMBER, &expr, &error), STATUS_OK);
    double extra = 100;
    struct expr_run run = {.context = &extra};
    assert_true(expr_evaluate(expr, NULL, &run).number == 102);
    expr_destroy(expr);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_functions_of_numbers),
        cmocka_unit_test(has_functions_of_text),
        cmocka_unit_test(has_functions_of_times),
        cmocka_unit_test(calls_functions_of_the_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
