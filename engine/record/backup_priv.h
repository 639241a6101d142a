/* What taking a backup and putting it back share: the manifest, and the folder's files. */
#ifndef BINNACLE_RECORD_BACKUP_PRIV_H
#define BINNACLE_RECORD_BACKUP_PRIV_H

#include "engine/base/file.h"
#include "engine/base/folder.h"
#include "engine/record/backup.h"
#include "engine/record/files_priv.h"

#define MANIFEST_NAME "backup.json"
#define STAGE_NAME    ".next"  /* a backup that is being made */
#define READY_NAME    ".ready" /* one that is whole, and whose files go to their places */

struct backup_file {
    char name[48]; /* "2026-01-31.db", "keys/head.key" */
    struct file_sum sum;
};

/* backup.json. */
struct manifest {
    uint64_t tree_size;
    uint8_t root[SHA256_SIZE];
    bool has_head;
    struct signed_head head;
    char identity[IDENTITY_SIZE]; /* ledger_identity(); empty: its key was not there */
    bool has_keys;
    struct backup_file *files;
    size_t n_files, capacity;
};

/* STATUS_NOT_FOUND: there is none in the folder. STATUS_CORRUPT: not one that binnacle wrote. */
MUST_USE enum status manifest_read(const char *dir, struct manifest *manifest, struct error *error);
/* Writes and syncs it; the folder has none yet. */
MUST_USE enum status manifest_write(const char *dir, const struct manifest *manifest,
                                    struct error *error);
MUST_USE enum status manifest_add(struct manifest *manifest, const char *name,
                                  const struct file_sum *sum, struct error *error);
const struct backup_file *manifest_find(const struct manifest *manifest, const char *name);
void manifest_free(struct manifest *manifest);

/* Finishes what a backup that was ended in the middle had begun: its files are put in their places,
 * or thrown away when they were not whole. The folder is locked. */
MUST_USE enum status backup_settle(const char *dir, struct error *error);

/* Whether a name in a ledger's folder is one of the record's files. */
enum record_file {
    FILE_OTHER,    /* not of the record: state that can be made again, locks, logs */
    FILE_DATABASE, /* SQLite, possibly being written */
    FILE_FIXED,    /* never changed once it is there */
};
enum record_file record_file_kind(const char *name);
/* The record's files in a folder in the order of their names; the list is freed with free(). */
struct record_name {
    char name[48];
    enum record_file kind;
};
MUST_USE enum status record_files(const char *dir, struct record_name **names, size_t *n,
                                  struct error *error);

/* Empty logs and indexes of them that a reader left beside the copies of databases. */
MUST_USE enum status drop_logs(const char *dir, struct error *error);

extern const char *const LEDGER_KEYS[]; /* names in keys/, then NULL */
/* ledger_identity() of the key in dir/keys; STATUS_NOT_FOUND. */
MUST_USE enum status identity_of(const char *dir, char identity[IDENTITY_SIZE],
                                 struct error *error);

/* The copy in `dir` against its manifest's head and others, into report->verify. STATUS_CORRUPT as
 * in ledger_backup(). */
struct copy_check {
    const char *dir;
    const struct manifest *manifest;
    const struct signed_head *heads;
    size_t n_heads;
    const uint8_t *public_key;
    backup_progress *progress;
    void *context;
};
MUST_USE enum status copy_verify(const struct copy_check *check, struct backup_report *report,
                                 struct error *error);

#endif
