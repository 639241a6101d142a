/* Random numbers for tests, the same ones in every run: xorshift64 (Marsaglia 2003). */
#ifndef BINNACLE_TESTS_RANDOM_H
#define BINNACLE_TESTS_RANDOM_H

#include <stdint.h>

static uint64_t random_state = 88172645463325252u; /* any but 0 */

static inline uint64_t random_bits(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

/* 0 to n - 1; the lower bits of a shift register are the worse ones. */
static inline uint64_t random_below(uint64_t n)
{
    return (random_bits() >> 11) % n;
}

/* 0 to just under 1. */
static inline double random_ratio(void)
{
    return (double)(random_bits() >> 11) * 0x1p-53;
}

#endif
