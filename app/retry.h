/* Quarantined events through the contract again, as they came: for the command and the page. */
#ifndef BINNACLE_APP_RETRY_H
#define BINNACLE_APP_RETRY_H

#include "engine/pipeline.h"
#include "engine/record/reader.h"

struct retry;

/* Reads what is to be tried: the open events of the filter, or of those only `ids`. The rows are
 * read first, because the engine writes while it decides. STATUS_NOT_FOUND: an id that is not open;
 * STATUS_INVALID: its bytes were deleted by policy; STATUS_FULL: more than 1 GiB. */
MUST_USE enum status retry_read(const char *ledger_dir, const struct quarantine_filter *filter,
                                const uint64_t *ids, size_t n_ids, struct retry **retry,
                                struct error *error);
void retry_destroy(struct retry *retry); /* NULL is ignored */
size_t retry_size(const struct retry *retry);

struct retry_count {
    size_t accepted, quarantined; /* a duplicate is accepted */
};
/* Decides on each and marks it as retried; `each` gets its answer's JSON, borrowed for the call.
 * Stops at the first failure: those before it are done. One thread. */
typedef enum status retry_visitor(void *context, struct slice answer, struct error *error);
MUST_USE enum status retry_run(struct retry *retry, struct engine *engine,
                               const struct worker_options *options, retry_visitor *each,
                               void *context, struct retry_count *count, struct error *error);

#endif
