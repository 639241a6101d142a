/* Everything counted in a point of time under some labels, and what it says. */
#ifndef BINNACLE_HISTORY_SUMS_H
#define BINNACLE_HISTORY_SUMS_H

#include "engine/history/cell.h"

/* All that happened in a point of time to events of some labels, under one layout: the newest that
 * has bins. */
struct sums {
    uint64_t labels; /* those that groups are told apart by; others are LABEL_ANY */
    int index;       /* the same in every point of a reading; from 0, as they were met */
    bool there;      /* has something of this point */
    struct cell cell;
    uint64_t *older; /* HISTOGRAM_BUCKETS: latencies counted under other layouts; NULL: none */
    /* Of those, by the limits of the layout: how many are below, and how many nobody knows of. */
    uint64_t below[MAX_LATENCY_LIMITS], unknown[MAX_LATENCY_LIMITS];
};

/* The smallest value below or at which the share `quantile` lies; NaN: none measured. */
double sums_latency(const struct sums *sums, double quantile);
double sums_latency_mean(const struct sums *sums); /* NaN: none measured */
uint64_t sums_measured(const struct sums *sums);
/* Share of those below the limit; NaN: none, or what was counted does not tell. */
double sums_below(const struct sums *sums, int64_t limit_us);
/* MAX_BINS counts of a column; NULL: none. */
const uint64_t *sums_bins(const struct sums *sums, int column);

struct sums *sums_create(void); /* NULL: out of memory */
void sums_destroy(struct sums *sums);
/* Empty, under its index; the layout must be the same in every call. */
void sums_clear(struct sums *sums, uint64_t labels, const struct layout *layout);
/* False: out of memory. */
bool sums_add(struct sums *sums, const struct cell *from, unsigned sections);

#endif
