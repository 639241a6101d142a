/* A contract as JSON Schema, draft 2020-12 (json-schema.org/draft/2020-12: core and validation).
 * Start-up and command line only. */
#include "engine/contract/jsonschema.h"

#include <stdio.h>

#include "engine/base/clock.h"
#include "engine/base/json.h"

#define MAX_PATTERN 2048

/* "string", or ["string", "null"]. A timestamp may also be an epoch number. */
static void write_types(struct json_writer *json, const struct field *field)
{
    static const char *const types[] = {[FIELD_STRING] = "string",
                                        [FIELD_FLOAT] = "number",
                                        [FIELD_INT] = "integer",
                                        [FIELD_BOOL] = "boolean",
                                        [FIELD_TIMESTAMP] = "string"};
    bool epoch = field->type == FIELD_TIMESTAMP;
    if (!field->nullable && !epoch) {
        json_text(json, "type", types[field->type]);
        return;
    }
    json_array(json, "type");
    json_text(json, NULL, types[field->type]);
    if (epoch)
        json_text(json, NULL, "number");
    if (field->nullable)
        json_text(json, NULL, "null");
    json_array_end(json);
}

static void write_enum(struct json_writer *json, const struct field *field,
                       const struct field_rule *rule)
{
    if (rule->n_words == 0)
        return;
    json_array(json, "enum");
    for (size_t i = 0; i < rule->n_words; i++) {
        if (rule->words)
            json_text(json, NULL, rule->words[i]);
        else
            json_number(json, NULL, rule->numbers[i]);
    }
    if (field->nullable) /* "enum" speaks of every value, null included */
        json_null(json, NULL);
    json_array_end(json);
}

/* JSON Schema finds a pattern anywhere in the text; the contract wants it to be the whole text. */
static void write_pattern(struct json_writer *json, const struct field_rule *rule)
{
    char pattern[MAX_PATTERN];
    if (rule->ulid)
        json_text(json, "pattern", "^[0-7][0-9A-HJKMNP-TV-Z]{25}$");
    else if (rule->pattern &&
             snprintf(pattern, sizeof pattern, "^(?:%s)$", rule->pattern) < MAX_PATTERN)
        json_text(json, "pattern", pattern);
}

static void write_limits(struct json_writer *json, const struct field *field,
                         const struct field_rule *rule)
{
    if (rule->has_min)
        json_number(json, "minimum", rule->min);
    else if (field->type == FIELD_INT)
        json_number(json, "minimum", -9007199254740992.0);
    if (rule->has_max)
        json_number(json, "maximum", rule->max);
    else if (field->type == FIELD_INT)
        json_number(json, "maximum", 9007199254740992.0);
    if (rule->min_length >= 0)
        json_int(json, "minLength", rule->min_length);
    if (rule->max_length >= 0)
        json_int(json, "maxLength", rule->max_length);
}

static void write_field(struct json_writer *json, const struct contract *contract, int index)
{
    const struct field *field = &contract_schema(contract)->fields[index];
    const struct field_rule *rule = contract_rule(contract, index);
    json_object(json, field->name);
    if (rule->description[0])
        json_text(json, "description", rule->description);
    write_types(json, field);
    if (field->type == FIELD_TIMESTAMP)
        json_text(json, "format", "date-time");
    write_limits(json, field, rule);
    write_enum(json, field, rule);
    write_pattern(json, rule);
    if (rule->max_future_us >= 0)
        json_number(json, "x-max-future-s", (double)rule->max_future_us / (double)US_PER_S);
    if (field->pii)
        json_bool(json, "x-pii", true);
    json_object_end(json);
}

static void write_roles(struct json_writer *json, const struct schema *schema)
{
    json_object(json, "x-roles");
    json_text(json, "id", schema->fields[schema->id].name);
    json_text(json, "time", schema->fields[schema->time].name);
    if (schema->label >= 0)
        json_text(json, "label", schema->fields[schema->label].name);
    json_text(json, "entity", schema->fields[schema->entity].name);
    json_object_end(json);
}

static void write_checks(struct json_writer *json, const struct contract *contract)
{
    if (contract_n_checks(contract) + contract_n_window_checks(contract) == 0)
        return;
    json_array(json, "x-checks");
    for (size_t i = 0; i < contract_n_checks(contract); i++) {
        struct contract_check_rule check = contract_check_at(contract, i);
        json_object(json, NULL);
        json_text(json, "name", check.name);
        json_text(json, "expr", check.expression);
        json_object_end(json);
    }
    for (size_t i = 0; i < contract_n_window_checks(contract); i++) {
        const struct contract_window_check *check = contract_window_check_at(contract, i);
        json_object(json, NULL);
        json_text(json, "name", check->name);
        json_text(json, "expr", check->expression);
        json_number(json, "over_s", (double)check->over_us / 1e6);
        json_object_end(json);
    }
    json_array_end(json);
}

/* "urn:binnacle:contract:NAME:VERSION", the version with what a URN does not take made "-". */
static void write_id(struct json_writer *json, const struct schema *schema)
{
    char id[256];
    int size = snprintf(id, sizeof id, "urn:binnacle:contract:%s:", schema->name);
    for (const char *at = schema->version; *at && size < (int)sizeof id - 1; at++) {
        bool plain = (*at >= '0' && *at <= '9') || (*at >= 'a' && *at <= 'z') ||
                     (*at >= 'A' && *at <= 'Z') || *at == '.' || *at == '-' || *at == '_';
        id[size++] = plain ? *at : '-';
    }
    id[size] = '\0';
    json_text(json, "$id", id);
}

void contract_json_schema(const struct contract *contract, struct buffer *out)
{
    const struct schema *schema = contract_schema(contract);
    struct json_writer json;
    json_begin(&json, out);
    json_object(&json, NULL);
    json_text(&json, "$schema", "https://json-schema.org/draft/2020-12/schema");
    write_id(&json, schema);
    json_text(&json, "title", schema->name);
    if (contract_description(contract)[0])
        json_text(&json, "description", contract_description(contract));
    json_text(&json, "x-version", schema->version);
    json_text(&json, "type", "object");
    json_object(&json, "properties");
    for (size_t i = 0; i < schema->n_fields; i++)
        write_field(&json, contract, (int)i);
    json_object_end(&json);
    json_array(&json, "required");
    for (size_t i = 0; i < schema->n_fields; i++)
        if (schema->fields[i].required)
            json_text(&json, NULL, schema->fields[i].name);
    json_array_end(&json);
    json_bool(&json, "additionalProperties", contract_additional_fields(contract));
    write_roles(&json, schema);
    json_number(&json, "x-unique-within-s",
                (double)contract_unique_within_us(contract) / (double)US_PER_S);
    write_checks(&json, contract);
    json_object_end(&json);
}
