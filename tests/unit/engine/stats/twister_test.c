/* The Mersenne Twister as CPython 3.11 and numpy 2.4 seed it and draw from it; the numbers are
 * theirs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/stats/twister.h"

static void draws_what_cpython_draws(void **state)
{
    (void)state;
    static const struct {
        uint64_t seed;
        uint32_t bits[3], pooled[5], large[3], larger[3];
    } cases[] = {
        {0,
         {3626764237u, 1654615998u, 3255389356u},
         {49, 53, 5, 33, 65},
         {97, 633, 818},
         {751, 604, 648}},
        {42,
         {2746317213u, 478163327u, 107420369u},
         {14, 3, 35, 31, 28},
         {733, 665, 718},
         {674, 441, 362}},
        {(1ull << 40) + 7,
         {2635837658u, 3209733218u, 3500038837u},
         {60, 32, 16, 66, 48},
         {455, 768, 608},
         {865, 707, 996}},
    };
    uint32_t out[300], pool[1000];
    struct twister twister;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        twister_seed_python(&twister, cases[i].seed);
        for (int k = 0; k < 3; k++)
            assert_int_equal(twister_next(&twister), cases[i].bits[k]);
        twister_seed_python(&twister, cases[i].seed);
        twister_sample_python(&twister, 70, 5, out, pool);
        assert_memory_equal(out, cases[i].pooled, sizeof cases[i].pooled);
        twister_seed_python(&twister, cases[i].seed);
        twister_sample_python(&twister, 1000, 30, out, pool); /* drawn again where taken before */
        assert_memory_equal(out + 27, cases[i].large, sizeof cases[i].large);
        twister_seed_python(&twister, cases[i].seed);
        twister_sample_python(&twister, 1000, 300, out, pool); /* from a pool */
        assert_memory_equal(out + 297, cases[i].larger, sizeof cases[i].larger);
    }
}

static void draws_what_numpy_draws(void **state)
{
    (void)state;
    static const size_t permutation[] = {8, 1, 5, 0, 7, 2, 9, 4, 3, 6};
    static const uint32_t numbers[] = {466, 214, 330, 458, 87};
    size_t values[10];
    struct twister twister;
    for (size_t i = 0; i < 10; i++)
        values[i] = i;
    twister_seed_numpy(&twister, 42);
    twister_shuffle_numpy(&twister, values, 10);
    assert_memory_equal(values, permutation, sizeof permutation);
    for (int i = 0; i < 5; i++)
        assert_int_equal(twister_upto_numpy(&twister, 999), numbers[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(draws_what_cpython_draws),
        cmocka_unit_test(draws_what_numpy_draws),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
