/* A view file compiled: what the state must keep and how features come from it. Private to
 * engine/feature. */
#ifndef BINNACLE_FEATURE_VIEWS_PRIV_H
#define BINNACLE_FEATURE_VIEWS_PRIV_H

#include <string.h>

#include "engine/base/buffer.h"
#include "engine/base/hash.h"
#include "engine/base/yaml.h"
#include "engine/expr/expr.h"
#include "engine/feature/scaling.h"
#include "engine/feature/views.h"

#define MAX_STREAMS 16
#define MAX_COLUMNS 64   /* different value expressions, and likewise fields to tell apart */
#define MAX_SPANS   64   /* different (window, delay) of one entity */
#define MAX_OUTPUTS 2048 /* twice MAX_FEATURES: those that only other features use count too */

enum window_function {
    WINDOW_COUNT,
    WINDOW_SUM,
    WINDOW_MEAN,
    WINDOW_STD,
    WINDOW_MIN,
    WINDOW_MAX,
    WINDOW_DISTINCT,
    WINDOW_SINCE_LAST,
    WINDOW_RATIO_TO_MEAN,
    WINDOW_LAG,
    WINDOW_POSITIVES,
    WINDOW_RATE,
    WINDOW_FUNCTIONS
};

/* A number that windows are over: a field as it is, or an expression over the fields. */
struct column {
    const char *text;
    int field;         /* -1: by the expression */
    struct expr *expr; /* NULL: by the field */
};

/* What is kept up to date for a span so that its features need not look at the entries. */
enum state_kind { STATE_SUM, STATE_SQUARES, STATE_MIN, STATE_MAX, STATE_DISTINCT, STATE_KINDS };

struct state_plan {
    enum state_kind kind;
    uint32_t span;
    uint32_t column; /* place in the entry: of the values, or for STATE_DISTINCT of the hashes */
    bool delayed;    /* its span is */
    size_t offset;   /* in the entity's block of states */
};

/* (t - delay - window, t - delay] */
struct span {
    int64_t delay_us, window_us;
    size_t first_state, n_states; /* states are sorted by span */
};

#define NO_STATE UINT32_MAX

struct window_plan {
    enum window_function function;
    uint32_t stream, span;
    uint32_t column; /* place in the entry */
    uint32_t state;  /* sum, extreme or distinct state; NO_STATE: none needed */
    uint32_t squares;
    size_t state_at, squares_at; /* their offsets in the entity's block */
    double ddof;
    double empty; /* what an empty window gives; NaN: missing */
    size_t output;
};

/* All windows of one entity field: they share one series of entries per entity. */
struct stream {
    int field;
    size_t n_values, n_hashes;
    uint32_t values[MAX_COLUMNS]; /* columns, by place in the entry */
    uint32_t hashes[MAX_COLUMNS]; /* fields, by place in the entry */
    bool labels;
    size_t n_spans, n_states;
    struct span *spans;
    struct state_plan *states;
    size_t n_windows;
    struct window_plan *windows;
    size_t states_size; /* bytes of an entity's block: span states, then states */
    int64_t horizon_us;
};

enum calendar_function {
    CALENDAR_HOUR,
    CALENDAR_WEEKDAY,
    CALENDAR_WEEKEND,
    CALENDAR_NIGHT,
    CALENDAR_FUNCTIONS
};

struct calendar_plan {
    enum calendar_function function;
    int field; /* -1: the event's time */
    int64_t until_hour;
    size_t output;
};

struct one_hot_plan {
    int field;
    size_t n_values;
    struct value *values; /* of the field's type */
    uint64_t *prints;     /* text_print() of the values, where they are text */
    size_t *outputs;      /* by value */
};

struct transform_plan {
    struct expr *expr;
    size_t output;
    size_t slot; /* of the output as a value */
};

/* An output that transforms read, as a value. */
struct read_output {
    size_t output, slot;
};

/* What tells texts apart: up to seven bytes and their number, or the first eight bytes, in which
 * case the rest has to be compared. */
static inline uint64_t text_print(struct slice text)
{
    return slice_head(text) | (text.size < 8 ? (uint64_t)text.size << 56 : 0);
}

/* A field that is a feature as it is. */
struct own_field {
    uint32_t field;
    size_t output;
};

struct feature_views {
    unsigned magic;
    struct yaml *yaml;
    struct arena *arena; /* of everything below */
    const struct schema *schema;
    size_t n_columns, n_streams, n_windows, n_calendars, n_one_hots, n_transforms, n_outputs;
    struct column columns[MAX_COLUMNS];
    struct stream streams[MAX_STREAMS];
    struct window_plan *windows;
    struct calendar_plan *calendars;
    struct one_hot_plan *one_hots;
    struct transform_plan *transforms;
    size_t n_read_outputs; /* by transforms */
    struct read_output *read_outputs;
    const char **outputs; /* names of what is computed, features or not */
    int64_t *reaches_us;  /* by output */
    bool *calendar;       /* by output */
    struct feature_schema features;
    int *sources; /* by feature: output, or -1 - field */
    size_t n_own_fields;
    struct own_field *own_fields;
    size_t n_numbers; /* all outputs and the fields that are features, the features first */
    enum scaling_method *scales;
    bool scaled;
    int64_t horizon_us, lateness_us;
    struct hash128 digest; /* of what decides which entries are kept and what is in them */
};

/* Text in the arena; NULL when it is full. */
char *views_printf(struct feature_views *views, const char *format, ...) PRINTF_LIKE(2, 3);

/* Adds an output; STATUS_CONFLICT-like errors name the place of `at`. */
MUST_USE enum status views_add_output(struct feature_views *views, const struct yaml_node *at,
                                      const char *name, size_t *output, struct error *error);
/* STATUS_INVALID: "there is no WHAT "WORD"", with the nearest of the known words. */
enum status views_unknown(const struct yaml_node *at, const char *what, const char *word,
                          const char *const *known, size_t n_known, struct error *error);
/* A field by name, with the nearest one in the error. */
MUST_USE enum status views_find_field(const struct feature_views *views, const struct yaml_node *at,
                                      const char *name, int *field, struct error *error);
/* Compiles an expression to a number or a bool over the fields and, when `outputs` is true, over
 * what is computed so far. */
MUST_USE enum status views_compile(const struct feature_views *views, const struct yaml_node *at,
                                   const char *text, bool outputs, struct expr **expr,
                                   struct error *error);

/* The parts of the file, by the file that reads them. */
MUST_USE enum status views_read_windows(struct feature_views *views, const struct yaml_node *list,
                                        struct error *error);
MUST_USE enum status views_read_calendar(struct feature_views *views, const struct yaml_node *list,
                                         struct error *error);
MUST_USE enum status views_read_one_hot(struct feature_views *views, const struct yaml_node *list,
                                        struct error *error);
MUST_USE enum status views_read_transforms(struct feature_views *views,
                                           const struct yaml_node *list, struct error *error);
MUST_USE enum status views_read_scale(struct feature_views *views, const struct yaml_node *list,
                                      struct error *error);

#endif
