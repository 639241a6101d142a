/* Margins out of a forest, bit for bit those of libxgboost: leaves are added in float32, in the
 * order of the trees, to the base margin. */
#ifndef BINNACLE_MODEL_EVALUATOR_H
#define BINNACLE_MODEL_EVALUATOR_H

#include <stddef.h>

#include "engine/base/status.h"
#include "engine/model/forest.h"

/* Immutable; any number of threads at once. */
struct evaluator;

/* Copies what it needs of the forest. Fails for lack of memory only. */
MUST_USE enum status evaluator_create(const struct forest *forest, struct evaluator **evaluator,
                                      struct error *error);
void evaluator_destroy(struct evaluator *evaluator); /* NULL is ignored */

/* Margins of n rows of n_features floats, `stride` floats from one to the next, by the first
 * `n_trees` trees. NaN is missing: it goes where the split's default says. Infinities compare like
 * numbers. At a split by categories the value's integer part is the code: codes in the split's set
 * go right, all others, negative and enormous ones too, left. Allocates nothing. */
void evaluator_margins(const struct evaluator *evaluator, size_t n_trees, const float *rows,
                       size_t n, size_t stride, float *margins);

/* The margin before the first tree: the logit of base_score where the objective is logistic. */
float evaluator_base_margin(const struct forest *forest);

/* How many of the trees take the fast way, and what it is called, for `doctor`. */
size_t evaluator_n_fast(const struct evaluator *evaluator);
const char *evaluator_kernel(const struct evaluator *evaluator);

#endif
