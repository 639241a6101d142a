/* What the parser stands on: the token at hand, operations and constants as they are emitted, names
 * looked up in the scope. Used while compiling, by one thread. */
#include "engine/expr/compiler_priv.h"

#include <stdio.h>

#include "engine/base/clock.h"
#include "engine/base/yaml.h"

enum status compiler_next(struct compiler *compiler)
{
    return lexer_next(&compiler->lexer, &compiler->token);
}

bool token_is_word(const struct token *token, const char *word)
{
    return token->kind == TOKEN_NAME && slice_is(token->text, word);
}

bool token_is_sign(const struct token *token, const char *sign)
{
    return token->kind == TOKEN_SIGN && slice_is(token->text, sign);
}

enum status compiler_unexpected(struct compiler *compiler, const char *wanted)
{
    const struct token *token = &compiler->token;
    if (token->kind == TOKEN_END)
        return fail_at(compiler, token, "expected %s, found the end", wanted);
    return fail_at(compiler, token, "expected %s, found \"%.*s\"", wanted,
                   (int)(token->text.size < 60 ? token->text.size : 60), token->text.data);
}

enum status compiler_expect(struct compiler *compiler, const char *sign)
{
    if (token_is_sign(&compiler->token, sign))
        return compiler_next(compiler);
    char wanted[16];
    snprintf(wanted, sizeof wanted, "\"%s\"", sign);
    return compiler_unexpected(compiler, wanted);
}

/* `grows` is what the operation leaves on the stack less what it takes. There is always room: the
 * arrays were made for twice as many operations as the text has bytes. */
size_t compiler_emit(struct compiler *compiler, enum op_code code, size_t n, size_t operand,
                     int grows)
{
    struct expr *expr = compiler->expr;
    expr->ops[expr->n_ops] =
        (struct op){.code = (uint16_t)code, .n = (uint16_t)n, .operand = (uint32_t)operand};
    compiler->depth += grows;
    return expr->n_ops++;
}

void compiler_land(struct compiler *compiler, size_t jump)
{
    compiler->expr->ops[jump].operand = (uint32_t)compiler->expr->n_ops;
}

enum status compiler_push(struct compiler *compiler, enum op_code code, size_t n, size_t operand)
{
    if (compiler->depth == MAX_DEPTH)
        return fail_at(compiler, &compiler->token, "too deep: more than %d values at once",
                       MAX_DEPTH);
    compiler_emit(compiler, code, n, operand, 1);
    return STATUS_OK;
}

size_t compiler_add_constant(struct compiler *compiler, struct value value)
{
    struct expr *expr = compiler->expr;
    expr->constants[expr->n_constants] = value;
    return expr->n_constants++;
}

/* The constant of a part that is one literal and ends before operation `end`, else NULL. */
struct value *compiler_literal(struct compiler *compiler, const struct part *part, size_t end)
{
    struct expr *expr = compiler->expr;
    const struct op *op = &expr->ops[part->start];
    bool single = part->start + 1 == end && op->code == OP_CONSTANT;
    return single ? &expr->constants[op->operand] : NULL;
}

/* Text where a time is wanted is read as one, once. */
enum status compiler_read_time(struct compiler *compiler, struct value *literal,
                               const struct token *token)
{
    int64_t time_us;
    if (!time_parse(literal->string, &time_us))
        return fail_at(compiler, token, "\"%.*s\" is not a time such as 2018-08-08T10:00:00Z",
                       (int)(literal->string.size < 60 ? literal->string.size : 60),
                       literal->string.data);
    *literal = value_time(time_us);
    return STATUS_OK;
}

/* Makes a text literal a time where one is wanted. */
enum status compiler_adapt(struct compiler *compiler, struct part *part, size_t end,
                           enum value_type wanted)
{
    struct value *literal = compiler_literal(compiler, part, end);
    if (wanted != VALUE_TIME || part->type != VALUE_STRING || !literal)
        return STATUS_OK;
    part->type = VALUE_TIME;
    return compiler_read_time(compiler, literal, &part->token);
}

bool type_fits(enum value_type type, enum value_type wanted)
{
    return type == wanted || type == VALUE_NULL || wanted == VALUE_NULL;
}

static const struct expr_function *find_in(const struct expr_function *functions, size_t n,
                                           struct slice name)
{
    for (size_t i = 0; i < n; i++)
        if (slice_is(name, functions[i].name))
            return &functions[i];
    return NULL;
}

const struct expr_function *compiler_find_function(const struct expr_scope *scope,
                                                   struct slice name)
{
    const struct expr_function *own = find_in(scope->functions, scope->n_functions, name);
    if (own)
        return own;
    size_t n_builtins;
    const struct expr_function *builtins = expr_builtins(&n_builtins);
    return find_in(builtins, n_builtins, name);
}

const struct expr_symbol *compiler_find_symbol(const struct expr_scope *scope, struct slice name)
{
    for (size_t i = 0; i < scope->n_symbols; i++)
        if (slice_is(name, scope->symbols[i].name))
            return &scope->symbols[i];
    return NULL;
}

static enum status unknown(struct compiler *compiler, const struct token *name, const char *kind,
                           const char *const *candidates, size_t n_candidates)
{
    char word[65];
    snprintf(word, sizeof word, "%.*s", (int)name->text.size, name->text.data);
    const char *nearest = nearest_word(word, candidates, n_candidates);
    if (nearest)
        return fail_at(compiler, name, "unknown %s \"%s\"; did you mean \"%s\"?", kind, word,
                       nearest);
    return fail_at(compiler, name, "unknown %s \"%s\"", kind, word);
}

enum status compiler_unknown_function(struct compiler *compiler, const struct token *name)
{
    if (compiler_find_symbol(compiler->scope, name->text))
        return fail_at(compiler, name, "\"%.*s\" is not a function", (int)name->text.size,
                       name->text.data);
    const char *candidates[128];
    size_t n = 0, n_builtins;
    const struct expr_function *builtins = expr_builtins(&n_builtins);
    for (size_t i = 0; i < n_builtins && n < 128; i++)
        candidates[n++] = builtins[i].name;
    for (size_t i = 0; i < compiler->scope->n_functions && n < 128; i++)
        candidates[n++] = compiler->scope->functions[i].name;
    return unknown(compiler, name, "function", candidates, n);
}

enum status compiler_unknown_name(struct compiler *compiler, const struct token *name)
{
    static const char *const words[] = {"and", "or", "not", "in", "is", "null", "true", "false"};
    size_t n_words = sizeof words / sizeof words[0];
    const struct expr_scope *scope = compiler->scope;
    if (compiler_find_function(scope, name->text))
        return fail_at(compiler, name, "\"%.*s\" is a function: write %.*s(...)",
                       (int)name->text.size, name->text.data, (int)name->text.size,
                       name->text.data);
    const char **candidates =
        arena_alloc(compiler->expr->arena, (scope->n_symbols + n_words) * sizeof *candidates);
    size_t n = 0;
    for (size_t i = 0; candidates && i < scope->n_symbols; i++)
        candidates[n++] = scope->symbols[i].name;
    for (size_t i = 0; candidates && i < n_words && name->kind == TOKEN_NAME; i++)
        candidates[n++] = words[i];
    return unknown(compiler, name, "name", candidates, n);
}
