/* Served feature vectors with their labels: what a model is trained and tested on. */
#ifndef BINNACLE_APP_DATASET_H
#define BINNACLE_APP_DATASET_H

#include <stddef.h>
#include <stdint.h>

#include "engine/base/status.h"
#include "engine/feature/vector.h"
#include "engine/feature/views.h"
#include "engine/model/model.h"
#include "engine/model/train.h"

struct dataset {
    const struct feature_schema *schema;
    float *rows; /* n * n_features */
    float *labels;
    int64_t *times_us;
    uint64_t *entities; /* hashes */
    size_t n, capacity;
    size_t n_warming; /* of the first rows: trained on, but their windows hold too little for
                         drift's reference; 0 unless the caller knows */
};

void dataset_init(struct dataset *dataset, const struct feature_schema *schema);
void dataset_free(struct dataset *dataset);
/* Copies one row. STATUS_MEMORY. */
MUST_USE enum status dataset_add(struct dataset *dataset, const float *features, int label,
                                 int64_t time_us, uint64_t entity, struct error *error);

/* Trains and writes the model file, which appears only when whole. Scaling as the views ask
 * and, for drift, a sample of the rows and the profile of all of them travel in it. */
MUST_USE enum status dataset_train(const struct dataset *dataset, const struct feature_views *views,
                                   const struct train_options *options, const char *path,
                                   struct error *error);

struct test_result {
    size_t n, n_positives;
    double auc, average_precision, card_precision; /* NaN: not defined */
};

/* Tests on rows that come after training by `delay_us` (when labels are known), as the Fraud
 * Detection Handbook does (Le Borgne et al. 2022, section 5.1): on each day, entities with a
 * positive in the training rows, or after them but `delay_us` before that day, are left out. */
MUST_USE enum status dataset_test(const struct dataset *train, const struct dataset *between,
                                  const struct dataset *test, int64_t delay_us, size_t top,
                                  struct model *model, struct test_result *result,
                                  struct error *error);

#endif
