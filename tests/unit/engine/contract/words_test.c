/* Numbers of words, against a walk over the list. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "engine/contract/words_priv.h"

#define WORDS 300

static void has_its_words_and_no_others(void **state)
{
    (void)state;
    static char texts[WORDS][24];
    const char *words[WORDS];
    for (int i = 0; i < WORDS; i++) { /* of 0 to 20 bytes, many alike but for one byte */
        snprintf(texts[i], sizeof texts[i], "%.*s%d", i % 18, "abcdefghijklmnopqr", i % 97);
        words[i] = texts[i];
    }
    words[0] = "";
    struct words *set = words_create(words, WORDS);
    assert_non_null(set);
    for (int i = 0; i < WORDS; i++) {
        char text[24];
        snprintf(text, sizeof text, "%s", words[i]);
        size_t size = strlen(text);
        assert_int_equal(words_find(set, slice_make(text, size)), i + 1);
        for (size_t at = 0; at <= size; at++) {
            char other[25];
            memcpy(other, text, sizeof text);
            other[at]++; /* also the zero behind: one byte longer */
            struct slice asked = slice_make(other, at == size ? size + 1 : size);
            uint32_t expected = 0;
            for (uint32_t j = 0; j < WORDS && expected == 0; j++)
                expected = slice_is(asked, words[j]) ? j + 1 : 0;
            assert_int_equal(words_find(set, asked), expected);
        }
    }
    words_destroy(set);
}

static void a_word_that_comes_twice_has_one_number(void **state)
{
    (void)state;
    static const char *const words[] = {"a", "b", "a", "longer than eight bytes", "b"};
    struct words *set = words_create(words, 5);
    assert_non_null(set);
    assert_int_equal(words_find(set, slice_of("a")), 1);
    assert_int_equal(words_find(set, slice_of("b")), 2);
    assert_int_equal(words_find(set, slice_of("longer than eight bytes")), 3);
    words_destroy(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_its_words_and_no_others),
        cmocka_unit_test(a_word_that_comes_twice_has_one_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
