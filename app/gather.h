/* Scoring for a server with a loop: requests that have arrived together go through the pipeline as
 * one batch, and each is answered when its row is on the disk. Everything but create and destroy is
 * called on the loop's thread. */
#ifndef BINNACLE_APP_GATHER_H
#define BINNACLE_APP_GATHER_H

#include <stdint.h>

#include "engine/pipeline.h"
#include "ui/web/web.h"

#define GATHER_CALLS MAX_BATCH /* the most at once */

struct gather;

/* `options` is copied. No memory to speak of is taken before the first call. */
MUST_USE enum status gather_create(struct engine *engine, const struct worker_options *options,
                                   struct gather **gather, struct error *error);
/* Requests that are not answered yet stay so. NULL is ignored. */
void gather_destroy(struct gather *gather);

/* As struct web_gather has it. A full or failing ledger is a 503 at once; when the disk hangs, a
 * 503 after ENGINE_PATIENCE_MS. */
void gather_score(struct gather *gather, const struct web_score_call *calls, size_t n,
                  web_score_done *done);
void gather_settle(struct gather *gather);
int gather_fd(const struct gather *gather); /* -1 without a ledger */

/* What scoring on a request's own thread does alike: */
struct raw_event gather_event(const struct web_score_request *request, struct slice bytes,
                              int64_t received_ns);
int gather_code(enum answer_kind kind); /* the HTTP status */

#endif
