/* The exact set of ids seen within a span of time: nothing is decided twice, nothing is guessed. */
#ifndef BINNACLE_CONTRACT_UNIQUE_H
#define BINNACLE_CONTRACT_UNIQUE_H

#include <stddef.h>
#include <stdint.h>

#include "engine/base/slice.h"
#include "engine/base/status.h"

struct unique_options {
    int64_t span_us;  /* an id is remembered for this long after it was reserved */
    size_t max_bytes; /* of memory, all in all; 0: 4 GiB */
};

enum unique_result {
    UNIQUE_NEW,      /* reserved for the caller, who must assign() or forget() it */
    UNIQUE_SAME,     /* known with this content: *ledger_index tells the row */
    UNIQUE_CONFLICT, /* known with other content */
    UNIQUE_FULL,     /* no memory within the bound: nothing was reserved; shed the event */
};

/* What UNIQUE_SAME gives while the first of the two has no row yet. */
#define UNIQUE_PENDING UINT64_MAX

/* Ids are told apart by all their bytes. Any thread may call anything (locks per shard, held for
 * one look-up). Every call costs amortised O(1); ids past the span leave as new ones come. */
struct unique;

MUST_USE enum status unique_create(const struct unique_options *options, struct unique **unique,
                                   struct error *error);
void unique_destroy(struct unique *unique); /* NULL is ignored */

/* `content` is a hash of what the event says; now_us is the engine's clock. *ledger_index is set
 * on SAME and CONFLICT. Ids are at most 65535 bytes long; longer ones are UNIQUE_FULL. */
enum unique_result unique_reserve(struct unique *unique, struct slice id, uint64_t content,
                                  int64_t now_us, uint64_t *ledger_index);
/* Asks for the memory that unique_reserve() will look at first for this id. */
void unique_prefetch(const struct unique *unique, struct slice id);
/* The reserved id has its row. An id that has already expired is left alone. */
void unique_assign(struct unique *unique, struct slice id, uint64_t ledger_index);
/* The reserved id will not get a row (the event was refused later on): it may come again. */
void unique_forget(struct unique *unique, struct slice id);
/* At start, from the ledger, in order of time: reserve and assign in one. STATUS_FULL when memory
 * is out; STATUS_CONFLICT when the id is known with another row. */
MUST_USE enum status unique_restore(struct unique *unique, struct slice id, uint64_t content,
                                    int64_t at_us, uint64_t ledger_index);

/* The set in a file. The file for it, empty (a temporary one, until it is committed): */
struct state_file;
MUST_USE enum status unique_create_file(const char *path, struct state_file **file,
                                        struct error *error);
/* ... and what is put into it. `upto_index` is the caller's mark: the record's rows below it are in
 * the set. STATUS_UNAVAILABLE while an id has no row yet. No other thread may use the set
 * meanwhile. Takes neither locks nor memory: a forked process can do it. */
MUST_USE enum status unique_write(const struct unique *unique, struct state_file *file,
                                  uint64_t upto_index, struct error *error);
/* Replaces the set, which must be new, by what was saved. STATUS_NOT_FOUND: no such file;
 * STATUS_CORRUPT: not what was written; STATUS_CONFLICT: kept for another span; STATUS_UNSUPPORTED:
 * by a newer binnacle; STATUS_FULL: beyond max_bytes. After any of these the set is empty. */
MUST_USE enum status unique_load(struct unique *unique, const char *path, uint64_t *upto_index,
                                 struct error *error);

struct unique_stats {
    uint64_t n_ids;
    uint64_t bytes;
    uint64_t max_bytes;
    uint64_t refused; /* times that UNIQUE_FULL was answered */
};
void unique_stats(struct unique *unique, struct unique_stats *stats);

#endif
