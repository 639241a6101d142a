/* Looking up fields and naming their types. Off the hot path: decoders keep their own index. */
#include "engine/event/schema.h"

#include <string.h>

int schema_find(const struct schema *schema, const char *name)
{
    for (size_t i = 0; i < schema->n_fields; i++)
        if (strcmp(schema->fields[i].name, name) == 0)
            return (int)i;
    return -1;
}

const char *field_type_name(enum field_type type)
{
    switch (type) {
    case FIELD_STRING:
        return "string";
    case FIELD_FLOAT:
        return "float";
    case FIELD_INT:
        return "int";
    case FIELD_BOOL:
        return "bool";
    case FIELD_TIMESTAMP:
        return "timestamp";
    }
    return "unknown";
}
