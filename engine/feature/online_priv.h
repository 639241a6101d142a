/* Entries shared between instances through Redis. Private to engine/feature. */
#ifndef BINNACLE_FEATURE_ONLINE_PRIV_H
#define BINNACLE_FEATURE_ONLINE_PRIV_H

#include "engine/base/log.h"
#include "engine/feature/shard_priv.h"

struct feature_usage;

struct online;      /* one per store; any thread */
struct online_link; /* one per scratch: its connection and the replies of the event in hand */

MUST_USE enum status online_create(const char *url, struct hash128 views, struct log *log,
                                   struct online **online, struct error *error);
void online_destroy(struct online *online);                    /* NULL is ignored */
struct online_link *online_link_create(struct online *online); /* NULL: out of memory */
void online_link_destroy(struct online_link *link);            /* NULL is ignored */
void online_usage(struct online *online, struct feature_usage *usage);

enum online_kind { ONLINE_ENTRY = 'e', ONLINE_LABEL = 'l' };

/* One entity's log in one exchange. */
struct online_request {
    uint32_t stream;
    struct hash128 key;
    struct log_place after; /* records behind this place are wanted */
    enum online_kind kind;
    const void *record; /* appended first; NULL: only read */
    size_t size;
    int64_t keep_us; /* records that came longer ago may go; INT64_MAX: none */
    bool skip_read;
    struct log_place own; /* out: where `record` now is */
};

/* One round trip for all of them. False: Redis is not there (for as long as it was given time, or
 * it is not yet due to be asked again); what was to be appended waits and will be sent when it is
 * back. Holds no lock while it waits. */
bool online_exchange(struct online_link *link, struct online_request *requests, size_t n);
/* Appends when there is an occasion. */
void online_append_later(struct online *online, const struct online_request *request);

/* What request i of the last exchange read, in order. False: no more. */
struct online_record {
    struct log_place place;
    enum online_kind kind;
    const void *data;
    size_t size;
};
bool online_next(struct online_link *link, size_t i, struct online_record *record);

static inline bool place_before(struct log_place a, struct log_place b)
{
    return a.ms < b.ms || (a.ms == b.ms && a.sequence < b.sequence);
}

#endif
