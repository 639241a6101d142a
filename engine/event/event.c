/* Violations of an event and their stable names. */
#include "engine/event/event.h"

#include <stddef.h>

static const char *const violation_names[VIOLATION_CODES] = {
    [VIOLATION_NOT_JSON] = "not_json",
    [VIOLATION_NOT_UTF8] = "not_utf8",
    [VIOLATION_TOO_LONG] = "too_long",
    [VIOLATION_DUPLICATE_KEY] = "duplicate_key",
    [VIOLATION_NESTED] = "nested",
    [VIOLATION_MISSING] = "missing",
    [VIOLATION_NULL] = "null",
    [VIOLATION_TYPE] = "type",
    [VIOLATION_NOT_FINITE] = "not_finite",
    [VIOLATION_RANGE] = "range",
    [VIOLATION_ENUM] = "enum",
    [VIOLATION_PATTERN] = "pattern",
    [VIOLATION_LENGTH] = "length",
    [VIOLATION_ULID] = "ulid",
    [VIOLATION_TIMESTAMP] = "timestamp",
    [VIOLATION_FUTURE] = "future",
    [VIOLATION_STEP] = "step",
    [VIOLATION_TOO_LATE] = "too_late",
    [VIOLATION_DUPLICATE_ID] = "duplicate_id",
    [VIOLATION_UNKNOWN_FIELD] = "unknown_field",
    [VIOLATION_CHECK] = "check",
};

const char *violation_name(enum violation_code code)
{
    if ((unsigned)code >= VIOLATION_CODES)
        return "unknown";
    return violation_names[code];
}

void event_violate(struct event *event, enum violation_code code, int field)
{
    if (event->n_violations >= MAX_VIOLATIONS)
        return;
    event->violations[event->n_violations++] = (struct violation){.code = code, .field = field};
}
