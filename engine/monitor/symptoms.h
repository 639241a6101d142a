/* What is unusual right now: every series of the slices held against what it was just before. */
#ifndef BINNACLE_MONITOR_SYMPTOMS_H
#define BINNACLE_MONITOR_SYMPTOMS_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/monitor/spans.h"

enum symptom_kind {
    SYMPTOM_COMMIT,   /* commits take longer */
    SYMPTOM_RECORD,   /* the record is not written */
    SYMPTOM_ANSWER,   /* callers wait for their answers */
    SYMPTOM_LATENCY,  /* decisions take longer */
    SYMPTOM_ERRORS,   /* events get no decision */
    SYMPTOM_MISSING,  /* a field is null or not there */
    SYMPTOM_INVALID,  /* a field's values break the contract */
    SYMPTOM_VALUES,   /* a field's values are spread in another way */
    SYMPTOM_REFUSED,  /* events are quarantined, for whatever reason */
    SYMPTOM_COHORT,   /* those of one cohort are, which may be few among all */
    SYMPTOM_AGE,      /* events are old when they come */
    SYMPTOM_VOLUME,   /* more events, or fewer */
    SYMPTOM_LABELS,   /* another share of labels is positive, or none come any more */
    SYMPTOM_DECISION, /* decisions are spread in another way */
    SYMPTOM_SCORE,    /* scores are */
    SYMPTOM_KINDS
};

struct symptom {
    enum symptom_kind kind;
    const struct slice_series *series; /* what it was seen in */
    int from, to;                      /* cells of the view */
    bool since_change;                 /* it begins where something was changed */
    bool recovered;                    /* since `to` it is as before again; else it goes on */
    double strength;                   /* 0 to 1 */
    double base, now;                  /* shares; of SYMPTOM_VOLUME and label stops events a second;
                                          of SYMPTOM_COMMIT microseconds */
    uint64_t n_base, n_now;            /* observations behind them */
};

#define MAX_SYMPTOMS 64

#define SYMPTOM_LEAST 3 /* cells */
/* What recovered longer ago than this is over. */
#define SYMPTOM_OVER_CELLS 4

#define MAX_CHANGED_CELLS 16

/* The strongest window of each series, ending now or where it recovered within the last
 * SYMPTOM_OVER_CELLS; strongest first. `changed`: cells in which something was changed that
 * decides. Of decisions and scores since then less is enough than of windows that begin anywhere;
 * the price is that about one change in a thousand is followed by a symptom that is chance (by
 * simulation; see SURE_OF_CHANGE). False where nothing is known to compare with: fewer than
 * BASELINE_LEAST cells. */
bool symptoms_find(const struct span_sums *sums, const int *changed, int n_changed,
                   struct symptom found[MAX_SYMPTOMS], int *n);

/* Whether trouble found earlier goes on by now: the newest cells differ less from its own, those
 * from `from` on, than half of what it differed from what was usual before. True where too little
 * was seen lately to tell: no data is no recovery. */
bool symptom_goes_on(const struct span_sums *sums, const struct symptom *symptom, int from);

#endif
