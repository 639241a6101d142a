/* The lines of objectives over time, out of what the history keeps: how much of the error budget
 * was left, and how fast it was being used up. By the same counts and formulas as slo.h judges the
 * present by. */
#ifndef BINNACLE_MONITOR_BUDGET_H
#define BINNACLE_MONITOR_BUDGET_H

#include "engine/history/answer.h"
#include "engine/monitor/slo.h"

/* "budget_left.NAME" and "burn_1h.NAME" of each objective, as series of this history. */
struct budget_lines {
    struct history_store *history;
    const struct slo_set *objectives;
};
/* What history_set_derived() takes; `lines` and what it borrows must outlive the history's last
 * question. */
struct history_derived budget_lines_series(struct budget_lines *lines);

#endif
