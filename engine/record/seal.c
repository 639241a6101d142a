/* Sealing a day.
 *
 * The sealed file is made beside the live one and takes its place at the end, so that a crash
 * leaves one of the two and readers never wait:
 *   1. what still lies in the write-ahead log goes into the live file, and the log is emptied;
 *   2. VACUUM INTO writes the sealing file: without free pages, without a log of its own;
 *   3. the indexes on random keys are built there, where sorting makes them cheap, and the sorted
 *      runs that stood in for them are dropped;
 *      there too the bytes of quarantined events go, when their time is over;
 *   4. it is checked by SQLite and against the live file, made read-only, synced and summed;
 *   5. its row goes into tiers.db, then it is renamed over the live file.
 * A row in tiers.db beside a file that still has a log means that step 5 was cut short: all is done
 * again. After step 5 the log's files, which are empty, are removed. */
#include "engine/record/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/encoding.h"
#include "engine/base/folder.h"
#include "engine/record/raw_priv.h"

struct sealing {
    struct tiers *tiers;
    char live[PATH_SIZE], made[PATH_SIZE];
    struct tier_day day;
    struct tree tree;
    bool delete_raw;
};

/* ---- what the day holds ---- */

/* One row of numbers. */
static enum status read_numbers(struct db *db, const char *sql, int64_t *numbers, int n,
                                struct error *error)
{
    struct db_stmt *select;
    enum status status = db_prepare(db, sql, &select, error);
    if (status != STATUS_OK)
        return status;
    status = db_step(select, error);
    for (int i = 0; status == STATUS_OK && i < n; i++)
        numbers[i] = db_is_null(select, i) ? INT64_MIN : db_int(select, i);
    db_finish(select);
    return status;
}

static enum status read_tree(struct db *db, struct sealing *sealing, struct error *error)
{
    struct db_stmt *select;
    struct tier_day *day = &sealing->day;
    enum status status =
        db_prepare(db, "SELECT first_index, tree_size, edge, root FROM state", &select, error);
    if (status != STATUS_OK)
        return status;
    status = db_step(select, error);
    if (status == STATUS_OK) {
        day->first_index = (uint64_t)db_int(select, 0);
        day->tree_size = (uint64_t)db_int(select, 1);
        bool whole = tree_load(&sealing->tree, day->tree_size, db_blob(select, 2)) &&
                     tree_root(&sealing->tree, day->root) == STATUS_OK &&
                     slice_equal(db_blob(select, 3), slice_make(day->root, SHA256_SIZE));
        if (!whole)
            status = error_set(error, STATUS_CORRUPT,
                               "%s: the tree of its state does not give its root: run `binnacle "
                               "ledger verify`",
                               sealing->live);
    }
    db_finish(select);
    return status == STATUS_END ? STATUS_NOT_FOUND : status;
}

/* When the day was written by the machine's clock: heads are dated by it, in a replay too. */
static enum status read_ended(struct db *db, struct tier_day *day, struct error *error)
{
    int64_t there = 0, headed_ms = INT64_MIN;
    enum status status = read_numbers(db, "SELECT count(*) FROM sqlite_master WHERE name = 'heads'",
                                      &there, 1, error);
    if (status == STATUS_OK && there > 0)
        status = read_numbers(db, "SELECT max(timestamp_ms) FROM heads", &headed_ms, 1, error);
    day->ended_us = (day->day + 1) * US_PER_DAY;
    if (headed_ms != INT64_MIN && headed_ms * 1000 > day->ended_us)
        day->ended_us = headed_ms * 1000;
    return status;
}

static enum status read_facts(struct db *db, struct sealing *sealing, struct error *error)
{
    struct tier_day *day = &sealing->day;
    int64_t numbers[5] = {0};
    enum status status = read_tree(db, sealing, error);
    if (status == STATUS_OK)
        status = read_numbers(db,
                              "SELECT min(low_us), max(high_us),"
                              " (SELECT event_us FROM decisions ORDER BY idx LIMIT 1),"
                              " (SELECT count(*) FROM quarantine),"
                              " (SELECT count(*) FROM quarantine_marks) FROM commits",
                              numbers, 5, error);
    if (status != STATUS_OK)
        return status;
    day->low_us = numbers[0] == INT64_MIN ? INT64_MAX : numbers[0];
    day->high_us = numbers[1];
    day->first_event_us = numbers[2];
    day->quarantined = (uint64_t)numbers[3];
    day->marks = (uint64_t)numbers[4];
    return read_ended(db, day, error);
}

enum status seal_look(const char *dir, int64_t day, struct tier_day *facts, struct error *error)
{
    char path[PATH_SIZE];
    struct db *db = NULL;
    int64_t version = 0;
    struct sealing *sealing = calloc(1, sizeof *sealing);
    if (!sealing)
        return error_set(error, STATUS_MEMORY, "out of memory");
    sealing->day = (struct tier_day){.day = day, .seal_index = -1, .delete_index = -1};
    enum status status = day_path(path, dir, day)
                             ? db_open(path, DB_READ, DB_SYNC_FULL, &db, error)
                             : error_set(error, STATUS_INVALID, "%s: the path is too long", dir);
    memcpy(sealing->live, path, sizeof path);
    if (status == STATUS_OK)
        status = read_numbers(db, "PRAGMA user_version", &version, 1, error);
    if (status == STATUS_OK)
        status = version > 0 ? read_facts(db, sealing, error) : STATUS_NOT_FOUND;
    db_close(db);
    *facts = sealing->day;
    free(sealing);
    return status;
}

/* ---- the sealing file ---- */

static enum status empty_log(struct sealing *sealing, struct db *db, struct error *error)
{
    int64_t busy = 1;
    enum status status = read_numbers(db, "PRAGMA wal_checkpoint(TRUNCATE)", &busy, 1, error);
    if (status == STATUS_OK && busy)
        status = error_set(error, STATUS_UNAVAILABLE,
                           "%s: somebody reads in its log at present: tried again", sealing->live);
    return status;
}

static enum status copy_into(struct sealing *sealing, struct db *db, struct error *error)
{
    struct db_stmt *vacuum;
    enum status status = db_prepare(db, "VACUUM INTO ?1", &vacuum, error);
    if (status != STATUS_OK)
        return status;
    db_bind_text(vacuum, 1, slice_of(sealing->made));
    status = db_run(vacuum, error);
    db_finish(vacuum);
    return status;
}

static enum status sound(struct sealing *sealing, struct db *db, struct error *error)
{
    struct db_stmt *check;
    enum status status = db_prepare(db, "PRAGMA integrity_check(1)", &check, error);
    if (status != STATUS_OK)
        return status;
    status = db_step(check, error);
    if (status == STATUS_OK && !slice_equal(db_text(check, 0), slice_of("ok")))
        status = error_set(error, STATUS_CORRUPT,
                           "%s cannot be sealed: SQLite's own check says " SLICE_FORMAT,
                           sealing->live, SLICE_ARGS(db_text(check, 0)));
    db_finish(check);
    return status;
}

/* Rows of every table; of leaves also the sum of their indexes. */
#define COUNTS_SQL                                                                                 \
    "SELECT (SELECT count(*) FROM decisions), (SELECT total(idx) FROM decisions),"                 \
    " (SELECT count(*) FROM labels), (SELECT count(*) FROM actions),"                              \
    " (SELECT count(*) FROM quarantine), (SELECT count(*) FROM quarantine_marks),"                 \
    " (SELECT count(*) FROM commits), (SELECT count(*) FROM names)"
#define N_COUNTS 8

/* The copy is finished: indexes in place of runs, nothing lost, sound. */
static enum status finish_copy(struct sealing *sealing, const int64_t counts[N_COUNTS],
                               struct error *error)
{
    struct db *db = NULL;
    struct sealing copied = *sealing;
    int64_t found[N_COUNTS] = {0};
    enum status status = db_open(sealing->made, DB_ALONE, DB_SYNC_OFF, &db, error);
    if (status == STATUS_OK)
        status = db_exec(db,
                         "DELETE FROM event_keys; DELETE FROM event_runs;"
                         "CREATE INDEX IF NOT EXISTS decisions_event_id ON decisions(event_id);"
                         "CREATE INDEX IF NOT EXISTS decisions_entity ON decisions(entity);",
                         error);
    if (status == STATUS_OK && sealing->delete_raw)
        status = raw_delete(db, &sealing->day.raw_deleted, error);
    if (status == STATUS_OK)
        status = sound(sealing, db, error);
    if (status == STATUS_OK)
        status = read_facts(db, &copied, error);
    if (status == STATUS_OK)
        status = read_numbers(db, COUNTS_SQL, found, N_COUNTS, error);
    if (status == STATUS_OK && (memcmp(found, counts, sizeof found) != 0 ||
                                copied.day.tree_size != sealing->day.tree_size ||
                                memcmp(copied.day.root, sealing->day.root, SHA256_SIZE) != 0))
        status =
            error_set(error, STATUS_CORRUPT,
                      "%s cannot be sealed: its copy holds other rows than it does", sealing->live);
    db_close(db);
    return status;
}

static enum status make_copy(struct sealing *sealing, struct error *error)
{
    struct db *db = NULL;
    int64_t counts[N_COUNTS] = {0};
    enum status status = db_open(sealing->live, DB_WRITE_LARGE, DB_SYNC_FULL, &db, error);
    if (status == STATUS_OK)
        status = read_facts(db, sealing, error);
    if (status == STATUS_OK)
        status = empty_log(sealing, db, error);
    if (status == STATUS_OK)
        status = read_numbers(db, COUNTS_SQL, counts, N_COUNTS, error);
    if (status == STATUS_OK)
        status = copy_into(sealing, db, error);
    db_close(db);
    return status == STATUS_OK ? finish_copy(sealing, counts, error) : status;
}

static enum status sync_copy(struct sealing *sealing, struct error *error)
{
    int fd = open(sealing->made, O_RDWR | O_CLOEXEC);
    bool synced = fd >= 0 && fchmod(fd, 0444) == 0 && fsync(fd) == 0;
    int problem = errno;
    if (fd >= 0)
        close(fd);
    if (!synced)
        return error_set(error, STATUS_IO, "%s: %s", sealing->made, strerror(problem));
    return file_sum(sealing->made, &sealing->day.plain, error);
}

/* ---- taking its place ---- */

static enum status put_row(struct sealing *sealing, struct error *error)
{
    struct db *file = NULL;
    struct db *db = tiers_db(sealing->tiers);
    enum status status = db_open(sealing->made, DB_READ, DB_SYNC_FULL, &file, error);
    if (status == STATUS_OK)
        status = db_begin(db, error);
    if (status == STATUS_OK)
        status = event_filter_build(sealing->tiers, sealing->day.day, file, error);
    if (status == STATUS_OK)
        status = tiers_put(sealing->tiers, &sealing->day, &sealing->tree, error);
    if (status == STATUS_OK)
        status = db_commit(db, error);
    if (status != STATUS_OK)
        db_rollback(db);
    db_close(file);
    return status;
}

static void remove_beside(const char *path, const char *ending)
{
    char name[PATH_SIZE + 16];
    snprintf(name, sizeof name, "%s%s", path, ending);
    unlink(name);
}

/* For `sha256sum -c`. Nothing depends on it: tiers.db has the sum, too. */
static void write_sum(const struct sealing *sealing)
{
    char path[PATH_SIZE], text[2 * SHA256_SIZE + 1], name[TIME_TEXT_SIZE];
    if (!tier_file(path, tiers_dir(sealing->tiers), sealing->day.day, SUM_ENDING))
        return;
    FILE *file = fopen(path, "we");
    if (!file)
        return;
    time_format(sealing->day.day * US_PER_DAY, name);
    fprintf(file, "%s  %.10s.db\n", hex_encode(sealing->day.plain.sha256, SHA256_SIZE, text), name);
    fclose(file);
}

void seal_tidy(struct tiers *tiers, int64_t day)
{
    char path[PATH_SIZE];
    if (!day_path(path, tiers_dir(tiers), day) || !file_is_sealed(path))
        return;
    remove_beside(path, "-wal");
    remove_beside(path, "-shm");
}

static enum status take_place(struct sealing *sealing, struct error *error)
{
    if (rename(sealing->made, sealing->live) != 0)
        return error_set(error, STATUS_IO, "%s: %s", sealing->live, strerror(errno));
    seal_tidy(sealing->tiers, sealing->day.day);
    write_sum(sealing);
    return folder_sync_of(sealing->live, error);
}

enum status seal_day(struct tiers *tiers, int64_t day, bool delete_raw, int64_t now_us,
                     struct error *error)
{
    struct sealing *sealing = calloc(1, sizeof *sealing);
    if (!sealing)
        return error_set(error, STATUS_MEMORY, "out of memory");
    sealing->tiers = tiers;
    sealing->delete_raw = delete_raw;
    sealing->day = (struct tier_day){
        .day = day, .tier = TIER_SEALED, .sealed_us = now_us, .seal_index = -1, .delete_index = -1};
    enum status status = STATUS_OK;
    if (!day_path(sealing->live, tiers_dir(tiers), day) ||
        !tier_file(sealing->made, tiers_dir(tiers), day, SEALING_ENDING))
        status = error_set(error, STATUS_INVALID, "%s: the path is too long", tiers_dir(tiers));
    unlink(sealing->made);
    remove_beside(sealing->made, "-journal");
    if (status == STATUS_OK)
        status = make_copy(sealing, error);
    if (status == STATUS_OK)
        status = sync_copy(sealing, error);
    if (status == STATUS_OK)
        status = put_row(sealing, error);
    if (status == STATUS_OK)
        status = take_place(sealing, error);
    if (status != STATUS_OK)
        unlink(sealing->made);
    free(sealing);
    return status;
}
