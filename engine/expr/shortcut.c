/* Conditions that are comparisons of a number with a constant, joined by `and`, or one question to
 * a function: most rules are. They are recognised in the finished program, and whether such a one
 * is true is then a few comparisons of doubles, or the call, instead of a run. What they mean is
 * the program's meaning: a slot that does not hold its type or a finite number is null, a
 * comparison with null is not true, and only some functions take nulls. Compiled by one thread,
 * asked by any. */
#include <math.h>

#include "engine/expr/expr_priv.h"

/* The comparison that starts at operation `at`: a slot, a constant, the comparing. */
static bool read_comparison(const struct expr *expr, size_t at, struct comparison *out)
{
    const struct op *op = &expr->ops[at];
    if (at + 3 > expr->n_ops || op[0].code != OP_SLOT || op[0].n != VALUE_NUMBER ||
        op[1].code != OP_CONSTANT || op[2].code < OP_EQUAL || op[2].code > OP_GREATER_EQUAL)
        return false;
    const struct value *constant = &expr->constants[op[1].operand];
    *out = (struct comparison){op[0].operand, op[2].code, constant->number};
    return constant->type == VALUE_NUMBER;
}

/* Whether two operations at `at` join what was read with one more comparison between them. */
static bool is_joined(const struct expr *expr, size_t at)
{
    return at + 5 <= expr->n_ops && expr->ops[at].code == OP_JUMP_IF_FALSE &&
           expr->ops[at].operand == at + 5 && expr->ops[at + 4].code == OP_AND;
}

static bool is_call(const struct expr *expr)
{
    const struct op *last = &expr->ops[expr->n_ops - 1];
    if (last->code != OP_CALL || (size_t)last->n + 1 != expr->n_ops || last->n > EXPR_MAX_ARGS)
        return false;
    for (size_t i = 0; i + 1 < expr->n_ops; i++)
        if (expr->ops[i].code != OP_SLOT && expr->ops[i].code != OP_CONSTANT)
            return false;
    return true;
}

void shortcut_find(struct expr *expr)
{
    size_t n = 0, at = 0;
    expr->is_call = expr->n_ops > 0 && is_call(expr);
    if (!read_comparison(expr, at, &expr->comparisons[n++]))
        return;
    for (at = 3; n < MAX_COMPARISONS && is_joined(expr, at); at += 5)
        if (!read_comparison(expr, at + 1, &expr->comparisons[n++]))
            return;
    if (at == expr->n_ops)
        expr->n_comparisons = n;
}

static bool holds(const struct comparison *comparison, double number)
{
    double constant = comparison->constant;
    switch ((enum op_code)comparison->code) {
    case OP_EQUAL:
        return number == constant;
    case OP_NOT_EQUAL:
        return number != constant;
    case OP_LESS:
        return number < constant;
    case OP_LESS_EQUAL:
        return number <= constant;
    case OP_GREATER:
        return number > constant;
    default:
        return number >= constant;
    }
}

static bool is_null(const struct value *slot, enum value_type type)
{
    return slot->type != type || (type == VALUE_NUMBER && !isfinite(slot->number));
}

static bool call_holds(const struct expr *expr, const struct value *slots,
                       const struct expr_run *run)
{
    struct value arguments[EXPR_MAX_ARGS];
    int n = (int)expr->n_ops - 1;
    const struct call *call = &expr->calls[expr->ops[n].operand];
    for (int i = 0; i < n; i++) {
        const struct op *op = &expr->ops[i];
        bool constant = op->code == OP_CONSTANT;
        arguments[i] = constant ? expr->constants[op->operand] : slots[op->operand];
        if (!constant && is_null(&arguments[i], (enum value_type)op->n))
            value_set_null(&arguments[i]);
        if (arguments[i].type == VALUE_NULL && !call->function.takes_nulls)
            return false;
    }
    return expr_is_true(call->function.call(call->bound, run ? run->context : NULL, arguments, n));
}

bool expr_holds(const struct expr *expr, const struct value *slots, const struct expr_run *run)
{
    if (expr->is_call)
        return call_holds(expr, slots, run);
    if (expr->n_comparisons == 0)
        return expr_is_true(expr_evaluate(expr, slots, run));
    for (size_t i = 0; i < expr->n_comparisons; i++) {
        const struct comparison *comparison = &expr->comparisons[i];
        const struct value *value = &slots[comparison->slot];
        if (value->type != VALUE_NUMBER || !isfinite(value->number) ||
            !holds(comparison, value->number))
            return false;
    }
    return true;
}
