/* Arrays that grow: what is in them stays, and what cannot be had is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/base/array.h"

static void keeps_what_was_added(void **state)
{
    (void)state;
    uint32_t *numbers = NULL;
    size_t n = 0, capacity = 0;
    for (; n < 1000; n++) {
        uint32_t *grown = array_grow(numbers, n, &capacity, sizeof *numbers);
        assert_non_null(grown);
        assert_true(capacity > n);
        numbers = grown;
        numbers[n] = (uint32_t)(7 * n);
    }
    for (size_t i = 0; i < n; i++)
        assert_int_equal(numbers[i], 7 * i);
    free(numbers);
}

static void stays_where_it_is_while_there_is_room(void **state)
{
    (void)state;
    size_t capacity = 0;
    char *first = array_grow(NULL, 0, &capacity, 1);
    assert_non_null(first);
    size_t room = capacity;
    assert_ptr_equal(array_grow(first, room - 1, &capacity, 1), first);
    assert_int_equal(capacity, room);
    free(first);
}

static void more_than_memory_can_hold_leaves_all_as_it_was(void **state)
{
    (void)state;
    size_t capacity = 0;
    assert_null(array_grow(NULL, 0, &capacity, SIZE_MAX / 2));
    assert_int_equal(capacity, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_what_was_added),
        cmocka_unit_test(stays_where_it_is_while_there_is_room),
        cmocka_unit_test(more_than_memory_can_hold_leaves_all_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
