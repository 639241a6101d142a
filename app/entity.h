/* What somebody's name is in the ledger. */
#ifndef BINNACLE_APP_ENTITY_H
#define BINNACLE_APP_ENTITY_H

#include "engine/record/pseudonym.h"

/* An entity may be personal, and then stands in the ledger under its pseudonym, or not: who looks
 * for one tries both. Needs read access to keys/pseudonym.key of the ledger. Any thread. */
MUST_USE enum status entity_pseudonym(const char *ledger_dir, struct slice entity,
                                      char out[PSEUDONYM_SIZE], struct error *error);

#endif
