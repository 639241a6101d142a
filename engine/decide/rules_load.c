/* rules.yaml into compiled rules. Start-up and reload only; every error names file, line and
 * column, and for what stands in an expression the place within it. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/decide/rules_priv.h"
#include "engine/expr/expr.h"

#define MAX_NAME 63 /* bytes of a rule's name or a code: they become labels and columns */

struct file_config {
    const struct yaml_node *lists, *rules, *reasons;
    const char *otherwise;
};

struct rule_config {
    const char *name, *when, *decision, *code;
};

#define FILE_KEY(type, member) CONFIG_##type, offsetof(struct file_config, member)
#define RULE_KEY(type, member) CONFIG_##type, offsetof(struct rule_config, member)

/* clang-format off */
static const struct config_key file_keys[] = {
    {"lists", FILE_KEY(NODE, lists), false, 0, 0, "lists that rules ask with in_list()"},
    {"rules", FILE_KEY(NODE, rules), false, 0, 0, "conditions, tried in order"},
    {"default", FILE_KEY(STRING, otherwise), false, 0, 0,
     "decision when no rule fires; default approve"},
    {"reasons", FILE_KEY(NODE, reasons), false, 0, 0, "reason code of a feature, by its name"},
    {NULL, CONFIG_STRING, 0, false, 0, 0, NULL},
};

static const struct config_key rule_keys[] = {
    {"name", RULE_KEY(STRING, name), true, 0, 0, "shown with the decision"},
    {"when", RULE_KEY(STRING, when), true, 0, 0, "condition; null does not fire"},
    {"decision", RULE_KEY(STRING, decision), true, 0, 0, "approve, review or decline"},
    {"code", RULE_KEY(STRING, code), false, 0, 0, "reason code of its own"},
    {NULL, CONFIG_STRING, 0, false, 0, 0, NULL},
};
/* clang-format on */

static enum status no_memory(struct error *error)
{
    return error_set(error, STATUS_MEMORY, "no memory for rules");
}

static enum status read_decision(const struct yaml_node *node, const char *word,
                                 enum decision *decision, struct error *error)
{
    const char *words[DECISION_COUNT];
    for (int i = 0; i < DECISION_COUNT; i++) {
        words[i] = decision_name((enum decision)i);
        if (strcmp(word, words[i]) == 0) {
            *decision = (enum decision)i;
            return STATUS_OK;
        }
    }
    return yaml_error(node, error, "\"%.40s\" is not approve, review or decline%s", word,
                      did_you_mean(nearest_word(word, words, DECISION_COUNT)).text);
}

static enum status check_label(const struct yaml_node *node, const char *what, const char *text,
                               struct error *error)
{
    size_t size = strlen(text);
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)text[i] < 0x20)
            return yaml_error(node, error, "a %s has no control characters", what);
    if (size < 1 || size > MAX_NAME)
        return yaml_error(node, error, "a %s has 1 to %d bytes", what, MAX_NAME);
    return STATUS_OK;
}

/* ---- names ---- */

static enum value_type type_of(enum field_type type)
{
    static const enum value_type types[] = {
        [FIELD_STRING] = VALUE_STRING, [FIELD_FLOAT] = VALUE_NUMBER,   [FIELD_INT] = VALUE_NUMBER,
        [FIELD_BOOL] = VALUE_BOOL,     [FIELD_TIMESTAMP] = VALUE_TIME,
    };
    return types[type];
}

static bool is_known(const struct expr_symbol *symbols, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(symbols[i].name, name) == 0)
            return true;
    return false;
}

/* Everything a rule may name: where names are the same, the score first, then fields. */
static size_t list_symbols(const struct rules *rules, struct expr_symbol *symbols)
{
    size_t n = 0;
    symbols[n++] = (struct expr_symbol){"score", VALUE_NUMBER, SLOT_SCORE, "the model's score"};
    symbols[n++] = (struct expr_symbol){"margin", VALUE_NUMBER, SLOT_MARGIN, "before the logistic"};
    symbols[n++] = (struct expr_symbol){"now", VALUE_TIME, SLOT_NOW, "when it is decided"};
    for (size_t i = 0; i < rules->schema->n_fields; i++) {
        const struct field *field = &rules->schema->fields[i];
        if (!is_known(symbols, n, field->name))
            symbols[n++] =
                (struct expr_symbol){field->name, type_of(field->type), SLOT_FIELDS + (int)i, NULL};
    }
    for (size_t i = 0; i < rules->features->n_features; i++) {
        const char *name = rules->features->names[i];
        if (!is_known(symbols, n, name))
            symbols[n++] = (struct expr_symbol){
                name, VALUE_NUMBER, SLOT_FIELDS + (int)(rules->schema->n_fields + i), NULL};
    }
    return n;
}

/* ---- rules ---- */

static enum status read_rule(struct rules *rules, const struct yaml_node *node,
                             const struct expr_scope *scope, struct error *error)
{
    struct rule_config config = {0};
    struct rule *rule = &rules->rules[rules->n_rules];
    enum status status = config_read(node, rule_keys, &config, error);
    if (!status)
        status = check_label(yaml_get(node, "name"), "rule's name", config.name, error);
    if (!status && config.code)
        status = check_label(yaml_get(node, "code"), "code", config.code, error);
    if (!status)
        status = read_decision(yaml_get(node, "decision"), config.decision, &rule->verdict.decision,
                               error);
    if (status)
        return status;
    bool taken = strcmp(config.name, "default") == 0;
    for (size_t i = 0; i < rules->n_rules; i++)
        taken = taken || strcmp(rules->rules[i].verdict.rule, config.name) == 0;
    if (taken)
        return yaml_error(yaml_get(node, "name"), error, "another rule is called \"%s\"",
                          config.name);
    struct error cause;
    if (expr_compile(config.when, scope, VALUE_BOOL, &rule->when, &cause))
        return yaml_error(yaml_get(node, "when"), error, "in the condition, at %s", cause.message);
    rule->verdict.rule = config.name;
    rule->verdict.code = config.code;
    rules->n_rules++;
    return STATUS_OK;
}

static enum status find_used(struct rules *rules, struct error *error)
{
    size_t n_slots = SLOT_FIELDS + rules->schema->n_fields + rules->features->n_features;
    rules->used = calloc(n_slots, sizeof *rules->used);
    if (!rules->used)
        return no_memory(error);
    for (size_t slot = 0; slot < n_slots; slot++)
        for (size_t i = 0; i < rules->n_rules; i++)
            if (expr_uses(rules->rules[i].when, (int)slot)) {
                rules->used[rules->n_used++] = (int)slot;
                break;
            }
    return STATUS_OK;
}

static enum status read_rules(struct rules *rules, const struct yaml_node *list,
                              struct error *error)
{
    size_t n = list ? yaml_size(list) : 0;
    if (list && yaml_kind(list) != YAML_LIST)
        return yaml_error(list, error, "a list of {name, when, decision, code} was expected");
    if (n > MAX_RULES)
        return yaml_error(list, error, "%zu rules are more than %d", n, MAX_RULES);
    struct expr_symbol *symbols = calloc(MAX_SLOTS, sizeof *symbols);
    rules->rules = calloc(n + 1, sizeof *rules->rules);
    if (!symbols || !rules->rules) {
        free(symbols);
        return no_memory(error);
    }
    const struct expr_function functions[] = {lists_function(rules->lists)};
    const struct expr_scope scope = {.symbols = symbols,
                                     .n_symbols = list_symbols(rules, symbols),
                                     .functions = functions,
                                     .n_functions = 1};
    enum status status = STATUS_OK;
    for (size_t i = 0; !status && i < n; i++)
        status = read_rule(rules, yaml_item(list, i), &scope, error);
    free(symbols);
    return status ? status : find_used(rules, error);
}

/* ---- reason codes ---- */

static char *own_code(const char *feature)
{
    size_t size = strlen(feature);
    char *code = malloc(size + 3);
    if (!code)
        return NULL;
    memcpy(code, "R-", 2);
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)feature[i];
        bool plain = c < 0x80 && isalnum(c);
        code[2 + i] = plain ? (char)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c) : '-';
    }
    code[2 + size] = 0;
    return code;
}

static enum status set_code(struct rules *rules, const struct yaml_node *map, size_t index,
                            struct error *error)
{
    const char *name = yaml_key(map, index);
    const struct yaml_node *value = yaml_item(map, index);
    const struct feature_schema *features = rules->features;
    size_t at = 0;
    while (at < features->n_features && strcmp(features->names[at], name) != 0)
        at++;
    if (at == features->n_features) {
        const char *nearest = nearest_word(name, features->names, features->n_features);
        return yaml_error(yaml_key_node(map, index), error, "there is no feature \"%.64s\"%s", name,
                          did_you_mean(nearest).text);
    }
    if (yaml_kind(value) != YAML_SCALAR)
        return yaml_error(value, error, "a reason code was expected");
    enum status status = check_label(value, "code", yaml_text(value), error);
    if (status)
        return status;
    char *code = strdup(yaml_text(value));
    if (!code)
        return no_memory(error);
    free(rules->codes[at]);
    rules->codes[at] = code;
    return STATUS_OK;
}

static enum status read_reasons(struct rules *rules, const struct yaml_node *map,
                                struct error *error)
{
    size_t n = rules->features->n_features;
    rules->codes = calloc(n + 1, sizeof *rules->codes);
    if (!rules->codes)
        return no_memory(error);
    for (size_t i = 0; i < n; i++) {
        rules->codes[i] = own_code(rules->features->names[i]);
        if (!rules->codes[i])
            return no_memory(error);
    }
    if (map && yaml_kind(map) != YAML_MAP)
        return yaml_error(map, error, "a map from feature to reason code was expected");
    enum status status = STATUS_OK;
    for (size_t i = 0; map && !status && i < yaml_size(map); i++)
        status = set_code(rules, map, i, error);
    return status;
}

/* ---- the file ---- */

static enum status read_file(struct rules *rules, struct error *error)
{
    struct file_config config = {.otherwise = "approve"};
    const struct yaml_node *root = yaml_root(rules->yaml);
    rules->otherwise = (struct verdict){.rule = "default"};
    enum status status = config_read(root, file_keys, &config, error);
    if (!status)
        status = read_decision(root ? yaml_get(root, "default") : NULL, config.otherwise,
                               &rules->otherwise.decision, error);
    if (!status)
        status = lists_read(config.lists, &rules->lists, error);
    if (!status)
        status = read_rules(rules, config.rules, error);
    if (!status)
        status = read_reasons(rules, config.reasons, error);
    return status;
}

/* A file cut short must not approve everybody. */
static enum status check_whole(const struct yaml *yaml, const char *name, struct error *error)
{
    const struct yaml_node *root = yaml_root(yaml);
    if (root && yaml_get(root, "rules"))
        return STATUS_OK;
    return error_set(error, STATUS_INVALID,
                     "%s: there is no `rules:`; if no rule is meant, write `rules: []`", name);
}

/* Takes the document. */
static enum status make_rules(struct yaml *take, const char *name, const struct schema *schema,
                              const struct feature_schema *features, struct rules **rules,
                              struct error *error)
{
    struct rules *made = calloc(1, sizeof *made);
    if (!made) {
        yaml_destroy(take);
        return no_memory(error);
    }
    atomic_init(&made->references, 1);
    made->yaml = take;
    made->schema = schema;
    made->features = features;
    enum status status = read_file(made, error);
    if (!status)
        status = check_whole(made->yaml, name, error);
    if (status)
        rules_release(made);
    else
        *rules = made;
    return status;
}

enum status rules_load(const char *path, const struct schema *schema,
                       const struct feature_schema *features, struct rules **rules,
                       struct error *error)
{
    struct yaml *yaml = NULL;
    enum status status = yaml_load_file(path, &yaml, error);
    return status ? status : make_rules(yaml, path, schema, features, rules, error);
}

enum status rules_load_text(const char *name, struct slice text, const struct schema *schema,
                            const struct feature_schema *features, struct rules **rules,
                            struct error *error)
{
    struct yaml *yaml = NULL;
    enum status status = yaml_load_text(name, text, &yaml, error);
    return status ? status : make_rules(yaml, name, schema, features, rules, error);
}
