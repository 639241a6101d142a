/* Words for value types. */
#include "engine/base/value.h"

const char *value_type_name(enum value_type type)
{
    switch (type) {
    case VALUE_NULL:
        return "null";
    case VALUE_NUMBER:
        return "number";
    case VALUE_BOOL:
        return "bool";
    case VALUE_STRING:
        return "string";
    case VALUE_TIME:
        return "time";
    }
    return "unknown";
}
