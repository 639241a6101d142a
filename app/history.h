/* The history of a running service, as the HTTP routes ask for it. */
#ifndef BINNACLE_APP_HISTORY_H
#define BINNACLE_APP_HISTORY_H

#include "engine/engine.h"
#include "ui/web/web.h"

/* Fills the table; without a history nothing is offered. The engine must outlive its use. */
void history_table(struct engine *engine, struct web_history *table);

#endif
