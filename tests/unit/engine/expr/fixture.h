/* What tests of the expression language share: names and functions of a room, and what an
 * expression is worth there. */
#ifndef BINNACLE_TESTS_EXPR_FIXTURE_H
#define BINNACLE_TESTS_EXPR_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "engine/base/clock.h"
#include "engine/expr/expr.h"

enum slot { AMOUNT, COUNTRY, HOME, FLAG, TS, NOTHING, NO_TEXT, NO_FLAG, BURN, ODD, LATER, SLOTS };

static const struct expr_symbol symbols[] = {
    {"amount", VALUE_NUMBER, AMOUNT, "in USD"},
    {"country", VALUE_STRING, COUNTRY, NULL},
    {"home_country", VALUE_STRING, HOME, NULL},
    {"flag", VALUE_BOOL, FLAG, NULL},
    {"event_ts", VALUE_TIME, TS, NULL},
    {"nothing", VALUE_NUMBER, NOTHING, NULL},
    {"no_text", VALUE_STRING, NO_TEXT, NULL},
    {"no_flag", VALUE_BOOL, NO_FLAG, NULL},
    {"slo.latency.burn_1h", VALUE_NUMBER, BURN, NULL},
    {"odd name", VALUE_NUMBER, ODD, NULL},
    {"later", VALUE_TIME, LATER, NULL},
};

static inline struct value double_it(void *bound, void *run, const struct value *arguments, int n)
{
    (void)n;
    assert_string_equal(bound, "bound");
    return value_number(arguments[0].number * 2 + (run ? *(double *)run : 0));
}

static inline enum status bind_list(void *context, const struct value *arguments, int n,
                                    void **bound, struct error *error)
{
    (void)context;
    (void)n;
    if (!slice_is(arguments[0].string, "mules"))
        return error_set(error, STATUS_NOT_FOUND, "no list \"%.*s\"",
                         SLICE_ARGS(arguments[0].string));
    *bound = malloc(1);
    return STATUS_OK;
}

static inline struct value in_list(void *bound, void *run, const struct value *arguments, int n)
{
    (void)bound, (void)run, (void)n;
    return value_bool(slice_is(arguments[1].string, "GB"));
}

static inline struct value answer(void *bound, void *run, const struct value *arguments, int n)
{
    (void)bound, (void)run, (void)arguments, (void)n;
    return value_number(42);
}

static inline struct value count_nulls(void *bound, void *run, const struct value *arguments, int n)
{
    (void)bound, (void)run;
    int nulls = 0;
    for (int i = 0; i < n; i++)
        nulls += arguments[i].type == VALUE_NULL;
    return value_number(nulls);
}

static char bound_text[] = "bound";

static const struct expr_function functions[] = {
    {.name = "double_it",
     .result = VALUE_NUMBER,
     .min_args = 1,
     .max_args = 1,
     .args = {VALUE_NUMBER},
     .call = double_it,
     .context = bound_text},
    {.name = "in_list",
     .result = VALUE_BOOL,
     .min_args = 2,
     .max_args = 2,
     .args = {VALUE_STRING, VALUE_STRING},
     .literal_args = 1,
     .bind = bind_list,
     .unbind = free,
     .call = in_list},
    {.name = "answer", .result = VALUE_NUMBER, .call = answer},
    {.name = "count_nulls",
     .result = VALUE_NUMBER,
     .min_args = 1,
     .max_args = 8,
     .takes_nulls = true,
     .call = count_nulls},
};

static const struct expr_scope scope = {symbols, sizeof symbols / sizeof symbols[0], functions,
                                        sizeof functions / sizeof functions[0]};

static inline void fill(struct value slots[SLOTS])
{
    slots[AMOUNT] = value_number(3500.5);
    slots[COUNTRY] = value_string(slice_of("GB"));
    slots[HOME] = value_string(slice_of("US"));
    slots[FLAG] = value_bool(true);
    slots[TS] = value_time(INT64_C(1533722400000000)); /* 2018-08-08T10:00:00Z, a Wednesday */
    slots[NOTHING] = slots[NO_TEXT] = slots[NO_FLAG] = value_null();
    slots[BURN] = value_number(15);
    slots[ODD] = value_number(-7);
    slots[LATER] = value_time(INT64_C(1533722490500000));
}

/* "3", "true", "null", "'text'", "@2018-..." */
static inline void describe(struct value value, char *out, size_t size)
{
    char time[TIME_TEXT_SIZE];
    switch (value.type) {
    case VALUE_NULL:
        snprintf(out, size, "null");
        break;
    case VALUE_NUMBER:
        snprintf(out, size, "%.12g", value.number);
        break;
    case VALUE_BOOL:
        snprintf(out, size, value.boolean ? "true" : "false");
        break;
    case VALUE_STRING:
        snprintf(out, size, "'%.*s'", SLICE_ARGS(value.string));
        break;
    case VALUE_TIME:
        snprintf(out, size, "@%s", time_format(value.time_us, time));
        break;
    }
}

static inline void assert_worth(const char *text, const char *expected)
{
    struct expr *expr = NULL;
    struct error error = {0};
    if (expr_compile(text, &scope, VALUE_NULL, &expr, &error))
        fail_msg("%s: %s", text, error.message);
    struct value slots[SLOTS];
    fill(slots);
    struct arena *arena = arena_create(1 << 16);
    struct expr_run run = {.arena = arena};
    char found[256];
    struct value value = expr_evaluate(expr, slots, &run);
    describe(value, found, sizeof found);
    if (strcmp(found, expected) != 0)
        fail_msg("%s is %s, not %s", text, found, expected);
    if (value.type != VALUE_NULL)
        assert_int_equal(value.type, expr_type(expr));
    arena_destroy(arena);
    expr_destroy(expr);
}

struct worth {
    const char *text, *value;
};

static inline void assert_all(const struct worth *table, size_t n)
{
    for (size_t i = 0; i < n; i++)
        assert_worth(table[i].text, table[i].value);
}

#define ASSERT_ALL(table) assert_all(table, sizeof table / sizeof table[0])

#endif
