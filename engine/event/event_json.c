/* The canonical JSON of an accepted event: what the ledger stores and hashes, so equal events give
 * equal bytes. On the hot path: no formatting by the C library for what transactions hold. */
#include <math.h>

#include "engine/base/clock.h"
#include "engine/base/json.h"
#include "engine/base/plain.h"
#include "engine/event/decoder.h"
#include "engine/event/numeral.h"

static const char hex_digits[] = "0123456789abcdef";

/* RFC 8259, section 7: quote, backslash and what is below U+0020. */
static bool needs_escape(unsigned char byte)
{
    return byte < 0x20 || byte == '"' || byte == '\\';
}

static char *write_escape(unsigned char byte, char *out)
{
    static const char letters[0x20] = {
        ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
    *out++ = '\\';
    if (byte >= 0x20) {
        *out++ = (char)byte;
    } else if (letters[byte]) {
        *out++ = letters[byte];
    } else {
        memcpy(out, "u00", 3);
        out[3] = hex_digits[byte >> 4];
        out[4] = hex_digits[byte & 15];
        out += 5;
    }
    return out;
}

#define MAX_ESCAPED 6 /* bytes that one byte of text may become */

static char *write_string(struct slice text, char *out)
{
    const char *at = text.data, *end = text.data + text.size;
    *out++ = '"';
    while (at < end) {
        const char *stop = plain_end(at, end);
        memcpy(out, at, (size_t)(stop - at));
        out += stop - at;
        for (at = stop; at < end && !is_plain(*at); at++) {
            if (needs_escape((unsigned char)*at))
                out = write_escape((unsigned char)*at, out);
            else
                *out++ = *at;
        }
    }
    *out++ = '"';
    return out;
}

static char *write_time(int64_t time_us, char *out)
{
    *out++ = '"';
    out = time_write(time_us, out); /* the room is that of TIME_TEXT_SIZE */
    *out++ = '"';
    return out;
}

static char *write_words(const char *words, char *out)
{
    size_t size = strlen(words);
    memcpy(out, words, size);
    return out + size;
}

static char *write_value(const struct value *value, char *out)
{
    switch (value->type) {
    case VALUE_STRING:
        return write_string(value->string, out);
    case VALUE_NUMBER:
        return isfinite(value->number) ? numeral_write(value->number, out)
                                       : write_words("null", out);
    case VALUE_TIME:
        return write_time(value->time_us, out);
    case VALUE_BOOL:
        return write_words(value->boolean ? "true" : "false", out);
    case VALUE_NULL:
        break;
    }
    return write_words("null", out);
}

static struct value value_of(const struct event *event, const struct slice *replacements,
                             size_t field)
{
    const struct value *value = &event->values[field];
    if (replacements && event->schema->fields[field].pii && value->type != VALUE_NULL)
        return value_string(replacements[field]);
    return *value;
}

void event_json(const struct event *event, const struct slice *replacements, struct buffer *out)
{
    const struct schema *schema = event->schema;
    char before = '{';
    for (size_t i = 0; i < schema->n_fields; i++) {
        const struct field *field = &schema->fields[i];
        struct value value = value_of(event, replacements, i);
        if (value.type == VALUE_NULL && !field->nullable)
            continue;
        size_t name_size = strlen(field->name);
        size_t value_size = value.type == VALUE_STRING ? MAX_ESCAPED * value.string.size + 2
                                                       : NUMBER_TEXT_SIZE + TIME_TEXT_SIZE;
        char *at = buffer_room(out, name_size + value_size + 4);
        if (!at)
            return;
        char *first = at;
        *at++ = before;
        *at++ = '"';
        memcpy(at, field->name, name_size);
        at += name_size;
        *at++ = '"';
        *at++ = ':';
        at = write_value(&value, at);
        out->size += (size_t)(at - first);
        before = ',';
    }
    if (before == '{')
        buffer_append_char(out, '{');
    buffer_append_char(out, '}');
}

void event_violations_json(const struct event *event, struct json_writer *json, const char *key)
{
    json_array(json, key);
    for (int i = 0; i < event->n_violations; i++) {
        const struct violation *violation = &event->violations[i];
        bool named = violation->field >= 0 && (size_t)violation->field < event->schema->n_fields;
        json_object(json, NULL);
        json_text(json, "field", named ? event->schema->fields[violation->field].name : NULL);
        json_text(json, "reason", violation_name(violation->code));
        if (violation->check)
            json_text(json, "check", violation->check);
        json_object_end(json);
    }
    json_array_end(json);
}
