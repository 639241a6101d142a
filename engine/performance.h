/* How good the model turns out to be: follows the ledger, joins labels with their decisions, and
 * measures. */
#ifndef BINNACLE_ENGINE_PERFORMANCE_H
#define BINNACLE_ENGINE_PERFORMANCE_H

#include <stdint.h>

#include "engine/base/buffer.h"
#include "engine/base/status.h"
#include "engine/engine.h"
#include "engine/observe/performance.h"

struct performance;
struct yaml_node;

/* Reads `performance:` (NULL: the defaults) and checks that its fields are in the contract. What it
 * says is kept until the end of the document. */
MUST_USE enum status performance_check(const struct yaml_node *node,
                                       const struct contract *contract, struct error *error);

/* Takes up what it knew at the last stop and starts a thread that reads on from there; the engine
 * has a ledger and outlives it. State that is missing, damaged, of other settings or of another
 * ledger is made again from the record. */
MUST_USE enum status performance_start(struct engine *engine, const struct yaml_node *node,
                                       struct performance **performance, struct error *error);
/* Writes down the state. NULL is ignored. */
void performance_stop(struct performance *performance);

/* The newest figures; waits for nobody. NULL gives "not used". Any thread. */
void performance_fill(struct performance *performance, struct performance_status *status);

/* GET /api/v1/performance: decisions of [from_us, to_us); `by`: NULL, variant, cohort or time
 * (STATUS_INVALID for others). Any thread. */
MUST_USE enum status performance_json(struct performance *performance, int64_t from_us,
                                      int64_t to_us, const char *by, struct buffer *out,
                                      struct error *error);

#endif
