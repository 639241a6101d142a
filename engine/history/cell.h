/* A cell: everything counted about the events of one span of time and one combination of labels.
 * All of it are counts, so any longer span or wider combination is a sum of cells. */
#ifndef BINNACLE_HISTORY_CELL_H
#define BINNACLE_HISTORY_CELL_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/base/buffer.h"
#include "engine/decide/outcome.h"
#include "engine/history/layout.h"

/* The counts that are no distribution. What is stored goes by these numbers: add before
 * SCALAR_SPARE, remove none. */
enum scalar {
    SCALAR_ACCEPTED,
    SCALAR_QUARANTINED,
    SCALAR_DUPLICATES,
    SCALAR_ERRORS,
    SCALAR_APPROVED, /* in the order of enum decision */
    SCALAR_REVIEWED,
    SCALAR_DECLINED,
    SCALAR_FREE,              /* not used */
    SCALAR_SCORE_THOUSANDTHS, /* earlier releases' SCALAR_SCORE_MILLIONTHS: only read */
    SCALAR_FRESH_MINUTES,     /* verdicts, at the time they were given */
    SCALAR_STALE_MINUTES,
    SCALAR_STEADY_SLICES,
    SCALAR_DRIFTED_SLICES,
    SCALAR_AGE_S,                       /* the sum of the ages of events when they were decided */
    SCALAR_AGED,                        /* events with a known age */
    SCALAR_SHADOWED,                    /* scored by a shadow; each as often as shadows did */
    SCALAR_SHADOW_FAR,                  /* further than SHADOW_FAR from the score that decided */
    SCALAR_SHADOW_HIGHER,               /* above it */
    SCALAR_SHADOW_DISTANCE_THOUSANDTHS, /* of earlier releases: only read */
    SCALAR_SHADOW_SCORE_THOUSANDTHS,    /* likewise */
    SCALAR_SCORE_MILLIONTHS,            /* the sum of scores, each rounded to millionths */
    SCALAR_SHADOW_DISTANCE_MILLIONTHS,  /* likewise of distances from the score that decided */
    SCALAR_SHADOW_SCORE_MILLIONTHS,     /* and of scores of shadows */
    SCALAR_VIOLATIONS = 32,             /* from here: quarantine reasons, by enum violation_code */
    SCALAR_CUSTOM_COUNTED = SCALAR_VIOLATIONS + 32, /* by objectives that expressions define */
    SCALAR_CUSTOM_BAD = SCALAR_CUSTOM_COUNTED + MAX_CUSTOM,
    SCALAR_SPARE = SCALAR_CUSTOM_BAD + MAX_CUSTOM,
    SCALARS = 80
};
_Static_assert(SCALAR_SPARE <= SCALARS, "room for counts");
_Static_assert(SCALAR_SHADOW_SCORE_MILLIONTHS < SCALAR_VIOLATIONS && VIOLATION_CODES <= 32,
               "room for counts");

#define SCORE_STEPS 50  /* equal widths over [0, 1] */
#define SHADOW_FAR  0.1 /* a score so different may be another decision */

/* The parts of a cell, as bits: not every reader needs all of them. */
enum section {
    SECTION_SCALARS = 1,
    SECTION_SCORES = 2,
    SECTION_LATENCY = 4,
    SECTION_BINS = 8,
    SECTION_ALL = 15
};

struct cell {
    int64_t start_s;
    uint64_t labels;
    const struct layout *layout;
    uint64_t scalars[SCALARS];
    uint64_t scores[SCORE_STEPS];
    uint64_t *latency; /* LATENCY_COUNTS of them; NULL: none measured */
    size_t n_buckets;  /* of the histogram's buckets only these can be in use: few of them are */
    uint64_t *bins;    /* layout->n_columns * MAX_BINS; NULL: nothing binned */
    uint8_t *stage;    /* rows of bins that are not counted above yet, n_staged; see bin_stage.h */
    int n_staged;
};

/* The distributions, made when they are first needed. NULL: out of memory. */
uint64_t *cell_latency(struct cell *cell);
uint64_t *cell_bins(struct cell *cell);
void cell_count_latency(struct cell *cell, int64_t latency_us); /* without memory: not at all */
void cell_clear_latency(struct cell *cell);
void cell_free_bins(struct cell *cell);
void cell_free(struct cell *cell); /* what is inside */

/* Counts one row of bins, layout->n_columns of them in whole steps. Without memory: not at all. */
void cell_count_bins(struct cell *cell, const uint8_t *codes);
/* Rows that are held back are counted; nobody else reads a cell before. */
void cell_settle(struct cell *cell);

/* Adds the named sections. Both have the same layout. False: out of memory, *into is as it was in
 * the sections that did not fit. */
bool cell_add(struct cell *into, const struct cell *from, unsigned sections);

/* ---- as bytes: labels, layout, then the sections, each with its length ---- */

void cell_encode(const struct cell *cell, unsigned sections, struct buffer *out);

/* The counts of a section as they stand: here pairs of varints, distance and count; in the columns
 * of a row (row.h) they are split. */
struct packed_counts {
    struct slice pairs, more;
    bool split;
};
/* Takes the head of the next cell off *bytes and gives its sections. */
struct packed_cell {
    uint64_t labels;
    int layout;
    struct packed_counts scalars, scores, latency, bins;
};
bool cell_next(struct slice *bytes, struct packed_cell *packed);
/* Adds the sections of a packed cell, of its bins only the first `n_columns`, or ALL_COLUMNS.
 * False: damaged as far as that was read, or out of memory. */
#define ALL_COLUMNS INT_MAX
bool cell_unpack(struct cell *into, const struct packed_cell *packed, unsigned sections,
                 int n_columns);

#endif
