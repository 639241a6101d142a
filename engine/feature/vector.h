/* What the model sees: named float32 features, NaN where missing. */
#ifndef BINNACLE_FEATURE_VECTOR_H
#define BINNACLE_FEATURE_VECTOR_H

#include <stddef.h>

#define MAX_FEATURES 1024

/* Immutable, from the view file. */
struct feature_schema {
    const char *const *names;
    size_t n_features;
};

/* One served vector; `values` has schema->n_features floats, owned by the batch. */
struct feature_vector {
    const struct feature_schema *schema;
    float *values;
};

#endif
