/* Checks over windows, compiled once by the expression language. Its functions find their field
 * when they are compiled and look at the window when they are called. */
#include "engine/monitor/expect.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/expr/expr.h"
#include "engine/monitor/quality.h"

#define LEAST_OVER_S 10
#define MOST_OVER_S  900 /* what the slices hold */

struct expectation {
    const char *name, *check; /* the document's */
    int64_t over_us;
    struct expr *expr;
};

struct expectations {
    struct expectation list[MAX_EXPECTATIONS];
    int n;
};

/* What a call looks at. */
struct looking {
    const struct span_sums *sums;
    struct quality_window window;
};

/* Which field a use names. */
struct bound {
    int field;
    char word[64];
};

static enum status bind_field(void *context, const struct value *arguments, int n_arguments,
                              void **bound, struct error *error)
{
    const struct schema *schema = context;
    char name[64];
    snprintf(name, sizeof name, SLICE_FORMAT, SLICE_ARGS(arguments[0].string));
    int field = schema_find(schema, name);
    if (field < 0)
        return error_set(error, STATUS_INVALID, "'%s' is no field of the contract", name);
    struct bound *made = calloc(1, sizeof *made);
    if (!made)
        return error_set(error, STATUS_MEMORY, "out of memory");
    made->field = field;
    if (n_arguments > 1)
        snprintf(made->word, sizeof made->word, SLICE_FORMAT, SLICE_ARGS(arguments[1].string));
    *bound = made;
    return STATUS_OK;
}

static struct value number_or_null(double number)
{
    return isfinite(number) ? value_number(number) : value_null();
}

static struct field_quality field_of(const struct bound *bound, const struct looking *looking)
{
    struct field_quality field;
    quality_of_field(looking->sums, &looking->window, bound->field, &field);
    return field;
}

static struct value null_share(void *bound, void *looking, const struct value *arguments, int n)
{
    (void)arguments;
    (void)n;
    return number_or_null(field_of(bound, looking).missing);
}

static struct value invalid_share(void *bound, void *looking, const struct value *arguments, int n)
{
    (void)arguments;
    (void)n;
    return number_or_null(field_of(bound, looking).invalid);
}

static struct value distinct(void *bound, void *looking, const struct value *arguments, int n)
{
    (void)arguments;
    (void)n;
    return number_or_null(field_of(bound, looking).distinct);
}

static struct value least(void *bound, void *looking, const struct value *arguments, int n)
{
    (void)arguments;
    (void)n;
    return number_or_null(field_of(bound, looking).low);
}

static struct value greatest(void *bound, void *looking, const struct value *arguments, int n)
{
    (void)arguments;
    (void)n;
    return number_or_null(field_of(bound, looking).high);
}

/* The share of the events, accepted or not, whose field has this word. */
static struct value word_share(void *bound, void *context, const struct value *arguments, int n)
{
    (void)arguments;
    (void)n;
    const struct bound *use = bound;
    const struct looking *looking = context;
    const struct slices_view *view = looking->sums->view;
    const struct field_quality field = field_of(use, looking);
    char wanted[NAME_SIZE + 80];
    snprintf(wanted, sizeof wanted, "%s=%s", field.name, use->word);
    for (int i = 0; i < view->n_series; i++) {
        const struct slice_series *series = &view->series[i];
        if (series->kind != SERIES_SLICE || strcmp(series->name, wanted) != 0)
            continue;
        uint64_t seen = 0;
        for (int c = 0; c < SLICE_SCORE; c++)
            seen += span_count(looking->sums, series->first + c, looking->window.from,
                               looking->window.to);
        return field.n > 0 ? value_number((double)seen / (double)field.n) : value_null();
    }
    return value_null();
}

enum span_figure { DUPLICATES, QUARANTINED, ERRORS, RATE, EVENTS, AGE_P95, FEATURE_LAG };

static struct value span_of(const struct looking *looking, enum span_figure figure)
{
    struct span_quality span;
    quality_of_span(looking->sums, &looking->window, &span);
    double all = (double)(span.accepted + span.quarantined + span.errors);
    int cells = slices_cells_there(looking->sums->view, looking->window.from, looking->window.to);
    double seconds = cells * (double)SLICE_CELL_US / 1e6;
    double figures[] = {
        [DUPLICATES] = span.duplicate_ratio,
        [QUARANTINED] = all > 0 ? (double)span.quarantined / all : (double)NAN,
        [ERRORS] = all > 0 ? (double)span.errors / all : (double)NAN,
        [RATE] = seconds > 0 ? all / seconds : (double)NAN,
        [EVENTS] = all,
        [AGE_P95] = span.age_p95_s,
        [FEATURE_LAG] = span.feature_lag_s,
    };
    return number_or_null(figures[figure]);
}

#define SPAN_FUNCTION(name, figure)                                                                \
    static struct value name(void *bound, void *looking, const struct value *arguments, int n)     \
    {                                                                                              \
        (void)bound;                                                                               \
        (void)arguments;                                                                           \
        (void)n;                                                                                   \
        return span_of(looking, figure);                                                           \
    }
SPAN_FUNCTION(duplicate_share, DUPLICATES)
SPAN_FUNCTION(quarantine_share, QUARANTINED)
SPAN_FUNCTION(error_share, ERRORS)
SPAN_FUNCTION(events_per_s, RATE)
SPAN_FUNCTION(events, EVENTS)
SPAN_FUNCTION(age_p95_s, AGE_P95)
SPAN_FUNCTION(feature_lag_s, FEATURE_LAG)

#define FIELD_ROW(name, call, help)                                                                \
    {                                                                                              \
        name, VALUE_NUMBER, 1, 1, {VALUE_STRING}, 1, false, bind_field, free, call, NULL, help     \
    }
#define SPAN_ROW(name, call, help)                                                                 \
    {                                                                                              \
        name, VALUE_NUMBER, 0, 0, {VALUE_NULL}, 0, false, NULL, NULL, call, NULL, help             \
    }

static const struct expr_function functions[] = {
    FIELD_ROW("null_share", null_share, "share of the events in which the field is missing"),
    FIELD_ROW("invalid_share", invalid_share, "share in which it breaks the contract"),
    FIELD_ROW("distinct", distinct, "how many different texts it had, about"),
    FIELD_ROW("least", least, "its least number"),
    FIELD_ROW("greatest", greatest, "its greatest number"),
    {"word_share",
     VALUE_NUMBER,
     2,
     2,
     {VALUE_STRING, VALUE_STRING},
     3,
     false,
     bind_field,
     free,
     word_share,
     NULL,
     "share of the events whose field has this word"},
    SPAN_ROW("duplicate_share", duplicate_share, "share of the events that came before"),
    SPAN_ROW("quarantine_share", quarantine_share, "share that is quarantined"),
    SPAN_ROW("error_share", error_share, "share that got no decision"),
    SPAN_ROW("events_per_s", events_per_s, "events a second"),
    SPAN_ROW("events", events, "events"),
    SPAN_ROW("age_p95_s", age_p95_s, "95th percentile of their age when decided, upper edge"),
    SPAN_ROW("feature_lag_s", feature_lag_s, "how old the newest event is that features know"),
};
#define N_FUNCTIONS (sizeof functions / sizeof *functions)

static enum status compile(const struct expectation_rule *rule, const struct schema *schema,
                           struct expectation *out, struct error *error)
{
    struct expr_function bound[N_FUNCTIONS];
    memcpy(bound, functions, sizeof bound);
    for (size_t i = 0; i < N_FUNCTIONS; i++)
        bound[i].context = (void *)(uintptr_t)schema;
    const struct expr_scope scope = {.functions = bound, .n_functions = N_FUNCTIONS};
    *out = (struct expectation){.name = rule->name, .check = rule->check, .over_us = rule->over_us};
    struct error cause;
    if (expr_compile(rule->check, &scope, VALUE_BOOL, &out->expr, &cause) == STATUS_OK)
        return STATUS_OK;
    return yaml_error(rule->node, error, "check: %s", cause.message);
}

static enum status read_one(const struct yaml_node *node, struct expectation_rule *rule,
                            struct error *error)
{
    static const struct config_key table[] = {
        {"name", CONFIG_STRING, offsetof(struct expectation_rule, name), true, 0, 0,
         "what it is called"},
        {"check", CONFIG_STRING, offsetof(struct expectation_rule, check), true, 0, 0,
         "the condition that should hold"},
        {"over", CONFIG_DURATION, offsetof(struct expectation_rule, over_us), false, LEAST_OVER_S,
         MOST_OVER_S, "the window, up to 15m (5m)"},
        {NULL, CONFIG_STRING, 0, false, 0, 0, NULL},
    };
    *rule = (struct expectation_rule){.over_us = 300 * US_PER_S, .node = node};
    return config_read(node, table, rule, error);
}

static enum status add(struct expectations *expectations, const struct schema *schema,
                       const struct expectation_rule *rule, struct error *error)
{
    if (expectations->n == MAX_EXPECTATIONS)
        return yaml_error(rule->node, error, "there are more than %d expectations",
                          MAX_EXPECTATIONS);
    if (rule->over_us < LEAST_OVER_S * US_PER_S || rule->over_us > MOST_OVER_S * US_PER_S)
        return yaml_error(yaml_get(rule->node, "over"), error,
                          "a window of a check is from %ds to %dm long", LEAST_OVER_S,
                          MOST_OVER_S / 60);
    for (int i = 0; i < expectations->n; i++)
        if (strcmp(expectations->list[i].name, rule->name) == 0)
            return yaml_error(rule->node, error, "there are two expectations \"%.100s\"",
                              rule->name);
    return compile(rule, schema, &expectations->list[expectations->n++], error);
}

static enum status read_list(const struct yaml_node *node, const struct schema *schema,
                             struct expectations *expectations, struct error *error)
{
    enum status status = STATUS_OK;
    if (node && yaml_kind(node) != YAML_LIST)
        return yaml_error(node, error, "expectations is a list of up to %d {name, check, over}",
                          MAX_EXPECTATIONS);
    for (size_t i = 0; node && i < yaml_size(node) && status == STATUS_OK; i++) {
        struct expectation_rule rule;
        status = read_one(yaml_item(node, i), &rule, error);
        if (status == STATUS_OK)
            status = add(expectations, schema, &rule, error);
    }
    return status;
}

enum status expectations_read(const struct yaml_node *node, const struct schema *schema,
                              const struct expectation_rule *rules, size_t n_rules,
                              struct expectations **expectations, struct error *error)
{
    *expectations = NULL;
    if (!node && n_rules == 0)
        return STATUS_OK;
    struct expectations *made = calloc(1, sizeof *made);
    if (!made)
        return error_set(error, STATUS_MEMORY, "out of memory");
    enum status status = read_list(node, schema, made, error);
    for (size_t i = 0; i < n_rules && status == STATUS_OK; i++)
        status = add(made, schema, &rules[i], error);
    if (status != STATUS_OK) {
        expectations_destroy(made);
        return status;
    }
    *expectations = made;
    return STATUS_OK;
}

void expectations_destroy(struct expectations *expectations)
{
    if (!expectations)
        return;
    for (int i = 0; i < expectations->n; i++)
        expr_destroy(expectations->list[i].expr);
    free(expectations);
}

int expectations_count(const struct expectations *expectations)
{
    return expectations ? expectations->n : 0;
}

const char *expectation_state_name(const struct expectation_state *state)
{
    static const char *const names[] = {
        [EXPECTATION_NODATA] = "nodata", [EXPECTATION_OK] = "ok", [EXPECTATION_FAILED] = "failed"};
    return names[state->state];
}

void expectation_judge(const struct expectations *expectations, int i, const struct span_sums *sums,
                       struct expectation_state *out)
{
    const struct expectation *one = &expectations->list[i];
    int cells = (int)((one->over_us + SLICE_CELL_US - 1) / SLICE_CELL_US);
    int n = sums->view->n_cells;
    struct looking looking = {sums, {.to = n, .from = n > cells ? n - cells : 0}};
    int known = slices_cells_there(sums->view, looking.window.from, n);
    const struct expr_run run = {.context = &looking};
    struct value held = value_null();
    if (2 * known >= cells)
        held = expr_evaluate(one->expr, NULL, &run);
    *out = (struct expectation_state){
        .name = one->name,
        .check = one->check,
        .over_us = one->over_us,
        .state = held.type != VALUE_BOOL ? EXPECTATION_NODATA
                 : held.boolean          ? EXPECTATION_OK
                                         : EXPECTATION_FAILED,
    };
}
