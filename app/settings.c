/* The configuration as it is in effect: the files' own documents walked value by value, each with
 * its line, then the defaults of the keys nobody set, by the tables that read them. In: a loaded
 * configuration. Out: JSON. Any thread. */
#include "app/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/base/clock.h"
#include "engine/base/json.h"
#include "engine/base/number.h"

#define NAME_BYTES 256

struct walk {
    const struct config *config;
    const struct settings_given *given;
    struct json_writer json;
};

/* ---- secrets ---- */

static bool ends_with(const char *text, const char *end)
{
    size_t size = strlen(text), end_size = strlen(end);
    return size >= end_size && strcasecmp(text + size - end_size, end) == 0;
}

/* The names of files and of variables of the environment are no secrets; what is in them is. */
static bool is_secret(const char *key)
{
    static const char *const words[] = {"password",   "secret",     "token",
                                        "passphrase", "credential", "api_key",
                                        "access_key", "secret_key", "hmac"};
    const char *dot = strrchr(key, '.');
    const char *name = dot ? dot + 1 : key;
    if (ends_with(name, "_file") || ends_with(name, "_env"))
        return false;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcasestr(name, words[i]))
            return true;
    return false;
}

/* Whether the path of an address under this key is what lets one in: a webhook's is. */
static bool has_secret_path(const char *key)
{
    return ends_with(key, "webhook") || ends_with(key, "webhook.url") ||
           (strncmp(key, "channels", 8) == 0 && ends_with(key, "url"));
}

/* An address as it may be seen: without who logs in, and without a path that is a password. */
static void put_value(struct walk *walk, const char *key, const char *value)
{
    const char *scheme = strstr(value, "://");
    char shown[1024];
    if (!scheme) {
        json_text(&walk->json, "value", value);
        return;
    }
    const char *host = scheme + 3, *path = host + strcspn(host, "/?#");
    for (const char *at = host; at < path; at++)
        if (*at == '@')
            host = at + 1;
    bool hidden = has_secret_path(key) && *path;
    snprintf(shown, sizeof shown, "%.*s://%.*s%s", (int)(scheme - value), value, (int)(path - host),
             host, hidden ? "/…" : path);
    json_text(&walk->json, "value", shown);
}

/* ---- one value ---- */

static const struct config_key *find_key(const char *key)
{
    for (const struct config_section *section = config_sections; section->prefix; section++) {
        size_t size = strlen(section->prefix);
        if (strncmp(key, section->prefix, size) != 0)
            continue;
        for (const struct config_key *known = section->keys; known->name; known++)
            if (strcmp(known->name, key + size) == 0)
                return known;
    }
    return NULL;
}

static const struct settings_given *find_given(const struct walk *walk, const char *key)
{
    for (const struct settings_given *given = walk->given; given && given->key; given++)
        if (given->value && strcmp(given->key, key) == 0)
            return given;
    return NULL;
}

/* `node` NULL: the value is no file's. */
static void put_setting(struct walk *walk, const char *file, const char *key, const char *value,
                        const char *from, const struct yaml_node *node)
{
    struct json_writer *json = &walk->json;
    const struct config_key *known = strcmp(file, "binnacle.yaml") == 0 ? find_key(key) : NULL;
    bool secret = is_secret(key);
    json_object(json, NULL);
    json_text(json, "key", key);
    if (secret || !value)
        json_null(json, "value");
    else
        put_value(walk, key, value);
    json_bool(json, "secret", secret);
    json_text(json, "from", from);
    json_text(json, "file", node ? file : NULL);
    if (node) {
        json_int(json, "line", yaml_line(node));
        json_int(json, "column", yaml_column(node));
    } else {
        json_null(json, "line");
        json_null(json, "column");
    }
    json_text(json, "help", known ? known->help : NULL);
    json_object_end(json);
}

/* ---- what the files say ---- */

static void walk_node(struct walk *walk, const char *file, const char *key,
                      const struct yaml_node *node);

static void walk_children(struct walk *walk, const char *file, const char *key,
                          const struct yaml_node *node)
{
    char child[NAME_BYTES];
    bool list = yaml_kind(node) == YAML_LIST;
    for (size_t i = 0; i < yaml_size(node); i++) {
        const struct yaml_node *item = yaml_item(node, i);
        const struct yaml_node *name =
            list && yaml_kind(item) == YAML_MAP ? yaml_get(item, "name") : NULL;
        if (name && yaml_kind(name) == YAML_SCALAR)
            snprintf(child, sizeof child, "%s[%s]", key, yaml_text(name));
        else if (list)
            snprintf(child, sizeof child, "%s[%zu]", key, i);
        else
            snprintf(child, sizeof child, "%s%s%s", key, *key ? "." : "", yaml_key(node, i));
        walk_node(walk, file, child, item);
    }
}

/* Depth is bounded by the reader of the document. */
static void walk_node(struct walk *walk, const char *file, const char *key,
                      const struct yaml_node *node)
{
    if (yaml_kind(node) != YAML_SCALAR) {
        walk_children(walk, file, key, node);
        return;
    }
    const struct settings_given *given =
        strcmp(file, "binnacle.yaml") == 0 ? find_given(walk, key) : NULL;
    if (!given)
        put_setting(walk, file, key, yaml_is_null(node) ? NULL : yaml_text(node), "file", node);
}

static void walk_file(struct walk *walk, const char *name)
{
    char *path = config_path(walk->config, name);
    struct yaml *yaml = NULL;
    struct error error;
    if (path && yaml_load_file(path, &yaml, &error) == STATUS_OK && yaml_root(yaml))
        walk_children(walk, name, "", yaml_root(yaml));
    yaml_destroy(yaml);
    free(path);
}

static void put_given(struct walk *walk)
{
    for (const struct settings_given *given = walk->given; given && given->key; given++)
        if (given->value)
            put_setting(walk, "binnacle.yaml", given->key, given->value, "command line", NULL);
}

/* ---- what nobody said ---- */

/* The member's value as a file would say it; NULL where there is none. */
static const char *default_text(const struct config_key *key, const char *member, char text[64])
{
    switch (key->type) {
    case CONFIG_STRING:
        return *(const char *const *)(const void *)member;
    case CONFIG_NUMBER:
        number_format(*(const double *)(const void *)member, text);
        return text;
    case CONFIG_INT:
        snprintf(text, 64, "%lld", (long long)*(const int64_t *)(const void *)member);
        return text;
    case CONFIG_BOOL:
        return *(const bool *)(const void *)member ? "true" : "false";
    case CONFIG_DURATION: {
        int64_t us = *(const int64_t *)(const void *)member;
        bool whole = us % US_PER_S == 0;
        snprintf(text, 64, whole ? "%llds" : "%lldms",
                 (long long)(whole ? us / US_PER_S : us / 1000));
        return text;
    }
    case CONFIG_NODE:
        break;
    }
    return NULL;
}

static bool is_set(const struct walk *walk, const struct config_section *section, const char *name)
{
    const struct yaml_node *map = yaml_root(walk->config->yaml);
    char prefix[NAME_BYTES], key[NAME_BYTES];
    snprintf(prefix, sizeof prefix, "%.*s", (int)strcspn(section->prefix, "."), section->prefix);
    if (*prefix)
        map = yaml_get(map, prefix);
    snprintf(key, sizeof key, "%s%s", section->prefix, name);
    const struct yaml_node *node = map ? yaml_get(map, name) : NULL;
    return find_given(walk, key) || (node && !yaml_is_null(node));
}

static void put_defaults(struct walk *walk, const struct config_section *section)
{
    const char *base = (const char *)walk->config + section->offset;
    for (const struct config_key *known = section->keys; known->name; known++) {
        char key[NAME_BYTES], text[64];
        if (is_set(walk, section, known->name))
            continue;
        snprintf(key, sizeof key, "%s%s", section->prefix, known->name);
        put_setting(walk, "binnacle.yaml", key, default_text(known, base + known->offset, text),
                    "default", NULL);
    }
}

void settings_json(const struct config *config, const struct settings_given *given,
                   struct buffer *out)
{
    struct walk walk = {.config = config, .given = given};
    const char *const files[] = {config->contract_file, config->features_file, config->rules_file};
    json_begin(&walk.json, out);
    json_object(&walk.json, NULL);
    json_text(&walk.json, "folder", config->folder);
    json_array(&walk.json, "settings");
    put_given(&walk);
    walk_children(&walk, "binnacle.yaml", "", yaml_root(config->yaml));
    for (const struct config_section *section = config_sections; section->prefix; section++)
        put_defaults(&walk, section);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        walk_file(&walk, files[i]);
    json_array_end(&walk.json);
    json_object_end(&walk.json);
}
