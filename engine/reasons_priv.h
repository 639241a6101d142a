/* What giving reasons needs, for the worker and for the explainer. Private to engine/'s own files.
 */
#ifndef BINNACLE_ENGINE_REASONS_PRIV_H
#define BINNACLE_ENGINE_REASONS_PRIV_H

#include "engine/engine_priv.h"
#include "engine/reasons.h"

struct reasons_room {
    const struct engine *engine;
    struct scorer_scratch *scratch;
    float *scaled;   /* n_features of the view */
    float *contribs; /* n_features + 1 */
};

/* Scales as the model was trained to see it; what is served and recorded stays as it was. */
void reasons_scale(const struct engine *engine, const struct scorer *scorer, float *rows, size_t n);
/* Appends the `top` features by their contributions, -1: all of them, to the *n reasons in `out`,
 * which has room for as many more, or for MAX_FEATURES in all. */
MUST_USE enum status reasons_give(const struct reasons_room *room, const struct scorer *scorer,
                                  const struct feature_vector *features, int top,
                                  struct reason *out, size_t *n, struct error *error);

#endif
