/* Universal Binary JSON (draft 12, ubjson.org) token by token. Everything is big endian; lengths
 * and counts are checked against the bytes that are left before anything is done with them. */
#include "engine/model/tokens_priv.h"

/* The size of a value whose type is `marker`, or 0 for those without a fixed one. */
static size_t fixed_size(uint8_t marker)
{
    switch (marker) {
    case 'i':
    case 'U':
    case 'C':
        return 1;
    case 'I':
        return 2;
    case 'l':
    case 'd':
        return 4;
    case 'L':
    case 'D':
        return 8;
    default:
        return 0;
    }
}

static size_t bytes_left(const struct tokens *tokens)
{
    return (size_t)(tokens->end - tokens->at);
}

static uint64_t big_endian(const uint8_t *at, size_t size)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++)
        value = value << 8 | at[i];
    return value;
}

static int64_t signed_value(uint8_t marker, uint64_t bits)
{
    switch (marker) {
    case 'i':
        return (int8_t)bits;
    case 'I':
        return (int16_t)bits;
    case 'l':
        return (int32_t)bits;
    default:
        return (int64_t)bits;
    }
}

static enum status read_number(struct tokens *tokens, uint8_t marker, struct token *token)
{
    size_t size = fixed_size(marker);
    if (bytes_left(tokens) < size)
        return tokens_error(tokens, "it ends within a number");
    uint64_t bits = big_endian(tokens->at, size);
    token->kind = TOKEN_NUMBER;
    if (marker == 'd') {
        uint32_t low = (uint32_t)bits;
        memcpy(&token->real, &low, sizeof token->real);
    } else if (marker == 'D') {
        double number;
        memcpy(&number, &bits, sizeof number);
        token->real = (float)number;
    } else {
        token->integer = signed_value(marker, bits);
        token->real = (float)token->integer;
        token->is_integer = true;
    }
    tokens->at += size;
    return STATUS_OK;
}

/* A length: an integer value with its marker, not negative. */
static enum status read_length(struct tokens *tokens, uint64_t *length)
{
    if (tokens->at == tokens->end)
        return tokens_error(tokens, "it ends where a length was expected");
    uint8_t marker = *tokens->at++;
    if (!memchr("iUIlL", marker, 5))
        return tokens_error(tokens, "a length must be an integer");
    struct token number;
    enum status status = read_number(tokens, marker, &number);
    if (status)
        return status;
    if (number.integer < 0)
        return tokens_error(tokens, "a negative length");
    *length = (uint64_t)number.integer;
    return STATUS_OK;
}

static enum status read_text(struct tokens *tokens, enum token_kind kind, struct token *token)
{
    uint64_t length;
    enum status status = read_length(tokens, &length);
    if (status)
        return status;
    if (length > bytes_left(tokens))
        return tokens_error(tokens, "a string of %llu bytes where %zu are left",
                            (unsigned long long)length, bytes_left(tokens));
    struct slice text = slice_make(tokens->at, (size_t)length);
    tokens->at += length;
    return tokens_text(tokens, text, kind, token);
}

/* After '{' or '[': the optional "$type" and "#count". */
static enum status read_header(struct tokens *tokens, struct token_frame *frame)
{
    if (bytes_left(tokens) >= 2 && *tokens->at == '$') {
        frame->type = tokens->at[1];
        if (!fixed_size(frame->type) && frame->type != 'S')
            return tokens_error(tokens, "an array of items of type 0x%02x", frame->type);
        tokens->at += 2;
        if (tokens->at == tokens->end || *tokens->at != '#')
            return tokens_error(tokens, "'#' and a count must follow a type");
    }
    if (tokens->at == tokens->end || *tokens->at != '#')
        return STATUS_OK;
    tokens->at++;
    frame->counted = true;
    enum status status = read_length(tokens, &frame->left);
    if (status)
        return status;
    /* Every item takes at least a byte, or its type's size. */
    size_t least = fixed_size(frame->type) ? fixed_size(frame->type) : 1;
    if (frame->left > bytes_left(tokens) / least)
        return tokens_error(tokens, "%llu items where %zu bytes are left",
                            (unsigned long long)frame->left, bytes_left(tokens));
    return STATUS_OK;
}

static enum status read_value(struct tokens *tokens, uint8_t marker, struct token *token)
{
    switch (marker) {
    case '{':
    case '[': {
        struct token_frame *frame;
        enum status status = tokens_open(tokens, marker == '{', token, &frame);
        return status ? status : read_header(tokens, frame);
    }
    case 'S':
        return read_text(tokens, TOKEN_STRING, token);
    case 'C':
        if (tokens->at == tokens->end)
            return tokens_error(tokens, "it ends within a character");
        tokens->at++;
        return tokens_text(tokens, slice_make(tokens->at - 1, 1), TOKEN_STRING, token);
    case 'Z':
        token->kind = TOKEN_NULL;
        return STATUS_OK;
    case 'T':
    case 'F':
        token->kind = TOKEN_BOOL;
        token->boolean = marker == 'T';
        token->integer = token->boolean;
        return STATUS_OK;
    default:
        if (fixed_size(marker))
            return read_number(tokens, marker, token);
        tokens->at--;
        return tokens_error(tokens, "an unknown marker 0x%02x", marker);
    }
}

static enum status read_marked(struct tokens *tokens, uint8_t type, struct token *token)
{
    if (type)
        return read_value(tokens, type, token);
    if (tokens->at == tokens->end)
        return tokens_error(tokens, "it ends too early");
    return read_value(tokens, *tokens->at++, token);
}

static void skip_noops(struct tokens *tokens)
{
    while (tokens->at < tokens->end && *tokens->at == 'N')
        tokens->at++;
}

/* What begins the next item of the innermost container, or its end. */
static enum status next_item(struct tokens *tokens, struct token_frame *frame, struct token *token)
{
    if (frame->counted) {
        if (frame->left == 0)
            return tokens_close(tokens, token);
        frame->left--;
    } else {
        if (tokens->at == tokens->end)
            return tokens_error(tokens, "it ends too early");
        if (*tokens->at == (frame->object ? '}' : ']')) {
            tokens->at++;
            return tokens_close(tokens, token);
        }
    }
    if (!frame->object)
        return read_marked(tokens, frame->type, token);
    frame->key_read = true;
    return read_text(tokens, TOKEN_KEY, token);
}

enum status tokens_ubjson_next(struct tokens *tokens, struct token *token)
{
    struct token_frame *frame = tokens_frame(tokens);
    if (!frame || !frame->type)
        skip_noops(tokens);
    if (tokens->done)
        return tokens->at == tokens->end ? STATUS_OK
                                         : tokens_error(tokens, "something follows the document");
    if (!frame)
        return read_marked(tokens, 0, token);
    if (frame->key_read) {
        frame->key_read = false;
        return read_marked(tokens, frame->type, token);
    }
    return next_item(tokens, frame, token);
}
