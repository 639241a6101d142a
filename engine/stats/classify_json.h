/* Figures of a classifier as JSON members, the same wherever they are shown. */
#ifndef BINNACLE_STATS_CLASSIFY_JSON_H
#define BINNACLE_STATS_CLASSIFY_JSON_H

#include "engine/base/json.h"
#include "engine/stats/classify.h"

/* Into the open object: "n", "positives", one member a figure (null: not defined), "confusion", and
 * "ci" with [low, high] (or null) a figure. "cost" and "cost_total" only where there are costs. */
void classify_json(struct json_writer *writer, const struct classify_result *result);
/* "ci_method": the name of each figure's interval. */
void classify_methods_json(struct json_writer *writer, bool has_costs);

#endif
