/* What a model was trained on, as far as drift needs it: a sample of feature rows that travels in
 * the model file, so that "moved" means moved since training. */
#ifndef BINNACLE_MODEL_REFERENCE_H
#define BINNACLE_MODEL_REFERENCE_H

#include <stddef.h>

#include "engine/base/buffer.h"
#include "engine/base/slice.h"
#include "engine/base/status.h"

/* The attribute of a model under which its reference travels. */
#define REFERENCE_ATTRIBUTE "binnacle_reference"
/* Rows kept at most: drift's cuts are deciles, which 2000 rows place within about 2 %. */
#define REFERENCE_ROWS 2000

/* Appends up to REFERENCE_ROWS rows, evenly spread over the n_rows given (n_features floats each,
 * NaN: missing), as base64 text. False when `out` overflows. */
bool reference_write(const float *rows, size_t n_rows, size_t n_features, struct buffer *out);

/* Reads them back: *rows is the caller's to free. STATUS_CORRUPT when the text is not what
 * reference_write() gives, or not of n_features features. */
MUST_USE enum status reference_read(struct slice text, size_t n_features, float **rows,
                                    size_t *n_rows, struct error *error);

#endif
