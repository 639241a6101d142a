/* Twice the room each time it is full, so that adding costs the same on average however many. */
#include "engine/base/array.h"

#include <stdint.h>
#include <stdlib.h>

#define FIRST_ITEMS 16

void *array_grow(void *items, size_t n, size_t *capacity, size_t size)
{
    if (n < *capacity)
        return items;
    size_t larger = *capacity ? 2 * *capacity : FIRST_ITEMS;
    if (larger > PTRDIFF_MAX / size)
        return NULL;
    void *grown = realloc(items, larger * size);
    if (grown)
        *capacity = larger;
    return grown;
}
