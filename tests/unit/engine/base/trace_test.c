/* traceparent, with the valid and invalid examples of the W3C recommendation's section 3.2. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "engine/base/trace.h"

#define EXAMPLE "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

static void keeps_the_callers_trace_under_a_new_span(void **state)
{
    (void)state;
    struct trace trace;
    char text[TRACE_TEXT_SIZE];
    assert_int_equal(trace_begin(EXAMPLE, &trace), STATUS_OK);
    assert_true(trace.adopted);
    trace_format(&trace, text);
    assert_memory_equal(text, EXAMPLE, 36);
    assert_memory_not_equal(text + 36, EXAMPLE + 36, 16);
    assert_string_equal(text + 52, "-01");
}

static void starts_a_trace_of_its_own_for_nonsense(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        NULL,
        "",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "0-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
        "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01.more",
        "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319g-b7ad6b7169203331-01",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct trace trace, other, again;
        char text[TRACE_TEXT_SIZE];
        assert_int_equal(trace_begin(wrong[i], &trace), STATUS_OK);
        assert_false(trace.adopted);
        assert_int_equal(trace_begin(wrong[i], &other), STATUS_OK);
        assert_memory_not_equal(trace.id, other.id, sizeof trace.id);
        assert_true(trace_parse(slice_of(trace_format(&trace, text)), &again));
        assert_memory_equal(again.id, trace.id, sizeof trace.id);
    }
}

static void reads_later_versions_by_their_first_four_fields(void **state)
{
    (void)state;
    struct trace trace;
    assert_true(trace_parse(
        slice_of("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what-comes-later"),
        &trace));
    assert_int_equal(trace.id[0], 0x0a);
    assert_int_equal(trace.flags, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_the_callers_trace_under_a_new_span),
        cmocka_unit_test(starts_a_trace_of_its_own_for_nonsense),
        cmocka_unit_test(reads_later_versions_by_their_first_four_fields),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
