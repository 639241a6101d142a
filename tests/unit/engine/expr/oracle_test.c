/* Random expressions, compiled and evaluated, against an independent evaluator that walks the tree
 * they were written from. The text has only the parentheses that precedence asks for (and now and
 * then one more), so precedence is tested with it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "engine/base/hash.h"
#include "engine/base/number.h"
#include "engine/expr/expr.h"

#define N_SLOTS   9
#define MAX_NODES 400

enum kind {
    LITERAL,
    SLOT,
    NEGATE,
    ADD,
    SUBTRACT,
    MULTIPLY,
    DIVIDE,
    REMAINDER,
    EQUAL,
    NOT_EQUAL,
    LESS,
    LESS_EQUAL,
    GREATER,
    GREATER_EQUAL,
    AND,
    OR,
    NOT,
    IS_NULL,
    IS_NOT_NULL,
    IN,
    NOT_IN,
    IF,
    COALESCE,
    MIN,
    MAX,
    ABS,
    FLOOR,
    LENGTH,
    STARTS_WITH,
    CONTAINS,
    UPPER
};

/* Binding strength, as the language's reference has it: 1 or, 2 and, 3 not, 4 tests, 5 sums,
 * 6 products, 7 minus, 8 the rest. */
static const struct form {
    int strength;
    const char *sign; /* between operands, before one, or the function's name */
} forms[] = {
    [LITERAL] = {8, NULL},
    [SLOT] = {8, NULL},
    [NEGATE] = {7, "-"},
    [ADD] = {5, " + "},
    [SUBTRACT] = {5, " - "},
    [MULTIPLY] = {6, "*"},
    [DIVIDE] = {6, " / "},
    [REMAINDER] = {6, " % "},
    [EQUAL] = {4, " == "},
    [NOT_EQUAL] = {4, " != "},
    [LESS] = {4, "<"},
    [LESS_EQUAL] = {4, " <= "},
    [GREATER] = {4, " > "},
    [GREATER_EQUAL] = {4, ">="},
    [AND] = {2, " and "},
    [OR] = {1, " or "},
    [NOT] = {3, "not "},
    [IS_NULL] = {4, " is null"},
    [IS_NOT_NULL] = {4, " is not null"},
    [IN] = {4, " in "},
    [NOT_IN] = {4, " not in "},
    [IF] = {8, "if"},
    [COALESCE] = {8, "coalesce"},
    [MIN] = {8, "min"},
    [MAX] = {8, "max"},
    [ABS] = {8, "abs"},
    [FLOOR] = {8, "floor"},
    [LENGTH] = {8, "length"},
    [STARTS_WITH] = {8, "starts_with"},
    [CONTAINS] = {8, "contains"},
    [UPPER] = {8, "upper"},
};

struct node {
    enum kind kind;
    enum value_type type;
    struct value literal;
    int slot;
    int n;
    struct node *children[4];
    int n_items; /* of a list */
    struct value items[3];
};

struct world {
    uint64_t random;
    struct node nodes[MAX_NODES];
    int n_nodes;
    struct value slots[N_SLOTS];
};

static const char *const texts[] = {"", "a", "ab", "abc", "b", "GB", "US"};

static const struct expr_symbol symbols[N_SLOTS] = {
    {"x", VALUE_NUMBER, 0, NULL}, {"y.z", VALUE_NUMBER, 1, NULL}, {"n", VALUE_NUMBER, 2, NULL},
    {"p", VALUE_BOOL, 3, NULL},   {"q", VALUE_BOOL, 4, NULL},     {"r", VALUE_BOOL, 5, NULL},
    {"s", VALUE_STRING, 6, NULL}, {"t", VALUE_STRING, 7, NULL},   {"u", VALUE_STRING, 8, NULL}};

static unsigned draw(struct world *world, unsigned below)
{
    world->random++;
    return (unsigned)(hash64(&world->random, sizeof world->random, 5) % below);
}

static struct value random_value(struct world *world, enum value_type type)
{
    if (type == VALUE_NUMBER)
        return value_number(draw(world, 4) ? draw(world, 5) : draw(world, 1000) / 8.0);
    if (type == VALUE_BOOL)
        return value_bool(draw(world, 2));
    return value_string(slice_of(texts[draw(world, sizeof texts / sizeof texts[0])]));
}

static struct node *grow(struct world *world, enum value_type type, int depth);

static struct node *leaf(struct world *world, struct node *node)
{
    if (draw(world, 2)) {
        node->kind = LITERAL;
        node->literal = random_value(world, node->type);
        return node;
    }
    node->kind = SLOT;
    int first = node->type == VALUE_NUMBER ? 0 : node->type == VALUE_BOOL ? 3 : 6;
    node->slot = first + (int)draw(world, 3);
    return node;
}

static enum value_type random_type(struct world *world)
{
    static const enum value_type types[] = {VALUE_NUMBER, VALUE_BOOL, VALUE_STRING};
    return types[draw(world, 3)];
}

static void add(struct world *world, struct node *node, enum value_type type, int depth)
{
    node->children[node->n++] = grow(world, type, depth - 1);
}

static void grow_bool(struct world *world, struct node *node, int depth)
{
    static const enum kind kinds[] = {
        EQUAL, NOT_EQUAL, LESS,    LESS_EQUAL,  GREATER, GREATER_EQUAL, AND,         OR,      AND,
        OR,    NOT,       IS_NULL, IS_NOT_NULL, IN,      NOT_IN,        STARTS_WITH, CONTAINS};
    node->kind = kinds[draw(world, sizeof kinds / sizeof kinds[0])];
    enum value_type type = VALUE_BOOL;
    if (node->kind == STARTS_WITH || node->kind == CONTAINS)
        type = VALUE_STRING;
    else if (node->kind >= LESS && node->kind <= GREATER_EQUAL)
        type = draw(world, 2) ? VALUE_NUMBER : VALUE_STRING;
    else if (node->kind != AND && node->kind != OR && node->kind != NOT)
        type = random_type(world);
    add(world, node, type, depth);
    bool unary = node->kind == NOT || (node->kind >= IS_NULL && node->kind <= NOT_IN);
    if (!unary)
        add(world, node, type, depth);
    if (node->kind == IN || node->kind == NOT_IN) {
        node->n_items = 1 + (int)draw(world, 3);
        for (int i = 0; i < node->n_items; i++)
            node->items[i] = random_value(world, type);
    }
}

static void grow_number(struct world *world, struct node *node, int depth)
{
    static const enum kind kinds[] = {NEGATE, ADD, SUBTRACT, MULTIPLY, DIVIDE, REMAINDER,
                                      MIN,    MAX, ABS,      FLOOR,    LENGTH};
    node->kind = kinds[draw(world, sizeof kinds / sizeof kinds[0])];
    add(world, node, node->kind == LENGTH ? VALUE_STRING : VALUE_NUMBER, depth);
    bool unary =
        node->kind == NEGATE || node->kind == ABS || node->kind == FLOOR || node->kind == LENGTH;
    if (!unary)
        add(world, node, VALUE_NUMBER, depth);
    if ((node->kind == MIN || node->kind == MAX) && draw(world, 2))
        add(world, node, VALUE_NUMBER, depth);
}

static struct node *grow(struct world *world, enum value_type type, int depth)
{
    assert_true(world->n_nodes < MAX_NODES);
    struct node *node = &world->nodes[world->n_nodes++];
    *node = (struct node){.type = type};
    if (depth == 0 || draw(world, 6) == 0)
        return leaf(world, node);
    unsigned any = draw(world, 8);
    if (any == 0) {
        node->kind = IF;
        add(world, node, VALUE_BOOL, depth);
        add(world, node, type, depth);
        add(world, node, type, depth);
    } else if (any == 1) {
        node->kind = COALESCE;
        for (unsigned n = 1 + draw(world, 3); n > 0; n--)
            add(world, node, type, depth);
    } else if (type == VALUE_BOOL) {
        grow_bool(world, node, depth);
    } else if (type == VALUE_NUMBER) {
        grow_number(world, node, depth);
    } else {
        node->kind = UPPER;
        add(world, node, VALUE_STRING, depth);
    }
    return node;
}

static void write_literal(struct value value, struct buffer *out)
{
    char text[NUMBER_TEXT_SIZE];
    if (value.type == VALUE_NUMBER) {
        number_format(value.number, text);
        buffer_append_text(out, text);
    } else if (value.type == VALUE_BOOL) {
        buffer_append_text(out, value.boolean ? "true" : "false");
    } else {
        buffer_printf(out, "'%.*s'", SLICE_ARGS(value.string));
    }
}

static void write_node(struct world *world, const struct node *node, int wanted,
                       struct buffer *out);

static void write_function(struct world *world, const struct node *node, struct buffer *out)
{
    buffer_printf(out, "%s(", forms[node->kind].sign);
    for (int i = 0; i < node->n; i++) {
        buffer_append_text(out, i ? ", " : "");
        write_node(world, node->children[i], 0, out);
    }
    buffer_append_char(out, ')');
}

static void write_list(const struct node *node, struct buffer *out)
{
    buffer_append_char(out, '[');
    for (int i = 0; i < node->n_items; i++) {
        buffer_append_text(out, i ? "," : "");
        write_literal(node->items[i], out);
    }
    buffer_append_char(out, ']');
}

static void write_operation(struct world *world, const struct node *node, struct buffer *out)
{
    int strength = forms[node->kind].strength;
    const char *sign = forms[node->kind].sign;
    if (node->kind == NEGATE || node->kind == NOT) {
        buffer_append_text(out, sign);
        write_node(world, node->children[0], strength, out);
        return;
    }
    /* Left-associative, but tests do not chain. */
    write_node(world, node->children[0], strength == 4 ? 5 : strength, out);
    buffer_append_text(out, sign);
    if (node->n == 2)
        write_node(world, node->children[1], strength + 1, out);
    if (node->n_items > 0)
        write_list(node, out);
}

/* In parentheses where it binds less than `wanted`. */
static void write_node(struct world *world, const struct node *node, int wanted, struct buffer *out)
{
    bool parentheses = forms[node->kind].strength < wanted || draw(world, 20) == 0;
    if (parentheses)
        buffer_append_char(out, '(');
    if (node->kind == LITERAL)
        write_literal(node->literal, out);
    else if (node->kind == SLOT)
        buffer_append_text(out, symbols[node->slot].name);
    else if (forms[node->kind].strength == 8)
        write_function(world, node, out);
    else
        write_operation(world, node, out);
    if (parentheses)
        buffer_append_char(out, ')');
}

/* The independent evaluator: null is NULL-typed, numbers that are not finite are null. */
static struct value walk(const struct world *world, const struct node *node, struct arena *arena);

static struct value number_or_null(double number)
{
    return isnan(number) || isinf(number) ? value_null() : value_number(number);
}

static struct value walk_number(const struct node *node, const struct value *a)
{
    for (int i = 0; i < node->n; i++)
        if (a[i].type == VALUE_NULL)
            return value_null();
    double result = a[0].number;
    switch (node->kind) {
    case NEGATE:
        return number_or_null(0 - result);
    case ADD:
        return number_or_null(result + a[1].number);
    case SUBTRACT:
        return number_or_null(result - a[1].number);
    case MULTIPLY:
        return number_or_null(result * a[1].number);
    case DIVIDE:
        return number_or_null(a[1].number == 0 ? NAN : result / a[1].number);
    case REMAINDER:
        return number_or_null(fmod(result, a[1].number));
    case ABS:
        return value_number(result < 0 ? -result : result);
    case FLOOR:
        return value_number(floor(result));
    case LENGTH:
        return value_number((double)a[0].string.size);
    default:
        for (int i = 1; i < node->n; i++)
            if (node->kind == MIN ? a[i].number < result : a[i].number > result)
                result = a[i].number;
        return value_number(result);
    }
}

static int sign_of(struct value a, struct value b)
{
    if (a.type == VALUE_STRING) {
        char left[64], right[64];
        snprintf(left, sizeof left, "%.*s", SLICE_ARGS(a.string));
        snprintf(right, sizeof right, "%.*s", SLICE_ARGS(b.string));
        return strcmp(left, right);
    }
    double left = a.type == VALUE_BOOL ? a.boolean : a.number;
    double right = b.type == VALUE_BOOL ? b.boolean : b.number;
    return left < right ? -1 : left > right;
}

/* SQL's truth tables, spelled out: 0 false, 1 true, 2 null. */
static const int and_table[3][3] = {{0, 0, 0}, {0, 1, 2}, {0, 2, 2}};
static const int or_table[3][3] = {{0, 1, 2}, {1, 1, 1}, {2, 1, 2}};

static int truth(struct value value)
{
    return value.type == VALUE_NULL ? 2 : value.boolean;
}

static struct value from_truth(int truth_value)
{
    return truth_value == 2 ? value_null() : value_bool(truth_value == 1);
}

static struct value walk_test(const struct node *node, const struct value *a)
{
    int sign;
    switch (node->kind) {
    case AND:
        return from_truth(and_table[truth(a[0])][truth(a[1])]);
    case OR:
        return from_truth(or_table[truth(a[0])][truth(a[1])]);
    case NOT:
        return a[0].type == VALUE_NULL ? value_null() : value_bool(!a[0].boolean);
    case IS_NULL:
        return value_bool(a[0].type == VALUE_NULL);
    case IS_NOT_NULL:
        return value_bool(a[0].type != VALUE_NULL);
    case IN:
    case NOT_IN:
        if (a[0].type == VALUE_NULL)
            return value_null();
        for (int i = 0; i < node->n_items; i++)
            if (sign_of(a[0], node->items[i]) == 0)
                return value_bool(node->kind == IN);
        return value_bool(node->kind == NOT_IN);
    default:
        break;
    }
    if (a[0].type == VALUE_NULL || a[1].type == VALUE_NULL)
        return value_null();
    if (node->kind == STARTS_WITH || node->kind == CONTAINS) {
        char text[64], part[64];
        snprintf(text, sizeof text, "%.*s", SLICE_ARGS(a[0].string));
        snprintf(part, sizeof part, "%.*s", SLICE_ARGS(a[1].string));
        const char *found = strstr(text, part);
        return value_bool(node->kind == CONTAINS ? found != NULL : found == text);
    }
    sign = sign_of(a[0], a[1]);
    bool results[] = {sign == 0, sign != 0, sign<0, sign <= 0, sign> 0, sign >= 0};
    return value_bool(results[node->kind - EQUAL]);
}

static struct value walk_upper(struct value a, struct arena *arena)
{
    if (a.type == VALUE_NULL)
        return a;
    char *text = arena_alloc(arena, a.string.size);
    for (size_t i = 0; i < a.string.size; i++)
        text[i] = a.string.data[i] >= 'a' && a.string.data[i] <= 'z'
                      ? (char)(a.string.data[i] - 'a' + 'A')
                      : a.string.data[i];
    return value_string(slice_make(text, a.string.size));
}

static struct value walk(const struct world *world, const struct node *node, struct arena *arena)
{
    if (node->kind == LITERAL)
        return node->literal;
    if (node->kind == SLOT)
        return world->slots[node->slot];
    struct value a[4] = {0};
    for (int i = 0; i < node->n; i++)
        a[i] = walk(world, node->children[i], arena);
    if (node->kind == IF)
        return a[0].type == VALUE_BOOL && a[0].boolean ? a[1] : a[2];
    if (node->kind == COALESCE) {
        for (int i = 0; i < node->n; i++)
            if (a[i].type != VALUE_NULL)
                return a[i];
        return value_null();
    }
    if (node->kind == UPPER)
        return walk_upper(a[0], arena);
    return node->type == VALUE_NUMBER ? walk_number(node, a) : walk_test(node, a);
}

static bool same(struct value a, struct value b)
{
    if (a.type != b.type)
        return false;
    if (a.type == VALUE_NULL)
        return true;
    if (a.type == VALUE_NUMBER)
        return a.number == b.number;
    if (a.type == VALUE_BOOL)
        return a.boolean == b.boolean;
    return slice_equal(a.string, b.string);
}

static void set_slots(struct world *world)
{
    for (int i = 0; i < N_SLOTS; i++)
        world->slots[i] = draw(world, 4) ? random_value(world, symbols[i].type) : value_null();
}

static void agrees_with_a_walk_over_the_tree(void **state)
{
    (void)state;
    static struct world world;
    world.random = 2026;
    struct arena *arena = arena_create(1 << 20);
    struct buffer text;
    buffer_init(&text, 1 << 16);
    const struct expr_scope scope = {.symbols = symbols, .n_symbols = N_SLOTS};
    const struct expr_run run = {.arena = arena};
    int n_null = 0, n_values = 0;
    for (int round = 0; round < 20000; round++) {
        world.n_nodes = 0;
        const struct node *root = grow(&world, random_type(&world), 4);
        buffer_reset(&text);
        write_node(&world, root, 0, &text);
        struct expr *expr;
        struct error error = {0};
        if (expr_compile(text.data, &scope, root->type, &expr, &error))
            fail_msg("%s: %s", text.data, error.message);
        for (int i = 0; i < 5; i++) {
            set_slots(&world);
            arena_reset(arena);
            struct value found = expr_evaluate(expr, world.slots, &run);
            struct value expected = walk(&world, root, arena);
            if (!same(found, expected))
                fail_msg("%s: %s %g, not %s %g", text.data, value_type_name(found.type),
                         found.number, value_type_name(expected.type), expected.number);
            if (root->type == VALUE_BOOL)
                assert_int_equal(expr_holds(expr, world.slots, &run), expr_is_true(expected));
            n_null += found.type == VALUE_NULL;
            n_values += found.type != VALUE_NULL;
        }
        expr_destroy(expr);
    }
    assert_true(n_null > 5000 && n_values > 50000); /* both were really tried */
    buffer_free(&text);
    arena_destroy(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(agrees_with_a_walk_over_the_tree)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
