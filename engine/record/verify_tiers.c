/* What verify says of days' files as a whole, and of the days that were deleted by policy. */
#include "engine/record/verify_walk_priv.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "engine/record/tier_record.h"
#include "engine/record/tiers_priv.h"

#define LOOK_TRIES        20
#define TELL(verify, ...) verify_note(verify, -1, (struct slice){0}, __VA_ARGS__)

/* ---- files ---- */

/* Whether the file was there to be looked at: a copy in the cache may make room for another at any
 * time. A copy was summed when it was made, and is again: it may have been changed since. */
static bool check_sum(struct verify *verify, const struct tier_day *sealed, const char *name,
                      const char *path)
{
    struct file_sum sum;
    struct error error;
    enum status status = file_sum(path, &sum, &error);
    if (status == STATUS_NOT_FOUND)
        return false;
    if (status != STATUS_OK)
        TELL(verify, "%s cannot be read: %s", name, error.message);
    else if (memcmp(sum.sha256, sealed->plain.sha256, SHA256_SIZE) != 0)
        TELL(verify, "%s: its SHA-256 is not that of the sealed file: it was changed since", name);
    return true;
}

static bool check_kind(struct verify *verify, const struct tier_day *sealed, const char *name,
                       const char *path)
{
    if (file_is_sealed(path)) {
        if (sealed)
            return check_sum(verify, sealed, name, path);
        TELL(verify, "%s is sealed, and tiers.db does not know of it", name);
        return true;
    }
    if (sealed && access(path, F_OK) != 0)
        return false;
    if (sealed && sealed->seal_index >= 0)
        TELL(verify, "%s: the day was sealed, and this file is not: it was changed since", name);
    return true;
}

static void day_file_check(struct verify *verify, const struct tiers *tiers, int64_t day)
{
    char path[PATH_SIZE], name[TIME_TEXT_SIZE], text[TIME_TEXT_SIZE];
    struct error error;
    bool looked = false;
    time_format(day * US_PER_DAY, text);
    snprintf(name, sizeof name, "%.10s.db", text);
    for (int i = 0; i < LOOK_TRIES && !looked; i++) {
        /* A day that cannot be had is told by whoever reads its rows. */
        if (tier_path(verify->options->dir, day, path, &error) != STATUS_OK)
            return;
        looked = check_kind(verify, tiers_find(tiers, day), name, path);
    }
    if (!looked)
        TELL(verify, "%s: its copies in the cache make room too soon: a larger cache_mb helps",
             name);
    file_check(verify, name, path);
}

void day_files_check(struct verify *verify, const int64_t *days, size_t n_days)
{
    struct tiers *tiers = NULL;
    struct error error;
    if (tiers_open(verify->options->dir, false, &tiers, &error) != STATUS_OK)
        TELL(verify, "tiers.db cannot be read: %s", error.message);
    for (size_t i = 0; tiers && i < n_days; i++)
        day_file_check(verify, tiers, days[i]);
    tiers_close(tiers);
}

/* ---- what the rows say ---- */

void verify_after_deleted(struct walk *walk, struct tiers *tiers)
{
    const struct tier_day *last = tiers_last_deleted(tiers);
    struct error error;
    if (!last)
        return;
    walk->verify->report->n_deleted = last->tree_size;
    walk->verify->report->deleted_us = last->deleted_us;
    if (tiers_tree(tiers, last->day, &walk->tree, &error) != STATUS_OK) {
        TELL(walk->verify, "%s", error.message);
        walk->tree = (struct tree){.size = last->tree_size};
        walk->lost = true;
    }
    walk->carry = (struct carry){.high_us = INT64_MIN};
}

/* The row that recorded what became of a day, against what tiers.db has. Rows that are gone
 * themselves say nothing any more. */
static void check_action(struct verify *verify, struct reader *reader, const struct tier_day *day,
                         bool deleted, int64_t index)
{
    const char *what = deleted ? ACTION_DELETE : ACTION_SEAL;
    struct ledger_row row;
    struct error error;
    struct buffer wanted;
    char name[TIME_TEXT_SIZE];
    if (index < (int64_t)verify->report->n_deleted)
        return;
    buffer_init(&wanted, 4096);
    bool made = deleted ? delete_arguments(day, &wanted) : seal_arguments(day, &wanted);
    bool good = made && reader_row(reader, (uint64_t)index, &row, &error) == STATUS_OK &&
                row.kind == ROW_ACTION && slice_equal(row.what, slice_of(what)) &&
                slice_equal(row.arguments, buffer_slice(&wanted));
    time_format(day->day * US_PER_DAY, name);
    if (!good)
        verify_note(verify, index, (struct slice){0},
                    "tiers.db, day %.10s: not what row %" PRId64 " of the ledger (%s) says of it",
                    name, index, what);
    buffer_free(&wanted);
}

void verify_tiers(struct verify *verify, struct tiers *tiers, struct reader *reader)
{
    for (size_t i = 0; i < tiers_count(tiers); i++) {
        const struct tier_day *day = tiers_at(tiers, i);
        if (day->seal_index >= 0)
            check_action(verify, reader, day, false, day->seal_index);
        if (day->tier == TIER_DELETED && day->delete_index >= 0)
            check_action(verify, reader, day, true, day->delete_index);
    }
}
