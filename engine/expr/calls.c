/* Calls of functions: argument counts and types, literals for bind, and if() and coalesce(), which
 * evaluate only what they need. Used while compiling, by one thread. */
#include "engine/expr/compiler_priv.h"

#include <assert.h>

/* Behind "(": the arguments up to and with ")". */
static enum status parse_arguments(struct compiler *compiler, const struct expr_function *function,
                                   struct part *parts, int *n_parts)
{
    *n_parts = 0;
    bool more = !token_is_sign(&compiler->token, ")");
    while (more) {
        if (*n_parts == function->max_args)
            return fail_at(compiler, &compiler->token, "%s() takes %s%d argument%s", function->name,
                           function->min_args == function->max_args ? "only " : "at most ",
                           function->max_args, function->max_args == 1 ? "" : "s");
        struct part *part = &parts[*n_parts];
        enum status status = parser_expression(compiler, part);
        if (status)
            return status;
        enum value_type wanted = function->args[*n_parts];
        status = compiler_adapt(compiler, part, compiler->expr->n_ops, wanted);
        if (status)
            return status;
        if (!type_fits(part->type, wanted))
            return fail_at(compiler, &part->token, "argument %d of %s() must be %s, found %s",
                           *n_parts + 1, function->name, value_type_name(wanted),
                           value_type_name(part->type));
        ++*n_parts;
        more = token_is_sign(&compiler->token, ",");
        status = more ? compiler_next(compiler) : STATUS_OK;
        if (status)
            return status;
    }
    return compiler_expect(compiler, ")");
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
        const struct value *literal = compiler_literal(compiler, &parts[i], end);
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
        compiler_emit(compiler, slice_is(name->text, "lower") ? OP_LOWER : OP_UPPER, 0, 0, 0);
        return STATUS_OK;
    }
    assert(function->result != VALUE_NULL);
    if (n == 0 && compiler->depth == MAX_DEPTH)
        return fail_at(compiler, name, "too deep: more than %d values at once", MAX_DEPTH);
    struct expr *expr = compiler->expr;
    status = bind_call(compiler, function, parts, n, name, &expr->calls[expr->n_calls]);
    if (status)
        return status;
    compiler_emit(compiler, OP_CALL, (size_t)n, expr->n_calls++, 1 - n);
    return STATUS_OK;
}

/* Alternatives must agree on their type; null agrees with all. */
static enum status unify(struct compiler *compiler, const char *function, struct part *all,
                         const struct part *one)
{
    if (!type_fits(one->type, all->type))
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
    enum status status = parser_expression(compiler, &condition);
    if (!status && !type_fits(condition.type, VALUE_BOOL))
        return fail_at(compiler, &condition.token, "argument 1 of if() must be bool, found %s",
                       value_type_name(condition.type));
    if (!status && token_is_sign(&compiler->token, ")"))
        return fail_at(compiler, name, "if() takes 3 arguments, found 1");
    if (!status)
        status = compiler_expect(compiler, ",");
    if (status)
        return status;
    size_t to_no = compiler_emit(compiler, OP_JUMP_UNLESS, 0, 0, -1);
    status = parser_expression(compiler, &yes);
    if (!status && token_is_sign(&compiler->token, ")"))
        return fail_at(compiler, name, "if() takes 3 arguments, found 2");
    if (!status)
        status = compiler_expect(compiler, ",");
    if (status)
        return status;
    size_t to_end =
        compiler_emit(compiler, OP_JUMP, 0, 0, -1); /* the other branch leaves the value */
    compiler_land(compiler, to_no);
    status = parser_expression(compiler, &no);
    if (status)
        return status;
    compiler_land(compiler, to_end);
    if (token_is_sign(&compiler->token, ","))
        return fail_at(compiler, &compiler->token, "if() takes only 3 arguments");
    part->type = yes.type;
    status = unify(compiler, "if", part, &no);
    return status ? status : compiler_expect(compiler, ")");
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
        enum status status = parser_expression(compiler, &alternative);
        if (!status)
            status = unify(compiler, "coalesce", part, &alternative);
        if (status)
            return status;
        if (!token_is_sign(&compiler->token, ","))
            break;
        jumps[n++] = compiler_emit(compiler, OP_JUMP_UNLESS_NULL, 0, 0, -1);
        status = compiler_next(compiler);
        if (status)
            return status;
    }
    while (n > 0)
        compiler_land(compiler, jumps[--n]);
    return compiler_expect(compiler, ")");
}

enum status parser_call(struct compiler *compiler, const struct token *name, struct part *part)
{
    const struct expr_function *function = compiler_find_function(compiler->scope, name->text);
    if (!function)
        return compiler_unknown_function(compiler, name);
    enum status status = compiler_next(compiler); /* past "(" */
    if (status)
        return status;
    bool special = !function->call && token_is_sign(&compiler->token, ")");
    if (special)
        return too_few(compiler, function, name, 0);
    if (!function->call && slice_is(name->text, "if"))
        return parse_if(compiler, function, name, part);
    if (!function->call && slice_is(name->text, "coalesce"))
        return parse_coalesce(compiler, function, name, part);
    return parse_call(compiler, function, name, part);
}
