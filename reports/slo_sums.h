/* The sums of the report "slo": what each day and the whole range hold. */
#ifndef BINNACLE_REPORTS_SLO_SUMS_H
#define BINNACLE_REPORTS_SLO_SUMS_H

#include "engine/record/reader.h"
#include "reports/slo_report.h"

struct slo_counts {
    uint64_t counted, bad;
};

struct slo_day {
    int64_t start_us;
    uint64_t decisions, declined, quarantined;
    double p95_us;
    int minutes, known_minutes; /* of the range; of those, in the history */
    struct slo_counts slos[MAX_SNAPSHOT_SLOS];
};

struct slo_sums {
    struct slo_day *days;
    int n_days;
    int64_t minutes, known_minutes;
    struct slo_counts totals[MAX_SNAPSHOT_SLOS];
};

/* Whether it is judged by the rows of the ledger; else the history beside it has to know. */
bool slo_of_ledger(const struct slo *slo);
/* Fills *sums, whose days are free()d by the caller, also after a failure. */
MUST_USE enum status slo_sums_count(const struct slo_report_options *options, struct reader *reader,
                                    struct slo_sums *sums, struct error *error);

#endif
