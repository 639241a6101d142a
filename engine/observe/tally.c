/* Adding the counts of two spans of time. */
#include "engine/observe/tally.h"

#include <stddef.h>

_Static_assert(sizeof(struct tally) % sizeof(uint64_t) == 0, "a tally is counts and nothing else");

void tally_add(struct tally *into, const struct tally *from)
{
    uint64_t *sums = (uint64_t *)into;
    const uint64_t *counts = (const uint64_t *)from;
    for (size_t i = 0; i < sizeof *into / sizeof *sums; i++)
        sums[i] += counts[i];
}
