/* Rows of the ledger into the join of decisions and labels: what of a row counts, and of a label's
 * decision, which is looked up in the record. */
#ifndef BINNACLE_ENGINE_JOIN_H
#define BINNACLE_ENGINE_JOIN_H

#include "engine/base/status.h"
#include "engine/event/event.h"
#include "engine/monitor/truth.h"
#include "engine/record/reader.h"

struct lock;
struct join; /* one thread at a time */

/* Reads `performance:` (NULL: the defaults) and checks its fields against the schema (NULL: of a
 * service that is not known; then amount and cohort are not either). */
MUST_USE enum status join_options(const struct yaml_node *node, const struct schema *schema,
                                  struct truth_options *options, struct error *error);
/* The schema is borrowed, and what the options name of its fields is in it. */
MUST_USE enum status join_open(const char *ledger_dir, const struct schema *schema,
                               const struct truth_options *options, struct join **join,
                               struct error *error);
void join_close(struct join *join); /* NULL is ignored */
/* The lock of whoever else looks at the truth: taken while a row changes it, and not while files
 * are read. */
void join_guard(struct join *join, struct lock *lock);

/* Rows come in their order; of kinds that do not count nothing becomes. */
MUST_USE enum status join_row(struct join *join, const struct ledger_row *row, struct error *error);
struct truth *join_truth(struct join *join);

#endif
