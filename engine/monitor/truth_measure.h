/* Figures of joined outcomes: how good the decisions were that are known by now. */
#ifndef BINNACLE_MONITOR_TRUTH_MEASURE_H
#define BINNACLE_MONITOR_TRUTH_MEASURE_H

#include "engine/base/buffer.h"
#include "engine/monitor/truth.h"

/* Decisions of [from_us, to_us). */
struct truth_selection {
    int64_t from_us, to_us;
    int variant, cohort; /* -1: all */
};

struct truth_figures {
    struct classify_result result;
    struct top_k top;
    double delay_p50_s, delay_p95_s,
        delay_max_s;            /* from the decision to the label; NaN: no labels */
    uint64_t decided, labelled; /* of the periods that the range touches */
};

/* STATUS_MEMORY. */
MUST_USE enum status truth_measure(const struct truth *truth,
                                   const struct truth_selection *selection,
                                   struct truth_figures *out, struct error *error);

/* How far the estimates of past periods were from what came out, of periods whose estimate was made
 * before and of which at least this share is labelled by now, with at least so many labels. */
#define TRUTH_TRACKED_SHARE  0.2
#define TRUTH_TRACKED_LABELS 100
struct truth_track {
    size_t n;          /* periods; 0: none yet */
    double mean_error; /* of |estimated - realized|; NaN without periods */
    double bias;       /* of estimated - realized */
    size_t within;     /* periods whose band held what came out */
};
/* A period's value by its labels; NaN: not defined, or too few labels. */
MUST_USE enum status truth_realized(const struct truth *truth, const struct truth_period *period,
                                    int variant, double out[TRUTH_ESTIMATES], struct error *error);
/* Of the champion, for each metric. */
MUST_USE enum status truth_track(const struct truth *truth, struct truth_track out[TRUTH_ESTIMATES],
                                 struct error *error);

enum truth_by { TRUTH_BY_NOTHING, TRUTH_BY_VARIANT, TRUTH_BY_COHORT, TRUTH_BY_TIME };
/* The document of GET /api/v1/performance, appended. `behind`: rows of the record not read yet. */
MUST_USE enum status truth_json(const struct truth *truth, int64_t from_us, int64_t to_us,
                                enum truth_by by, uint64_t behind, struct buffer *out,
                                struct error *error);

#endif
