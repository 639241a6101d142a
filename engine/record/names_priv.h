/* The names of one day file: texts that repeat in every row, kept once and referred to by number.
 * Numbers count from 1 in the order of first use. */
#ifndef BINNACLE_RECORD_NAMES_PRIV_H
#define BINNACLE_RECORD_NAMES_PRIV_H

#include <stdint.h>

#include "engine/base/db.h"
#include "engine/base/slice.h"
#include "engine/base/status.h"

struct names {
    struct slice *texts; /* each its own allocation, stays where it is */
    uint32_t *slots;     /* open addressing by hash; 0: free */
    size_t n, capacity, n_slots;
};

/* All zero is empty. */
void names_free(struct names *names);
/* 0 when it is not there. */
uint32_t names_find(const struct names *names, struct slice text);
MUST_USE enum status names_add(struct names *names, struct slice text, uint32_t *id);
/* Adds those of the day file's table that are not here yet. */
MUST_USE enum status names_load(struct names *names, struct db *db, struct error *error);
/* Empty for 0 and numbers that were never given. */
struct slice names_text(const struct names *names, int64_t id);

#endif
