/* Owning a contract and judging events by it. A contract is read once (contract_load.c) and never
 * changes; checking allocates nothing and takes no lock, on whichever thread carries the batch. */
#include "engine/contract/contract.h"

#include <assert.h>
#include <stdlib.h>

#include "engine/contract/contract_priv.h"
#include "engine/expr/expr.h"

#define CONTRACT_MAGIC 0xC0217AC7u

static enum status adopt(const char *name, struct yaml *yaml, struct contract **out,
                         struct error *error)
{
    if (!yaml_root(yaml)) {
        yaml_destroy(yaml);
        return error_set(error, STATUS_INVALID,
                         "%s: is empty; a contract needs a name, a version, fields and roles",
                         name);
    }
    struct contract *contract = calloc(1, sizeof *contract);
    if (!contract) {
        yaml_destroy(yaml);
        return error_set(error, STATUS_MEMORY, "no memory for a contract");
    }
    contract->magic = CONTRACT_MAGIC;
    contract->yaml = yaml;
    enum status status = contract_read(contract, yaml_root(yaml), error);
    if (status != STATUS_OK) {
        contract_destroy(contract);
        return status;
    }
    *out = contract;
    return STATUS_OK;
}

enum status contract_load(const char *path, struct contract **contract, struct error *error)
{
    struct yaml *yaml;
    *contract = NULL;
    enum status status = yaml_load_file(path, &yaml, error);
    return status == STATUS_OK ? adopt(path, yaml, contract, error) : status;
}

enum status contract_load_text(const char *name, struct slice text, struct contract **contract,
                               struct error *error)
{
    struct yaml *yaml;
    *contract = NULL;
    enum status status = yaml_load_text(name, text, &yaml, error);
    return status == STATUS_OK ? adopt(name, yaml, contract, error) : status;
}

void contract_destroy(struct contract *contract)
{
    if (!contract)
        return;
    assert(contract->magic == CONTRACT_MAGIC);
    contract->magic = 0;
    for (size_t i = 0; i < contract->schema.n_fields; i++) {
        free((void *)contract->rules[i].words);
        free((void *)contract->rules[i].numbers);
        words_destroy(contract->words[i]);
        regex_destroy(contract->patterns[i]);
    }
    for (size_t i = 0; i < contract->n_checks; i++)
        expr_destroy(contract->expressions[i]);
    free(contract->expressions);
    free(contract->window_checks);
    free(contract->checks);
    free(contract->patterns);
    free(contract->words);
    free(contract->rules);
    free(contract->fields);
    yaml_destroy(contract->yaml);
    free(contract);
}

const struct schema *contract_schema(const struct contract *contract)
{
    return &contract->schema;
}

const char *contract_description(const struct contract *contract)
{
    return contract->description;
}

bool contract_additional_fields(const struct contract *contract)
{
    return contract->additional_fields;
}

int64_t contract_unique_within_us(const struct contract *contract)
{
    return contract->unique_within_us;
}

const struct field_rule *contract_rule(const struct contract *contract, int field)
{
    assert(field >= 0 && (size_t)field < contract->schema.n_fields);
    return &contract->rules[field];
}

size_t contract_n_window_checks(const struct contract *contract)
{
    return contract->n_window_checks;
}

const struct contract_window_check *contract_window_check_at(const struct contract *contract,
                                                             size_t index)
{
    assert(index < contract->n_window_checks);
    return &contract->window_checks[index];
}

size_t contract_n_checks(const struct contract *contract)
{
    return contract->n_checks;
}

struct contract_check_rule contract_check_at(const struct contract *contract, size_t index)
{
    assert(index < contract->n_checks);
    return contract->checks[index];
}

/* Code points; the text is valid UTF-8, so every byte that is no tail begins one. */
static int64_t characters(struct slice text)
{
    int64_t n = 0;
    for (size_t i = 0; i < text.size; i++)
        n += ((unsigned char)text.data[i] & 0xC0) != 0x80;
    return n;
}

/* There are at most as many characters as bytes and at least a quarter as many, so that they are
 * seldom counted. */
static bool has_length(const struct field_rule *rule, struct slice text)
{
    int64_t bytes = (int64_t)text.size;
    if ((rule->max_length < 0 || bytes <= rule->max_length) && (bytes + 3) / 4 >= rule->min_length)
        return true;
    int64_t length = characters(text);
    return length >= rule->min_length && (rule->max_length < 0 || length <= rule->max_length);
}

static void check_string(const struct contract *contract, struct event *event, int field)
{
    const struct field_rule *rule = &contract->rules[field];
    struct value *value = &event->values[field];
    struct slice text = value->string;
    if (rule->words)
        value->word = words_find(contract->words[field], text);
    if (rule->ulid) {
        if (!ulid_is_valid(text))
            event_violate(event, VIOLATION_ULID, field);
    } else if (rule->min_length >= 0 || rule->max_length >= 0) {
        if (!has_length(rule, text)) {
            event_violate(event, VIOLATION_LENGTH, field);
            return; /* a pattern is not tried on what is too long */
        }
    }
    if (rule->words && value->word == 0)
        event_violate(event, VIOLATION_ENUM, field);
    if (contract->patterns[field] && !regex_match(contract->patterns[field], text))
        event_violate(event, VIOLATION_PATTERN, field);
}

static void check_number(const struct contract *contract, struct event *event, int field)
{
    const struct field_rule *rule = &contract->rules[field];
    double number = event->values[field].number;
    if ((rule->has_min && number < rule->min) || (rule->has_max && number > rule->max))
        event_violate(event, VIOLATION_RANGE, field);
    if (!rule->numbers)
        return;
    for (size_t i = 0; i < rule->n_words; i++)
        if (rule->numbers[i] == number)
            return;
    event_violate(event, VIOLATION_ENUM, field);
}

/* Whether time_us is more than span_us after now_us; spans and nows may be near the limits. */
static bool is_beyond(int64_t time_us, int64_t now_us, int64_t span_us)
{
    int64_t limit;
    return !__builtin_add_overflow(now_us, span_us, &limit) && time_us > limit;
}

static bool is_ahead(const struct contract *contract, int field, int64_t time_us, int64_t now_us,
                     enum contract_clock clock)
{
    int64_t future_us = contract->rules[field].max_future_us;
    if (clock == CONTRACT_WALL)
        return future_us >= 0 && is_beyond(time_us, now_us, future_us);
    bool limited = field == contract->schema.time && contract->max_step_us > 0;
    return limited && now_us != INT64_MIN && is_beyond(time_us, now_us, contract->max_step_us);
}

bool contract_is_ahead(const struct contract *contract, int64_t time_us, int64_t now_us,
                       enum contract_clock clock)
{
    return is_ahead(contract, contract->schema.time, time_us, now_us, clock);
}

static void check_time(const struct contract *contract, struct event *event, int field,
                       int64_t now_us, enum contract_clock clock)
{
    if (is_ahead(contract, field, event->values[field].time_us, now_us, clock))
        event_violate(event, clock == CONTRACT_WALL ? VIOLATION_FUTURE : VIOLATION_STEP, field);
}

/* Null means that the data for an answer is not there, which the fields' own rules have allowed. */
static void check_expressions(const struct contract *contract, struct event *event)
{
    for (size_t i = 0; i < contract->n_checks; i++) {
        struct value result = expr_evaluate(contract->expressions[i], event->values, NULL);
        if (result.type != VALUE_BOOL || result.boolean)
            continue;
        if (event->n_violations == MAX_VIOLATIONS)
            return;
        event_violate(event, VIOLATION_CHECK, -1);
        event->violations[event->n_violations - 1].check = contract->checks[i].name;
    }
}

void contract_check(const struct contract *contract, struct event *event, int64_t now_us,
                    enum contract_clock clock)
{
    assert(contract->magic == CONTRACT_MAGIC && event->schema == &contract->schema);
    if (!event->values)
        return; /* the decoder had no memory for it and has said so */
    for (size_t i = 0; i < contract->schema.n_fields; i++) {
        switch (event->values[i].type) {
        case VALUE_STRING:
            check_string(contract, event, (int)i);
            break;
        case VALUE_NUMBER:
            check_number(contract, event, (int)i);
            break;
        case VALUE_TIME:
            check_time(contract, event, (int)i, now_us, clock);
            break;
        case VALUE_NULL:
        case VALUE_BOOL:
            break;
        }
    }
    const struct value *time = &event->values[contract->schema.time];
    if (time->type == VALUE_TIME)
        event->time_us = time->time_us;
    if (event->n_violations == 0)
        check_expressions(contract, event);
}
