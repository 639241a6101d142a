/* Every day of a ledger and where it is. */
#ifndef BINNACLE_RECORD_DAY_LIST_H
#define BINNACLE_RECORD_DAY_LIST_H

#include <stddef.h>

#include "engine/base/status.h"
#include "engine/record/tiers.h"

/* Ascending, deleted ones included; *days is the caller's to free. Of a live day only its rows,
 * root and size are known; one that nothing was committed to is left out. STATUS_NOT_FOUND: no such
 * folder. Any thread and process. */
MUST_USE enum status ledger_days(const char *dir, struct tier_day **days, size_t *n,
                                 struct error *error);

#endif
