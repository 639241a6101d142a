/* The thread that scores shadow models on live traffic. Private to engine/'s own files. */
#ifndef BINNACLE_ENGINE_SHADOW_H
#define BINNACLE_ENGINE_SHADOW_H

#include "engine/base/status.h"

struct engine;
struct shadow;
struct worker;

MUST_USE enum status shadow_create(struct engine *engine, struct shadow **shadow,
                                   struct error *error);
/* Scores what is still queued. NULL is ignored. */
void shadow_destroy(struct shadow *shadow);
/* Copies the batch's rows that a shadow is to see; what does not fit is left out. */
void shadow_offer(struct worker *worker);

#endif
