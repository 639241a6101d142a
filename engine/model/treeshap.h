/* Each feature's share of a margin: exact path-dependent TreeSHAP (Lundberg et al. 2020, Nature
 * Machine Intelligence 2, 56-67), with a node's cover as its weight. */
#ifndef BINNACLE_MODEL_TREESHAP_H
#define BINNACLE_MODEL_TREESHAP_H

#include <stddef.h>

#include "engine/base/status.h"
#include "engine/model/forest.h"

/* Immutable; any number of threads at once. */
struct treeshap;

/* Copies what it needs of the forest. Fails for lack of memory only. */
MUST_USE enum status treeshap_create(const struct forest *forest, struct treeshap **treeshap,
                                     struct error *error);
void treeshap_destroy(struct treeshap *treeshap); /* NULL is ignored */

/* Contributions to the margin of the first `n_trees` trees: `out` takes n * (n_features + 1)
 * floats, the bias (what is expected when nothing is known) last; a row adds up to its margin but
 * for rounding. Values are compared as in evaluator_margins(). The result does not depend on the
 * kernel, bit by bit, nor on the rows beside it. Allocates only for models of more than 256 inputs
 * or with trees that do not take the fast way; STATUS_MEMORY is the only error.
 *
 * A split whose node has no cover, or whose covers are no numbers, counts both of its sides alike.
 */
MUST_USE enum status treeshap_contribs(const struct treeshap *treeshap, size_t n_trees,
                                       const float *rows, size_t n, size_t stride, float *out,
                                       struct error *error);

/* How many of the trees take the fast way, and what it is called, for `doctor`. */
size_t treeshap_n_fast(const struct treeshap *treeshap);
const char *treeshap_kernel(const struct treeshap *treeshap);

#endif
