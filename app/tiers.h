/* The keeper of a running service: who takes the ledger's days from tier to tier. */
#ifndef BINNACLE_APP_TIERS_H
#define BINNACLE_APP_TIERS_H

#include "app/session.h"
#include "engine/observe/snapshot.h"
#include "engine/record/keeper.h"

/* *keeper is NULL when the session has no ledger. It goes before the session. */
MUST_USE enum status tiers_start(const struct session *session, struct keeper **keeper,
                                 struct error *error);
/* NULL is nobody. */
void tiers_fill(struct keeper *keeper, struct snapshot *snapshot);

#endif
