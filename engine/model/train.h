/* Training gradient-boosted trees with the library, into a model file that carries its names. */
#ifndef BINNACLE_MODEL_TRAIN_H
#define BINNACLE_MODEL_TRAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/buffer.h"
#include "engine/base/status.h"
#include "engine/base/yaml.h"

struct train_options {
    const char *objective; /* "binary:logistic" and the others of enum model_objective */
    int64_t rounds;
    int64_t max_depth;
    double eta;
    double subsample;
    double colsample; /* share of features a tree sees */
    double min_child_weight;
    double lambda;
    double alpha;
    double gamma;
    double scale_pos_weight;
    int64_t max_bin;
    int64_t seed;
    int64_t threads;        /* 0: all processors */
    int64_t early_stopping; /* rounds without a better validation metric; 0: never */
    double validation;      /* with early stopping: share of the last rows kept apart */
};

void train_defaults(struct train_options *options);
/* Reads the `train:` map over the defaults (NULL: defaults); strings are borrowed from the
 * document. Checks the objective. */
MUST_USE enum status train_options_read(const struct yaml_node *map, struct train_options *options,
                                        struct error *error);

struct train_set {
    const float *rows; /* n_rows * n_features, NaN: missing; in time order */
    const float *labels;
    size_t n_rows;
    size_t n_features;
    const char *const *feature_names;
};

/* Text to travel in the model file, e.g. fitted scaling parameters. */
struct train_attribute {
    const char *key;
    const char *value; /* NULL: what `write` appends when the trees stand */
    /* Told the scores of all rows in their order. False: out of memory. */
    bool (*write)(void *context, const float *scores, size_t n, struct buffer *text);
    void *context;
};

/* `progress` (may be NULL) is told after every round; returning false stops training with what
 * there is. */
struct train_progress {
    bool (*step)(void *context, int64_t round, int64_t rounds, double metric);
    void *context;
};

/* Trains and appends the model as JSON to `model`. The same rows, options, seed and library give
 * the same bytes, whatever the number of threads. STATUS_INVALID for a set the library cannot learn
 * from: no rows, a label that is not 0 or 1 (logistic), only one class, an infinite value. */
MUST_USE enum status train_model(const struct train_set *set, const struct train_options *options,
                                 const struct train_attribute *attributes, size_t n_attributes,
                                 const struct train_progress *progress, struct buffer *model,
                                 struct error *error);

#endif
