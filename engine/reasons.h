/* The reasons of a decision: while it is made, and later from its record. */
#ifndef BINNACLE_ENGINE_REASONS_H
#define BINNACLE_ENGINE_REASONS_H

#include <stdbool.h>

#include "engine/base/buffer.h"
#include "engine/base/slice.h"
#include "engine/base/status.h"
#include "engine/engine.h"
#include "engine/record/row.h"

#define DEFAULT_REASONS 3 /* where nobody says */

/* "all" (-1) or a number up to MAX_FEATURES; false: neither. */
bool reasons_parse(const char *text, int *reasons);

/* Gives recorded decisions the reasons that they would have been recorded with, had so many been
 * asked for when they were made: computed from the recorded features by the model that decided, the
 * same bytes. A rule's own code comes first, as it was recorded. Codes of features are those of the
 * rules that the engine has. One thread at a time. */
struct explainer;

/* The engine must outlive it; it needs no ledger. */
MUST_USE enum status explainer_create(struct engine *engine, struct explainer **explainer,
                                      struct error *error);
void explainer_destroy(struct explainer *explainer); /* NULL is ignored */

/* Puts the `top` largest (-1: all) into `row`, which then borrows them until the next call.
 * STATUS_CONFLICT: the engine has other features, or no such model, or another one by its name
 * (told by the margin, which must be the recorded one to the bit). */
MUST_USE enum status explainer_explain(struct explainer *explainer, int top, struct ledger_row *row,
                                       struct error *error);

/* Appends the recorded answer to an event, with its `top` reasons, as JSON. STATUS_NOT_FOUND: it is
 * not in the ledger; STATUS_UNSUPPORTED: there is none; STATUS_CONFLICT as above. Any thread. */
MUST_USE enum status engine_explain_event(struct engine *engine, struct slice event_id, int top,
                                          struct buffer *out, struct error *error);

#endif
