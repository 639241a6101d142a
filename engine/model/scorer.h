/* A model put behind a feature view: which served feature is which of the model's inputs. */
#ifndef BINNACLE_MODEL_SCORER_H
#define BINNACLE_MODEL_SCORER_H

#include <stddef.h>

#include "engine/base/status.h"
#include "engine/feature/vector.h"
#include "engine/model/model.h"

/* Immutable; any thread may score with it, each with its own scratch. */
struct scorer;

/* Finds each of the model's features in the view by name; a model without names takes the view's
 * features by position and must have as many. Acquires the model; the schema must outlive the
 * scorer. STATUS_INVALID names the first feature that the view lacks and the nearest it has. */
MUST_USE enum status scorer_create(struct model *model, const struct feature_schema *schema,
                                   struct scorer **scorer, struct error *error);
void scorer_destroy(struct scorer *scorer);              /* NULL is ignored */
struct model *scorer_model(const struct scorer *scorer); /* borrowed */

/* Room for one worker's batches. */
struct scorer_scratch;
/* For up to max_rows rows a call and models of up to max_features inputs. */
MUST_USE enum status scorer_scratch_create(size_t max_rows, size_t max_features,
                                           struct scorer_scratch **scratch, struct error *error);
void scorer_scratch_destroy(struct scorer_scratch *scratch);

/* `rows` are n served vectors one after another, schema->n_features floats each. margin, score: n
 * floats, either may be NULL. STATUS_FULL when the scratch is too small. */
MUST_USE enum status scorer_score(const struct scorer *scorer, struct scorer_scratch *scratch,
                                  const float *rows, size_t n, float *margin, float *score,
                                  struct error *error);
/* Contributions in the view's order: n * (schema->n_features + 1) floats, the bias last; 0 for
 * features that the model does not use. */
MUST_USE enum status scorer_explain(const struct scorer *scorer, struct scorer_scratch *scratch,
                                    const float *rows, size_t n, float *out, struct error *error);

#endif
