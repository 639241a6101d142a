/* Arrays that grow by one at a time. The owner keeps items, count and capacity in its own struct.
 */
#ifndef BINNACLE_BASE_ARRAY_H
#define BINNACLE_BASE_ARRAY_H

#include <stddef.h>

/* Room for one more item of `size` bytes behind the first `n` of an array from malloc() that has
 * room for *capacity; NULL and 0 before the first. Returns where the items are now. NULL: out of
 * memory, the array and *capacity are as they were. Any thread; the array is the caller's. */
void *array_grow(void *items, size_t n, size_t *capacity, size_t size);

#endif
