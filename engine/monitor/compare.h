/* Two data sets held against each other, feature by feature: has the current one drifted from the
 * reference? */
#ifndef BINNACLE_MONITOR_COMPARE_H
#define BINNACLE_MONITOR_COMPARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/json.h"
#include "engine/base/status.h"
#include "engine/monitor/columns.h"

enum compare_method {
    COMPARE_DEFAULT,
    COMPARE_PSI,
    COMPARE_JS,
    COMPARE_KS,
    COMPARE_WASSERSTEIN,
    COMPARE_CHISQUARE,
    COMPARE_TVD,
    COMPARE_HELLINGER,
    COMPARE_KL,
    COMPARE_LINF,
    COMPARE_ZTEST,
    COMPARE_N_METHODS
};

enum compare_as { COMPARE_OWN, COMPARE_EVIDENTLY, COMPARE_NANNYML };

/* "psi", "js", ... NULL-safe search; false when there is no such word. */
const char *compare_method_name(enum compare_method method);
bool compare_method_find(const char *name, enum compare_method *method);
/* Whether a way of comparing knows a method at all. */
bool compare_knows(enum compare_as as, enum compare_method method);

struct compare_options {
    enum compare_as as;
    enum compare_method method;  /* COMPARE_DEFAULT: by type and size */
    double threshold;            /* NaN: the method's own */
    double share;                /* of drifted features from which the data set has drifted: 0.5 */
    const char *const *features; /* NULL: all of the reference */
    size_t n_features;
};

/* Why a feature counts as drifted. */
enum compare_why {
    COMPARE_BY_STATISTIC = 1,
    COMPARE_UNSEEN = 2,   /* categories that the reference has not */
    COMPARE_NULLS = 4,    /* the share of missing values has risen */
    COMPARE_VANISHED = 8, /* no column, or no value in it */
};

struct compared_bin {
    char *label;
    double reference, current; /* counts */
    double contribution;       /* to the statistic; they add up to it where it is a distance */
};

struct compared_feature {
    char *name;
    bool categorical;
    enum compare_method method; /* the one used */
    double statistic;           /* NaN: nothing to compare */
    double threshold;
    bool threshold_of_p; /* drift is a p-value at or below the threshold, else a statistic from it
                            on */
    bool strict;         /* the p-value must be below the threshold */
    double p_value, p_adjusted;
    double expected_null; /* of the statistic, at these n when nothing has changed */
    bool drift;
    unsigned why;                              /* of enum compare_why */
    size_t n_reference, n_current;             /* values */
    size_t missing_reference, missing_current; /* rows without one */
    uint64_t n_unseen;                         /* rows whose category the reference has not */
    double null_rate_p;                        /* of a rise as large */
    bool exact;                                /* the p-value of ks is exact */
    struct compared_bin *bins;
    size_t n_bins;
};

struct comparison {
    size_t n_reference, n_current; /* rows */
    struct compared_feature *features;
    size_t n_features;
    double drift_share; /* NaN: no features */
    bool dataset_drift;
};

/* Compares what columns_read() gave; `current` may lack columns of the reference, which then have
 * vanished. STATUS_INVALID for a feature that the reference has not; STATUS_MEMORY. */
MUST_USE enum status compare(const struct columns *reference, const struct columns *current,
                             const struct compare_options *options, struct comparison *result,
                             struct error *error);
void comparison_free(struct comparison *result);
/* Whether any feature has drifted. */
bool comparison_drifted(const struct comparison *result);
/* The words for feature->why, comma-separated; "" for none. */
const char *compare_reasons(const struct compared_feature *feature, char *out, size_t size);

void comparison_json(struct json_writer *writer, const struct comparison *result);

#endif
