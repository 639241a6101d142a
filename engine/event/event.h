/* One event between the stages. Filled by the decoder, judged by the contract, read by the rest. */
#ifndef BINNACLE_EVENT_EVENT_H
#define BINNACLE_EVENT_EVENT_H

#include <stdint.h>

#include "engine/base/slice.h"
#include "engine/base/value.h"
#include "engine/event/schema.h"

/* Why an event was not accepted. The codes are stable: metrics, exports and scripts use them. */
enum violation_code {
    VIOLATION_NOT_JSON, /* not one flat JSON object / not a CSV record of the header's width */
    VIOLATION_NOT_UTF8,
    VIOLATION_TOO_LONG,
    VIOLATION_DUPLICATE_KEY,
    VIOLATION_NESTED, /* an array or object where a scalar belongs */
    VIOLATION_MISSING,
    VIOLATION_NULL,
    VIOLATION_TYPE,
    VIOLATION_NOT_FINITE,
    VIOLATION_RANGE,
    VIOLATION_ENUM,
    VIOLATION_PATTERN,
    VIOLATION_LENGTH,
    VIOLATION_ULID,
    VIOLATION_TIMESTAMP,     /* not a time */
    VIOLATION_FUTURE,        /* later than the contract allows */
    VIOLATION_STEP,          /* in a replay: a jump beyond max_step */
    VIOLATION_TOO_LATE,      /* older than the longest window's horizon */
    VIOLATION_DUPLICATE_ID,  /* the id was used for other content within the uniqueness span */
    VIOLATION_UNKNOWN_FIELD, /* only when the contract says additional_fields: false */
    VIOLATION_CHECK,         /* a check expression was false */
    VIOLATION_CODES
};

/* "not_json", "missing", ... Never NULL. */
const char *violation_name(enum violation_code code);

struct violation {
    enum violation_code code;
    int field;         /* index in the schema; -1: the event as a whole */
    const char *check; /* VIOLATION_CHECK: the check's name, lives with the contract; else NULL */
};

#define MAX_VIOLATIONS 16

/* Where an event came from: a source and a place in it that only grows. */
struct position {
    int source;     /* index into the engine's table of sources; -1: none (HTTP) */
    int32_t part;   /* Kafka partition, else 0 */
    int64_t offset; /* of this event: Kafka offset, line number from 1 */
};

struct event {
    const struct schema *schema;
    struct value *values; /* schema->n_fields of them, by field index */
    struct slice raw;     /* the bytes as they came */
    struct position position;
    int64_t received_us; /* on the engine's clock */
    int64_t time_us;     /* event time; valid when accepted */
    struct violation violations[MAX_VIOLATIONS];
    int n_violations; /* 0: accepted so far */
};

/* Asks for the event's values: the steps of a batch meet them again when they have left the nearest
 * caches. VALUES_AHEAD events before they are read is enough. NULL is ignored. */
#define VALUES_AHEAD 8

static inline void event_prefetch(const struct event *event)
{
    size_t size = event ? event->schema->n_fields * sizeof *event->values : 0;
    for (size_t at = 0; at < size; at += 64)
        __builtin_prefetch((const char *)event->values + at);
}

/* Writes the violations as [{"field":NAME|null,"reason":...,"check":...}] under `key` (NULL in an
 * array or at the top). */
struct json_writer;
void event_violations_json(const struct event *event, struct json_writer *json, const char *key);

/* Adds a violation; those beyond MAX_VIOLATIONS are left out. */
void event_violate(struct event *event, enum violation_code code, int field);

#endif
