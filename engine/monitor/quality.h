/* Whether the data is sound: per field what is missing, wrong, and how its values are spread,
 * against the minutes before; how old events are; what came twice. From counts of recent minutes.
 */
#ifndef BINNACLE_MONITOR_QUALITY_H
#define BINNACLE_MONITOR_QUALITY_H

#include "engine/monitor/spans.h"

#define QUALITY_CELLS 150 /* five minutes are judged, against the ten before */

/* Shares are NaN where nothing was seen. */
struct field_quality {
    int field;
    const char *name;
    uint64_t n, n_usual; /* events read in the window, and before it */
    double missing, usual_missing;
    double invalid, usual_invalid;
    double distance;  /* total variation of the values against before; NaN: too few */
    double distinct;  /* different values, about; NaN: not counted */
    double low, high; /* numbers; NaN: none */
    uint64_t reasons[VIOLATION_CODES];
    enum health state; /* HEALTH_NODATA, _OK, _TICKET, _PAGE */
    char why[160];     /* what is wrong; "" */
};

struct span_quality {
    int64_t from_us, to_us;
    uint64_t accepted, quarantined, duplicates, errors;
    double duplicate_ratio;
    double age_p50_s, age_p95_s; /* of events when decided; upper edges of their buckets */
    double feature_lag_s;        /* since the newest event that features know; NaN */
    enum health state;           /* the worst of fields and ages */
};

/* The window [from, to) of cells; to - from may be less than asked for where less is known. False:
 * nothing was seen at all. */
struct quality_window {
    int from, to, base;
};
struct quality_window quality_window(const struct slices_view *view, int cells);

void quality_of_span(const struct span_sums *sums, const struct quality_window *window,
                     struct span_quality *out);
void quality_of_field(const struct span_sums *sums, const struct quality_window *window, int field,
                      struct field_quality *out);

#endif
