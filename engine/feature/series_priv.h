/* The remembered events of one entity and the running state of its windows. Private to
 * engine/feature; the caller holds the lock of the shard. */
#ifndef BINNACLE_FEATURE_SERIES_PRIV_H
#define BINNACLE_FEATURE_SERIES_PRIV_H

#include "engine/feature/counts_priv.h"
#include "engine/feature/views_priv.h"

/* How entries of a stream lie in memory: time, [id and label], values, hashes; 8 bytes each. */
struct series_layout {
    const struct stream *stream;
    struct pool *pool; /* of the store: all memory of all series is from it */
    size_t stride, value_at, hash_at;
    bool ids;
    int64_t
        keep_us; /* entries older than the newest by this or more are dropped; INT64_MAX: none */
};

/* Entries are numbered from the first ever on, modulo 2^32. */
struct series {
    unsigned char *ring;
    unsigned char *states;
    uint32_t first, n;
    uint32_t capacity; /* power of two, or 0 */
    size_t bytes;      /* of all memory behind this */
    /* Times of the first and the last entry, while there is one: reading them from the ring would
     * be a wait for memory. */
    int64_t oldest_us, newest_us;
};

/* An entry on its way in. */
struct entry {
    int64_t time_us;
    uint64_t id;            /* hash of the event's id, its two low bits are the label's */
    const double *columns;  /* by column of the views; NaN: missing */
    const uint64_t *hashes; /* by field; 0: missing */
};

enum { LABEL_UNKNOWN, LABEL_NEGATIVE, LABEL_POSITIVE, LABEL_MASK = 3 };

void series_layout_init(struct series_layout *layout, const struct stream *stream,
                        struct pool *pool, bool ids, int64_t lateness_us);

/* `states` is zeroed memory of stream->states_size bytes that lives as long as the series. */
void series_init(const struct series_layout *layout, struct series *series, unsigned char *states);
void series_free(const struct series_layout *layout, struct series *series);

static inline void *series_entry(const struct series_layout *layout, const struct series *series,
                                 uint32_t number)
{
    return series->ring + (size_t)(number & (series->capacity - 1)) * layout->stride;
}

static inline int64_t series_time(const struct series_layout *layout, const struct series *series,
                                  uint32_t number)
{
    return *(const int64_t *)series_entry(layout, series, number);
}

/* Asks for the memory that an entry of this time will need. */
void series_prefetch(const struct series_layout *layout, const struct series *series,
                     int64_t time_us);
/* Puts the entry behind all of its time or earlier and gives its number. False: out of memory,
 * and the series is only good for series_free(). */
bool series_insert(const struct series_layout *layout, struct series *series,
                   const struct entry *entry, uint32_t *number);
/* An entry as bytes of layout->stride, and back: `columns` and `hashes` take what the stream has.
 */
void series_write(const struct series_layout *layout, const struct entry *entry, void *bytes);
void series_read(const struct series_layout *layout, const void *bytes, double *columns,
                 uint64_t *hashes, struct entry *entry);
/* Making a series again from its entries: room for n of them, which the caller writes by
 * series_entry() from number 0 on and counts in series->n; then the states. False: out of
 * memory. */
bool series_reserve(const struct series_layout *layout, struct series *series, uint32_t n);
bool series_restore(const struct series_layout *layout, struct series *series);
/* The entry with this time and id, ids being kept. */
bool series_find(const struct series_layout *layout, const struct series *series, int64_t time_us,
                 uint64_t id, uint32_t *number);
void series_set_label(const struct series_layout *layout, struct series *series, uint32_t number,
                      unsigned label);
/* Whether a span has the entry in it or ahead of it. */
bool series_in_reach(const struct series_layout *layout, const struct series *series,
                     uint32_t number);

/* What every window of the stream is at entry `number`, into `outputs` by its plan: NaN where
 * missing or out of memory. From the running states where the entry is the newest, else by looking
 * at the window. */
void series_features(const struct series_layout *layout, const struct series *series,
                     uint32_t number, struct counts *scratch, double *outputs);
/* The same of the newest entry by the running states, and of one window by looking at it. */
void running_features(const struct series_layout *layout, const struct series *series,
                      struct counts *scratch, double *outputs);
void looked_feature(const struct series_layout *layout, const struct series *series,
                    const struct window_plan *plan, uint32_t number, struct counts *scratch,
                    double *out);

#endif
