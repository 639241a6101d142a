/* Loads a view file: reads it by tables, compiles its expressions, lays out the state that its
 * windows need. In: YAML and the events' schema. Out: immutable views that any thread may use. */
#include "engine/feature/views.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "engine/feature/views_priv.h"

#define VIEWS_MAGIC 0x76696577U
#define ARENA_BYTES ((size_t)16 << 20)
#define MAX_NAME    120

struct file_config {
    const char *name, *description;
    int64_t lateness_us;
    const struct yaml_node *windows, *calendar, *one_hot, *transforms, *scale, *features;
};

static const struct config_key file_keys[] = {
    {"name", CONFIG_STRING, offsetof(struct file_config, name), false, 0, 0,
     "what the views are called"},
    {"description", CONFIG_STRING, offsetof(struct file_config, description), false, 0, 0,
     "free text"},
    {"lateness", CONFIG_DURATION, offsetof(struct file_config, lateness_us), false, 0,
     400 * 86400.0,
     "how late an event may come, behind the newest of its entity; default: the longest window"},
    {"windows", CONFIG_NODE, offsetof(struct file_config, windows), false, 0, 0,
     "sliding windows per entity"},
    {"calendar", CONFIG_NODE, offsetof(struct file_config, calendar), false, 0, 0,
     "hour, weekday, weekend, night"},
    {"one_hot", CONFIG_NODE, offsetof(struct file_config, one_hot), false, 0, 0,
     "a field's values as features of 0 and 1"},
    {"transforms", CONFIG_NODE, offsetof(struct file_config, transforms), false, 0, 0,
     "expressions over fields and features"},
    {"scale", CONFIG_NODE, offsetof(struct file_config, scale), false, 0, 0,
     "features that are scaled for the model"},
    {"features", CONFIG_NODE, offsetof(struct file_config, features), true, 0, 0,
     "names in the model's order"},
    {.name = NULL},
};

char *views_printf(struct feature_views *views, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    size_t size = n < 0 ? 0 : (size_t)n < sizeof text ? (size_t)n : sizeof text - 1;
    char *copy = arena_alloc(views->arena, size + 1);
    if (!copy)
        return NULL;
    memcpy(copy, text, size);
    copy[size] = '\0';
    return copy;
}

static bool is_name(const char *name)
{
    size_t size = strlen(name);
    if (size == 0 || size > MAX_NAME)
        return false;
    for (size_t i = 0; i < size; i++)
        if (!isalnum((unsigned char)name[i]) && !strchr("_.-", name[i]))
            return false;
    return true;
}

static int find_output(const struct feature_views *views, const char *name)
{
    for (size_t i = 0; i < views->n_outputs; i++)
        if (strcmp(views->outputs[i], name) == 0)
            return (int)i;
    return -1;
}

enum status views_add_output(struct feature_views *views, const struct yaml_node *at,
                             const char *name, size_t *output, struct error *error)
{
    if (!is_name(name))
        return yaml_error(at, error, "a feature's name is letters, digits, _ . and -, at most %d",
                          MAX_NAME);
    if (find_output(views, name) >= 0)
        return yaml_error(at, error, "there are two features \"%s\"", name);
    if (schema_find(views->schema, name) >= 0)
        return yaml_error(at, error, "\"%s\" is already a field of the events", name);
    if (views->n_outputs == MAX_OUTPUTS)
        return yaml_error(at, error, "more than %d features", MAX_OUTPUTS);
    *output = views->n_outputs++;
    views->outputs[*output] = name;
    return STATUS_OK;
}

enum status views_unknown(const struct yaml_node *at, const char *what, const char *word,
                          const char *const *known, size_t n_known, struct error *error)
{
    return yaml_error(at, error, "there is no %s \"%.60s\"%s", what, word,
                      did_you_mean(nearest_word(word, known, n_known)).text);
}

enum status views_find_field(const struct feature_views *views, const struct yaml_node *at,
                             const char *name, int *field, struct error *error)
{
    const char *names[MAX_FIELDS];
    const struct schema *schema = views->schema;
    *field = schema_find(schema, name);
    if (*field >= 0)
        return STATUS_OK;
    for (size_t i = 0; i < schema->n_fields; i++)
        names[i] = schema->fields[i].name;
    return views_unknown(at, "field", name, names, schema->n_fields, error);
}

static enum value_type field_value_type(enum field_type type)
{
    static const enum value_type types[] = {
        [FIELD_STRING] = VALUE_STRING, [FIELD_FLOAT] = VALUE_NUMBER,   [FIELD_INT] = VALUE_NUMBER,
        [FIELD_BOOL] = VALUE_BOOL,     [FIELD_TIMESTAMP] = VALUE_TIME,
    };
    return types[type];
}

enum status views_compile(const struct feature_views *views, const struct yaml_node *at,
                          const char *text, bool outputs, struct expr **expr, struct error *error)
{
    struct expr_symbol symbols[MAX_FIELDS + MAX_OUTPUTS];
    size_t n = 0;
    for (size_t i = 0; i < views->schema->n_fields; i++)
        if ((int)i != views->schema->label)
            symbols[n++] = (struct expr_symbol){
                .name = views->schema->fields[i].name,
                .type = field_value_type(views->schema->fields[i].type),
                .slot = (int)i,
            };
    for (size_t i = 0; outputs && i < views->n_outputs; i++)
        symbols[n++] = (struct expr_symbol){.name = views->outputs[i],
                                            .type = VALUE_NUMBER,
                                            .slot = (int)(views->schema->n_fields + i)};
    struct expr_scope scope = {.symbols = symbols, .n_symbols = n};
    struct error cause;
    if (expr_compile(text, &scope, VALUE_NULL, expr, &cause) != STATUS_OK)
        return yaml_error(at, error, "in the expression at %s", cause.message);
    enum value_type type = expr_type(*expr);
    if (type == VALUE_NUMBER || type == VALUE_BOOL)
        return STATUS_OK;
    expr_destroy(*expr);
    *expr = NULL;
    return yaml_error(at, error, "the expression gives a %s; expected a number or a bool",
                      value_type_name(type));
}

/* A field that is a number by itself may be a feature as it is. */
static bool is_plain_feature(const struct schema *schema, int field)
{
    if (field < 0 || field == schema->label)
        return false;
    enum field_type type = schema->fields[field].type;
    return type == FIELD_FLOAT || type == FIELD_INT || type == FIELD_BOOL;
}

static enum status unknown_feature(const struct feature_views *views, const struct yaml_node *at,
                                   const char *name, struct error *error)
{
    const char *names[MAX_OUTPUTS + MAX_FIELDS];
    size_t n = 0;
    for (size_t i = 0; i < views->n_outputs; i++)
        names[n++] = views->outputs[i];
    for (size_t i = 0; i < views->schema->n_fields; i++)
        if (is_plain_feature(views->schema, (int)i))
            names[n++] = views->schema->fields[i].name;
    int field = schema_find(views->schema, name);
    if (field >= 0 && field == views->schema->label)
        return yaml_error(at, error, "the label \"%s\" is not known when an event is scored", name);
    if (field >= 0)
        return yaml_error(at, error,
                          "field \"%s\" is no number; derive one by one_hot or transforms", name);
    return views_unknown(at, "feature", name, names, n, error);
}

static enum status read_features(struct feature_views *views, const struct yaml_node *list,
                                 struct error *error)
{
    size_t n = yaml_size(list);
    if (yaml_kind(list) != YAML_LIST || n == 0)
        return yaml_error(list, error, "expected a list of feature names");
    if (n > MAX_FEATURES)
        return yaml_error(list, error, "%zu features; at most %d", n, MAX_FEATURES);
    const char **names = arena_alloc(views->arena, n * sizeof *names);
    views->sources = arena_alloc(views->arena, n * sizeof *views->sources);
    views->own_fields = arena_alloc(views->arena, n * sizeof *views->own_fields);
    views->scales = arena_alloc(views->arena, n * sizeof *views->scales);
    if (!names || !views->sources || !views->own_fields || !views->scales)
        return error_set(error, STATUS_MEMORY, "out of memory for the feature views");
    for (size_t i = 0; i < n; i++) {
        const struct yaml_node *item = yaml_item(list, i);
        names[i] = yaml_text(item);
        views->scales[i] = SCALING_NONE;
        for (size_t j = 0; j < i; j++)
            if (strcmp(names[j], names[i]) == 0)
                return yaml_error(item, error, "feature \"%s\" is listed twice", names[i]);
        int output = find_output(views, names[i]);
        int field = schema_find(views->schema, names[i]);
        if (output < 0 && !is_plain_feature(views->schema, field))
            return unknown_feature(views, item, names[i], error);
        views->sources[i] = output >= 0 ? output : -1 - field;
        if (output < 0)
            views->own_fields[views->n_own_fields++] =
                (struct own_field){.field = (uint32_t)field, .output = i};
    }
    views->features = (struct feature_schema){.names = names, .n_features = n};
    return STATUS_OK;
}

/* What decides which entries the state keeps and what is in them, as text; its hash. */
static enum status make_digest(struct feature_views *views, struct error *error)
{
    struct buffer text;
    buffer_init(&text, (size_t)1 << 20);
    buffer_printf(&text, "1 %lld\n", (long long)views->lateness_us);
    for (size_t i = 0; i < views->n_streams; i++) {
        const struct stream *stream = &views->streams[i];
        const struct field *fields = views->schema->fields;
        buffer_printf(&text, "entity %s pii %d labels %d horizon %lld\n",
                      fields[stream->field].name, fields[stream->field].pii, stream->labels,
                      (long long)stream->horizon_us);
        for (size_t j = 0; j < stream->n_values; j++)
            buffer_printf(&text, "value %s\n", views->columns[stream->values[j]].text);
        for (size_t j = 0; j < stream->n_hashes; j++)
            buffer_printf(&text, "distinct %s\n", fields[stream->hashes[j]].name);
    }
    bool whole = !text.overflow;
    views->digest = hash128(text.data, text.size, 0);
    buffer_free(&text);
    return whole ? STATUS_OK : error_set(error, STATUS_MEMORY, "out of memory for the views");
}

static enum status read_parts(struct feature_views *views, const struct file_config *config,
                              struct error *error)
{
    static const struct {
        size_t offset;
        enum status (*read)(struct feature_views *views, const struct yaml_node *list,
                            struct error *error);
    } parts[] = {
        {offsetof(struct file_config, windows), views_read_windows},
        {offsetof(struct file_config, calendar), views_read_calendar},
        {offsetof(struct file_config, one_hot), views_read_one_hot},
        {offsetof(struct file_config, transforms), views_read_transforms},
        {offsetof(struct file_config, features), read_features},
        {offsetof(struct file_config, scale), views_read_scale},
    };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        const void *at = (const char *)config + parts[i].offset;
        const struct yaml_node *list = *(const struct yaml_node *const *)at;
        if (!list)
            continue;
        if (yaml_kind(list) != YAML_LIST)
            return yaml_error(list, error, "expected a list");
        enum status status = parts[i].read(views, list, error);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

/* A transform looks as far back, and moves with the calendar, as what it is made of; that stands
 * before it. */
static void note_transform(struct feature_views *views, const struct transform_plan *plan)
{
    int first_slot = (int)views->schema->n_fields;
    for (size_t i = 0; i < plan->output; i++) {
        if (!expr_uses(plan->expr, first_slot + (int)i))
            continue;
        if (views->reaches_us[i] > views->reaches_us[plan->output])
            views->reaches_us[plan->output] = views->reaches_us[i];
        views->calendar[plan->output] = views->calendar[plan->output] || views->calendar[i];
    }
}

static void note_origins(struct feature_views *views)
{
    for (size_t i = 0; i < views->n_outputs; i++) {
        views->reaches_us[i] = 0;
        views->calendar[i] = false;
    }
    for (size_t i = 0; i < views->n_windows; i++) {
        const struct window_plan *plan = &views->windows[i];
        const struct span *span = &views->streams[plan->stream].spans[plan->span];
        views->reaches_us[plan->output] = span->delay_us + span->window_us;
    }
    for (size_t i = 0; i < views->n_calendars; i++)
        views->calendar[views->calendars[i].output] = true;
    for (size_t i = 0; i < views->n_transforms; i++)
        note_transform(views, &views->transforms[i]);
}

/* Gives every output its place: features theirs, in their order, and those that only other features
 * use come after. */
static enum status place_outputs(struct feature_views *views, struct error *error)
{
    size_t n = views->features.n_features;
    size_t *places = arena_alloc(views->arena, (views->n_outputs + 1) * sizeof *places);
    if (!places)
        return error_set(error, STATUS_MEMORY, "out of memory for the feature views");
    for (size_t i = 0; i < views->n_outputs; i++)
        places[i] = SIZE_MAX;
    for (size_t i = 0; i < n; i++)
        if (views->sources[i] >= 0)
            places[views->sources[i]] = i;
    for (size_t i = 0; i < views->n_outputs; i++)
        if (places[i] == SIZE_MAX)
            places[i] = n++;
    views->n_numbers = n;
    for (size_t i = 0; i < views->n_streams; i++)
        for (size_t j = 0; j < views->streams[i].n_windows; j++)
            views->streams[i].windows[j].output = places[views->streams[i].windows[j].output];
    for (size_t i = 0; i < views->n_calendars; i++)
        views->calendars[i].output = places[views->calendars[i].output];
    for (size_t i = 0; i < views->n_one_hots; i++)
        for (size_t j = 0; j < views->one_hots[i].n_values; j++)
            views->one_hots[i].outputs[j] = places[views->one_hots[i].outputs[j]];
    for (size_t i = 0; i < views->n_transforms; i++)
        views->transforms[i].output = places[views->transforms[i].output];
    for (size_t i = 0; i < views->n_read_outputs; i++)
        views->read_outputs[i].output = places[views->read_outputs[i].output];
    return STATUS_OK;
}

static enum status read_file(struct feature_views *views, struct error *error)
{
    struct file_config config = {.lateness_us = -1};
    enum status status = config_read(yaml_root(views->yaml), file_keys, &config, error);
    views->outputs = arena_alloc(views->arena, (size_t)MAX_OUTPUTS * sizeof *views->outputs);
    views->reaches_us = arena_alloc(views->arena, (size_t)MAX_OUTPUTS * sizeof *views->reaches_us);
    views->calendar = arena_alloc(views->arena, (size_t)MAX_OUTPUTS * sizeof *views->calendar);
    if (status == STATUS_OK && (!views->outputs || !views->reaches_us || !views->calendar))
        status = error_set(error, STATUS_MEMORY, "out of memory for the feature views");
    if (status == STATUS_OK)
        status = read_parts(views, &config, error);
    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < views->n_streams; i++)
        if (views->streams[i].horizon_us > views->horizon_us)
            views->horizon_us = views->streams[i].horizon_us;
    note_origins(views);
    views->lateness_us = config.lateness_us >= 0 ? config.lateness_us : views->horizon_us;
    status = place_outputs(views, error);
    return status == STATUS_OK ? make_digest(views, error) : status;
}

static enum status load(const char *name, struct yaml *take_yaml, const struct schema *schema,
                        struct feature_views **out, struct error *error)
{
    if (!yaml_root(take_yaml)) {
        yaml_destroy(take_yaml);
        return error_set(error, STATUS_INVALID, "%s: is empty; it needs `features`", name);
    }
    struct arena *arena = arena_create(ARENA_BYTES);
    struct feature_views *views = arena ? arena_alloc(arena, sizeof *views) : NULL;
    if (!views) {
        arena_destroy(arena);
        yaml_destroy(take_yaml);
        return error_set(error, STATUS_MEMORY, "out of memory for the feature views");
    }
    *views = (struct feature_views){
        .magic = VIEWS_MAGIC, .yaml = take_yaml, .arena = arena, .schema = schema};
    enum status status = read_file(views, error);
    if (status == STATUS_OK)
        *out = views;
    else
        feature_views_destroy(views);
    return status;
}

enum status feature_views_load(const char *path, const struct schema *schema,
                               struct feature_views **views, struct error *error)
{
    struct yaml *yaml;
    *views = NULL;
    enum status status = yaml_load_file(path, &yaml, error);
    return status == STATUS_OK ? load(path, yaml, schema, views, error) : status;
}

enum status feature_views_load_text(const char *name, struct slice text,
                                    const struct schema *schema, struct feature_views **views,
                                    struct error *error)
{
    struct yaml *yaml;
    *views = NULL;
    enum status status = yaml_load_text(name, text, &yaml, error);
    return status == STATUS_OK ? load(name, yaml, schema, views, error) : status;
}

void feature_views_destroy(struct feature_views *views)
{
    if (!views)
        return;
    for (size_t i = 0; i < views->n_columns; i++)
        expr_destroy(views->columns[i].expr);
    for (size_t i = 0; i < views->n_transforms; i++)
        expr_destroy(views->transforms[i].expr);
    yaml_destroy(views->yaml);
    arena_destroy(views->arena);
}

const struct feature_schema *feature_views_schema(const struct feature_views *views)
{
    return &views->features;
}

int64_t feature_views_reach_us(const struct feature_views *views, size_t feature)
{
    int source = views->sources[feature];
    return source >= 0 ? views->reaches_us[source] : 0;
}

bool feature_views_is_calendar(const struct feature_views *views, size_t feature)
{
    int source = views->sources[feature];
    return source >= 0 && views->calendar[source];
}
