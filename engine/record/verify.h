/* Checks a ledger against itself: every row against its leaf hash, the tree against the roots of
 * its groups, heads against their signatures, the files against SQLite's own check; and against
 * heads that were kept elsewhere. Reads only; a service may be writing meanwhile. */
#ifndef BINNACLE_RECORD_VERIFY_H
#define BINNACLE_RECORD_VERIFY_H

#include <stddef.h>
#include <stdint.h>

#include "engine/record/head.h"

/* Called now and then from the thread that verifies. */
typedef void verify_progress(void *context, uint64_t rows);

struct verify_options {
    const char *dir;
    const struct signed_head *heads; /* kept elsewhere; each must be of this ledger's past */
    size_t n_heads;
    /* What heads must be signed with. NULL: by keys/head.key, and where that cannot be read by the
     * key that the ledger names itself. */
    const uint8_t *public_key;
    int threads;    /* 0: one per core, at most 8 */
    size_t max_bad; /* rows kept in the report, and 64 more findings; others are counted */
    verify_progress *progress; /* may be NULL */
    void *context;
};

struct verify_bad {
    int64_t index;  /* ledger_index; -1: not about one row */
    char *event_id; /* NULL: none is known */
    char *where;    /* file, table and column, as far as it can be known, and what is wrong */
};

struct verify_report {
    bool ok;
    uint64_t tree_size; /* of the newest file */
    uint8_t root[SHA256_SIZE];
    uint64_t n_rows, n_heads; /* looked at */
    size_t n_days;
    uint64_t n_deleted; /* rows [0, n_deleted) were deleted by policy ... */
    int64_t deleted_us; /* ... the last of them then */
    struct verify_bad *bad;
    size_t n_kept;
    uint64_t n_bad;
};

/* What is wrong with the ledger is in the report and not an error. STATUS_NOT_FOUND: no such
 * folder; STATUS_MEMORY. The report is to be freed in any case. */
MUST_USE enum status ledger_verify(const struct verify_options *options,
                                   struct verify_report *report, struct error *error);
void verify_report_free(struct verify_report *report);

/* What can be seen without looking at rows: every day file opens, is as long as it says and begins
 * where the one before ended. STATUS_CORRUPT: the message names the first that does not. */
MUST_USE enum status ledger_check_files(const char *dir, struct error *error);
/* Whether a process writes this ledger now; `process` gets its number. */
bool ledger_in_use(const char *dir, char process[32]);

#endif
