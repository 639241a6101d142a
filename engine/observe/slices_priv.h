/* The ring of cells from the inside: made (slices.c), counted (slices_count.c), read
 * (slices_view.c) and kept over a restart (slices_store.c). */
#ifndef BINNACLE_OBSERVE_SLICES_PRIV_H
#define BINNACLE_OBSERVE_SLICES_PRIV_H

#include "engine/base/thread.h"
#include "engine/base/dictionary.h"
#include "engine/observe/slices.h"

#define FULL_EVENTS      4096
#define ONE_IN           16
#define RULES            32
#define EXTRAS           12 /* fields beyond have none */
#define NO_SERIES        (-1)
#define MAX_AWAYS        8  /* of a quarter of an hour, that are known */
#define CELLS_OF_A_START 2  /* not usual yet */
#define CELLS_AT_ONCE    16 /* whoever counts waits for those only */

/* Where the counters of one field are. */
struct place {
    int field, reasons;       /* first counters */
    int words;                /* of the first word's slice; NO_SERIES: it is no cohort */
    struct dictionary *texts; /* of the enumeration; NULL: there is none */
    uint64_t meaning;         /* of the field's bins: by another one they are not comparable */
};

/* Cells of which nothing is known, or nothing usual, because the service was not there. */
struct away {
    int64_t from, to; /* stamps, `to` not included */
};

struct slices {
    struct lock lock;
    const struct schema *schema;
    struct slice_series series[MAX_SERIES];
    int n_series, n_counters;
    int fixed[SERIES_SLICE]; /* first counter of each series that is there once */
    int variants;            /* of the champion's slice */
    struct place *places;    /* one a field */
    int *extra_of;           /* by field */
    int n_extras;
    struct cell_extra *extras; /* SLICE_CELLS rows of n_extras */
    int64_t newest_event_us;
    int amount; /* field; -1: none */
    char amount_field[NAME_SIZE];
    int64_t stamps[SLICE_CELLS]; /* the two seconds a cell stands for; 0: none */
    int64_t first_stamp;         /* 0: nothing was counted */
    uint32_t *rows;
    double amounts[SLICE_CELLS], declined[SLICE_CELLS];
    struct away away[MAX_AWAYS]; /* oldest first */
    int n_away;
    char rules[RULES][NAME_SIZE];
    struct latency_counts answers; /* as of the last tick */
    int64_t lock_waited_us;        /* likewise */
};

/* The lock is held in all of these. The row of a stamp, cleared when it stood for an earlier one;
 * NULL for what is too long ago. */
uint32_t *slices_row(struct slices *slices, int64_t stamp, int *cell);
/* Which of a row's counters of SERIES_RULE is this rule's. */
int slices_rule(struct slices *slices, const char *rule);

/* Makes `n` of them empty. */
void slices_clear_extras(struct cell_extra *extras, int n);

#endif
