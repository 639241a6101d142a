/* JSON out by a writer without state of its own beyond commas, JSON in by cJSON behind an opaque
 * type. A writer belongs to one thread; a parsed document may be read by any. */
#include "engine/base/json.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "engine/base/clock.h"
#include "engine/base/encoding.h"
#include "engine/base/number.h"
#include "engine/base/plain.h"
#include "engine/base/utf8.h"

#define MAX_DEPTH      64
#define MOST_HEX_BYTES 64

void json_begin(struct json_writer *writer, struct buffer *out)
{
    *writer = (struct json_writer){.out = out};
}

static bool is_plain_text(struct slice text)
{
    const char *end = text.data + text.size;
    return plain_end(text.data, end) == end;
}

/* "text", after `before` unless that is zero and before `behind` likewise. */
static void write_string(struct buffer *out, char before, struct slice text, char behind)
{
    if (is_plain_text(text)) { /* nothing to escape, as nearly always */
        char *first = buffer_room(out, text.size + 4), *at = first;
        if (!at)
            return;
        *at = before;
        at += before != '\0';
        *at++ = '"';
        memcpy(at, text.size > 0 ? text.data : "", text.size);
        at += text.size;
        *at++ = '"';
        *at = behind;
        at += behind != '\0';
        *at = '\0';
        out->size += (size_t)(at - first);
        return;
    }
    if (before)
        buffer_append_char(out, before);
    buffer_append_char(out, '"');
    json_escape(text, out);
    buffer_append_char(out, '"');
    if (behind)
        buffer_append_char(out, behind);
}

/* The comma that is due and the member's name. */
static void lead(struct json_writer *writer, const char *key)
{
    uint64_t bit = UINT64_C(1) << writer->depth;
    char comma = writer->depth > 0 && (writer->filled & bit) ? ',' : '\0';
    writer->filled |= bit;
    if (key)
        write_string(writer->out, comma, slice_of(key), ':');
    else if (comma)
        buffer_append_char(writer->out, comma);
}

static void open_level(struct json_writer *writer, const char *key, char bracket)
{
    lead(writer, key);
    buffer_append_char(writer->out, bracket);
    writer->depth++;
    assert(writer->depth < MAX_DEPTH);
    writer->filled &= ~(UINT64_C(1) << writer->depth);
}

static void close_level(struct json_writer *writer, char bracket)
{
    assert(writer->depth > 0);
    writer->depth--;
    buffer_append_char(writer->out, bracket);
}

void json_object(struct json_writer *writer, const char *key)
{
    open_level(writer, key, '{');
}

void json_object_end(struct json_writer *writer)
{
    close_level(writer, '}');
}

void json_array(struct json_writer *writer, const char *key)
{
    open_level(writer, key, '[');
}

void json_array_end(struct json_writer *writer)
{
    close_level(writer, ']');
}

void json_null(struct json_writer *writer, const char *key)
{
    lead(writer, key);
    buffer_append_text(writer->out, "null");
}

void json_bool(struct json_writer *writer, const char *key, bool boolean)
{
    lead(writer, key);
    buffer_append_text(writer->out, boolean ? "true" : "false");
}

void json_int(struct json_writer *writer, const char *key, int64_t integer)
{
    lead(writer, key);
    char digits[24];
    size_t at = sizeof digits;
    uint64_t magnitude = integer < 0 ? 0 - (uint64_t)integer : (uint64_t)integer;
    do {
        digits[--at] = (char)('0' + magnitude % 10);
        magnitude /= 10;
    } while (magnitude > 0);
    if (integer < 0)
        digits[--at] = '-';
    buffer_append(writer->out, digits + at, sizeof digits - at);
}

void json_number(struct json_writer *writer, const char *key, double number)
{
    if (!isfinite(number)) {
        json_null(writer, key);
        return;
    }
    lead(writer, key);
    char text[NUMBER_TEXT_SIZE];
    buffer_append(writer->out, text, number_format(number, text));
}

void json_float(struct json_writer *writer, const char *key, float number)
{
    if (!isfinite(number)) {
        json_null(writer, key);
        return;
    }
    lead(writer, key);
    char text[NUMBER_TEXT_SIZE];
    buffer_append(writer->out, text, float_format(number, text));
}

void json_string(struct json_writer *writer, const char *key, struct slice text)
{
    lead(writer, key);
    write_string(writer->out, '\0', text, '\0');
}

void json_text(struct json_writer *writer, const char *key, const char *text)
{
    if (text)
        json_string(writer, key, slice_of(text));
    else
        json_null(writer, key);
}

void json_text_or_null(struct json_writer *writer, const char *key, const char *text)
{
    json_text(writer, key, text && text[0] ? text : NULL);
}

void json_time(struct json_writer *writer, const char *key, int64_t time_us)
{
    char text[TIME_TEXT_SIZE];
    json_text(writer, key, time_format(time_us, text));
}

void json_time_or_null(struct json_writer *writer, const char *key, int64_t time_us)
{
    if (time_us != 0)
        json_time(writer, key, time_us);
    else
        json_null(writer, key);
}

void json_hex(struct json_writer *writer, const char *key, const void *data, size_t size)
{
    char text[2 * MOST_HEX_BYTES + 1];
    assert(size <= MOST_HEX_BYTES);
    json_text(writer, key, hex_encode(data, size, text));
}

void json_value(struct json_writer *writer, const char *key, const struct value *value)
{
    switch (value->type) {
    case VALUE_NULL:
        json_null(writer, key);
        break;
    case VALUE_NUMBER:
        json_number(writer, key, value->number);
        break;
    case VALUE_BOOL:
        json_bool(writer, key, value->boolean);
        break;
    case VALUE_STRING:
        json_string(writer, key, value->string);
        break;
    case VALUE_TIME:
        json_time(writer, key, value->time_us);
        break;
    }
}

void json_raw(struct json_writer *writer, const char *key, struct slice json)
{
    lead(writer, key);
    buffer_append_slice(writer->out, json);
}

void json_recorded(struct json_writer *writer, const char *key, struct slice json)
{
    lead(writer, key);
    json_plain(json, writer->out);
}

static void escape_code(unsigned code, struct buffer *out)
{
    static const char short_forms[] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f',
                                       ['\r'] = 'r', ['"'] = '"',  ['\\'] = '\\'};
    static const char digits[] = "0123456789abcdef";
    char letter = code < sizeof short_forms ? short_forms[code] : '\0';
    if (letter) {
        char text[] = {'\\', letter};
        buffer_append(out, text, sizeof text);
    } else {
        char text[] = {'\\',
                       'u',
                       digits[code >> 12 & 15],
                       digits[code >> 8 & 15],
                       digits[code >> 4 & 15],
                       digits[code & 15]};
        buffer_append(out, text, sizeof text);
    }
}

/* Bytes of the character at the front that is written in another way than it stands, or 0: then
 * *as_is is how many stay. *code is -1 for a byte that is not UTF-8. */
static size_t to_escape(struct slice text, int *code, size_t *as_is)
{
    unsigned char byte = (unsigned char)text.data[0];
    unsigned unsafe = 0;
    size_t length = 1;
    *as_is = 1;
    *code = byte;
    if (byte < 0x80)
        return byte < 0x20 || byte == 0x7f || byte == '"' || byte == '\\';
    length = utf8_unsafe(text, &unsafe);
    *code = (int)unsafe;
    if (length > 0)
        return length;
    *as_is = utf8_length(text);
    *code = -1;
    return *as_is == 0;
}

bool json_escape(struct slice text, struct buffer *out)
{
    size_t clean = 0; /* start of the run that can be copied as it is */
    size_t at = 0;
    while (at < text.size) {
        int code;
        size_t as_is;
        const char *stop = plain_end(text.data + at, text.data + text.size);
        at = (size_t)(stop - text.data);
        if (at == text.size)
            break;
        size_t length = to_escape(slice_make(text.data + at, text.size - at), &code, &as_is);
        if (length == 0) {
            at += as_is;
            continue;
        }
        buffer_append(out, text.data + clean, at - clean);
        if (code >= 0)
            escape_code((unsigned)code, out);
        else
            buffer_append_text(out, "\xef\xbf\xbd"); /* U+FFFD */
        at += length;
        clean = at;
    }
    if (text.size > clean)
        buffer_append(out, text.data + clean, text.size - clean);
    return !out->overflow;
}

/* What is replaced can stand in strings only, so the document stays the same. */
bool json_plain(struct slice json, struct buffer *out)
{
    size_t clean = 0;
    for (size_t at = 0; at < json.size;) {
        unsigned code;
        const char *stop = plain_end(json.data + at, json.data + json.size);
        at = (size_t)(stop - json.data);
        if (at == json.size)
            break;
        size_t length = utf8_unsafe(slice_make(json.data + at, json.size - at), &code);
        if (length == 0 || code == '\n' || code == '\r' || code == '\t') {
            at++;
            continue;
        }
        buffer_append(out, json.data + clean, at - clean);
        escape_code(code, out);
        at += length;
        clean = at;
    }
    if (json.size > clean)
        buffer_append(out, json.data + clean, json.size - clean);
    return !out->overflow;
}

/* A document is cJSON's root; `struct json` is never defined. */
static const cJSON *inside(const struct json *json)
{
    return (const cJSON *)json;
}

/* cJSON allows 1000 levels and does not say which limit was hit: counted here beforehand, which
 * also bounds the recursion below. Zero bytes would end cJSON's reading silently. */
static enum status check_text(struct slice text, struct error *error)
{
    int depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < text.size; i++) {
        char byte = text.data[i];
        if (byte == '\0')
            return error_set(error, STATUS_INVALID, "byte %zu: a zero byte is not JSON", i + 1);
        if (in_string) {
            if ((unsigned char)byte < 0x20)
                return error_set(error, STATUS_INVALID,
                                 "byte %zu: a control character in a string must be escaped",
                                 i + 1);
            if (byte == '\\')
                i++;
            else if (byte == '"')
                in_string = false;
        } else if (byte == '"') {
            in_string = true;
        } else if (byte == '{' || byte == '[') {
            if (++depth > MAX_DEPTH)
                return error_set(error, STATUS_INVALID, "byte %zu: nested more than %d deep", i + 1,
                                 MAX_DEPTH);
        } else if (byte == '}' || byte == ']') {
            depth--;
        }
    }
    if (!utf8_is_valid(text))
        return error_set(error, STATUS_INVALID, "not UTF-8");
    return STATUS_OK;
}

enum status json_parse(struct slice text, struct json **json, struct error *error)
{
    *json = NULL;
    text = slice_trim(text);
    if (text.size == 0)
        return error_set(error, STATUS_INVALID, "empty, where JSON belongs");
    enum status status = check_text(text, error);
    if (status)
        return status;
    const char *end = NULL;
    cJSON *root = cJSON_ParseWithLengthOpts(text.data, text.size, &end, false);
    if (!root)
        return error_set(error, STATUS_INVALID, "byte %zu: not JSON",
                         end ? (size_t)(end - text.data) + 1 : (size_t)1);
    if (end != text.data + text.size) {
        cJSON_Delete(root);
        return error_set(error, STATUS_INVALID, "byte %zu: more text after the JSON value",
                         (size_t)(end - text.data) + 1);
    }
    *json = (struct json *)root;
    return STATUS_OK;
}

void json_destroy(struct json *json)
{
    cJSON_Delete((cJSON *)json);
}

enum json_kind json_kind(const struct json *json)
{
    const cJSON *node = inside(json);
    if (cJSON_IsBool(node))
        return JSON_BOOL;
    if (cJSON_IsNumber(node))
        return JSON_NUMBER;
    if (cJSON_IsString(node))
        return JSON_STRING;
    if (cJSON_IsArray(node))
        return JSON_ARRAY;
    return cJSON_IsObject(node) ? JSON_OBJECT : JSON_NULL;
}

const struct json *json_get(const struct json *object, const char *key)
{
    if (!object || !cJSON_IsObject(inside(object)))
        return NULL;
    return (const struct json *)cJSON_GetObjectItemCaseSensitive(inside(object), key);
}

const struct json *json_first(const struct json *array_or_object)
{
    const cJSON *node = inside(array_or_object);
    return cJSON_IsArray(node) || cJSON_IsObject(node) ? (const struct json *)node->child : NULL;
}

const struct json *json_next(const struct json *item)
{
    return (const struct json *)inside(item)->next;
}

size_t json_size(const struct json *array_or_object)
{
    size_t n = 0;
    for (const struct json *item = json_first(array_or_object); item; item = json_next(item))
        n++;
    return n;
}

const struct json *json_item(const struct json *array_or_object, size_t index)
{
    const struct json *item = json_first(array_or_object);
    while (item && index-- > 0)
        item = json_next(item);
    return item;
}

const char *json_item_key(const struct json *item)
{
    return inside(item)->string;
}

double json_as_number(const struct json *json, double fallback)
{
    return json && cJSON_IsNumber(inside(json)) ? inside(json)->valuedouble : fallback;
}

bool json_as_bool(const struct json *json, bool fallback)
{
    return json && cJSON_IsBool(inside(json)) ? cJSON_IsTrue(inside(json)) : fallback;
}

const char *json_as_text(const struct json *json, const char *fallback)
{
    return json && cJSON_IsString(inside(json)) ? inside(json)->valuestring : fallback;
}
