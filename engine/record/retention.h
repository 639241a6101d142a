/* Days that have been kept for as long as the policy says, and holds that stop their deletion. */
#ifndef BINNACLE_RECORD_RETENTION_H
#define BINNACLE_RECORD_RETENTION_H

#include "engine/record/tiers.h"

#define HOLD_TEXT_SIZE 256

/* A legal hold, or its release. While the newest one holds, nothing is deleted. */
struct hold {
    bool held; /* false: released, or there never was one */
    int64_t at_us;
    char who[HOLD_TEXT_SIZE], reason[HOLD_TEXT_SIZE];
};

/* The newest one. Any thread and process. */
MUST_USE enum status hold_read(const char *dir, struct hold *hold, struct error *error);
/* Takes effect at once, also beside a running service; the keeper records it as an action at its
 * next pass. */
MUST_USE enum status hold_put(const char *dir, const struct hold *hold, struct error *error);

#endif
