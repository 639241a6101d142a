/* Taking a backup while the ledger is written: files are copied aside (backup_copy.c), verified
 * there up to the newest signed head and that of the backup before, and take their places then. One
 * thread. */
#include "engine/record/backup.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/record/backup_copy_priv.h"
#include "engine/record/reader.h"

/* ---- the copy's head ---- */

static enum status read_head(struct taking *taking, struct error *error)
{
    struct reader *reader = NULL;
    uint8_t public_key[PUBLIC_KEY_SIZE];
    struct manifest *manifest = &taking->manifest;
    enum status status = reader_open(taking->stage, &reader, error);
    if (status == STATUS_OK)
        status = reader_head(reader, &manifest->tree_size, manifest->root, error);
    if (status == STATUS_OK) {
        status = reader_signed_head(reader, &manifest->head, public_key, error);
        manifest->has_head = status == STATUS_OK;
        if (status == STATUS_NOT_FOUND)
            status = STATUS_OK;
    }
    reader_close(reader);
    if (status == STATUS_OK &&
        identity_of(taking->options->ledger, manifest->identity, error) != STATUS_OK)
        snprintf(manifest->identity, sizeof manifest->identity, "%s", taking->prior.identity);
    return status;
}

static enum status check_copy(struct taking *taking, struct error *error)
{
    struct head_key key;
    struct error missing;
    struct copy_check check = {.dir = taking->stage,
                               .manifest = &taking->manifest,
                               .heads = &taking->prior.head,
                               .n_heads = taking->prior.has_head,
                               .progress = taking->options->progress,
                               .context = taking->options->context};
    if (head_key_load(taking->options->ledger, false, &key, &missing) == STATUS_OK)
        check.public_key = key.public_key;
    enum status status = copy_verify(&check, taking->report, error);
    explicit_bzero(&key, sizeof key);
    return status;
}

/* ---- the whole ---- */

/* What stands for files that were not copied leaves the new folder: they stay where they are. */
static enum status drop_links(struct taking *taking, struct error *error)
{
    struct record_name *names;
    size_t n;
    enum status status = record_files(taking->stage, &names, &n, error);
    for (size_t i = 0; i < n && status == STATUS_OK; i++) {
        char path[PATH_SIZE];
        struct stat facts;
        if (!path_join(path, taking->stage, names[i].name) || lstat(path, &facts) != 0)
            continue;
        if ((facts.st_nlink > 1 || S_ISLNK(facts.st_mode)) && unlink(path) != 0)
            status = file_error(path, "remove", error);
    }
    free(names);
    return status;
}

static enum status put_in_place(struct taking *taking, struct error *error)
{
    char ready[PATH_SIZE];
    if (!path_join(ready, taking->options->to, READY_NAME))
        return error_set(error, STATUS_INVALID, "%s: the path is too long", taking->options->to);
    enum status status = drop_links(taking, error);
    if (status == STATUS_OK)
        status = manifest_write(taking->stage, &taking->manifest, error);
    if (status == STATUS_OK)
        status = folder_sync(taking->stage, error);
    if (status == STATUS_OK && rename(taking->stage, ready) != 0)
        status = file_error(ready, "make", error);
    if (status == STATUS_OK)
        status = folder_sync(taking->options->to, error);
    return status == STATUS_OK ? backup_settle(taking->options->to, error) : status;
}

static enum status take(struct taking *taking, struct error *error)
{
    enum status status = backup_copy_files(taking, error);
    if (status == STATUS_OK)
        status = read_head(taking, error);
    if (status == STATUS_OK)
        status = check_copy(taking, error);
    if (status == STATUS_OK)
        status = put_in_place(taking, error);
    return status;
}

/* The folder is one that a backup may be put into. */
static enum status look_at_target(struct taking *taking, struct error *error)
{
    struct record_name *names;
    size_t n;
    const char *to = taking->options->to;
    enum status status = backup_settle(to, error);
    if (status == STATUS_OK)
        status = manifest_read(to, &taking->prior, error);
    taking->has_prior = status == STATUS_OK;
    if (status != STATUS_NOT_FOUND)
        return status;
    status = record_files(to, &names, &n, error);
    free(names);
    if (status == STATUS_OK && n > 0)
        status = error_set(error, STATUS_CONFLICT,
                           "%s holds a ledger and not a backup: give an empty folder", to);
    return status;
}

static bool same_place(const char *a, const char *b)
{
    char left[PATH_MAX], right[PATH_MAX];
    return realpath(a, left) && realpath(b, right) && strcmp(left, right) == 0;
}

enum status ledger_backup(const struct backup_options *options, struct backup_report *report,
                          struct error *error)
{
    struct taking taking = {.options = options, .report = report};
    struct error cleaning;
    int lock_fd = -1;
    *report = (struct backup_report){0};
    if (access(options->ledger, F_OK) != 0)
        return file_error(options->ledger, "read", error);
    enum status status = folder_make(options->to, 0700, error);
    if (status == STATUS_OK && same_place(options->ledger, options->to))
        status = error_set(error, STATUS_CONFLICT, "%s is the ledger itself", options->to);
    if (status == STATUS_OK && !path_join(taking.stage, options->to, STAGE_NAME))
        status = error_set(error, STATUS_INVALID, "%s: the path is too long", options->to);
    if (status == STATUS_OK)
        status = folder_lock(options->to, &lock_fd, error);
    if (status == STATUS_OK) {
        status = look_at_target(&taking, error);
        if (status == STATUS_OK)
            status = take(&taking, error);
        if (status != STATUS_OK && folder_remove_all(taking.stage, &cleaning) != STATUS_OK)
            error_prefix(error, "%s", cleaning.message);
    }
    report->tree_size = taking.manifest.tree_size;
    memcpy(report->root, taking.manifest.root, SHA256_SIZE);
    report->has_head = taking.manifest.has_head;
    report->head = taking.manifest.head;
    report->has_keys = taking.manifest.has_keys;
    manifest_free(&taking.prior);
    manifest_free(&taking.manifest);
    if (lock_fd >= 0)
        close(lock_fd);
    return status;
}
