/* Any text as a configuration file: read by a table or refused with its place. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/yaml.h"

struct options {
    const char *name;
    double ratio;
    int64_t count;
    bool on;
    int64_t wait_us;
    const struct yaml_node *list;
};

static const struct config_key keys[] = {
    {"name", CONFIG_STRING, offsetof(struct options, name), true, 0, 0, "what it is called"},
    {"ratio", CONFIG_NUMBER, offsetof(struct options, ratio), false, 0, 1, "share"},
    {"count", CONFIG_INT, offsetof(struct options, count), false, 1, 10, "how many"},
    {"on", CONFIG_BOOL, offsetof(struct options, on), false, 0, 0, "whether"},
    {"wait", CONFIG_DURATION, offsetof(struct options, wait_us), false, 1, 60, "how long"},
    {"list", CONFIG_NODE, offsetof(struct options, list), false, 0, 0, "which"},
    {.name = NULL},
};

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void walk(const struct yaml_node *node, int depth)
{
    require(depth < 65);
    require(yaml_line(node) > 0 && yaml_column(node) > 0);
    require(yaml_text(node) != NULL);
    for (size_t i = 0; i < yaml_size(node); i++) {
        if (yaml_kind(node) == YAML_MAP)
            require(yaml_get(node, yaml_key(node, i)) == yaml_item(node, i));
        walk(yaml_item(node, i), depth + 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct yaml *yaml;
    struct error error = {0};
    if (yaml_load_text("fuzz.yaml", slice_make(data, size), &yaml, &error) != STATUS_OK) {
        require(strncmp(error.message, "fuzz.yaml", 9) == 0);
        return 0;
    }
    const struct yaml_node *root = yaml_root(yaml);
    if (root)
        walk(root, 0);
    struct options options = {0};
    if (config_read(root, keys, &options, &error) == STATUS_OK)
        require(options.name != NULL && options.ratio >= 0 && options.ratio <= 1);
    else
        require(error.message[0] != '\0');
    yaml_destroy(yaml);
    return 0;
}
