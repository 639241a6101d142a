/* The parts of a view file that need no state: calendar, one-hot, transforms, scaling. */
#include <math.h>
#include <string.h>

#include "engine/base/number.h"
#include "engine/feature/views_priv.h"

static enum status out_of_memory(struct error *error)
{
    return error_set(error, STATUS_MEMORY, "out of memory for the feature views");
}

static enum status find_word(const struct yaml_node *at, const char *what, const char *word,
                             const char *const *words, size_t n_words, size_t *found,
                             struct error *error)
{
    for (*found = 0; *found < n_words; (*found)++)
        if (strcmp(word, words[*found]) == 0)
            return STATUS_OK;
    return views_unknown(at, what, word, words, n_words, error);
}

struct calendar_config {
    const char *name, *function, *field;
    int64_t until;
};

static const struct config_key calendar_keys[] = {
    {"name", CONFIG_STRING, offsetof(struct calendar_config, name), true, 0, 0,
     "the feature's name"},
    {"function", CONFIG_STRING, offsetof(struct calendar_config, function), true, 0, 0,
     "hour (0 to 23), weekday (0 Monday to 6), weekend, night"},
    {"field", CONFIG_STRING, offsetof(struct calendar_config, field), false, 0, 0,
     "a timestamp; default: the event's time"},
    {"until", CONFIG_INT, offsetof(struct calendar_config, until), false, 0, 23,
     "night: the last hour that is night; default 6"},
    {.name = NULL},
};

static const char *const calendar_names[CALENDAR_FUNCTIONS] = {
    [CALENDAR_HOUR] = "hour",
    [CALENDAR_WEEKDAY] = "weekday",
    [CALENDAR_WEEKEND] = "weekend",
    [CALENDAR_NIGHT] = "night",
};

static enum status read_calendar(struct feature_views *views, const struct yaml_node *map,
                                 struct calendar_plan *plan, struct error *error)
{
    struct calendar_config config = {.until = 6};
    size_t function = 0;
    enum status status = config_read(map, calendar_keys, &config, error);
    if (status == STATUS_OK)
        status = find_word(yaml_get(map, "function"), "calendar function", config.function,
                           calendar_names, CALENDAR_FUNCTIONS, &function, error);
    if (status != STATUS_OK)
        return status;
    *plan = (struct calendar_plan){
        .function = (enum calendar_function)function, .field = -1, .until_hour = config.until};
    if (yaml_get(map, "until") && plan->function != CALENDAR_NIGHT)
        return yaml_error(yaml_get(map, "until"), error, "%s takes no \"until\"", config.function);
    if (config.field) {
        const struct yaml_node *at = yaml_get(map, "field");
        status = views_find_field(views, at, config.field, &plan->field, error);
        if (status == STATUS_OK && views->schema->fields[plan->field].type != FIELD_TIMESTAMP)
            status = yaml_error(at, error, "field \"%s\" is no timestamp", config.field);
    }
    if (status != STATUS_OK)
        return status;
    return views_add_output(views, yaml_get(map, "name"), config.name, &plan->output, error);
}

enum status views_read_calendar(struct feature_views *views, const struct yaml_node *list,
                                struct error *error)
{
    size_t n = yaml_size(list);
    views->calendars = arena_alloc(views->arena, (n + 1) * sizeof *views->calendars);
    if (!views->calendars)
        return out_of_memory(error);
    for (; views->n_calendars < n; views->n_calendars++) {
        enum status status = read_calendar(views, yaml_item(list, views->n_calendars),
                                           &views->calendars[views->n_calendars], error);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

struct one_hot_config {
    const char *field, *prefix;
    const struct yaml_node *values;
};

static const struct config_key one_hot_keys[] = {
    {"field", CONFIG_STRING, offsetof(struct one_hot_config, field), true, 0, 0,
     "a string, number or bool"},
    {"values", CONFIG_NODE, offsetof(struct one_hot_config, values), true, 0, 0,
     "list: each becomes a feature PREFIX_VALUE"},
    {"prefix", CONFIG_STRING, offsetof(struct one_hot_config, prefix), false, 0, 0,
     "default: the field's name"},
    {.name = NULL},
};

static enum status read_one_value(const struct yaml_node *node, enum field_type type,
                                  struct value *value, struct error *error)
{
    enum status status = STATUS_OK;
    switch (type) {
    case FIELD_STRING:
        *value = value_string(slice_of(yaml_text(node)));
        return yaml_kind(node) == YAML_SCALAR ? STATUS_OK
                                              : yaml_error(node, error, "expected text");
    case FIELD_BOOL:
        *value = value_bool(false);
        return yaml_read_bool(node, &value->boolean, error);
    case FIELD_FLOAT:
    case FIELD_INT:
        *value = value_number(0);
        return yaml_read_number(node, &value->number, error);
    case FIELD_TIMESTAMP:
        status = yaml_error(node, error, "a timestamp cannot be one-hot");
        break;
    }
    return status;
}

static enum status read_one_hot(struct feature_views *views, const struct yaml_node *map,
                                struct one_hot_plan *plan, struct error *error)
{
    struct one_hot_config config = {0};
    enum status status = config_read(map, one_hot_keys, &config, error);
    if (status == STATUS_OK)
        status = views_find_field(views, yaml_get(map, "field"), config.field, &plan->field, error);
    if (status != STATUS_OK)
        return status;
    if (plan->field == views->schema->label)
        return yaml_error(yaml_get(map, "field"), error,
                          "the label is not known when an event is scored");
    plan->n_values = yaml_size(config.values);
    if (yaml_kind(config.values) != YAML_LIST || plan->n_values == 0)
        return yaml_error(config.values, error, "expected a list of values");
    plan->values = arena_alloc(views->arena, plan->n_values * sizeof *plan->values);
    plan->prints = arena_alloc(views->arena, plan->n_values * sizeof *plan->prints);
    plan->outputs = arena_alloc(views->arena, plan->n_values * sizeof *plan->outputs);
    if (!plan->values || !plan->prints || !plan->outputs)
        return out_of_memory(error);
    for (size_t i = 0; i < plan->n_values; i++) {
        const struct yaml_node *item = yaml_item(config.values, i);
        const char *name = views_printf(
            views, "%s_%s", config.prefix ? config.prefix : config.field, yaml_text(item));
        status =
            read_one_value(item, views->schema->fields[plan->field].type, &plan->values[i], error);
        if (status == STATUS_OK && !name)
            status = out_of_memory(error);
        if (status == STATUS_OK)
            status = views_add_output(views, item, name, &plan->outputs[i], error);
        if (status != STATUS_OK)
            return status;
        if (plan->values[i].type == VALUE_STRING)
            plan->prints[i] = text_print(plan->values[i].string);
    }
    return STATUS_OK;
}

enum status views_read_one_hot(struct feature_views *views, const struct yaml_node *list,
                               struct error *error)
{
    size_t n = yaml_size(list);
    views->one_hots = arena_alloc(views->arena, (n + 1) * sizeof *views->one_hots);
    if (!views->one_hots)
        return out_of_memory(error);
    for (; views->n_one_hots < n; views->n_one_hots++) {
        enum status status = read_one_hot(views, yaml_item(list, views->n_one_hots),
                                          &views->one_hots[views->n_one_hots], error);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

struct transform_config {
    const char *name, *expression;
};

static const struct config_key transform_keys[] = {
    {"name", CONFIG_STRING, offsetof(struct transform_config, name), true, 0, 0,
     "the feature's name"},
    {"expression", CONFIG_STRING, offsetof(struct transform_config, expression), true, 0, 0,
     "over fields, windows, calendar, one-hot and the transforms above; a bool becomes 0 or 1"},
    {.name = NULL},
};

static enum status read_transform(struct feature_views *views, const struct yaml_node *map,
                                  struct error *error)
{
    struct transform_config config = {0};
    struct transform_plan *plan = &views->transforms[views->n_transforms];
    *plan = (struct transform_plan){0};
    enum status status = config_read(map, transform_keys, &config, error);
    if (status == STATUS_OK)
        status = views_compile(views, yaml_get(map, "expression"), config.expression, true,
                               &plan->expr, error);
    if (status != STATUS_OK)
        return status;
    views->n_transforms++;
    status = views_add_output(views, yaml_get(map, "name"), config.name, &plan->output, error);
    plan->slot = views->schema->n_fields + plan->output;
    return status;
}

/* Which outputs any transform reads: only they are needed as values. */
static enum status find_read_outputs(struct feature_views *views, struct error *error)
{
    views->read_outputs =
        arena_alloc(views->arena, (views->n_outputs + 1) * sizeof *views->read_outputs);
    if (!views->read_outputs)
        return out_of_memory(error);
    for (size_t output = 0; output < views->n_outputs; output++) {
        bool read = false;
        for (size_t i = 0; i < views->n_transforms && !read; i++)
            read = expr_uses(views->transforms[i].expr, (int)(views->schema->n_fields + output));
        if (read)
            views->read_outputs[views->n_read_outputs++] =
                (struct read_output){output, views->schema->n_fields + output};
    }
    return STATUS_OK;
}

enum status views_read_transforms(struct feature_views *views, const struct yaml_node *list,
                                  struct error *error)
{
    size_t n = yaml_size(list);
    views->transforms = arena_alloc(views->arena, (n + 1) * sizeof *views->transforms);
    if (!views->transforms)
        return out_of_memory(error);
    for (size_t i = 0; i < n; i++) {
        enum status status = read_transform(views, yaml_item(list, i), error);
        if (status != STATUS_OK)
            return status;
    }
    return find_read_outputs(views, error);
}

struct scale_config {
    const char *feature, *method;
};

static const struct config_key scale_keys[] = {
    {"feature", CONFIG_STRING, offsetof(struct scale_config, feature), true, 0, 0,
     "one of `features`"},
    {"method", CONFIG_STRING, offsetof(struct scale_config, method), true, 0, 0,
     "standard, min_max, robust"},
    {.name = NULL},
};

enum status views_read_scale(struct feature_views *views, const struct yaml_node *list,
                             struct error *error)
{
    const char *methods[] = {"standard", "min_max", "robust"};
    for (size_t i = 0; i < yaml_size(list); i++) {
        const struct yaml_node *map = yaml_item(list, i);
        struct scale_config config = {0};
        size_t feature = 0, method = 0;
        enum status status = config_read(map, scale_keys, &config, error);
        if (status == STATUS_OK)
            status =
                find_word(yaml_get(map, "feature"), "feature in `features` called", config.feature,
                          views->features.names, views->features.n_features, &feature, error);
        if (status == STATUS_OK)
            status = find_word(yaml_get(map, "method"), "scaling method", config.method, methods,
                               sizeof methods / sizeof methods[0], &method, error);
        if (status != STATUS_OK)
            return status;
        if (views->scales[feature] != SCALING_NONE)
            return yaml_error(map, error, "feature \"%s\" is scaled twice", config.feature);
        views->scales[feature] = (enum scaling_method)(SCALING_STANDARD + (int)method);
        views->scaled = true;
    }
    return STATUS_OK;
}
