/* The store's insides, shared by compute, checkpoint and the online store. Private to
 * engine/feature. */
#ifndef BINNACLE_FEATURE_STORE_PRIV_H
#define BINNACLE_FEATURE_STORE_PRIV_H

#include <stdatomic.h>

#include "engine/feature/online_priv.h"
#include "engine/feature/shard_priv.h"
#include "engine/feature/store.h"

struct feature_store {
    unsigned magic;
    const struct feature_views *views;
    struct log *log;
    int64_t lateness_us;
    struct online *online; /* NULL: embedded. Else entries carry ids */
    bool ids;              /* entries of some stream carry them */
    size_t n_shards;       /* power of two */
    size_t max_bytes, max_bytes_of_shard;
    struct shard *shards;
    struct pool *pool; /* entities and all that is theirs */
    struct series_layout layouts[MAX_STREAMS];
    _Atomic int64_t newest_us;
};

#define MAX_SHARDS 4096

/* Where the series of an event's entity of a stream is. */
struct event_key {
    struct hash128 of;
    struct shard *shard;   /* NULL: the event has no such entity */
    struct entity *entity; /* as it was found ahead; NULL: not then */
};

/* Events taken while their shards are held: so many that a shard's lock is taken for several. */
#define MAX_GROUP 256

/* Texts with a number below are known by it after they were met once. */
#define WORDS 64

struct hour {
    int64_t start_us, of_day, weekday; /* Monday is 0 */
};

struct feature_scratch {
    struct feature_store *store;
    struct value *slots; /* the fields with their replacements, then the outputs */
    double *columns;
    uint64_t *hashes;               /* by field; 0 where missing or not asked for */
    uint64_t (*word_hashes)[WORDS]; /* by field and the word's number; 0: not met */
    uint16_t (*word_hots)[WORDS];   /* by one-hot plan and the word's number, see one_hot_text() */
    double *outputs;                /* the features, then what only they are made of */
    struct hour hour; /* that the last calendar feature was of: most events follow within it */
    struct counts counts;
    struct arena *arena;      /* of texts that expressions make */
    struct online_link *link; /* NULL: embedded */
    size_t record_size;
    unsigned char *records; /* an entry per stream, as it goes to the online store */
    /* of the event in hand */
    bool exchanged; /* the online store answered */
    struct online_request requests[MAX_STREAMS];
    int request_of[MAX_STREAMS]; /* by stream; -1: none */
    size_t n_requests;
    const struct event_key *keys; /* by stream */
    bool forgot; /* an entity since the shards are held: what was found ahead may be gone */
    struct entity *entities[MAX_STREAMS];
    uint32_t numbers[MAX_STREAMS];
    struct entry entry;
    struct event_key *group; /* of it and those after it: MAX_GROUP rows, a key a stream */
};

/* Keys of an event of the group. */
static inline struct event_key *scratch_group(const struct feature_scratch *scratch, size_t number)
{
    return scratch->group + number * scratch->store->views->n_streams;
}

static inline struct shard *store_shard(const struct feature_store *store, struct hash128 key)
{
    return &store->shards[(size_t)(key.high >> 32) & (store->n_shards - 1)];
}

/* The shards of some events' entities, a bit each. */
struct held {
    uint64_t shards[MAX_SHARDS / 64];
};

/* Tells the online store of the event and learns what others told it. Before the shards are held.
 */
void shared_exchange(struct feature_scratch *scratch, bool append);
/* Puts what was learnt and the event itself into the entity's series, the shard being held. False:
 * out of memory, and the entity is gone. */
MUST_USE bool shared_insert(struct feature_scratch *scratch, struct shard *shard,
                            struct entity *entity, uint32_t *number);
/* Tells it of a label. */
void shared_label(struct feature_scratch *scratch, int label);

void scratch_keys(const struct feature_scratch *scratch, const struct event *event,
                  const struct slice *replacements, struct event_key *keys);
/* Fills slots, columns, hashes and entry of the scratch from the event, whose keys are kept. */
void scratch_read(struct feature_scratch *scratch, const struct event *event,
                  const struct slice *replacements, const struct event_key *keys);
/* Calendar, one-hot and transforms from slots and outputs; then the features in their order. */
void scratch_finish(struct feature_scratch *scratch, float *out);

#endif
