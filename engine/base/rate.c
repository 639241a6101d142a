/* Token buckets by caller, in a table of sets: who is not in its set takes the place of the caller
 * there whose bucket is fullest, who loses least by it. A bucket is kept as the moment when it is
 * full again (the generic cell rate algorithm, ITU-T I.371): one number, and nothing runs between
 * requests. Any thread; a lock for all, held for a few comparisons. */
#include "engine/base/rate.h"

#include <assert.h>
#include <stdlib.h>

#include "engine/base/hash.h"
#include "engine/base/thread.h"

#define SETS      1024
#define WAYS      4
#define SECOND_NS INT64_C(1000000000)

struct bucket {
    uint64_t caller; /* its hash; 0: free */
    int64_t full_ns; /* when it is full again */
};

struct rate {
    int64_t quota, window_s;
    int64_t token_ns; /* in which one comes back */
    struct lock lock; /* of the buckets */
    struct bucket buckets[SETS][WAYS];
};

struct rate *rate_create(int64_t quota, int64_t window_s)
{
    assert(quota >= 1 && window_s >= 1);
    struct rate *rate = calloc(1, sizeof *rate);
    if (!rate)
        return NULL;
    rate->quota = quota;
    rate->window_s = window_s;
    rate->token_ns = window_s * SECOND_NS / quota;
    lock_init(&rate->lock, "rate");
    return rate;
}

void rate_destroy(struct rate *rate)
{
    if (!rate)
        return;
    lock_destroy(&rate->lock);
    free(rate);
}

static struct bucket *find(struct rate *rate, uint64_t caller)
{
    struct bucket *set = rate->buckets[caller % SETS], *fullest = &set[0];
    for (struct bucket *bucket = set; bucket < set + WAYS; bucket++) {
        if (bucket->caller == caller)
            return bucket;
        if (bucket->full_ns < fullest->full_ns)
            fullest = bucket;
    }
    *fullest = (struct bucket){.caller = caller};
    return fullest;
}

static int64_t seconds_of(int64_t ns)
{
    return ns <= 0 ? 0 : (ns + SECOND_NS - 1) / SECOND_NS;
}

bool rate_take(struct rate *rate, struct slice caller, int64_t now_ns, struct rate_state *state)
{
    uint64_t hash = hash64(caller.data, caller.size, 0);
    int64_t whole_ns = rate->quota * rate->token_ns;
    lock_take(&rate->lock);
    struct bucket *bucket = find(rate, hash ? hash : 1);
    int64_t full_ns = bucket->full_ns > now_ns ? bucket->full_ns : now_ns;
    bool taken = full_ns + rate->token_ns - now_ns <= whole_ns;
    if (taken)
        bucket->full_ns = full_ns += rate->token_ns;
    lock_release(&rate->lock);
    int64_t spent_ns = full_ns - now_ns;
    *state = (struct rate_state){
        .quota = rate->quota,
        .window_s = rate->window_s,
        .remaining = (whole_ns - spent_ns) / rate->token_ns,
        .full_s = seconds_of(spent_ns),
        .wait_s = seconds_of(spent_ns + rate->token_ns - whole_ns),
    };
    return taken;
}
