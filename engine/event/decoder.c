/* The decoder's common half: finding fields by name, putting values into typed fields, judging
 * absence. A look-up expects members in schema order, where it costs one comparison, and falls
 * back to a hash table. One decoder serves one thread; per event it allocates from the arena only.
 */
#include "engine/event/decoder.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/base/hash.h"
#include "engine/base/plain.h"
#include "engine/event/decoder_priv.h"

#define DECODER_MAGIC 0xDEC0DE01u

static size_t home_of(const struct decoder *decoder, struct slice name)
{
    return (size_t)hash64(name.data, name.size, 0) & decoder->table_mask;
}

static void index_names(struct decoder *decoder)
{
    memset(decoder->table, -1, (decoder->table_mask + 1) * sizeof *decoder->table);
    for (size_t i = 0; i < decoder->schema->n_fields; i++) {
        decoder->names[i] = slice_of(decoder->schema->fields[i].name);
        if (decoder->schema->fields[i].required)
            decoder->required[i / 64] |= UINT64_C(1) << (i % 64);
        size_t slot = home_of(decoder, decoder->names[i]);
        while (decoder->table[slot] >= 0)
            slot = (slot + 1) & decoder->table_mask;
        decoder->table[slot] = (int16_t)i;
    }
}

static bool is_plain_text(struct slice text)
{
    return plain_end(text.data, text.data + text.size) == text.data + text.size;
}

/* Each name as JSON has it from behind its opening quote to its colon. */
static bool write_keys(struct decoder *decoder)
{
    size_t n_fields = decoder->schema->n_fields, bytes = 0;
    for (size_t i = 0; i < n_fields; i++)
        bytes += decoder->names[i].size + 2;
    decoder->keys = calloc(n_fields, sizeof *decoder->keys);
    decoder->key_bytes = malloc(bytes);
    if (!decoder->keys || !decoder->key_bytes)
        return false;
    char *at = decoder->key_bytes;
    for (size_t i = 0; i < n_fields; i++) {
        struct slice name = decoder->names[i];
        if (!is_plain_text(name))
            continue;
        memcpy(at, name.data, name.size);
        memcpy(at + name.size, "\":", 2);
        decoder->keys[i] = slice_make(at, name.size + 2);
        at += name.size + 2;
    }
    return true;
}

enum status decoder_create(const struct schema *schema, bool additional_fields,
                           struct decoder **out, struct error *error)
{
    *out = NULL;
    if (schema->n_fields == 0 || schema->n_fields > MAX_FIELDS)
        return error_set(error, STATUS_INVALID, "a schema holds 1 to %d fields, not %zu",
                         MAX_FIELDS, schema->n_fields);
    size_t slots = 4;
    while (slots < 4 * schema->n_fields)
        slots *= 2;
    struct decoder *decoder = calloc(1, sizeof *decoder);
    if (!decoder)
        return error_set(error, STATUS_MEMORY, "no memory for a decoder");
    decoder->magic = DECODER_MAGIC;
    decoder->schema = schema;
    decoder->additional_fields = additional_fields;
    decoder->table_mask = slots - 1;
    buffer_init(&decoder->scratch, MAX_EVENT_BYTES);
    decoder->names = calloc(schema->n_fields, sizeof *decoder->names);
    decoder->table = calloc(slots, sizeof *decoder->table);
    if (!decoder->names || !decoder->table) {
        decoder_destroy(decoder);
        return error_set(error, STATUS_MEMORY, "no memory for a decoder");
    }
    index_names(decoder);
    if (!write_keys(decoder)) {
        decoder_destroy(decoder);
        return error_set(error, STATUS_MEMORY, "no memory for a decoder");
    }
    *out = decoder;
    return STATUS_OK;
}

void decoder_destroy(struct decoder *decoder)
{
    if (!decoder)
        return;
    assert(decoder->magic == DECODER_MAGIC);
    decoder->magic = 0;
    csv_layout_free(&decoder->layout);
    csv_layout_free(&decoder->retry_layout);
    buffer_free(&decoder->scratch);
    free(decoder->key_bytes);
    free(decoder->keys);
    free(decoder->names);
    free(decoder->table);
    free(decoder);
}

int decoder_field(struct decoder *decoder, struct slice name)
{
    size_t expected = decoder->expected;
    if (expected < decoder->schema->n_fields && slice_equal(decoder->names[expected], name)) {
        decoder->expected = expected + 1;
        return (int)expected;
    }
    size_t slot = home_of(decoder, name);
    while (decoder->table[slot] >= 0) {
        int field = decoder->table[slot];
        if (slice_equal(decoder->names[field], name)) {
            decoder->expected = (size_t)field + 1;
            return field;
        }
        slot = (slot + 1) & decoder->table_mask;
    }
    return -1;
}

bool reading_begin(struct reading *reading, struct slice raw)
{
    struct decoder *decoder = reading->decoder;
    struct event *event = reading->event;
    assert(decoder->magic == DECODER_MAGIC);
    size_t n_fields = decoder->schema->n_fields;
    event->schema = decoder->schema;
    event->raw = raw;
    event->time_us = 0;
    event->n_violations = 0;
    decoder->expected = 0;
    memset(decoder->seen, 0, sizeof decoder->seen);
    if (!event->values)
        event->values = arena_alloc(reading->arena, n_fields * sizeof *event->values);
    if (event->values)
        memset(event->values, 0, n_fields * sizeof *event->values);
    if (!event->values || raw.size > MAX_EVENT_BYTES) {
        event_violate(event, VIOLATION_TOO_LONG, -1);
        return false;
    }
    return true;
}

static void note_missing(struct reading *reading, size_t word, uint64_t missing)
{
    for (; missing; missing &= missing - 1)
        event_violate(reading->event, VIOLATION_MISSING,
                      (int)(64 * word + (size_t)__builtin_ctzll(missing)));
}

void reading_finish(struct reading *reading)
{
    const struct schema *schema = reading->decoder->schema;
    const struct decoder *decoder = reading->decoder;
    for (size_t i = 0; i < SEEN_WORDS; i++)
        note_missing(reading, i, decoder->required[i] & ~decoder->seen[i]);
    if (schema->time >= 0 && reading->event->values[schema->time].type == VALUE_TIME)
        reading->event->time_us = reading->event->values[schema->time].time_us;
}

void reading_repeated(struct reading *reading, int field)
{
    event_violate(reading->event, VIOLATION_DUPLICATE_KEY, field);
}

bool reading_keep(struct reading *reading, int field, struct slice text, struct slice *kept)
{
    char *copy = arena_alloc(reading->arena, text.size > 0 ? text.size : 1);
    if (!copy) {
        event_violate(reading->event, VIOLATION_TOO_LONG, field);
        return false;
    }
    if (text.size > 0)
        memcpy(copy, text.data, text.size);
    *kept = slice_make(copy, text.size);
    return true;
}

void reading_refuse(struct reading *reading, int field, enum violation_code code)
{
    event_violate(reading->event, code, field);
    value_set_null(&reading->event->values[field]);
}

void reading_null(struct reading *reading, int field)
{
    if (!reading->decoder->schema->fields[field].nullable)
        event_violate(reading->event, VIOLATION_NULL, field);
}

static void put_int(struct reading *reading, int field, const struct numeral *number)
{
    if (numeral_is_integer(number))
        value_set_number(&reading->event->values[field], number->value + 0.0); /* no minus zero */
    else
        reading_refuse(reading, field,
                       number->value == rint(number->value) ? VIOLATION_RANGE : VIOLATION_TYPE);
}

void reading_number(struct reading *reading, int field, const struct numeral *number)
{
    int64_t time_us;
    if (!isfinite(number->value)) {
        reading_refuse(reading, field, VIOLATION_NOT_FINITE);
        return;
    }
    switch (reading->decoder->schema->fields[field].type) {
    case FIELD_FLOAT:
        value_set_number(&reading->event->values[field], number->value);
        return;
    case FIELD_INT:
        put_int(reading, field, number);
        return;
    case FIELD_TIMESTAMP:
        if (time_from_epoch(number->value, &time_us))
            value_set_time(&reading->event->values[field], time_us);
        else
            reading_refuse(reading, field, VIOLATION_TIMESTAMP);
        return;
    case FIELD_STRING:
    case FIELD_BOOL:
        break;
    }
    reading_refuse(reading, field, VIOLATION_TYPE);
}

void reading_time(struct reading *reading, int field, struct slice text)
{
    int64_t time_us;
    if (time_parse(text, &time_us))
        value_set_time(&reading->event->values[field], time_us);
    else
        reading_refuse(reading, field, VIOLATION_TIMESTAMP);
}

void decoder_document(const struct decoder *decoder, enum event_format format, struct slice raw,
                      struct buffer *out)
{
    if (format == FORMAT_CSV) {
        buffer_append(out, decoder->layout.header, decoder->layout.header_size);
        buffer_append_char(out, '\n');
    }
    buffer_append_slice(out, raw);
}

static bool is_csv_document(struct slice document, size_t *header_size)
{
    struct slice text = slice_trim(document);
    if (text.size == 0 || text.data[0] == '{' || text.data[0] == '[')
        return false;
    const char *newline = memchr(document.data, '\n', document.size);
    if (!newline)
        return false;
    *header_size = (size_t)(newline - document.data);
    return true;
}

/* The layout of this header, read anew only when it is another one than the last. */
static bool retry_layout(struct decoder *decoder, struct slice header)
{
    struct csv_layout *layout = &decoder->retry_layout;
    if (layout->header && slice_equal(slice_make(layout->header, layout->header_size), header))
        return true;
    return csv_layout_read(decoder, header, layout, NULL) == STATUS_OK;
}

void decoder_retry(struct decoder *decoder, struct slice document, struct arena *arena,
                   struct event *event)
{
    size_t header_size;
    if (!is_csv_document(document, &header_size)) {
        decoder_json(decoder, document, arena, event);
        return;
    }
    struct slice header = slice_make(document.data, header_size);
    struct slice record =
        slice_make(document.data + header_size + 1, document.size - header_size - 1);
    if (retry_layout(decoder, header)) {
        csv_layout_decode(decoder, &decoder->retry_layout, record, arena, event);
    } else {
        struct reading reading = {decoder, arena, event};
        if (reading_begin(&reading, record))
            event_violate(event, VIOLATION_NOT_JSON, -1);
    }
    event->raw = document;
}
