/* Decisions against labels, for the routes of the API. */
#ifndef BINNACLE_APP_PERFORMANCE_H
#define BINNACLE_APP_PERFORMANCE_H

#include "engine/performance.h"
#include "ui/web/web.h"

/* Adds GET /api/v1/performance to the table for web_start(); NULL adds nothing. */
void performance_table(struct performance *performance, struct web_backend *table);

#endif
