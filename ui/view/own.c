/* Views of one's own: read from the configuration by tables, and their expressions evaluated point
 * by point over answers of the history. No state, no clock; any thread. */
#include "ui/view/own.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/expr/expr.h"

static const char *const kind_names[] = {
    [OWN_LINE] = "line", [OWN_NUMBER] = "number", [OWN_HEAT] = "heat"};
#define N_KINDS (sizeof kind_names / sizeof *kind_names)

static const char *kind_name(enum own_kind kind)
{
    return kind_names[kind];
}

/* ---- configuration ---- */

struct panel_keys {
    const char *title, *expression, *kind;
};
static const struct config_key panel_keys[] = {
    {"title", CONFIG_STRING, offsetof(struct panel_keys, title), true, 0, 0, "above the panel"},
    {"expression", CONFIG_STRING, offsetof(struct panel_keys, expression), true, 0, 0,
     "over series of /api/v1/history/series; of heat: latency, score or a column"},
    {"kind", CONFIG_STRING, offsetof(struct panel_keys, kind), false, 0, 0,
     "line, number or heat (line)"},
    {NULL, CONFIG_STRING, 0, false, 0, 0, NULL},
};

struct view_keys {
    const char *name, *title;
    const struct yaml_node *panels;
};
static const struct config_key view_keys[] = {
    {"name", CONFIG_STRING, offsetof(struct view_keys, name), true, 0, 0, "a word for addresses"},
    {"title", CONFIG_STRING, offsetof(struct view_keys, title), false, 0, 0,
     "its title (the name)"},
    {"panels", CONFIG_NODE, offsetof(struct view_keys, panels), true, 0, 0,
     "list of {title, expression, kind}"},
    {NULL, CONFIG_STRING, 0, false, 0, 0, NULL},
};

static enum status read_kind(const struct yaml_node *node, const char *word, enum own_kind *kind,
                             struct error *error)
{
    for (size_t i = 0; i < N_KINDS; i++)
        if (strcmp(word, kind_names[i]) == 0) {
            *kind = (enum own_kind)i;
            return STATUS_OK;
        }
    return yaml_error(yaml_get(node, "kind"), error,
                      "kind: \"%.40s\" is none of line, number, heat%s", word,
                      did_you_mean(nearest_word(word, kind_names, N_KINDS)).text);
}

static enum status check_expression(const struct yaml_node *node, const char *text,
                                    struct error *error)
{
    struct own_expression *expression;
    struct error cause;
    if (own_expression_create(text, &expression, &cause) != STATUS_OK)
        return yaml_error(yaml_get(node, "expression"), error, "expression: %.300s", cause.message);
    own_expression_destroy(expression);
    return STATUS_OK;
}

static enum status read_panel(const struct yaml_node *node, struct own_panel *panel,
                              struct error *error)
{
    struct panel_keys keys = {.kind = "line"};
    enum status status = config_read(node, panel_keys, &keys, error);
    if (status == STATUS_OK)
        status = read_kind(node, keys.kind, &panel->kind, error);
    if (status == STATUS_OK && strlen(keys.expression) >= sizeof panel->expression)
        status = yaml_error(yaml_get(node, "expression"), error, "expression: is too long");
    if (status == STATUS_OK && panel->kind != OWN_HEAT)
        status = check_expression(node, keys.expression, error);
    if (status != STATUS_OK)
        return status;
    snprintf(panel->title, sizeof panel->title, "%.63s", keys.title);
    snprintf(panel->expression, sizeof panel->expression, "%s", keys.expression);
    return STATUS_OK;
}

static enum status read_view(const struct yaml_node *node, struct own_view *view,
                             struct error *error)
{
    struct view_keys keys = {NULL, NULL, NULL};
    enum status status = config_read(node, view_keys, &keys, error);
    if (status != STATUS_OK)
        return status;
    if (yaml_kind(keys.panels) != YAML_LIST || yaml_size(keys.panels) > OWN_PANELS)
        return yaml_error(keys.panels, error,
                          "panels is a list of up to %d {title, expression, kind}", OWN_PANELS);
    snprintf(view->name, sizeof view->name, "%.63s", keys.name);
    snprintf(view->title, sizeof view->title, "%.63s", keys.title ? keys.title : keys.name);
    for (size_t i = 0; i < yaml_size(keys.panels) && status == STATUS_OK; i++)
        status = read_panel(yaml_item(keys.panels, i), &view->panels[view->n_panels++], error);
    return status;
}

enum status own_views_read(const struct yaml_node *list, struct own_views *views,
                           struct error *error)
{
    views->n = 0;
    if (!list)
        return STATUS_OK;
    if (yaml_kind(list) != YAML_LIST || yaml_size(list) > OWN_VIEWS)
        return yaml_error(list, error, "views is a list of up to %d {name, title, panels}",
                          OWN_VIEWS);
    for (size_t i = 0; i < yaml_size(list); i++) {
        struct own_view *view = &views->views[i];
        memset(view, 0, sizeof *view);
        enum status status = read_view(yaml_item(list, i), view, error);
        if (status != STATUS_OK)
            return status;
        for (int j = 0; j < views->n; j++)
            if (strcmp(views->views[j].name, view->name) == 0)
                return yaml_error(yaml_item(list, i), error, "there are two views %s", view->name);
        views->n++;
    }
    return STATUS_OK;
}

void own_views_json(const struct own_views *views, struct buffer *out)
{
    struct json_writer json;
    json_begin(&json, out);
    json_object(&json, NULL);
    json_array(&json, "views");
    for (int i = 0; i < views->n; i++) {
        const struct own_view *view = &views->views[i];
        json_object(&json, NULL);
        json_text(&json, "name", view->name);
        json_text(&json, "title", view->title);
        json_array(&json, "panels");
        for (int j = 0; j < view->n_panels; j++) {
            json_object(&json, NULL);
            json_text(&json, "title", view->panels[j].title);
            json_text(&json, "expression", view->panels[j].expression);
            json_text(&json, "kind", kind_name(view->panels[j].kind));
            json_object_end(&json);
        }
        json_array_end(&json);
        json_object_end(&json);
    }
    json_array_end(&json);
    json_object_end(&json);
}

/* ---- expressions ---- */

struct own_expression {
    struct expr *expr;
    char names[OWN_MOST_SERIES][NAME_SIZE];
    int n;
    char series[OWN_MOST_SERIES * NAME_SIZE];
};

static bool is_word(char character)
{
    return isalnum((unsigned char)character) || character == '_' || character == '.';
}

static enum status add_name(struct own_expression *expression, const char *word, size_t size,
                            struct error *error)
{
    static const char *const words[] = {"and", "or", "not", "true", "false", "null", "in", "is"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strlen(words[i]) == size && strncmp(word, words[i], size) == 0)
            return STATUS_OK;
    for (int i = 0; i < expression->n; i++)
        if (strlen(expression->names[i]) == size && strncmp(word, expression->names[i], size) == 0)
            return STATUS_OK;
    if (expression->n == OWN_MOST_SERIES || size >= NAME_SIZE)
        return error_set(error, STATUS_INVALID, "more than %d series, or a name too long",
                         OWN_MOST_SERIES);
    snprintf(expression->names[expression->n++], NAME_SIZE, "%.*s", (int)size, word);
    return STATUS_OK;
}

/* Words that no parenthesis follows are series. */
static enum status find_names(const char *text, struct own_expression *expression,
                              struct error *error)
{
    enum status status = STATUS_OK;
    while (*text && status == STATUS_OK) {
        size_t size = 0;
        while (is_word(text[size]))
            size++;
        if (size == 0) {
            text++;
            continue;
        }
        const char *after = text + size + strspn(text + size, " ");
        if (isalpha((unsigned char)*text) && *after != '(')
            status = add_name(expression, text, size, error);
        text += size;
    }
    if (status == STATUS_OK && expression->n == 0)
        status = error_set(error, STATUS_INVALID, "it names no series");
    return status;
}

enum status own_expression_create(const char *text, struct own_expression **expression,
                                  struct error *error)
{
    struct expr_symbol symbols[OWN_MOST_SERIES];
    struct own_expression *made = calloc(1, sizeof *made);
    if (!made)
        return error_set(error, STATUS_MEMORY, "out of memory");
    enum status status = find_names(text, made, error);
    size_t size = 0;
    for (int i = 0; i < made->n; i++) {
        symbols[i] = (struct expr_symbol){made->names[i], VALUE_NUMBER, i, NULL};
        size += (size_t)snprintf(made->series + size, sizeof made->series - size, "%s%s",
                                 i ? "," : "", made->names[i]);
    }
    const struct expr_scope scope = {.symbols = symbols, .n_symbols = (size_t)made->n};
    if (status == STATUS_OK)
        status = expr_compile(text, &scope, VALUE_NUMBER, &made->expr, error);
    if (status != STATUS_OK) {
        own_expression_destroy(made);
        return status;
    }
    *expression = made;
    return STATUS_OK;
}

void own_expression_destroy(struct own_expression *expression)
{
    if (expression)
        expr_destroy(expression->expr);
    free(expression);
}

const char *own_expression_series(const struct own_expression *expression)
{
    return expression->series;
}

static const struct json *find_series(const struct json *history, const char *name)
{
    const struct json *list = json_get(history, "series");
    for (const struct json *item = list ? json_first(list) : NULL; item; item = json_next(item))
        if (strcmp(json_as_text(json_get(item, "name"), ""), name) == 0)
            return item;
    return NULL;
}

/* What is only a series is measured as that series is; what is made of several has no unit. */
static const char *unit_of(const struct own_expression *expression, const struct json *history,
                           const char *text)
{
    if (expression->n != 1 || strcmp(text, expression->names[0]) != 0)
        return "";
    return json_as_text(json_get(find_series(history, text), "unit"), "");
}

static void put_points(const struct own_expression *expression, const struct json *history,
                       struct json_writer *json)
{
    const struct json *points[OWN_MOST_SERIES];
    for (int i = 0; i < expression->n; i++)
        points[i] = json_first(json_get(find_series(history, expression->names[i]), "points"));
    while (points[0]) {
        struct value slots[OWN_MOST_SERIES];
        for (int i = 0; i < expression->n; i++) {
            double number = json_as_number(points[i] ? json_item(points[i], 1) : NULL, NAN);
            slots[i] = isfinite(number) ? (struct value){.type = VALUE_NUMBER, .number = number}
                                        : value_null();
        }
        struct value value = expr_evaluate(expression->expr, slots, NULL);
        json_array(json, NULL);
        json_number(json, NULL, json_as_number(json_first(points[0]), 0));
        json_number(json, NULL, value.type == VALUE_NUMBER ? value.number : NAN);
        json_array_end(json);
        for (int i = 0; i < expression->n; i++)
            points[i] = points[i] ? json_next(points[i]) : NULL;
    }
}

void own_expression_json(const struct own_expression *expression, const struct json *history,
                         const char *name, struct buffer *out)
{
    struct json_writer json;
    json_begin(&json, out);
    json_object(&json, NULL);
    json_text(&json, "from", json_as_text(json_get(history, "from"), NULL));
    json_text(&json, "to", json_as_text(json_get(history, "to"), NULL));
    json_number(&json, "step_s", json_as_number(json_get(history, "step_s"), 0));
    json_array(&json, "series");
    json_object(&json, NULL);
    json_text(&json, "name", name);
    json_text(&json, "unit", unit_of(expression, history, name));
    json_object(&json, "labels");
    json_object_end(&json);
    json_array(&json, "points");
    put_points(expression, history, &json);
    json_array_end(&json);
    json_object_end(&json);
    json_array_end(&json);
    json_object_end(&json);
}
