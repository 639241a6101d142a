/* What taking a backup and putting it back share: which files are the record, how a new backup
 * takes the place of the one before, and the check of a copy. One thread. */
#include "engine/base/array.h"
#include "engine/record/backup_priv.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_BAD 1000

const char *const LEDGER_KEYS[] = {"master.key", "pseudonym.key", "head.key", NULL};

/* ---- the record's files ---- */

static bool is_day(const char *name)
{
    int64_t time_us;
    return strlen(name) > 10 && time_parse(slice_make(name, 10), &time_us);
}

enum record_file record_file_kind(const char *name)
{
    static const struct {
        const char *name; /* of a day's file: what follows the date */
        bool of_day;
        enum record_file kind;
    } files[] = {
        {".db", true, FILE_DATABASE},       {".db.zst", true, FILE_FIXED},
        {".db.sha256", true, FILE_FIXED},   {"subjects.db", false, FILE_DATABASE},
        {"tiers.db", false, FILE_DATABASE},
    };
    bool day = is_day(name);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (files[i].of_day == day && strcmp(name + (day ? 10 : 0), files[i].name) == 0)
            return files[i].kind;
    return FILE_OTHER;
}

static int compare_names(const void *a, const void *b)
{
    const struct record_name *left = a, *right = b;
    return strcmp(left->name, right->name);
}

static enum status add_name(struct record_name **names, size_t *n, size_t *capacity,
                            const char *name, struct error *error)
{
    struct record_name *list = array_grow(*names, *n, capacity, sizeof *list);
    if (!list)
        return error_set(error, STATUS_MEMORY, "out of memory");
    *names = list;
    struct record_name *added = &list[(*n)++];
    added->kind = record_file_kind(name);
    snprintf(added->name, sizeof added->name, "%.47s", name);
    return STATUS_OK;
}

enum status record_files(const char *dir, struct record_name **names, size_t *n,
                         struct error *error)
{
    DIR *folder = opendir(dir);
    size_t capacity = 0;
    enum status status = STATUS_OK;
    *names = NULL;
    *n = 0;
    if (!folder)
        return error_set(error, errno == ENOENT ? STATUS_NOT_FOUND : STATUS_IO, "%s: %s", dir,
                         strerror(errno));
    for (struct dirent *entry; status == STATUS_OK && (entry = readdir(folder));)
        if (record_file_kind(entry->d_name) != FILE_OTHER)
            status = add_name(names, n, &capacity, entry->d_name, error);
    closedir(folder);
    if (status != STATUS_OK) {
        free(*names);
        *names = NULL;
    } else if (*n > 0) {
        qsort(*names, *n, sizeof **names, compare_names);
    }
    return status;
}

static void drop_log(const char *path)
{
    static const char *const endings[] = {"-wal", "-shm"};
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        char beside[PATH_SIZE + 8];
        snprintf(beside, sizeof beside, "%s%s", path, endings[i]);
        unlink(beside);
    }
}

enum status drop_logs(const char *dir, struct error *error)
{
    struct record_name *names;
    size_t n;
    enum status status = record_files(dir, &names, &n, error);
    for (size_t i = 0; i < n && status == STATUS_OK; i++) {
        char path[PATH_SIZE];
        if (path_join(path, dir, names[i].name))
            drop_log(path);
    }
    free(names);
    return status;
}

enum status identity_of(const char *dir, char identity[IDENTITY_SIZE], struct error *error)
{
    uint8_t key[KEY_SIZE];
    enum status status = key_load(dir, "pseudonym.key", false, key, error);
    if (status == STATUS_OK && key_identity(key, identity) != STATUS_OK)
        status = error_set(error, STATUS_UNSUPPORTED, "%s: its identity cannot be computed", dir);
    explicit_bzero(key, sizeof key);
    return status;
}

/* ---- a new backup takes the place of the one before ---- */

static bool exists(const char *path)
{
    struct stat facts;
    return lstat(path, &facts) == 0;
}

static enum status move_file(const char *ready, const char *dir, const char *name,
                             struct error *error)
{
    char from[PATH_SIZE], to[PATH_SIZE];
    if (!path_join(from, ready, name) || !path_join(to, dir, name))
        return error_set(error, STATUS_INVALID, "%s: the path is too long", dir);
    if (!exists(from)) /* in its place already, or never copied anew */
        return STATUS_OK;
    drop_log(to); /* of the copy before: its log is empty */
    return rename(from, to) == 0 ? STATUS_OK : file_error(to, "replace", error);
}

static enum status move_all(const char *ready, const char *dir, const struct manifest *manifest,
                            struct error *error)
{
    char keys[PATH_SIZE];
    enum status status = STATUS_OK;
    if (manifest->has_keys && path_join(keys, dir, "keys"))
        status = folder_make(keys, 0700, error);
    for (size_t i = 0; i < manifest->n_files && status == STATUS_OK; i++)
        status = move_file(ready, dir, manifest->files[i].name, error);
    if (status == STATUS_OK)
        status = folder_sync(dir, error);
    if (status == STATUS_OK)
        status = move_file(ready, dir, MANIFEST_NAME, error);
    return status == STATUS_OK ? folder_sync(dir, error) : status;
}

/* Files of the backup before that this one does not have: a day that was compressed since. */
static enum status remove_others(const char *dir, const struct manifest *manifest,
                                 struct error *error)
{
    struct record_name *names;
    size_t n;
    enum status status = record_files(dir, &names, &n, error);
    for (size_t i = 0; i < n && status == STATUS_OK; i++) {
        char path[PATH_SIZE];
        if (manifest_find(manifest, names[i].name) || !path_join(path, dir, names[i].name))
            continue;
        drop_log(path);
        if (unlink(path) != 0)
            status = file_error(path, "remove", error);
    }
    free(names);
    return status;
}

static enum status settle_ready(const char *ready, const char *dir, struct error *error)
{
    struct manifest manifest;
    enum status status = manifest_read(ready, &manifest, error);
    if (status == STATUS_OK) {
        status = move_all(ready, dir, &manifest, error);
        manifest_free(&manifest);
    } else if (status == STATUS_NOT_FOUND) { /* moved last: all is in place */
        status = STATUS_OK;
    }
    if (status == STATUS_OK)
        status = manifest_read(dir, &manifest, error);
    if (status != STATUS_OK)
        return status;
    status = remove_others(dir, &manifest, error);
    manifest_free(&manifest);
    return status == STATUS_OK ? folder_remove_all(ready, error) : status;
}

enum status backup_settle(const char *dir, struct error *error)
{
    char ready[PATH_SIZE], stage[PATH_SIZE];
    if (!path_join(ready, dir, READY_NAME) || !path_join(stage, dir, STAGE_NAME))
        return error_set(error, STATUS_INVALID, "%s: the path is too long", dir);
    enum status status = exists(ready) ? settle_ready(ready, dir, error) : STATUS_OK;
    return status == STATUS_OK ? folder_remove_all(stage, error) : status;
}

/* ---- the check ---- */

static void tell_rows(void *context, uint64_t rows)
{
    const struct copy_check *check = context;
    uint64_t total = check->manifest->tree_size;
    if (check->progress)
        check->progress(check->context, "verify", total > 0 ? (double)rows / (double)total : -1,
                        (int64_t)rows);
}

enum status copy_verify(const struct copy_check *check, struct backup_report *report,
                        struct error *error)
{
    const struct manifest *manifest = check->manifest;
    struct signed_head *heads = calloc(check->n_heads + 1, sizeof *heads);
    if (!heads)
        return error_set(error, STATUS_MEMORY, "out of memory");
    for (size_t i = 0; i < check->n_heads; i++)
        heads[i] = check->heads[i];
    heads[check->n_heads] = manifest->head;
    struct verify_options options = {.dir = check->dir,
                                     .heads = heads,
                                     .n_heads = check->n_heads + manifest->has_head,
                                     .public_key = check->public_key,
                                     .max_bad = MAX_BAD,
                                     .progress = tell_rows,
                                     .context = (void *)(uintptr_t)check};
    verify_report_free(&report->verify);
    enum status status = ledger_verify(&options, &report->verify, error);
    free(heads);
    if (status != STATUS_OK)
        return status;
    if (!report->verify.ok)
        return error_set(error, STATUS_CORRUPT, "the copy does not verify: %s",
                         report->verify.n_kept > 0 ? report->verify.bad[0].where : "see above");
    if (report->verify.tree_size != manifest->tree_size ||
        memcmp(report->verify.root, manifest->root, SHA256_SIZE) != 0)
        return error_set(error, STATUS_CORRUPT,
                         "the copy's rows do not lead to the root that was noted for it");
    return STATUS_OK;
}

void backup_report_free(struct backup_report *report)
{
    verify_report_free(&report->verify);
}
