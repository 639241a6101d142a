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

static const uint8_t *after_space(const uint8_t *at, const uint8_t *end)
{
    while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
        at++;
    return at;
}

/* What people hand over instead, told by how it begins. */
static enum status neither(struct slice bytes, struct error *error)
{
    static const struct {
        struct slice begin;
        const char *what;
    } known[] = {
        {{"\x1f\x8b", 2}, "it is compressed by gzip: unpack it first"},
        {{"PK\3\4", 4}, "it is a zip archive: unpack it first"},
        {{"\x80", 1}, "it may be a Python pickle: save the model with save_model()"},
        {{"tree\n", 5}, "it looks like LightGBM's: only XGBoost's models can be scored"},
        {{"binf", 4},
         "it is XGBoost's old binary format: load it with the version that wrote it and "
         "save it as .json or .ubj"},
    };
    const char *what = bytes.size ? "it must begin with '{'; XGBoost's old binary format is not "
                                    "read: save the model as .json or .ubj"
                                  : "it is empty";
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (bytes.size >= known[i].begin.size &&
            memcmp(bytes.data, known[i].begin.data, known[i].begin.size) == 0)
            what = known[i].what;
    return error_set(error, STATUS_INVALID, "byte 1: neither JSON nor UBJSON: %s", what);
}

enum status tokens_init(struct tokens *tokens, struct slice bytes, struct error *error)
{
    const uint8_t *data = (const uint8_t *)bytes.data;
    *tokens = (struct tokens){.start = data, .at = data, .end = data + bytes.size, .error = error};
    buffer_init(&tokens->text, TOKENS_MAX_TEXT);
    const uint8_t *at = after_space(data, tokens->end);
    if (at == tokens->end || *at != '{')
        return neither(bytes, error);
    at = after_space(at + 1, tokens->end);
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
