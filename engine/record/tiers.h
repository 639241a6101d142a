/* Where the days of a ledger are: as a live file, sealed, compressed, in an archive, or deleted by
 * policy. tiers.db in the ledger's folder has a row per day that was sealed; a day without one is
 * live. The keeper (keeper.h) writes it, any process reads it. */
#ifndef BINNACLE_RECORD_TIERS_H
#define BINNACLE_RECORD_TIERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/packed_file.h"
#include "engine/record/tree.h"

enum tier { TIER_LIVE, TIER_SEALED, TIER_COMPRESSED, TIER_ARCHIVED, TIER_DELETED };
#define TIER_COUNT 5
/* "live", "sealed", "compressed", "archived", "deleted". */
const char *tier_name(enum tier tier);

/* A day as it was when it was sealed, and where it is now. */
struct tier_day {
    int64_t day; /* since 1970-01-01 */
    enum tier tier;
    uint64_t first_index, tree_size; /* its rows: [first_index, tree_size) */
    uint8_t root[SHA256_SIZE];       /* of the tree up to its end */
    int64_t low_us, high_us;         /* of its decisions; low > high: none */
    int64_t first_event_us;          /* event time of its first decision; INT64_MIN: none */
    uint64_t quarantined, marks;     /* rows of these tables */
    uint64_t raw_deleted;            /* quarantined events whose bytes are deleted */
    int64_t ended_us;                /* what its age is counted from: its end, or when it was
                                        written by the machine's clock where that is later */
    int64_t sealed_us, moved_us, deleted_us; /* by the machine's clock; 0: not yet */
    struct file_sum plain;                   /* the sealed file */
    struct file_sum packed;                  /* compressed; bytes 0: not yet */
    int64_t seal_index, delete_index;        /* rows of the ledger that say so; -1: not yet */
    int64_t store;                           /* number of the archive it is in; 0: none */
};

/* One connection; one thread. */
struct tiers;
/* A folder without tiers.db has live days only. `write`: made when missing. */
MUST_USE enum status tiers_open(const char *dir, bool write, struct tiers **tiers,
                                struct error *error);
void tiers_close(struct tiers *tiers); /* NULL is ignored */
/* Reads what has changed since the last call. */
MUST_USE enum status tiers_refresh(struct tiers *tiers, struct error *error);

/* As of the last refresh, ascending. */
size_t tiers_count(const struct tiers *tiers);
const struct tier_day *tiers_at(const struct tiers *tiers, size_t i);
/* NULL: live, or there is no such day. */
const struct tier_day *tiers_find(const struct tiers *tiers, int64_t day);
/* The tree at the end of a day that was sealed. STATUS_CORRUPT: it does not give the day's root. */
MUST_USE enum status tiers_tree(struct tiers *tiers, int64_t day, struct tree *tree,
                                struct error *error);
/* The last day that was deleted by policy: deletion is from the oldest end only. NULL: none. */
const struct tier_day *tiers_last_deleted(const struct tiers *tiers);

/* Whether a sealed day may hold decisions on an event; true when it cannot be known. */
MUST_USE enum status tiers_may_hold(struct tiers *tiers, int64_t day, struct slice event_id,
                                    bool *may, struct error *error);

#endif
