/* The counts of one span of time. All of them add, so any longer span is a sum of shorter ones. */
#ifndef BINNACLE_OBSERVE_TALLY_H
#define BINNACLE_OBSERVE_TALLY_H

#include <stdint.h>

#include "engine/observe/snapshot.h"

#define MAX_LATENCY_LIMITS 4
#define MAX_CUSTOM         8 /* objectives that expressions define */

struct tally {
    uint64_t accepted, quarantined, duplicates, errors;
    uint64_t decisions[DECISION_COUNT];
    uint64_t arms[MAX_ARMS]; /* scored by each arm, shadows included */
    uint64_t score_bins[SCORE_BINS];
    uint64_t measured;                      /* decisions whose latency is known */
    uint64_t slow[MAX_LATENCY_LIMITS];      /* of those, over each limit of the options */
    uint64_t fresh_minutes, stale_minutes;  /* judged when a minute is over */
    uint64_t steady_slices, drifted_slices; /* judged when a slice of five minutes is over */
    uint64_t custom_counted[MAX_CUSTOM], custom_bad[MAX_CUSTOM]; /* as expressions say */
};

/* Adds every count of `from`. */
void tally_add(struct tally *into, const struct tally *from);

#endif
