/* What the JSON and the CSV half of the decoder share. Private to engine/event. */
#ifndef BINNACLE_EVENT_DECODER_PRIV_H
#define BINNACLE_EVENT_DECODER_PRIV_H

#include <stdint.h>

#include "engine/event/decoder.h"
#include "engine/event/numeral.h"

/* The columns of one CSV header. */
struct csv_layout {
    char *header; /* as it came, header_size bytes */
    size_t header_size;
    int n_columns;
    int16_t *fields;     /* by column: field index, -1 for a column of no field */
    struct slice *cells; /* n_columns + 1 of them: one more shows a record that is too wide */
};

#define SEEN_WORDS (MAX_FIELDS / 64)

struct decoder {
    unsigned magic;
    const struct schema *schema;
    bool additional_fields;
    size_t expected;     /* the field that would come next if members are in schema order */
    struct slice *names; /* by field index */
    struct slice *keys;  /* the names with quote and colon behind; empty where there is an escape */
    char *key_bytes;
    int16_t *table; /* open addressing by hash of the name; -1: free */
    size_t table_mask;
    uint64_t required[SEEN_WORDS];  /* fields that must come, a bit each */
    uint64_t seen[SEEN_WORDS];      /* fields met in this event, likewise */
    struct csv_layout layout;       /* of the running source */
    struct csv_layout retry_layout; /* of the last document that was retried */
    struct buffer scratch;          /* unquoted cells of one record */
};

/* One event being decoded. */
struct reading {
    struct decoder *decoder;
    struct arena *arena;
    struct event *event;
};

/* Starts with every value null and nothing seen; false when there is no point in going on. */
bool reading_begin(struct reading *reading, struct slice raw);
/* Adds MISSING for required fields that did not come and takes the event's time. */
void reading_finish(struct reading *reading);
/* Field index by name, -1: none. */
int decoder_field(struct decoder *decoder, struct slice name);
/* A field that was met before. */
void reading_repeated(struct reading *reading, int field);
/* Marks the field as met; false (and a violation) when it was before. */
static inline bool reading_see(struct reading *reading, int field)
{
    uint64_t *word = &reading->decoder->seen[field / 64], bit = UINT64_C(1) << (field % 64);
    bool before = *word & bit;
    *word |= bit;
    if (before)
        reading_repeated(reading, field);
    return !before;
}
/* A copy in the arena; false (and TOO_LONG) when that is full. */
bool reading_keep(struct reading *reading, int field, struct slice text, struct slice *kept);

/* Put a value into a field that was seen; what does not suit its type becomes a violation. */
void reading_refuse(struct reading *reading, int field, enum violation_code code);
void reading_null(struct reading *reading, int field);
void reading_number(struct reading *reading, int field, const struct numeral *number);
void reading_time(struct reading *reading, int field, struct slice text);

void csv_layout_free(struct csv_layout *layout);
MUST_USE enum status csv_layout_read(struct decoder *decoder, struct slice header,
                                     struct csv_layout *layout, struct error *error);
void csv_layout_decode(struct decoder *decoder, struct csv_layout *layout, struct slice raw,
                       struct arena *arena, struct event *event);

#endif
