/* Texts and their numbers, against a plain search. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>
#include <stdio.h>

#include "engine/base/dictionary.h"

#define N_TEXTS 3000

/* Of every length from none to ten, many sharing their beginning or their end. */
static void text_of(int i, char text[16])
{
    static const char *const frames[] = {"%d", "a%d", "%dz", "same-%d", "%05d", "\xc3\xa9%d"};
    (void)snprintf(text, 16, frames[i % 6], i / 6 % 500);
}

static int search(char (*texts)[16], int n, const char *text)
{
    for (int i = 0; i < n; i++) {
        if (slice_is(slice_of(text), texts[i]))
            return i;
    }
    return -1;
}

static void finds_what_a_search_finds(void **state)
{
    static char texts[N_TEXTS][16];
    struct dictionary *dictionary = dictionary_create(N_TEXTS);
    (void)state;
    for (int i = 0; i < N_TEXTS; i++) {
        text_of(i, texts[i]);
        if (i % 2 == 0) /* every other one is known, some of them twice */
            assert_true(dictionary_add(dictionary, slice_of(texts[i])));
    }
    static char known[N_TEXTS][16];
    int n = 0;
    for (int i = 0; i < N_TEXTS; i += 2)
        memcpy(known[n++], texts[i], sizeof known[0]);
    for (int i = 0; i < N_TEXTS; i++)
        assert_int_equal(dictionary_find(dictionary, slice_of(texts[i])),
                         search(known, n, texts[i]));
    dictionary_destroy(dictionary);
}

static void sizes_are_told_apart(void **state)
{
    static const char zeros[12] = {0};
    struct dictionary *dictionary = dictionary_create(12);
    (void)state;
    for (size_t size = 0; size < 12; size++)
        assert_true(dictionary_add(dictionary, slice_make(zeros, size)));
    for (size_t size = 0; size < 12; size++)
        assert_int_equal(dictionary_find(dictionary, slice_make(zeros, size)), size);
    assert_false(dictionary_add(dictionary, slice_of("one too many")));
    assert_int_equal(dictionary_find(dictionary, slice_of("one too many")), -1);
    dictionary_destroy(dictionary);
    assert_null(dictionary_create((size_t)DICTIONARY_MAX + 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_a_search_finds),
        cmocka_unit_test(sizes_are_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
