/* The grammar, by recursive descent over the tokens, checking types on the way and emitting
 * operations in postfix order, so that no tree is ever built. Used while compiling, by one thread.
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
#include "engine/expr/compiler_priv.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/yaml.h"

static bool read_literal(const struct token *token, struct value *value)
{
    if (token->kind == TOKEN_NUMBER)
        *value = value_number(token->number);
    else if (token->kind == TOKEN_STRING)
        *value = value_string(token->text);
    else if (token_is_word(token, "true") || token_is_word(token, "false"))
        *value = value_bool(token_is_word(token, "true"));
    else if (token_is_word(token, "null"))
        *value = value_null();
    else
        return false;
    return true;
}

static bool is_reserved(const struct token *token)
{
    static const char *const words[] = {"and", "or", "not", "in", "is"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (token_is_word(token, words[i]))
            return true;
    return false;
}

static enum status parse_name(struct compiler *compiler, struct part *part)
{
    const struct expr_symbol *symbol = compiler_find_symbol(compiler->scope, compiler->token.text);
    if (!symbol)
        return compiler_unknown_name(compiler, &compiler->token);
    assert(symbol->type != VALUE_NULL && symbol->slot >= 0);
    part->type = symbol->type;
    enum status status = compiler_push(compiler, OP_SLOT, symbol->type, (size_t)symbol->slot);
    return status ? status : compiler_next(compiler);
}

static enum status parse_group(struct compiler *compiler, struct part *part)
{
    struct token open = part->token;
    enum status status = compiler_next(compiler);
    if (!status)
        status = parser_expression(compiler, part);
    part->token = open;
    return status ? status : compiler_expect(compiler, ")");
}

static enum status parse_primary(struct compiler *compiler, struct part *part)
{
    struct token token = compiler->token;
    *part = (struct part){.start = compiler->expr->n_ops, .token = token};
    struct value literal;
    if (read_literal(&token, &literal)) {
        part->type = literal.type;
        enum status status =
            compiler_push(compiler, OP_CONSTANT, 0, compiler_add_constant(compiler, literal));
        return status ? status : compiler_next(compiler);
    }
    if (token_is_sign(&token, "("))
        return parse_group(compiler, part);
    if ((token.kind != TOKEN_NAME && token.kind != TOKEN_QUOTED_NAME) || is_reserved(&token))
        return compiler_unexpected(compiler, "a value");
    struct lexer ahead = compiler->lexer;
    struct error ignored;
    ahead.error = &ignored;
    struct token after;
    bool call = token.kind == TOKEN_NAME && lexer_next(&ahead, &after) == STATUS_OK &&
                token_is_sign(&after, "(");
    if (!call)
        return parse_name(compiler, part);
    enum status status = compiler_next(compiler); /* now at "(" */
    return status ? status : parser_call(compiler, &token, part);
}

static enum status too_nested(struct compiler *compiler)
{
    return fail_at(compiler, &compiler->token, "nested more than %d deep", MAX_DEPTH);
}

static enum status needs_number(struct compiler *compiler, const struct token *sign,
                                const struct part *left, const struct part *right)
{
    if (type_fits(left->type, VALUE_NUMBER) && (!right || type_fits(right->type, VALUE_NUMBER)))
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
    if (!token_is_sign(&compiler->token, "-"))
        return parse_primary(compiler, part);
    struct token sign = compiler->token;
    if (++compiler->nesting > MAX_DEPTH)
        return too_nested(compiler);
    enum status status = compiler_next(compiler);
    if (!status)
        status = parse_unary(compiler, part);
    compiler->nesting--;
    if (!status)
        status = needs_number(compiler, &sign, part, NULL);
    if (status)
        return status;
    part->token = sign;
    part->type = VALUE_NUMBER;
    struct value *literal = compiler_literal(compiler, part, compiler->expr->n_ops);
    if (literal && literal->type == VALUE_NUMBER)
        literal->number = -literal->number;
    else
        compiler_emit(compiler, OP_NEGATE, 0, 0, 0);
    return STATUS_OK;
}

struct operation {
    const char *sign;
    enum op_code code;
};

static const struct operation products[] = {
    {"*", OP_MULTIPLY}, {"/", OP_DIVIDE}, {"%", OP_REMAINDER}, {NULL, 0}};
static const struct operation sums[] = {{"+", OP_ADD}, {"-", OP_SUBTRACT}, {NULL, 0}};
static const struct operation comparisons[] = {
    {"==", OP_EQUAL},  {"!=", OP_NOT_EQUAL},     {"<", OP_LESS}, {"<=", OP_LESS_EQUAL},
    {">", OP_GREATER}, {">=", OP_GREATER_EQUAL}, {NULL, 0}};

static const struct operation *find_operation(const struct operation *operations,
                                              const struct token *token)
{
    for (; operations->sign; operations++)
        if (token_is_sign(token, operations->sign))
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
        status = compiler_next(compiler);
        if (!status)
            status = operand(compiler, &right);
        if (!status)
            status = needs_number(compiler, &sign, left, &right);
        if (status)
            return status;
        compiler_emit(compiler, operation->code, 0, 0, -1);
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
    enum status status = compiler_next(compiler);
    if (!status)
        status = parse_sum(compiler, &right);
    if (!status)
        status = compiler_adapt(compiler, left, right.start, right.type);
    if (!status)
        status = compiler_adapt(compiler, &right, compiler->expr->n_ops, left->type);
    if (!status)
        status = check_comparison(compiler, operation, &sign, left, &right);
    if (status)
        return status;
    compiler_emit(compiler, operation->code, 0, 0, -1);
    left->type = VALUE_BOOL;
    return STATUS_OK;
}

/* One literal of a list, perhaps with a minus. */
static enum status parse_item(struct compiler *compiler, enum value_type wanted)
{
    bool negative = token_is_sign(&compiler->token, "-");
    enum status status = negative ? compiler_next(compiler) : STATUS_OK;
    if (status)
        return status;
    struct token token = compiler->token;
    struct value value;
    if (!read_literal(&token, &value) || (negative && value.type != VALUE_NUMBER))
        return compiler_unexpected(compiler, "a literal");
    if (value.type == VALUE_NULL)
        return fail_at(compiler, &token, "null in a list matches nothing; write \"is null\"");
    if (negative)
        value.number = -value.number;
    if (value.type == VALUE_STRING && wanted == VALUE_TIME) {
        status = compiler_read_time(compiler, &value, &token);
        if (status)
            return status;
    }
    if (!type_fits(value.type, wanted))
        return fail_at(compiler, &token, "the list is for %s, found %s", value_type_name(wanted),
                       value_type_name(value.type));
    compiler_add_constant(compiler, value);
    return compiler_next(compiler);
}

static enum status parse_in(struct compiler *compiler, bool negated, struct part *left)
{
    if (left->type == VALUE_NULL)
        return fail_at(compiler, &compiler->token, "null is in no list; write \"is null\"");
    enum status status = compiler_next(compiler);
    if (!status)
        status = compiler_expect(compiler, "[");
    if (status)
        return status;
    size_t first = compiler->expr->n_constants;
    for (;;) {
        status = parse_item(compiler, left->type);
        if (status)
            return status;
        if (!token_is_sign(&compiler->token, ","))
            break;
        status = compiler_next(compiler);
        if (status)
            return status;
    }
    compiler_emit(compiler, OP_IN, compiler->expr->n_constants - first, first, 0);
    if (negated)
        compiler_emit(compiler, OP_NOT, 0, 0, 0);
    left->type = VALUE_BOOL;
    return compiler_expect(compiler, "]");
}

static enum status parse_is(struct compiler *compiler, struct part *left)
{
    enum status status = compiler_next(compiler);
    bool negated = !status && token_is_word(&compiler->token, "not");
    if (negated)
        status = compiler_next(compiler);
    if (status)
        return status;
    if (!token_is_word(&compiler->token, "null"))
        return compiler_unexpected(compiler, negated ? "\"null\"" : "\"null\" or \"not null\"");
    compiler_emit(compiler, OP_IS_NULL, 0, 0, 0);
    if (negated)
        compiler_emit(compiler, OP_NOT, 0, 0, 0);
    left->type = VALUE_BOOL;
    return compiler_next(compiler);
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
    } else if (token_is_word(token, "in")) {
        status = parse_in(compiler, false, part);
    } else if (token_is_word(token, "is")) {
        status = parse_is(compiler, part);
    } else if (token_is_word(token, "not")) {
        status = compiler_next(compiler);
        if (!status && !token_is_word(token, "in"))
            return compiler_unexpected(compiler, "\"in\" after \"not\"");
        if (!status)
            status = parse_in(compiler, true, part);
    } else {
        return STATUS_OK;
    }
    if (!status && (find_operation(comparisons, token) || token_is_word(token, "in") ||
                    token_is_word(token, "is") || token_is_word(token, "not")))
        return fail_at(compiler, token,
                       "comparisons do not chain: write a < b and b < c, or use parentheses");
    return status;
}

static enum status needs_bool(struct compiler *compiler, const struct token *word,
                              const struct part *part)
{
    if (type_fits(part->type, VALUE_BOOL))
        return STATUS_OK;
    return fail_at(compiler, word, "\"%.*s\" needs conditions (true or false), found %s",
                   (int)word->text.size, word->text.data, value_type_name(part->type));
}

static enum status parse_not(struct compiler *compiler, struct part *part)
{
    if (!token_is_word(&compiler->token, "not"))
        return parse_test(compiler, part);
    struct token word = compiler->token;
    if (++compiler->nesting > MAX_DEPTH)
        return too_nested(compiler);
    enum status status = compiler_next(compiler);
    if (!status)
        status = parse_not(compiler, part);
    compiler->nesting--;
    if (!status)
        status = needs_bool(compiler, &word, part);
    if (status)
        return status;
    compiler_emit(compiler, OP_NOT, 0, 0, 0);
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
    while (!status && token_is_word(&compiler->token, connective->word)) {
        struct token word = compiler->token;
        struct part right;
        status = needs_bool(compiler, &word, left);
        if (status)
            return status;
        size_t skip = compiler_emit(compiler, connective->skip, 0, 0, 0);
        status = compiler_next(compiler);
        if (!status)
            status = operand(compiler, &right);
        if (!status)
            status = needs_bool(compiler, &word, &right);
        if (status)
            return status;
        compiler_emit(compiler, connective->code, 0, 0, -1);
        compiler_land(compiler, skip);
        left->type = VALUE_BOOL;
    }
    return status;
}

static enum status parse_and(struct compiler *compiler, struct part *part)
{
    static const struct connective and_words = {"and", OP_JUMP_IF_FALSE, OP_AND};
    return parse_connective(compiler, &and_words, parse_not, part);
}

enum status parser_expression(struct compiler *compiler, struct part *part)
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
    return compiler_unexpected(compiler, "an operator or the end");
}

enum status parser_run(struct compiler *compiler, enum value_type wanted)
{
    struct part part;
    enum status status = compiler_next(compiler);
    if (!status && compiler->token.kind == TOKEN_END)
        return fail_at(compiler, &compiler->token, "an empty expression");
    if (!status)
        status = parser_expression(compiler, &part);
    if (status)
        return status;
    if (compiler->token.kind != TOKEN_END)
        return no_operator(compiler);
    if (wanted != VALUE_NULL && part.type == VALUE_NULL)
        return fail_at(compiler, &part.token, "the expression is always null, wanted %s",
                       value_type_name(wanted));
    if (!type_fits(part.type, wanted))
        return fail_at(compiler, &part.token, "the expression gives %s, wanted %s",
                       value_type_name(part.type), value_type_name(wanted));
    compiler->expr->type = part.type;
    return STATUS_OK;
}
