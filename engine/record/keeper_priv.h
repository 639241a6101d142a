/* The keeper's inside. Its own thread, or the one that runs a pass; `stats` under `lock`. */
#ifndef BINNACLE_RECORD_KEEPER_PRIV_H
#define BINNACLE_RECORD_KEEPER_PRIV_H

#include "engine/base/thread.h"
#include "engine/record/keeper.h"
#include "engine/record/reader_priv.h"
#include "engine/record/tiers_priv.h"

struct keeper {
    struct keeper_options options;
    char *dir;
    struct tiers *tiers;
    struct clock *wall;
    int64_t store;  /* number of the archive; 0: none */
    int64_t newest; /* the writer's day */
    uint64_t failures;
    struct thread *thread; /* NULL: passes are run by somebody else's */
    struct lock lock;
    pthread_cond_t changed;
    bool closing;
    struct keeper_stats stats;
    int64_t whole_ns; /* when the last pass without failure ended; 0: none yet */
};

/* Puts a row into the ledger, unless the same one is there already; *index is its own. */
MUST_USE enum status keeper_record(struct keeper *keeper, const char *what, struct slice arguments,
                                   int64_t *index, struct error *error);

void keeper_tell(const struct keeper_pass *pass, enum keeper_step step, const struct tier_day *day);

/* ---- retention.c ---- */

/* Puts holds and releases that are new into the record. */
MUST_USE enum status retention_record_holds(struct keeper *keeper, struct error *error);
/* Deletes the day if its time is over, it is the oldest one left and nobody holds it. */
MUST_USE enum status retention_step(struct keeper *keeper, const struct keeper_pass *pass,
                                    int64_t day, struct error *error);

/* ---- keeper_stats.c ---- */

/* After a pass: days and bytes by tier. `problem` NULL: there was none. */
void keeper_count(struct keeper *keeper, const struct error *problem);

/* ---- compress.c ---- */

/* A sealed day becomes YYYY-MM-DD.db.zst, whose content is checked before the sealed file goes. May
 * be killed at any point; done again, it goes on. */
MUST_USE enum status compress_day(struct tiers *tiers, int64_t day, struct error *error);
/* What a compression that was cut short left behind. */
MUST_USE enum status compress_tidy(struct tiers *tiers, int64_t day, struct error *error);

#endif
