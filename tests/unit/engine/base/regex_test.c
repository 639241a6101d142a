/* Regular expressions, and the hashes of tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/base/clock.h"
#include "engine/base/hash.h"
#include "engine/base/regex.h"
#include "engine/base/regex_sequence.h"
#include "engine/base/thread.h"
#include "tests/unit/random.h"

static struct regex *compile(const char *pattern)
{
    struct regex *regex;
    struct error error = {0};
    if (regex_compile(pattern, &regex, &error))
        fail_msg("%s", error.message);
    return regex;
}

static void matches_only_the_whole_subject(void **state)
{
    (void)state;
    struct regex *regex = compile("user-[0-9]+|guest");
    assert_true(regex_match(regex, slice_of("user-17")));
    assert_true(regex_match(regex, slice_of("guest")));
    assert_false(regex_match(regex, slice_of("user-17 ")));
    assert_false(regex_match(regex, slice_of("xuser-17")));
    assert_false(regex_match(regex, slice_of("user-17\n")));
    assert_false(regex_match(regex, slice_make(NULL, 0)));
    assert_true(regex_match(regex, slice_make("user-17xyz", 7)));
    regex_destroy(regex);
    regex_destroy(NULL);
}

static void matches_characters_and_refuses_other_bytes(void **state)
{
    (void)state;
    struct regex *regex = compile("..");
    assert_true(regex_match(regex, slice_of("\xc3\xa9\xe2\x82\xac")));
    assert_false(regex_match(regex, slice_of("\xff\xff")));
    regex_destroy(regex);
}

static void append_any(char *out, size_t size, const char *const *parts, size_t n)
{
    size_t used = strlen(out);
    snprintf(out + used, size - used, "%s", parts[random_below(n)]);
}

/* In a group a pattern is left to PCRE2: both must say the same of any subject. */
static void simple_patterns_match_as_pcre2_has_it(void **state)
{
    (void)state;
    static const char *const parts[] = {
        "a",    "b",     "-",      "1",      "[0-9]", "[a-c]", "[ab-]",   "[a-b-c]",
        "[-a]", "[^a]",  "[]a]",   ".",      "\\d",   "a+",    "b*",      "a?",
        "1{2}", "b{1,}", "a{1,2}", "[0-9]+", "[ab]*", "a+?",   "[0-9]++", "b{,2}",
        "^",    "$",     "]",      "}",      "#",     " ",
    };
    static const char *const texts[] = {"a",  "b",        "c",    "1", "2", "-", "^", "]",
                                        "\n", "\xc3\xa9", "\xff", ",", "{", "}", "#", " "};
    int n_matches = 0, n_simple = 0;
    for (int round = 0; round < 3000; round++) {
        char pattern[128] = "", grouped[160];
        for (uint64_t i = random_below(4) + 1; i > 0; i--)
            append_any(pattern, sizeof pattern, parts, sizeof parts / sizeof *parts);
        snprintf(grouped, sizeof grouped, "(?:%s)", pattern);
        struct regex *own, *group;
        struct error error;
        if (regex_compile(pattern, &own, &error))
            continue;
        if (regex_compile(grouped, &group, &error)) {
            regex_destroy(own);
            continue; /* "a{" ")" and the like */
        }
        struct regex_sequence sequence;
        regex_sequence_read(pattern, &sequence);
        n_simple += sequence.n_steps > 0;
        for (int i = 0; i < 60; i++) {
            char text[64] = "";
            for (uint64_t j = random_below(6); j > 0; j--)
                append_any(text, sizeof text, texts, sizeof texts / sizeof *texts);
            bool expected = regex_match(group, slice_of(text));
            if (regex_match(own, slice_of(text)) != expected)
                fail_msg("\"%s\" of \"%s\": expected %d", pattern, text, expected);
            n_matches += expected && sequence.n_steps > 0;
        }
        regex_destroy(own);
        regex_destroy(group);
    }
    assert_true(n_simple > 500 && n_matches > 1000); /* it was really tried */
}

static void names_the_offset_of_a_bad_pattern(void **state)
{
    (void)state;
    struct regex *regex;
    struct error error = {0};
    assert_int_equal(regex_compile("ab(c", &regex, &error), STATUS_INVALID);
    assert_string_equal(error.message,
                        "pattern \"ab(c\": at offset 4: missing closing parenthesis");
    assert_null(regex);
}

static void bounds_the_work_of_a_hostile_subject(void **state)
{
    (void)state;
    struct regex *regex = compile("(a+)+b");
    char subject[60];
    memset(subject, 'a', sizeof subject);
    int64_t before_ns = monotonic_ns();
    assert_false(regex_match(regex, slice_make(subject, sizeof subject)));
    assert_true(monotonic_ns() - before_ns < INT64_C(2000000000));
    regex_destroy(regex);
}

static void match_often(void *context)
{
    for (int i = 0; i < 2000; i++)
        if (!regex_match(context, slice_of("user-17")) || regex_match(context, slice_of("x")))
            abort();
}

static void matches_in_many_threads_at_once(void **state)
{
    (void)state;
    struct regex *regex = compile("user-[0-9]+");
    struct thread *threads[12];
    struct error error;
    for (int i = 0; i < 12; i++)
        assert_int_equal(thread_start("match", match_often, regex, &threads[i], &error), STATUS_OK);
    for (int i = 0; i < 12; i++)
        thread_join(threads[i]);
    regex_destroy(regex);
}

/* XXH3 of the empty input, from the reference implementation's documentation of its test values. */
static void hashes_differ_by_content_and_seed(void **state)
{
    (void)state;
    assert_true(hash64("", 0, 0) == UINT64_C(0x2d06800538d394c2));
    assert_true(hash64(NULL, 0, 0) == hash64("", 0, 0));
    assert_true(hash64("abc", 3, 0) != hash64("abd", 3, 0));
    assert_true(hash64("abc", 3, 0) != hash64("abc", 3, 1));
    struct hash128 hash = hash128("", 0, 0);
    assert_true(hash.high == UINT64_C(0x99aa06d3014798d8));
    assert_true(hash.low == UINT64_C(0x6001c324468d497f));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matches_only_the_whole_subject),
        cmocka_unit_test(matches_characters_and_refuses_other_bytes),
        cmocka_unit_test(simple_patterns_match_as_pcre2_has_it),
        cmocka_unit_test(names_the_offset_of_a_bad_pattern),
        cmocka_unit_test(bounds_the_work_of_a_hostile_subject),
        cmocka_unit_test(matches_in_many_threads_at_once),
        cmocka_unit_test(hashes_differ_by_content_and_seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
