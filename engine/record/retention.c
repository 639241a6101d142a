/* Deletion by policy.
 *
 * Whole days only, and only the oldest that is left, so that what remains is one piece whose tree
 * goes on from the last deleted day: tiers.db keeps that tree's right edge, and rows deleted are
 * told apart from rows that are missing. In this order, each step on the disk before the next:
 *   1. when it is deleted is noted in tiers.db;
 *   2. a row of the ledger says so, with the day's rows, root and SHA-256;
 *   3. tiers.db has the day as deleted: nobody asks for its rows any more;
 *   4. the object, the files and the copies go.
 * Killed anywhere, the next pass goes on. A hold is looked for before 1. */
#include "engine/record/retention.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/json.h"
#include "engine/record/keeper_priv.h"
#include "engine/record/tier_record.h"

/* ---- holds ---- */

static bool take_text(struct db_stmt *stmt, int column, char out[HOLD_TEXT_SIZE])
{
    struct slice text = db_text(stmt, column);
    return snprintf(out, HOLD_TEXT_SIZE, SLICE_FORMAT, SLICE_ARGS(text)) < HOLD_TEXT_SIZE;
}

static enum status newest_hold(struct tiers *tiers, struct hold *hold, struct error *error)
{
    struct db_stmt *select;
    *hold = (struct hold){.held = false};
    if (!tiers_db(tiers))
        return STATUS_OK;
    enum status status = db_prepare(
        tiers_db(tiers), "SELECT held, at_us, who, reason FROM holds ORDER BY id DESC LIMIT 1",
        &select, error);
    if (status != STATUS_OK)
        return status;
    status = db_step(select, error);
    if (status == STATUS_OK) {
        hold->held = db_int(select, 0) != 0;
        hold->at_us = db_int(select, 1);
        if (!take_text(select, 2, hold->who) || !take_text(select, 3, hold->reason))
            status = error_set(error, STATUS_CORRUPT, "%s/tiers.db: a hold is malformed",
                               tiers_dir(tiers));
    }
    db_finish(select);
    return status == STATUS_END ? STATUS_OK : status;
}

enum status hold_read(const char *dir, struct hold *hold, struct error *error)
{
    struct tiers *tiers = NULL;
    enum status status = tiers_open(dir, false, &tiers, error);
    if (status == STATUS_OK)
        status = newest_hold(tiers, hold, error);
    tiers_close(tiers);
    return status;
}

enum status hold_put(const char *dir, const struct hold *hold, struct error *error)
{
    struct tiers *tiers = NULL;
    struct db_stmt *put = NULL;
    enum status status = tiers_open(dir, true, &tiers, error);
    if (status == STATUS_OK)
        status = db_prepare(tiers_db(tiers),
                            "INSERT INTO holds(held, at_us, who, reason) VALUES(?1, ?2, ?3, ?4)",
                            &put, error);
    if (status == STATUS_OK) {
        db_bind_int(put, 1, hold->held);
        db_bind_int(put, 2, hold->at_us);
        db_bind_text(put, 3, slice_of(hold->who));
        db_bind_text(put, 4, slice_of(hold->reason));
        status = db_run(put, error);
    }
    db_finish(put);
    tiers_close(tiers);
    return status;
}

static enum status record_hold(struct keeper *keeper, const struct hold *hold, int64_t *index,
                               struct error *error)
{
    struct buffer arguments;
    struct json_writer json;
    buffer_init(&arguments, 8192);
    json_begin(&json, &arguments);
    json_object(&json, NULL);
    json_text(&json, "who", hold->who);
    json_text(&json, "reason", hold->reason);
    json_time(&json, "at", hold->at_us);
    json_object_end(&json);
    enum status status = arguments.overflow
                             ? error_set(error, STATUS_MEMORY, "out of memory")
                             : keeper_record(keeper, hold->held ? ACTION_HOLD : ACTION_RELEASE,
                                             buffer_slice(&arguments), index, error);
    buffer_free(&arguments);
    return status;
}

enum status retention_record_holds(struct keeper *keeper, struct error *error)
{
    struct db_stmt *next = NULL, *put = NULL;
    struct db *db = tiers_db(keeper->tiers);
    enum status status = db_prepare(
        db, "SELECT held, at_us, who, reason, id FROM holds WHERE idx IS NULL ORDER BY id LIMIT 1",
        &next, error);
    if (status == STATUS_OK)
        status = db_prepare(db, "UPDATE holds SET idx = ?2 WHERE id = ?1", &put, error);
    while (status == STATUS_OK && (status = db_step(next, error)) == STATUS_OK) {
        struct hold hold = {.held = db_int(next, 0) != 0, .at_us = db_int(next, 1)};
        int64_t id = db_int(next, 4), index = -1;
        if (!take_text(next, 2, hold.who) || !take_text(next, 3, hold.reason))
            hold.reason[0] = '\0';
        db_reset(next);
        status = record_hold(keeper, &hold, &index, error);
        db_bind_int(put, 1, id);
        db_bind_int(put, 2, index);
        if (status == STATUS_OK)
            status = db_run(put, error);
    }
    db_finish(next);
    db_finish(put);
    return status == STATUS_END ? STATUS_OK : status;
}

/* ---- deletion ---- */

/* The oldest day that is left, in whatever tier. */
static bool is_oldest(struct keeper *keeper, int64_t day)
{
    int64_t *files = NULL;
    size_t n = 0;
    struct error error;
    if (day_list(keeper->dir, &files, &n, &error) != STATUS_OK)
        return false;
    bool oldest = n == 0 || files[0] >= day;
    free(files);
    for (size_t i = 0; oldest && i < tiers_count(keeper->tiers); i++) {
        const struct tier_day *other = tiers_at(keeper->tiers, i);
        oldest = other->day >= day || other->tier == TIER_DELETED;
    }
    return oldest;
}

static enum status record_deletion(struct keeper *keeper, struct tier_day *day, struct error *error)
{
    struct buffer arguments;
    buffer_init(&arguments, 4096);
    enum status status = delete_arguments(day, &arguments)
                             ? keeper_record(keeper, ACTION_DELETE, buffer_slice(&arguments),
                                             &day->delete_index, error)
                             : error_set(error, STATUS_MEMORY, "out of memory");
    buffer_free(&arguments);
    return status;
}

static enum status delete_day(struct keeper *keeper, const struct tier_day *kept,
                              struct error *error)
{
    struct tier_day day = *kept;
    enum status status = STATUS_OK;
    if (day.deleted_us == 0) {
        day.deleted_us = clock_now_us(keeper->wall);
        status = tiers_put(keeper->tiers, &day, NULL, error);
    }
    if (status == STATUS_OK)
        status = record_deletion(keeper, &day, error);
    day.tier = TIER_DELETED;
    if (status == STATUS_OK)
        status = tiers_put(keeper->tiers, &day, NULL, error);
    return status;
}

/* The day itself goes last: while a file of it is there, the next pass goes on here. */
static enum status remove_files(struct keeper *keeper, int64_t day, struct error *error)
{
    static const char *const endings[] = {SUM_ENDING, PACKED_ENDING, ".db"};
    char path[PATH_SIZE];
    cache_forget(keeper->dir, day);
    enum status status = event_filter_remove(keeper->tiers, day, error);
    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (tier_file(path, keeper->dir, day, endings[i]) && unlink(path) != 0 && errno != ENOENT)
            return error_set(error, STATUS_IO, "%s: %s", path, strerror(errno));
    return STATUS_OK;
}

/* After the row says deleted: what is left of the day goes. The store's number is taken out last.
 */
static enum status remove_day(struct keeper *keeper, int64_t number, struct error *error)
{
    struct tier_day day = *tiers_find(keeper->tiers, number);
    char path[PATH_SIZE];
    bool packed = tier_file(path, keeper->dir, number, PACKED_ENDING) && access(path, F_OK) == 0;
    bool plain = day_path(path, keeper->dir, number) && access(path, F_OK) == 0;
    if (day.store == 0 && !packed && !plain)
        return STATUS_OK;
    enum status status = STATUS_OK;
    if (day.store > 0)
        status = archive_delete(keeper->tiers, &day, error);
    if (status == STATUS_OK)
        status = remove_files(keeper, number, error);
    day.store = 0;
    return status == STATUS_OK ? tiers_put(keeper->tiers, &day, NULL, error) : status;
}

enum status retention_step(struct keeper *keeper, const struct keeper_pass *pass, int64_t number,
                           struct error *error)
{
    const struct tier_day *day = tiers_find(keeper->tiers, number);
    struct hold hold;
    if (!day || day->seal_index < 0)
        return STATUS_OK;
    if (day->tier == TIER_DELETED)
        return pass->dry_run ? STATUS_OK : remove_day(keeper, number, error);
    if (pass->now_us - day->ended_us < keeper->options.policy.keep_us)
        return STATUS_OK;
    /* A dry run leaves the days before in place: it says what would go one after another. */
    if (!pass->dry_run && !is_oldest(keeper, number))
        return STATUS_OK;
    enum status status = newest_hold(keeper->tiers, &hold, error);
    if (status != STATUS_OK || hold.held)
        return status;
    if (pass->dry_run) {
        keeper_tell(pass, KEEPER_DELETE, day);
        return STATUS_OK;
    }
    status = delete_day(keeper, day, error);
    if (status == STATUS_OK)
        status = remove_day(keeper, number, error);
    if (status == STATUS_OK)
        keeper_tell(pass, KEEPER_DELETE, tiers_find(keeper->tiers, number));
    return status;
}
