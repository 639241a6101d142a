/* Pseudo-random numbers for synthetic data: the same on every machine for the same seed. */
#include <math.h>

#include "engine/event/producer_priv.h"

static uint64_t rotate(uint64_t word, int by)
{
    return word << by | word >> (64 - by);
}

void chance_seed(struct chance *chance, uint64_t seed)
{
    for (int i = 0; i < 4; i++) {
        seed += UINT64_C(0x9E3779B97F4A7C15); /* splitmix64 */
        uint64_t word = seed;
        word = (word ^ word >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
        word = (word ^ word >> 27) * UINT64_C(0x94D049BB133111EB);
        chance->state[i] = word ^ word >> 31;
    }
}

uint64_t chance_bits(struct chance *chance)
{
    uint64_t *state = chance->state;
    uint64_t result = rotate(state[1] * 5, 7) * 9;
    uint64_t shifted = state[1] << 17;
    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= shifted;
    state[3] = rotate(state[3], 45);
    return result;
}

double chance_share(struct chance *chance)
{
    return (double)(chance_bits(chance) >> 11) * 0x1p-53;
}

double chance_between(struct chance *chance, double low, double high)
{
    return low + (high - low) * chance_share(chance);
}

int chance_below(struct chance *chance, int n)
{
    return (int)(chance_share(chance) * n);
}

double chance_normal(struct chance *chance)
{
    /* G. E. P. Box and M. E. Muller, 1958; the second of the pair is not kept. */
    double radius = sqrt(-2 * log(1 - chance_share(chance)));
    return radius * cos(2 * 3.14159265358979323846 * chance_share(chance));
}

double chance_exponential(struct chance *chance)
{
    return -log(1 - chance_share(chance));
}

bool chance_happens(struct chance *chance, double probability)
{
    return chance_share(chance) < probability;
}
