/* The report "performance": how good decisions turned out to be by the labels that came, from the
 * ledger alone. */
#ifndef BINNACLE_REPORTS_PERFORMANCE_REPORT_H
#define BINNACLE_REPORTS_PERFORMANCE_REPORT_H

#include "engine/monitor/truth.h"
#include "reports/report.h"

struct performance_report_options {
    const char *ledger_dir;
    const char *service;
    const struct schema *schema;       /* NULL: not known; then the options name no field */
    const struct truth_options *truth; /* as the service reads them */
    int64_t from_us, to_us;            /* decisions of [from, to) */
};

/* Joins the labels of the whole record as a service does, which gives its figures. *report is
 * filled and becomes the caller's, to be given to report_free(). STATUS_INVALID: the range is
 * empty. One thread. */
MUST_USE enum status performance_report_build(const struct performance_report_options *options,
                                              struct report *report, struct error *error);

#endif
