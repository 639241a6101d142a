/* Confidence-based performance estimation: how good a binary classifier is, before the truth is
 * known, from how sure its calibrated scores are. As NannyML 0.13 defines it. */
#ifndef BINNACLE_STATS_CBPE_H
#define BINNACLE_STATS_CBPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/status.h"

enum cbpe_metric {
    CBPE_ROC_AUC,
    CBPE_AVERAGE_PRECISION,
    CBPE_F1,
    CBPE_PRECISION,
    CBPE_RECALL,
    CBPE_SPECIFICITY,
    CBPE_ACCURACY,
    CBPE_TRUE_POSITIVE, /* these four are counts of a chunk: NannyML's confusion_matrix */
    CBPE_TRUE_NEGATIVE,
    CBPE_FALSE_POSITIVE,
    CBPE_FALSE_NEGATIVE,
    CBPE_BUSINESS_VALUE,
    CBPE_COUNT,
};

/* Columns of equal length, in the order of time; NaN: missing. Borrowed. */
struct cbpe_columns {
    const double *scores;      /* 0 to 1 */
    const double *predictions; /* 0 or 1; NULL: none */
    const double *labels;      /* 0 or 1; NULL: none */
    size_t n;
};

struct cbpe_options {
    size_t chunk_size; /* of the reference, for the thresholds; the rest is a chunk of its own */
    uint32_t seed;     /* average precision's sampling error is found by resampling */
    bool metrics[CBPE_COUNT];
    /* What a decision is worth: [truth][prediction]. */
    double business_value[2][2];
};

/* NaN: not defined. */
struct cbpe_estimate {
    double estimated;
    double realized; /* by the labels, where there are any */
    double sampling_error;
    double lower, upper; /* three sampling errors, within the metric's limits */
    double lower_threshold, upper_threshold;
    bool alert; /* the estimate is beyond a threshold */
};

/* "roc_auc", ... "business_value". */
const char *cbpe_name(enum cbpe_metric metric);
/* Marks the metrics that a name stands for: "confusion_matrix" is four. False when it is none. */
bool cbpe_choose(const char *name, bool metrics[CBPE_COUNT]);
/* Whether the metric looks at decisions and not at ranks. */
bool cbpe_needs_predictions(enum cbpe_metric metric);

struct cbpe;
/* Learns from labelled rows: whether and how to calibrate, sampling errors, and thresholds, the
 * mean of the chunks' realized values and three standard deviations around it. STATUS_INVALID when
 * the reference is empty, has rows without a score or a label, or too few of them
 * (calibration_helps()). */
MUST_USE enum status cbpe_fit(const struct cbpe_columns *reference,
                              const struct cbpe_options *options, struct cbpe **cbpe,
                              struct error *error);
void cbpe_destroy(struct cbpe *cbpe);
bool cbpe_is_calibrated(const struct cbpe *cbpe);
/* Rows [first, first + n) as one chunk. Rows without a score, or without a prediction where it is
 * needed, are left out. Any thread. */
MUST_USE enum status cbpe_estimate(const struct cbpe *cbpe, const struct cbpe_columns *columns,
                                   size_t first, size_t n, enum cbpe_metric metric,
                                   struct cbpe_estimate *out, struct error *error);

#endif
