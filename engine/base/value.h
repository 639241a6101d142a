/* One field's value as it passes from decoding to contract, features, rules and the record. */
#ifndef BINNACLE_BASE_VALUE_H
#define BINNACLE_BASE_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/slice.h"

enum value_type {
    VALUE_NULL = 0, /* missing: JSON null, absent, or an empty CSV cell */
    VALUE_NUMBER,   /* IEEE double; integers are exact up to 2^53 and refused beyond */
    VALUE_BOOL,
    VALUE_STRING, /* UTF-8, borrowed from the event's bytes or its arena */
    VALUE_TIME,   /* microseconds since 1970-01-01T00:00:00Z */
};

struct value {
    enum value_type type;
    uint32_t word; /* a text's number among those its field may have, from 1; 0: not known */
    union {
        double number;
        bool boolean;
        struct slice string;
        int64_t time_us;
    };
};

static inline struct value value_null(void)
{
    return (struct value){.type = VALUE_NULL};
}

static inline struct value value_number(double number)
{
    return (struct value){.type = VALUE_NUMBER, .number = number};
}

static inline struct value value_bool(bool boolean)
{
    return (struct value){.type = VALUE_BOOL, .boolean = boolean};
}

static inline struct value value_string(struct slice string)
{
    return (struct value){.type = VALUE_STRING, .string = string};
}

static inline struct value value_time(int64_t time_us)
{
    return (struct value){.type = VALUE_TIME, .time_us = time_us};
}

/* The same in place. On the hot path a value that is made elsewhere and copied costs a stall: it is
 * written in small pieces, and reading it back as a whole has to wait for them. */
static inline void value_set_null(struct value *value)
{
    value->type = VALUE_NULL;
}

static inline void value_set_number(struct value *value, double number)
{
    value->type = VALUE_NUMBER;
    value->number = number;
}

static inline void value_set_bool(struct value *value, bool boolean)
{
    value->type = VALUE_BOOL;
    value->boolean = boolean;
}

static inline void value_set_string(struct value *value, struct slice string)
{
    value->type = VALUE_STRING;
    value->word = 0;
    value->string.data = string.data;
    value->string.size = string.size;
}

static inline void value_set_time(struct value *value, int64_t time_us)
{
    value->type = VALUE_TIME;
    value->time_us = time_us;
}

/* "null", "number", "bool", "string", "time": the words of error messages. Never NULL. */
const char *value_type_name(enum value_type type);

#endif
