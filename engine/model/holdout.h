/* Which transactions train and which test when labels come late. */
#ifndef BINNACLE_MODEL_HOLDOUT_H
#define BINNACLE_MODEL_HOLDOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/status.h"

enum holdout_part { HOLDOUT_NEITHER, HOLDOUT_TRAIN, HOLDOUT_TEST };

struct holdout_row {
    uint64_t card; /* any number that is the customer's alone */
    int64_t day;   /* whole days from any origin */
    bool fraud;
    enum holdout_part part; /* filled */
};

/* The split of the Fraud Detection Handbook (Le Borgne et al. 2022, section 5.2,
 * get_train_test_set): `train_days` from `first_day` train, `delay_days` are skipped because their
 * labels are not known yet, `test_days` test, without the customers that are known as compromised
 * by then: those with a fraud in the training days, and for each test day those with a fraud up to
 * delay_days + 1 days before it. Rows in any order. */
MUST_USE enum status holdout_split(struct holdout_row *rows, size_t n, int64_t first_day,
                                   int64_t train_days, int64_t delay_days, int64_t test_days,
                                   struct error *error);

#endif
