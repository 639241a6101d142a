/* Pairs of expressions. Over a decision the names are those of rules, and what came out of it; over
 * a slice they are the series of the history. What has no value is null: a decision or slice counts
 * when `valid` is true, and is good when `good` is true; one whose `good` is null says nothing and
 * does not count. */
#include "engine/monitor/indicators.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/expr/expr.h"
#include "engine/history/measure.h"

#define MAX_SLOTS    (SLOT_FIELDS + MAX_FIELDS + MAX_FEATURES)
#define MAX_MEASURES 1024
#define SLICE_GRACE  (30 * US_PER_S) /* what workers held back is counted by then */

enum {
    SLOT_SCORE,
    SLOT_DECISION,
    SLOT_RULE,
    SLOT_VARIANT,
    SLOT_MODEL,
    SLOT_LATENCY,
    SLOT_AGE,
    SLOT_FIELDS /* from here: fields, then features */
};

struct indicator {
    const struct slo *slo;
    struct expr *good, *valid; /* valid NULL: all count */
    int64_t judged_us;         /* slices before are settled; 0: none was looked at */
};

struct indicators {
    struct slo_set set; /* a copy */
    const struct schema *schema;
    const struct feature_schema *features;
    struct indicator list[MAX_CUSTOM];
    int n;
    int used[MAX_SLOTS]; /* slots that some expression over decisions reads */
    int n_used;
    char (*measures)[2 * NAME_SIZE]; /* names of slices, by slot */
    int n_measures;
};

/* ---- names ---- */

static enum value_type type_of(enum field_type type)
{
    static const enum value_type types[] = {
        [FIELD_STRING] = VALUE_STRING, [FIELD_FLOAT] = VALUE_NUMBER,   [FIELD_INT] = VALUE_NUMBER,
        [FIELD_BOOL] = VALUE_BOOL,     [FIELD_TIMESTAMP] = VALUE_TIME,
    };
    return types[type];
}

static void add_symbol(struct expr_symbol *symbols, size_t *n, struct expr_symbol symbol)
{
    for (size_t i = 0; i < *n; i++) {
        if (strcmp(symbols[i].name, symbol.name) == 0)
            return;
    }
    symbols[(*n)++] = symbol;
}

static size_t outcome_symbols(const struct indicators *indicators, struct expr_symbol *symbols)
{
    static const struct expr_symbol results[] = {
        {"score", VALUE_NUMBER, SLOT_SCORE, "the model's score"},
        {"decision", VALUE_STRING, SLOT_DECISION, "approve, review or decline"},
        {"rule", VALUE_STRING, SLOT_RULE, "the rule that decided"},
        {"variant", VALUE_STRING, SLOT_VARIANT, "champion or canary"},
        {"model", VALUE_STRING, SLOT_MODEL, "the model's name"},
        {"latency_us", VALUE_NUMBER, SLOT_LATENCY, "from received to decided"},
        {"age_s", VALUE_NUMBER, SLOT_AGE, "how old the event was"},
    };
    size_t n = 0;
    for (size_t i = 0; i < sizeof results / sizeof *results; i++)
        add_symbol(symbols, &n, results[i]);
    const struct schema *schema = indicators->schema;
    for (size_t i = 0; schema && i < schema->n_fields; i++)
        add_symbol(symbols, &n,
                   (struct expr_symbol){schema->fields[i].name, type_of(schema->fields[i].type),
                                        SLOT_FIELDS + (int)i, NULL});
    int first = SLOT_FIELDS + (schema ? (int)schema->n_fields : 0);
    for (size_t i = 0; indicators->features && i < indicators->features->n_features; i++)
        add_symbol(symbols, &n,
                   (struct expr_symbol){indicators->features->names[i], VALUE_NUMBER,
                                        first + (int)i, NULL});
    return n;
}

static void note_measure(void *context, const char *name, const char *unit, const char *help)
{
    (void)unit;
    (void)help;
    struct indicators *indicators = context;
    if (indicators->n_measures < MAX_MEASURES)
        snprintf(indicators->measures[indicators->n_measures++], sizeof indicators->measures[0],
                 "%s", name);
}

/* The series that there will be: which columns are watched is known before they are cut. */
static enum status list_measures(struct indicators *indicators, struct error *error)
{
    size_t n = indicators->features ? indicators->features->n_features + 1 : 1;
    struct layout columns = {.n_columns = n < MAX_COLUMNS ? (int)n : MAX_COLUMNS};
    columns.names = calloc(n, sizeof *columns.names);
    indicators->measures = calloc(MAX_MEASURES, sizeof *indicators->measures);
    if (!columns.names || !indicators->measures) {
        free(columns.names);
        return error_set(error, STATUS_MEMORY, "out of memory for objectives");
    }
    for (int i = 0; i < columns.n_columns; i++)
        snprintf(columns.names[i], NAME_SIZE, "%s",
                 i == 0 ? "score" : indicators->features->names[i - 1]);
    measure_list(&columns, note_measure, indicators);
    free(columns.names);
    return STATUS_OK;
}

static size_t slice_symbols(const struct indicators *indicators, struct expr_symbol *symbols)
{
    for (int i = 0; i < indicators->n_measures; i++)
        symbols[i] = (struct expr_symbol){indicators->measures[i], VALUE_NUMBER, i, NULL};
    return (size_t)indicators->n_measures;
}

/* ---- making ---- */

static enum status compile(const struct slo *slo, const char *key, const char *text,
                           const struct expr_scope *scope, struct expr **expr, struct error *error)
{
    struct error cause;
    if (expr_compile(text, scope, VALUE_BOOL, expr, &cause) == STATUS_OK)
        return STATUS_OK;
    return error_set(error, STATUS_INVALID, "objective %s: %s: %s", slo->name, key, cause.message);
}

static enum status add_indicator(struct indicators *indicators, const struct slo *slo,
                                 const struct expr_scope *scope, struct error *error)
{
    struct indicator *indicator = &indicators->list[indicators->n++];
    indicator->slo = slo;
    enum status status = compile(slo, "good", slo->good, scope, &indicator->good, error);
    if (status == STATUS_OK && slo->valid)
        status = compile(slo, "valid", slo->valid, scope, &indicator->valid, error);
    return status;
}

static enum status compile_all(struct indicators *indicators, struct error *error)
{
    struct expr_symbol *symbols = calloc(MAX_SLOTS + MAX_MEASURES, sizeof *symbols);
    if (!symbols)
        return error_set(error, STATUS_MEMORY, "out of memory for objectives");
    enum status status = STATUS_OK;
    for (int i = 0; i < indicators->set.n && status == STATUS_OK; i++) {
        const struct slo *slo = &indicators->set.slos[i];
        if (!slo->good)
            continue;
        struct expr_scope scope = {.symbols = symbols};
        scope.n_symbols = slo->slice_us ? slice_symbols(indicators, symbols)
                                        : outcome_symbols(indicators, symbols);
        status = add_indicator(indicators, slo, &scope, error);
    }
    free(symbols);
    return status;
}

static void find_used(struct indicators *indicators)
{
    for (int slot = 0; slot < MAX_SLOTS; slot++) {
        bool used = false;
        for (int i = 0; i < indicators->n; i++) {
            const struct indicator *indicator = &indicators->list[i];
            used = used || (!indicator->slo->slice_us &&
                            (expr_uses(indicator->good, slot) ||
                             (indicator->valid && expr_uses(indicator->valid, slot))));
        }
        if (used)
            indicators->used[indicators->n_used++] = slot;
    }
}

enum status indicators_create(const struct slo_set *set, const struct schema *schema,
                              const struct feature_schema *features, struct indicators **indicators,
                              struct error *error)
{
    bool any = false;
    *indicators = NULL;
    for (int i = 0; i < set->n; i++)
        any = any || set->slos[i].good;
    if (!any)
        return STATUS_OK;
    struct indicators *made = calloc(1, sizeof *made);
    if (!made)
        return error_set(error, STATUS_MEMORY, "out of memory for objectives");
    made->set = *set;
    made->schema = schema;
    made->features = features;
    enum status status = list_measures(made, error);
    if (status == STATUS_OK)
        status = compile_all(made, error);
    if (status != STATUS_OK) {
        indicators_destroy(made);
        return status;
    }
    find_used(made);
    *indicators = made;
    return STATUS_OK;
}

void indicators_destroy(struct indicators *indicators)
{
    if (!indicators)
        return;
    for (int i = 0; i < indicators->n; i++) {
        expr_destroy(indicators->list[i].good);
        expr_destroy(indicators->list[i].valid);
    }
    free(indicators->measures);
    free(indicators);
}

/* ---- decisions ---- */

static struct value text_of(const char *text)
{
    return text ? value_string(slice_of(text)) : value_null();
}

static struct value result_of(const struct outcome *outcome, int slot)
{
    switch (slot) {
    case SLOT_SCORE:
        return value_number((double)outcome->score);
    case SLOT_DECISION:
        return text_of(decision_name(outcome->decision));
    case SLOT_RULE:
        return text_of(outcome->rule);
    case SLOT_VARIANT:
        return text_of(variant_name(outcome->variant));
    case SLOT_MODEL:
        return text_of(outcome->model);
    case SLOT_LATENCY:
        return outcome->latency_us < 0 ? value_null() : value_number((double)outcome->latency_us);
    case SLOT_AGE:
        return outcome->event
                   ? value_number((double)(outcome->decided_at_us - outcome->event->time_us) /
                                  (double)US_PER_S)
                   : value_null();
    default:
        return value_null();
    }
}

static struct value slot_value(const struct indicators *indicators, const struct outcome *outcome,
                               int slot)
{
    size_t n_fields = indicators->schema ? indicators->schema->n_fields : 0;
    size_t place = (size_t)slot - SLOT_FIELDS;
    if (slot < SLOT_FIELDS)
        return result_of(outcome, slot);
    if (place < n_fields)
        return outcome->event ? outcome->event->values[place] : value_null();
    return outcome->features.values
               ? value_number((double)outcome->features.values[place - n_fields])
               : value_null();
}

/* Whether it counts; *bad: and is not good. */
static bool judge(const struct indicator *indicator, const struct value *slots, bool *bad)
{
    if (indicator->valid && !expr_is_true(expr_evaluate(indicator->valid, slots, NULL)))
        return false;
    struct value good = expr_evaluate(indicator->good, slots, NULL);
    *bad = good.type == VALUE_BOOL && !good.boolean;
    return good.type == VALUE_BOOL;
}

struct custom_verdict indicators_outcome(void *context, const struct outcome *outcome)
{
    const struct indicators *indicators = context;
    struct custom_verdict verdict = {0, 0};
    struct value slots[MAX_SLOTS]; /* those that are used */
    for (int i = 0; i < indicators->n_used; i++)
        slots[indicators->used[i]] = slot_value(indicators, outcome, indicators->used[i]);
    for (int i = 0; i < indicators->n; i++) {
        const struct indicator *indicator = &indicators->list[i];
        bool bad;
        if (indicator->slo->slice_us || !judge(indicator, slots, &bad))
            continue;
        verdict.counted = (uint8_t)(verdict.counted | 1u << indicator->slo->custom);
        verdict.bad = (uint8_t)(verdict.bad | (unsigned)bad << indicator->slo->custom);
    }
    return verdict;
}

/* ---- slices ---- */

struct slice_look {
    const struct indicators *indicators;
    const struct indicator *indicator;
    slice_visitor *visit;
    void *context;
};

static bool reads(const struct indicator *indicator, int slot)
{
    return expr_uses(indicator->good, slot) ||
           (indicator->valid && expr_uses(indicator->valid, slot));
}

static void look(void *context, const struct point *point)
{
    struct slice_look *look = context;
    struct value slots[MAX_MEASURES];
    struct measure measure;
    struct error error;
    bool bad;
    for (int i = 0; i < look->indicators->n_measures; i++) {
        slots[i] = value_null();
        if (!reads(look->indicator, i) ||
            measure_find(point->layout, slice_of(look->indicators->measures[i]), &measure,
                         &error) != STATUS_OK)
            continue;
        const struct sums *sums = point->n_groups > 0 ? point->groups[0] : NULL;
        slots[i] = value_number(measure_value(&measure, point, sums)); /* NaN is null there */
    }
    if (judge(look->indicator, slots, &bad))
        look->visit(look->context, point->start_s * US_PER_S, bad);
}

static enum status look_at(const struct indicators *indicators, const struct indicator *indicator,
                           struct history_store *history, int64_t from_us, int64_t to_us,
                           slice_visitor *visit, void *context, struct error *error)
{
    struct range range = {.from_s = from_us / US_PER_S,
                          .to_s = to_us / US_PER_S,
                          .step_s = indicator->slo->slice_us / US_PER_S,
                          .sections = SECTION_ALL};
    struct slice_look slices = {indicators, indicator, visit, context};
    return range_read(history, &range, look, &slices, error);
}

enum status indicators_look(const struct indicators *indicators, const struct slo *slo,
                            struct history_store *history, int64_t from_us, int64_t to_us,
                            slice_visitor *visit, void *context, struct error *error)
{
    int64_t width_us = slo->slice_us;
    int64_t first_us = (from_us + width_us - 1) / width_us * width_us;
    int64_t end_us = to_us / width_us * width_us;
    enum status status = STATUS_OK;
    for (int i = 0; i < indicators->n && first_us < end_us && status == STATUS_OK; i++) {
        const struct indicator *indicator = &indicators->list[i];
        if (indicator->slo->slice_us && indicator->slo->custom == slo->custom)
            status =
                look_at(indicators, indicator, history, first_us, end_us, visit, context, error);
    }
    return status;
}

struct last_slice {
    bool counted, bad;
};

static void keep_last(void *context, int64_t start_us, bool bad)
{
    (void)start_us;
    *(struct last_slice *)context = (struct last_slice){.counted = true, .bad = bad};
}

/* Observe is told when the history is let go: it tells the history in turn. */
static void judge_slice(const struct indicators *indicators, const struct indicator *indicator,
                        struct history_store *history, struct observe *observe, int64_t from_us)
{
    int64_t to_us = from_us + indicator->slo->slice_us;
    struct last_slice slice = {.counted = false};
    struct tally tally = {0};
    struct error error;
    if (look_at(indicators, indicator, history, from_us, to_us, keep_last, &slice, &error) !=
            STATUS_OK ||
        !slice.counted)
        return;
    tally.custom_counted[indicator->slo->custom] = 1;
    tally.custom_bad[indicator->slo->custom] = slice.bad;
    observe_verdict(observe, to_us + SLICE_GRACE, &tally);
}

void indicators_slices(struct indicators *indicators, struct history_store *history,
                       struct observe *observe, int64_t now_us)
{
    for (int i = 0; i < indicators->n; i++) {
        struct indicator *indicator = &indicators->list[i];
        int64_t width_us = indicator->slo->slice_us;
        if (!width_us || now_us <= 0)
            continue;
        int64_t over_us = (now_us - SLICE_GRACE) / width_us * width_us;
        if (indicator->judged_us == 0)
            indicator->judged_us = over_us;
        if (indicator->judged_us < over_us - US_PER_DAY)
            indicator->judged_us = over_us - US_PER_DAY / width_us * width_us;
        for (; indicator->judged_us < over_us; indicator->judged_us += width_us)
            judge_slice(indicators, indicator, history, observe, indicator->judged_us);
    }
}
