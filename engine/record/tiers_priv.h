/* tiers.db, written; and the path by which a day's file is read, whatever tier it is in. */
#ifndef BINNACLE_RECORD_TIERS_PRIV_H
#define BINNACLE_RECORD_TIERS_PRIV_H

#include "engine/base/db.h"
#include "engine/record/files_priv.h"
#include "engine/record/tiers.h"

/* ---- tiers.c ---- */

/* Writes the row anew; `tree` NULL: it is kept. STATUS_OK means it is on the disk. */
MUST_USE enum status tiers_put(struct tiers *tiers, const struct tier_day *day,
                               const struct tree *tree, struct error *error);
struct db *tiers_db(struct tiers *tiers); /* NULL: there is no tiers.db */
const char *tiers_dir(const struct tiers *tiers);
/* A number kept by name, such as the most bytes of the cache. */
MUST_USE enum status tiers_set(struct tiers *tiers, const char *name, int64_t value,
                               struct error *error);
MUST_USE enum status tiers_get(struct tiers *tiers, const char *name, int64_t otherwise,
                               int64_t *value, struct error *error);

/* ---- event_filter.c ---- */

/* Makes the day's filter from the decisions of an open day file, in the transaction that is open on
 * tiers.db. */
MUST_USE enum status event_filter_build(struct tiers *tiers, int64_t day, struct db *file,
                                        struct error *error);

MUST_USE enum status event_filter_remove(struct tiers *tiers, int64_t day, struct error *error);

/* ---- tier_path.c ---- */

/* Removes the copies of a day from the cache. */
void cache_forget(const char *dir, int64_t day);

/* "dir/YYYY-MM-DD" + ending. */
bool tier_file(char out[PATH_SIZE], const char *dir, int64_t day, const char *ending);
#define PACKED_ENDING  ".db.zst"
#define SUM_ENDING     ".db.sha256"
#define SEALING_ENDING ".db.sealing"
/* The file is a sealed one: no write-ahead log belongs to it. False also when it is not there. */
bool file_is_sealed(const char *path);

/* Where the day can be read by SQLite: its own file, or a checked copy in the cache that is
 * unpacked or fetched now. STATUS_NOT_FOUND: no such day, or deleted by policy. STATUS_UNAVAILABLE:
 * its archive is away; the message names the day. STATUS_CORRUPT: not what was sealed. Any thread
 * and process; copies are made one at a time. */
MUST_USE enum status tier_path(const char *dir, int64_t day, char path[PATH_SIZE],
                               struct error *error);
#define CACHE_BYTES ((int64_t)1 << 30) /* the cache's bound unless set */

#endif
