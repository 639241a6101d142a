/* The report "slo": what each objective attained over a range, from the ledger and the history that
 * the service keeps beside it. */
#ifndef BINNACLE_REPORTS_SLO_REPORT_H
#define BINNACLE_REPORTS_SLO_REPORT_H

#include "engine/feature/vector.h"
#include "engine/history/history.h"
#include "engine/monitor/indicators.h"
#include "engine/monitor/slo.h"
#include "engine/observe/observe.h"
#include "reports/report.h"

struct slo_report_options {
    const char *ledger_dir;
    const char *service;
    const struct slo_set *objectives;      /* as read from the configuration */
    const struct observe_options *observe; /* what they need counted; .features may be NULL */
    const struct history_options *history; /* as read from the configuration; no path */
    const struct schema *schema;           /* of events; NULL: not known, there are no indicators */
    struct indicators *indicators;         /* of objectives by expression; NULL: there are none */
    int64_t from_us, to_us;                /* [from, to), at most ten years */
};

/* Reads every decision of the range and judges it with the code that judges live ones. What leaves
 * no rows there, and verdicts on minutes and slices of time, are what the service kept in its
 * history; where that does not reach there is no data. *report is filled and becomes the caller's,
 * to be given to report_free(). STATUS_INVALID: the range is empty or too long. One thread. */
MUST_USE enum status slo_report_build(const struct slo_report_options *options,
                                      struct report *report, struct error *error);

#endif
