/* A backup while it is taken. */
#ifndef BINNACLE_RECORD_BACKUP_COPY_PRIV_H
#define BINNACLE_RECORD_BACKUP_COPY_PRIV_H

#include "engine/record/backup_priv.h"

struct taking {
    const struct backup_options *options;
    struct backup_report *report;
    char stage[PATH_SIZE];
    struct manifest prior, manifest;
    bool has_prior;
    int64_t total_bytes, done_bytes;
    int64_t file_bytes; /* of the file that is being copied */
};

/* Fills the stage, the manifest's list and the report's counts. STATUS_NOT_FOUND: no ledger there.
 */
MUST_USE enum status backup_copy_files(struct taking *taking, struct error *error);

#endif
