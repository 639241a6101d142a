/* The thread that scores shadow models on live traffic. Private to engine/'s own files. */
#ifndef BINNACLE_ENGINE_SHADOW_H
#define BINNACLE_ENGINE_SHADOW_H

#include "engine/base/status.h"
#include "engine/observe/queues.h"

struct engine;
struct shadow;
struct worker;

MUST_USE enum status shadow_create(struct engine *engine, struct shadow **shadow,
                                   struct error *error);
/* Scores what is still queued. NULL is ignored. */
void shadow_destroy(struct shadow *shadow);
/* Copies the batch's rows that a shadow is to see; what does not fit is left out and counted. */
void shadow_offer(struct worker *worker);
/* Adds its queue: events that wait to be scored, and those that were left out. Any thread. */
void shadow_queue(struct shadow *shadow, struct queue_statuses *queues);

#endif
