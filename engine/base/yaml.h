/* Configuration files: YAML read by libyaml into a tree that remembers where each word stood,
 * and a table-driven check that names file, line, column and the nearest key it knows. */
#ifndef BINNACLE_BASE_YAML_H
#define BINNACLE_BASE_YAML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/slice.h"
#include "engine/base/status.h"

struct yaml;      /* a document; owns every node and string of it */
struct yaml_node; /* borrowed from its document */

enum yaml_kind { YAML_SCALAR, YAML_LIST, YAML_MAP };

/* Reads at most 4 MiB. Anchors, aliases and tags are refused, as are a second document, keys that
 * are not words, duplicate keys, more than 10,000 keys in a map, and depth over 64. On success the
 * caller owns *yaml. The error says "FILE:LINE:COL: ...". */
MUST_USE enum status yaml_load_file(const char *path, struct yaml **yaml, struct error *error);
MUST_USE enum status yaml_load_text(const char *name, struct slice text, struct yaml **yaml,
                                    struct error *error);
void yaml_destroy(struct yaml *yaml);

/* NULL for an empty document. */
const struct yaml_node *yaml_root(const struct yaml *yaml);
enum yaml_kind yaml_kind(const struct yaml_node *node);
/* Lists and maps: number of entries; 0 for scalars. */
size_t yaml_size(const struct yaml_node *node);
const struct yaml_node *yaml_item(const struct yaml_node *list_or_map, size_t index);
const char *yaml_key(const struct yaml_node *map, size_t index);
/* The key itself, for errors that point at it. */
const struct yaml_node *yaml_key_node(const struct yaml_node *map, size_t index);
/* NULL when the map has no such key. */
const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key);
/* The scalar's text, zero-terminated, "" for lists and maps; lives as long as the document. */
const char *yaml_text(const struct yaml_node *node);
/* True for a scalar without quotes. */
bool yaml_is_plain(const struct yaml_node *node);
/* True for a plain (unquoted) ~, null or empty scalar. */
bool yaml_is_null(const struct yaml_node *node);

/* Fills *error with "FILE:LINE:COL: " and the message; returns STATUS_INVALID. */
enum status yaml_error(const struct yaml_node *node, struct error *error, const char *format, ...)
    PRINTF_LIKE(3, 4);
int yaml_line(const struct yaml_node *node);   /* from 1 */
int yaml_column(const struct yaml_node *node); /* from 1 */

/* Typed reads of a scalar; the error names place and what was expected. Numbers are finite; a
 * number, integer or bool in quotes is a string, not one of these. */
MUST_USE enum status yaml_read_number(const struct yaml_node *node, double *out,
                                      struct error *error);
MUST_USE enum status yaml_read_bool(const struct yaml_node *node, bool *out, struct error *error);

/* One row of a configuration table. What a map may hold is an array of these ending in
 * {.name = NULL}; parsing, `--help`, the man page and the nearest-key message come from it. */
enum config_type {
    CONFIG_STRING,   /* const char *, borrowed from the document */
    CONFIG_NUMBER,   /* double */
    CONFIG_INT,      /* int64_t */
    CONFIG_BOOL,     /* bool */
    CONFIG_DURATION, /* int64_t, microseconds */
    CONFIG_NODE,     /* const struct yaml_node *: a list or map read by its owner */
};

struct config_key {
    const char *name;
    enum config_type type;
    size_t offset; /* of the member in the structure that is filled */
    bool required;
    double minimum, maximum; /* both 0: no range. Numbers, ints; durations in seconds */
    const char *help;        /* one line; says the unit and the default */
};

/* Reads a map by its table into *target, which holds the defaults beforehand. An unknown key, a
 * missing required one, a wrong type or a value out of range is an error with file, line, column
 * and, for an unknown key, the nearest one of the table. A key whose value is null counts as not
 * given. A NULL map (an empty document) is a map without keys. */
MUST_USE enum status config_read(const struct yaml_node *map, const struct config_key *keys,
                                 void *target, struct error *error);

/* The candidate nearest to `word` by edit distance, or NULL if none is near enough to suggest. */
const char *nearest_word(const char *word, const char *const *candidates, size_t n_candidates);

/* The end of a message about an unknown word: `; did you mean "NEAREST"?`, or "" for NULL. By
 * value, so that it can stand among the arguments of a format. */
struct suggestion {
    char text[96];
};
struct suggestion did_you_mean(const char *nearest);

#endif
