/* Running a compiled expression: a loop over its operations with a stack of values. The compiler
 * has proved types and depth, so nothing is checked here but nulls. Any thread. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "engine/expr/expr_priv.h"

#define SCRATCH_SIZE 4096

struct frame {
    const struct expr_run *run;
    size_t scratch_used;
    char scratch[SCRATCH_SIZE];
};

static struct value finite_or_null(double number)
{
    return isfinite(number) ? value_number(number) : value_null();
}

static struct value checked(struct value value, enum value_type type)
{
    if (value.type != type || (type == VALUE_NUMBER && !isfinite(value.number)))
        return value_null();
    return value;
}

/* The same in place. */
static void push_slot(struct value *top, const struct value *slot, enum value_type type)
{
    *top = *slot;
    if (slot->type != type || (type == VALUE_NUMBER && !isfinite(slot->number)))
        value_set_null(top);
}

static struct value arithmetic(enum op_code code, struct value left, struct value right)
{
    if (left.type == VALUE_NULL || right.type == VALUE_NULL)
        return value_null();
    double a = left.number, b = right.number;
    switch (code) {
    case OP_ADD:
        return finite_or_null(a + b);
    case OP_SUBTRACT:
        return finite_or_null(a - b);
    case OP_MULTIPLY:
        return finite_or_null(a * b);
    case OP_DIVIDE:
        return b == 0 ? value_null() : finite_or_null(a / b);
    default:
        return finite_or_null(fmod(a, b));
    }
}

/* <0, 0, >0 of two values of one type. */
static int order(struct value left, struct value right)
{
    switch (left.type) {
    case VALUE_NUMBER:
        return (left.number > right.number) - (left.number < right.number);
    case VALUE_BOOL:
        return left.boolean - right.boolean;
    case VALUE_STRING:
        return slice_compare(left.string, right.string);
    case VALUE_TIME:
        return (left.time_us > right.time_us) - (left.time_us < right.time_us);
    case VALUE_NULL:
        break;
    }
    return 0;
}

static struct value compare(enum op_code code, struct value left, struct value right)
{
    if (left.type == VALUE_NULL || right.type == VALUE_NULL)
        return value_null();
    int sign = order(left, right);
    switch (code) {
    case OP_EQUAL:
        return value_bool(sign == 0);
    case OP_NOT_EQUAL:
        return value_bool(sign != 0);
    case OP_LESS:
        return value_bool(sign < 0);
    case OP_LESS_EQUAL:
        return value_bool(sign <= 0);
    case OP_GREATER:
        return value_bool(sign > 0);
    default:
        return value_bool(sign >= 0);
    }
}

/* SQL's three-valued logic: the deciding value (false for `and`, true for `or`) wins over null. */
static struct value combine(struct value left, struct value right, bool deciding)
{
    if ((left.type == VALUE_BOOL && left.boolean == deciding) ||
        (right.type == VALUE_BOOL && right.boolean == deciding))
        return value_bool(deciding);
    if (left.type == VALUE_NULL || right.type == VALUE_NULL)
        return value_null();
    return value_bool(!deciding);
}

static struct value is_among(struct value value, const struct value *constants, size_t n)
{
    if (value.type == VALUE_NULL)
        return value_null();
    for (size_t i = 0; i < n; i++)
        if (order(value, constants[i]) == 0)
            return value_bool(true);
    return value_bool(false);
}

static char *take_memory(struct frame *frame, size_t size)
{
    if (frame->run && frame->run->arena)
        return arena_alloc(frame->run->arena, size);
    if (size > SCRATCH_SIZE - frame->scratch_used)
        return NULL;
    char *memory = frame->scratch + frame->scratch_used;
    frame->scratch_used += size;
    return memory;
}

static struct value change_case(struct frame *frame, struct value value, char first, char last)
{
    if (value.type == VALUE_NULL || value.string.size == 0)
        return value;
    struct slice text = value.string;
    char *changed = take_memory(frame, text.size);
    if (!changed)
        return value_null();
    for (size_t i = 0; i < text.size; i++) {
        char character = text.data[i];
        bool affected = character >= first && character <= last;
        changed[i] = affected ? (char)(character ^ 0x20) : character;
    }
    return value_string(slice_make(changed, text.size));
}

static struct value run_call(const struct frame *frame, const struct call *call,
                             const struct value *arguments, int n)
{
    if (!call->function.takes_nulls)
        for (int i = 0; i < n; i++)
            if (arguments[i].type == VALUE_NULL)
                return value_null();
    void *context = frame->run ? frame->run->context : NULL;
    return checked(call->function.call(call->bound, context, arguments, n), call->function.result);
}

/* One operation that neither jumps nor pushes: the values it takes are the last ones of the
 * stack, whose top it moves; the result goes to the new top. */
static void apply(const struct expr *expr, const struct op *op, struct frame *frame,
                  struct value **top)
{
    struct value *last = *top;
    switch ((enum op_code)op->code) {
    case OP_NEGATE:
        if (last->type == VALUE_NUMBER)
            last->number = -last->number;
        break;
    case OP_ADD:
    case OP_SUBTRACT:
    case OP_MULTIPLY:
    case OP_DIVIDE:
    case OP_REMAINDER:
        last[-1] = arithmetic((enum op_code)op->code, last[-1], *last);
        --*top;
        break;
    case OP_EQUAL:
    case OP_NOT_EQUAL:
    case OP_LESS:
    case OP_LESS_EQUAL:
    case OP_GREATER:
    case OP_GREATER_EQUAL:
        last[-1] = compare((enum op_code)op->code, last[-1], *last);
        --*top;
        break;
    case OP_AND:
    case OP_OR:
        last[-1] = combine(last[-1], *last, op->code == OP_OR);
        --*top;
        break;
    case OP_NOT:
        if (last->type == VALUE_BOOL)
            last->boolean = !last->boolean;
        break;
    case OP_IS_NULL:
        *last = value_bool(last->type == VALUE_NULL);
        break;
    case OP_IN:
        *last = is_among(*last, expr->constants + op->operand, op->n);
        break;
    case OP_LOWER:
        *last = change_case(frame, *last, 'A', 'Z');
        break;
    case OP_UPPER:
        *last = change_case(frame, *last, 'a', 'z');
        break;
    case OP_CALL:
        *top -= op->n - 1;
        **top = run_call(frame, &expr->calls[op->operand], *top, op->n);
        break;
    default:
        assert(false); /* an operation that does not exist */
    }
}

/* Whether a jump is taken. A value that the rest does not need is popped. */
static bool jumps(const struct op *op, struct value **top)
{
    const struct value *last = *top;
    switch ((enum op_code)op->code) {
    case OP_JUMP_IF_FALSE:
        return last->type == VALUE_BOOL && !last->boolean;
    case OP_JUMP_IF_TRUE:
        return last->type == VALUE_BOOL && last->boolean;
    case OP_JUMP_UNLESS:
        --*top;
        return last->type == VALUE_NULL || !last->boolean;
    case OP_JUMP_UNLESS_NULL:
        *top -= last->type == VALUE_NULL;
        return last->type != VALUE_NULL;
    default:
        return true;
    }
}

static bool in_scratch(const struct frame *frame, struct value value)
{
    if (value.type != VALUE_STRING || value.string.size == 0)
        return false;
    uintptr_t data = (uintptr_t)value.string.data, scratch = (uintptr_t)frame->scratch;
    return data >= scratch && data < scratch + SCRATCH_SIZE;
}

struct value expr_evaluate(const struct expr *expr, const struct value *slots,
                           const struct expr_run *run)
{
    assert(expr->magic == EXPR_MAGIC);
    struct frame frame;
    frame.run = run;
    frame.scratch_used = 0;
    struct value stack[MAX_DEPTH + 1]; /* stack[0] is below the first value */
    struct value *top = stack;
    for (size_t at = 0; at < expr->n_ops; at++) {
        const struct op *op = &expr->ops[at];
        if (op->code == OP_CONSTANT)
            *++top = expr->constants[op->operand];
        else if (op->code == OP_SLOT)
            push_slot(++top, &slots[op->operand], (enum value_type)op->n);
        else if (op->code < OP_JUMP)
            apply(expr, op, &frame, &top);
        else if (jumps(op, &top))
            at = op->operand - 1;
    }
    assert(top == stack + 1);
    return in_scratch(&frame, *top) ? value_null() : *top;
}
