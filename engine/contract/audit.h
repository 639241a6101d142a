/* A data file held against a contract: how many events would be accepted, and why not the rest. */
#ifndef BINNACLE_CONTRACT_AUDIT_H
#define BINNACLE_CONTRACT_AUDIT_H

#include <stdint.h>

#include "engine/base/status.h"
#include "engine/contract/contract.h"

struct audit_count {
    int field; /* schema index; -1: the event as a whole */
    enum violation_code code;
    const char *check; /* for VIOLATION_CHECK; lives with the contract */
    uint64_t n;
    int64_t first_line; /* where it was met first */
};

struct audit {
    uint64_t n_events, n_accepted;
    struct audit_count *counts; /* most frequent first */
    size_t n_counts;
};

/* Reads the whole file (as engine/event/file_source.h does) with the event clock, uniqueness of
 * ids included. Fails only when the file cannot be read. The caller frees *audit's content. */
MUST_USE enum status audit_file(const struct contract *contract, const char *path,
                                struct audit *audit, struct error *error);
void audit_free(struct audit *audit);

#endif
