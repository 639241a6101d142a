/* What the ledger's own rows say of its days: actions, so that sealing and deleting are under the
 * tree like everything else. */
#ifndef BINNACLE_RECORD_TIER_RECORD_H
#define BINNACLE_RECORD_TIER_RECORD_H

#include "engine/base/buffer.h"
#include "engine/record/tiers.h"

#define KEEPER_NAME    "binnacle" /* who does it */
#define ACTION_SEAL    "ledger.seal"
#define ACTION_DELETE  "ledger.delete"
#define ACTION_HOLD    "ledger.hold"
#define ACTION_RELEASE "ledger.release"

/* The arguments: the same bytes for the same row of tiers.db, so that a row of the ledger can be
 * compared with it. False: out of memory. */
bool seal_arguments(const struct tier_day *day, struct buffer *out);
bool delete_arguments(const struct tier_day *day, struct buffer *out);

#endif
