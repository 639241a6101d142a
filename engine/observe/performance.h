/* How good the decisions were whose truth is known. Plain data, part of the snapshot. */
#ifndef BINNACLE_OBSERVE_PERFORMANCE_H
#define BINNACLE_OBSERVE_PERFORMANCE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/stats/cbpe.h"
#include "engine/stats/classify.h"

#define MAX_PERFORMANCE_VARIANTS 2
#define PERFORMANCE_ESTIMATES    5 /* roc_auc to recall, of enum cbpe_metric */

struct variant_performance {
    char variant[16];
    uint64_t decided, labelled;      /* coverage; of the window */
    double delay_p50_s, delay_p95_s; /* from decision to label; NaN: no labels */
    struct classify_result figures;
    double precision_at_k; /* NaN: no data */
};

/* What was expected of the newest period before its truth was there. */
struct estimate_status {
    double estimated, lower, upper; /* NaN: too few labels to learn from */
    double mean_abs_error;          /* of past periods whose truth came; NaN: none yet */
    uint64_t tracked;               /* such periods */
};

struct performance_status {
    bool used;         /* false: this service has no ledger */
    int64_t at_us;     /* as of; 0: not measured yet */
    int64_t window_us; /* decisions this far back */
    int64_t k;
    uint64_t joined, repeated, corrected, unmatched;
    uint64_t behind; /* rows of the ledger not looked at yet */
    struct variant_performance variants[MAX_PERFORMANCE_VARIANTS];
    int n_variants;
    struct estimate_status estimates[PERFORMANCE_ESTIMATES];
    int64_t estimate_from_us; /* start of the period that is estimated; 0: none */
    char detector[16];        /* on the champion's stream of wrong decisions */
    uint64_t drift_detected;  /* how often it fired */
    int64_t drift_at_us;      /* when last; 0: never */
};

struct json_writer;
/* The member "performance": null when there is no ledger. */
void performance_status_json(const struct performance_status *status, struct json_writer *json);

#endif
