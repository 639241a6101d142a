/* Precision among the k entities that look worst each day: what a team that can look into k cards a
 * day finds. */
#ifndef BINNACLE_STATS_TOP_K_H
#define BINNACLE_STATS_TOP_K_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/status.h"

/* One scored event of an entity. */
struct top_k_event {
    uint64_t entity; /* any number that is the entity's alone */
    int64_t day;     /* whole days, ascending from any origin */
    double score;
    bool positive;
};

struct top_k {
    double precision;      /* mean over the days; NaN without events */
    double standard_error; /* of that mean; NaN with fewer than two days */
    size_t n_days;
};

/* Card precision@k as the Fraud Detection Handbook (Le Borgne et al. 2022, section 4.3) defines it:
 * each day, entities are ranked by their highest score, those found positive among the top k of an
 * earlier day are left out from then on, precision is positive entities among the top k over k, and
 * the days are averaged. Ties go to the lower entity. k > 0. `events` is sorted in place. */
MUST_USE enum status top_k_precision(struct top_k_event *events, size_t n, size_t k,
                                     struct top_k *out, struct error *error);

#endif
