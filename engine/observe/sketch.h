/* How many different values there were, about, in 256 bytes: HyperLogLog (Flajolet, Fusy, Gandouet
 * and Meunier 2007) with linear counting for few. Standard error 6.5 %. Sketches of two spans merge
 * into that of both. */
#ifndef BINNACLE_OBSERVE_SKETCH_H
#define BINNACLE_OBSERVE_SKETCH_H

#include <stdint.h>

#define SKETCH_SIZE 256

struct sketch {
    uint8_t registers[SKETCH_SIZE];
};

void sketch_add(struct sketch *sketch, uint64_t hash);
void sketch_merge(struct sketch *into, const struct sketch *from);
double sketch_count(const struct sketch *sketch);

#endif
