/* JSON numbers read and written, against strtod of the C library. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/event/numeral.h"

static uint64_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return *state ^ *state >> 29;
}

static const char *write(double value)
{
    static char text[NUMBER_TEXT_SIZE + 1];
    *numeral_write(value, text) = '\0';
    return text;
}

static void writes_the_fewest_decimals(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        {0, "0"},
        {-0.0, "-0"},
        {1, "1"},
        {-17, "-17"},
        {12.5, "12.5"},
        {57.16, "57.16"},
        {146.0, "146"},
        {0.1, "0.1"},
        {0.01, "0.01"},
        {-0.05, "-0.05"},
        {4999.99, "4999.99"},
        {0.1 + 0.2, "0.30000000000000004"},
        {1.0 / 3, "0.3333333333333333"},
        {1e-7, "0.0000001"},
        {123456.789012, "123456.789012"},
        {999999999999999, "999999999999999"},
        {9007199254740992.0, "9007199254740992"},
        {1e300, "1e+300"},
        {5e-324, "4.94065645841247e-324"},
        {DBL_MAX, "1.7976931348623157e+308"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_string_equal(write(cases[i].value), cases[i].text);
}

static void writes_every_amount_in_cents_as_it_was_typed(void **state)
{
    (void)state;
    for (int cents = 0; cents <= 500000; cents++) {
        char typed[32];
        (void)snprintf(typed, sizeof typed, "%d.%02d", cents / 100, cents % 100);
        char *end = typed + strlen(typed);
        while (end[-1] == '0')
            *--end = '\0';
        if (end[-1] == '.')
            *--end = '\0';
        assert_string_equal(write(strtod(typed, NULL)), typed);
    }
}

static double any_double(uint64_t *random)
{
    uint64_t bits = next_random(random);
    double value;
    switch (next_random(random) % 4) {
    case 0: /* any bits */
        memcpy(&value, &bits, sizeof value);
        return isfinite(value) ? value : 1;
    case 1: /* decimals of all lengths */
        return (double)(int64_t)(bits >> (next_random(random) % 60)) /
               pow(10, (double)(next_random(random) % 20));
    case 2: /* near a decimal, but not it */
        return nextafter((double)(bits % 1000000) / 100, bits & 1 ? 0 : 1e9);
    default:
        return (double)(int64_t)bits;
    }
}

static void reads_back_what_it_writes(void **state)
{
    (void)state;
    uint64_t random = 42;
    for (int i = 0; i < 500000; i++) {
        double value = any_double(&random);
        const char *text = write(value);
        struct numeral numeral;
        if (strtod(text, NULL) != value)
            fail_msg("%.17g is written as %s", value, text);
        assert_int_equal(numeral_scan(slice_of(text), &numeral), strlen(text));
        assert_true(numeral.value == value);
    }
}

static void reads_as_strtod_does(void **state)
{
    (void)state;
    uint64_t random = 7;
    for (int i = 0; i < 300000; i++) {
        char text[64];
        uint64_t bits = next_random(&random);
        (void)snprintf(text, sizeof text, "%s%llu.%llue%d", bits & 1 ? "-" : "",
                       (unsigned long long)(next_random(&random) >> (bits % 64)),
                       (unsigned long long)(next_random(&random) >> (bits / 64 % 64)),
                       (int)(bits / 4096 % 60) - 30);
        struct numeral numeral;
        assert_int_equal(numeral_scan(slice_of(text), &numeral), strlen(text));
        if (numeral.value != strtod(text, NULL))
            fail_msg("%s is read as %.17g", text, numeral.value);
    }
}

static void keeps_to_the_grammar(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t size; /* of the number that it begins with */
    } cases[] = {
        {"0", 1},     {"-0", 2},   {"01", 1},    {"1.50,", 4}, {"1e5}", 3}, {"1E+05 ", 5},
        {"", 0},      {"-", 0},    {"+1", 0},    {".5", 0},    {"1.", 0},   {"1e", 0},
        {"1e+", 0},   {"-a", 0},   {"1.e5", 0},  {"NaN", 0},   {"0x10", 1}, {"00.5", 1},
        {"1.5.5", 3}, {"-1-1", 2}, {"1e1e1", 3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct numeral numeral;
        assert_int_equal(numeral_scan(slice_of(cases[i].text), &numeral), cases[i].size);
    }
}

static void knows_integers_up_to_two_to_the_53(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool integer;
    } cases[] = {
        {"0", true},
        {"3.0", true},
        {"1e3", true},
        {"15e-1", false},
        {"0.5", false},
        {"9007199254740992", true},
        {"-9007199254740992", true},
        {"9007199254740993", false},
        {"9007199254740992.5", false},
        {"18446744073709551616", false},
        {"00000", true},
        {"1e400", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct numeral numeral;
        assert_true(numeral_scan(slice_of(cases[i].text), &numeral) > 0);
        if (numeral_is_integer(&numeral) != cases[i].integer)
            fail_msg("%s", cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_the_fewest_decimals),
        cmocka_unit_test(writes_every_amount_in_cents_as_it_was_typed),
        cmocka_unit_test(reads_back_what_it_writes),
        cmocka_unit_test(reads_as_strtod_does),
        cmocka_unit_test(keeps_to_the_grammar),
        cmocka_unit_test(knows_integers_up_to_two_to_the_53),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
