/* The inside of observe, shared by writing (observe.c, outcomes.c, arms.c), the drift reference
 * (reference.c), reading (fill.c) and storing (store.c).
 *
 * Two kinds of lock: each shard's own, and the one of the windows and everything else here. A
 * shard's is taken first, that of drift_slices last. */
#ifndef BINNACLE_OBSERVE_OBSERVE_PRIV_H
#define BINNACLE_OBSERVE_OBSERVE_PRIV_H

#include <stdatomic.h>

#include "engine/base/thread.h"
#include "engine/observe/drift_slices.h"
#include "engine/observe/observe.h"
#include "engine/observe/windows.h"

#define OBSERVE_MAGIC  0xb1a0b5e0u
#define SHARDS         DRIFT_DRAWS /* workers beyond share them */
#define SHARD_CAPACITY 256         /* observations held back at most */
#define RATE_SAMPLES   16

/* The cuts of all columns; immutable, shared by counting. */
struct reference {
    atomic_int users;
    int n_columns;
    struct bin_finder finder;    /* of the binnings, made by reference_ready() */
    struct value_points *points; /* by column; NULL: not known */
    bool collected;              /* from outcomes: known nowhere else */
    struct binning binnings[];
};

struct arm {
    enum variant variant;
    char model[NAME_SIZE], version[NAME_SIZE];
    double share_wanted; /* NaN: not configured, only seen */
    bool used;
};

/* What one worker has not poured out yet. */
struct shard {
    struct lock lock;
    unsigned generation;         /* of the arms and the reference below */
    struct reference *reference; /* NULL: none yet */
    struct arm arms[MAX_ARMS];   /* a copy */
    int n;
    struct observation observations[SHARD_CAPACITY];
    uint8_t *codes; /* SHARD_CAPACITY rows of codes_width */
    struct recent_decision recent[MAX_SNAPSHOT_DECISIONS];
    uint64_t recent_count; /* ever; the newest is at (recent_count - 1) modulo the size */
    uint64_t reasons[VIOLATION_CODES];
};

/* Latencies since start, by power of two. */
struct latency_since_start {
    atomic_uint_fast64_t n, sum_us;
    atomic_uint_fast64_t buckets[LATENCY_BOUNDS + 1];
};

struct rate_sample {
    int64_t monotonic_ns;
    uint64_t events;
};

struct observe {
    unsigned magic;
    struct observe_options options;
    int n_columns;
    size_t codes_width;   /* bytes of a row of codes: see bin_stage.h */
    struct shard *shards; /* SHARDS of them */
    struct slices *slices;
    struct drift_slices *drift_slices;
    struct drift_slices *shadow_slices; /* of the judged shadow: it decides nothing */

    struct lock lock; /* of all that follows, but the atomics */
    struct windows *windows;
    struct arm arms[MAX_ARMS];
    struct arm shadow; /* the first of the split, the one that is judged; not used: there is none */
    struct reference *reference;
    struct observe_sink sink;
    outcome_judge *outcome_judge; /* NULL: none */
    void *outcome_context;
    uint64_t custom_digest;
    float *collected; /* rows of the coming reference, or NULL when none is being collected */
    int64_t n_collected;
    struct tally totals; /* since start */
    struct rate_sample rates[RATE_SAMPLES];
    int n_rates;        /* newest last */
    int64_t history_ns; /* when the last point was added */
    struct history rate_history, p99_history, decline_history;

    atomic_uint generation; /* grows when arms or reference change: shards take new copies */
    atomic_bool collecting;
    atomic_int shadow_arm; /* of the judged shadow; NO_ARM: there is none */
    struct latency_since_start decision_latency, answer_latency;
};

static inline void observe_assert(const struct observe *observe)
{
    if (observe->magic != OBSERVE_MAGIC)
        __builtin_trap();
}

/* The worker's shard, locked. */
struct shard *observe_shard_take(struct observe *observe, int worker);
/* In all that follows the shard is locked. Takes over arms and reference when they have changed;
 * what was coded by the old ones goes first. */
void observe_shard_renew(struct observe *observe, struct shard *shard);
/* A place for what happened; a full shard is poured first. */
struct observation *observe_shard_slot(struct observe *observe, struct shard *shard, int64_t at_us,
                                       enum observation_kind kind);
/* By the shard's own copy of the arms; NO_ARM when there is none and no place for one. */
int8_t observe_shard_arm(struct observe *observe, struct shard *shard, enum variant variant,
                         const char *model, const char *version);
/* Pours a shard into the windows and the sink. */
void observe_shard_pour(struct observe *observe, struct shard *shard);
/* What was read back from the record: without the totals since start. */
void observe_shard_pour_recorded(struct observe *observe, struct shard *shard, unsigned places);

static inline uint8_t *observe_shard_codes(const struct observe *observe, const struct shard *shard,
                                           int place)
{
    return shard->codes + (size_t)place * observe->codes_width;
}

void observe_pour_all(struct observe *observe);

/* Takes over arms as they were saved, keeping the shares of those that are configured now.
 * observe->lock is held. */
void arms_restore(struct observe *observe, const struct arm saved[MAX_ARMS]);

void reference_release(struct reference *reference);
bool reference_make_points(struct reference *reference); /* empty; false: out of memory */
/* The cuts are complete: prepares looking them up. */
void reference_ready(struct reference *reference);
/* Whether counts by the one mean the same by the other; both of the same columns. */
bool reference_same(const struct reference *a, const struct reference *b);
/* Adds a row to the coming reference; makes it when enough have come. observe->lock is held. */
void reference_collect(struct observe *observe, const struct outcome *outcome);
/* Rows that are sampled lie in these bins from now on; NULL: none. `keep`: what is counted already
 * is by the same. observe->lock is held. */
void reference_cut(struct observe *observe, const struct binning *binnings, bool keep);
/* Counting goes on under `take`, which the windows know already. observe->lock is held. */
void reference_restore(struct observe *observe, struct reference *take);

#endif
