/* How the thread that verifies goes along a ledger: the tree it builds on the way (verify_walk.c),
 * the threads that read rows for it (verify_crew.c), the groups of one day's file
 * (verify_groups.c). */
#ifndef BINNACLE_RECORD_VERIFY_WALK_PRIV_H
#define BINNACLE_RECORD_VERIFY_WALK_PRIV_H

#include "engine/record/reader.h"
#include "engine/record/tiers.h"
#include "engine/record/verify_priv.h"

/* A group whose root did not fit: the next root tells whether it or the hashes are wrong. */
struct suspect {
    bool set;
    uint64_t commit, first, end;
};

struct walk {
    struct verify *verify;
    struct tree tree;
    bool lost;    /* the tree is not known */
    bool chained; /* ... and was so for the whole of the current file */
    struct suspect suspect;
    uint64_t missing_first, missing_end; /* rows not there, not told yet */
    uint64_t rows, next_commit;
    int repairs;
    int64_t headed_ms;
    const struct signed_head *outside; /* kept elsewhere, by tree_size */
    size_t n_outside, next_outside;
    struct carry carry; /* from the file before */
    struct day_check *day;
};

/* The next rows in order: read and hashed, with the groups and heads over them. */
void walk_block(struct walk *walk, const struct block *block);
/* The index that the file in walk->day should begin with. */
MUST_USE uint64_t walk_begin_day(struct walk *walk);
/* After the file's last group, which ended before row `next`. */
void walk_end_day(struct walk *walk, uint64_t next);

/* ---- verify_crew.c: threads, and the blocks between them ---- */

struct crew;
/* Starts the threads; blocks that are done go to walk_block() in order. */
MUST_USE enum status crew_start(struct walk *walk, const int64_t *days, size_t n_days,
                                struct crew **crew, struct error *error);
void crew_stop(struct crew *crew); /* NULL is ignored */
/* The next block to fill; its memory is kept from the last use. */
struct block *crew_next(struct crew *crew);
/* Hands the block that crew_next() gave to the threads. False: no memory. */
MUST_USE bool crew_push(struct crew *crew, struct block *block);
/* Waits for every block on its way. */
void crew_drain(struct crew *crew);

/* ---- verify_groups.c ---- */

/* One day's file. What is wrong with it is told;
 * the error is STATUS_MEMORY, or STATUS_UNAVAILABLE for a day in an archive that is away. */
MUST_USE enum status verify_day(struct crew *crew, struct walk *walk, int64_t number,
                                struct error *error);

/* ---- verify_tiers.c ---- */

/* Starts the walk after the days that were deleted by policy. */
void verify_after_deleted(struct walk *walk, struct tiers *tiers);
/* What tiers.db says of sealed and deleted days against what the ledger's own rows say. */
void verify_tiers(struct verify *verify, struct tiers *tiers, struct reader *reader);

#endif
