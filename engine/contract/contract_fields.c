/* The fields of contract.yaml: one table of keys, which key suits which type, enums and patterns
 * made ready for checking. Start-up and reload only. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/yaml.h"
#include "engine/contract/contract_priv.h"

#define MAX_LENGTH 65536

#define KEY(type, structure, member) CONFIG_##type, offsetof(struct structure, member)

struct field_config {
    const char *name, *type, *description, *pattern, *format;
    bool required, nullable, pii;
    double min, max;                /* NaN: not given */
    int64_t min_length, max_length; /* -1: not given */
    int64_t max_future_us;          /* -1: not given */
    const struct yaml_node *words;
};

/* clang-format off */
static const struct config_key field_keys[] = {
    {"name", KEY(STRING, field_config, name), true, 0, 0, "letters, digits and _"},
    {"type", KEY(STRING, field_config, type), true, 0, 0, "string, float, int, bool, timestamp"},
    {"description", KEY(STRING, field_config, description), false, 0, 0, "for people"},
    {"required", KEY(BOOL, field_config, required), false, 0, 0,
     "whether it must be present; default true"},
    {"nullable", KEY(BOOL, field_config, nullable), false, 0, 0,
     "whether it may be null; default false"},
    {"pii", KEY(BOOL, field_config, pii), false, 0, 0,
     "personal: enters the record as a keyed pseudonym only; strings"},
    {"min", KEY(NUMBER, field_config, min), false, 0, 0, "smallest number"},
    {"max", KEY(NUMBER, field_config, max), false, 0, 0, "largest number"},
    {"enum", KEY(NODE, field_config, words), false, 0, 0, "list of all values there are"},
    {"pattern", KEY(STRING, field_config, pattern), false, 0, 0,
     "regular expression (PCRE2) that the whole text must match"},
    {"format", KEY(STRING, field_config, format), false, 0, 0, "ulid"},
    {"min_length", KEY(INT, field_config, min_length), false, 0, MAX_LENGTH, "in characters"},
    {"max_length", KEY(INT, field_config, max_length), false, 0, MAX_LENGTH, "in characters"},
    {"max_future", KEY(DURATION, field_config, max_future_us), false, 0, 3e9,
     "how far after now a time may be"},
    {NULL, CONFIG_STRING, 0, false, 0, 0, NULL},
};
/* clang-format on */

/* What expressions and the canonical JSON take without quoting. */
bool contract_is_name(const char *name)
{
    size_t size = strlen(name);
    if (size == 0 || size > CONTRACT_MAX_NAME || (name[0] >= '0' && name[0] <= '9'))
        return false;
    return strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") == size;
}

static enum status no_memory(struct error *error)
{
    return error_set(error, STATUS_MEMORY, "no memory for a contract");
}

static enum status read_type(const struct yaml_node *map, const char *word, enum field_type *type,
                             struct error *error)
{
    const char *names[FIELD_TIMESTAMP + 1];
    for (int i = 0; i <= FIELD_TIMESTAMP; i++) {
        names[i] = field_type_name((enum field_type)i);
        if (strcmp(word, names[i]) == 0) {
            *type = (enum field_type)i;
            return STATUS_OK;
        }
    }
    const char *near = nearest_word(word, names, FIELD_TIMESTAMP + 1);
    return yaml_error(yaml_get(map, "type"), error, "unknown type \"%.60s\"; %s%s%s", word,
                      near ? "did you mean \"" : "types: ",
                      near ? near : "string, float, int, bool, timestamp", near ? "\"?" : "");
}

/* Which keys mean something for which types; a bit per type. */
#define FOR(type) (1u << FIELD_##type)
static const struct {
    const char *key;
    unsigned types;
} key_types[] = {
    {"min", FOR(FLOAT) | FOR(INT)},
    {"max", FOR(FLOAT) | FOR(INT)},
    {"enum", FOR(STRING) | FOR(FLOAT) | FOR(INT)},
    {"pattern", FOR(STRING)},
    {"format", FOR(STRING)},
    {"min_length", FOR(STRING)},
    {"max_length", FOR(STRING)},
    {"max_future", FOR(TIMESTAMP)},
};

static enum status check_keys_suit(const struct yaml_node *map, const struct field *field,
                                   struct error *error)
{
    for (size_t i = 0; i < sizeof key_types / sizeof key_types[0]; i++) {
        const struct yaml_node *node = yaml_get(map, key_types[i].key);
        if (node && !(key_types[i].types >> field->type & 1))
            return yaml_error(node, error, "\"%s\" means nothing for a field of type %s",
                              key_types[i].key, field_type_name(field->type));
    }
    if (field->pii && field->type != FIELD_STRING)
        return yaml_error(yaml_get(map, "pii"), error,
                          "a personal field must be of type string: its pseudonym is one");
    return STATUS_OK;
}

static enum status read_words(const struct yaml_node *list, size_t n, struct field_rule *rule,
                              struct words **set, struct error *error)
{
    const char **words = calloc(n, sizeof *words);
    rule->words = words;
    if (!words)
        return no_memory(error);
    for (size_t i = 0; i < n; i++) {
        const struct yaml_node *item = yaml_item(list, i);
        if (yaml_kind(item) != YAML_SCALAR || yaml_is_null(item))
            return yaml_error(item, error, "expected text");
        words[i] = yaml_text(item);
    }
    *set = words_create(words, n);
    if (!*set)
        return no_memory(error);
    /* One that stands there again is left out, so that numbers are places in the list. */
    rule->n_words = 0;
    for (size_t i = 0; i < n; i++) {
        if (words_find(*set, slice_of(words[i])) == rule->n_words + 1)
            words[rule->n_words++] = words[i];
    }
    return STATUS_OK;
}

static enum status read_numbers(const struct yaml_node *list, size_t n, struct field_rule *rule,
                                struct error *error)
{
    double *numbers = calloc(n, sizeof *numbers);
    rule->numbers = numbers;
    if (!numbers)
        return no_memory(error);
    for (size_t i = 0; i < n; i++) {
        enum status status = yaml_read_number(yaml_item(list, i), &numbers[i], error);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static enum status read_enum(struct contract *contract, size_t index, const struct yaml_node *list,
                             struct error *error)
{
    struct field_rule *rule = &contract->rules[index];
    size_t n = yaml_size(list);
    if (yaml_kind(list) != YAML_LIST || n == 0)
        return yaml_error(list, error, "expected a list of values, e.g. [a, b]");
    rule->n_words = n;
    return contract->fields[index].type == FIELD_STRING
               ? read_words(list, n, rule, &contract->words[index], error)
               : read_numbers(list, n, rule, error);
}

static enum status read_pattern(struct contract *contract, size_t index,
                                const struct yaml_node *map, const char *pattern,
                                struct error *error)
{
    struct error cause;
    contract->rules[index].pattern = pattern;
    enum status status = regex_compile(pattern, &contract->patterns[index], &cause);
    return status == STATUS_OK ? STATUS_OK
                               : yaml_error(yaml_get(map, "pattern"), error, "%s", cause.message);
}

static enum status check_limits(const struct yaml_node *map, const struct field_rule *rule,
                                struct error *error)
{
    if (rule->has_min && rule->has_max && rule->min > rule->max)
        return yaml_error(yaml_get(map, "max"), error, "max is below min");
    if (rule->max_length >= 0 && rule->min_length > rule->max_length)
        return yaml_error(yaml_get(map, "max_length"), error, "max_length is below min_length");
    return STATUS_OK;
}

static enum status read_rule(struct contract *contract, size_t index, const struct yaml_node *map,
                             const struct field_config *config, struct error *error)
{
    struct field_rule *rule = &contract->rules[index];
    *rule = (struct field_rule){
        .description = config->description,
        .has_min = !isnan(config->min),
        .has_max = !isnan(config->max),
        .min = config->min,
        .max = config->max,
        .min_length = config->min_length,
        .max_length = config->max_length,
        .max_future_us = config->max_future_us,
    };
    enum status status = check_limits(map, rule, error);
    if (status == STATUS_OK && config->format) {
        rule->ulid = strcmp(config->format, "ulid") == 0;
        if (!rule->ulid)
            status =
                yaml_error(yaml_get(map, "format"), error,
                           "unknown format \"%.60s\"; the only one is \"ulid\"", config->format);
    }
    if (status == STATUS_OK && config->words)
        status = read_enum(contract, index, config->words, error);
    if (status == STATUS_OK && config->pattern)
        status = read_pattern(contract, index, map, config->pattern, error);
    return status;
}

static enum status read_field(struct contract *contract, size_t index, const struct yaml_node *map,
                              struct error *error)
{
    struct field_config config = {.description = "",
                                  .required = true,
                                  .min = NAN,
                                  .max = NAN,
                                  .min_length = -1,
                                  .max_length = -1,
                                  .max_future_us = -1};
    struct field *field = &contract->fields[index];
    enum status status = config_read(map, field_keys, &config, error);
    if (status != STATUS_OK)
        return status;
    if (!contract_is_name(config.name))
        return yaml_error(yaml_get(map, "name"), error,
                          "a field's name is letters, digits and _, at most %d, no digit first",
                          CONTRACT_MAX_NAME);
    for (size_t i = 0; i < index; i++)
        if (strcmp(contract->fields[i].name, config.name) == 0)
            return yaml_error(yaml_get(map, "name"), error, "there are two fields \"%s\"",
                              config.name);
    field->name = config.name;
    field->required = config.required;
    field->nullable = config.nullable;
    field->pii = config.pii;
    status = read_type(map, config.type, &field->type, error);
    if (status == STATUS_OK)
        status = check_keys_suit(map, field, error);
    return status == STATUS_OK ? read_rule(contract, index, map, &config, error) : status;
}

enum status contract_read_fields(struct contract *contract, const struct yaml_node *list,
                                 struct error *error)
{
    size_t n = yaml_size(list);
    if (yaml_kind(list) != YAML_LIST || n == 0)
        return yaml_error(list, error, "expected a list of fields");
    if (n > MAX_FIELDS)
        return yaml_error(list, error, "%zu fields; at most %d", n, MAX_FIELDS);
    contract->fields = calloc(n, sizeof *contract->fields);
    contract->rules = calloc(n, sizeof *contract->rules);
    contract->words = calloc(n, sizeof *contract->words);
    contract->patterns = calloc(n, sizeof *contract->patterns);
    if (!contract->fields || !contract->rules || !contract->words || !contract->patterns)
        return no_memory(error);
    contract->schema.fields = contract->fields;
    contract->schema.n_fields = n;
    for (size_t i = 0; i < n; i++) {
        enum status status = read_field(contract, i, yaml_item(list, i), error);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}
