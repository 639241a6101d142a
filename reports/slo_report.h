/* The report "slo": what each objective attained over a range, from the ledger alone. */
#ifndef BINNACLE_REPORTS_SLO_REPORT_H
#define BINNACLE_REPORTS_SLO_REPORT_H

#include "engine/feature/vector.h"
#include "engine/monitor/monitor.h"
#include "engine/observe/observe.h"
#include "reports/report.h"

struct slo_report_options {
    const char *ledger_dir;
    const char *service;
    const struct monitor_options
        *monitor; /* objectives and drift, as read from the configuration */
    const struct observe_options *observe; /* what they need counted; .features may be NULL */
    int64_t from_us, to_us;                /* [from, to), at most ten years */
};

/* Reads every decision of the range and judges it with the code that judges live ones. *report is
 * filled and becomes the caller's, to be given to report_free(). STATUS_INVALID: the range is empty
 * or too long. One thread. */
MUST_USE enum status slo_report_build(const struct slo_report_options *options,
                                      struct report *report, struct error *error);

#endif
