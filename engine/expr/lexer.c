/* Text of an expression to tokens. Used while compiling, by one thread. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/base/number.h"
#include "engine/base/utf8.h"
#include "engine/expr/expr_priv.h"

enum status place_error(struct error *error, int line, int column, const char *format, ...)
{
    char message[sizeof error->message];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    return error_set(error, STATUS_INVALID, "%d:%d: %s", line, column, message);
}

static bool is_letter(char character)
{
    return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
           character == '_';
}

static bool is_digit(char character)
{
    return character >= '0' && character <= '9';
}

/* Past `size` bytes, counting lines and characters. */
static void advance(struct lexer *lexer, size_t size)
{
    for (; size > 0; size--, lexer->at++) {
        if (*lexer->at == '\n') {
            lexer->line++;
            lexer->column = 1;
        } else if (((unsigned char)*lexer->at & 0xc0) != 0x80) {
            lexer->column++;
        }
    }
}

static void skip_space(struct lexer *lexer)
{
    advance(lexer, strspn(lexer->at, " \t\r\n"));
}

static enum status bad(const struct lexer *lexer, const char *what, struct slice text)
{
    return place_error(lexer->error, lexer->line, lexer->column, "%s \"%.*s\"", what,
                       (int)(text.size < 60 ? text.size : 60), text.data);
}

/* Digits, point, exponent, and letters that belong to it, to be judged as a whole. */
static size_t number_size(const char *text)
{
    size_t size = 0;
    while (is_digit(text[size]) || text[size] == '.' || is_letter(text[size])) {
        bool exponent = (text[size] == 'e' || text[size] == 'E') && size > 0;
        size++;
        if (exponent && (text[size] == '-' || text[size] == '+') && is_digit(text[size + 1]))
            size++;
    }
    return size;
}

static enum status take_number(struct lexer *lexer, struct token *token)
{
    token->kind = TOKEN_NUMBER;
    token->text = slice_make(lexer->at, number_size(lexer->at));
    int64_t duration_us;
    if (duration_parse(token->text, &duration_us))
        token->number = (double)duration_us / (double)US_PER_S;
    else if (!number_parse(token->text, &token->number))
        return bad(lexer, "not a number or duration (such as 5m, 12h or 7d):", token->text);
    if (token->number - token->number != 0) /* infinite */
        return bad(lexer, "too large a number:", token->text);
    advance(lexer, token->text.size);
    return STATUS_OK;
}

/* Behind the opening quote. A backslash takes the quote or another backslash as it is; before
 * anything else it stands for itself, so that patterns need no doubling. */
static enum status take_quoted(struct lexer *lexer, struct token *token)
{
    char quote = *lexer->at;
    const char *end = lexer->at + 1;
    while (*end && *end != quote)
        end += *end == '\\' && (end[1] == quote || end[1] == '\\') ? 2 : 1;
    if (!*end)
        return place_error(lexer->error, lexer->line, lexer->column, "this %s is not closed",
                           quote == '`' ? "name" : "text");
    char *text = arena_alloc(lexer->arena, (size_t)(end - lexer->at));
    if (!text)
        return error_set(lexer->error, STATUS_MEMORY, "out of memory");
    size_t size = 0;
    for (const char *from = lexer->at + 1; from < end; from++) {
        if (*from == '\\' && (from[1] == quote || from[1] == '\\'))
            from++;
        text[size++] = *from;
    }
    text[size] = '\0'; /* patterns need it */
    token->kind = quote == '`' ? TOKEN_QUOTED_NAME : TOKEN_STRING;
    token->text = slice_make(text, size);
    advance(lexer, (size_t)(end + 1 - lexer->at));
    return STATUS_OK;
}

/* Letters, digits and underscores in parts joined by dots. */
static void take_name(struct lexer *lexer, struct token *token)
{
    size_t size = 0;
    while (is_letter(lexer->at[size]) || is_digit(lexer->at[size]) ||
           (lexer->at[size] == '.' && is_letter(lexer->at[size + 1])))
        size++;
    token->kind = TOKEN_NAME;
    token->text = slice_make(lexer->at, size);
    advance(lexer, size);
}

static const char *const signs[] = {"==", "!=", "<=", ">=", "<", ">", "+", "-",
                                    "*",  "/",  "%",  "(",  ")", "[", "]", ","};

/* What people write who come from another language. */
static const struct {
    const char *text, *hint;
} foreign[] = {
    {"&&", "write \"and\""},  {"||", "write \"or\""},
    {"<>", "write \"!=\""},   {"**", "write pow(x, y)"},
    {"=", "write \"==\""},    {"!", "write \"not\""},
    {"^", "write pow(x, y)"}, {"?", "write if(condition, a, b)"},
};

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static enum status take_sign(struct lexer *lexer, struct token *token)
{
    const char *hint = NULL;
    size_t hinted = 0;
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0] && !hint; i++)
        if (begins(lexer->at, foreign[i].text)) {
            hint = foreign[i].hint;
            hinted = strlen(foreign[i].text);
        }
    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++) {
        size_t size = strlen(signs[i]);
        if (!begins(lexer->at, signs[i]) || (hint && hinted >= size))
            continue;
        token->kind = TOKEN_SIGN;
        token->text = slice_make(lexer->at, size);
        advance(lexer, size);
        return STATUS_OK;
    }
    if (hint)
        return place_error(lexer->error, lexer->line, lexer->column, "unknown sign \"%.*s\"; %s",
                           (int)hinted, lexer->at, hint);
    size_t size = utf8_length(slice_of(lexer->at));
    return bad(lexer, "unexpected character", slice_make(lexer->at, size ? size : 1));
}

enum status lexer_next(struct lexer *lexer, struct token *token)
{
    skip_space(lexer);
    *token = (struct token){.kind = TOKEN_END,
                            .text = slice_make(lexer->at, 0),
                            .line = lexer->line,
                            .column = lexer->column};
    char first = *lexer->at;
    if (first == '\0')
        return STATUS_OK;
    if (is_digit(first) || (first == '.' && is_digit(lexer->at[1])))
        return take_number(lexer, token);
    if (first == '"' || first == '\'' || first == '`')
        return take_quoted(lexer, token);
    if (is_letter(first)) {
        take_name(lexer, token);
        return STATUS_OK;
    }
    return take_sign(lexer, token);
}
