/* The expression language of contract checks, feature transforms, decision rules and alert
 * conditions: typed, compiled once into a flat program, evaluated without allocating.
 * README.md of this folder is the language's reference. */
#ifndef BINNACLE_EXPR_EXPR_H
#define BINNACLE_EXPR_EXPR_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/buffer.h"
#include "engine/base/status.h"
#include "engine/base/value.h"

/* A name that an expression may use, and where its value stands at evaluation. */
struct expr_symbol {
    const char *name;     /* dots allowed: "slo.latency.burn_1h" */
    enum value_type type; /* never VALUE_NULL; the value itself may be null */
    int slot;
    const char *help; /* one line for documentation, or NULL */
};

#define EXPR_MAX_ARGS 8

/* A function that a room adds to the language; the built-in ones are rows of the same kind. */
struct expr_function {
    const char *name;
    enum value_type result;              /* not VALUE_NULL */
    int min_args, max_args;              /* at most EXPR_MAX_ARGS */
    enum value_type args[EXPR_MAX_ARGS]; /* VALUE_NULL: any type */
    unsigned literal_args;               /* bit i: argument i must be a literal */
    bool takes_nulls; /* else a null argument makes the result null without a call */
    /* Prepares one use at compile time, e.g. finds the list that a literal names: `arguments` has
     * the literals and nulls for the rest. Its error message gets line and column in front. NULL:
     * nothing to prepare, and `bound` is `context`. */
    enum status (*bind)(void *context, const struct value *arguments, int n_arguments, void **bound,
                        struct error *error);
    void (*unbind)(void *bound); /* when the expression is destroyed; may be NULL */
    /* Pure; any thread. `run_context` is the caller's of this evaluation, or NULL. */
    struct value (*call)(void *bound, void *run_context, const struct value *arguments,
                         int n_arguments);
    void *context;
    const char *help;
};

/* What an expression may use. Needed only while compiling, except the functions' contexts. */
struct expr_scope {
    const struct expr_symbol *symbols;
    size_t n_symbols;
    const struct expr_function *functions; /* besides the built-in ones; may be NULL */
    size_t n_functions;
};

struct expr; /* immutable; any thread may evaluate it */

/* `wanted` is the type that the result must have, VALUE_NULL for any. The error begins with line
 * and column in `text`, both from 1: `1:10: unknown name "amonut"; did you mean "amount"?`.
 * Text of at most 16 KiB, nested at most 64 deep. */
MUST_USE enum status expr_compile(const char *text, const struct expr_scope *scope,
                                  enum value_type wanted, struct expr **expr, struct error *error);
void expr_destroy(struct expr *expr); /* NULL is ignored */

/* What one evaluation may use; may be NULL. */
struct expr_run {
    void *context;       /* for the functions of the scope */
    struct arena *arena; /* where text made by lower() and upper() goes and stays */
};

/* `slots` are the values by the symbols' slots. A value that is not of its symbol's type, and a
 * number that is not finite, count as null. The result has the type of expr_type(), or is null.
 * Strings borrow from slots, expression or arena. Without an arena lower() and upper() work on
 * up to 4 KiB in all and are null beyond; text they made is then never a result (null instead).
 * Any thread; allocates nothing but from the arena. */
struct value expr_evaluate(const struct expr *expr, const struct value *slots,
                           const struct expr_run *run);

/* Conditions: null is not true. */
static inline bool expr_is_true(struct value value)
{
    return value.type == VALUE_BOOL && value.boolean;
}

/* Whether a condition is true: expr_is_true(expr_evaluate(...)), quicker for the usual ones. */
bool expr_holds(const struct expr *expr, const struct value *slots, const struct expr_run *run);

enum value_type expr_type(const struct expr *expr); /* VALUE_NULL: it is always null */
bool expr_uses(const struct expr *expr, int slot);
const char *expr_text(const struct expr *expr); /* as compiled; lives with the expression */

/* The built-in functions with their help lines, for documentation and completion. */
const struct expr_function *expr_builtins(size_t *n_functions);

#endif
