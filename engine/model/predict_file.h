/* Scoring a CSV file with a model: the work behind `binnacle predict`. */
#ifndef BINNACLE_MODEL_PREDICT_FILE_H
#define BINNACLE_MODEL_PREDICT_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "engine/base/status.h"
#include "engine/model/model.h"

struct predict_options {
    bool margin;         /* margins instead of scores */
    bool contribs;       /* CSV of contributions with a header, margin units */
    bool best_iteration; /* only the rounds up to the attribute best_iteration */
    /* Told about columns taken by position or left unused, one line each; may be NULL. */
    void (*warn)(void *context, const char *message);
    /* Told after each batch: bytes consumed and the (compressed) file's size, 0 if unknown. */
    void (*progress)(void *context, int64_t position, int64_t size);
    void *context;
};

/* Reads numeric CSV with a header from `path` (.gz by name, "-": standard input) and writes one
 * line a row to `out`, "%.9g", in batches of bounded memory. Columns are matched to the model's
 * feature names; when the model has none, or the header has none of them, by position, with a
 * warning. Missing: an empty cell, nan, NA in any case. *n_rows: rows written. STATUS_INVALID names
 * line and column. */
MUST_USE enum status predict_file(const struct model *model, const char *path, FILE *out,
                                  const struct predict_options *options, int64_t *n_rows,
                                  struct error *error);

#endif
