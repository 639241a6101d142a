/* What is good and what counts at all, said by expressions: over each decision, or over slices of
 * time. Immutable after it is made. */
#ifndef BINNACLE_MONITOR_INDICATORS_H
#define BINNACLE_MONITOR_INDICATORS_H

#include "engine/decide/outcome.h"
#include "engine/event/schema.h"
#include "engine/history/history.h"
#include "engine/monitor/slo.h"

struct indicators;
/* Compiles the expressions of the set's objectives. The error names the objective, line and column.
 * *indicators is NULL where no objective has any. The schemas must outlive it. */
MUST_USE enum status indicators_create(const struct slo_set *set, const struct schema *schema,
                                       const struct feature_schema *features,
                                       struct indicators **indicators, struct error *error);
void indicators_destroy(struct indicators *indicators); /* NULL is ignored */

/* Of the objectives over decisions, by their place (slo.custom): which count this one, and which
 * call it bad. `context` is the indicators. Fields of an outcome without its event are null. Any
 * thread. */
struct custom_verdict indicators_outcome(void *context, const struct outcome *outcome);

/* Gives the whole slices of [from_us, to_us), in order, that an objective over slices counts, by
 * what lies in the history. */
typedef void slice_visitor(void *context, int64_t start_us, bool bad);
MUST_USE enum status indicators_look(const struct indicators *indicators, const struct slo *slo,
                                     struct history_store *history, int64_t from_us, int64_t to_us,
                                     slice_visitor *visit, void *context, struct error *error);
/* Judges the slices that are over since the last call and were not judged, at most a day of them,
 * and counts them in observe. One thread. */
void indicators_slices(struct indicators *indicators, struct history_store *history,
                       struct observe *observe, int64_t now_us);

#endif
