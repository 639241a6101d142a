/* Reading the history: the cells of a range of time, added up by points and by labels. */
#ifndef BINNACLE_HISTORY_RANGE_H
#define BINNACLE_HISTORY_RANGE_H

#include "engine/history/groups.h"
#include "engine/history/history.h"

#define MAX_POINTS 11000

struct range {
    int64_t from_s, to_s; /* [from, to) */
    int64_t step_s;       /* points begin at multiples of it; 0: the whole range is one point */
    uint64_t where, where_mask; /* only events whose labels are these */
    uint64_t by_mask;           /* told apart by these */
    unsigned sections;
    int n_columns; /* of SECTION_BINS only the layout's first ones are wanted; 0: all */
};
/* Whether [from, to) can be read by this step: 1 s and up for the last five minutes, else 60 s;
 * with bins by labels half an hour. Gives the next step that can. */
int64_t range_step_s(struct history_store *history, const struct range *range);

struct point {
    int64_t start_s, end_s;
    bool covered;     /* the service was counting in at least part of it */
    double covered_s; /* and for how long */
    bool by_arm;      /* arms are told apart, or one was asked for */
    const struct layout *layout;
    struct sums *const *groups;
    int n_groups; /* 0: nothing happened, or nobody was there to see it */
};
typedef void range_visitor(void *context, const struct point *point);
/* Calls for each point in order of time. STATUS_INVALID: more than MAX_POINTS. Any thread. */
MUST_USE enum status range_read(struct history_store *history, const struct range *range,
                                range_visitor *visit, void *context, struct error *error);

/* What range_read() will add under; borrowed, lives as long as the history. */
const struct layout *history_layout(struct history_store *history);
const struct labels *history_labels(const struct history_store *history);
/* Seconds of the engine's clock up to which it has counted; 0: nothing yet. */
int64_t history_now_s(struct history_store *history);

#endif
