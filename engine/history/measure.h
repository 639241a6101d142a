/* The names that the history is asked by, and what each is made of. */
#ifndef BINNACLE_HISTORY_MEASURE_H
#define BINNACLE_HISTORY_MEASURE_H

#include "engine/history/range.h"

struct measure_row;
struct measure {
    const struct measure_row *row;
    char name[2 * NAME_SIZE];
    int column;   /* of the layout; -1: of none */
    int code;     /* a violation's */
    double share; /* a percentile's, 0 to 1 */
};

/* "events", "latency_p99_us", "score_p2.5", "psi.amount", ... STATUS_INVALID: there is none of this
 * name. */
MUST_USE enum status measure_find(const struct layout *layout, struct slice name,
                                  struct measure *series, struct error *error);
/* Whether it says something of shadows, or of the other arms. */
bool measure_told_of(const struct measure *series, bool shadow);
const char *measure_unit(const struct measure *series);
unsigned measure_sections(const struct measure *series);
/* Its value at a point; NaN: no data. `sums` NULL: nothing happened there. */
double measure_value(const struct measure *series, const struct point *point,
                     const struct sums *sums);

/* Calls for each name that there is under this layout. */
typedef void measure_visitor(void *context, const char *name, const char *unit, const char *help);
void measure_list(const struct layout *layout, measure_visitor *visit, void *context);

#endif
