/* The bounded buffer and the arena. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/base/buffer.h"

static void grows_and_stays_terminated(void **state)
{
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 100000);
    assert_null(buffer.data);
    assert_string_equal(buffer_slice(&buffer).data, "");
    assert_true(buffer_append(&buffer, "", 0));
    assert_string_equal(buffer.data, "");
    for (int i = 0; i < 10000; i++) {
        assert_true(buffer_append_char(&buffer, 'a'));
        assert_int_equal(buffer.data[buffer.size], '\0');
    }
    assert_int_equal(strlen(buffer.data), 10000);
    buffer_reset(&buffer);
    assert_string_equal(buffer.data, "");
    assert_true(buffer_printf(&buffer, "%d-%s", 7, "x"));
    assert_true(buffer_append_slice(&buffer, slice_make("abc", 2)));
    assert_string_equal(buffer.data, "7-xab");
    buffer_free(&buffer);
    assert_int_equal(buffer.maximum, 100000);
}

static void refuses_what_does_not_fit_and_keeps_the_rest(void **state)
{
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 5);
    assert_true(buffer_append_text(&buffer, "12345"));
    assert_false(buffer.overflow);
    assert_false(buffer_append_char(&buffer, '6'));
    assert_true(buffer.overflow);
    assert_true(buffer_append(&buffer, NULL, 0));
    assert_true(buffer.overflow); /* sticky */
    assert_string_equal(buffer.data, "12345");
    assert_false(buffer_append(&buffer, "x", SIZE_MAX));
    buffer_reset(&buffer);
    assert_false(buffer.overflow);
    assert_false(buffer_printf(&buffer, "%s", "123456"));
    assert_int_equal(buffer.size, 0);
    assert_true(buffer.overflow);
    buffer_reset(&buffer);
    assert_true(buffer_printf(&buffer, "%s", "12345"));
    assert_string_equal(buffer.data, "12345");
    buffer_free(&buffer);
}

static void reserves_room_to_write_into(void **state)
{
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 1000);
    buffer_append_text(&buffer, "ab");
    char *place = buffer_reserve(&buffer, 998);
    assert_non_null(place);
    memset(place, 'x', 998);
    buffer.size += 998;
    assert_null(buffer_reserve(&buffer, 1));
    assert_true(buffer.overflow);
    assert_memory_equal(buffer.data, "abxx", 4);
    buffer_free(&buffer);
}

static void arena_gives_aligned_memory_up_to_its_maximum(void **state)
{
    (void)state;
    struct arena *arena = arena_create(1 << 16);
    char *last = NULL;
    size_t used = 0;
    for (size_t i = 1; used + ((i + 15) & ~(size_t)15) <= 1 << 16; i++) {
        char *memory = arena_alloc(arena, i);
        assert_non_null(memory);
        assert_int_equal((uintptr_t)memory % 16, 0);
        assert_ptr_not_equal(memory, last);
        memset(memory, 1, i);
        used += (i + 15) & ~(size_t)15;
        last = memory;
    }
    assert_null(arena_alloc(arena, 1 << 15));
    assert_null(arena_alloc(arena, SIZE_MAX));
    arena_reset(arena);
    assert_non_null(arena_alloc(arena, 1 << 16));
    assert_null(arena_alloc(arena, 1));
    arena_reset(arena);
    assert_non_null(arena_alloc(arena, 0));
    arena_destroy(arena);
    arena_destroy(NULL);
}

static void warm_arena_gives_the_same_memory_again(void **state)
{
    (void)state;
    struct arena *arena = arena_create(1 << 20);
    for (int i = 0; i < 100; i++)
        memset(arena_alloc(arena, 5000), 1, 5000);
    arena_reset(arena);
    char *first = arena_alloc(arena, 5000);
    for (int i = 1; i < 100; i++)
        assert_true(arena_alloc(arena, 5000) == (void *)(first + i * 5008));
    arena_reset(arena);
    assert_ptr_equal(arena_alloc(arena, 1), first);
    arena_destroy(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grows_and_stays_terminated),
        cmocka_unit_test(refuses_what_does_not_fit_and_keeps_the_rest),
        cmocka_unit_test(reserves_room_to_write_into),
        cmocka_unit_test(arena_gives_aligned_memory_up_to_its_maximum),
        cmocka_unit_test(warm_arena_gives_the_same_memory_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
