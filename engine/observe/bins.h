/* Where a column's values lie: bins cut at the quantiles of a reference sample, plus one bin for
 * missing values. Counts per bin add; drift compares them with the reference's. */
#ifndef BINNACLE_OBSERVE_BINS_H
#define BINNACLE_OBSERVE_BINS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/status.h"

#define MAX_VALUE_BINS 10
#define MAX_BINS       (MAX_VALUE_BINS + 1) /* the last one: missing */
#define MAX_COLUMNS    128

/* The cuts of one column. Bin i holds (edges[i-1], edges[i]]; the last value bin everything above
 * the last edge; bin MAX_BINS - 1 the missing values. */
struct binning {
    int n_edges; /* 0 to MAX_VALUE_BINS - 1 */
    float edges[MAX_VALUE_BINS - 1];
    uint64_t reference[MAX_BINS]; /* counts of the reference sample */
    uint64_t n_reference;
};

/* Cuts at the quantiles k/n_bins of `values` (NaN: missing; the array is sorted in place). Where
 * there are at most n_bins different values each gets a bin of its own, so that rare ones of a flag
 * or a one-hot column are seen too; equal cuts are made once. n_bins from 2 to MAX_VALUE_BINS. */
void binning_make(struct binning *binning, float *values, size_t n, int n_bins);
/* The bin of a value: 0 to n_edges, or MAX_BINS - 1 when it is missing. */
uint8_t binning_find(const struct binning *binning, float value);

/* The edges of all columns edge by edge, so that a row of values is compared with them column
 * beside column; edges that a column has not are infinite. */
struct bin_finder {
    int n_columns;
    void (*row)(const struct bin_finder *finder, const float *values, uint8_t *bins);
    float edges[MAX_VALUE_BINS - 1][MAX_COLUMNS];
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
