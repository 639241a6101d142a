/* Fitted scaling: (x - center) / scale by feature, fitted on training rows, kept with the model. */
#ifndef BINNACLE_FEATURE_SCALING_H
#define BINNACLE_FEATURE_SCALING_H

#include <stddef.h>

#include "engine/base/buffer.h"
#include "engine/base/slice.h"
#include "engine/base/status.h"
#include "engine/feature/views.h"

enum scaling_method {
    SCALING_NONE,
    SCALING_STANDARD, /* mean; standard deviation of the population */
    SCALING_MIN_MAX,  /* least; greatest less least */
    SCALING_ROBUST,   /* median; quartile 3 less quartile 1, linear between order statistics */
};

/* The attribute of a model under which its scaling travels. */
#define SCALING_ATTRIBUTE "binnacle_scaling"

/* Immutable; any thread. Must not outlive the feature schema it was made for. */
struct feature_scaling;

/* Fits what the views' `scale` asks for on n_rows rows of n_features floats each. NaN values are
 * left out; a feature without values, or whose values are all one, is only centred (scale 1).
 * *scaling is NULL when the views scale nothing. */
MUST_USE enum status feature_scaling_fit(const struct feature_views *views, const float *rows,
                                         size_t n_rows, struct feature_scaling **scaling,
                                         struct error *error);
/* Reads what feature_scaling_json() wrote. Features are matched by name: one that the schema does
 * not have is STATUS_CONFLICT. Empty text gives NULL. */
MUST_USE enum status feature_scaling_read(const struct feature_schema *schema, struct slice json,
                                          struct feature_scaling **scaling, struct error *error);
void feature_scaling_destroy(struct feature_scaling *scaling); /* NULL is ignored */

/* Scales n_rows rows; in and out may be the same. NaN stays NaN. NULL copies. */
void feature_scaling_apply(const struct feature_scaling *scaling, size_t n_features,
                           const float *in, size_t n_rows, float *out);
/* Appends {"version":1,"features":[{"name","method","center","scale"}]}; reads back to the
 * same numbers. Check out->overflow. */
void feature_scaling_json(const struct feature_scaling *scaling, struct buffer *out);

#endif
