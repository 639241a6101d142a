/* The decoder on any bytes, as JSON and as CSV. Whether the text is JSON is judged by a second,
 * plain reading of RFC 8259 below; what it says is compared with cJSON; what is accepted must come
 * through the canonical form unchanged. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/json.h"
#include "engine/event/decoder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ID, AMOUNT, COUNT, OK_FLAG, TS, NOTE, FIELDS };

static const struct field fields[FIELDS] = {
    [ID] = {"id", FIELD_STRING, true, false, false},
    [AMOUNT] = {"amount", FIELD_FLOAT, false, false, false},
    [COUNT] = {"count", FIELD_INT, false, true, false},
    [OK_FLAG] = {"ok", FIELD_BOOL, false, false, false},
    [TS] = {"ts", FIELD_TIMESTAMP, false, false, false},
    [NOTE] = {"note", FIELD_STRING, false, true, true},
};
static const struct schema schema = {"t", "1", fields, FIELDS, ID, TS, COUNT, NOTE};

static void fail(const char *what)
{
    (void)fprintf(stderr, "decoder_fuzz: %s\n", what);
    abort();
}

/* ---- RFC 8259 once more, as plainly as can be ---- */

struct text {
    const char *at, *end;
};

static bool value(struct text *text, int depth);

static void space(struct text *text)
{
    while (text->at < text->end && strchr(" \t\r\n", *text->at) && *text->at)
        text->at++;
}

static bool is(struct text *text, char wanted)
{
    space(text);
    if (text->at == text->end || *text->at != wanted)
        return false;
    text->at++;
    return true;
}

static bool word(struct text *text, const char *wanted)
{
    size_t size = strlen(wanted);
    if ((size_t)(text->end - text->at) < size || strncmp(text->at, wanted, size) != 0)
        return false;
    text->at += size;
    return true;
}

static size_t digits(struct text *text)
{
    const char *first = text->at;
    while (text->at < text->end && *text->at >= '0' && *text->at <= '9')
        text->at++;
    return (size_t)(text->at - first);
}

static bool number(struct text *text)
{
    (void)word(text, "-");
    const char *first = text->at;
    size_t n = digits(text);
    if (n == 0 || (n > 1 && *first == '0'))
        return false;
    if (word(text, ".") && digits(text) == 0)
        return false;
    if (word(text, "e") || word(text, "E")) {
        (void)(word(text, "+") || word(text, "-"));
        return digits(text) > 0;
    }
    return true;
}

static bool string(struct text *text)
{
    if (!is(text, '"'))
        return false;
    for (;;) {
        if (text->at == text->end || (unsigned char)*text->at < 0x20)
            return false;
        char character = *text->at++;
        if (character == '"')
            return true;
        if (character != '\\')
            continue;
        if (text->at == text->end)
            return false;
        character = *text->at++;
        if (character == 'u') {
            for (int i = 0; i < 4; i++, text->at++)
                if (text->at == text->end || !*text->at ||
                    !strchr("0123456789abcdefABCDEF", *text->at))
                    return false;
        } else if (!character || !strchr("\"\\/bfnrt", character)) {
            return false;
        }
    }
}

static bool members(struct text *text, int depth)
{
    if (is(text, '}'))
        return true;
    do {
        if (!string(text) || !is(text, ':') || !value(text, depth))
            return false;
    } while (is(text, ','));
    return is(text, '}');
}

static bool items(struct text *text, int depth)
{
    if (is(text, ']'))
        return true;
    do {
        if (!value(text, depth))
            return false;
    } while (is(text, ','));
    return is(text, ']');
}

static bool value(struct text *text, int depth)
{
    space(text);
    if (text->at == text->end)
        return false;
    if (*text->at == '"')
        return string(text);
    if (is(text, '{'))
        return depth > 1 && members(text, depth - 1);
    if (is(text, '['))
        return depth > 1 && items(text, depth - 1);
    return word(text, "true") || word(text, "false") || word(text, "null") || number(text);
}

static bool is_object(struct slice raw)
{
    struct text text = {raw.data, raw.data + raw.size};
    if (!is(&text, '{') || !members(&text, 64))
        return false;
    space(&text);
    return text.at == text.end;
}

/* ---- comparisons ---- */

static bool has(const struct event *event, enum violation_code code)
{
    for (int i = 0; i < event->n_violations; i++)
        if (event->violations[i].code == code)
            return true;
    return event->n_violations == MAX_VIOLATIONS; /* it may be among those left out */
}

/* cJSON cuts strings at \u0000 and cannot read numbers of more than 63 characters. */
static bool beyond_cjson(struct slice raw)
{
    size_t run = 0;
    for (size_t i = 0; i < raw.size; i++) {
        run = raw.data[i] && strchr("0123456789+-eE.", raw.data[i]) ? run + 1 : 0;
        if (run > 60 || (raw.size - i >= 6 && memcmp(raw.data + i, "\\u0000", 6) == 0))
            return true;
    }
    return false;
}

static void compare_value(const struct value *mine, const struct json *theirs)
{
    switch (mine->type) {
    case VALUE_STRING:
        if (json_kind(theirs) != JSON_STRING || !slice_is(mine->string, json_as_text(theirs, "")))
            fail("a string differs from cJSON's");
        break;
    case VALUE_NUMBER:
        if (json_kind(theirs) != JSON_NUMBER || mine->number != json_as_number(theirs, -1))
            fail("a number differs from cJSON's");
        break;
    case VALUE_BOOL:
        if (json_kind(theirs) != JSON_BOOL || mine->boolean != json_as_bool(theirs, !mine->boolean))
            fail("a boolean differs from cJSON's");
        break;
    case VALUE_TIME:
        if (json_kind(theirs) != JSON_STRING && json_kind(theirs) != JSON_NUMBER)
            fail("a time from what is neither text nor number");
        break;
    case VALUE_NULL:
        break;
    }
}

static const struct json *first_member(const struct json *object, const char *name)
{
    const struct json *item = json_first(object);
    while (item && strcmp(json_item_key(item), name) != 0)
        item = json_next(item);
    return item;
}

static void compare_with_cjson(struct slice raw, const struct event *event)
{
    struct json *json;
    if (beyond_cjson(raw))
        return;
    if (json_parse(raw, &json, NULL) != STATUS_OK)
        fail("cJSON does not read it");
    for (int i = 0; i < FIELDS; i++) {
        const struct json *item = first_member(json, fields[i].name);
        if (event->values[i].type != VALUE_NULL && !item)
            fail("a value for a member that is not there");
        if (item)
            compare_value(&event->values[i], item);
        if (!item && fields[i].required && !has(event, VIOLATION_MISSING))
            fail("a required member is not missed");
        if (item && event->values[i].type == VALUE_NULL && json_kind(item) != JSON_NULL &&
            event->n_violations == 0)
            fail("a value got lost");
    }
    json_destroy(json);
}

static void go_round(struct decoder *decoder, const struct event *event, struct arena *arena)
{
    struct buffer first;
    struct buffer second;
    struct event again = {0};
    buffer_init(&first, 1 << 22);
    buffer_init(&second, 1 << 22);
    event_json(event, NULL, &first);
    decoder_json(decoder, buffer_slice(&first), arena, &again);
    if (first.size <= MAX_EVENT_BYTES) {
        if (again.n_violations > 0)
            fail("its own canonical form is refused");
        event_json(&again, NULL, &second);
        if (!slice_equal(buffer_slice(&first), buffer_slice(&second)))
            fail("the canonical form is not stable");
        for (int i = 0; i < FIELDS; i++)
            if (event->values[i].type == VALUE_NUMBER &&
                event->values[i].number != again.values[i].number)
                fail("a number does not read back");
    }
    buffer_free(&first);
    buffer_free(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct decoder *decoder;
    struct arena *arena = arena_create(16 << 20);
    struct slice raw = slice_make(data, size);
    struct event event = {0};
    if (size > MAX_EVENT_BYTES || !arena ||
        decoder_create(&schema, true, &decoder, NULL) != STATUS_OK) {
        arena_destroy(arena);
        return 0;
    }
    decoder_json(decoder, raw, arena, &event);
    if (is_object(raw) ? event.n_violations < MAX_VIOLATIONS && has(&event, VIOLATION_NOT_JSON)
                       : !has(&event, VIOLATION_NOT_JSON))
        fail("the decoder and RFC 8259 do not agree on what is JSON");
    if (!has(&event, VIOLATION_NOT_JSON) && !has(&event, VIOLATION_NOT_UTF8))
        compare_with_cjson(raw, &event);
    if (event.n_violations == 0)
        go_round(decoder, &event, arena);

    if (decoder_csv_header(decoder, slice_of("ts,id,amount,x,count,ok,note"), NULL) != STATUS_OK)
        fail("a good header is refused");
    event = (struct event){0};
    decoder_csv(decoder, raw, arena, &event);
    if (event.n_violations == 0)
        go_round(decoder, &event, arena);
    event = (struct event){0};
    decoder_retry(decoder, raw, arena, &event);
    decoder_destroy(decoder);
    arena_destroy(arena);
    return 0;
}
