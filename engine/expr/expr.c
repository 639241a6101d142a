/* Compiling an expression: recursive descent over the tokens, checking types on the way and
 * emitting operations in postfix order, so that no tree is ever built. Compiling is for one
 * thread; the result is immutable.
 *
 *   or      = and { "or" and }
 *   and     = not { "and" not }
 *   not     = "not" not | test
 *   test    = sum [ ("==" | "!=" | "<" | "<=" | ">" | ">=") sum
 *                 | ["not"] "in" "[" literal { "," literal } "]" | "is" ["not"] "null" ]
 *   sum     = product { ("+" | "-") product }
 *   product = unary { ("*" | "/" | "%") unary }
 *   unary   = "-" unary | primary
 *   primary = literal | name | name "(" or { "," or } ")" | "(" or ")" */
#include "engine/expr/expr.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/base/yaml.h"
#include "engine/expr/expr_priv.h"

#define MAX_MEMORY ((size_t)16 << 20)

struct compiler {
    struct expr *expr;
    const struct expr_scope *scope;
    struct lexer lexer;
    struct token token; /* the one to be read next */
    int nesting;
    int depth; /* values on the stack where the program now ends */
    struct error *error;
};

/* A part of the expression that has been compiled. */
struct part {
    enum value_type type;
    size_t start; /* its first operation */
    struct token token;
};

static enum status parse_or(struct compiler *compiler, struct part *part);

#define fail_at(compiler, at, ...)                                                                 \
    place_error((compiler)->error, (at)->line, (at)->column, __VA_ARGS__)

static enum status next(struct compiler *compiler)
{
    return lexer_next(&compiler->lexer, &compiler->token);
}

static bool is_word(const struct token *token, const char *word)
{
    return token->kind == TOKEN_NAME && slice_is(token->text, word);
}

static bool is_sign(const struct token *token, const char *sign)
{
    return token->kind == TOKEN_SIGN && slice_is(token->text, sign);
}

static enum status unexpected(struct compiler *compiler, const char *wanted)
{
    const struct token *token = &compiler->token;
    if (token->kind == TOKEN_END)
        return fail_at(compiler, token, "expected %s, found the end", wanted);
    return fail_at(compiler, token, "expected %s, found \"%.*s\"", wanted,
                   (int)(token->text.size < 60 ? token->text.size : 60), token->text.data);
}

static enum status expect_sign(struct compiler *compiler, const char *sign)
{
    if (is_sign(&compiler->token, sign))
        return next(compiler);
    char wanted[16];
    snprintf(wanted, sizeof wanted, "\"%s\"", sign);
    return unexpected(compiler, wanted);
}

/* `grows` is what the operation leaves on the stack less what it takes. There is always room: the
 * arrays were made for twice as many operations as the text has bytes. */
static size_t emit(struct compiler *compiler, enum op_code code, size_t n, size_t operand,
                   int grows)
{
    struct expr *expr = compiler->expr;
    expr->ops[expr->n_ops] =
        (struct op){.code = (uint16_t)code, .n = (uint16_t)n, .operand = (uint32_t)operand};
    compiler->depth += grows;
    return expr->n_ops++;
}

static void land(struct compiler *compiler, size_t jump)
{
    compiler->expr->ops[jump].operand = (uint32_t)compiler->expr->n_ops;
}

static enum status push(struct compiler *compiler, enum op_code code, size_t n, size_t operand)
{
    if (compiler->depth == MAX_DEPTH)
        return fail_at(compiler, &compiler->token, "too deep: more than %d values at once",
                       MAX_DEPTH);
    emit(compiler, code, n, operand, 1);
    return STATUS_OK;
}

static size_t add_constant(struct compiler *compiler, struct value value)
{
    struct expr *expr = compiler->expr;
    expr->constants[expr->n_constants] = value;
    return expr->n_constants++;
}

/* The constant of a part that is one literal and ends before operation `end`, else NULL. */
static struct value *literal_of(struct compiler *compiler, const struct part *part, size_t end)
{
    struct expr *expr = compiler->expr;
    const struct op *op = &expr->ops[part->start];
    bool single = part->start + 1 == end && op->code == OP_CONSTANT;
    return single ? &expr->constants[op->operand] : NULL;
}

/* Text where a time is wanted is read as one, once. */
static enum status literal_to_time(struct compiler *compiler, struct value *literal,
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
static enum status adapt(struct compiler *compiler, struct part *part, size_t end,
                         enum value_type wanted)
{
    struct value *literal = literal_of(compiler, part, end);
    if (wanted != VALUE_TIME || part->type != VALUE_STRING || !literal)
        return STATUS_OK;
    part->type = VALUE_TIME;
    return literal_to_time(compiler, literal, &part->token);
}

static bool fits(enum value_type type, enum value_type wanted)
{
    return type == wanted || type == VALUE_NULL || wanted == VALUE_NULL;
}

static bool read_literal(const struct token *token, struct value *value)
{
    if (token->kind == TOKEN_NUMBER)
        *value = value_number(token->number);
    else if (token->kind == TOKEN_STRING)
        *value = value_string(token->text);
    else if (is_word(token, "true") || is_word(token, "false"))
        *value = value_bool(is_word(token, "true"));
    else if (is_word(token, "null"))
        *value = value_null();
    else
        return false;
    return true;
}

static bool is_reserved(const struct token *token)
{
    static const char *const words[] = {"and", "or", "not", "in", "is"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (is_word(token, words[i]))
            return true;
    return false;
}

static const struct expr_function *find_in(const struct expr_function *functions, size_t n,
                                           struct slice name)
{
    for (size_t i = 0; i < n; i++)
        if (slice_is(name, functions[i].name))
            return &functions[i];
    return NULL;
}

static const struct expr_function *find_function(const struct expr_scope *scope, struct slice name)
{
    const struct expr_function *own = find_in(scope->functions, scope->n_functions, name);
    if (own)
        return own;
    size_t n_builtins;
    const struct expr_function *builtins = expr_builtins(&n_builtins);
    return find_in(builtins, n_builtins, name);
}

static const struct expr_symbol *find_symbol(const struct expr_scope *scope, struct slice name)
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

static enum status unknown_function(struct compiler *compiler, const struct token *name)
{
    if (find_symbol(compiler->scope, name->text))
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

static enum status unknown_name(struct compiler *compiler, const struct token *name)
{
    static const char *const words[] = {"and", "or", "not", "in", "is", "null", "true", "false"};
    size_t n_words = sizeof words / sizeof words[0];
    const struct expr_scope *scope = compiler->scope;
    if (find_function(scope, name->text))
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

static enum status parse_name(struct compiler *compiler, struct part *part)
{
    const struct expr_symbol *symbol = find_symbol(compiler->scope, compiler->token.text);
    if (!symbol)
        return unknown_name(compiler, &compiler->token);
    assert(symbol->type != VALUE_NULL && symbol->slot >= 0);
    part->type = symbol->type;
    enum status status = push(compiler, OP_SLOT, symbol->type, (size_t)symbol->slot);
    return status ? status : next(compiler);
}

/* Behind "(": the arguments up to and with ")". */
static enum status parse_arguments(struct compiler *compiler, const struct expr_function *function,
                                   struct part *parts, int *n_parts)
{
    *n_parts = 0;
    bool more = !is_sign(&compiler->token, ")");
    while (more) {
        if (*n_parts == function->max_args)
            return fail_at(compiler, &compiler->token, "%s() takes %s%d argument%s", function->name,
                           function->min_args == function->max_args ? "only " : "at most ",
                           function->max_args, function->max_args == 1 ? "" : "s");
        struct part *part = &parts[*n_parts];
        enum status status = parse_or(compiler, part);
        if (status)
            return status;
        enum value_type wanted = function->args[*n_parts];
        status = adapt(compiler, part, compiler->expr->n_ops, wanted);
        if (status)
            return status;
        if (!fits(part->type, wanted))
            return fail_at(compiler, &part->token, "argument %d of %s() must be %s, found %s",
                           *n_parts + 1, function->name, value_type_name(wanted),
                           value_type_name(part->type));
        ++*n_parts;
        more = is_sign(&compiler->token, ",");
        status = more ? next(compiler) : STATUS_OK;
        if (status)
            return status;
    }
    return expect_sign(compiler, ")");
}

static enum status too_few(struct compiler *compiler, const struct expr_function *function,
                           const struct token *name, int n)
{
    if (n >= function->min_args)
        return STATUS_OK;
    return fail_at(compiler, name, "%s() takes %s%d argument%s, found %d", function->name,
                   function->min_args == function->max_args ? "" : "at least ", function->min_args,
                   function->min_args == 1 ? "" : "s", n);
}

/* The literals among the arguments, for bind; those that must be literals are. */
static enum status collect_literals(struct compiler *compiler, const struct expr_function *function,
                                    const struct part *parts, int n, struct value *literals)
{
    for (int i = 0; i < n; i++) {
        size_t end = i + 1 < n ? parts[i + 1].start : compiler->expr->n_ops;
        const struct value *literal = literal_of(compiler, &parts[i], end);
        literals[i] = literal ? *literal : value_null();
        if ((function->literal_args >> i & 1) && literals[i].type == VALUE_NULL)
            return fail_at(compiler, &parts[i].token, "argument %d of %s() must be a literal",
                           i + 1, function->name);
    }
    return STATUS_OK;
}

static enum status bind_call(struct compiler *compiler, const struct expr_function *function,
                             const struct part *parts, int n, const struct token *name,
                             struct call *call)
{
    struct value literals[EXPR_MAX_ARGS];
    enum status status = collect_literals(compiler, function, parts, n, literals);
    if (status)
        return status;
    *call = (struct call){.function = *function, .bound = function->context};
    if (!function->bind)
        return STATUS_OK;
    struct error why = {0};
    status = function->bind(function->context, literals, n, &call->bound, &why);
    if (!status)
        return STATUS_OK;
    const struct token *at = name;
    for (int i = 0; i < n && at == name; i++)
        if (function->literal_args >> i & 1)
            at = &parts[i].token;
    return fail_at(compiler, at, "%s", why.message);
}

static enum status parse_call(struct compiler *compiler, const struct expr_function *function,
                              const struct token *name, struct part *part)
{
    struct part parts[EXPR_MAX_ARGS];
    int n;
    enum status status = parse_arguments(compiler, function, parts, &n);
    if (!status)
        status = too_few(compiler, function, name, n);
    if (status)
        return status;
    part->type = function->result;
    if (!function->call) { /* lower, upper */
        emit(compiler, slice_is(name->text, "lower") ? OP_LOWER : OP_UPPER, 0, 0, 0);
        return STATUS_OK;
    }
    assert(function->result != VALUE_NULL);
    if (n == 0 && compiler->depth == MAX_DEPTH)
        return fail_at(compiler, name, "too deep: more than %d values at once", MAX_DEPTH);
    struct expr *expr = compiler->expr;
    status = bind_call(compiler, function, parts, n, name, &expr->calls[expr->n_calls]);
    if (status)
        return status;
    emit(compiler, OP_CALL, (size_t)n, expr->n_calls++, 1 - n);
    return STATUS_OK;
}

/* Alternatives must agree on their type; null agrees with all. */
static enum status unify(struct compiler *compiler, const char *function, struct part *all,
                         const struct part *one)
{
    if (!fits(one->type, all->type))
        return fail_at(compiler, &one->token,
                       "the alternatives of %s() must be of one type, found %s and %s", function,
                       value_type_name(all->type), value_type_name(one->type));
    if (all->type == VALUE_NULL)
        all->type = one->type;
    return STATUS_OK;
}

static enum status parse_if(struct compiler *compiler, const struct expr_function *function,
                            const struct token *name, struct part *part)
{
    (void)function;
    struct part condition, yes, no;
    enum status status = parse_or(compiler, &condition);
    if (!status && !fits(condition.type, VALUE_BOOL))
        return fail_at(compiler, &condition.token, "argument 1 of if() must be bool, found %s",
                       value_type_name(condition.type));
    if (!status && is_sign(&compiler->token, ")"))
        return fail_at(compiler, name, "if() takes 3 arguments, found 1");
    if (!status)
        status = expect_sign(compiler, ",");
    if (status)
        return status;
    size_t to_no = emit(compiler, OP_JUMP_UNLESS, 0, 0, -1);
    status = parse_or(compiler, &yes);
    if (!status && is_sign(&compiler->token, ")"))
        return fail_at(compiler, name, "if() takes 3 arguments, found 2");
    if (!status)
        status = expect_sign(compiler, ",");
    if (status)
        return status;
    size_t to_end = emit(compiler, OP_JUMP, 0, 0, -1); /* the other branch leaves the value */
    land(compiler, to_no);
    status = parse_or(compiler, &no);
    if (status)
        return status;
    land(compiler, to_end);
    if (is_sign(&compiler->token, ","))
        return fail_at(compiler, &compiler->token, "if() takes only 3 arguments");
    part->type = yes.type;
    status = unify(compiler, "if", part, &no);
    return status ? status : expect_sign(compiler, ")");
}

static enum status parse_coalesce(struct compiler *compiler, const struct expr_function *function,
                                  const struct token *name, struct part *part)
{
    (void)name;
    size_t jumps[EXPR_MAX_ARGS];
    int n = 0;
    part->type = VALUE_NULL;
    for (;;) {
        struct part alternative;
        if (n == function->max_args)
            return fail_at(compiler, &compiler->token, "coalesce() takes at most %d arguments",
                           function->max_args);
        enum status status = parse_or(compiler, &alternative);
        if (!status)
            status = unify(compiler, "coalesce", part, &alternative);
        if (status)
            return status;
        if (!is_sign(&compiler->token, ","))
            break;
        jumps[n++] = emit(compiler, OP_JUMP_UNLESS_NULL, 0, 0, -1);
        status = next(compiler);
        if (status)
            return status;
    }
    while (n > 0)
        land(compiler, jumps[--n]);
    return expect_sign(compiler, ")");
}

static enum status parse_function(struct compiler *compiler, const struct token *name,
                                  struct part *part)
{
    const struct expr_function *function = find_function(compiler->scope, name->text);
    if (!function)
        return unknown_function(compiler, name);
    enum status status = next(compiler); /* past "(" */
    if (status)
        return status;
    bool special = !function->call && is_sign(&compiler->token, ")");
    if (special)
        return too_few(compiler, function, name, 0);
    if (!function->call && slice_is(name->text, "if"))
        return parse_if(compiler, function, name, part);
    if (!function->call && slice_is(name->text, "coalesce"))
        return parse_coalesce(compiler, function, name, part);
    return parse_call(compiler, function, name, part);
}

static enum status parse_group(struct compiler *compiler, struct part *part)
{
    struct token open = part->token;
    enum status status = next(compiler);
    if (!status)
        status = parse_or(compiler, part);
    part->token = open;
    return status ? status : expect_sign(compiler, ")");
}

static enum status parse_primary(struct compiler *compiler, struct part *part)
{
    struct token token = compiler->token;
    *part = (struct part){.start = compiler->expr->n_ops, .token = token};
    struct value literal;
    if (read_literal(&token, &literal)) {
        part->type = literal.type;
        enum status status = push(compiler, OP_CONSTANT, 0, add_constant(compiler, literal));
        return status ? status : next(compiler);
    }
    if (is_sign(&token, "("))
        return parse_group(compiler, part);
    if ((token.kind != TOKEN_NAME && token.kind != TOKEN_QUOTED_NAME) || is_reserved(&token))
        return unexpected(compiler, "a value");
    struct lexer ahead = compiler->lexer;
    struct error ignored;
    ahead.error = &ignored;
    struct token after;
    bool call =
        token.kind == TOKEN_NAME && lexer_next(&ahead, &after) == STATUS_OK && is_sign(&after, "(");
    if (!call)
        return parse_name(compiler, part);
    enum status status = next(compiler); /* now at "(" */
    return status ? status : parse_function(compiler, &token, part);
}

static enum status too_nested(struct compiler *compiler)
{
    return fail_at(compiler, &compiler->token, "nested more than %d deep", MAX_DEPTH);
}

static enum status needs_number(struct compiler *compiler, const struct token *sign,
                                const struct part *left, const struct part *right)
{
    if (fits(left->type, VALUE_NUMBER) && (!right || fits(right->type, VALUE_NUMBER)))
        return STATUS_OK;
    const char *hint = left->type == VALUE_TIME ? "; for times there is seconds_between(a, b)" : "";
    if (!right)
        return fail_at(compiler, sign, "\"%.*s\" needs a number, found %s%s", (int)sign->text.size,
                       sign->text.data, value_type_name(left->type), hint);
    return fail_at(compiler, sign, "\"%.*s\" needs numbers, found %s and %s%s",
                   (int)sign->text.size, sign->text.data, value_type_name(left->type),
                   value_type_name(right->type), hint);
}

static enum status parse_unary(struct compiler *compiler, struct part *part)
{
    if (!is_sign(&compiler->token, "-"))
        return parse_primary(compiler, part);
    struct token sign = compiler->token;
    if (++compiler->nesting > MAX_DEPTH)
        return too_nested(compiler);
    enum status status = next(compiler);
    if (!status)
        status = parse_unary(compiler, part);
    compiler->nesting--;
    if (!status)
        status = needs_number(compiler, &sign, part, NULL);
    if (status)
        return status;
    part->token = sign;
    part->type = VALUE_NUMBER;
    struct value *literal = literal_of(compiler, part, compiler->expr->n_ops);
    if (literal && literal->type == VALUE_NUMBER)
        literal->number = -literal->number;
    else
        emit(compiler, OP_NEGATE, 0, 0, 0);
    return STATUS_OK;
}

struct operation {
    const char *sign;
    enum op_code code;
};

static const struct operation products[] = {
    {"*",  OP_MULTIPLY },
    {"/",  OP_DIVIDE   },
    {"%",  OP_REMAINDER},
    {NULL, 0           }
};
static const struct operation sums[] = {
    {"+",  OP_ADD     },
    {"-",  OP_SUBTRACT},
    {NULL, 0          }
};
static const struct operation comparisons[] = {
    {"==", OP_EQUAL        },
    {"!=", OP_NOT_EQUAL    },
    {"<",  OP_LESS         },
    {"<=", OP_LESS_EQUAL   },
    {">",  OP_GREATER      },
    {">=", OP_GREATER_EQUAL},
    {NULL, 0               }
};

static const struct operation *find_operation(const struct operation *operations,
                                              const struct token *token)
{
    for (; operations->sign; operations++)
        if (is_sign(token, operations->sign))
            return operations;
    return NULL;
}

/* One level of left-associative arithmetic. */
static enum status parse_arithmetic(struct compiler *compiler, const struct operation *operations,
                                    enum status (*operand)(struct compiler *, struct part *),
                                    struct part *left)
{
    enum status status = operand(compiler, left);
    const struct operation *operation;
    while (!status && (operation = find_operation(operations, &compiler->token)) != NULL) {
        struct token sign = compiler->token;
        struct part right;
        status = next(compiler);
        if (!status)
            status = operand(compiler, &right);
        if (!status)
            status = needs_number(compiler, &sign, left, &right);
        if (status)
            return status;
        emit(compiler, operation->code, 0, 0, -1);
        left->type = VALUE_NUMBER;
    }
    return status;
}

static enum status parse_product(struct compiler *compiler, struct part *part)
{
    return parse_arithmetic(compiler, products, parse_unary, part);
}

static enum status parse_sum(struct compiler *compiler, struct part *part)
{
    return parse_arithmetic(compiler, sums, parse_product, part);
}

static enum status check_comparison(struct compiler *compiler, const struct operation *operation,
                                    const struct token *sign, const struct part *left,
                                    const struct part *right)
{
    if (left->type == VALUE_NULL || right->type == VALUE_NULL)
        return fail_at(compiler, sign,
                       "a comparison with null is never true; write \"is null\" or "
                       "\"is not null\"");
    if (left->type != right->type)
        return fail_at(compiler, sign, "\"%s\" cannot compare %s with %s", operation->sign,
                       value_type_name(left->type), value_type_name(right->type));
    if (left->type == VALUE_BOOL && operation->code != OP_EQUAL && operation->code != OP_NOT_EQUAL)
        return fail_at(compiler, sign, "\"%s\" cannot order bool values", operation->sign);
    return STATUS_OK;
}

static enum status parse_comparison(struct compiler *compiler, const struct operation *operation,
                                    struct part *left)
{
    struct token sign = compiler->token;
    struct part right;
    enum status status = next(compiler);
    if (!status)
        status = parse_sum(compiler, &right);
    if (!status)
        status = adapt(compiler, left, right.start, right.type);
    if (!status)
        status = adapt(compiler, &right, compiler->expr->n_ops, left->type);
    if (!status)
        status = check_comparison(compiler, operation, &sign, left, &right);
    if (status)
        return status;
    emit(compiler, operation->code, 0, 0, -1);
    left->type = VALUE_BOOL;
    return STATUS_OK;
}

/* One literal of a list, perhaps with a minus. */
static enum status parse_item(struct compiler *compiler, enum value_type wanted)
{
    bool negative = is_sign(&compiler->token, "-");
    enum status status = negative ? next(compiler) : STATUS_OK;
    if (status)
        return status;
    struct token token = compiler->token;
    struct value value;
    if (!read_literal(&token, &value) || (negative && value.type != VALUE_NUMBER))
        return unexpected(compiler, "a literal");
    if (value.type == VALUE_NULL)
        return fail_at(compiler, &token, "null in a list matches nothing; write \"is null\"");
    if (negative)
        value.number = -value.number;
    if (value.type == VALUE_STRING && wanted == VALUE_TIME) {
        status = literal_to_time(compiler, &value, &token);
        if (status)
            return status;
    }
    if (!fits(value.type, wanted))
        return fail_at(compiler, &token, "the list is for %s, found %s", value_type_name(wanted),
                       value_type_name(value.type));
    add_constant(compiler, value);
    return next(compiler);
}

static enum status parse_in(struct compiler *compiler, bool negated, struct part *left)
{
    if (left->type == VALUE_NULL)
        return fail_at(compiler, &compiler->token, "null is in no list; write \"is null\"");
    enum status status = next(compiler);
    if (!status)
        status = expect_sign(compiler, "[");
    if (status)
        return status;
    size_t first = compiler->expr->n_constants;
    for (;;) {
        status = parse_item(compiler, left->type);
        if (status)
            return status;
        if (!is_sign(&compiler->token, ","))
            break;
        status = next(compiler);
        if (status)
            return status;
    }
    emit(compiler, OP_IN, compiler->expr->n_constants - first, first, 0);
    if (negated)
        emit(compiler, OP_NOT, 0, 0, 0);
    left->type = VALUE_BOOL;
    return expect_sign(compiler, "]");
}

static enum status parse_is(struct compiler *compiler, struct part *left)
{
    enum status status = next(compiler);
    bool negated = !status && is_word(&compiler->token, "not");
    if (negated)
        status = next(compiler);
    if (status)
        return status;
    if (!is_word(&compiler->token, "null"))
        return unexpected(compiler, negated ? "\"null\"" : "\"null\" or \"not null\"");
    emit(compiler, OP_IS_NULL, 0, 0, 0);
    if (negated)
        emit(compiler, OP_NOT, 0, 0, 0);
    left->type = VALUE_BOOL;
    return next(compiler);
}

static enum status parse_test(struct compiler *compiler, struct part *part)
{
    enum status status = parse_sum(compiler, part);
    if (status)
        return status;
    const struct token *token = &compiler->token;
    const struct operation *operation = find_operation(comparisons, token);
    if (operation) {
        status = parse_comparison(compiler, operation, part);
    } else if (is_word(token, "in")) {
        status = parse_in(compiler, false, part);
    } else if (is_word(token, "is")) {
        status = parse_is(compiler, part);
    } else if (is_word(token, "not")) {
        status = next(compiler);
        if (!status && !is_word(token, "in"))
            return unexpected(compiler, "\"in\" after \"not\"");
        if (!status)
            status = parse_in(compiler, true, part);
    } else {
        return STATUS_OK;
    }
    if (!status && (find_operation(comparisons, token) || is_word(token, "in") ||
                    is_word(token, "is") || is_word(token, "not")))
        return fail_at(compiler, token,
                       "comparisons do not chain: write a < b and b < c, or use parentheses");
    return status;
}

static enum status needs_bool(struct compiler *compiler, const struct token *word,
                              const struct part *part)
{
    if (fits(part->type, VALUE_BOOL))
        return STATUS_OK;
    return fail_at(compiler, word, "\"%.*s\" needs conditions (true or false), found %s",
                   (int)word->text.size, word->text.data, value_type_name(part->type));
}

static enum status parse_not(struct compiler *compiler, struct part *part)
{
    if (!is_word(&compiler->token, "not"))
        return parse_test(compiler, part);
    struct token word = compiler->token;
    if (++compiler->nesting > MAX_DEPTH)
        return too_nested(compiler);
    enum status status = next(compiler);
    if (!status)
        status = parse_not(compiler, part);
    compiler->nesting--;
    if (!status)
        status = needs_bool(compiler, &word, part);
    if (status)
        return status;
    emit(compiler, OP_NOT, 0, 0, 0);
    part->type = VALUE_BOOL;
    part->token = word;
    return STATUS_OK;
}

struct connective {
    const char *word;
    enum op_code skip, code;
};

static enum status parse_connective(struct compiler *compiler, const struct connective *connective,
                                    enum status (*operand)(struct compiler *, struct part *),
                                    struct part *left)
{
    enum status status = operand(compiler, left);
    while (!status && is_word(&compiler->token, connective->word)) {
        struct token word = compiler->token;
        struct part right;
        status = needs_bool(compiler, &word, left);
        if (status)
            return status;
        size_t skip = emit(compiler, connective->skip, 0, 0, 0);
        status = next(compiler);
        if (!status)
            status = operand(compiler, &right);
        if (!status)
            status = needs_bool(compiler, &word, &right);
        if (status)
            return status;
        emit(compiler, connective->code, 0, 0, -1);
        land(compiler, skip);
        left->type = VALUE_BOOL;
    }
    return status;
}

static enum status parse_and(struct compiler *compiler, struct part *part)
{
    static const struct connective and_words = {"and", OP_JUMP_IF_FALSE, OP_AND};
    return parse_connective(compiler, &and_words, parse_not, part);
}

static enum status parse_or(struct compiler *compiler, struct part *part)
{
    static const struct connective or_words = {"or", OP_JUMP_IF_TRUE, OP_OR};
    if (++compiler->nesting > MAX_DEPTH)
        return too_nested(compiler);
    enum status status = parse_connective(compiler, &or_words, parse_and, part);
    compiler->nesting--;
    return status;
}

/* Behind a complete expression: perhaps a word of the language is misspelt. */
static enum status no_operator(struct compiler *compiler)
{
    static const char *const words[] = {"and", "or", "not", "in", "is"};
    const struct token *token = &compiler->token;
    char word[16];
    snprintf(word, sizeof word, "%.*s", (int)token->text.size, token->text.data);
    const char *nearest = token->kind == TOKEN_NAME && token->text.size < sizeof word
                              ? nearest_word(word, words, sizeof words / sizeof words[0])
                              : NULL;
    if (nearest && strcmp(nearest, word) != 0)
        return fail_at(compiler, token, "expected an operator, found \"%s\"; did you mean \"%s\"?",
                       word, nearest);
    return unexpected(compiler, "an operator or the end");
}

static enum status compile(struct compiler *compiler, enum value_type wanted)
{
    struct part part;
    enum status status = next(compiler);
    if (!status && compiler->token.kind == TOKEN_END)
        return fail_at(compiler, &compiler->token, "an empty expression");
    if (!status)
        status = parse_or(compiler, &part);
    if (status)
        return status;
    if (compiler->token.kind != TOKEN_END)
        return no_operator(compiler);
    if (wanted != VALUE_NULL && part.type == VALUE_NULL)
        return fail_at(compiler, &part.token, "the expression is always null, wanted %s",
                       value_type_name(wanted));
    if (!fits(part.type, wanted))
        return fail_at(compiler, &part.token, "the expression gives %s, wanted %s",
                       value_type_name(part.type), value_type_name(wanted));
    compiler->expr->type = part.type;
    return STATUS_OK;
}

/* Arrays as large as a text of this size could need: every token gives at most two operations and
 * one constant or call. */
static bool make_room(struct expr *expr, const char *text, size_t size)
{
    expr->arena = arena_create(MAX_MEMORY);
    if (!expr->arena)
        return false;
    expr->text = arena_alloc(expr->arena, size + 1);
    expr->ops = arena_alloc(expr->arena, (2 * size + 2) * sizeof *expr->ops);
    expr->constants = arena_alloc(expr->arena, (size + 1) * sizeof *expr->constants);
    expr->calls = arena_alloc(expr->arena, (size / 3 + 1) * sizeof *expr->calls);
    if (!expr->text || !expr->ops || !expr->constants || !expr->calls)
        return false;
    memcpy(expr->text, text, size + 1);
    return true;
}

enum status expr_compile(const char *text, const struct expr_scope *scope, enum value_type wanted,
                         struct expr **expr, struct error *error)
{
    *expr = NULL;
    size_t size = strlen(text);
    if (size > MAX_TEXT)
        return place_error(error, 1, 1, "longer than %zu KiB", MAX_TEXT >> 10);
    struct expr *made = calloc(1, sizeof *made);
    if (!made)
        return error_set(error, STATUS_MEMORY, "out of memory");
    made->magic = EXPR_MAGIC;
    enum status status;
    if (!make_room(made, text, size)) {
        status = error_set(error, STATUS_MEMORY, "out of memory");
    } else {
        struct compiler compiler = {
            .expr = made,
            .scope = scope,
            .lexer =
                {.at = made->text, .arena = made->arena, .line = 1, .column = 1, .error = error},
            .error = error
        };
        status = compile(&compiler, wanted);
    }
    if (status)
        expr_destroy(made);
    else
        *expr = made;
    return status;
}

void expr_destroy(struct expr *expr)
{
    if (!expr)
        return;
    assert(expr->magic == EXPR_MAGIC);
    for (size_t i = 0; i < expr->n_calls; i++)
        if (expr->calls[i].function.unbind)
            expr->calls[i].function.unbind(expr->calls[i].bound);
    expr->magic = 0;
    arena_destroy(expr->arena);
    free(expr);
}

enum value_type expr_type(const struct expr *expr)
{
    return expr->type;
}

bool expr_uses(const struct expr *expr, int slot)
{
    for (size_t i = 0; i < expr->n_ops; i++)
        if (expr->ops[i].code == OP_SLOT && expr->ops[i].operand == (uint32_t)slot)
            return true;
    return false;
}

const char *expr_text(const struct expr *expr)
{
    return expr->text;
}
