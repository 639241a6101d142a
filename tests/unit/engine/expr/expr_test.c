/* The expression language: what expressions are worth, and where mistakes are found. */
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
#include "engine/expr/expr.h"

enum slot { AMOUNT, COUNTRY, HOME, FLAG, TS, NOTHING, NO_TEXT, NO_FLAG, BURN, ODD, LATER, SLOTS };

static const struct expr_symbol symbols[] = {
    {"amount", VALUE_NUMBER, AMOUNT, "in USD"},
    {"country", VALUE_STRING, COUNTRY, NULL},
    {"home_country", VALUE_STRING, HOME, NULL},
    {"flag", VALUE_BOOL, FLAG, NULL},
    {"event_ts", VALUE_TIME, TS, NULL},
    {"nothing", VALUE_NUMBER, NOTHING, NULL},
    {"no_text", VALUE_STRING, NO_TEXT, NULL},
    {"no_flag", VALUE_BOOL, NO_FLAG, NULL},
    {"slo.latency.burn_1h", VALUE_NUMBER, BURN, NULL},
    {"odd name", VALUE_NUMBER, ODD, NULL},
    {"later", VALUE_TIME, LATER, NULL},
};

static struct value double_it(void *bound, void *run, const struct value *arguments, int n)
{
    (void)n;
    assert_string_equal(bound, "bound");
    return value_number(arguments[0].number * 2 + (run ? *(double *)run : 0));
}

static enum status bind_list(void *context, const struct value *arguments, int n, void **bound,
                             struct error *error)
{
    (void)context;
    (void)n;
    if (!slice_is(arguments[0].string, "mules"))
        return error_set(error, STATUS_NOT_FOUND, "no list \"%.*s\"",
                         SLICE_ARGS(arguments[0].string));
    *bound = malloc(1);
    return STATUS_OK;
}

static struct value in_list(void *bound, void *run, const struct value *arguments, int n)
{
    (void)bound, (void)run, (void)n;
    return value_bool(slice_is(arguments[1].string, "GB"));
}

static struct value answer(void *bound, void *run, const struct value *arguments, int n)
{
    (void)bound, (void)run, (void)arguments, (void)n;
    return value_number(42);
}

static struct value count_nulls(void *bound, void *run, const struct value *arguments, int n)
{
    (void)bound, (void)run;
    int nulls = 0;
    for (int i = 0; i < n; i++)
        nulls += arguments[i].type == VALUE_NULL;
    return value_number(nulls);
}

static char bound_text[] = "bound";

static const struct expr_function functions[] = {
    {.name = "double_it",
     .result = VALUE_NUMBER,
     .min_args = 1,
     .max_args = 1,
     .args = {VALUE_NUMBER},
     .call = double_it,
     .context = bound_text},
    {.name = "in_list",
     .result = VALUE_BOOL,
     .min_args = 2,
     .max_args = 2,
     .args = {VALUE_STRING, VALUE_STRING},
     .literal_args = 1,
     .bind = bind_list,
     .unbind = free,
     .call = in_list},
    {.name = "answer", .result = VALUE_NUMBER, .call = answer},
    {.name = "count_nulls",
     .result = VALUE_NUMBER,
     .min_args = 1,
     .max_args = 8,
     .takes_nulls = true,
     .call = count_nulls},
};

static const struct expr_scope scope = {symbols, sizeof symbols / sizeof symbols[0], functions,
                                        sizeof functions / sizeof functions[0]};

static void fill(struct value slots[SLOTS])
{
    slots[AMOUNT] = value_number(3500.5);
    slots[COUNTRY] = value_string(slice_of("GB"));
    slots[HOME] = value_string(slice_of("US"));
    slots[FLAG] = value_bool(true);
    slots[TS] = value_time(INT64_C(1533722400000000)); /* 2018-08-08T10:00:00Z, a Wednesday */
    slots[NOTHING] = slots[NO_TEXT] = slots[NO_FLAG] = value_null();
    slots[BURN] = value_number(15);
    slots[ODD] = value_number(-7);
    slots[LATER] = value_time(INT64_C(1533722490500000));
}

/* "3", "true", "null", "'text'", "@2018-..." */
static void describe(struct value value, char *out, size_t size)
{
    char time[TIME_TEXT_SIZE];
    switch (value.type) {
    case VALUE_NULL:
        snprintf(out, size, "null");
        break;
    case VALUE_NUMBER:
        snprintf(out, size, "%.12g", value.number);
        break;
    case VALUE_BOOL:
        snprintf(out, size, value.boolean ? "true" : "false");
        break;
    case VALUE_STRING:
        snprintf(out, size, "'%.*s'", SLICE_ARGS(value.string));
        break;
    case VALUE_TIME:
        snprintf(out, size, "@%s", time_format(value.time_us, time));
        break;
    }
}

static void assert_worth(const char *text, const char *expected)
{
    struct expr *expr = NULL;
    struct error error = {0};
    if (expr_compile(text, &scope, VALUE_NULL, &expr, &error))
        fail_msg("%s: %s", text, error.message);
    struct value slots[SLOTS];
    fill(slots);
    struct arena *arena = arena_create(1 << 16);
    struct expr_run run = {.arena = arena};
    char found[256];
    struct value value = expr_evaluate(expr, slots, &run);
    describe(value, found, sizeof found);
    if (strcmp(found, expected) != 0)
        fail_msg("%s is %s, not %s", text, found, expected);
    if (value.type != VALUE_NULL)
        assert_int_equal(value.type, expr_type(expr));
    arena_destroy(arena);
    expr_destroy(expr);
}

struct worth {
    const char *text, *value;
};

static void assert_all(const struct worth *table, size_t n)
{
    for (size_t i = 0; i < n; i++)
        assert_worth(table[i].text, table[i].value);
}

#define ASSERT_ALL(table) assert_all(table, sizeof table / sizeof table[0])

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

static void finds_every_mistake_with_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum value_type wanted;
        const char *message;
    } table[] = {
        {"amount > amonut", 0, "1:10: unknown name \"amonut\"; did you mean \"amount\"?"},
        {"  zzzzzz", 0, "1:3: unknown name \"zzzzzz\""},
        {"slo.latency.burn_h > 1", 0,
         "1:1: unknown name \"slo.latency.burn_h\"; did you mean \"slo.latency.burn_1h\"?"},
        {"`and`", 0, "1:1: unknown name \"and\""},
        {"True", 0, "1:1: unknown name \"True\"; did you mean \"true\"?"},
        {"lenght('a')", 0, "1:1: unknown function \"lenght\"; did you mean \"length\"?"},
        {"amount(1)", 0, "1:1: \"amount\" is not a function"},
        {"length + 1", 0, "1:1: \"length\" is a function: write length(...)"},
        {"1 < 2 < 3", 0,
         "1:7: comparisons do not chain: write a < b and b < c, or use parentheses"},
        {"1 == 1 is null", 0,
         "1:8: comparisons do not chain: write a < b and b < c, or use parentheses"},
        {"1 +", 0, "1:4: expected a value, found the end"},
        {"", 0, "1:1: an empty expression"},
        {" \n ", 0, "2:2: an empty expression"},
        {"1 2", 0, "1:3: expected an operator or the end, found \"2\""},
        {"flag AND flag", 0, "1:6: expected an operator, found \"AND\"; did you mean \"and\"?"},
        {"flag ro flag", 0, "1:6: expected an operator, found \"ro\"; did you mean \"or\"?"},
        {"(1 + 2", 0, "1:7: expected \")\", found the end"},
        {"1 + 2)", 0, "1:6: expected an operator or the end, found \")\""},
        {"and", 0, "1:1: expected a value, found \"and\""},
        {"flag and", 0, "1:9: expected a value, found the end"},
        {"flag && flag", 0, "1:6: unknown sign \"&&\"; write \"and\""},
        {"flag || flag", 0, "1:6: unknown sign \"||\"; write \"or\""},
        {"!flag", 0, "1:1: unknown sign \"!\"; write \"not\""},
        {"1 = 1", 0, "1:3: unknown sign \"=\"; write \"==\""},
        {"1 <> 1", 0, "1:3: unknown sign \"<>\"; write \"!=\""},
        {"2 ** 3", 0, "1:3: unknown sign \"**\"; write pow(x, y)"},
        {"2 ^ 3", 0, "1:3: unknown sign \"^\"; write pow(x, y)"},
        {"1 ; 2", 0, "1:3: unexpected character \";\""},
        {"'\xc3\xa9' == \xc3\xa9", 0, "1:8: unexpected character \"\xc3\xa9\""},
        {"'open", 0, "1:1: this text is not closed"},
        {"1 + `open", 0, "1:5: this name is not closed"},
        {"5min", 0, "1:1: not a number or duration (such as 5m, 12h or 7d): \"5min\""},
        {"1.2.3", 0, "1:1: not a number or duration (such as 5m, 12h or 7d): \"1.2.3\""},
        {"1e999", 0, "1:1: too large a number: \"1e999\""},
        {"1 + 'a'", 0, "1:3: \"+\" needs numbers, found number and string"},
        {"event_ts - later", 0,
         "1:10: \"-\" needs numbers, found time and time; for times there "
         "is seconds_between(a, b)"},
        {"-country", 0, "1:1: \"-\" needs a number, found string"},
        {"amount and flag", 0, "1:8: \"and\" needs conditions (true or false), found number"},
        {"flag or\n  amount", 0, "1:6: \"or\" needs conditions (true or false), found number"},
        {"not amount", 0, "1:1: \"not\" needs conditions (true or false), found number"},
        {"amount == 'a'", 0, "1:8: \"==\" cannot compare number with string"},
        {"flag < true", 0, "1:6: \"<\" cannot order bool values"},
        {"amount == null", 0,
         "1:8: a comparison with null is never true; write \"is null\" or "
         "\"is not null\""},
        {"event_ts > 'yesterday'", 0,
         "1:12: \"yesterday\" is not a time such as 2018-08-08T10:00:00Z"},
        {"event_ts > country", 0, "1:10: \">\" cannot compare time with string"},
        {"country in ['a', 1]", 0, "1:18: the list is for string, found number"},
        {"country in [null]", 0, "1:13: null in a list matches nothing; write \"is null\""},
        {"country in [amount]", 0, "1:13: expected a literal, found \"amount\""},
        {"country in []", 0, "1:13: expected a literal, found \"]\""},
        {"country in 'a'", 0, "1:12: expected \"[\", found \"a\""},
        {"country in ['a'", 0, "1:16: expected \"]\", found the end"},
        {"country not 'a'", 0, "1:13: expected \"in\" after \"not\", found \"a\""},
        {"amount in [-'a']", 0, "1:13: expected a literal, found \"a\""},
        {"amount is 3", 0, "1:11: expected \"null\" or \"not null\", found \"3\""},
        {"amount is not 3", 0, "1:15: expected \"null\", found \"3\""},
        {"abs()", 0, "1:1: abs() takes 1 argument, found 0"},
        {"abs(1, 2)", 0, "1:8: abs() takes only 1 argument"},
        {"clip(1, 2)", 0, "1:1: clip() takes 3 arguments, found 2"},
        {"min()", 0, "1:1: min() takes at least 1 argument, found 0"},
        {"min(1,2,3,4,5,6,7,8,9)", 0, "1:21: min() takes at most 8 arguments"},
        {"if(true)", 0, "1:1: if() takes 3 arguments, found 1"},
        {"if(true, 1)", 0, "1:1: if() takes 3 arguments, found 2"},
        {"if(true, 1, 2, 3)", 0, "1:14: if() takes only 3 arguments"},
        {"if()", 0, "1:1: if() takes 3 arguments, found 0"},
        {"if(1, 2, 3)", 0, "1:4: argument 1 of if() must be bool, found number"},
        {"if(true, 1, 'a')", 0,
         "1:13: the alternatives of if() must be of one type, found number and string"},
        {"coalesce(1, 'a')", 0,
         "1:13: the alternatives of coalesce() must be of one type, found number and string"},
        {"coalesce()", 0, "1:1: coalesce() takes at least 1 argument, found 0"},
        {"answer(1)", 0, "1:8: answer() takes only 0 arguments"},
        {"abs('a')", 0, "1:5: argument 1 of abs() must be number, found string"},
        {"hour(amount)", 0, "1:6: argument 1 of hour() must be time, found number"},
        {"hour('noon')", 0, "1:6: \"noon\" is not a time such as 2018-08-08T10:00:00Z"},
        {"matches(country, home_country)", 0, "1:18: argument 2 of matches() must be a literal"},
        {"matches(country, '[a')", 0,
         "1:18: pattern \"[a\": at offset 2: missing terminating ] for character class"},
        {"in_list('mule', country)", 0, "1:9: no list \"mule\""},
        {"abs(1", 0, "1:6: expected \")\", found the end"},
        {"amount", VALUE_BOOL, "1:1: the expression gives number, wanted bool"},
        {"null", VALUE_BOOL, "1:1: the expression is always null, wanted bool"},
        {"flag and\n\n    amonut > 1", 0, "3:5: unknown name \"amonut\"; did you mean \"amount\"?"},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct expr *expr;
        struct error error = {0};
        assert_int_equal(expr_compile(table[i].text, &scope, table[i].wanted, &expr, &error),
                         STATUS_INVALID);
        assert_string_equal(error.message, table[i].message);
        assert_null(expr);
    }
}

static void counts_columns_in_characters(void **state)
{
    (void)state;
    struct expr *expr;
    struct error error;
    assert_int_equal(
        expr_compile("'\xc3\xa9\xe2\x82\xac' == amonut", &scope, VALUE_BOOL, &expr, &error),
        STATUS_INVALID);
    assert_memory_equal(error.message, "1:9: ", 5);
}

static char *repeat(const char *left, int n, const char *middle, const char *right)
{
    struct buffer text;
    buffer_init(&text, 1 << 20);
    for (int i = 0; i < n; i++)
        buffer_append_text(&text, left);
    buffer_append_text(&text, middle);
    for (int i = 0; i < n; i++)
        buffer_append_text(&text, right);
    return text.data;
}

static void refuses_what_is_nested_too_deep(void **state)
{
    (void)state;
    static const struct {
        const char *left, *middle, *right;
    } shapes[] = {{"(", "1", ")"},
                  {"- ", "1", ""},
                  {"not ", "true", ""},
                  {"abs(", "1", ")"},
                  {"if(true, ", "1", ", 2)"},
                  {"1 + (", "1", ")"}};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        struct expr *expr;
        struct error error = {0};
        char *text = repeat(shapes[i].left, 20, shapes[i].middle, shapes[i].right);
        if (expr_compile(text, &scope, VALUE_NULL, &expr, &error))
            fail_msg("%s: %s", text, error.message);
        expr_evaluate(expr, NULL, NULL);
        expr_destroy(expr);
        free(text);
        text = repeat(shapes[i].left, 100, shapes[i].middle, shapes[i].right);
        assert_int_equal(expr_compile(text, &scope, VALUE_NULL, &expr, &error), STATUS_INVALID);
        assert_non_null(strstr(error.message, "deep"));
        free(text);
    }
}

static void takes_long_flat_expressions(void **state)
{
    (void)state;
    char *text = repeat("1+", 5000, "1", "");
    assert_worth(text, "5001");
    free(text);
    text = repeat("0 in ['', '']", 0, "'' in ['']", " or '' in ['']");
    assert_worth(text, "true");
    free(text);
    text = repeat("'',", 0, "country in [''", ",''");
    free(text);
    struct expr *expr;
    struct error error = {0};
    text = repeat("1+", 9000, "1", "");
    assert_int_equal(expr_compile(text, &scope, VALUE_NULL, &expr, &error), STATUS_INVALID);
    assert_string_equal(error.message, "1:1: longer than 16 KiB");
    free(text);
    struct buffer list;
    buffer_init(&list, 1 << 20);
    buffer_append_text(&list, "country in [''");
    for (int i = 0; i < 5000; i++)
        buffer_append_text(&list, ",''");
    buffer_append_text(&list, "]");
    assert_worth(list.data, "false");
    buffer_free(&list);
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
        cmocka_unit_test(has_functions_of_numbers),
        cmocka_unit_test(has_functions_of_text),
        cmocka_unit_test(has_functions_of_times),
        cmocka_unit_test(calls_functions_of_the_room),
        cmocka_unit_test(finds_every_mistake_with_its_place),
        cmocka_unit_test(counts_columns_in_characters),
        cmocka_unit_test(refuses_what_is_nested_too_deep),
        cmocka_unit_test(takes_long_flat_expressions),
        cmocka_unit_test(counts_wrong_slots_as_null),
        cmocka_unit_test(tells_type_text_and_used_slots),
        cmocka_unit_test(never_returns_text_that_is_gone),
        cmocka_unit_test(comparisons_joined_by_and_hold_as_they_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
