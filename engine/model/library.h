/* libxgboost holding a forest: what our own evaluation is held against, and who explains. */
#ifndef BINNACLE_MODEL_LIBRARY_H
#define BINNACLE_MODEL_LIBRARY_H

#include <stddef.h>

#include "engine/base/status.h"
#include "engine/model/forest.h"

/* Any number of threads at once. */
struct library;

/* Writes the forest in the library's own layout and has it read that; the forest must outlive it.
 * STATUS_UNSUPPORTED: the library is not installed, will not take it, or would need too much memory
 * for it. */
MUST_USE enum status library_create(const struct forest *forest, struct library **library,
                                    struct error *error);
void library_destroy(struct library *library); /* NULL is ignored */

#define LIBRARY_VERSION_SIZE 36
void library_version(const struct library *library,
                     char version[LIBRARY_VERSION_SIZE]); /* "1.7.4" */

/* Margins of n rows by the first `n_rounds` rounds (0: all). */
MUST_USE enum status library_margins(const struct library *library, size_t n_rounds,
                                     const float *rows, size_t n, size_t stride, float *margins,
                                     struct error *error);
/* Contributions (TreeSHAP) of n rows: n * (n_features + 1) floats, the bias last. Infinities count
 * as the largest finite floats. */
MUST_USE enum status library_contribs(const struct library *library, size_t n_rounds,
                                      const float *rows, size_t n, size_t stride, float *out,
                                      struct error *error);

#endif
