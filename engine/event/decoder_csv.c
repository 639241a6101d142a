/* CSV records (RFC 4180) into events. The header says which column is which field; every cell is
 * text and is read as its field's type. A record is one line: a quoted line break inside a cell is
 * not supported, the record is quarantined. Runs on the thread that carries the batch. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/base/csv.h"
#include "engine/base/yaml.h"
#include "engine/event/decoder_priv.h"
#include "engine/base/utf8.h"

#define MAX_COLUMNS 4096

void csv_layout_free(struct csv_layout *layout)
{
    free(layout->header);
    free(layout->fields);
    free(layout->cells);
    *layout = (struct csv_layout){0};
}

/* The column whose name looks most like the one that is missing, as " (is it \"x\"?)" or "". */
static void suggest(const char *name, const struct csv_layout *layout, char *out, size_t size)
{
    const char *nearest = NULL;
    char **words = calloc((size_t)layout->n_columns, sizeof *words);
    out[0] = '\0';
    if (!words)
        return;
    for (int i = 0; i < layout->n_columns; i++) {
        struct slice cell = slice_trim(layout->cells[i]);
        words[i] = strndup(cell.data ? cell.data : "", cell.size);
        if (!words[i])
            goto out;
    }
    nearest = nearest_word(name, (const char *const *)words, (size_t)layout->n_columns);
    if (nearest)
        (void)snprintf(out, size, " (the nearest there is \"%s\")", nearest);
out:
    for (int i = 0; i < layout->n_columns; i++)
        free(words[i]);
    free(words);
}

static enum status map_columns(struct decoder *decoder, struct csv_layout *layout,
                               struct error *error)
{
    bool found[MAX_FIELDS] = {false};
    decoder->expected = 0;
    for (int i = 0; i < layout->n_columns; i++) {
        int field = decoder_field(decoder, slice_trim(layout->cells[i]));
        layout->fields[i] = (int16_t)field;
        if (field < 0)
            continue;
        if (found[field])
            return error_set(error, STATUS_INVALID, "CSV header: column \"%s\" is there twice",
                             decoder->schema->fields[field].name);
        found[field] = true;
    }
    for (size_t i = 0; i < decoder->schema->n_fields; i++) {
        const struct field *field = &decoder->schema->fields[i];
        char hint[128];
        if (found[i] || !field->required)
            continue;
        suggest(field->name, layout, hint, sizeof hint);
        return error_set(error, STATUS_INVALID, "CSV header: column \"%s\" is missing%s",
                         field->name, hint);
    }
    return STATUS_OK;
}

static bool layout_allocate(struct csv_layout *layout, struct slice header)
{
    size_t columns = 1;
    for (size_t i = 0; i < header.size; i++)
        columns += header.data[i] == ',';
    if (columns > MAX_COLUMNS)
        columns = MAX_COLUMNS;
    layout->header_size = header.size;
    layout->header = malloc(header.size + 1);
    layout->fields = calloc(columns + 1, sizeof *layout->fields);
    layout->cells = calloc(columns + 1, sizeof *layout->cells);
    if (!layout->header || !layout->fields || !layout->cells)
        return false;
    if (header.size > 0)
        memcpy(layout->header, header.data, header.size);
    layout->n_columns = (int)columns;
    return true;
}

enum status csv_layout_read(struct decoder *decoder, struct slice header, struct csv_layout *layout,
                            struct error *error)
{
    csv_layout_free(layout);
    while (header.size > 0 && header.data[header.size - 1] == '\r')
        header.size--;
    enum status status = STATUS_OK;
    if (header.size > MAX_EVENT_BYTES)
        return error_set(error, STATUS_INVALID, "CSV header: longer than %zu bytes",
                         MAX_EVENT_BYTES);
    if (!layout_allocate(layout, header)) {
        csv_layout_free(layout);
        return error_set(error, STATUS_MEMORY, "no memory for a CSV header");
    }
    buffer_reset(&decoder->scratch);
    int columns = csv_split(slice_make(layout->header, header.size), layout->cells,
                            layout->n_columns, &decoder->scratch);
    if (columns <= 0 || columns > layout->n_columns)
        status = error_set(error, STATUS_INVALID,
                           columns < 0 ? "CSV header: a quote is left open"
                                       : "CSV header: not 1 to %d columns",
                           MAX_COLUMNS);
    if (status == STATUS_OK) {
        layout->n_columns = columns;
        status = map_columns(decoder, layout, error);
    }
    if (status != STATUS_OK)
        csv_layout_free(layout);
    return status;
}

enum status decoder_csv_header(struct decoder *decoder, struct slice header, struct error *error)
{
    return csv_layout_read(decoder, header, &decoder->layout, error);
}

static bool is_word(struct slice text, const char *word)
{
    return text.size == strlen(word) && strncasecmp(text.data, word, text.size) == 0;
}

static void put_bool(struct reading *reading, int field, struct slice cell)
{
    if (is_word(cell, "true") || slice_is(cell, "1"))
        value_set_bool(&reading->event->values[field], true);
    else if (is_word(cell, "false") || slice_is(cell, "0"))
        value_set_bool(&reading->event->values[field], false);
    else
        reading_refuse(reading, field, VIOLATION_TYPE);
}

/* JSON's grammar first, which is quick, then whatever else the C library reads ("+1", ".5"). */
static bool parse_number(struct slice cell, struct numeral *number)
{
    if (numeral_scan(cell, number) == cell.size)
        return true;
    number->exact = false;
    return number_parse(cell, &number->value);
}

static void put_string(struct reading *reading, int field, struct slice cell)
{
    const char *raw = reading->event->raw.data;
    bool borrowed = cell.data >= raw && cell.data < raw + reading->event->raw.size;
    if (borrowed || reading_keep(reading, field, cell, &cell)) /* scratch is for one record */
        value_set_string(&reading->event->values[field], cell);
}

static void put_cell(struct reading *reading, int field, struct slice cell)
{
    struct numeral number;
    if (!reading_see(reading, field))
        return;
    if (cell.size == 0) {
        reading_null(reading, field);
        return;
    }
    switch (reading->decoder->schema->fields[field].type) {
    case FIELD_STRING:
        if (utf8_is_valid(cell))
            put_string(reading, field, cell);
        else
            reading_refuse(reading, field, VIOLATION_NOT_UTF8);
        return;
    case FIELD_BOOL:
        put_bool(reading, field, cell);
        return;
    case FIELD_TIMESTAMP:
        /* A year alone is no date, so digits are an epoch; everything else is judged as text. */
        if (numeral_scan(cell, &number) == cell.size)
            reading_number(reading, field, &number);
        else
            reading_time(reading, field, cell);
        return;
    case FIELD_FLOAT:
    case FIELD_INT:
        if (parse_number(cell, &number))
            reading_number(reading, field, &number);
        else
            reading_refuse(reading, field, VIOLATION_TYPE);
        return;
    }
}

void csv_layout_decode(struct decoder *decoder, struct csv_layout *layout, struct slice raw,
                       struct arena *arena, struct event *event)
{
    struct reading reading = {decoder, arena, event};
    if (!reading_begin(&reading, raw))
        return;
    while (raw.size > 0 && (raw.data[raw.size - 1] == '\r' || raw.data[raw.size - 1] == '\n'))
        raw.size--;
    buffer_reset(&decoder->scratch);
    int cells = layout->header
                    ? csv_split(raw, layout->cells, layout->n_columns + 1, &decoder->scratch)
                    : -1;
    if (cells != layout->n_columns || decoder->scratch.overflow) {
        event_violate(event, VIOLATION_NOT_JSON, -1);
        return;
    }
    for (int i = 0; i < cells; i++)
        if (layout->fields[i] >= 0)
            put_cell(&reading, layout->fields[i], layout->cells[i]);
    reading_finish(&reading);
}

void decoder_csv(struct decoder *decoder, struct slice raw, struct arena *arena,
                 struct event *event)
{
    csv_layout_decode(decoder, &decoder->layout, raw, arena, event);
}
