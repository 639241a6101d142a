/* Numbers of up to sixteen characters, against the C library's strtod. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/hash.h"
#include "engine/base/number.h"
#include "engine/base/number_short.h"

#define MOST 18

static uint64_t draw(uint64_t *state)
{
    ++*state;
    return hash64(state, sizeof *state, 3);
}

/* With the processor's wider instructions, where it has them, it must be the same. */
static void check_wider(const char *text, size_t size, bool read, double number)
{
#ifdef __x86_64__
    double wider = 7;
    if (!__builtin_cpu_supports("avx2"))
        return;
    if (number_short_avx2(text, size, &wider) != read)
        fail_msg("\"%.*s\" is read by one only", (int)size, text);
    if (read && memcmp(&wider, &number, sizeof wider) != 0)
        fail_msg("\"%.*s\" read as %.17g and as %.17g", (int)size, text, number, wider);
#else
    (void)text, (void)size, (void)read, (void)number;
#endif
}

/* A text with other digits and points close before and behind it, which must not be read. */
static bool read_between(const char *text, size_t size, double *out)
{
    char room[96];
    memset(room, '7', sizeof room);
    room[40] = '.';
    memcpy(room + 32, text, size);
    room[32 + size] = ',';
    bool read = number_short(room + 32, size, out);
    check_wider(room + 32, size, read, *out);
    return read;
}

/* Whether it reads it; what it reads is what strtod reads of the whole text. */
static bool reads(const char *text)
{
    double number = 7, expected;
    if (!read_between(text, strlen(text), &number))
        return false;
    char *end;
    expected = strtod(text, &end);
    if (*end || end == text)
        fail_msg("\"%s\" is no number, but read as %.17g", text, number);
    if (memcmp(&number, &expected, sizeof number) != 0)
        fail_msg("%s read as %.17g, not %.17g", text, number, expected);
    return true;
}

static void reads_plain_decimals(void **state)
{
    (void)state;
    static const char *const texts[] = {"0",
                                        "7",
                                        "-0",
                                        "-7",
                                        "0.12",
                                        "-0.12",
                                        ".5",
                                        "5.",
                                        "-.5",
                                        "00012.50",
                                        "99999999",
                                        "-99999999",
                                        "1234567.8",
                                        "0.1234567",
                                        "12345678",
                                        "123456789",
                                        "1234567.",
                                        ".12345678",
                                        "12345678.9",
                                        "-12345678.",
                                        "0.123456789012",
                                        "123456789.123456",
                                        "-000000000000001",
                                        "9007199254740992",
                                        "0.00000000000001",
                                        "0000000000000000"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (!reads(texts[i]))
            fail_msg("%s is left to others", texts[i]);
    }
}

static void leaves_everything_else(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        "-",
                                        ".",
                                        "-.",
                                        "+1",
                                        "1e5",
                                        "1.2.3",
                                        "..",
                                        "--1",
                                        "1-",
                                        "12a",
                                        " 1",
                                        "1 ",
                                        "1\r",
                                        "nan",
                                        "inf",
                                        "0x10",
                                        "1,5",
                                        "/",
                                        ":",
                                        "\xb0\xb1",
                                        "1_0",
                                        "1.2345678.",
                                        "1.23456789.1",
                                        "12345678901234567",
                                        "-.-",
                                        "9007199254740993",
                                        "12345678:",
                                        "1234567e8",
                                        "123456789e1"};
    double number;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (read_between(texts[i], strlen(texts[i]), &number))
            fail_msg("\"%s\" read as %.17g", texts[i], number);
    }
}

/* Digits with a point somewhere and perhaps a sign. */
static void make_decimal(uint64_t *random, char *text)
{
    size_t n = draw(random) % 15 + 1, point = draw(random) % (2 * n), size = 0;
    if (draw(random) % 2)
        text[size++] = '-';
    for (size_t i = 0; i < n; i++) {
        if (i == point && n < 15)
            text[size++] = '.';
        text[size++] = (char)('0' + draw(random) % 10);
    }
    text[size] = '\0';
}

static void reads_random_decimals_as_strtod(void **state)
{
    (void)state;
    uint64_t random = 1;
    for (int i = 0; i < 2000000; i++) {
        char text[MOST + 1];
        make_decimal(&random, text);
        if (!reads(text))
            fail_msg("%s is left to others", text);
    }
}

static void reads_no_random_text_other_than_strtod(void **state)
{
    (void)state;
    static const char some[] = "0123456789.-+e \r\xff:/0123456789.0123456789";
    uint64_t random = 2;
    for (int i = 0; i < 2000000; i++) {
        char text[MOST + 1];
        size_t size = draw(&random) % (MOST + 1);
        uint64_t letters = draw(&random) % 3 ? 11 : sizeof some - 1;
        for (size_t at = 0; at < size; at++)
            text[at] = some[draw(&random) % letters];
        text[size] = '\0';
        (void)reads(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_plain_decimals),
        cmocka_unit_test(leaves_everything_else),
        cmocka_unit_test(reads_random_decimals_as_strtod),
        cmocka_unit_test(reads_no_random_text_other_than_strtod),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
