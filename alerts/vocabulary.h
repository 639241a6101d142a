/* The names that alert conditions and summaries may use, and their values in a snapshot:
 * `events_per_s`, `latency.p99_us`, `slo.NAME.burn_1h`, `drift.FEATURE.psi`, ... The full list is
 * in README.md. */
#ifndef BINNACLE_ALERTS_VOCABULARY_H
#define BINNACLE_ALERTS_VOCABULARY_H

#include <stddef.h>

#include "engine/base/status.h"
#include "engine/base/value.h"
#include "engine/expr/expr.h"
#include "engine/observe/snapshot.h"

/* An objective, as far as rules care. The name is borrowed. */
struct alert_objective {
    const char *name;
    bool counts_events; /* false: minutes or slices of time, for which burn windows are too few */
};

struct vocabulary; /* immutable */

/* For these objectives and columns; names that no expression could write are left out. */
MUST_USE enum status vocabulary_create(const struct alert_objective *slos, int n_slos,
                                       const char *const *columns, int n_columns,
                                       struct vocabulary **vocabulary, struct error *error);
void vocabulary_destroy(struct vocabulary *vocabulary); /* NULL is ignored */

/* Slots count from 0. Borrowed. */
const struct expr_symbol *vocabulary_symbols(const struct vocabulary *vocabulary, size_t *n);
/* -1 when there is no such name; *nearest (may be NULL) gets the name that was perhaps meant. */
int vocabulary_find(const struct vocabulary *vocabulary, const char *name, const char **nearest);

/* Fills one value per slot; null where the snapshot has no data. Strings borrow from it. */
void vocabulary_values(const struct vocabulary *vocabulary, const struct snapshot *snapshot,
                       struct value *slots);

#endif
