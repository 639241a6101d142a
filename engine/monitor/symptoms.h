/* What is unusual right now: every series of the slices held against what it was just before. */
#ifndef BINNACLE_MONITOR_SYMPTOMS_H
#define BINNACLE_MONITOR_SYMPTOMS_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/observe/slices.h"

enum symptom_kind {
    SYMPTOM_COMMIT,   /* commits take longer */
    SYMPTOM_RECORD,   /* the record is not written */
    SYMPTOM_ANSWER,   /* callers wait for their answers */
    SYMPTOM_LATENCY,  /* decisions take longer */
    SYMPTOM_ERRORS,   /* events get no decision */
    SYMPTOM_MISSING,  /* a field is null or not there */
    SYMPTOM_INVALID,  /* a field's values break the contract */
    SYMPTOM_VALUES,   /* a field's values are spread in another way */
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
    double strength;                   /* 0 to 1 */
    double base, now;                  /* shares; of SYMPTOM_VOLUME and label stops events a second;
                                          of SYMPTOM_COMMIT microseconds */
    uint64_t n_base, n_now;            /* observations behind them */
};

#define MAX_SYMPTOMS 64

/* Spans of cells that count as trouble and not as what is usual. */
struct trouble {
    int64_t from_us, to_us;
};

/* Sums over any cells in one subtraction: row i holds the counts of cells [0, i). */
struct span_sums {
    const struct slices_view *view;
    uint32_t *all;   /* n_cells + 1 rows */
    uint32_t *usual; /* the same without the cells in trouble */
};
bool span_sums_make(const struct slices_view *view, const struct trouble *troubles, int n_troubles,
                    struct span_sums *sums); /* false: out of memory */
void span_sums_free(struct span_sums *sums);
/* Counter c over the cells [from, to). */
uint64_t span_count(const struct span_sums *sums, int c, int from, int to);
uint64_t span_usual(const struct span_sums *sums, int c, int from, int to);

#define BASELINE_CELLS 150 /* five minutes before */
#define BASELINE_LEAST 8
#define STARTING_CELLS 2 /* of a service: not usual yet */
#define SYMPTOM_LEAST  3 /* cells */
/* An incident that ended longer ago than this is over. */
#define SYMPTOM_OVER_CELLS 4

/* The first cell that windows beginning at `from` are compared with. */
int baseline_from(int from);

/* The strongest window of each series that ends within the last SYMPTOM_OVER_CELLS; strongest
 * first. False where nothing is known to compare with: fewer than BASELINE_LEAST cells. */
bool symptoms_find(const struct span_sums *sums, struct symptom found[MAX_SYMPTOMS], int *n);

/* ---- the mathematics; pure ---- */

/* z of the difference of two shares with their pooled variance (Fleiss, Levin and Paik, Statistical
 * Methods for Rates and Proportions, 3rd ed., 3.1). 0 without observations. */
double share_z(uint64_t bad_now, uint64_t n_now, uint64_t bad_base, uint64_t n_base);
/* The likelihood-ratio statistic G of two samples over the same bins (Sokal and Rohlf, Biometry,
 * 17.4), as a normal deviate by Wilson and Hilferty (1931). 0 where fewer than two bins are used.
 * *distance: their total variation, 0 to 1. */
double mix_z(const uint64_t *now, const uint64_t *base, int n, double *distance);
/* z of a count against an expected one, by Anscombe's square roots (1948). */
double count_z(double count, double expected);

#endif
