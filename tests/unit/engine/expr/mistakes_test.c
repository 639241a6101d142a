/* Expressions that are refused: each mistake with its place, and what is too deep or too long. */
#include "tests/unit/engine/expr/fixture.h"

static const struct {
    const char *text;
    enum value_type wanted;
    const char *message;
} mistakes[] = {
    {"amount > amonut", 0, "1:10: unknown name \"amonut\"; did you mean \"amount\"?"},
    {"  zzzzzz", 0, "1:3: unknown name \"zzzzzz\""},
    {"slo.latency.burn_h > 1", 0,
     "1:1: unknown name \"slo.latency.burn_h\"; did you mean \"slo.latency.burn_1h\"?"},
    {"`and`", 0, "1:1: unknown name \"and\""},
    {"True", 0, "1:1: unknown name \"True\"; did you mean \"true\"?"},
    {"lenght('a')", 0, "1:1: unknown function \"lenght\"; did you mean \"length\"?"},
    {"amount(1)", 0, "1:1: \"amount\" is not a function"},
    {"length + 1", 0, "1:1: \"length\" is a function: write length(...)"},
    {"1 < 2 < 3", 0, "1:7: comparisons do not chain: write a < b and b < c, or use parentheses"},
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
    {"event_ts > 'yesterday'", 0, "1:12: \"yesterday\" is not a time such as 2018-08-08T10:00:00Z"},
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

static void finds_every_mistake_with_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        struct expr *expr;
        struct error error = {0};
        assert_int_equal(expr_compile(mistakes[i].text, &scope, mistakes[i].wanted, &expr, &error),
                         STATUS_INVALID);
        assert_string_equal(error.message, mistakes[i].message);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_every_mistake_with_its_place),
        cmocka_unit_test(counts_columns_in_characters),
        cmocka_unit_test(refuses_what_is_nested_too_deep),
        cmocka_unit_test(takes_long_flat_expressions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
