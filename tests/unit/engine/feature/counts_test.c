/* Counts of hashes against an array of counters, with hashes that collide in the table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/feature/counts_priv.h"

#define N_HASHES 60

/* Few low bits in use: long runs of cells, also around the table's end. */
static uint64_t hash_of(uint32_t i)
{
    return ((uint64_t)(i + 1) << 32) | (0xFFFFFFF8U + i % 11);
}

static void forgets_exactly_what_was_taken_away(void **unused)
{
    (void)unused;
    struct counts counts = {0};
    uint32_t wanted[N_HASHES] = {0}, used = 0;
    uint64_t state = 1;
    for (int step = 0; step < 200000; step++) {
        state = state * 6364136223846793005U + 1442695040888963407U;
        uint32_t i = (uint32_t)(state >> 33) % N_HASHES;
        if ((state >> 60) % 2 && wanted[i] < 3) {
            assert_true(counts_add(&counts, NULL, hash_of(i)));
            used += wanted[i]++ == 0;
        } else if (wanted[i] > 0) {
            counts_remove(&counts, hash_of(i));
            used -= --wanted[i] == 0;
        }
        assert_int_equal(counts.used, used);
    }
    for (uint32_t i = 0; i < N_HASHES; i++)
        for (; wanted[i] > 0; wanted[i]--)
            counts_remove(&counts, hash_of(i));
    assert_int_equal(counts.used, 0);
    for (uint32_t i = 0; i < counts.capacity; i++)
        assert_true(counts.cells[i].hash == 0);
    counts_free(&counts, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forgets_exactly_what_was_taken_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
