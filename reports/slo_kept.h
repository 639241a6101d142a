/* What a service kept of its objectives in the history beside its ledger: what leaves no rows there
 * (refusals, errors), and verdicts on minutes and slices of time. */
#ifndef BINNACLE_REPORTS_SLO_KEPT_H
#define BINNACLE_REPORTS_SLO_KEPT_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/history/history.h"
#include "engine/monitor/indicators.h"
#include "engine/monitor/slo.h"
#include "engine/observe/tally.h"

struct slo_kept;
/* Reads what is there, also while a service writes it. Without a history nothing is known. The
 * options are those of the service, all but the path; their schema must outlive it. */
MUST_USE enum status slo_kept_open(const char *ledger_dir, const struct history_options *options,
                                   struct slo_kept **kept, struct error *error);
void slo_kept_close(struct slo_kept *kept); /* NULL is ignored */

/* Turns to [from_us, to_us), which is within a day: the minutes that begin in it. */
MUST_USE enum status slo_kept_read(struct slo_kept *kept, int64_t from_us, int64_t to_us,
                                   struct error *error);

/* ---- of what was read last ---- */

/* In how many of these minutes the service was counting. */
int slo_kept_minutes(const struct slo_kept *kept);
/* Whether it was in the minute of that time. */
bool slo_kept_knows(const struct slo_kept *kept, int64_t time_us);
/* Refusals, duplicates, errors and verdicts; no decisions. */
const struct tally *slo_kept_tally(const struct slo_kept *kept);
/* Slices that begin at or after since_us and end in what was read, when a service was there: as the
 * live ones, by what lies in the history now. */
MUST_USE enum status slo_kept_slices(const struct slo_kept *kept,
                                     const struct indicators *indicators, const struct slo *slo,
                                     int64_t since_us, uint64_t *counted, uint64_t *bad,
                                     struct error *error);

#endif
