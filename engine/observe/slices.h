/* Counts of the last quarter of an hour by slice: by variant, by the words of every field that has
 * few, by rule, by field. What explanations and the quality of the data are computed from.
 *
 * Events, decisions and amounts are counted all; the rest of the first 4,096 of a cell and of every
 * sixteenth beyond. All counts of a cell of two seconds stand in one row of numbers; a series is a
 * piece of such a row. Rows add, so any span of time is a sum of rows. Memory is bounded:
 * SLICE_CELLS rows. Any thread. */
#ifndef BINNACLE_OBSERVE_SLICES_H
#define BINNACLE_OBSERVE_SLICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/buffer.h"
#include "engine/base/slice.h"
#include "engine/decide/outcome.h"
#include "engine/observe/sketch.h"
#include "engine/observe/snapshot.h"

#define SLICE_CELL_US   INT64_C(2000000)
#define SLICE_CELLS     450
#define MAX_SLICE_WORDS 32 /* a field with more words is no cohort */
#define MAX_SERIES      160

/* A counter's bucket of a duration: below 2^(i + first) of the unit. */
#define LOG_BUCKETS 20

enum series_kind {
    SERIES_EVENTS,   /* SLICED_ACCEPTED.. */
    SERIES_ANSWER,   /* time to the answer, commit included: log2 from 16 us; only HTTP callers */
    SERIES_LATENCY,  /* time to the decision: likewise */
    SERIES_AGE,      /* of an event when it is decided: log2 from 1 s */
    SERIES_LABELS,   /* by label, 0 and 1 */
    SERIES_DELAY,    /* of labels: log2 from 1 s */
    SERIES_DECISION, /* by decision */
    SERIES_SCORE,    /* SCORE_BINS */
    SERIES_RULE,     /* by rule: slices_rule() names them */
    SERIES_COMMIT,   /* once a tick: how long a commit takes, log2 from 16 us */
    SERIES_RECORD,   /* RECORD_* below */
    SERIES_SLICE,    /* one word of one field, or one variant: SLICE_* below */
    SERIES_FIELD,    /* one field: FIELD_* below */
    SERIES_REASON,   /* one field, by violation */
};

enum { SLICED_ACCEPTED, SLICED_QUARANTINED, SLICED_DUPLICATES, SLICED_ERRORS, SLICED_KINDS };

/* In SERIES_RECORD: ticks at which it was written, at which it was not, and milliseconds for which
 * the writer waited for locks that other processes held. */
enum { RECORD_GOOD, RECORD_BAD, RECORD_LOCKED_MS, RECORD_COUNTERS };

/* In a SERIES_SLICE. */
enum {
    SLICE_DECISION,
    SLICE_QUARANTINED = SLICE_DECISION + DECISION_COUNT,
    SLICE_SCORE,
    SLICE_LATENCY = SLICE_SCORE + SCORE_BINS,
    SLICE_COUNTERS = SLICE_LATENCY + LOG_BUCKETS
};

/* In a SERIES_FIELD: every event that was read, accepted or not, is in exactly one. Words have bins
 * of their own and numbers one for each power of two; other text is counted by its length. */
enum { FIELD_MISSING, FIELD_INVALID, FIELD_BINS, FIELD_BIN_COUNT = 34, FIELD_COUNTERS = 36 };

struct slice_series {
    enum series_kind kind;
    int first, n;         /* counters in a row */
    int field;            /* index in the schema; -1: of none */
    char name[NAME_SIZE]; /* "country=BR", "variant=canary", "transaction_amount", "latency" */
};

/* A field as it is counted. Words are borrowed. */
struct slice_field {
    const char *const *words;
    size_t n_words;
};

struct slices;
struct slices_options {
    const struct schema *schema;      /* NULL: no fields */
    const struct slice_field *fields; /* one a field of the schema */
};
/* NULL: out of memory. */
struct slices *slices_create(const struct slices_options *options);
void slices_destroy(struct slices *slices); /* NULL is ignored */

void slices_outcomes(struct slices *slices, const struct outcome *const *outcomes, size_t n);
void slices_quarantine(struct slices *slices, const struct event *event, int64_t now_us);
void slices_count(struct slices *slices, int kind, int64_t now_us); /* SLICED_ERRORS, .. */
void slices_label(struct slices *slices, int64_t now_us, int label, int64_t delay_us);
/* Once a tick, from what the snapshot knows by then. */
void slices_tick(struct slices *slices, const struct snapshot *snapshot);

/* ---- over a restart ---- */

/* Appends what was counted in the last quarter of an hour. Any thread. */
void slices_encode(struct slices *slices, int64_t now_us, struct buffer *out);
/* Into slices that have counted nothing: what means the same by today's contract, and is not too
 * long ago. From the newest of it until now nobody was there. False: it makes no sense, or there is
 * no memory; nothing is counted then. */
bool slices_decode(struct slices *slices, struct slice *bytes, int64_t now_us);

/* ---- read ---- */

/* Of one field in one cell, what is no count. */
struct cell_extra {
    struct sketch sketch; /* of the texts that are no words of an enumeration */
    double low, high;     /* of the numbers; low above high: none came */
};

struct slices_view {
    const struct slice_series *series;
    int n_series, n_counters;
    int64_t start_us; /* of the first cell; cells before the first event are left out */
    int n_cells;      /* the last one is the current one, not over yet */
    const int64_t
        *stamps;          /* by cell: time / SLICE_CELL_US; NULL: one after another from start_us */
    const bool *away;     /* by cell: the service was not there, or had just started; NULL: never */
    const uint32_t *rows; /* n_cells rows of n_counters */
    const double *amounts, *declined; /* by cell: sums of the amount field, accepted and declined */
    const char *amount_field;         /* NULL: the contract has none */
    int64_t now_us, newest_event_us;  /* time of the newest event accepted; 0: none yet */
    const struct cell_extra *extras;  /* n_cells rows of n_extras */
    const int *extra_of;              /* by field: which of a row's; -1: none */
    int n_fields, n_extras;
    const char *rules[32]; /* by counter of SERIES_RULE; NULL: none */
    void *memory;
};
/* A copy as of now_us, which slices_view_free() frees. False: out of memory, or nothing yet. */
bool slices_view(struct slices *slices, int64_t now_us, struct slices_view *view);
/* The same without the cells in which the service was away: after a restart, what was before it
 * stands beside what came since. */
bool slices_view_there(struct slices *slices, int64_t now_us, struct slices_view *view);
void slices_view_free(struct slices_view *view);
/* How many of the cells [from, to) the service was there for. */
int slices_cells_there(const struct slices_view *view, int from, int to);
/* When a cell begins; of the one after the last: when that ends. */
int64_t slices_cell_us(const struct slices_view *view, int cell);
/* The first series of this kind and field (-1: any), or NULL. */
const struct slice_series *slices_find(const struct slices_view *view, enum series_kind kind,
                                       int field);
/* How many different texts a field had in the cells [from, to), about; NaN: not counted. */
double slices_distinct(const struct slices_view *view, int field, int from, int to);
/* Its least and greatest number; NaN: none came. */
void slices_range(const struct slices_view *view, int field, int from, int to, double *low,
                  double *high);

#endif
