/* JSON (RFC 8259) token by token, with the NaN, Infinity and -Infinity that XGBoost writes. */
#include "engine/model/tokens_priv.h"

#include <math.h>

#include "engine/base/number.h"

static void skip_space(struct tokens *tokens)
{
    while (tokens->at < tokens->end && (*tokens->at == ' ' || *tokens->at == '\n' ||
                                        *tokens->at == '\r' || *tokens->at == '\t'))
        tokens->at++;
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The four digits at `at`, or -1. */
static int32_t hex_unit(const struct tokens *tokens, const uint8_t *at)
{
    if (tokens->end - at < 4)
        return -1;
    int32_t unit = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(at[i]);
        if (digit < 0)
            return -1;
        unit = unit << 4 | digit;
    }
    return unit;
}

static bool append_code_point(struct buffer *out, uint32_t code)
{
    char bytes[4];
    size_t n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const uint8_t lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = n - 1; i > 0; i--) {
        bytes[i] = (char)(0x80 | (code & 0x3F));
        code >>= 6;
    }
    bytes[0] = (char)(lead[n] | code);
    return buffer_append(out, bytes, n);
}

/* `at` is after "\u"; on success tokens->at is after the digits, those of a surrogate pair too. */
static enum status unescape_unicode(struct tokens *tokens)
{
    int32_t unit = hex_unit(tokens, tokens->at);
    if (unit < 0)
        return tokens_error(tokens, "\\u needs four hexadecimal digits");
    uint32_t code = (uint32_t)unit;
    size_t used = 4;
    if (code >= 0xD800 && code < 0xDC00 && tokens->end - tokens->at >= 10 &&
        tokens->at[4] == '\\' && tokens->at[5] == 'u') {
        int32_t low = hex_unit(tokens, tokens->at + 6);
        if (low >= 0xDC00 && low < 0xE000) {
            code = 0x10000 + ((code - 0xD800) << 10) + ((uint32_t)low - 0xDC00);
            used = 10;
        }
    }
    if (code >= 0xD800 && code < 0xE000)
        return tokens_error(tokens, "half a surrogate pair");
    if (!append_code_point(&tokens->text, code))
        return tokens_error(tokens, "a string of more than %zu bytes", TOKENS_MAX_TEXT);
    tokens->at += used;
    return STATUS_OK;
}

static enum status unescape(struct tokens *tokens)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    tokens->at++;
    if (tokens->at == tokens->end)
        return tokens_error(tokens, "a string without an end");
    uint8_t c = *tokens->at++;
    if (c == 'u')
        return unescape_unicode(tokens);
    const char *known = c ? strchr(from, c) : NULL;
    if (!known)
        return tokens_error(tokens, "an unknown escape in a string");
    if (!buffer_append_char(&tokens->text, to[known - from]))
        return tokens_error(tokens, "a string of more than %zu bytes", TOKENS_MAX_TEXT);
    return STATUS_OK;
}

/* `at` is on the opening quote. */
static enum status read_string(struct tokens *tokens, enum token_kind kind, struct token *token)
{
    tokens->at++;
    buffer_reset(&tokens->text);
    for (;;) {
        const uint8_t *run = tokens->at;
        while (tokens->at < tokens->end && *tokens->at != '"' && *tokens->at != '\\' &&
               *tokens->at >= 0x20)
            tokens->at++;
        if (!buffer_append(&tokens->text, run, (size_t)(tokens->at - run)))
            return tokens_error(tokens, "a string of more than %zu bytes", TOKENS_MAX_TEXT);
        if (tokens->at == tokens->end)
            return tokens_error(tokens, "a string without an end");
        if (*tokens->at == '"')
            break;
        if (*tokens->at != '\\')
            return tokens_error(tokens, "a control character within a string");
        enum status status = unescape(tokens);
        if (status)
            return status;
    }
    tokens->at++;
    return tokens_text(tokens, buffer_slice(&tokens->text), kind, token);
}

static const uint8_t *digits(const uint8_t *at, const uint8_t *end)
{
    while (at < end && *at >= '0' && *at <= '9')
        at++;
    return at;
}

/* The end of a JSON number at `at`, or NULL; *integral: it has neither fraction nor exponent. */
static const uint8_t *number_end(const uint8_t *at, const uint8_t *end, bool *integral)
{
    if (at < end && *at == '-')
        at++;
    const uint8_t *first = at;
    at = digits(at, end);
    if (at == first || (*first == '0' && at - first > 1))
        return NULL;
    *integral = true;
    if (at < end && *at == '.') {
        first = ++at;
        at = digits(at, end);
        *integral = false;
        if (at == first)
            return NULL;
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        at++;
        if (at < end && (*at == '+' || *at == '-'))
            at++;
        first = at;
        at = digits(at, end);
        *integral = false;
        if (at == first)
            return NULL;
    }
    return at;
}

static enum status read_number(struct tokens *tokens, struct token *token)
{
    bool integral = false;
    const uint8_t *after = number_end(tokens->at, tokens->end, &integral);
    if (!after || after - tokens->at > 255)
        return tokens_error(tokens, "not a number");
    struct slice text = slice_make(tokens->at, (size_t)(after - tokens->at));
    if (!float_parse(text, &token->real))
        return tokens_error(tokens, "not a number");
    token->is_integer = integral && integer_parse(text, &token->integer);
    token->kind = TOKEN_NUMBER;
    tokens->at = after;
    return STATUS_OK;
}

struct word {
    const char *text;
    struct token token;
};

static enum status read_word(struct tokens *tokens, struct token *token)
{
    static const struct word words[] = {
        {"null", {.kind = TOKEN_NULL}},
        {"true", {.kind = TOKEN_BOOL, .boolean = true, .integer = 1}},
        {"false", {.kind = TOKEN_BOOL}},
        {"NaN", {.kind = TOKEN_NUMBER, .real = NAN}},
        {"Infinity", {.kind = TOKEN_NUMBER, .real = INFINITY}},
        {"-Infinity", {.kind = TOKEN_NUMBER, .real = -INFINITY}},
    };
    size_t left = (size_t)(tokens->end - tokens->at);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        size_t size = strlen(words[i].text);
        if (left >= size && memcmp(tokens->at, words[i].text, size) == 0) {
            *token = words[i].token;
            tokens->at += size;
            return STATUS_OK;
        }
    }
    return read_number(tokens, token);
}

static enum status read_value(struct tokens *tokens, struct token *token)
{
    struct token_frame *frame;
    switch (*tokens->at) {
    case '{':
    case '[': {
        bool object = *tokens->at == '{';
        enum status status = tokens_open(tokens, object, token, &frame);
        if (!status)
            tokens->at++;
        return status;
    }
    case '"':
        return read_string(tokens, TOKEN_STRING, token);
    default:
        return read_word(tokens, token);
    }
}

static enum status read_key(struct tokens *tokens, struct token_frame *frame, struct token *token)
{
    if (*tokens->at != '"')
        return tokens_error(tokens, "a key in quotes was expected");
    enum status status = read_string(tokens, TOKEN_KEY, token);
    if (status)
        return status;
    skip_space(tokens);
    if (tokens->at == tokens->end || *tokens->at != ':')
        return tokens_error(tokens, "':' was expected after a key");
    tokens->at++;
    frame->key_read = true;
    return STATUS_OK;
}

enum status tokens_json_next(struct tokens *tokens, struct token *token)
{
    skip_space(tokens);
    if (tokens->done)
        return tokens->at == tokens->end ? STATUS_OK
                                         : tokens_error(tokens, "something follows the document");
    if (tokens->at == tokens->end)
        return tokens_error(tokens, "it ends too early");
    struct token_frame *frame = tokens_frame(tokens);
    if (!frame)
        return read_value(tokens, token);
    if (frame->key_read) {
        frame->key_read = false;
        return read_value(tokens, token);
    }
    if (*tokens->at == (frame->object ? '}' : ']')) {
        tokens->at++;
        return tokens_close(tokens, token);
    }
    if (frame->started) {
        if (*tokens->at != ',')
            return tokens_error(tokens, "',' or '%c' was expected", frame->object ? '}' : ']');
        tokens->at++;
        skip_space(tokens);
        if (tokens->at == tokens->end)
            return tokens_error(tokens, "it ends too early");
    }
    frame->started = true;
    return frame->object ? read_key(tokens, frame, token) : read_value(tokens, token);
}
