/* Where a column's values lie: bins cut at the quantiles of a reference, one below and one above
 * its range, one for missing values. Counts per bin add; drift compares them with the reference's.
 */
#ifndef BINNACLE_OBSERVE_BINS_H
#define BINNACLE_OBSERVE_BINS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/status.h"

#define MAX_VALUE_BINS 10
#define MAX_EDGES      (MAX_VALUE_BINS + 1)
#define MAX_BINS       (MAX_VALUE_BINS + 3)
#define MISSING_BIN    (MAX_BINS - 1)
#define MAX_COLUMNS    128

/* The cuts of one column. Bin i holds (edges[i-1], edges[i]]; bin 0 everything up to the first
 * edge, which is just below the reference's smallest value; bin n_edges everything above the last,
 * which is its largest. Without any finite value there are no edges, and one bin. */
struct binning {
    int n_edges; /* 0, or 2 to MAX_EDGES */
    float edges[MAX_EDGES];
    uint64_t reference[MAX_BINS]; /* counts of the reference */
    uint64_t n_reference;
    bool few; /* each value of the reference has a bin of its own */
};

/* Cuts at the quantiles k/n_bins of `values` (NaN: missing; the array is sorted in place) and at
 * the ends of their finite range. Where there are at most n_bins different values each gets a bin
 * of its own, so that rare ones of a flag or a one-hot column are seen too; equal cuts are made
 * once. n_bins from 2 to MAX_VALUE_BINS. */
void binning_make(struct binning *binning, float *values, size_t n, int n_bins);
/* The bin of a value: 0 to n_edges, or MISSING_BIN. */
uint8_t binning_find(const struct binning *binning, float value);
/* Whether a bin can hold something: of those that a binning has. */
static inline bool binning_has(const struct binning *binning, int bin)
{
    return bin <= binning->n_edges || bin == MISSING_BIN;
}
/* Whether a bin lies outside the reference's range. */
static inline bool binning_outside(const struct binning *binning, int bin)
{
    return binning->n_edges > 0 && (bin == 0 || bin == binning->n_edges);
}

#define BIN_LABEL_SIZE 64
/* "[1, 2]", "(2, 5]", "< 1", "> 5", "(missing)", "(any)". */
void binning_label(const struct binning *binning, int bin, char out[BIN_LABEL_SIZE]);

/* The edges of all columns edge by edge, so that a row of values is compared with them column
 * beside column; edges that a column has not are infinite. */
struct bin_finder {
    int n_columns;
    void (*row)(const struct bin_finder *finder, const float *values, uint8_t *bins);
    float edges[MAX_EDGES][MAX_COLUMNS];
};
void bin_finder_make(struct bin_finder *finder, const struct binning *binnings, int n_columns);

/* Columns that are looked at together. */
#define BIN_FINDER_STEP 8
/* The bins of a row of n_columns values. Both arrays are as long as the next multiple of
 * BIN_FINDER_STEP: what is beyond the columns is read and written, and means nothing. */
static inline void bin_finder_row(const struct bin_finder *finder, const float *values,
                                  uint8_t *bins)
{
    finder->row(finder, values, bins);
}

#endif
