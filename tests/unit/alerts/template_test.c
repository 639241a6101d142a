/* Summaries: names filled in, braces, numbers as people read them, and cutting. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "alerts/template.h"

static struct vocabulary *vocabulary;
static struct value *slots;

static int set_up(void **state)
{
    (void)state;
    static const struct alert_objective slos[] = {{"latency", true}};
    static const char *const columns[] = {"score"};
    struct error error;
    size_t n;
    if (vocabulary_create(slos, 1, columns, 1, &vocabulary, &error) != STATUS_OK)
        return -1;
    vocabulary_symbols(vocabulary, &n);
    slots = calloc(n, sizeof *slots);
    return slots ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    free(slots);
    vocabulary_destroy(vocabulary);
    return 0;
}

static void set(const char *name, struct value value)
{
    int slot = vocabulary_find(vocabulary, name, NULL);
    assert_true(slot >= 0);
    slots[slot] = value;
}

static const char *render(const char *text, size_t size)
{
    static char out[256];
    struct template *template;
    struct error error = {0};
    assert_true(size <= sizeof out);
    if (template_compile(text, vocabulary, &template, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    template_render(template, slots, out, size);
    template_destroy(template);
    return out;
}

static void fills_in_names_and_leaves_the_rest(void **state)
{
    (void)state;
    set("events_total", value_number(12));
    set("ready", value_bool(true));
    set("slo.latency.state", value_string(slice_of("page")));
    set("slo.latency.burn_1h", value_null());
    assert_string_equal(render("", 100), "");
    assert_string_equal(render("100 % of } it", 100), "100 % of } it");
    assert_string_equal(render("{events_total}{ready}, {slo.latency.state}!", 100), "12yes, page!");
    assert_string_equal(render("{{events_total} {{{{", 100), "{events_total} {{");
    assert_string_equal(render("burns at {slo.latency.burn_1h}", 100), "burns at no data");
}

static void numbers_have_three_digits_and_whole_ones_all(void **state)
{
    (void)state;
    static const struct {
        double number;
        const char *text;
    } cases[] = {
        {0, "0"},        {14.4, "14.4"},   {14.4444, "14.4"},    {0.00123456, "0.00123"},
        {999.6, "1000"}, {1234.5, "1234"}, {1234567, "1234567"}, {-2, "-2"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        set("events_per_s", value_number(cases[i].number));
        assert_string_equal(render("{events_per_s}", 100), cases[i].text);
    }
}

static void cuts_between_characters(void **state)
{
    (void)state;
    assert_string_equal(render("grün", 4), "gr");
    assert_string_equal(render("grün", 5), "grü");
    assert_string_equal(render("grün", 6), "grün");
    assert_string_equal(render("grün", 1), "");
}

static void refuses_what_it_could_not_fill_in(void **state)
{
    (void)state;
    char long_text[1100];
    memset(long_text, 'x', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = '\0';
    char many[64 * 8 + 1] = "";
    for (int i = 0; i < 64; i++)
        memcpy(many + (size_t)i * 7, "{ready}", 8);
    const struct {
        const char *text, *message;
    } cases[] = {
        {"{slo.latency.burn_1}", "unknown name {slo.latency.burn_1}; did you mean {slo.latency."},
        {"{}", "no name between { and }"},
        {"{ready", "a { without its }"},
        {long_text, "longer than 1024 characters"},
        {many, "more than 63 names"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct template *template = NULL;
        struct error error = {0};
        assert_int_equal(template_compile(cases[i].text, vocabulary, &template, &error),
                         STATUS_INVALID);
        if (!strstr(error.message, cases[i].message))
            fail_msg("case %zu: \"%s\" has no \"%s\"", i, error.message, cases[i].message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fills_in_names_and_leaves_the_rest),
        cmocka_unit_test(numbers_have_three_digits_and_whole_ones_all),
        cmocka_unit_test(cuts_between_characters),
        cmocka_unit_test(refuses_what_it_could_not_fill_in),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
