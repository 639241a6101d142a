/* Decisions joined with the truth that arrives later: each event once, corrections in place of what
 * they correct, delay and coverage known; and what was estimated before the truth was there. */
#ifndef BINNACLE_MONITOR_TRUTH_H
#define BINNACLE_MONITOR_TRUTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/slice.h"
#include "engine/base/status.h"
#include "engine/base/yaml.h"
#include "engine/decide/outcome.h"
#include "engine/stats/cbpe.h"
#include "engine/stats/classify.h"
#include "engine/stats/detector.h"
#include "engine/stats/top_k.h"

#define TRUTH_VARIANTS    2  /* champion and canary */
#define TRUTH_MAX_COHORTS 64 /* further ones are counted as "other" */
#define TRUTH_SAMPLE      1000
#define TRUTH_DETECTIONS  32
#define TRUTH_ESTIMATES   5 /* roc_auc to recall, of enum cbpe_metric */

/* The map `performance:`. */
struct truth_options {
    int64_t keep;      /* outcomes with their truth; the oldest arrivals go first */
    int64_t period_us; /* that estimates are made for and compared by */
    int64_t window_us; /* that the snapshot's figures reach back */
    double threshold; /* a score that is a predicted positive; NaN: a decision other than approve */
    double cost_false_positive, cost_false_negative; /* NaN: none */
    const char *amount; /* field that a missed positive costs times; NULL: none */
    const char *cohort; /* field that is told apart; NULL: none */
    int64_t k;          /* entities a day that can be looked into */
    int64_t reference;  /* labels that estimates are learned from at least */
    const char *detector;
    enum detector_method method; /* that the name stands for */
};

void truth_defaults(struct truth_options *options);
/* Reads `performance:`; NULL: the defaults. Texts are borrowed from the document. */
MUST_USE enum status truth_read(const struct yaml_node *node, struct truth_options *options,
                                struct error *error);

/* A decision, in the order of the record. */
struct truth_decision {
    uint64_t index; /* in the ledger: the event's identity */
    int64_t at_us;
    float score;
    enum decision decision;
    enum variant variant;
    struct slice cohort; /* "": none */
};

/* A label with the decision that it is about. */
struct truth_label {
    struct truth_decision decision;
    uint64_t entity; /* a hash */
    double amount;   /* 1 where the options name none; NaN: not known */
    int64_t observed_us, arrived_us;
    int label;
};

/* What became of a label. */
enum truth_join { TRUTH_JOINED, TRUTH_REPEATED, TRUTH_CORRECTED };

struct truth_row {
    uint64_t index, entity;
    int64_t decided_us, observed_us, arrived_us;
    double amount;
    float score;
    uint8_t variant, cohort;
    bool predicted, positive;
    uint32_t next; /* in its bucket; private */
};

struct truth_estimate {
    double estimated, lower, upper;
};

struct truth_coverage {
    uint64_t decided, labelled;
};

/* What one variant decided in a period. */
struct truth_side {
    uint64_t decided, labelled, positives;
    uint64_t seen; /* decisions that the sample was drawn from */
    float scores[TRUTH_SAMPLE];
    bool predicted[TRUTH_SAMPLE];
    bool frozen; /* estimated when the period was over, by what was known then */
    struct truth_estimate estimates[TRUTH_ESTIMATES];
    struct truth_coverage cohorts[TRUTH_MAX_COHORTS];
};

struct truth_period {
    int64_t start_us;
    struct truth_side sides[TRUTH_VARIANTS];
};

struct truth_detection {
    int64_t at_us;     /* when the label arrived at which it fired */
    uint64_t position; /* among the labels of the champion */
};

struct truth_counts {
    uint64_t joined, repeated, corrected;
    uint64_t unmatched; /* labels whose decision is not in the record any more */
    uint64_t evicted;   /* joined, and gone again for want of room */
};

/* One thread at a time. */
struct truth;
/* The options' texts are borrowed. */
MUST_USE enum status truth_create(const struct truth_options *options, struct truth **truth,
                                  struct error *error);
void truth_destroy(struct truth *truth); /* NULL is ignored */
/* Forgets everything but the options. */
void truth_reset(struct truth *truth);
const struct truth_options *truth_options(const struct truth *truth);

/* Decisions come in the order of their index. When one begins a period, the one before is estimated
 * by the labels that are known by then. */
void truth_decided(struct truth *truth, const struct truth_decision *decision);
enum truth_join truth_labelled(struct truth *truth, const struct truth_label *label);
void truth_unmatched(struct truth *truth);
/* Learns again from the labels that are there, when they have grown by a tenth. */
void truth_learn(struct truth *truth);

const struct truth_counts *truth_counts(const struct truth *truth);
/* Rows in the order of their arrival; a place may be passed over (false). */
size_t truth_n_rows(const struct truth *truth);
const struct truth_row *truth_row(const struct truth *truth, size_t place);
size_t truth_n_periods(const struct truth *truth); /* oldest first */
const struct truth_period *truth_period(const struct truth *truth, size_t place);
size_t truth_n_cohorts(const struct truth *truth);
const char *truth_cohort(const struct truth *truth, size_t cohort);
/* The estimator as of now, or NULL: too few labels; the labels that it learned from. */
const struct cbpe *truth_estimator(const struct truth *truth, size_t *n_reference);
/* Detections of the champion's error stream, oldest first; how many there were in all. */
size_t truth_detections(const struct truth *truth, struct truth_detection out[TRUTH_DETECTIONS],
                        uint64_t *n_all, uint64_t *n_labels);

/* What of an outcome counts as a row of classify(). */
struct classify_row truth_judged(const struct truth_row *row);
struct classify_options truth_classify_options(const struct truth_options *options);
/* The estimate of a period's sample as of now. NaN without an estimator or decisions. */
MUST_USE enum status truth_estimate(const struct truth *truth, const struct truth_side *side,
                                    enum cbpe_metric metric, struct truth_estimate *out,
                                    struct error *error);

/* Where the record stood that the state is of. */
struct truth_mark {
    uint64_t upto; /* rows [0, upto) are in it */
    uint8_t root[32];
    char identity[40];
};
/* Into a file that appears whole. */
MUST_USE enum status truth_save(const struct truth *truth, const char *path,
                                const struct truth_mark *mark, struct error *error);
/* STATUS_NOT_FOUND: none. STATUS_CORRUPT, STATUS_UNSUPPORTED: damaged, or made with other options;
 * *truth is as it was made then. */
MUST_USE enum status truth_load(struct truth *truth, const char *path, struct truth_mark *mark,
                                struct error *error);

#endif
