/* Feature state: the recent events of every entity, and the features of an event from them. The
 * same code serves live scoring, replay, training sets and back-tests. */
#ifndef BINNACLE_FEATURE_STORE_H
#define BINNACLE_FEATURE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/log.h"
#include "engine/base/slice.h"
#include "engine/base/status.h"
#include "engine/event/event.h"
#include "engine/feature/views.h"

struct feature_store;
struct feature_scratch; /* a worker's temporary memory and, with Redis, its connection */

/* With this lateness nothing is ever dropped for its age: for files in any order. */
#define FEATURE_LATENESS_ANY INT64_MAX

struct feature_store_options {
    size_t shards;       /* locks; rounded up to a power of two. 0: 64 */
    size_t max_bytes;    /* of entities and their entries; beyond it the entities idle longest are
                            forgotten and counted. 0: 1 GiB. Divided evenly between the shards. */
    int64_t lateness_us; /* 0: the views' own */
    const char *online_store; /* NULL or "embedded"; "redis://[:password@]host:port[/db]" shares the
                                 entries between instances. "?timeout_ms=N" (default 50). */
    struct log *log;          /* may be NULL */
};

/* The views must outlive the store. A Redis that is not there is no error: the store starts
 * degraded and catches up. */
MUST_USE enum status feature_store_create(const struct feature_views *views,
                                          const struct feature_store_options *options,
                                          struct feature_store **store, struct error *error);
void feature_store_destroy(struct feature_store *store); /* NULL is ignored */

/* One per thread. Destroyed before its store. */
MUST_USE enum status feature_scratch_create(struct feature_store *store,
                                            struct feature_scratch **scratch, struct error *error);
void feature_scratch_destroy(struct feature_scratch *scratch); /* NULL is ignored */

/* Inserts an accepted event at its own time and writes the features it then has: `out` takes
 * schema->n_features floats, NaN where missing. `replacements`, when not NULL, has a slice per
 * field: where its data is not NULL it stands for the value of that string field (a pseudonym), in
 * windows, transforms and all, so that the state can be made again from the record.
 *
 * Windows are over (t-w, t] and hold the event itself; of equal times those that came before. Sums
 * are exact: a sum is the correctly rounded one of the window's values in any order, a mean is
 * that over their number. A label in the event (`schema->label`) is used only by windows whose
 * delay has passed.
 *
 * STATUS_INVALID: the event is older than the newest of one of its entities by more than the
 * lateness, its window may be gone (VIOLATION_TOO_LATE): nothing was inserted, `out` is all NaN.
 * Otherwise STATUS_OK. In order it takes amortised constant time a window and allocates nothing in
 * steady state; a late event takes time linear in the windows. Any thread, with its own scratch. */
MUST_USE enum status feature_compute(struct feature_store *store, struct feature_scratch *scratch,
                                     const struct event *event, const struct slice *replacements,
                                     float *out);
/* One event of several. */
struct feature_request {
    const struct event *event;
    const struct slice *replacements; /* or NULL */
    float *out;                       /* NULL: only inserted */
    enum status status;               /* out: as feature_compute() returns it */
};
/* The same for each of n events in their order, with the waits for memory overlapping. */
void feature_compute_many(struct feature_store *store, struct feature_scratch *scratch,
                          struct feature_request *events, size_t n);
/* Inserts only: for making the state again from the record. Same status. */
MUST_USE enum status feature_insert(struct feature_store *store, struct feature_scratch *scratch,
                                    const struct event *event, const struct slice *replacements);
/* The truth about an earlier event (its values as inserted) became known: windows that have
 * it in or ahead of them see it from now on. The last label given wins. STATUS_NOT_FOUND: no
 * window will look at that event any more. Any thread. */
MUST_USE enum status feature_label(struct feature_store *store, struct feature_scratch *scratch,
                                   const struct event *event, const struct slice *replacements,
                                   int label);

/* STATUS_UNAVAILABLE while writes wait for Redis: an older checkpoint and the record bring them
 * there after a restart. */
MUST_USE enum status feature_store_may_save(struct feature_store *store, struct error *error);
/* The state in a file. The file for it, empty (a temporary one, until it is committed): */
struct state_file;
MUST_USE enum status feature_store_create_file(struct feature_store *store, const char *path,
                                               struct state_file **file, struct error *error);
/* ... and what is put into it. `upto_index` is the caller's mark: the record's rows below it are in
 * the state. Nothing may change the store meanwhile. Takes neither locks nor memory: a forked
 * process can do it. */
MUST_USE enum status feature_store_write(const struct feature_store *store, struct state_file *file,
                                         uint64_t upto_index, struct error *error);
/* Replaces the state by what was saved; from there on everything is as if never interrupted.
 * STATUS_NOT_FOUND: no such file; STATUS_CORRUPT: not what was written; STATUS_CONFLICT: made for
 * other views or another schema; STATUS_UNSUPPORTED: by a newer binnacle. After any of these the
 * store is empty, to be filled from the record. Nothing else may use the store meanwhile. */
MUST_USE enum status feature_store_load(struct feature_store *store, const char *path,
                                        uint64_t *upto_index, struct error *error);
void feature_store_clear(struct feature_store *store);

struct feature_usage {
    uint64_t entities;
    uint64_t entries; /* remembered events, once per entity of theirs */
    uint64_t bytes, max_bytes;
    uint64_t late;     /* events inserted behind a newer one */
    uint64_t too_late; /* refused */
    uint64_t evicted;  /* entities forgotten for lack of room: with entries still in reach */
    uint64_t expired;  /* and with none */
    int64_t newest_us; /* latest event time seen; INT64_MIN: none */
    /* Redis; all zero when embedded. */
    bool shared, degraded; /* degraded: answers come from local state alone */
    uint64_t pending;      /* writes waiting for Redis to come back */
    uint64_t pending_capacity;
    uint64_t pending_lost; /* given up: the queue of them was full */
    uint64_t fallbacks;    /* events answered without Redis */
};
/* A consistent count per shard, not across shards. Any thread. */
void feature_store_usage(struct feature_store *store, struct feature_usage *usage);

#endif
