/* How often one caller may ask: a bucket of tokens for each, filled again at a steady pace. */
#ifndef BINNACLE_BASE_RATE_H
#define BINNACLE_BASE_RATE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/slice.h"

/* What one caller has after asking. */
struct rate_state {
    int64_t quota;     /* requests that may come at once after a rest */
    int64_t window_s;  /* in which as many come back */
    int64_t remaining; /* that may come now */
    int64_t full_s;    /* until the quota is whole again */
    int64_t wait_s;    /* until the next may come; 0: now */
};

/* Any thread. Remembers the 4,096 callers that asked most in bounded memory; a forgotten one
 * begins with a whole quota. NULL: out of memory. quota and window_s are at least 1. */
struct rate;
struct rate *rate_create(int64_t quota, int64_t window_s);
void rate_destroy(struct rate *rate); /* NULL is ignored */

/* One request of `caller` at now_ns (any clock that does not go back). False: it has no token left,
 * and state->wait_s says how long. */
bool rate_take(struct rate *rate, struct slice caller, int64_t now_ns, struct rate_state *state);

#endif
