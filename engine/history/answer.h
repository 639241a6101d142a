/* Questions to the history as they come from outside, and the JSON they are answered with. */
#ifndef BINNACLE_HISTORY_ANSWER_H
#define BINNACLE_HISTORY_ANSWER_H

#include "engine/base/buffer.h"
#include "engine/base/slice.h"
#include "engine/history/history.h"

struct history_question {
    int64_t from_us, to_us; /* INT64_MIN: six hours before the end; INT64_MAX: now */
    int64_t step_us;        /* 0: about 240 points */
    struct slice series;    /* "events,latency_p99_us" */
    struct slice by;        /* "variant,country"; may be empty */
    struct slice where;     /* "country:US,device:ios"; may be empty */
    struct slice of;        /* of a heatmap: "latency", "score" or a column */
};

/* One of the following as it is asked for; what `values` points at is to be filled. */
struct history_line {
    int index;
    double *values;
};
/* Series that somebody else makes of what is kept, asked for by name beside the history's own. They
 * are not told apart by labels, and refused where labels are asked for by `where`. */
struct history_derived {
    void *context; /* borrowed; NULL: there are none */
    int n;
    void (*describe)(void *context, int index, char name[2 * NAME_SIZE], const char **unit,
                     const char **help);
    /* The values of all these lines, which may share what is read, at n points from from_s on, each
     * step_s long; NaN: no data. Any thread. */
    enum status (*values)(void *context, const struct history_line *lines, int n_lines,
                          int64_t from_s, int64_t step_s, size_t n, struct error *error);
};
/* Before the first question. */
void history_set_derived(struct history_store *history, const struct history_derived *derived);

/* {"from","to","step_s","series":[{"name","unit","labels":{},"points":[[t_ms,value|null],...]}]}.
 * STATUS_INVALID says what is wrong with the question. Any thread, as all here. */
MUST_USE enum status history_answer(struct history_store *history,
                                    const struct history_question *question, struct buffer *out,
                                    struct error *error);
/* {"labels":{"variant":["champion",...]},"series":[{"name","unit","help"}]} */
void history_names(struct history_store *history, struct buffer *out);
/* {"of","unit","step_s","edges":[...],"missing":bool,"cells":[[t_ms,[n,...]|null],...]}: a cell's
 * first count lies below the first edge, its last at or above the last edge, and with "missing"
 * one more counts missing values. */
MUST_USE enum status history_heatmap(struct history_store *history,
                                     const struct history_question *question, struct buffer *out,
                                     struct error *error);

#endif
