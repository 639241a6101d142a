/* Who takes the ledger's days from tier to tier: seals those that are over, compresses old ones. A
 * thread of its own while a service runs, or one pass for a command. Only the process that has the
 * ledger open; scoring never waits for it. */
#ifndef BINNACLE_RECORD_KEEPER_H
#define BINNACLE_RECORD_KEEPER_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/clock.h"
#include "engine/base/log.h"
#include "engine/base/status.h"
#include "engine/record/archive.h"
#include "engine/record/ledger.h"
#include "engine/record/tiers.h"

/* Ages count from the end of a day, or from when it was written by the machine's clock where that
 * is later: what was replayed today is young. 0: at once. */
struct tier_policy {
    int64_t grace_us; /* until a day that is over is sealed */
    int64_t raw_us;   /* until the bytes of its quarantined events are deleted, which is when it is
                         sealed: a day that has some waits for it */
    bool keep_raw;    /* they stay, and nothing waits */
    int64_t live_us;  /* until a sealed day is compressed */
    int64_t move_us;  /* until a compressed day is moved to the archive, if there is one */
    int64_t keep_us;  /* until a day is deleted */
    int64_t cache_bytes;
    struct archive_options archive;
};

enum keeper_step { KEEPER_SEAL = 1, KEEPER_COMPRESS = 2, KEEPER_MOVE = 4, KEEPER_DELETE = 8 };
#define KEEPER_ALL (KEEPER_SEAL | KEEPER_COMPRESS | KEEPER_MOVE | KEEPER_DELETE)

struct keeper_options {
    const char *dir;
    struct ledger *ledger;     /* for the rows that say what was done */
    const struct clock *clock; /* the ledger's: dates those rows */
    struct log *log;           /* may be NULL */
    struct tier_policy policy;
};

struct keeper;
MUST_USE enum status keeper_create(const struct keeper_options *options, struct keeper **keeper,
                                   struct error *error);
/* Stops its thread, if it has one, after the step it is at. NULL is ignored. */
void keeper_destroy(struct keeper *keeper);

/* Called for everything that is done, or, with dry_run, would be. */
typedef void keeper_visitor(void *context, enum keeper_step step, const struct tier_day *day);
struct keeper_pass {
    unsigned steps;       /* of enum keeper_step */
    int64_t now_us;       /* ages are counted up to here; by the machine's clock */
    int64_t before_us;    /* only days that began before; 0: all */
    bool dry_run;         /* nothing is changed */
    keeper_visitor *each; /* may be NULL */
    void *context;
};
/* Does what is due, oldest day first. A day that cannot be done is passed over and told at the end:
 * the status and error are those of the first one. Not while its thread runs. */
MUST_USE enum status keeper_run(struct keeper *keeper, const struct keeper_pass *pass,
                                struct error *error);

/* Looks again and again, once a minute or as often as the policy's shortest age asks for. */
MUST_USE enum status keeper_start(struct keeper *keeper, struct error *error);

struct keeper_stats {
    uint64_t days[TIER_COUNT]; /* at the end of the last pass */
    int64_t bytes[TIER_COUNT]; /* on this machine; of archived ones: in the archive */
    uint64_t passes, failures; /* since start; failures: of days */
    int64_t seconds_behind; /* since the oldest pass without failure; 0: the last one was whole */
    char problem[256];      /* of the last pass; empty: none */
};
/* Any thread. */
void keeper_stats(struct keeper *keeper, struct keeper_stats *stats);

#endif
