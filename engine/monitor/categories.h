/* How often each text occurs. */
#ifndef BINNACLE_MONITOR_CATEGORIES_H
#define BINNACLE_MONITOR_CATEGORIES_H

#include <stddef.h>
#include <stdint.h>

#include "engine/base/slice.h"
#include "engine/base/status.h"

struct category {
    struct slice text; /* the list's */
    uint64_t count;
};

/* Owns nothing until something is added; zeroed is empty. One thread. */
struct categories {
    struct category *list; /* in the order in which they came, until categories_sort() */
    size_t n, capacity;
    uint32_t *table; /* places in the list, by hash; n_places of them, a power of two */
    size_t n_places;
    struct text_block *blocks; /* what holds the texts */
};

/* STATUS_MEMORY: memory or four thousand million texts ran out. */
MUST_USE enum status categories_add(struct categories *categories, struct slice text,
                                    uint64_t count);
/* Puts them into the order of their bytes; nothing can be added or found after. */
void categories_sort(struct categories *categories);
void categories_free(struct categories *categories);

#endif
