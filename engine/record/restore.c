/* Putting a backup back: its files are copied aside, compared with what was noted, verified against
 * the backup's head and heads kept elsewhere, and then the whole folder changes places with what is
 * there (renameat2 with RENAME_EXCHANGE: one step for every reader), which stays beside it. Ended
 * at any point, the ledger is the one before or the restored one. One thread. */
#include "engine/record/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/base/db.h"
#include "engine/record/backup_priv.h"
#include "engine/record/changes.h"
#include "engine/record/incident_list.h"

/* In the new folder until it has taken its place: what has it was never a ledger. */
#define MARK_NAME "restoring"
/* Not of the record, but of this place: it goes on with what it has. */
static const char *const kept_names[] = {"alerts.db", CHANGES_NAME, INCIDENTS_NAME, "history.db"};

struct putting {
    const struct restore_options *options;
    struct backup_report *report;
    char target[PATH_SIZE - 100], stage[PATH_SIZE];
    bool occupied;           /* there is a folder at `target` */
    int target_fd, stage_fd; /* locks; -1: not held */
    struct manifest manifest;
    int64_t total_bytes, done_bytes;
};

static void tell_bytes(void *context, int64_t bytes)
{
    struct putting *putting = context;
    const struct restore_options *options = putting->options;
    putting->done_bytes += bytes;
    double ratio =
        putting->total_bytes > 0 ? (double)putting->done_bytes / (double)putting->total_bytes : -1;
    if (options->progress)
        options->progress(options->context, "copy", ratio < 1 ? ratio : 1, putting->done_bytes);
}

static enum status too_long(const char *dir, struct error *error)
{
    return error_set(error, STATUS_INVALID, "%s: the path is too long", dir);
}

/* ---- before anything is copied ---- */

/* A backup on a medium that cannot be written has nobody else at it. */
static enum status open_backup(struct putting *putting, struct error *error)
{
    const char *from = putting->options->from;
    int fd = -1;
    if (access(from, F_OK) != 0)
        return file_error(from, "read", error);
    if (access(from, W_OK) == 0) {
        enum status status = folder_lock(from, &fd, error);
        if (status == STATUS_OK)
            status = backup_settle(from, error);
        if (fd >= 0)
            close(fd);
        if (status != STATUS_OK)
            return status;
    }
    enum status status = manifest_read(from, &putting->manifest, error);
    if (status == STATUS_NOT_FOUND)
        error_set(error, status, "%s is not a backup: there is no " MANIFEST_NAME " in it", from);
    for (size_t i = 0; i < putting->manifest.n_files; i++)
        putting->total_bytes += putting->manifest.files[i].sum.bytes;
    return status;
}

/* "DIR" without slashes at its end, links followed as far as it exists. */
static enum status find_target(struct putting *putting, struct error *error)
{
    const char *ledger = putting->options->ledger;
    char real[PATH_MAX];
    struct stat facts;
    putting->occupied = stat(ledger, &facts) == 0;
    if (putting->occupied && !S_ISDIR(facts.st_mode))
        return error_set(error, STATUS_INVALID, "%s is not a folder", ledger);
    if (putting->occupied && !realpath(ledger, real))
        return file_error(ledger, "read", error);
    size_t size = strlen(putting->occupied ? real : ledger);
    if (size >= sizeof putting->target)
        return too_long(ledger, error);
    memcpy(putting->target, putting->occupied ? real : ledger, size + 1);
    while (size > 1 && putting->target[size - 1] == '/')
        putting->target[--size] = '\0';
    snprintf(putting->stage, sizeof putting->stage, "%s.restoring", putting->target);
    return STATUS_OK;
}

static enum status look_at_target(struct putting *putting, struct error *error)
{
    struct record_name *names;
    size_t n;
    enum status status = find_target(putting, error);
    if (status != STATUS_OK || !putting->occupied)
        return status;
    status = folder_lock(putting->target, &putting->target_fd, error);
    if (status != STATUS_OK)
        return status;
    status = record_files(putting->target, &names, &n, error);
    free(names);
    if (status == STATUS_OK && n > 0 && !putting->options->replace)
        status = error_set(error, STATUS_CONFLICT,
                           "there is a ledger in %s: give another folder, or --replace, which puts "
                           "it aside",
                           putting->target);
    return status;
}

/* The folder beside the ledger's. One that an earlier restore left is made empty, unless it turns
 * out to be a ledger that was just exchanged. */
static enum status make_stage(struct putting *putting, struct error *error)
{
    char mark[PATH_SIZE];
    const char *stage = putting->stage;
    int fd = -1;
    if (!path_join(mark, stage, MARK_NAME))
        return too_long(stage, error);
    if (access(stage, F_OK) == 0) {
        enum status status = folder_lock(stage, &fd, error);
        if (status == STATUS_OK && access(mark, F_OK) != 0)
            status = error_set(error, STATUS_CONFLICT,
                               "%s is in the way: it is not what a restore left behind; it may be "
                               "the ledger that was there before",
                               stage);
        if (status == STATUS_OK)
            status = folder_remove_all(stage, error);
        if (fd >= 0)
            close(fd);
        if (status != STATUS_OK)
            return status;
    }
    enum status status = folder_make(stage, 0700, error);
    if (status == STATUS_OK)
        status = folder_lock(stage, &putting->stage_fd, error);
    fd = status == STATUS_OK ? open(mark, O_WRONLY | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (status == STATUS_OK && fd < 0)
        status = file_error(mark, "make", error);
    if (fd >= 0)
        close(fd);
    return status;
}

/* ---- copies ---- */

static enum status copy_file(struct putting *putting, const struct backup_file *file,
                             struct error *error)
{
    char from[PATH_SIZE], to[PATH_SIZE];
    struct file_sum sum;
    if (!path_join(from, putting->options->from, file->name) ||
        !path_join(to, putting->stage, file->name))
        return too_long(file->name, error);
    enum status status = file_copy(from, to, &sum, tell_bytes, putting, error);
    if (status == STATUS_NOT_FOUND)
        return error_set(error, STATUS_CORRUPT, "%s is missing from the backup", from);
    if (status == STATUS_OK &&
        (sum.bytes != file->sum.bytes || memcmp(sum.sha256, file->sum.sha256, SHA256_SIZE) != 0))
        status = error_set(error, STATUS_CORRUPT,
                           "%s is not as it was backed up: its SHA-256 is another", from);
    return status;
}

static enum status copy_keys_from(struct putting *putting, const char *dir, struct error *error)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; LEDGER_KEYS[i] && status == STATUS_OK; i++) {
        char from[PATH_SIZE], to[PATH_SIZE], name[48];
        struct file_sum sum;
        snprintf(name, sizeof name, "keys/%s", LEDGER_KEYS[i]);
        if (!path_join(from, dir, LEDGER_KEYS[i]) || !path_join(to, putting->stage, name))
            return too_long(dir, error);
        if (access(from, F_OK) != 0)
            continue;
        status = file_copy(from, to, &sum, NULL, NULL, error);
        putting->report->has_keys = true;
    }
    return status;
}

/* Keys that were given, else those of the backup (copied with its files), else those in place. */
static enum status copy_keys(struct putting *putting, struct error *error)
{
    const struct restore_options *options = putting->options;
    char place[PATH_SIZE], identity[IDENTITY_SIZE];
    enum status status = STATUS_OK;
    if (options->keys)
        status = copy_keys_from(putting, options->keys, error);
    else if (putting->manifest.has_keys)
        putting->report->has_keys = true;
    else if (putting->occupied && path_join(place, putting->target, "keys"))
        status = copy_keys_from(putting, place, error);
    if (status != STATUS_OK || !putting->report->has_keys || !putting->manifest.identity[0])
        return status;
    status = identity_of(putting->stage, identity, error);
    if (status == STATUS_OK && strcmp(identity, putting->manifest.identity) != 0)
        status = error_set(error, STATUS_CONFLICT,
                           "the keys are another ledger's than the backup's: give its own with "
                           "--keys DIR");
    return status;
}

static enum status keep(struct putting *putting, const char *name, struct error *error)
{
    char from[PATH_SIZE], to[PATH_SIZE];
    struct db *db = NULL;
    if (!putting->occupied || !path_join(from, putting->target, name) || access(from, F_OK) != 0)
        return STATUS_OK;
    if (!path_join(to, putting->stage, name))
        return too_long(putting->stage, error);
    enum status status = db_open(from, DB_READ, DB_SYNC_FULL, &db, error);
    if (status == STATUS_OK)
        status = db_copy(db, to, NULL, NULL, error);
    db_close(db);
    return status == STATUS_OK ? file_sync(to, error) : status;
}

/* Silences, what was sent, what was changed and how it went are of this place and not of the
 * record. */
static enum status keep_all(struct putting *putting, struct error *error)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < sizeof kept_names / sizeof *kept_names && status == STATUS_OK; i++)
        status = keep(putting, kept_names[i], error);
    return status;
}

static enum status copy_all(struct putting *putting, struct error *error)
{
    char keys[PATH_SIZE];
    if (!path_join(keys, putting->stage, "keys"))
        return too_long(putting->stage, error);
    enum status status = folder_make(keys, 0700, error);
    for (size_t i = 0; i < putting->manifest.n_files && status == STATUS_OK; i++) {
        const struct backup_file *file = &putting->manifest.files[i];
        if (putting->options->keys && strncmp(file->name, "keys/", 5) == 0)
            continue;
        status = copy_file(putting, file, error);
        putting->report->n_files++;
        putting->report->bytes += file->sum.bytes;
    }
    if (status == STATUS_OK)
        status = copy_keys(putting, error);
    if (status == STATUS_OK)
        status = keep_all(putting, error);
    if (status == STATUS_OK)
        status = folder_sync(keys, error);
    return status == STATUS_OK ? folder_sync(putting->stage, error) : status;
}

static enum status check_copy(struct putting *putting, struct error *error)
{
    const struct restore_options *options = putting->options;
    const struct copy_check check = {.dir = putting->stage,
                                     .manifest = &putting->manifest,
                                     .heads = options->heads,
                                     .n_heads = options->n_heads,
                                     .public_key = options->public_key,
                                     .progress = options->progress,
                                     .context = options->context};
    return copy_verify(&check, putting->report, error);
}

/* ---- the exchange ---- */

static enum status move_folder(const char *from, const char *to, struct error *error)
{
    if (rename(from, to) == 0)
        return STATUS_OK;
    if (errno == EBUSY)
        return error_set(error, STATUS_CONFLICT,
                         "%s is where a file system is mounted and cannot be exchanged as a whole: "
                         "restore into a folder below it",
                         from);
    return file_error(from, "rename", error);
}

/* The folder that was there lies at `aside` then. */
static enum status exchange(struct putting *putting, const char *aside, struct error *error)
{
    const char *target = putting->target, *stage = putting->stage;
    if (renameat2(AT_FDCWD, stage, AT_FDCWD, target, RENAME_EXCHANGE) == 0)
        return move_folder(stage, aside, error);
    /* A file system that cannot: there is no ledger for a moment, and never half of one. */
    enum status status = move_folder(target, aside, error);
    if (status != STATUS_OK)
        return status;
    status = move_folder(stage, target, error);
    if (status != STATUS_OK && rename(aside, target) != 0)
        error_prefix(error, "the ledger that was there is at %s now", aside);
    return status;
}

/* A folder that held nothing is not worth keeping. */
static bool drop_empty(const char *dir)
{
    char lock[PATH_SIZE];
    return path_join(lock, dir, "lock") && unlink(lock) == 0 && rmdir(dir) == 0;
}

static void drop_mark(const char *dir)
{
    char mark[PATH_SIZE];
    if (path_join(mark, dir, MARK_NAME))
        unlink(mark);
}

static enum status put_in_place(struct putting *putting, struct error *error)
{
    char aside[PATH_SIZE], when[TIME_TEXT_SIZE];
    struct clock *clock = clock_create_wall();
    if (!clock)
        return error_set(error, STATUS_MEMORY, "out of memory");
    time_format(clock_now_us(clock), when);
    clock_destroy(clock);
    snprintf(aside, sizeof aside, "%s.before-%s", putting->target, when);
    drop_mark(putting->target); /* of an earlier restore that was ended right after its exchange */
    enum status status = putting->occupied ? exchange(putting, aside, error)
                                           : move_folder(putting->stage, putting->target, error);
    if (status != STATUS_OK)
        return status;
    drop_mark(putting->target);
    if (putting->occupied && !drop_empty(aside))
        snprintf(putting->report->aside, sizeof putting->report->aside, "%s", aside);
    return folder_sync_of(putting->target, error);
}

/* ---- the whole ---- */

static enum status put(struct putting *putting, struct error *error)
{
    struct error cleaning;
    enum status status = make_stage(putting, error);
    if (status != STATUS_OK)
        return status;
    status = copy_all(putting, error);
    if (status == STATUS_OK)
        status = check_copy(putting, error);
    if (status == STATUS_OK)
        status = drop_logs(putting->stage, error);
    if (status == STATUS_OK)
        return put_in_place(putting, error);
    if (folder_remove_all(putting->stage, &cleaning) != STATUS_OK)
        error_prefix(error, "%s", cleaning.message);
    return status;
}

enum status ledger_restore(const struct restore_options *options, struct backup_report *report,
                           struct error *error)
{
    struct putting putting = {
        .options = options, .report = report, .target_fd = -1, .stage_fd = -1};
    *report = (struct backup_report){0};
    enum status status = open_backup(&putting, error);
    if (status == STATUS_OK)
        status = look_at_target(&putting, error);
    if (status == STATUS_OK)
        status = put(&putting, error);
    report->tree_size = putting.manifest.tree_size;
    memcpy(report->root, putting.manifest.root, SHA256_SIZE);
    report->has_head = putting.manifest.has_head;
    report->head = putting.manifest.head;
    report->n_copied = report->n_files;
    report->copied_bytes = report->bytes;
    manifest_free(&putting.manifest);
    if (putting.target_fd >= 0)
        close(putting.target_fd);
    if (putting.stage_fd >= 0)
        close(putting.stage_fd);
    return status;
}
