/* SIGINT, SIGTERM and SIGHUP (unless it is ignored, as under nohup) as something to look at between
 * two pieces of work, instead of a handler. */
#ifndef BINNACLE_APP_INTERRUPT_H
#define BINNACLE_APP_INTERRUPT_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/status.h"

struct interrupt;

/* Blocks the signals for this thread and those it starts; call before starting any. From then
 * on they only end the process through interrupt_came(). */
MUST_USE enum status interrupt_create(struct interrupt **interrupt, struct error *error);
void interrupt_destroy(struct interrupt *interrupt); /* NULL is ignored */

/* True from the first signal on. Any thread. NULL: false. */
bool interrupt_came(struct interrupt *interrupt);
/* Waits for a signal for up to timeout_ms; as interrupt_came(). NULL: only waits. */
bool interrupt_wait(struct interrupt *interrupt, int timeout_ms);

#endif
