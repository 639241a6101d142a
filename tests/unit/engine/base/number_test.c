/* Numbers from and to text, against the C library. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <float.h>
#include <locale.h>
#include <math.h>

#include "engine/base/hash.h"
#include "engine/base/number.h"

static bool same_bits(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0 || (isnan(a) && isnan(b));
}

static bool same_float_bits(float a, float b)
{
    return memcmp(&a, &b, sizeof a) == 0 || (isnan(a) && isnan(b));
}

static void assert_reads(const char *text)
{
    double number = 7;
    float small = 7;
    if (!number_parse(slice_of(text), &number) || !same_bits(number, strtod(text, NULL)))
        fail_msg("%s read as %.17g, not %.17g", text, number, strtod(text, NULL));
    if (!float_parse(slice_of(text), &small) || !same_float_bits(small, strtof(text, NULL)))
        fail_msg("%s read as float %.9g, not %.9g", text, (double)small,
                 (double)strtof(text, NULL));
}

static void reads_as_strtod_in_difficult_cases(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "0", "-0", "+0", "1", "-1", "+1.5", ".5", "5.", "-.5e1", "1e0", "1E+2", "1e-2", "007.50",
        "123456789012345", "1234567890123456789", "9007199254740992", "9007199254740993",
        "9007199254740993.0000000000000000000000001", "18446744073709551616", "0.1", "0.2", "0.3",
        "1e22", "1e23", "1e-22", "1e-23", "8.5e22", "123456e17", "2.2250738585072011e-308",
        "2.2250738585072014e-308", "4.9406564584124654e-324", "2.4703282292062327e-324",
        "2.4703282292062328e-324", "1e-400", "1e400", "-1e400", "1.7976931348623157e308",
        "1.7976931348623159e308", "1e99999999999", "1e-99999999999", "0e99999999999",
        "6.631236846766476e-316", "3.2378839133029012895883524125015321748630e-66",
        "179769313486231580793728971405301e276",
        /* between two floats once rounded to double: rounding twice goes wrong */
        "1.00000017881393432617187499", "1.00000017881393432617187500",
        "1.00000017881393432617187501", "16777217", "16777219", "1.1754943e-38", "1e-45", "7e-46",
        "3.4028235e38", "3.4028236e38", "8388608.499999999999999999999", "nan", "NaN", "-inf",
        "INF", "Infinity", "+infinity", "000000000000000000000000000000000000000000000000001",
        "0.00000000000000000000000000000000000000000000000001"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_reads(texts[i]);
}

static void refuses_what_is_not_wholly_a_number(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",      " 1",  "1 ",  "0x10",   "1e",    "1e+", "e5",    ".",     "-",  "+",   "-.",
        "1.2.3", "1,5", "12a", "nan(1)", "infin", "--1", "1e5.0", "1_000", "in", "\t1", ".e5"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        double number;
        float small;
        assert_false(number_parse(slice_of(texts[i]), &number));
        assert_false(float_parse(slice_of(texts[i]), &small));
    }
    double number;
    assert_false(number_parse(slice_make("1\0", 2), &number));
    assert_false(number_parse(slice_make(NULL, 0), &number));
    assert_true(number_parse(slice_make("123", 2), &number));
    assert_true(number == 12);
}

static uint64_t draw(uint64_t *state)
{
    ++*state;
    return hash64(state, sizeof *state, 1);
}

static void make_text(uint64_t *state, char *text, size_t size)
{
    uint64_t kind = draw(state) % 5;
    if (kind == 0) { /* any finite double, all its digits */
        uint64_t bits = draw(state);
        double number;
        memcpy(&number, &bits, sizeof number);
        snprintf(text, size, "%.*g", (int)(draw(state) % 20 + 1), isfinite(number) ? number : 1);
    } else if (kind == 1) { /* money */
        snprintf(text, size, "%llu.%02u", (unsigned long long)(draw(state) % 100000),
                 (unsigned)(draw(state) % 100));
    } else if (kind == 2) {
        snprintf(text, size, "%llu%llue%d", (unsigned long long)draw(state),
                 (unsigned long long)draw(state), (int)(draw(state) % 700) - 350);
    } else if (kind == 3) {
        snprintf(text, size, "-0.%018llu", (unsigned long long)(draw(state) % 1000000000000000000));
    } else {
        snprintf(text, size, "%llue%d", (unsigned long long)(draw(state) >> draw(state) % 64),
                 (int)(draw(state) % 60) - 30);
    }
}

static void reads_random_texts_as_strtod(void **state)
{
    (void)state;
    uint64_t random = 42;
    for (int i = 0; i < 300000; i++) {
        char text[128];
        make_text(&random, text, sizeof text);
        assert_reads(text);
    }
}

static void reads_halfway_texts_rounded_once(void **state)
{
    (void)state;
    uint64_t random = 7;
    for (int i = 0; i < 50000; i++) {
        /* the exact middle of two floats, and a hair beside it */
        uint32_t bits = (uint32_t)(draw(&random) % 0x7f000000);
        float low, high;
        memcpy(&low, &bits, sizeof low);
        bits++;
        memcpy(&high, &bits, sizeof high);
        char text[2400];
        snprintf(text, sizeof text, "%.1000f", ((double)low + (double)high) / 2);
        assert_reads(text);
        strcat(text, "1");
        assert_reads(text);
    }
}

static void ignores_the_locale(void **state)
{
    (void)state;
    static const char *const names[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "C.UTF-8"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (!setlocale(LC_ALL, names[i]))
            continue;
        double number;
        char text[NUMBER_TEXT_SIZE];
        assert_true(number_parse(slice_of("0.12345678901234567890"), &number));
        assert_true(number == 0.12345678901234567890);
        number_format(0.1, text);
        assert_string_equal(text, "0.1");
    }
    setlocale(LC_ALL, "C");
}

static void reads_integers_to_their_limits(void **state)
{
    (void)state;
    int64_t integer;
    assert_true(integer_parse(slice_of("-9223372036854775808"), &integer));
    assert_true(integer == INT64_MIN);
    assert_true(integer_parse(slice_of("+9223372036854775807"), &integer));
    assert_true(integer == INT64_MAX);
    assert_true(integer_parse(slice_of("0007"), &integer));
    assert_true(integer == 7);
    static const char *const bad[] = {
        "9223372036854775808", "-9223372036854775809", "", "-", "+", "1.0", " 1", "1e3",
        "99999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(integer_parse(slice_of(bad[i]), &integer));
}

/* The first of "%.15g" to "%.17g" that reads back, by the C library alone. */
static void format_slowly(double number, char *out, size_t size)
{
    for (int precision = 15; precision <= 17; precision++) {
        snprintf(out, size, "%.*g", precision, number);
        if (strtod(out, NULL) == number)
            return;
    }
}

static void writes_what_the_c_library_writes(void **state)
{
    (void)state;
    static const double some[] = {0,
                                  -0.0,
                                  1e-4,
                                  0.0001234,
                                  9.9e-5,
                                  999999999999999,
                                  1e15,
                                  -1.5,
                                  100.10,
                                  0.1 + 0.2,
                                  1e-5,
                                  123456789.123456,
                                  1e14,
                                  0.999999999999999,
                                  4217.35,
                                  1e22,
                                  99999999.9999999};
    char expected[64], text[NUMBER_TEXT_SIZE];
    uint64_t random = 11;
    for (size_t i = 0; i < 300000; i++) {
        double number = i < sizeof some / sizeof some[0]
                            ? some[i]
                            : (double)(int64_t)(draw(&random) >> draw(&random) % 64) /
                                  pow(10, (double)(draw(&random) % 12));
        format_slowly(number, expected, sizeof expected);
        assert_int_equal(number_format(number, text), strlen(expected));
        assert_string_equal(text, expected);
    }
}

/* Every exponent with random digits, halves between two texts, powers of ten and their neighbours.
 */
static void writes_floats_as_the_c_library_does(void **state)
{
    (void)state;
    char expected[64], text[NUMBER_TEXT_SIZE];
    uint64_t random = 5;
    for (uint32_t i = 0; i < 1000000; i++) {
        uint32_t bits = (uint32_t)draw(&random);
        float number;
        memcpy(&number, &bits, sizeof number);
        if (i % 4 == 1)
            number = (float)(draw(&random) % 2000000000) / 1024.0f;
        else if (i % 4 == 2)
            number = nextafterf((float)pow(10, (double)(i % 26) - 14), i % 8 < 4 ? 0 : 1e10f);
        else if (i % 4 == 3)
            number = (float)(draw(&random) % 100000) / 100.0f;
        if (isnan(number))
            continue;
        int size = snprintf(expected, sizeof expected, "%.9g", (double)number);
        assert_int_equal(float_format(number, text), size);
        assert_string_equal(text, expected);
    }
}

static void writes_the_shortest_text_that_reads_back(void **state)
{
    (void)state;
    static const struct {
        double number;
        const char *text;
    } table[] = {{0.1, "0.1"},
                 {0, "0"},
                 {-0.0, "-0"},
                 {1e15, "1e+15"},
                 {123456, "123456"},
                 {-42, "-42"},
                 {0.30000000000000004, "0.30000000000000004"},
                 {1e300, "1e+300"},
                 {4200, "4200"},
                 {1.5, "1.5"},
                 {DBL_MIN, "2.2250738585072014e-308"}};
    char text[NUMBER_TEXT_SIZE];
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        size_t size = number_format(table[i].number, text);
        assert_string_equal(text, table[i].text);
        assert_int_equal(size, strlen(text));
    }
    uint64_t random = 3;
    for (int i = 0; i < 100000; i++) {
        uint64_t bits = draw(&random);
        double number, back;
        memcpy(&number, &bits, sizeof number);
        if (!isfinite(number))
            continue;
        size_t size = number_format(number, text);
        assert_true(size < NUMBER_TEXT_SIZE);
        assert_true(number_parse(slice_make(text, size), &back));
        assert_true(same_bits(number, back));
        float small, small_back;
        memcpy(&small, &bits, sizeof small);
        if (!isfinite(small))
            continue;
        size = float_format(small, text);
        assert_true(float_parse(slice_make(text, size), &small_back));
        assert_true(same_float_bits(small, small_back));
    }
}

static void the_noun_fits_the_number(void **state)
{
    (void)state;
    assert_string_equal(number_noun(0, "event", "events"), "events");
    assert_string_equal(number_noun(1, "event", "events"), "event");
    assert_string_equal(number_noun(2, "event", "events"), "events");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_as_strtod_in_difficult_cases),
        cmocka_unit_test(refuses_what_is_not_wholly_a_number),
        cmocka_unit_test(reads_random_texts_as_strtod),
        cmocka_unit_test(reads_halfway_texts_rounded_once),
        cmocka_unit_test(ignores_the_locale),
        cmocka_unit_test(reads_integers_to_their_limits),
        cmocka_unit_test(the_noun_fits_the_number),
        cmocka_unit_test(writes_what_the_c_library_writes),
        cmocka_unit_test(writes_floats_as_the_c_library_does),
        cmocka_unit_test(writes_the_shortest_text_that_reads_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
