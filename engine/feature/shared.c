/* Between the store and the online store: what one event has to tell about its entities, and how
 * what others told gets into the series here. Every record is applied once, in Redis's order, up to
 * this event's own; an entry that is already there (sent twice, or kept here while Redis was away)
 * is known by time and id. Worker threads. */
#include <string.h>

#include "engine/feature/store_priv.h"

/* What a label record holds; the id has the label in it. */
struct label_record {
    int64_t time_us;
    uint64_t id;
};

static unsigned char *record_of(const struct feature_scratch *scratch, uint32_t stream)
{
    return scratch->records + stream * scratch->record_size;
}

static struct log_place seen_place(const struct feature_store *store, uint32_t stream,
                                   struct hash128 key)
{
    struct shard *shard = store_shard(store, key);
    lock_take(&shard->lock);
    const struct entity *entity = shard_find(shard, stream, key);
    struct log_place place = entity ? entity->seen : (struct log_place){0};
    lock_release(&shard->lock);
    return place;
}

void shared_exchange(struct feature_scratch *scratch, bool append)
{
    struct feature_store *store = scratch->store;
    scratch->n_requests = 0;
    for (uint32_t i = 0; i < store->views->n_streams; i++) {
        const struct series_layout *layout = &store->layouts[i];
        scratch->request_of[i] = -1;
        const struct event_key *key = &scratch->keys[i];
        if (!key->shard)
            continue;
        unsigned char *record = record_of(scratch, i);
        series_write(layout, &scratch->entry, record);
        scratch->request_of[i] = (int)scratch->n_requests;
        scratch->requests[scratch->n_requests++] =
            (struct online_request){.stream = i,
                                    .key = key->of,
                                    .after = seen_place(store, i, key->of),
                                    .kind = ONLINE_ENTRY,
                                    .record = append ? record : NULL,
                                    .size = layout->stride,
                                    .keep_us = layout->keep_us};
    }
    scratch->exchanged = scratch->n_requests > 0 &&
                         online_exchange(scratch->link, scratch->requests, scratch->n_requests);
}

static void apply_label(const struct series_layout *layout, struct series *series,
                        const struct online_record *record)
{
    struct label_record label;
    uint32_t number;
    if (record->size != sizeof label)
        return;
    memcpy(&label, record->data, sizeof label);
    if (series_find(layout, series, label.time_us, label.id, &number))
        series_set_label(layout, series, number, (unsigned)(label.id & LABEL_MASK));
}

static bool apply_entry(struct feature_store *store, struct shard *shard, struct entity *entity,
                        const struct online_record *record)
{
    const struct series_layout *layout = &store->layouts[entity->stream];
    double columns[MAX_COLUMNS];
    uint64_t hashes[MAX_FIELDS];
    struct entry entry;
    uint32_t number;
    if (record->size != layout->stride)
        return true;
    series_read(layout, record->data, columns, hashes, &entry);
    return series_find(layout, &entity->series, entry.time_us, entry.id, &number) ||
           shard_insert(shard, store->layouts, entity, &entry, &number);
}

static bool apply_log(struct feature_scratch *scratch, struct shard *shard, struct entity *entity)
{
    struct feature_store *store = scratch->store;
    size_t i = (size_t)scratch->request_of[entity->stream];
    const struct online_request *request = &scratch->requests[i];
    struct online_record record;
    if (place_before(entity->seen, request->after))
        return true; /* forgotten meanwhile: its whole log is read next time */
    while (online_next(scratch->link, i, &record)) {
        if (request->record && place_before(request->own, record.place))
            break;
        if (!place_before(entity->seen, record.place))
            continue;
        if (record.kind == ONLINE_LABEL)
            apply_label(&store->layouts[entity->stream], &entity->series, &record);
        else if (!apply_entry(store, shard, entity, &record))
            return false;
        entity->seen = record.place;
    }
    return true;
}

bool shared_insert(struct feature_scratch *scratch, struct shard *shard, struct entity *entity,
                   uint32_t *number)
{
    struct feature_store *store = scratch->store;
    const struct series_layout *layout = &store->layouts[entity->stream];
    struct online_request *request = &scratch->requests[scratch->request_of[entity->stream]];
    if (scratch->exchanged && !apply_log(scratch, shard, entity))
        return false;
    if (series_find(layout, &entity->series, scratch->entry.time_us, scratch->entry.id, number))
        return true;
    if (!request->record) { /* from the record, and Redis does not have it */
        struct online_request append = *request;
        append.record = record_of(scratch, entity->stream);
        online_append_later(store->online, &append);
    }
    return shard_insert(shard, store->layouts, entity, &scratch->entry, number);
}

void shared_label(struct feature_scratch *scratch, int label)
{
    struct feature_store *store = scratch->store;
    struct online_request requests[MAX_STREAMS];
    size_t n = 0;
    struct label_record record = {
        .time_us = scratch->entry.time_us,
        .id =
            (scratch->entry.id & ~(uint64_t)LABEL_MASK) | (label ? LABEL_POSITIVE : LABEL_NEGATIVE),
    };
    for (uint32_t i = 0; i < store->views->n_streams; i++)
        if (scratch->keys[i].shard && store->views->streams[i].labels)
            requests[n++] = (struct online_request){.stream = i,
                                                    .key = scratch->keys[i].of,
                                                    .kind = ONLINE_LABEL,
                                                    .record = &record,
                                                    .size = sizeof record,
                                                    .keep_us = store->layouts[i].keep_us,
                                                    .skip_read = true};
    if (n > 0)
        (void)online_exchange(scratch->link, requests, n);
}
