/* A day that is over becomes one read-only file: compacted, with indexes, known by its SHA-256. */
#ifndef BINNACLE_RECORD_SEAL_H
#define BINNACLE_RECORD_SEAL_H

#include "engine/record/tiers_priv.h"

/* Seals the file of a day that no writer has open any more, and puts its row into tiers.db. May be
 * killed at any point: the file is then as it was or sealed, and the next call goes on. Readers are
 * not held up, and read on in the file that they have. STATUS_UNAVAILABLE: a reader holds the log,
 * try again; STATUS_NOT_FOUND: nothing was committed to the file, which stays; STATUS_CORRUPT: the
 * file is damaged and stays as it is. delete_raw: the bytes of quarantined events are left out. One
 * thread per ledger. */
MUST_USE enum status seal_day(struct tiers *tiers, int64_t day, bool delete_raw, int64_t now_us,
                              struct error *error);

/* What a file that is not sealed yet would be sealed as, without changing it: rows, times, age.
 * STATUS_NOT_FOUND: nothing was committed to it. */
MUST_USE enum status seal_look(const char *dir, int64_t day, struct tier_day *facts,
                               struct error *error);
/* What a sealing that was cut short at its very end left: the log's empty files. */
void seal_tidy(struct tiers *tiers, int64_t day);

#endif
