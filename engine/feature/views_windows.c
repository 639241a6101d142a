/* The `windows` of a view file, and the layout of the state that they need. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/feature/states_priv.h"

#define MAX_WINDOW_S (400 * 86400.0)

enum needs {
    NEEDS_VALUE = 1,    /* a number: field or expression */
    NEEDS_FIELD = 2,    /* a field to tell values apart */
    NEEDS_LABELS = 4,   /* and so a delay */
    NEEDS_PREVIOUS = 8, /* the entry before: no delay */
    NEEDS_OWN = 16,     /* the event's own value: no delay */
};

static const struct {
    const char *name;
    unsigned needs;
    int state; /* enum state_kind, -1: none */
} functions[WINDOW_FUNCTIONS] = {
    [WINDOW_COUNT] = {"count", 0, -1},
    [WINDOW_SUM] = {"sum", NEEDS_VALUE, STATE_SUM},
    [WINDOW_MEAN] = {"mean", NEEDS_VALUE, STATE_SUM},
    [WINDOW_STD] = {"std", NEEDS_VALUE, STATE_SUM},
    [WINDOW_MIN] = {"min", NEEDS_VALUE, STATE_MIN},
    [WINDOW_MAX] = {"max", NEEDS_VALUE, STATE_MAX},
    [WINDOW_DISTINCT] = {"distinct", NEEDS_FIELD, STATE_DISTINCT},
    [WINDOW_SINCE_LAST] = {"since_last", NEEDS_PREVIOUS, -1},
    [WINDOW_RATIO_TO_MEAN] = {"ratio_to_mean", NEEDS_VALUE | NEEDS_OWN, STATE_SUM},
    [WINDOW_LAG] = {"lag", NEEDS_VALUE | NEEDS_PREVIOUS, -1},
    [WINDOW_POSITIVES] = {"positives", NEEDS_LABELS, -1},
    [WINDOW_RATE] = {"rate", NEEDS_LABELS, -1},
};

struct window_config {
    const char *name, *entity, *function, *value;
    int64_t window_us, delay_us, ddof;
    double empty;
};

static const struct config_key window_keys[] = {
    {"name", CONFIG_STRING, offsetof(struct window_config, name), true, 0, 0, "the feature's name"},
    {"entity", CONFIG_STRING, offsetof(struct window_config, entity), true, 0, 0,
     "field whose events are counted together"},
    {"window", CONFIG_DURATION, offsetof(struct window_config, window_us), true, 0.000001,
     MAX_WINDOW_S, "length, e.g. 7d"},
    {"delay", CONFIG_DURATION, offsetof(struct window_config, delay_us), false, 0, MAX_WINDOW_S,
     "the window ends this long before the event; default 0"},
    {"function", CONFIG_STRING, offsetof(struct window_config, function), true, 0, 0,
     "count, sum, mean, std, min, max, distinct, since_last, ratio_to_mean, lag, positives, rate"},
    {"value", CONFIG_STRING, offsetof(struct window_config, value), false, 0, 0,
     "field or expression over fields; for distinct a field"},
    {"empty", CONFIG_NUMBER, offsetof(struct window_config, empty), false, 0, 0,
     "result when there is nothing in the window; default: missing"},
    {"ddof", CONFIG_INT, offsetof(struct window_config, ddof), false, 0, 1,
     "std: 1 for a sample (default), 0 for a population"},
    {.name = NULL},
};

static enum status out_of_memory(struct error *error)
{
    return error_set(error, STATUS_MEMORY, "out of memory for the feature views");
}

static enum status find_function(const struct yaml_node *at, const char *name,
                                 enum window_function *function, struct error *error)
{
    const char *names[WINDOW_FUNCTIONS];
    for (size_t i = 0; i < WINDOW_FUNCTIONS; i++) {
        names[i] = functions[i].name;
        if (strcmp(name, names[i]) == 0) {
            *function = (enum window_function)i;
            return STATUS_OK;
        }
    }
    return views_unknown(at, "function", name, names, WINDOW_FUNCTIONS, error);
}

static enum status check_suits(const struct yaml_node *map, const struct window_config *config,
                               enum window_function function, const struct schema *schema,
                               struct error *error)
{
    unsigned needs = functions[function].needs;
    bool takes_value = needs & (NEEDS_VALUE | NEEDS_FIELD);
    if (takes_value && !config->value)
        return yaml_error(map, error, "%s needs a \"value\"", config->function);
    if (!takes_value && config->value)
        return yaml_error(yaml_get(map, "value"), error, "%s takes no value", config->function);
    if (needs & NEEDS_LABELS && config->delay_us == 0)
        return yaml_error(map, error,
                          "%s needs a \"delay\": labels are not known when an event is scored",
                          config->function);
    if (needs & NEEDS_LABELS && schema->label < 0)
        return yaml_error(map, error, "%s needs a label, and the contract has none",
                          config->function);
    if (needs & (NEEDS_PREVIOUS | NEEDS_OWN) && config->delay_us != 0)
        return yaml_error(yaml_get(map, "delay"), error, "%s takes no delay", config->function);
    if (function != WINDOW_STD && yaml_get(map, "ddof"))
        return yaml_error(yaml_get(map, "ddof"), error, "%s takes no ddof", config->function);
    return STATUS_OK;
}

static enum status find_stream(struct feature_views *views, const struct yaml_node *at,
                               const char *entity, uint32_t *out, struct error *error)
{
    int field;
    enum status status = views_find_field(views, at, entity, &field, error);
    if (status != STATUS_OK)
        return status;
    if (field == views->schema->label || field == views->schema->time || field == views->schema->id)
        return yaml_error(at, error, "\"%s\" tells no entities apart", entity);
    for (*out = 0; *out < views->n_streams; (*out)++)
        if (views->streams[*out].field == field)
            return STATUS_OK;
    if (views->n_streams == MAX_STREAMS)
        return yaml_error(at, error, "more than %d different entities", MAX_STREAMS);
    struct stream *stream = &views->streams[views->n_streams++];
    *stream = (struct stream){.field = field};
    stream->spans = arena_alloc(views->arena, MAX_SPANS * sizeof *stream->spans);
    return stream->spans ? STATUS_OK : out_of_memory(error);
}

static enum status find_span(struct stream *stream, const struct yaml_node *at,
                             const struct window_config *config, uint32_t *out, struct error *error)
{
    for (*out = 0; *out < stream->n_spans; (*out)++)
        if (stream->spans[*out].window_us == config->window_us &&
            stream->spans[*out].delay_us == config->delay_us)
            return STATUS_OK;
    if (stream->n_spans == MAX_SPANS)
        return yaml_error(at, error, "more than %d different windows of one entity", MAX_SPANS);
    stream->spans[stream->n_spans++] =
        (struct span){.window_us = config->window_us, .delay_us = config->delay_us};
    int64_t reach = config->window_us + config->delay_us;
    if (reach > stream->horizon_us)
        stream->horizon_us = reach;
    return STATUS_OK;
}

/* The column of a value expression, found or made. */
static enum status find_column(struct feature_views *views, const struct yaml_node *at,
                               const char *text, uint32_t *out, struct error *error)
{
    for (*out = 0; *out < views->n_columns; (*out)++)
        if (strcmp(views->columns[*out].text, text) == 0)
            return STATUS_OK;
    if (views->n_columns == MAX_COLUMNS)
        return yaml_error(at, error, "more than %d different values", MAX_COLUMNS);
    struct column column = {.text = text, .field = schema_find(views->schema, text)};
    if (column.field == views->schema->label)
        column.field = -1;
    bool plain = column.field >= 0;
    if (plain) {
        enum field_type type = views->schema->fields[column.field].type;
        plain = type == FIELD_FLOAT || type == FIELD_INT || type == FIELD_BOOL;
    }
    enum status status =
        plain ? STATUS_OK : views_compile(views, at, text, false, &column.expr, error);
    if (status == STATUS_OK)
        views->columns[views->n_columns++] = column;
    return status;
}

/* Where the wanted number stands in the entries of the stream, added when new. */
static uint32_t place_of(uint32_t *list, size_t *n, uint32_t wanted)
{
    for (uint32_t i = 0; i < *n; i++)
        if (list[i] == wanted)
            return i;
    list[*n] = wanted;
    return (uint32_t)(*n)++;
}

static enum status find_value(struct feature_views *views, const struct yaml_node *map,
                              const struct window_config *config, struct window_plan *plan,
                              struct error *error)
{
    struct stream *stream = &views->streams[plan->stream];
    const struct yaml_node *at = yaml_get(map, "value");
    unsigned needs = functions[plan->function].needs;
    enum status status = STATUS_OK;
    if (needs & NEEDS_VALUE) {
        uint32_t column = 0;
        status = find_column(views, at, config->value, &column, error);
        if (status == STATUS_OK)
            plan->column = place_of(stream->values, &stream->n_values, column);
    } else if (needs & NEEDS_FIELD) {
        int field = 0;
        status = views_find_field(views, at, config->value, &field, error);
        if (status == STATUS_OK && field == views->schema->label)
            status = yaml_error(at, error, "the label is not known when an event is scored");
        if (status == STATUS_OK && stream->n_hashes == MAX_COLUMNS)
            status = yaml_error(at, error, "more than %d fields to tell apart", MAX_COLUMNS);
        if (status == STATUS_OK)
            plan->column = place_of(stream->hashes, &stream->n_hashes, (uint32_t)field);
    }
    return status;
}

static enum status read_window(struct feature_views *views, const struct yaml_node *map,
                               struct window_plan *plan, struct error *error)
{
    struct window_config config = {.empty = NAN, .ddof = 1};
    enum status status = config_read(map, window_keys, &config, error);
    if (status == STATUS_OK)
        status = find_function(yaml_get(map, "function"), config.function, &plan->function, error);
    if (status == STATUS_OK)
        status = check_suits(map, &config, plan->function, views->schema, error);
    if (status == STATUS_OK)
        status = find_stream(views, yaml_get(map, "entity"), config.entity, &plan->stream, error);
    if (status != STATUS_OK)
        return status;
    struct stream *stream = &views->streams[plan->stream];
    stream->labels |= (functions[plan->function].needs & NEEDS_LABELS) != 0;
    plan->ddof = (double)config.ddof;
    plan->empty = config.empty;
    status = find_span(stream, map, &config, &plan->span, error);
    if (status == STATUS_OK)
        status = find_value(views, map, &config, plan, error);
    if (status == STATUS_OK)
        status = views_add_output(views, yaml_get(map, "name"), config.name, &plan->output, error);
    return status;
}

/* The state of a kind over a column and span of the stream, found or made. */
static uint32_t find_state(struct stream *stream, enum state_kind kind, uint32_t span,
                           uint32_t column)
{
    uint32_t i = 0;
    for (; i < stream->n_states; i++)
        if (stream->states[i].kind == kind && stream->states[i].span == span &&
            stream->states[i].column == column)
            return i;
    stream->states[stream->n_states++] = (struct state_plan){
        .kind = kind, .span = span, .column = column, .delayed = stream->spans[span].delay_us != 0};
    return i;
}

/* The stream's own list of its windows, with the places of their states. */
static enum status gather_windows(struct feature_views *views, uint32_t index, struct error *error)
{
    struct stream *stream = &views->streams[index];
    stream->windows = arena_alloc(views->arena, (views->n_windows + 1) * sizeof *stream->windows);
    if (!stream->windows)
        return out_of_memory(error);
    for (size_t i = 0; i < views->n_windows; i++) {
        struct window_plan *plan = &views->windows[i];
        if (plan->stream != index)
            continue;
        if (plan->state != NO_STATE)
            plan->state_at = stream->states[plan->state].offset;
        if (plan->squares != NO_STATE)
            plan->squares_at = stream->states[plan->squares].offset;
        stream->windows[stream->n_windows++] = *plan;
    }
    return STATUS_OK;
}

/* Gives every state of the stream its place: first the span states, then the states by span. */
static enum status lay_out(struct feature_views *views, uint32_t index, struct error *error)
{
    struct stream *stream = &views->streams[index];
    stream->states = arena_alloc(views->arena, (2 * views->n_windows + 1) * sizeof *stream->states);
    if (!stream->states)
        return out_of_memory(error);
    size_t offset = stream->n_spans * sizeof(struct span_state);
    for (uint32_t span = 0; span < stream->n_spans; span++) {
        stream->spans[span].first_state = stream->n_states;
        for (size_t i = 0; i < views->n_windows; i++) {
            struct window_plan *plan = &views->windows[i];
            if (plan->stream != index || plan->span != span)
                continue;
            int kind = functions[plan->function].state;
            plan->state =
                kind < 0 ? NO_STATE : find_state(stream, (enum state_kind)kind, span, plan->column);
            plan->squares = plan->function == WINDOW_STD
                                ? find_state(stream, STATE_SQUARES, span, plan->column)
                                : NO_STATE;
        }
        stream->spans[span].n_states = stream->n_states - stream->spans[span].first_state;
    }
    for (size_t i = 0; i < stream->n_states; i++) {
        stream->states[i].offset = offset;
        offset += state_size(stream->states[i].kind);
    }
    stream->states_size = offset;
    return gather_windows(views, index, error);
}

enum status views_read_windows(struct feature_views *views, const struct yaml_node *list,
                               struct error *error)
{
    size_t n = yaml_size(list);
    views->windows = arena_alloc(views->arena, (n + 1) * sizeof *views->windows);
    if (!views->windows)
        return out_of_memory(error);
    for (; views->n_windows < n; views->n_windows++) {
        struct window_plan *plan = &views->windows[views->n_windows];
        *plan = (struct window_plan){0};
        enum status status = read_window(views, yaml_item(list, views->n_windows), plan, error);
        if (status != STATUS_OK)
            return status;
    }
    for (uint32_t i = 0; i < views->n_streams; i++) {
        enum status status = lay_out(views, i, error);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}
