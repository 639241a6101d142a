/* Counting different values by the longest run of zeros among their hashes. Pure. */
#include "engine/observe/sketch.h"

#include <math.h>

#define INDEX_BITS 8
#define ALPHA      (0.7213 / (1 + 1.079 / SKETCH_SIZE))

void sketch_add(struct sketch *sketch, uint64_t hash)
{
    uint64_t rest = hash << INDEX_BITS | (UINT64_C(1) << (INDEX_BITS - 1));
    uint8_t rank = (uint8_t)(__builtin_clzll(rest) + 1);
    uint8_t *place = &sketch->registers[hash >> (64 - INDEX_BITS)];
    *place = rank > *place ? rank : *place;
}

void sketch_merge(struct sketch *into, const struct sketch *from)
{
    for (int i = 0; i < SKETCH_SIZE; i++) {
        if (from->registers[i] > into->registers[i])
            into->registers[i] = from->registers[i];
    }
}

double sketch_count(const struct sketch *sketch)
{
    double sum = 0;
    int empty = 0;
    for (int i = 0; i < SKETCH_SIZE; i++) {
        sum += exp2(-(double)sketch->registers[i]);
        empty += sketch->registers[i] == 0;
    }
    double estimate = ALPHA * SKETCH_SIZE * SKETCH_SIZE / sum;
    if (estimate <= 2.5 * SKETCH_SIZE && empty > 0)
        return SKETCH_SIZE * log((double)SKETCH_SIZE / empty);
    return estimate;
}
