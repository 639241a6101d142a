/* What an event looks like: named, typed fields. Made from a contract, read by every stage. */
#ifndef BINNACLE_EVENT_SCHEMA_H
#define BINNACLE_EVENT_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>

enum field_type { FIELD_STRING, FIELD_FLOAT, FIELD_INT, FIELD_BOOL, FIELD_TIMESTAMP };

struct field {
    const char *name;
    enum field_type type;
    bool required; /* must be present, though it may be null when nullable */
    bool nullable;
    bool pii; /* enters the record only as a keyed pseudonym */
};

#define MAX_FIELDS 256

/* Immutable; lives as long as the contract it came from. Field roles are indices, -1 if absent. */
struct schema {
    const char *name;    /* "transactions" */
    const char *version; /* "1" */
    const struct field *fields;
    size_t n_fields;
    int id;     /* event_id: always present */
    int time;   /* event_ts: always present */
    int label;  /* -1 when the contract has none */
    int entity; /* whose traffic is kept together: sticky routing, sharding, pseudonym */
};

/* -1 when there is no such field. */
int schema_find(const struct schema *schema, const char *name);
/* "string", "float", "int", "bool", "timestamp". */
const char *field_type_name(enum field_type type);

#endif
