/* Configuration by tables: typed reads of YAML scalars, maps into structures, and the nearest
 * known word for a mistyped one. Declared in yaml.h. Any thread. */
#include "engine/base/yaml.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "engine/base/buffer.h"
#include "engine/base/clock.h"
#include "engine/base/number.h"

static enum status expected(const struct yaml_node *node, struct error *error, const char *what)
{
    switch (yaml_kind(node)) {
    case YAML_LIST:
        return yaml_error(node, error, "expected %s, found a list", what);
    case YAML_MAP:
        return yaml_error(node, error, "expected %s, found a map", what);
    case YAML_SCALAR:
        break;
    }
    if (yaml_is_null(node))
        return yaml_error(node, error, "expected %s, found nothing", what);
    return yaml_error(node, error, "expected %s, found \"%.100s\"%s", what, yaml_text(node),
                      yaml_is_plain(node) ? "" : " in quotes");
}

static struct slice plain_text(const struct yaml_node *node)
{
    return yaml_is_plain(node) ? slice_of(yaml_text(node)) : slice_make("", 0);
}

enum status yaml_read_number(const struct yaml_node *node, double *out, struct error *error)
{
    double number;
    if (!number_parse(plain_text(node), &number) || !isfinite(number))
        return expected(node, error, "a number");
    *out = number;
    return STATUS_OK;
}

static enum status read_int(const struct yaml_node *node, int64_t *out, struct error *error)
{
    if (!integer_parse(plain_text(node), out))
        return expected(node, error, "an integer");
    return STATUS_OK;
}

enum status yaml_read_bool(const struct yaml_node *node, bool *out, struct error *error)
{
    struct slice text = plain_text(node);
    bool yes = slice_is(text, "true") || slice_is(text, "True") || slice_is(text, "TRUE");
    if (!yes && !slice_is(text, "false") && !slice_is(text, "False") && !slice_is(text, "FALSE"))
        return expected(node, error, "true or false");
    *out = yes;
    return STATUS_OK;
}

static enum status read_duration(const struct yaml_node *node, int64_t *out_us, struct error *error)
{
    if (!duration_parse(slice_of(yaml_text(node)), out_us))
        return expected(node, error, "a duration such as 250ms, 90s, 5m, 12h, 7d or 2w");
    return STATUS_OK;
}

static enum status check_range(const struct yaml_node *node, const struct config_key *key,
                               double number, const char *unit, struct error *error)
{
    bool unbounded = key->minimum == 0 && key->maximum == 0;
    if (unbounded || (number >= key->minimum && number <= key->maximum))
        return STATUS_OK;
    return yaml_error(node, error, "%s must be from %g%s to %g%s, found %s", key->name,
                      key->minimum, unit, key->maximum, unit, yaml_text(node));
}

static enum status read_value(const struct yaml_node *node, const struct config_key *key,
                              void *member, struct error *error)
{
    enum status status = STATUS_OK;
    switch (key->type) {
    case CONFIG_NODE:
        *(const struct yaml_node **)member = node;
        return STATUS_OK;
    case CONFIG_STRING:
        if (yaml_kind(node) != YAML_SCALAR)
            return expected(node, error, "text");
        *(const char **)member = yaml_text(node);
        return STATUS_OK;
    case CONFIG_BOOL:
        return yaml_read_bool(node, member, error);
    case CONFIG_NUMBER:
        status = yaml_read_number(node, member, error);
        return status ? status : check_range(node, key, *(double *)member, "", error);
    case CONFIG_INT:
        status = read_int(node, member, error);
        return status ? status : check_range(node, key, (double)*(int64_t *)member, "", error);
    case CONFIG_DURATION:
        status = read_duration(node, member, error);
        return status ? status
                      : check_range(node, key, (double)*(int64_t *)member / (double)US_PER_S, "s",
                                    error);
    }
    return status;
}

#define MAX_TABLE 64

static enum status unknown_key(const struct yaml_node *key, const struct config_key *keys,
                               struct error *error)
{
    const char *names[MAX_TABLE];
    size_t n_names = 0;
    char list[300] = "";
    for (const struct config_key *known = keys; known->name && n_names < MAX_TABLE; known++) {
        size_t length = strlen(list);
        snprintf(list + length, sizeof list - length, "%s%s", n_names ? ", " : "", known->name);
        names[n_names++] = known->name;
    }
    const char *near = nearest_word(yaml_text(key), names, n_names);
    if (near)
        return yaml_error(key, error, "unknown key \"%.100s\"; did you mean \"%s\"?",
                          yaml_text(key), near);
    return yaml_error(key, error, "unknown key \"%.100s\"; known keys: %s", yaml_text(key), list);
}

static const struct config_key *find_key(const struct config_key *keys, const char *name)
{
    for (; keys->name; keys++)
        if (strcmp(keys->name, name) == 0)
            return keys;
    return NULL;
}

enum status config_read(const struct yaml_node *map, const struct config_key *keys, void *target,
                        struct error *error)
{
    if (map && yaml_kind(map) != YAML_MAP)
        return expected(map, error, "a map of keys and values");
    for (size_t i = 0; map && i < yaml_size(map); i++) {
        const struct yaml_node *name = yaml_key_node(map, i);
        const struct yaml_node *value = yaml_item(map, i);
        const struct config_key *key = find_key(keys, yaml_text(name));
        if (!key)
            return unknown_key(name, keys, error);
        if (yaml_is_null(value))
            continue;
        enum status status = read_value(value, key, (char *)target + key->offset, error);
        if (status)
            return status;
    }
    for (; keys->name; keys++) {
        const struct yaml_node *value = yaml_get(map, keys->name);
        if (keys->required && (!value || yaml_is_null(value)))
            return yaml_error(map, error, "missing key \"%s\" (%s)", keys->name,
                              keys->help ? keys->help : "required");
    }
    return STATUS_OK;
}

#define MAX_WORD 64

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Edit distance with transpositions of neighbours counted once (optimal string alignment):
 * R. Lowrance and R. A. Wagner, JACM 22 (1975), restricted. Words up to MAX_WORD bytes. */
static size_t edit_distance(const char *a, size_t n_a, const char *b, size_t n_b)
{
    size_t rows[3][MAX_WORD + 1];
    size_t *before = rows[0], *last = rows[1], *row = rows[2];
    for (size_t j = 0; j <= n_b; j++)
        last[j] = j;
    for (size_t i = 1; i <= n_a; i++) {
        row[0] = i;
        for (size_t j = 1; j <= n_b; j++) {
            size_t changed = last[j - 1] + (a[i - 1] != b[j - 1]);
            row[j] = least(least(last[j], row[j - 1]) + 1, changed);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], before[j - 2] + 1);
        }
        size_t *recycled = before;
        before = last;
        last = row;
        row = recycled;
    }
    return last[n_b];
}

const char *nearest_word(const char *word, const char *const *candidates, size_t n_candidates)
{
    size_t length = strlen(word);
    size_t best = length < 6 ? 2 : length / 3 + 1; /* one more than is near enough */
    const char *nearest = NULL;
    if (length == 0 || length > MAX_WORD)
        return NULL;
    for (size_t i = 0; i < n_candidates; i++) {
        size_t size = strlen(candidates[i]);
        if (strcasecmp(word, candidates[i]) == 0)
            return candidates[i];
        if (size > MAX_WORD)
            continue;
        size_t distance = edit_distance(word, length, candidates[i], size);
        if (distance < best && distance < size) {
            best = distance;
            nearest = candidates[i];
        }
    }
    return nearest;
}

struct suggestion did_you_mean(const char *nearest)
{
    struct suggestion suggestion = {""};
    if (nearest)
        snprintf(suggestion.text, sizeof suggestion.text, "; did you mean \"%.70s\"?", nearest);
    return suggestion;
}
