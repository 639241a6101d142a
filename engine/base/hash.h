/* Hashes that are not secret: for tables, sampling and shards (XXH3). */
#ifndef BINNACLE_BASE_HASH_H
#define BINNACLE_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "engine/base/slice.h"

struct hash128 {
    uint64_t low, high;
};

uint64_t hash64(const void *data, size_t size, uint64_t seed);
struct hash128 hash128(const void *data, size_t size, uint64_t seed);

#endif
