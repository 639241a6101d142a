/* One flat JSON object (RFC 8259) into an event, in one pass and without a tree: every byte is
 * looked at once, strings that hold no escapes stay where they are. The grammar is kept strictly;
 * where it breaks, decoding ends with NOT_JSON and what was read so far stays, for the person who
 * looks into quarantine. Runs on the thread that carries the batch. */
#include "engine/base/plain.h"
#include "engine/base/utf8.h"
#include "engine/event/decoder_priv.h"

#define MAX_DEPTH 64

struct cursor {
    const char *at, *end;
    bool bad_text; /* in a string that was skipped */
};

/* A string as it stands between its quotes. */
struct token {
    struct slice raw;
    bool escaped;
    bool bad_text; /* not UTF-8, or half of a surrogate pair */
};

static inline void skip_space(struct cursor *cursor)
{
    if (cursor->at<cursor->end && * cursor->at> ' ')
        return; /* nearly always */
    while (cursor->at < cursor->end && (*cursor->at == ' ' || *cursor->at == '\n' ||
                                        *cursor->at == '\r' || *cursor->at == '\t'))
        cursor->at++;
}

static bool take(struct cursor *cursor, char character)
{
    if (cursor->at == cursor->end || *cursor->at != character)
        return false;
    cursor->at++;
    return true;
}

static bool take_word(struct cursor *cursor, const char *word, size_t size)
{
    if ((size_t)(cursor->end - cursor->at) < size || memcmp(cursor->at, word, size) != 0)
        return false;
    cursor->at += size;
    return true;
}

static int hex_digit(char character)
{
    if (character >= '0' && character <= '9')
        return character - '0';
    char lower = (char)(character | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Four hex digits at `at`; -1 when they are not there. */
static int32_t hex_unit(const char *at, const char *end)
{
    int32_t unit = 0;
    if (end - at < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(at[i]);
        if (digit < 0)
            return -1;
        unit = unit * 16 + digit;
    }
    return unit;
}

static bool is_high(int32_t unit)
{
    return unit >= 0xD800 && unit <= 0xDBFF;
}

static bool is_low(int32_t unit)
{
    return unit >= 0xDC00 && unit <= 0xDFFF;
}

/* After "\u": one code point, of one or two units. -1: not hex; -2: half a pair. */
static int32_t scan_unicode(struct cursor *cursor)
{
    int32_t unit = hex_unit(cursor->at, cursor->end);
    if (unit < 0)
        return -1;
    cursor->at += 4;
    if (!is_high(unit))
        return is_low(unit) ? -2 : unit;
    if (cursor->end - cursor->at < 6 || cursor->at[0] != '\\' || cursor->at[1] != 'u')
        return -2;
    int32_t low = hex_unit(cursor->at + 2, cursor->end);
    if (!is_low(low))
        return -2; /* what follows is looked at on its own */
    cursor->at += 6;
    return 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
}

/* The character that "\x" stands for; 0 when there is no such escape. */
static char simple_escape(char letter)
{
    switch (letter) {
    case '"':
    case '\\':
    case '/':
        return letter;
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default:
        return 0;
    }
}

static bool scan_escape(struct cursor *cursor, struct token *token)
{
    token->escaped = true;
    if (cursor->at == cursor->end)
        return false;
    char letter = *cursor->at++;
    if (letter != 'u')
        return simple_escape(letter) != 0;
    int32_t code_point = scan_unicode(cursor);
    if (code_point == -2)
        token->bad_text = true;
    return code_point != -1;
}

/* From after the opening quote to after the closing one. False: not a JSON string. */
static bool scan_string(struct cursor *cursor, struct token *token)
{
    const char *first = cursor->at;
    bool ascii = true;
    *token = (struct token){.escaped = false};
    for (;;) {
        cursor->at = plain_end(cursor->at, cursor->end);
        if (cursor->at == cursor->end)
            return false;
        unsigned char byte = (unsigned char)*cursor->at++;
        if (byte == '"')
            break;
        if (byte < 0x20 || (byte == '\\' && !scan_escape(cursor, token)))
            return false;
        ascii &= byte < 0x80;
    }
    token->raw = slice_make(first, (size_t)(cursor->at - first) - 1);
    if (!ascii && !utf8_is_valid(token->raw))
        token->bad_text = true;
    return true;
}

/* UTF-8 of a code point that is not a surrogate; returns how many bytes. */
static size_t encode(uint32_t code_point, char *out)
{
    static const unsigned char leads[] = {0, 0, 0xC0, 0xE0, 0xF0};
    size_t size = code_point < 0x80 ? 1 : code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;
    for (size_t i = size - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (code_point & 0x3F));
        code_point >>= 6;
    }
    out[0] = (char)(leads[size] | code_point);
    return size;
}

/* Undoes the escapes of a string that scan_string() has found good. */
static size_t unescape(struct slice raw, char *out)
{
    struct cursor cursor = {raw.data, raw.data + raw.size, false};
    char *at = out;
    while (cursor.at < cursor.end) {
        char character = *cursor.at++;
        if (character != '\\')
            *at++ = character;
        else if (*cursor.at != 'u')
            *at++ = simple_escape(*cursor.at++);
        else {
            cursor.at++;
            at += encode((uint32_t)scan_unicode(&cursor), at);
        }
    }
    return (size_t)(at - out);
}

/* The string's text in the arena, without the escapes. False when that is full. */
static bool unescaped_text(struct reading *reading, int field, const struct token *token,
                           struct slice *text)
{
    struct slice copy;
    if (!reading_keep(reading, field, token->raw, &copy)) /* never longer than with escapes */
        return false;
    *text = slice_make(copy.data, unescape(token->raw, (char *)copy.data));
    return true;
}

/* The string's text, in place or in the arena. */
static inline bool token_text(struct reading *reading, int field, const struct token *token,
                              struct slice *text)
{
    *text = token->raw;
    return !token->escaped || unescaped_text(reading, field, token, text);
}

static bool skip_string(struct cursor *cursor, struct token *token)
{
    bool good = scan_string(cursor, token);
    cursor->bad_text |= good && token->bad_text;
    return good;
}

static bool skip_value(struct cursor *cursor, int depth);

static bool skip_members(struct cursor *cursor, int depth)
{
    struct token key;
    skip_space(cursor);
    if (take(cursor, '}'))
        return true;
    do {
        skip_space(cursor);
        if (!take(cursor, '"') || !skip_string(cursor, &key))
            return false;
        skip_space(cursor);
        if (!take(cursor, ':') || !skip_value(cursor, depth))
            return false;
    } while (take(cursor, ','));
    return take(cursor, '}');
}

static bool skip_items(struct cursor *cursor, int depth)
{
    skip_space(cursor);
    if (take(cursor, ']'))
        return true;
    do {
        if (!skip_value(cursor, depth))
            return false;
    } while (take(cursor, ','));
    return take(cursor, ']');
}

static bool skip_scalar(struct cursor *cursor)
{
    struct token token;
    struct numeral number;
    if (take(cursor, '"'))
        return skip_string(cursor, &token);
    if (take_word(cursor, "true", 4) || take_word(cursor, "false", 5) ||
        take_word(cursor, "null", 4))
        return true;
    size_t size = numeral_scan(slice_make(cursor->at, (size_t)(cursor->end - cursor->at)), &number);
    cursor->at += size;
    return size > 0;
}

/* Any value, checked and forgotten, with the space around it. */
static bool skip_value(struct cursor *cursor, int depth)
{
    bool good;
    skip_space(cursor);
    if (take(cursor, '{'))
        good = depth > 1 && skip_members(cursor, depth - 1);
    else if (take(cursor, '['))
        good = depth > 1 && skip_items(cursor, depth - 1);
    else
        good = skip_scalar(cursor);
    skip_space(cursor);
    return good;
}

static bool read_string(struct reading *reading, struct cursor *cursor, int field)
{
    struct token token;
    struct slice text;
    const char *quote = plain_end(cursor->at, cursor->end);
    if (quote < cursor->end && *quote == '"') { /* nothing in it to look at */
        token = (struct token){.raw = slice_make(cursor->at, (size_t)(quote - cursor->at))};
        cursor->at = quote + 1;
    } else if (!scan_string(cursor, &token))
        return false;
    enum field_type type = reading->decoder->schema->fields[field].type;
    if (token.bad_text)
        reading_refuse(reading, field, VIOLATION_NOT_UTF8);
    else if (type != FIELD_STRING && type != FIELD_TIMESTAMP)
        reading_refuse(reading, field, VIOLATION_TYPE);
    else if (token_text(reading, field, &token, &text)) {
        if (type == FIELD_STRING)
            value_set_string(&reading->event->values[field], text);
        else
            reading_time(reading, field, text);
    }
    return true;
}

static bool read_bool(struct reading *reading, int field, bool boolean)
{
    if (reading->decoder->schema->fields[field].type == FIELD_BOOL)
        value_set_bool(&reading->event->values[field], boolean);
    else
        reading_refuse(reading, field, VIOLATION_TYPE);
    return true;
}

static bool read_number(struct reading *reading, struct cursor *cursor, int field)
{
    struct numeral number;
    size_t size = numeral_scan(slice_make(cursor->at, (size_t)(cursor->end - cursor->at)), &number);
    if (size == 0)
        return false;
    cursor->at += size;
    reading_number(reading, field, &number);
    return true;
}

/* The value of a field of the schema. False: not JSON. */
static bool read_value(struct reading *reading, struct cursor *cursor, int field)
{
    if (cursor->at == cursor->end)
        return false;
    switch (*cursor->at) {
    case '"':
        cursor->at++;
        return read_string(reading, cursor, field);
    case 't':
        return take_word(cursor, "true", 4) && read_bool(reading, field, true);
    case 'f':
        return take_word(cursor, "false", 5) && read_bool(reading, field, false);
    case 'n':
        if (!take_word(cursor, "null", 4))
            return false;
        reading_null(reading, field);
        return true;
    case '{':
    case '[':
        event_violate(reading->event, VIOLATION_NESTED, field);
        return skip_value(cursor, MAX_DEPTH);
    default:
        return read_number(reading, cursor, field);
    }
}

/* Names come in the schema's order nearly always, and right before their colon: whether the bytes
 * at hand are the next one's takes one comparison. -1: look carefully. */
static inline int take_expected_name(struct reading *reading, struct cursor *cursor)
{
    struct decoder *decoder = reading->decoder;
    size_t expected = decoder->expected;
    if (expected >= decoder->schema->n_fields)
        return -1;
    struct slice key = decoder->keys[expected];
    if (key.size == 0 || (size_t)(cursor->end - cursor->at) < key.size ||
        memcmp(cursor->at, key.data, key.size) != 0)
        return -1;
    cursor->at += key.size;
    decoder->expected = expected + 1;
    return (int)expected;
}

/* From after the opening quote of a name to after the colon: the field it is, or -1. False: not
 * JSON. */
static bool take_name(struct reading *reading, struct cursor *cursor, int *field)
{
    struct token key;
    struct slice name;
    *field = -1;
    if (!scan_string(cursor, &key))
        return false;
    skip_space(cursor);
    if (!take(cursor, ':'))
        return false;
    if (key.bad_text)
        event_violate(reading->event, VIOLATION_NOT_UTF8, -1);
    else if (token_text(reading, -1, &key, &name))
        *field = decoder_field(reading->decoder, name);
    return true;
}

/* One "name": value with the space around it. False: not JSON. */
static bool read_member(struct reading *reading, struct cursor *cursor)
{
    skip_space(cursor);
    if (!take(cursor, '"'))
        return false;
    int field = take_expected_name(reading, cursor);
    if (field < 0 && !take_name(reading, cursor, &field))
        return false;
    skip_space(cursor);
    if (field < 0 && !reading->decoder->additional_fields)
        event_violate(reading->event, VIOLATION_UNKNOWN_FIELD, -1);
    bool good = field >= 0 && reading_see(reading, field) ? read_value(reading, cursor, field)
                                                          : skip_value(cursor, MAX_DEPTH);
    skip_space(cursor);
    return good;
}

static bool read_object(struct reading *reading, struct cursor *cursor)
{
    skip_space(cursor);
    if (!take(cursor, '{'))
        return false;
    skip_space(cursor);
    if (!take(cursor, '}')) {
        do {
            if (!read_member(reading, cursor))
                return false;
        } while (take(cursor, ','));
        if (!take(cursor, '}'))
            return false;
    }
    skip_space(cursor);
    return cursor->at == cursor->end;
}

void decoder_json(struct decoder *decoder, struct slice raw, struct arena *arena,
                  struct event *event)
{
    struct reading reading = {decoder, arena, event};
    if (!reading_begin(&reading, raw))
        return;
    struct cursor cursor = {raw.data, raw.data + raw.size, false};
    bool whole = read_object(&reading, &cursor);
    if (cursor.bad_text)
        event_violate(event, VIOLATION_NOT_UTF8, -1);
    if (whole)
        reading_finish(&reading);
    else
        event_violate(event, VIOLATION_NOT_JSON, -1);
}
