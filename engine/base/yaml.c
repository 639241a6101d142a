/* YAML files into a tree that remembers places. libyaml gives events; the tree is built here, so
 * that everything a configuration has no use for (anchors, aliases, tags, several documents) ends
 * with an error at its place. Loading is for one thread, reading a tree for any. */
#include "engine/base/yaml.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "engine/base/buffer.h"
#include "engine/base/file.h"
#include "engine/base/utf8.h"

#define MAX_FILE_SIZE ((size_t)4 << 20)
#define MAX_DEPTH     64
#define MAX_KEYS      10000
#define MAX_TREE_SIZE ((size_t)256 << 20)

struct yaml_node {
    const struct yaml *yaml;
    enum yaml_kind kind;
    bool plain; /* a scalar without quotes */
    int line, column;
    char *text;
    size_t size, capacity;
    struct yaml_node **items;
    struct yaml_node **keys; /* maps only */
};

struct yaml {
    struct arena *arena;
    const char *file;
    struct yaml_node *root;
};

/* An open list or map, and the key that waits for its value. */
struct level {
    struct yaml_node *node;
    struct yaml_node *key;
};

struct loader {
    struct yaml *yaml;
    struct level levels[MAX_DEPTH];
    int depth;
    int n_documents;
    int last_line, last_column; /* where something stood last */
    struct error *error;
};

enum status yaml_error(const struct yaml_node *node, struct error *error, const char *format, ...)
{
    if (!error)
        return STATUS_INVALID;
    char message[sizeof error->message];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    if (!node)
        return error_set(error, STATUS_INVALID, "%s", message);
    return error_set(error, STATUS_INVALID, "%s:%d:%d: %s", node->yaml->file, node->line,
                     node->column, message);
}

static enum status out_of_memory(struct loader *loader)
{
    return error_set(loader->error, STATUS_MEMORY, "%s: out of memory", loader->yaml->file);
}

static char *copy_text(struct arena *arena, const char *text, size_t size)
{
    char *copy = arena_alloc(arena, size + 1);
    if (copy) {
        if (size > 0)
            memcpy(copy, text, size);
        copy[size] = '\0';
    }
    return copy;
}

static struct yaml_node *make_node(struct loader *loader, enum yaml_kind kind,
                                   const yaml_event_t *event)
{
    struct yaml_node *node = arena_alloc(loader->yaml->arena, sizeof *node);
    if (!node)
        return NULL;
    *node = (struct yaml_node){.yaml = loader->yaml, .kind = kind, .text = ""};
    /* What has no extent, an empty value, stands nowhere: give_place() finds it a place. */
    bool empty = kind == YAML_SCALAR && event->data.scalar.length == 0 &&
                 event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    if (!empty) {
        node->line = (int)event->start_mark.line + 1;
        node->column = (int)event->start_mark.column + 1;
    }
    return node;
}

static bool grow(struct arena *arena, struct yaml_node *node)
{
    if (node->size < node->capacity)
        return true;
    size_t capacity = node->capacity ? 2 * node->capacity : 8;
    struct yaml_node **items = arena_alloc(arena, capacity * sizeof *items);
    struct yaml_node **keys = arena_alloc(arena, capacity * sizeof *keys);
    if (!items || !keys)
        return false;
    if (node->size > 0) {
        memcpy(items, node->items, node->size * sizeof *items);
        memcpy(keys, node->keys, node->size * sizeof *keys);
    }
    node->items = items;
    node->keys = keys;
    node->capacity = capacity;
    return true;
}

static enum status take_key(struct loader *loader, struct level *level, struct yaml_node *key)
{
    struct yaml_node *map = level->node;
    if (key->kind != YAML_SCALAR || key->text[0] == '\0')
        return yaml_error(key, loader->error, "a key must be a word");
    if (map->size >= MAX_KEYS)
        return yaml_error(key, loader->error, "more than %d keys in one map", MAX_KEYS);
    for (size_t i = 0; i < map->size; i++)
        if (strcmp(map->keys[i]->text, key->text) == 0)
            return yaml_error(key, loader->error, "key \"%s\" was already given on line %d",
                              key->text, map->keys[i]->line);
    level->key = key;
    return STATUS_OK;
}

/* An empty value stands nowhere: its key does, or what came before it. */
static void give_place(struct loader *loader, struct yaml_node *node)
{
    struct yaml_node *key = loader->depth > 0 ? loader->levels[loader->depth - 1].key : NULL;
    if (node->line == 0) {
        node->line = key ? key->line : loader->last_line;
        node->column = key ? key->column : loader->last_column;
    }
    loader->last_line = node->line;
    loader->last_column = node->column;
}

/* Puts a node where it belongs: as root, as item of a list, as key or as value of a map. */
static enum status place(struct loader *loader, struct yaml_node *node)
{
    give_place(loader, node);
    if (loader->depth == 0) {
        loader->yaml->root = node;
        return STATUS_OK;
    }
    struct level *level = &loader->levels[loader->depth - 1];
    struct yaml_node *parent = level->node;
    if (parent->kind == YAML_MAP && !level->key)
        return take_key(loader, level, node);
    if (!grow(loader->yaml->arena, parent))
        return out_of_memory(loader);
    parent->items[parent->size] = node;
    parent->keys[parent->size++] = level->key;
    level->key = NULL;
    return STATUS_OK;
}

static enum status open_level(struct loader *loader, struct yaml_node *node)
{
    enum status status = place(loader, node);
    if (status)
        return status;
    if (loader->depth == MAX_DEPTH)
        return yaml_error(node, loader->error, "nested more than %d deep", MAX_DEPTH);
    loader->levels[loader->depth++] = (struct level){.node = node};
    return STATUS_OK;
}

static enum status take_scalar(struct loader *loader, const yaml_event_t *event)
{
    struct yaml_node *node = make_node(loader, YAML_SCALAR, event);
    if (!node)
        return out_of_memory(loader);
    const char *text = (const char *)event->data.scalar.value;
    size_t size = event->data.scalar.length;
    node->text = copy_text(loader->yaml->arena, text, size);
    if (!node->text)
        return out_of_memory(loader);
    node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    if (size > 0 && memchr(text, '\0', size))
        return yaml_error(node, loader->error, "a zero byte in the text");
    return place(loader, node);
}

static enum status refuse(struct loader *loader, const yaml_event_t *event, const char *what)
{
    struct yaml_node here = {.yaml = loader->yaml,
                             .line = (int)event->start_mark.line + 1,
                             .column = (int)event->start_mark.column + 1};
    return yaml_error(&here, loader->error, "%s", what);
}

static enum status take_container(struct loader *loader, const yaml_event_t *event,
                                  enum yaml_kind kind)
{
    struct yaml_node *node = make_node(loader, kind, event);
    return node ? open_level(loader, node) : out_of_memory(loader);
}

static enum status take_event(struct loader *loader, const yaml_event_t *event)
{
    static const char anchors[] = "anchors and tags are not used in this file";
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (++loader->n_documents > 1)
            return refuse(loader, event, "only one document belongs in this file");
        return STATUS_OK;
    case YAML_MAPPING_START_EVENT:
        if (event->data.mapping_start.anchor || event->data.mapping_start.tag)
            return refuse(loader, event, anchors);
        return take_container(loader, event, YAML_MAP);
    case YAML_SEQUENCE_START_EVENT:
        if (event->data.sequence_start.anchor || event->data.sequence_start.tag)
            return refuse(loader, event, anchors);
        return take_container(loader, event, YAML_LIST);
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        loader->depth--;
        return STATUS_OK;
    case YAML_SCALAR_EVENT:
        if (event->data.scalar.anchor || event->data.scalar.tag)
            return refuse(loader, event, anchors);
        return take_scalar(loader, event);
    case YAML_ALIAS_EVENT:
        return refuse(loader, event, "aliases are not used in this file");
    default:
        return STATUS_OK;
    }
}

static enum status syntax_error(struct loader *loader, const yaml_parser_t *parser)
{
    if (parser->error == YAML_MEMORY_ERROR)
        return out_of_memory(loader);
    return error_set(loader->error, STATUS_INVALID, "%s:%d:%d: %s%s%s", loader->yaml->file,
                     (int)parser->problem_mark.line + 1, (int)parser->problem_mark.column + 1,
                     parser->problem ? parser->problem : "not YAML", parser->context ? " " : "",
                     parser->context ? parser->context : "");
}

static enum status read_events(struct loader *loader, yaml_parser_t *parser)
{
    for (;;) {
        yaml_event_t event;
        if (!yaml_parser_parse(parser, &event))
            return syntax_error(loader, parser);
        bool end = event.type == YAML_STREAM_END_EVENT;
        enum status status = take_event(loader, &event);
        yaml_event_delete(&event);
        if (status || end)
            return status;
    }
}

/* Control characters other than TAB, LF and CR, C1 controls included. */
static bool is_control(const char *character, size_t length)
{
    unsigned char first = (unsigned char)character[0];
    if (length == 2)
        return first == 0xc2 && (unsigned char)character[1] < 0xa0;
    return length == 1 &&
           ((first < 0x20 && !strchr("\t\n\r", first)) || first == 0 || first == 0x7f);
}

/* What YAML does not allow in a file is found here, at its place. */
static enum status check_characters(struct loader *loader, struct slice text)
{
    struct yaml_node here = {.yaml = loader->yaml, .line = 1, .column = 1};
    for (size_t at = 0; at < text.size;) {
        size_t length = utf8_length(slice_make(text.data + at, text.size - at));
        if (length == 0)
            return yaml_error(&here, loader->error, "a byte that is not UTF-8");
        if (is_control(text.data + at, length))
            return yaml_error(&here, loader->error, "a control character");
        bool newline = text.data[at] == '\n';
        here.line += newline;
        here.column = newline ? 1 : here.column + 1;
        at += length;
    }
    return STATUS_OK;
}

static enum status parse(struct loader *loader, struct slice text)
{
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser))
        return out_of_memory(loader);
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text.data, text.size);
    enum status status = read_events(loader, &parser);
    yaml_parser_delete(&parser);
    return status;
}

enum status yaml_load_text(const char *name, struct slice text, struct yaml **yaml,
                           struct error *error)
{
    *yaml = NULL;
    if (text.size > MAX_FILE_SIZE)
        return error_set(error, STATUS_INVALID, "%s: larger than %zu MiB", name,
                         MAX_FILE_SIZE >> 20);
    struct yaml *loaded = calloc(1, sizeof *loaded);
    if (!loaded)
        return error_set(error, STATUS_MEMORY, "%s: out of memory", name);
    loaded->file = name;
    enum status status = STATUS_MEMORY;
    struct loader loader = {.yaml = loaded, .last_line = 1, .last_column = 1, .error = error};
    loaded->arena = arena_create(MAX_TREE_SIZE);
    char *file = loaded->arena ? copy_text(loaded->arena, name, strlen(name)) : NULL;
    if (!file) {
        out_of_memory(&loader);
        goto out;
    }
    loaded->file = file;
    status = check_characters(&loader, text);
    if (!status && text.size > 0)
        status = parse(&loader, text);
out:
    if (status)
        yaml_destroy(loaded);
    else
        *yaml = loaded;
    return status;
}

enum status yaml_load_file(const char *path, struct yaml **yaml, struct error *error)
{
    *yaml = NULL;
    struct buffer content;
    buffer_init(&content, MAX_FILE_SIZE);
    enum status status = file_read_whole(path, &content, error);
    if (status == STATUS_FULL) /* the file's fault, and no better when it is read again */
        status =
            error_set(error, STATUS_INVALID, "%s: larger than %zu MiB", path, MAX_FILE_SIZE >> 20);
    if (!status)
        status = yaml_load_text(path, buffer_slice(&content), yaml, error);
    buffer_free(&content);
    return status;
}

void yaml_destroy(struct yaml *yaml)
{
    if (!yaml)
        return;
    arena_destroy(yaml->arena);
    free(yaml);
}

const struct yaml_node *yaml_root(const struct yaml *yaml)
{
    const struct yaml_node *root = yaml->root;
    return root && yaml_is_null(root) ? NULL : root;
}

enum yaml_kind yaml_kind(const struct yaml_node *node)
{
    return node->kind;
}

size_t yaml_size(const struct yaml_node *node)
{
    return node->size;
}

const struct yaml_node *yaml_item(const struct yaml_node *list_or_map, size_t index)
{
    return index < list_or_map->size ? list_or_map->items[index] : NULL;
}

const struct yaml_node *yaml_key_node(const struct yaml_node *map, size_t index)
{
    return map->kind == YAML_MAP && index < map->size ? map->keys[index] : NULL;
}

const char *yaml_key(const struct yaml_node *map, size_t index)
{
    const struct yaml_node *key = yaml_key_node(map, index);
    return key ? key->text : NULL;
}

const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key)
{
    if (!map || map->kind != YAML_MAP)
        return NULL;
    for (size_t i = 0; i < map->size; i++)
        if (strcmp(map->keys[i]->text, key) == 0)
            return map->items[i];
    return NULL;
}

const char *yaml_text(const struct yaml_node *node)
{
    return node->text;
}

bool yaml_is_plain(const struct yaml_node *node)
{
    return node->kind == YAML_SCALAR && node->plain;
}

bool yaml_is_null(const struct yaml_node *node)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};
    if (node->kind != YAML_SCALAR || !node->plain)
        return false;
    for (size_t i = 0; i < sizeof nulls / sizeof nulls[0]; i++)
        if (strcmp(node->text, nulls[i]) == 0)
            return true;
    return false;
}

int yaml_line(const struct yaml_node *node)
{
    return node->line;
}

int yaml_column(const struct yaml_node *node)
{
    return node->column;
}
