/* A worker's view of one event: its values with pseudonyms in place, keys of its entities, numbers
 * that windows are over; and the features that need no state. One thread each. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/feature/rounding_priv.h"
#include "engine/feature/store_priv.h"

/* Beyond it squares and sums could leave the range of doubles. */
#define MAX_MAGNITUDE 1e140
#define TEXT_BYTES    ((size_t)64 * 1024)

static bool make_link(struct feature_scratch *scratch)
{
    const struct feature_store *store = scratch->store;
    if (!store->online)
        return true;
    for (size_t i = 0; i < store->views->n_streams; i++)
        if (store->layouts[i].stride > scratch->record_size)
            scratch->record_size = store->layouts[i].stride;
    scratch->records = calloc(MAX_STREAMS, scratch->record_size + 1);
    scratch->link = online_link_create(store->online);
    return scratch->records && scratch->link;
}

static struct hour hour_of(int64_t time_us)
{
    int64_t hours = time_us / US_PER_HOUR - (time_us % US_PER_HOUR < 0);
    int64_t days = hours / 24 - (hours % 24 < 0);
    return (struct hour){.start_us = hours * US_PER_HOUR,
                         .of_day = hours - days * 24,
                         .weekday = ((days + 3) % 7 + 7) % 7}; /* 1970-01-01 was a Thursday */
}

enum status feature_scratch_create(struct feature_store *store, struct feature_scratch **out,
                                   struct error *error)
{
    const struct feature_views *views = store->views;
    size_t n_fields = views->schema->n_fields;
    struct feature_scratch *scratch = calloc(1, sizeof *scratch);
    if (!scratch)
        return error_set(error, STATUS_MEMORY, "out of memory for feature scratch");
    scratch->store = store;
    scratch->slots = calloc(n_fields + views->n_outputs + 1, sizeof *scratch->slots);
    scratch->columns = calloc(views->n_columns + 1, sizeof *scratch->columns);
    scratch->hashes = calloc(n_fields + 1, sizeof *scratch->hashes);
    scratch->word_hashes = calloc(n_fields + 1, sizeof *scratch->word_hashes);
    scratch->word_hots = calloc(views->n_one_hots + 1, sizeof *scratch->word_hots);
    scratch->outputs = calloc(views->n_numbers + 1, sizeof *scratch->outputs);
    scratch->group = calloc(MAX_GROUP * views->n_streams + 1, sizeof *scratch->group);
    scratch->hour = hour_of(0);
    scratch->arena = arena_create(TEXT_BYTES);
    if (!scratch->slots || !scratch->columns || !scratch->hashes || !scratch->word_hashes ||
        !scratch->word_hots || !scratch->outputs || !scratch->group || !scratch->arena ||
        !make_link(scratch)) {
        feature_scratch_destroy(scratch);
        return error_set(error, STATUS_MEMORY, "out of memory for feature scratch");
    }
    *out = scratch;
    return STATUS_OK;
}

void feature_scratch_destroy(struct feature_scratch *scratch)
{
    if (!scratch)
        return;
    free(scratch->slots);
    free(scratch->columns);
    free(scratch->hashes);
    free(scratch->word_hashes);
    free(scratch->word_hots);
    free(scratch->outputs);
    free(scratch->group);
    counts_free(&scratch->counts, NULL);
    arena_destroy(scratch->arena);
    online_link_destroy(scratch->link);
    free(scratch->records);
    free(scratch);
}

/* The bytes that tell one value from another; `number` holds them where they are not text. */
static struct slice value_bytes(const struct value *value, double *number)
{
    switch (value->type) {
    case VALUE_STRING:
        return value->string;
    case VALUE_NUMBER:
        *number = value->number + 0.0; /* one zero */
        return slice_make(number, sizeof *number);
    case VALUE_BOOL:
        *number = value->boolean;
        return slice_make(number, sizeof *number);
    case VALUE_TIME:
        return slice_make(&value->time_us, sizeof value->time_us);
    case VALUE_NULL:
        break;
    }
    return slice_make(NULL, 0);
}

static double number_of(const struct value *value)
{
    return value->type == VALUE_NUMBER ? value->number
           : value->type == VALUE_BOOL ? (double)value->boolean
                                       : NAN;
}

/* As windows take it. */
static double as_number(const struct value *value)
{
    double number = number_of(value);
    return fabs(number) <= MAX_MAGNITUDE ? number : NAN;
}

static unsigned label_of(const struct event *event)
{
    int field = event->schema->label;
    if (field < 0 || event->values[field].type == VALUE_NULL)
        return LABEL_UNKNOWN;
    return as_number(&event->values[field]) != 0 ? LABEL_POSITIVE : LABEL_NEGATIVE;
}

/* A field's value as windows see it. */
static struct value field_value(const struct event *event, const struct slice *replacements,
                                size_t field)
{
    bool replaced = replacements && replacements[field].data;
    return replaced ? value_string(replacements[field]) : event->values[field];
}

void scratch_keys(const struct feature_scratch *scratch, const struct event *event,
                  const struct slice *replacements, struct event_key *keys)
{
    const struct feature_views *views = scratch->store->views;
    double number;
    for (uint32_t i = 0; i < views->n_streams; i++) {
        struct value value = field_value(event, replacements, (size_t)views->streams[i].field);
        struct slice bytes = value_bytes(&value, &number);
        struct hash128 of = hash128(bytes.data, bytes.size, i);
        bool has = value.type != VALUE_NULL;
        keys[i] =
            (struct event_key){.of = of, .shard = has ? store_shard(scratch->store, of) : NULL};
    }
}

/* 0: missing. */
static uint64_t value_hash(const struct value *value)
{
    double number;
    struct slice bytes = value_bytes(value, &number);
    uint64_t hash = hash64(bytes.data, bytes.size, 0);
    return value->type == VALUE_NULL ? 0 : hash ? hash : 1;
}

static size_t word_of(const struct value *value)
{
    return value->type == VALUE_STRING && value->word < WORDS ? value->word : 0;
}

static void read_hashes(struct feature_scratch *scratch)
{
    const struct feature_views *views = scratch->store->views;
    for (uint32_t i = 0; i < views->n_streams; i++) {
        const struct stream *stream = &views->streams[i];
        for (size_t j = 0; j < stream->n_hashes; j++) {
            uint32_t field = stream->hashes[j];
            const struct value *value = &scratch->slots[field];
            size_t word = word_of(value);
            uint64_t *known = &scratch->word_hashes[field][word];
            if (word == 0 || *known == 0)
                *known = value_hash(value);
            scratch->hashes[field] = *known;
        }
    }
}

static uint64_t id_of(const struct event *event)
{
    double number;
    struct slice id = value_bytes(&event->values[event->schema->id], &number);
    return hash64(id.data, id.size, 0) & ~(uint64_t)LABEL_MASK;
}

void scratch_read(struct feature_scratch *scratch, const struct event *event,
                  const struct slice *replacements, const struct event_key *keys)
{
    const struct feature_views *views = scratch->store->views;
    memcpy(scratch->slots, event->values, views->schema->n_fields * sizeof *scratch->slots);
    for (size_t i = 0; replacements && i < views->schema->n_fields; i++)
        if (replacements[i].data)
            value_set_string(&scratch->slots[i], replacements[i]);
    const struct expr_run run = {.arena = scratch->arena};
    arena_reset(scratch->arena);
    for (size_t i = 0; i < views->n_columns; i++) {
        const struct column *column = &views->columns[i];
        if (column->expr) {
            struct value value = expr_evaluate(column->expr, scratch->slots, &run);
            scratch->columns[i] = as_number(&value);
        } else {
            scratch->columns[i] = as_number(&scratch->slots[column->field]);
        }
    }
    read_hashes(scratch);
    scratch->keys = keys;
    scratch->entry = (struct entry){
        .time_us = event->time_us,
        .id = scratch->store->ids ? id_of(event) | label_of(event) : 0,
        .columns = scratch->columns,
        .hashes = scratch->hashes,
    };
}

static double calendar(const struct calendar_plan *plan, struct feature_scratch *scratch)
{
    int64_t time_us = scratch->entry.time_us;
    if (plan->field >= 0) {
        if (scratch->slots[plan->field].type != VALUE_TIME)
            return NAN;
        time_us = scratch->slots[plan->field].time_us;
    }
    if ((uint64_t)time_us - (uint64_t)scratch->hour.start_us >= US_PER_HOUR)
        scratch->hour = hour_of(time_us);
    switch (plan->function) {
    case CALENDAR_HOUR:
        return (double)scratch->hour.of_day;
    case CALENDAR_WEEKDAY:
        return (double)scratch->hour.weekday;
    case CALENDAR_WEEKEND:
        return scratch->hour.weekday >= 5;
    case CALENDAR_NIGHT:
        return scratch->hour.of_day <= plan->until_hour;
    case CALENDAR_FUNCTIONS:
        break;
    }
    return NAN;
}

static bool same(const struct value *a, const struct value *b)
{
    if (a->type != b->type)
        return false;
    return a->type == VALUE_BOOL ? a->boolean == b->boolean : a->number == b->number;
}

/* 1 + the place of the text among the plan's values; 1 + their number: it is not there. */
static size_t find_text(const struct one_hot_plan *plan, struct slice text)
{
    uint64_t print = text_print(text);
    size_t i = 0;
    while (i < plan->n_values &&
           (print != plan->prints[i] || !slice_equal(text, plan->values[i].string)))
        i++;
    return 1 + i;
}

static void one_hot_text(struct feature_scratch *scratch, size_t number, const struct value *value)
{
    const struct one_hot_plan *plan = &scratch->store->views->one_hots[number];
    size_t word = word_of(value);
    uint16_t *known = &scratch->word_hots[number][word];
    if (word == 0 || *known == 0)
        *known = (uint16_t)find_text(plan, value->string);
    for (size_t i = 0; i < plan->n_values; i++)
        scratch->outputs[plan->outputs[i]] = 0;
    if (*known <= plan->n_values)
        scratch->outputs[plan->outputs[*known - 1]] = 1;
}

static void one_hot(struct feature_scratch *scratch, size_t number)
{
    const struct one_hot_plan *plan = &scratch->store->views->one_hots[number];
    const struct value *value = &scratch->slots[plan->field];
    double *outputs = scratch->outputs;
    if (value->type == VALUE_STRING && plan->values->type == VALUE_STRING)
        one_hot_text(scratch, number, value);
    else
        for (size_t i = 0; i < plan->n_values; i++)
            outputs[plan->outputs[i]] =
                value->type == VALUE_NULL ? NAN : (double)same(value, &plan->values[i]);
}

static void set_slot(struct feature_scratch *scratch, size_t slot, double number)
{
    struct value *value = &scratch->slots[slot];
    value->type = isnan(number) ? VALUE_NULL : VALUE_NUMBER;
    value->number = number;
}

static void transform(struct feature_scratch *scratch)
{
    const struct feature_views *views = scratch->store->views;
    const struct expr_run run = {.arena = scratch->arena};
    for (size_t i = 0; i < views->n_transforms; i++) {
        const struct transform_plan *plan = &views->transforms[i];
        struct value value = expr_evaluate(plan->expr, scratch->slots, &run);
        double number = number_of(&value);
        scratch->outputs[plan->output] = number;
        set_slot(scratch, plan->slot, number);
    }
}

void scratch_finish(struct feature_scratch *scratch, float *out)
{
    const struct feature_views *views = scratch->store->views;
    for (size_t i = 0; i < views->n_calendars; i++)
        scratch->outputs[views->calendars[i].output] = calendar(&views->calendars[i], scratch);
    for (size_t i = 0; i < views->n_one_hots; i++)
        one_hot(scratch, i);
    for (size_t i = 0; i < views->n_read_outputs; i++)
        set_slot(scratch, views->read_outputs[i].slot,
                 scratch->outputs[views->read_outputs[i].output]);
    transform(scratch);
    for (size_t i = 0; i < views->n_own_fields; i++)
        scratch->outputs[views->own_fields[i].output] =
            number_of(&scratch->slots[views->own_fields[i].field]);
    round_floats(scratch->outputs, out, views->features.n_features);
}
