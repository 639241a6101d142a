/* Pieces of memory: nobody else writes into one, they are aligned, and come back when given. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/pool.h"

#define N_PIECES 3000

struct held {
    unsigned char *piece;
    size_t size;
    unsigned char mark;
};

static void check_and_give(struct pool *pool, struct held *held)
{
    for (size_t i = 0; i < held->size; i++)
        assert_int_equal(held->piece[i], held->mark);
    pool_give(pool, held->piece, held->size);
    held->piece = NULL;
}

static void pieces_that_come_and_go_keep_what_was_written_into_them(void **unused)
{
    (void)unused;
    struct pool *pool = pool_create();
    struct held *held = calloc(N_PIECES, sizeof *held);
    uint64_t state = 1;
    assert_non_null(pool);
    assert_non_null(held);
    for (int step = 0; step < 40000; step++) {
        state = state * 6364136223846793005U + 1442695040888963407U;
        struct held *one = &held[(state >> 33) % N_PIECES];
        if (one->piece)
            check_and_give(pool, one);
        size_t most = step % 50 ? 700 : 3 * POOL_MAX_PIECE; /* some beyond what the pool holds */
        one->size = 1 + (size_t)(state >> 20) % most;
        one->mark = (unsigned char)step;
        one->piece = pool_take(pool, one->size);
        assert_non_null(one->piece);
        assert_int_equal((uintptr_t)one->piece % 16, 0);
        memset(one->piece, one->mark, one->size);
    }
    for (size_t i = 0; i < N_PIECES; i++)
        if (held[i].piece)
            check_and_give(pool, &held[i]);
    free(held);
    pool_destroy(pool);
}

static void every_size_has_room_and_pieces_of_a_size_lie_apart(void **unused)
{
    (void)unused;
    struct pool *pool = pool_create();
    for (size_t size = 1; size <= POOL_MAX_PIECE; size++) {
        unsigned char *a = pool_take(pool, size), *b = pool_take(pool, size);
        assert_true(a + size <= b || b + size <= a);
        memset(a, 1, size);
        memset(b, 2, size);
        assert_int_equal(a[size - 1], 1);
        pool_give(pool, a, size);
        pool_give(pool, b, size);
    }
    pool_destroy(pool);
}

static void what_was_given_back_serves_the_next_of_its_size(void **unused)
{
    (void)unused;
    struct pool *pool = pool_create();
    void *first = pool_take(pool, 300);
    pool_give(pool, first, 300);
    assert_ptr_equal(pool_take(pool, 310), first);
    assert_ptr_not_equal(pool_take(pool, 310), first);
    pool_destroy(pool);
}

static void without_a_pool_it_is_malloc(void **unused)
{
    (void)unused;
    void *piece = pool_take(NULL, 100);
    assert_non_null(piece);
    pool_give(NULL, piece, 100);
    pool_give(NULL, NULL, 1);
    pool_destroy(NULL);
}

static void large_memory_is_zeroed_whatever_its_size(void **unused)
{
    (void)unused;
    static const size_t sizes[] = {1, 4096, 100000, (size_t)2 << 20, ((size_t)5 << 20) + 1};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        unsigned char *memory = pool_map(sizes[i]);
        assert_non_null(memory);
        for (size_t at = 0; at < sizes[i]; at += 512)
            assert_int_equal(memory[at], 0);
        memset(memory, 7, sizes[i]);
        pool_unmap(memory, sizes[i]);
    }
    pool_unmap(NULL, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_that_come_and_go_keep_what_was_written_into_them),
        cmocka_unit_test(every_size_has_room_and_pieces_of_a_size_lie_apart),
        cmocka_unit_test(what_was_given_back_serves_the_next_of_its_size),
        cmocka_unit_test(without_a_pool_it_is_malloc),
        cmocka_unit_test(large_memory_is_zeroed_whatever_its_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
