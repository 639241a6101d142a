/* Typed words find their view; the table has a key for each. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "ui/view/views.h"

static void finds_a_view_by_its_id_or_a_beginning_that_only_it_has(void **state)
{
    (void)state;
    assert_int_equal(view_find("slo"), VIEW_SLO);
    assert_int_equal(view_find("SLO"), VIEW_SLO);
    assert_int_equal(view_find("tr"), VIEW_TRAFFIC);
    assert_int_equal(view_find("d"), -2);
    assert_int_equal(view_find("dr"), VIEW_DRIFT);
    assert_int_equal(view_find("x"), -1);
    assert_int_equal(view_find(""), -1);
}

static void every_view_has_an_id_and_a_key_of_its_own(void **state)
{
    (void)state;
    for (int i = 0; i < VIEW_COUNT; i++) {
        assert_int_equal(view_entries[i].key, i < 9 ? '1' + i : '0');
        for (int j = 0; j < i; j++)
            assert_string_not_equal(view_entries[i].id, view_entries[j].id);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_a_view_by_its_id_or_a_beginning_that_only_it_has),
        cmocka_unit_test(every_view_has_an_id_and_a_key_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
