/* Any text as an expression: compiles or says where not, evaluates to its type or null, and means
 * the same when compiled again. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/expr/expr.h"

#define N_SLOTS 5

static const struct expr_symbol symbols[N_SLOTS] = {
    {"amount", VALUE_NUMBER, 0, NULL},   {"country", VALUE_STRING, 1, NULL},
    {"flag", VALUE_BOOL, 2, NULL},       {"event_ts", VALUE_TIME, 3, NULL},
    {"slo.burn", VALUE_NUMBER, 4, NULL},
};
static const struct expr_scope scope = {.symbols = symbols, .n_symbols = N_SLOTS};

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void check_error(const struct error *error)
{
    int line = 0, column = 0;
    require(sscanf(error->message, "%d:%d: ", &line, &column) == 2 && line > 0 && column > 0);
}

static bool same(struct value a, struct value b)
{
    if (a.type != b.type)
        return false;
    switch (a.type) {
    case VALUE_NULL:
        return true;
    case VALUE_NUMBER:
        return a.number == b.number;
    case VALUE_BOOL:
        return a.boolean == b.boolean;
    case VALUE_STRING:
        return slice_equal(a.string, b.string);
    case VALUE_TIME:
        return a.time_us == b.time_us;
    }
    return false;
}

static void evaluate(const struct expr *expr, const struct expr *again)
{
    static const struct value null = {.type = VALUE_NULL};
    const struct value worlds[][N_SLOTS] = {
        {value_number(3500), value_string(slice_of("GB")), value_bool(true),
         value_time(1533722400000000), value_number(15)},
        {null, null, null, null, null},
        {value_number(NAN), value_number(1), null, value_time(INT64_MIN), value_number(-1e308)},
    };
    struct arena *arena = arena_create(1 << 20);
    const struct expr_run run = {.arena = arena};
    for (size_t i = 0; i < sizeof worlds / sizeof worlds[0]; i++) {
        struct value value = expr_evaluate(expr, worlds[i], &run);
        require(value.type == VALUE_NULL || value.type == expr_type(expr));
        require(value.type != VALUE_NUMBER || isfinite(value.number));
        require(same(value, expr_evaluate(again, worlds[i], &run)));
        expr_evaluate(expr, worlds[i], NULL);
    }
    arena_destroy(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    if (!text)
        return 0;
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    struct error error = {0};
    struct expr *expr, *again;
    if (expr_compile(text, &scope, VALUE_NULL, &expr, &error) == STATUS_OK) {
        require(expr_compile(expr_text(expr), &scope, expr_type(expr), &again, &error) ==
                STATUS_OK);
        evaluate(expr, again);
        expr_destroy(again);
        expr_destroy(expr);
    } else {
        check_error(&error);
    }
    free(text);
    return 0;
}
