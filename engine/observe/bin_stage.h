/* Counting rows of bins, all columns at once. A stage holds up to BIN_STAGE_ROWS rows in bytes,
 * bin by bin and column beside column, so that a row is added by a few vector instructions; then it
 * is poured into counts that are wide enough for any number. */
#ifndef BINNACLE_OBSERVE_BIN_STAGE_H
#define BINNACLE_OBSERVE_BIN_STAGE_H

#include <stddef.h>
#include <stdint.h>

#include "engine/observe/bins.h"

#define BIN_STAGE_ROWS  255
#define BIN_STAGE_STEP  32 /* columns that are counted together: rows of codes are whole steps */
#define BIN_STAGE_BYTES ((size_t)MAX_BINS * MAX_COLUMNS) /* of any number of columns */

/* Bytes of a row of codes, and of a stage, for so many columns. */
static inline size_t bin_stage_width(int n_columns)
{
    return ((size_t)n_columns + BIN_STAGE_STEP - 1) / BIN_STAGE_STEP * BIN_STAGE_STEP;
}

static inline size_t bin_stage_size(int n_columns)
{
    return MAX_BINS * bin_stage_width(n_columns);
}

/* Counts a row into a stage of bin_stage_size(n_columns) bytes, all zero at first; at most
 * BIN_STAGE_ROWS times. Codes that are no bin (NO_BIN) count nowhere. */
void bin_stage_add(uint8_t *stage, const uint8_t *codes, int n_columns);

/* Adds what a stage holds to counts of n_columns times MAX_BINS, and empties it. */
void bin_stage_pour(uint8_t *stage, int n_columns, uint64_t *counts);
void bin_stage_pour32(uint8_t *stage, int n_columns, uint32_t (*counts)[MAX_BINS]);

#endif
