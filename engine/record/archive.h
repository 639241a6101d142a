/* Object stores that a ledger's days are moved to; tiers.db remembers them, so that a reader needs
 * no configuration. Keys are never in it: only the names of the files that hold them. */
#ifndef BINNACLE_RECORD_ARCHIVE_H
#define BINNACLE_RECORD_ARCHIVE_H

#include "engine/base/object_store.h"
#include "engine/record/tiers_priv.h"

/* As configured. */
struct archive_options {
    const char *endpoint; /* NULL: days stay on this machine */
    const char *region, *bucket;
    const char *prefix;                            /* before every object's name; may be empty */
    const char *access_key_file, *secret_key_file; /* absolute, mode 0600; NULL: from the
                                                      environment, AWS_ACCESS_KEY_ID and
                                                      AWS_SECRET_ACCESS_KEY */
};

/* The number of this store in tiers.db; written when it is new or its key files are others. */
MUST_USE enum status archive_remember(struct tiers *tiers, const struct archive_options *options,
                                      int64_t *id, struct error *error);

/* A compressed day goes to the store: sent, got back whole and compared, then the local file is
 * removed. May be killed at any point; done again, it goes on. */
MUST_USE enum status archive_move(struct tiers *tiers, int64_t day, int64_t store, int64_t now_us,
                                  struct error *error);
/* What a move that was cut short left behind. */
MUST_USE enum status archive_tidy(struct tiers *tiers, int64_t day, struct error *error);
/* Gets the compressed file of an archived day to `path`, and checks its SHA-256. The message of
 * STATUS_UNAVAILABLE, also where the store refuses the keys, names the day. */
MUST_USE enum status archive_fetch(struct tiers *tiers, const struct tier_day *day,
                                   const char *path, struct error *error);
MUST_USE enum status archive_delete(struct tiers *tiers, const struct tier_day *day,
                                    struct error *error);

#endif
