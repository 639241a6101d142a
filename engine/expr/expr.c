/* Compiled expressions as others hold them. Compiling is for one thread; the result is immutable
 * and for any. The work is in lexer.c, parser.c and calls.c (text to program), evaluate.c (running
 * it) and functions.c (the built-in functions). */
#include "engine/expr/expr.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "engine/expr/compiler_priv.h"

#define MAX_MEMORY ((size_t)16 << 20)

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
        struct compiler compiler = {.expr = made,
                                    .scope = scope,
                                    .lexer = {.at = made->text,
                                              .arena = made->arena,
                                              .line = 1,
                                              .column = 1,
                                              .error = error},
                                    .error = error};
        status = parser_run(&compiler, wanted);
    }
    if (status) {
        expr_destroy(made);
        return status;
    }
    shortcut_find(made);
    *expr = made;
    return STATUS_OK;
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
