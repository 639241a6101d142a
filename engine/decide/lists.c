/* Lists as hash tables that are filled once and then only read. Entries expire against the time
 * that the decision is given, never against a clock, so that a decision can be repeated. */
#include "engine/decide/lists.h"

#include <stdio.h>
#include <stdlib.h>

#include "engine/base/clock.h"
#include "engine/base/hash.h"

#define MAX_LISTS 64
#define FOREVER   INT64_MAX

struct list_entry {
    struct slice value; /* data NULL: an empty slot */
    int64_t until_us;
};

struct list {
    const char *name;
    size_t n_slots; /* a power of two, at most half of them in use */
    struct list_entry *slots;
    uint64_t sizes; /* bit i: a value of i bytes is in it, the last bit stands for longer ones */
};

struct lists {
    size_t n;
    struct list list[];
};

/* ---- reading ---- */

struct list_config {
    const char *name, *note;
    const struct yaml_node *entries;
};

struct entry_config {
    const char *value, *until, *note;
};

#define LIST(type, member)  CONFIG_##type, offsetof(struct list_config, member)
#define ENTRY(type, member) CONFIG_##type, offsetof(struct entry_config, member)

static const struct config_key list_keys[] = {
    {"name", LIST(STRING, name), true, 0, 0, "what in_list() calls it"},
    {"note", LIST(STRING, note), false, 0, 0, "for people"},
    {"entries", LIST(NODE, entries), false, 0, 0, "values, or maps of value, until and note"},
    {NULL, CONFIG_STRING, 0, false, 0, 0, NULL},
};

static const struct config_key entry_keys[] = {
    {"value", ENTRY(STRING, value), true, 0, 0, "the text to find"},
    {"until", ENTRY(STRING, until), false, 0, 0, "when it expires, ISO-8601; default: never"},
    {"note", ENTRY(STRING, note), false, 0, 0, "why it is there"},
    {NULL, CONFIG_STRING, 0, false, 0, 0, NULL},
};

static uint64_t size_bit(struct slice value)
{
    return UINT64_C(1) << (value.size < 63 ? value.size : 63);
}

static struct list_entry *find_slot(const struct list *list, struct slice value)
{
    size_t at = (size_t)hash64(value.data, value.size, 0) & (list->n_slots - 1);
    while (list->slots[at].value.data && !slice_equal(list->slots[at].value, value))
        at = (at + 1) & (list->n_slots - 1);
    return &list->slots[at];
}

static enum status read_entry(struct list *list, const struct yaml_node *node, struct error *error)
{
    struct entry_config config = {0};
    int64_t until_us = FOREVER;
    if (yaml_kind(node) == YAML_SCALAR && !yaml_is_null(node)) {
        config.value = yaml_text(node);
    } else {
        enum status status = config_read(node, entry_keys, &config, error);
        if (status)
            return status;
    }
    if (config.until && !time_parse(slice_of(config.until), &until_us))
        return yaml_error(yaml_get(node, "until"), error,
                          "\"%.40s\" is not a time; write 2026-01-31T00:00:00Z", config.until);
    struct slice value = slice_of(config.value);
    struct list_entry *slot = find_slot(list, value);
    if (slot->value.data)
        return yaml_error(node, error, "\"%.64s\" is in the list twice", config.value);
    *slot = (struct list_entry){value, until_us};
    list->sizes |= size_bit(value);
    return STATUS_OK;
}

/* NULL when there is none of this name; *nearest (may be NULL) then gets a name to suggest. */
static const struct list *find_list(const struct lists *lists, struct slice name,
                                    const char **nearest)
{
    const char *names[MAX_LISTS];
    char word[128];
    for (size_t i = 0; i < lists->n; i++) {
        if (slice_is(name, lists->list[i].name))
            return &lists->list[i];
        names[i] = lists->list[i].name;
    }
    if (nearest) {
        (void)snprintf(word, sizeof word, SLICE_FORMAT, SLICE_ARGS(name));
        *nearest = nearest_word(word, names, lists->n);
    }
    return NULL;
}

static enum status read_list(struct lists *lists, const struct yaml_node *node, struct error *error)
{
    struct list_config config = {0};
    enum status status = config_read(node, list_keys, &config, error);
    if (status)
        return status;
    if (find_list(lists, slice_of(config.name), NULL))
        return yaml_error(yaml_get(node, "name"), error, "there are two lists \"%.64s\"",
                          config.name);
    if (config.entries && yaml_kind(config.entries) != YAML_LIST)
        return yaml_error(config.entries, error, "a list of values was expected");
    size_t n = config.entries ? yaml_size(config.entries) : 0;
    struct list *list = &lists->list[lists->n];
    *list = (struct list){.name = config.name, .n_slots = 4};
    while (list->n_slots < 2 * n)
        list->n_slots *= 2;
    list->slots = calloc(list->n_slots, sizeof *list->slots);
    if (!list->slots)
        return error_set(error, STATUS_MEMORY, "out of memory");
    lists->n++;
    for (size_t i = 0; !status && i < n; i++)
        status = read_entry(list, yaml_item(config.entries, i), error);
    return status;
}

enum status lists_read(const struct yaml_node *node, struct lists **lists, struct error *error)
{
    size_t n = node ? yaml_size(node) : 0;
    if (node && yaml_kind(node) != YAML_LIST)
        return yaml_error(node, error, "a list of {name, entries} was expected");
    if (n > MAX_LISTS)
        return yaml_error(node, error, "%zu lists are more than %d", n, MAX_LISTS);
    struct lists *made = calloc(1, sizeof *made + n * sizeof made->list[0]);
    if (!made)
        return error_set(error, STATUS_MEMORY, "out of memory");
    enum status status = STATUS_OK;
    for (size_t i = 0; !status && i < n; i++)
        status = read_list(made, yaml_item(node, i), error);
    if (status)
        lists_destroy(made);
    else
        *lists = made;
    return status;
}

void lists_destroy(struct lists *lists)
{
    for (size_t i = 0; lists && i < lists->n; i++)
        free(lists->list[i].slots);
    free(lists);
}

/* ---- asking ---- */

/* Whether the value is an entry that has not expired: `until` itself is already over. */
static bool has_entry(const struct list *list, struct slice value, int64_t now_us)
{
    if (!(list->sizes & size_bit(value)))
        return false; /* a short list says no to most without a look-up */
    const struct list_entry *entry = find_slot(list, value);
    return entry->value.data && now_us < entry->until_us;
}

static enum status bind_list(void *context, const struct value *arguments, int n_arguments,
                             void **bound, struct error *error)
{
    (void)n_arguments;
    const char *nearest = NULL;
    const struct lists *lists = context;
    const struct list *list = find_list(lists, arguments[0].string, &nearest);
    if (!list)
        return error_set(error, STATUS_INVALID, "there is no list \"" SLICE_FORMAT "\"%s",
                         arguments[0].string.size > 64 ? 64 : (int)arguments[0].string.size,
                         arguments[0].string.data, did_you_mean(nearest).text);
    *bound = (void *)(uintptr_t)list; /* only read */
    return STATUS_OK;
}

static struct value call_in_list(void *bound, void *run_context, const struct value *arguments,
                                 int n_arguments)
{
    (void)n_arguments;
    const int64_t *now_us = run_context;
    return value_bool(has_entry(bound, arguments[1].string, *now_us));
}

struct expr_function lists_function(const struct lists *lists)
{
    return (struct expr_function){
        .name = "in_list",
        .result = VALUE_BOOL,
        .min_args = 2,
        .max_args = 2,
        .args = {VALUE_STRING, VALUE_STRING},
        .literal_args = 1,
        .bind = bind_list,
        .call = call_in_list,
        .context = (void *)(uintptr_t)lists,
        .help = "in_list('NAME', text): whether the list has the text, not expired",
    };
}
