/* MT19937 after M. Matsumoto and T. Nishimura, "Mersenne Twister: a 623-dimensionally
 * equidistributed uniform pseudo-random number generator", ACM TOMACS 8 (1998), with their seeding
 * of 2002. Above it the draws that CPython (masked top bits, rejected above n) and numpy's legacy
 * generator (masked low bits, rejected above the maximum) make of it. Any thread, one a twister. */
#include "engine/stats/twister.h"

#include <math.h>

#define MIDDLE 397

static void seed_words(struct twister *twister, uint32_t seed)
{
    uint32_t *words = twister->words;
    words[0] = seed;
    for (uint32_t i = 1; i < TWISTER_WORDS; i++)
        words[i] = 1812433253u * (words[i - 1] ^ (words[i - 1] >> 30)) + i;
    twister->next = TWISTER_WORDS;
}

void twister_seed_numpy(struct twister *twister, uint32_t seed)
{
    seed_words(twister, seed);
}

/* Words 1 to 623 one after the other; word 0 follows the last one. */
static uint32_t step(uint32_t *words, uint32_t at)
{
    if (++at < TWISTER_WORDS)
        return at;
    words[0] = words[TWISTER_WORDS - 1];
    return 1;
}

/* Seeding by an array of one or two words: CPython takes a seed of up to 32 bits as one. */
void twister_seed_python(struct twister *twister, uint64_t seed)
{
    const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    const uint32_t n_keys = key[1] ? 2 : 1;
    uint32_t *words = twister->words, at = 1, j = 0;
    seed_words(twister, 19650218u);
    for (int left = TWISTER_WORDS; left > 0; left--) {
        words[at] = (words[at] ^ ((words[at - 1] ^ (words[at - 1] >> 30)) * 1664525u)) + key[j] + j;
        at = step(words, at);
        j = (j + 1) % n_keys;
    }
    for (int left = TWISTER_WORDS - 1; left > 0; left--) {
        words[at] = (words[at] ^ ((words[at - 1] ^ (words[at - 1] >> 30)) * 1566083941u)) - at;
        at = step(words, at);
    }
    words[0] = 0x80000000u;
}

static void refill(struct twister *twister)
{
    uint32_t *words = twister->words;
    for (unsigned i = 0; i < TWISTER_WORDS; i++) {
        uint32_t both = (words[i] & 0x80000000u) | (words[(i + 1) % TWISTER_WORDS] & 0x7fffffffu);
        words[i] = words[(i + MIDDLE) % TWISTER_WORDS] ^ (both >> 1) ^ (both & 1 ? 0x9908b0dfu : 0);
    }
    twister->next = 0;
}

uint32_t twister_next(struct twister *twister)
{
    if (twister->next >= TWISTER_WORDS)
        refill(twister);
    uint32_t bits = twister->words[twister->next++];
    bits ^= bits >> 11;
    bits ^= (bits << 7) & 0x9d2c5680u;
    bits ^= (bits << 15) & 0xefc60000u;
    return bits ^ (bits >> 18);
}

static unsigned bit_length(uint32_t number)
{
    unsigned bits = 0;
    for (; number; number >>= 1)
        bits++;
    return bits;
}

/* A number below n, as `Random._randbelow(n)`; n is 1 to 2^32 - 1. */
static uint32_t below_python(struct twister *twister, uint32_t n)
{
    unsigned shift = 32 - bit_length(n);
    uint32_t drawn;
    do
        drawn = twister_next(twister) >> shift;
    while (drawn >= n);
    return drawn;
}

uint32_t twister_upto_numpy(struct twister *twister, uint32_t maximum)
{
    if (maximum == 0)
        return 0;
    uint32_t mask = UINT32_MAX >> (32 - bit_length(maximum)), drawn;
    do
        drawn = twister_next(twister) & mask;
    while (drawn > maximum);
    return drawn;
}

void twister_shuffle_numpy(struct twister *twister, size_t *values, size_t n)
{
    for (size_t i = n; i-- > 1;) {
        size_t other = twister_upto_numpy(twister, (uint32_t)i), value = values[i];
        values[i] = values[other];
        values[other] = value;
    }
}

/* CPython takes from a pool of all numbers while that is smaller than a set of the sample. */
static uint32_t largest_pool(uint32_t k)
{
    return k <= 5 ? 21 : 21 + (uint32_t)pow(4, ceil(log((double)k * 3) / log(4)));
}

void twister_sample_python(struct twister *twister, uint32_t n, uint32_t k, uint32_t *out,
                           uint32_t *pool)
{
    for (uint32_t i = 0; i < n; i++)
        pool[i] = i;
    if (n <= largest_pool(k)) {
        for (uint32_t i = 0; i < k; i++) {
            uint32_t at = below_python(twister, n - i);
            out[i] = pool[at];
            pool[at] = pool[n - i - 1];
        }
        return;
    }
    for (uint32_t i = 0; i < k; i++) {
        uint32_t at;
        do
            at = below_python(twister, n);
        while (pool[at] == UINT32_MAX); /* taken before */
        pool[at] = UINT32_MAX;
        out[i] = at;
    }
}
