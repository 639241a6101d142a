/* The feature store: shards of entities behind locks; an event is put into the series of each of
 * its entities and its windows are read off. In: accepted events. Out: float32 vectors. Any thread,
 * each with its own scratch; locks of shards are taken in ascending order. */
#include "engine/feature/store.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/feature/store_priv.h"

#define STORE_MAGIC       0x66656174U
#define DEFAULT_SHARDS    64
#define DEFAULT_MAX_BYTES ((size_t)1 << 30)
#define AHEAD             ((size_t)4) /* events, for which memory is waited for */

static bool make_shards(struct feature_store *store, size_t wanted)
{
    size_t n = 1;
    while (n < wanted && n < MAX_SHARDS)
        n *= 2;
    store->shards = aligned_alloc(alignof(struct shard), n * sizeof *store->shards);
    if (!store->shards)
        return false;
    for (; store->n_shards < n; store->n_shards++)
        if (!shard_init(&store->shards[store->n_shards])) {
            store->n_shards++;
            return false;
        }
    return true;
}

enum status feature_store_create(const struct feature_views *views,
                                 const struct feature_store_options *options,
                                 struct feature_store **out, struct error *error)
{
    struct feature_store *store = calloc(1, sizeof *store);
    if (!store)
        return error_set(error, STATUS_MEMORY, "out of memory for the feature store");
    store->magic = STORE_MAGIC;
    store->views = views;
    store->log = options->log;
    store->lateness_us = options->lateness_us ? options->lateness_us : views->lateness_us;
    store->max_bytes = options->max_bytes ? options->max_bytes : DEFAULT_MAX_BYTES;
    atomic_init(&store->newest_us, INT64_MIN);
    store->pool = pool_create();
    const char *url = options->online_store;
    bool shared = url && strcmp(url, "embedded") != 0;
    if (shared) {
        enum status status = online_create(url, views->digest, store->log, &store->online, error);
        if (status != STATUS_OK) {
            feature_store_destroy(store);
            return status;
        }
    }
    for (size_t i = 0; i < views->n_streams; i++) {
        bool ids = shared || views->streams[i].labels;
        series_layout_init(&store->layouts[i], &views->streams[i], store->pool, ids,
                           store->lateness_us);
        store->ids = store->ids || ids;
    }
    if (!store->pool || !make_shards(store, options->shards ? options->shards : DEFAULT_SHARDS)) {
        feature_store_destroy(store);
        return error_set(error, STATUS_MEMORY, "out of memory for the feature store");
    }
    store->max_bytes_of_shard = store->max_bytes / store->n_shards;
    *out = store;
    return STATUS_OK;
}

void feature_store_destroy(struct feature_store *store)
{
    if (!store)
        return;
    assert(store->magic == STORE_MAGIC);
    for (size_t i = 0; i < store->n_shards; i++)
        shard_free(&store->shards[i], store->layouts);
    free(store->shards);
    pool_destroy(store->pool);
    online_destroy(store->online);
    free(store);
}

/* Adds the shards of an event's entities; they are held later, by hold(). */
static void add_shards(const struct feature_store *store, const struct event_key *keys,
                       struct held *held)
{
    for (size_t i = 0; i < store->views->n_streams; i++) {
        if (!keys[i].shard)
            continue;
        size_t number = (size_t)(keys[i].shard - store->shards);
        held->shards[number / 64] |= UINT64_C(1) << number % 64;
    }
}

static void hold(const struct feature_store *store, const struct held *held)
{
    for (size_t i = 0; i < store->n_shards; i += 64)
        for (uint64_t left = held->shards[i / 64]; left; left &= left - 1)
            lock_take(&store->shards[i + (size_t)__builtin_ctzll(left)].lock);
}

static void release(const struct feature_store *store, const struct held *held)
{
    for (size_t i = 0; i < store->n_shards; i += 64)
        for (uint64_t left = held->shards[i / 64]; left; left &= left - 1)
            lock_release(&store->shards[i + (size_t)__builtin_ctzll(left)].lock);
}

/* Most of an event's time would go by waiting for memory: where an entity is, then it, then its
 * entries. All of it is asked for ahead, step by step, while events before this one are taken. The
 * shards are held. */
static void ask_slots(const struct feature_store *store, const struct event_key *keys)
{
    for (size_t i = 0; i < store->views->n_streams; i++) {
        const struct event_key *key = &keys[i];
        if (key->shard)
            shard_prefetch_slot(key->shard, key->of);
    }
}

static void ask_entities(const struct feature_store *store, const struct event_key *keys)
{
    for (size_t i = 0; i < store->views->n_streams; i++) {
        const struct event_key *key = &keys[i];
        if (key->shard)
            shard_prefetch_entity(key->shard, key->of,
                                  sizeof(struct entity) + store->views->streams[i].states_size);
    }
}

static void ask_series(const struct feature_store *store, struct event_key *keys, int64_t time_us)
{
    for (uint32_t i = 0; i < store->views->n_streams; i++) {
        struct event_key *key = &keys[i];
        if (key->shard)
            key->entity = shard_find(key->shard, i, key->of);
        if (!key->entity)
            continue;
        __builtin_prefetch(key->entity->newer, 1);
        __builtin_prefetch(key->entity->older, 1);
        series_prefetch(&store->layouts[i], &key->entity->series, time_us);
    }
}

/* The event's entities, by stream; NULL: there is none yet. The shards are held. */
static void find_entities(struct feature_scratch *scratch)
{
    for (uint32_t i = 0; i < scratch->store->views->n_streams; i++) {
        const struct event_key *key = &scratch->keys[i];
        struct entity *found = key->entity;
        if (key->shard && (!found || scratch->forgot))
            found = shard_find(key->shard, i, key->of);
        scratch->entities[i] = found;
    }
}

static bool is_too_late(const struct feature_scratch *scratch)
{
    const struct feature_store *store = scratch->store;
    if (store->lateness_us == FEATURE_LATENESS_ANY)
        return false;
    for (uint32_t i = 0; i < store->views->n_streams; i++) {
        const struct entity *entity = scratch->entities[i];
        if (entity && entity->series.n > 0 &&
            scratch->entry.time_us < entity->series.newest_us - store->lateness_us) {
            scratch->keys[i].shard->too_late++;
            return true;
        }
    }
    return false;
}

/* An entity that no memory is left for has no windows: its features are missing. */
static void insert(struct feature_scratch *scratch)
{
    struct feature_store *store = scratch->store;
    for (uint32_t i = 0; i < store->views->n_streams; i++) {
        const struct event_key *key = &scratch->keys[i];
        struct entity *entity = scratch->entities[i];
        uint32_t *number = &scratch->numbers[i];
        if (!key->shard)
            continue;
        if (entity)
            shard_renew(key->shard, entity);
        else
            entity = shard_make(key->shard, store->layouts, i, key->of);
        bool inserted =
            entity && (store->online ? shared_insert(scratch, key->shard, entity, number)
                                     : shard_insert(key->shard, store->layouts, entity,
                                                    &scratch->entry, number));
        scratch->entities[i] = inserted ? entity : NULL;
        scratch->forgot = scratch->forgot || !inserted;
    }
}

static void read_windows(struct feature_scratch *scratch)
{
    const struct feature_store *store = scratch->store;
    for (uint32_t i = 0; i < store->views->n_streams; i++) {
        const struct entity *entity = scratch->entities[i];
        const struct stream *stream = &store->views->streams[i];
        if (entity)
            series_features(&store->layouts[i], &entity->series, scratch->numbers[i],
                            &scratch->counts, scratch->outputs);
        for (size_t j = 0; !entity && j < stream->n_windows; j++)
            scratch->outputs[stream->windows[j].output] = NAN;
    }
}

static void note_newest(struct feature_store *store, int64_t time_us)
{
    int64_t newest = atomic_load_explicit(&store->newest_us, memory_order_relaxed);
    while (newest < time_us &&
           !atomic_compare_exchange_weak_explicit(&store->newest_us, &newest, time_us,
                                                  memory_order_relaxed, memory_order_relaxed))
        ;
}

static void evict(struct feature_scratch *scratch)
{
    const struct feature_store *store = scratch->store;
    int64_t newest_us = atomic_load_explicit(&store->newest_us, memory_order_relaxed);
    for (size_t i = 0; i < store->views->n_streams; i++) {
        struct shard *shard = scratch->keys[i].shard;
        if (shard && shard_evict(shard, store->layouts, store->max_bytes_of_shard, newest_us))
            scratch->forgot = true;
    }
}

/* The event read into the scratch goes into its series, and with `out` its windows are read. The
 * shards are held. */
static void place(struct feature_scratch *scratch, const float *out)
{
    insert(scratch);
    if (out)
        read_windows(scratch);
    note_newest(scratch->store, scratch->entry.time_us);
    evict(scratch);
}

static void refuse(const struct feature_store *store, float *out)
{
    for (size_t i = 0; out && i < store->views->features.n_features; i++)
        out[i] = NAN;
}

/* With an online store: no lock is held while it is waited for. */
static enum status take_shared(struct feature_scratch *scratch, const struct feature_request *event)
{
    struct feature_store *store = scratch->store;
    struct held held = {{0}};
    scratch_keys(scratch, event->event, event->replacements, scratch_group(scratch, 0));
    scratch_read(scratch, event->event, event->replacements, scratch_group(scratch, 0));
    add_shards(store, scratch->keys, &held);
    hold(store, &held);
    find_entities(scratch);
    bool refused = is_too_late(scratch);
    release(store, &held);
    if (refused) {
        refuse(store, event->out);
        return STATUS_INVALID;
    }
    shared_exchange(scratch, event->out != NULL);
    hold(store, &held);
    find_entities(scratch);
    place(scratch, event->out);
    release(store, &held);
    if (event->out)
        scratch_finish(scratch, event->out);
    return STATUS_OK;
}

static enum status take_held(struct feature_scratch *scratch, const struct feature_request *event,
                             const struct event_key *keys)
{
    scratch_read(scratch, event->event, event->replacements, keys);
    find_entities(scratch);
    if (is_too_late(scratch)) {
        refuse(scratch->store, event->out);
        return STATUS_INVALID;
    }
    place(scratch, event->out);
    if (event->out)
        scratch_finish(scratch, event->out);
    return STATUS_OK;
}

/* The first MAX_GROUP events at most, while their shards are held; returns their number. Each turn
 * takes every event a step further, AHEAD of them apart. */
static size_t take_group(struct feature_scratch *scratch, struct feature_request *events, size_t n)
{
    const struct feature_store *store = scratch->store;
    struct held held;
    size_t size = n < MAX_GROUP ? n : MAX_GROUP;
    memset(held.shards, 0, (store->n_shards + 63) / 64 * sizeof *held.shards);
    for (size_t i = 0; i < size; i++) {
        scratch_keys(scratch, events[i].event, events[i].replacements, scratch_group(scratch, i));
        add_shards(store, scratch_group(scratch, i), &held);
    }
    hold(store, &held);
    scratch->forgot = false;
    for (size_t turn = 0; turn < size + 3 * AHEAD; turn++) {
        if (turn < size)
            ask_slots(store, scratch_group(scratch, turn));
        if (turn >= AHEAD && turn < size + AHEAD)
            ask_entities(store, scratch_group(scratch, turn - AHEAD));
        if (turn >= 2 * AHEAD && turn < size + 2 * AHEAD)
            ask_series(store, scratch_group(scratch, turn - 2 * AHEAD),
                       events[turn - 2 * AHEAD].event->time_us);
        if (turn >= 3 * AHEAD)
            events[turn - 3 * AHEAD].status = take_held(scratch, &events[turn - 3 * AHEAD],
                                                        scratch_group(scratch, turn - 3 * AHEAD));
    }
    release(store, &held);
    return size;
}

void feature_compute_many(struct feature_store *store, struct feature_scratch *scratch,
                          struct feature_request *events, size_t n)
{
    assert(store->magic == STORE_MAGIC && scratch->store == store);
    if (store->online)
        for (size_t i = 0; i < n; i++)
            events[i].status = take_shared(scratch, &events[i]);
    else
        for (size_t done = 0; done < n;)
            done += take_group(scratch, events + done, n - done);
}

enum status feature_compute(struct feature_store *store, struct feature_scratch *scratch,
                            const struct event *event, const struct slice *replacements, float *out)
{
    struct feature_request request = {.event = event, .replacements = replacements, .out = out};
    feature_compute_many(store, scratch, &request, 1);
    return request.status;
}

enum status feature_insert(struct feature_store *store, struct feature_scratch *scratch,
                           const struct event *event, const struct slice *replacements)
{
    return feature_compute(store, scratch, event, replacements, NULL);
}

enum status feature_label(struct feature_store *store, struct feature_scratch *scratch,
                          const struct event *event, const struct slice *replacements, int label)
{
    struct held held = {{0}};
    bool reached = false;
    scratch_keys(scratch, event, replacements, scratch_group(scratch, 0));
    scratch_read(scratch, event, replacements, scratch_group(scratch, 0));
    add_shards(store, scratch->keys, &held);
    hold(store, &held);
    for (uint32_t i = 0; i < store->views->n_streams; i++) {
        const struct series_layout *layout = &store->layouts[i];
        const struct event_key *key = &scratch->keys[i];
        if (!key->shard || !store->views->streams[i].labels)
            continue;
        struct entity *entity = shard_find(key->shard, i, key->of);
        uint32_t number;
        if (!entity || !series_find(layout, &entity->series, scratch->entry.time_us,
                                    scratch->entry.id, &number))
            continue;
        series_set_label(layout, &entity->series, number, label ? LABEL_POSITIVE : LABEL_NEGATIVE);
        reached = reached || series_in_reach(layout, &entity->series, number);
    }
    release(store, &held);
    if (store->online)
        shared_label(scratch, label);
    return reached ? STATUS_OK : STATUS_NOT_FOUND;
}

void feature_store_clear(struct feature_store *store)
{
    for (size_t i = 0; i < store->n_shards; i++) {
        lock_take(&store->shards[i].lock);
        shard_clear(&store->shards[i], store->layouts);
        lock_release(&store->shards[i].lock);
    }
    atomic_store(&store->newest_us, INT64_MIN);
}

void feature_store_usage(struct feature_store *store, struct feature_usage *usage)
{
    *usage = (struct feature_usage){
        .max_bytes = store->max_bytes,
        .newest_us = atomic_load(&store->newest_us),
    };
    for (size_t i = 0; i < store->n_shards; i++) {
        struct shard *shard = &store->shards[i];
        lock_take(&shard->lock);
        usage->entities += shard->n;
        usage->entries += shard->entries;
        usage->bytes += shard->bytes;
        usage->late += shard->late;
        usage->too_late += shard->too_late;
        usage->evicted += shard->evicted;
        usage->expired += shard->expired;
        lock_release(&shard->lock);
    }
    if (store->online)
        online_usage(store->online, usage);
}
