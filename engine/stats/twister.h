/* The Mersenne Twister MT19937, with the seeding and the draws of CPython's `random` and of numpy's
 * `RandomState`, so that samples drawn by those tools can be drawn again. */
#ifndef BINNACLE_STATS_TWISTER_H
#define BINNACLE_STATS_TWISTER_H

#include <stddef.h>
#include <stdint.h>

#define TWISTER_WORDS 624

/* One stream of numbers; owns nothing. One thread at a time. */
struct twister {
    uint32_t words[TWISTER_WORDS];
    unsigned next;
};

/* As `random.Random(seed)` of CPython 3. */
void twister_seed_python(struct twister *twister, uint64_t seed);
/* As `numpy.random.RandomState(seed)`. */
void twister_seed_numpy(struct twister *twister, uint32_t seed);
/* The next 32 bits. */
uint32_t twister_next(struct twister *twister);

/* A number from 0 to `maximum`, as `RandomState.randint(0, maximum + 1)` draws it. */
uint32_t twister_upto_numpy(struct twister *twister, uint32_t maximum);
/* `values` in a new order, as `RandomState.shuffle`. At most 2^32 - 1 values. */
void twister_shuffle_numpy(struct twister *twister, size_t *values, size_t n);
/* k different numbers below n into `out`, as `Random.sample(range(n), k)`. k <= n; `pool` has room
 * for n numbers and is overwritten. */
void twister_sample_python(struct twister *twister, uint32_t n, uint32_t k, uint32_t *out,
                           uint32_t *pool);

#endif
