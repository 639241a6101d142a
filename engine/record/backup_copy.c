/* The files of a backup, copied into a folder aside.
 *
 * Days that are over do not change: one that the backup holds already is not copied again when both
 * still have the SHA-256 that was noted. The day that is being written is copied page by page in
 * one read transaction (SQLite's backup interface), begun at a moment when its newest signed head
 * covers all its rows; the writer goes on meanwhile, and its log grows until the copy is made.
 * subjects.db comes after the days: a person is recorded before the first row that mentions it, so
 * that the copy knows everybody. One thread. */
#include "engine/record/backup_copy_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/base/db.h"

#define MAX_PASSES    5 /* a day that is compressed in the middle changes its file */
#define HEAD_WAIT_NS  INT64_C(2500000000)
#define LOOK_EVERY_US 500

/* ---- progress ---- */

static void tell(const struct taking *taking, int64_t bytes)
{
    const struct backup_options *options = taking->options;
    double ratio = taking->total_bytes > 0 ? (double)bytes / (double)taking->total_bytes : -1;
    if (options->progress)
        options->progress(options->context, "copy", ratio < 1 ? ratio : 1, bytes);
}

static void tell_bytes(void *context, int64_t bytes)
{
    struct taking *taking = context;
    taking->done_bytes += bytes;
    tell(taking, taking->done_bytes);
}

static void tell_pages(void *context, double done_ratio)
{
    struct taking *taking = context;
    tell(taking, taking->done_bytes + (int64_t)(done_ratio * (double)taking->file_bytes));
}

static int64_t size_of(const char *path)
{
    struct stat facts;
    return stat(path, &facts) == 0 ? (int64_t)facts.st_size : 0;
}

/* ---- one file ---- */

static enum status note_file(struct taking *taking, const char *name, const struct file_sum *sum,
                             bool copied, struct error *error)
{
    taking->report->n_files++;
    taking->report->bytes += sum->bytes;
    taking->report->n_copied += copied;
    taking->report->copied_bytes += copied ? sum->bytes : 0;
    return manifest_add(&taking->manifest, name, sum, error);
}

/* A number of the newest group, -1: none. */
static int64_t ask(struct db *db, const char *sql)
{
    struct db_stmt *select;
    struct error error;
    int64_t number = -1;
    if (db_prepare(db, sql, &select, &error) != STATUS_OK)
        return -1;
    if (db_step(select, &error) == STATUS_OK && !db_is_null(select, 0))
        number = db_int(select, 0);
    db_finish(select);
    return number;
}

/* Begins a read transaction; of the newest day, when its newest head covers all rows: there is such
 * a moment every second while rows come, and always when none do. */
static enum status begin_read(struct db *db, bool newest, struct error *error)
{
    int64_t until_ns = monotonic_ns() + HEAD_WAIT_NS;
    for (;;) {
        enum status status = db_exec(db, "BEGIN; SELECT count(*) FROM sqlite_master", error);
        if (status != STATUS_OK || !newest)
            return status;
        int64_t rows = ask(db, "SELECT tree_size FROM state");
        if (rows <= 0 || rows == ask(db, "SELECT max(tree_size) FROM heads") ||
            monotonic_ns() > until_ns)
            return STATUS_OK;
        db_rollback(db);
        pause_us(LOOK_EVERY_US);
    }
}

static enum status copy_snapshot(struct taking *taking, struct db *db, const char *name,
                                 struct error *error)
{
    char to[PATH_SIZE];
    struct file_sum sum;
    if (!path_join(to, taking->stage, name))
        return error_set(error, STATUS_INVALID, "%s: the path is too long", name);
    enum status status = db_copy(db, to, tell_pages, taking, error);
    if (status == STATUS_OK && chmod(to, 0600) != 0)
        status = file_error(to, "change", error);
    if (status == STATUS_OK)
        status = file_sync(to, error);
    if (status == STATUS_OK)
        status = file_sum(to, &sum, error);
    taking->done_bytes += taking->file_bytes;
    return status == STATUS_OK ? note_file(taking, name, &sum, true, error) : status;
}

/* The backup's own copy is shown in the new one when it and the ledger's file still are what was
 * noted. False: it has to be copied. */
static bool reuse(struct taking *taking, const char *from, const char *name, struct file_sum *sum)
{
    char own[PATH_SIZE], to[PATH_SIZE];
    struct file_sum there;
    struct error error;
    const struct backup_file *file = taking->has_prior ? manifest_find(&taking->prior, name) : NULL;
    if (!file || !path_join(own, taking->options->to, name) ||
        !path_join(to, taking->stage, name) || size_of(from) != file->sum.bytes)
        return false;
    if (file_sum(from, sum, &error) != STATUS_OK ||
        memcmp(sum->sha256, file->sum.sha256, SHA256_SIZE) != 0 ||
        file_sum(own, &there, &error) != STATUS_OK ||
        memcmp(there.sha256, file->sum.sha256, SHA256_SIZE) != 0)
        return false;
    if (link(own, to) == 0)
        return true;
    char place[PATH_SIZE]; /* a file system without hard links */
    snprintf(place, sizeof place, "../%s", name);
    return symlink(place, to) == 0;
}

static enum status copy_bytes(struct taking *taking, const char *from, const char *name,
                              struct error *error)
{
    char to[PATH_SIZE];
    struct file_sum sum;
    if (reuse(taking, from, name, &sum)) {
        tell_bytes(taking, sum.bytes);
        return note_file(taking, name, &sum, false, error);
    }
    if (!path_join(to, taking->stage, name))
        return error_set(error, STATUS_INVALID, "%s: the path is too long", name);
    enum status status = file_copy(from, to, &sum, tell_bytes, taking, error);
    return status == STATUS_OK ? note_file(taking, name, &sum, true, error) : status;
}

/* While a read transaction reads the file itself because its log is empty, no process moves pages
 * into it. */
static enum status copy_database(struct taking *taking, const char *from, const char *name,
                                 bool newest, struct error *error)
{
    struct db *db = NULL;
    char log[PATH_SIZE + 8];
    snprintf(log, sizeof log, "%s-wal", from);
    enum status status = db_open(from, DB_READ, DB_SYNC_FULL, &db, error);
    if (status == STATUS_OK)
        status = begin_read(db, newest, error);
    bool quiet = !newest && record_file_kind(name) == FILE_DATABASE && size_of(log) == 0;
    if (status == STATUS_OK)
        status =
            quiet ? copy_bytes(taking, from, name, error) : copy_snapshot(taking, db, name, error);
    if (db)
        db_rollback(db);
    db_close(db);
    return status;
}

/* ---- all files ---- */

static bool is_day_file(const char *name)
{
    size_t size = strlen(name);
    return name[0] >= '0' && name[0] <= '9' && size > 3 && strcmp(name + size - 3, ".db") == 0;
}

/* Subjects and tiers change in place: always a snapshot. */
static bool is_growing(const struct record_name *names, size_t n, size_t i)
{
    if (!is_day_file(names[i].name))
        return true;
    for (size_t j = i + 1; j < n; j++)
        if (is_day_file(names[j].name))
            return false;
    return true;
}

static enum status copy_one(struct taking *taking, const struct record_name *names, size_t n,
                            size_t i, struct error *error)
{
    char from[PATH_SIZE];
    const char *name = names[i].name;
    if (!path_join(from, taking->options->ledger, name))
        return error_set(error, STATUS_INVALID, "%s: the path is too long", name);
    taking->file_bytes = size_of(from);
    if (names[i].kind == FILE_FIXED)
        return copy_bytes(taking, from, name, error);
    return copy_database(taking, from, name, is_growing(names, n, i), error);
}

static enum status copy_keys(struct taking *taking, struct error *error)
{
    char from[PATH_SIZE], to[PATH_SIZE], name[48];
    enum status status = STATUS_OK;
    if (!path_join(to, taking->stage, "keys"))
        return error_set(error, STATUS_INVALID, "%s: the path is too long", taking->stage);
    status = folder_make(to, 0700, error);
    for (size_t i = 0; LEDGER_KEYS[i] && status == STATUS_OK; i++) {
        struct file_sum sum;
        snprintf(name, sizeof name, "keys/%s", LEDGER_KEYS[i]);
        if (!path_join(from, taking->options->ledger, name) ||
            !path_join(to, taking->stage, name) || access(from, F_OK) != 0)
            continue;
        status = file_copy(from, to, &sum, NULL, NULL, error);
        if (status == STATUS_OK)
            status = note_file(taking, name, &sum, true, error);
    }
    taking->manifest.has_keys = true;
    return status;
}

static enum status begin_pass(struct taking *taking, const struct record_name *names, size_t n,
                              struct error *error)
{
    manifest_free(&taking->manifest);
    taking->report->n_files = taking->report->n_copied = 0;
    taking->report->bytes = taking->report->copied_bytes = 0;
    taking->total_bytes = taking->done_bytes = 0;
    for (size_t i = 0; i < n; i++) {
        char path[PATH_SIZE];
        if (path_join(path, taking->options->ledger, names[i].name))
            taking->total_bytes += size_of(path);
    }
    enum status status = folder_remove_all(taking->stage, error);
    if (status == STATUS_OK)
        status = folder_make(taking->stage, 0700, error);
    if (status == STATUS_OK && (taking->options->with_keys || taking->prior.has_keys))
        status = copy_keys(taking, error);
    return status;
}

/* Every file that was there is still there: none was compressed or moved meanwhile. */
static bool still_there(const struct taking *taking, const struct record_name *names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char path[PATH_SIZE];
        if (!path_join(path, taking->options->ledger, names[i].name) || access(path, F_OK) != 0)
            return false;
    }
    return true;
}

enum status backup_copy_files(struct taking *taking, struct error *error)
{
    for (int pass = 1;; pass++) {
        struct record_name *names;
        size_t n;
        bool days = false;
        enum status status = record_files(taking->options->ledger, &names, &n, error);
        if (status != STATUS_OK)
            return status;
        status = begin_pass(taking, names, n, error);
        for (size_t i = 0; i < n && status == STATUS_OK; i++) {
            days = days || names[i].name[0] <= '9';
            status = copy_one(taking, names, n, i, error);
        }
        bool moved = !still_there(taking, names, n);
        free(names);
        if (moved && pass < MAX_PASSES)
            continue;
        if (status == STATUS_OK && !days)
            status = error_set(error, STATUS_NOT_FOUND, "%s: there is no ledger in this folder",
                               taking->options->ledger);
        return status;
    }
}
