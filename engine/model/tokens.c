/* What both formats share: nesting, texts, skipping, and saying where something is wrong. One
 * document is read by one thread. */
#include "engine/model/tokens.h"

#include <stdarg.h>
#include <stdio.h>

#include "engine/base/utf8.h"
#include "engine/model/tokens_priv.h"

enum status tokens_error(const struct tokens *tokens, const char *format, ...)
{
    char message[400];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    return error_set(tokens->error, STATUS_INVALID, "byte %zu: %s",
                     (size_t)(tokens->at - tokens->start) + 1, message);
}

enum status tokens_init(struct tokens *tokens, struct slice bytes, struct error *error)
{
    const uint8_t *data = (const uint8_t *)bytes.data;
    *tokens = (struct tokens){.start = data, .at = data, .end = data + bytes.size, .error = error};
    buffer_init(&tokens->text, TOKENS_MAX_TEXT);
    const uint8_t *at = data;
    while (at < tokens->end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
        at++;
    if (at == tokens->end || *at != '{')
        return error_set(error, STATUS_INVALID, "neither JSON nor UBJSON: it must begin with '{'");
    at++;
    while (at < tokens->end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
        at++;
    tokens->ubjson = at < tokens->end && *at != '"' && *at != '}';
    return STATUS_OK;
}

void tokens_free(struct tokens *tokens)
{
    buffer_free(&tokens->text);
}

enum status tokens_next(struct tokens *tokens, struct token *token)
{
    *token = (struct token){0};
    return tokens->ubjson ? tokens_ubjson_next(tokens, token) : tokens_json_next(tokens, token);
}

enum status tokens_skip(struct tokens *tokens, const struct token *first)
{
    if (first->kind != TOKEN_OBJECT && first->kind != TOKEN_ARRAY)
        return STATUS_OK;
    int outside = tokens->depth - 1;
    while (tokens->depth > outside) {
        struct token token;
        enum status status = tokens_next(tokens, &token);
        if (status)
            return status;
    }
    return STATUS_OK;
}

enum status tokens_open(struct tokens *tokens, bool object, struct token *token,
                        struct token_frame **frame)
{
    if (tokens->depth == TOKENS_MAX_DEPTH)
        return tokens_error(tokens, "nested deeper than %d", TOKENS_MAX_DEPTH);
    *frame = &tokens->frames[tokens->depth++];
    **frame = (struct token_frame){.object = object};
    token->kind = object ? TOKEN_OBJECT : TOKEN_ARRAY;
    return STATUS_OK;
}

enum status tokens_close(struct tokens *tokens, struct token *token)
{
    token->kind = tokens_frame(tokens)->object ? TOKEN_OBJECT_END : TOKEN_ARRAY_END;
    tokens->depth--;
    if (tokens->depth == 0)
        tokens->done = true;
    return STATUS_OK;
}

enum status tokens_text(struct tokens *tokens, struct slice text, enum token_kind kind,
                        struct token *token)
{
    if (text.size && memchr(text.data, 0, text.size))
        return tokens_error(tokens, "a zero byte within a string");
    if (!utf8_is_valid(text))
        return tokens_error(tokens, "a string that is not UTF-8");
    token->kind = kind;
    token->text = text;
    return STATUS_OK;
}
