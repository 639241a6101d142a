/* JSON: a writer for everything that is sent, a small reading tree (cJSON) for what is not hot. */
#ifndef BINNACLE_BASE_JSON_H
#define BINNACLE_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/buffer.h"
#include "engine/base/slice.h"
#include "engine/base/status.h"
#include "engine/base/value.h"

/* Writes into a buffer, puts the commas itself. Keep on the stack; owns nothing.
 * At most 63 levels. */
struct json_writer {
    struct buffer *out;
    unsigned depth;
    uint64_t filled; /* bit per depth: something stands before, so a comma is due */
};

void json_begin(struct json_writer *writer, struct buffer *out);
void json_object(struct json_writer *writer, const char *key); /* key NULL inside an array */
void json_object_end(struct json_writer *writer);
void json_array(struct json_writer *writer, const char *key);
void json_array_end(struct json_writer *writer);
void json_null(struct json_writer *writer, const char *key);
void json_bool(struct json_writer *writer, const char *key, bool boolean);
void json_int(struct json_writer *writer, const char *key, int64_t integer);
/* Shortest text that reads back to the same double; NaN and infinities become null. */
void json_number(struct json_writer *writer, const char *key, double number);
/* "%.9g": a float32 that reads back to the same float. */
void json_float(struct json_writer *writer, const char *key, float number);
/* Escapes what must be, and what a screen must not get as it is (utf8_unsafe()); bytes that are not
 * UTF-8 become U+FFFD. */
void json_string(struct json_writer *writer, const char *key, struct slice text);
void json_text(struct json_writer *writer, const char *key, const char *text); /* NULL: null */
/* "" too is null: for fields that are empty while there is nothing to say. */
void json_text_or_null(struct json_writer *writer, const char *key, const char *text);
void json_time(struct json_writer *writer, const char *key, int64_t time_us);
void json_time_or_null(struct json_writer *writer, const char *key, int64_t time_us); /* 0: null */
/* Lower-case hex of up to 64 bytes. */
void json_hex(struct json_writer *writer, const char *key, const void *data, size_t size);
/* A contract value by its type; times as ISO-8601. */
void json_value(struct json_writer *writer, const char *key, const struct value *value);
/* JSON text that is already well formed. */
void json_raw(struct json_writer *writer, const char *key, struct slice json);
/* The same for JSON that holds what others sent: written through json_plain(). */
void json_recorded(struct json_writer *writer, const char *key, struct slice json);

/* The inside of a JSON string without its quotes; the same rules. False when out is full. */
bool json_escape(struct slice text, struct buffer *out);
/* JSON text that is already well formed, with what utf8_unsafe() finds in its strings as \uXXXX:
 * the same value, safe to show. False when out is full. */
bool json_plain(struct slice json, struct buffer *out);

/* A parsed document. Depth at most 64; UTF-8 only; of members of one name, json_get finds the
 * first. The error names the byte, from 1. */
struct json;
MUST_USE enum status json_parse(struct slice text, struct json **json, struct error *error);
void json_destroy(struct json *json);

enum json_kind { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };
enum json_kind json_kind(const struct json *json);
/* Children are borrowed from the document. NULL when absent. */
const struct json *json_get(const struct json *object, const char *key);
size_t json_size(const struct json *array_or_object);
const struct json *json_item(const struct json *array_or_object, size_t index); /* O(index) */
const struct json *json_first(const struct json *array_or_object);
const struct json *json_next(const struct json *item);
const char *json_item_key(const struct json *item); /* the name of an object's member */
double json_as_number(const struct json *json, double fallback);
bool json_as_bool(const struct json *json, bool fallback);
const char *json_as_text(const struct json *json, const char *fallback); /* borrowed */

#endif
