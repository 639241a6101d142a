/* contract.yaml into a contract: tables of keys, then what one key means for another. Every error
 * names file, line and column. Start-up and reload only. */
#include <stdlib.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/contract/contract_priv.h"
#include "engine/expr/expr.h"

#define DEFAULT_WITHIN_US   (7 * US_PER_DAY)
#define DEFAULT_MAX_STEP_US (30 * US_PER_DAY)
#define DEFAULT_ID_LENGTH   256
#define MAX_CHECKS          64

struct file_config {
    const char *name, *version, *description;
    const struct yaml_node *fields, *roles, *unique, *checks;
    bool additional_fields;
    int64_t max_step_us;
};

#define KEY(type, structure, member) CONFIG_##type, offsetof(struct structure, member)

/* clang-format off */
static const struct config_key file_keys[] = {
    {"name", KEY(STRING, file_config, name), true, 0, 0, "name of the contract"},
    {"version", KEY(STRING, file_config, version), true, 0, 0, "its version, any text"},
    {"description", KEY(STRING, file_config, description), false, 0, 0, "for people"},
    {"fields", KEY(NODE, file_config, fields), true, 0, 0, "list of fields, in order"},
    {"roles", KEY(NODE, file_config, roles), true, 0, 0, "which fields are id, time, ..."},
    {"unique", KEY(NODE, file_config, unique), false, 0, 0, "span in which an id may not return"},
    {"max_step", KEY(DURATION, file_config, max_step_us), false, 0, 3e9,
     "furthest jump of a replay's clock; 0s: any; default 30d"},
    {"additional_fields", KEY(BOOL, file_config, additional_fields), false, 0, 0,
     "whether members of other names are let through unread; default true"},
    {"checks", KEY(NODE, file_config, checks), false, 0, 0, "list of conditions on the event"},
    {NULL, CONFIG_STRING, 0, false, 0, 0, NULL},
};
/* clang-format on */

struct role_config {
    const char *id, *time, *label, *entity;
};

/* clang-format off */
static const struct config_key role_keys[] = {
    {"id", KEY(STRING, role_config, id), true, 0, 0, "string field that names the event"},
    {"time", KEY(STRING, role_config, time), true, 0, 0, "timestamp field"},
    {"label", KEY(STRING, role_config, label), false, 0, 0, "int or bool field with the truth"},
    {"entity", KEY(STRING, role_config, entity), false, 0, 0,
     "string field whose events belong together; default: the id"},
    {NULL, CONFIG_STRING, 0, false, 0, 0, NULL},
};
/* clang-format on */

struct unique_config {
    const char *field;
    int64_t within_us;
};

/* clang-format off */
static const struct config_key unique_keys[] = {
    {"field", KEY(STRING, unique_config, field), false, 0, 0, "the id field"},
    {"within", KEY(DURATION, unique_config, within_us), false, 0, 3e9,
     "default 7d; 0s: not checked"},
    {NULL, CONFIG_STRING, 0, false, 0, 0, NULL},
};
/* clang-format on */

struct check_config {
    const char *name, *expression;
    int64_t over_us; /* 0: of the event */
};

/* clang-format off */
static const struct config_key check_keys[] = {
    {"name", KEY(STRING, check_config, name), true, 0, 0, "shown as the reason"},
    {"expr", KEY(STRING, check_config, expression), true, 0, 0,
     "condition over the fields that must not be false"},
    {"over", KEY(DURATION, check_config, over_us), false, 1, 3e9,
     "makes it one over the events of the last so long"},
    {NULL, CONFIG_STRING, 0, false, 0, 0, NULL},
};
/* clang-format on */

#define FOR(type) (1u << FIELD_##type)

static enum status no_memory(struct error *error)
{
    return error_set(error, STATUS_MEMORY, "no memory for a contract");
}

/* The field that a role names, of one of the types given by bits. */
static enum status find_role(const struct contract *contract, const struct yaml_node *map,
                             const char *role, const char *name, unsigned types, int *field,
                             struct error *error)
{
    const char *names[MAX_FIELDS];
    const struct schema *schema = &contract->schema;
    *field = schema_find(schema, name);
    if (*field < 0) {
        for (size_t i = 0; i < schema->n_fields; i++)
            names[i] = schema->fields[i].name;
        return yaml_error(yaml_get(map, role), error, "there is no field \"%.60s\"%s", name,
                          did_you_mean(nearest_word(name, names, schema->n_fields)).text);
    }
    enum field_type type = schema->fields[*field].type;
    if (!(types >> type & 1))
        return yaml_error(yaml_get(map, role), error, "field \"%s\" of type %s cannot be the %s",
                          name, field_type_name(type), role);
    return STATUS_OK;
}

/* Id and time are what the record is ordered and found by. */
static enum status check_always_there(const struct contract *contract, const struct yaml_node *map,
                                      const char *role, int index, struct error *error)
{
    const struct field *field = &contract->fields[index];
    if (field->required && !field->nullable)
        return STATUS_OK;
    return yaml_error(yaml_get(map, role), error,
                      "the %s must be required and not nullable, and \"%s\" is not", role,
                      field->name);
}

static enum status read_roles(struct contract *contract, const struct yaml_node *map,
                              struct error *error)
{
    struct role_config config = {0};
    struct schema *schema = &contract->schema;
    enum status status = config_read(map, role_keys, &config, error);
    if (status == STATUS_OK)
        status = find_role(contract, map, "id", config.id, FOR(STRING), &schema->id, error);
    if (status == STATUS_OK)
        status = check_always_there(contract, map, "id", schema->id, error);
    if (status == STATUS_OK)
        status =
            find_role(contract, map, "time", config.time, FOR(TIMESTAMP), &schema->time, error);
    if (status == STATUS_OK)
        status = check_always_there(contract, map, "time", schema->time, error);
    if (status == STATUS_OK && contract->fields[schema->id].pii)
        status = yaml_error(yaml_get(map, "id"), error,
                            "the id cannot be personal: proofs and labels refer to it");
    schema->entity = schema->id;
    schema->label = -1;
    if (status == STATUS_OK && config.entity)
        status =
            find_role(contract, map, "entity", config.entity, FOR(STRING), &schema->entity, error);
    if (status == STATUS_OK && config.label)
        status = find_role(contract, map, "label", config.label, FOR(INT) | FOR(BOOL),
                           &schema->label, error);
    if (status != STATUS_OK)
        return status;
    struct field_rule *id = &contract->rules[schema->id];
    if (id->max_length < 0 && !id->ulid)
        id->max_length = DEFAULT_ID_LENGTH;
    return STATUS_OK;
}

static enum status read_unique(struct contract *contract, const struct yaml_node *map,
                               struct error *error)
{
    struct unique_config config = {.within_us = DEFAULT_WITHIN_US};
    enum status status = map ? config_read(map, unique_keys, &config, error) : STATUS_OK;
    if (status != STATUS_OK)
        return status;
    const char *id = contract->fields[contract->schema.id].name;
    if (config.field && strcmp(config.field, id) != 0)
        return yaml_error(yaml_get(map, "field"), error,
                          "the field that is unique is the id, \"%s\"", id);
    contract->unique_within_us = config.within_us;
    return STATUS_OK;
}

static enum value_type value_type_of(enum field_type type)
{
    switch (type) {
    case FIELD_STRING:
        return VALUE_STRING;
    case FIELD_FLOAT:
    case FIELD_INT:
        return VALUE_NUMBER;
    case FIELD_BOOL:
        return VALUE_BOOL;
    case FIELD_TIMESTAMP:
        break;
    }
    return VALUE_TIME;
}

static bool is_check(const struct contract *contract, const char *name)
{
    for (size_t i = 0; i < contract->n_checks; i++)
        if (strcmp(contract->checks[i].name, name) == 0)
            return true;
    for (size_t i = 0; i < contract->n_window_checks; i++)
        if (strcmp(contract->window_checks[i].name, name) == 0)
            return true;
    return false;
}

static enum status read_check(struct contract *contract, const struct expr_scope *scope,
                              const struct yaml_node *map, struct error *error)
{
    struct check_config config = {0};
    struct error cause;
    size_t index = contract->n_checks;
    enum status status = config_read(map, check_keys, &config, error);
    if (status != STATUS_OK)
        return status;
    if (is_check(contract, config.name))
        return yaml_error(yaml_get(map, "name"), error, "there are two checks \"%.100s\"",
                          config.name);
    if (config.over_us > 0) {
        contract->window_checks[contract->n_window_checks++] =
            (struct contract_window_check){config.name, config.expression, config.over_us, map};
        return STATUS_OK;
    }
    status =
        expr_compile(config.expression, scope, VALUE_BOOL, &contract->expressions[index], &cause);
    if (status != STATUS_OK)
        return yaml_error(yaml_get(map, "expr"), error, "in the expression, at %s", cause.message);
    contract->checks[index] = (struct contract_check_rule){config.name, config.expression};
    contract->n_checks++;
    return STATUS_OK;
}

/* Checks speak of the fields by their names; a field's slot is its index. */
static enum status read_checks(struct contract *contract, const struct yaml_node *list,
                               struct error *error)
{
    struct expr_symbol symbols[MAX_FIELDS];
    const struct schema *schema = &contract->schema;
    struct expr_scope scope = {.symbols = symbols, .n_symbols = schema->n_fields};
    size_t n = yaml_size(list);
    if (yaml_kind(list) != YAML_LIST)
        return yaml_error(list, error, "expected a list of checks");
    if (n > MAX_CHECKS)
        return yaml_error(list, error, "%zu checks; at most %d", n, MAX_CHECKS);
    if (n == 0)
        return STATUS_OK;
    for (size_t i = 0; i < schema->n_fields; i++)
        symbols[i] = (struct expr_symbol){.name = schema->fields[i].name,
                                          .type = value_type_of(schema->fields[i].type),
                                          .slot = (int)i};
    contract->checks = calloc(n, sizeof *contract->checks);
    contract->expressions = calloc(n, sizeof *contract->expressions);
    contract->window_checks = calloc(n, sizeof *contract->window_checks);
    if (!contract->checks || !contract->expressions || !contract->window_checks)
        return no_memory(error);
    for (size_t i = 0; i < n; i++) {
        enum status status = read_check(contract, &scope, yaml_item(list, i), error);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

enum status contract_read(struct contract *contract, const struct yaml_node *root,
                          struct error *error)
{
    struct file_config config = {
        .description = "", .additional_fields = true, .max_step_us = DEFAULT_MAX_STEP_US};
    enum status status = config_read(root, file_keys, &config, error);
    if (status != STATUS_OK)
        return status;
    if (!contract_is_name(config.name))
        return yaml_error(yaml_get(root, "name"), error,
                          "a contract's name is letters, digits and _, at most %d, no digit first",
                          CONTRACT_MAX_NAME);
    contract->schema.name = config.name;
    contract->schema.version = config.version;
    contract->description = config.description;
    contract->additional_fields = config.additional_fields;
    contract->max_step_us = config.max_step_us;
    status = contract_read_fields(contract, config.fields, error);
    if (status == STATUS_OK)
        status = read_roles(contract, config.roles, error);
    if (status == STATUS_OK)
        status = read_unique(contract, config.unique, error);
    if (status == STATUS_OK && config.checks)
        status = read_checks(contract, config.checks, error);
    return status;
}
