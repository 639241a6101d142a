/* A ledger's backup: a folder like the ledger's own, with backup.json beside the files, which names
 * each with its SHA-256 and the signed head that the rows lead to. It can be read, queried and
 * verified as a ledger where it lies.
 *
 * A backup is taken while a service writes. It is whole or it is the one before: new copies are
 * made and verified aside and take their places only then. Restoring does the same with the ledger.
 */
#ifndef BINNACLE_RECORD_BACKUP_H
#define BINNACLE_RECORD_BACKUP_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/record/head.h"
#include "engine/record/verify.h"

/* What is done now ("copy", "verify"), of how much (negative: not known), and a count of bytes or
 * rows. */
typedef void backup_progress(void *context, const char *what, double done_ratio, int64_t count);

struct backup_options {
    const char *ledger, *to;
    bool with_keys; /* keys/ too: whoever has the backup can read and sign everything then */
    backup_progress *progress; /* may be NULL */
    void *context;
};

struct backup_report {
    uint64_t tree_size;
    uint8_t root[SHA256_SIZE];
    bool has_head;
    struct signed_head head; /* the newest; over fewer rows where the service just went on */
    uint64_t n_files, n_copied;
    int64_t bytes, copied_bytes;
    bool has_keys;
    char aside[4200]; /* restore: where the folder before lies now; empty: there was none */
    struct verify_report verify; /* of the copy */
};

/* STATUS_CORRUPT: the copy does not verify, or is not of the same past as the backup before; the
 * findings are in report->verify and the backup before is untouched. STATUS_CONFLICT: `to` is not a
 * backup, or another process is at it. STATUS_NOT_FOUND: no ledger. The report is to be freed in
 * any case. */
MUST_USE enum status ledger_backup(const struct backup_options *options,
                                   struct backup_report *report, struct error *error);

struct restore_options {
    const char *from, *ledger;
    bool replace;     /* a ledger that is there is put aside and the backup takes its place */
    const char *keys; /* folder with the ledger's keys; NULL: the backup's, else those in place */
    const struct signed_head *heads; /* kept elsewhere, as in struct verify_options */
    size_t n_heads;
    const uint8_t *public_key; /* NULL: as in struct verify_options */
    backup_progress *progress;
    void *context;
};

/* STATUS_CORRUPT: a file is not as it was backed up (the message names it), or the findings are in
 * report->verify; the ledger is untouched. STATUS_CONFLICT: there is a ledger, or a service has it,
 * or the keys are another ledger's. */
MUST_USE enum status ledger_restore(const struct restore_options *options,
                                    struct backup_report *report, struct error *error);
void backup_report_free(struct backup_report *report);

#endif
