/* Slices made: which series there are, and where their counters stand in a row. */
#include "engine/observe/slices.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/hash.h"
#include "engine/observe/slices_priv.h"

/* ---- layout ---- */

static const struct {
    const char *name;
    int n;
} fixed_series[SERIES_SLICE] = {
    [SERIES_EVENTS] = {"events", SLICED_KINDS},
    [SERIES_ANSWER] = {"answer", LOG_BUCKETS},
    [SERIES_LATENCY] = {"latency", LOG_BUCKETS},
    [SERIES_AGE] = {"age", LOG_BUCKETS},
    [SERIES_LABELS] = {"labels", 2},
    [SERIES_DELAY] = {"label delay", LOG_BUCKETS},
    [SERIES_DECISION] = {"decision", DECISION_COUNT},
    [SERIES_SCORE] = {"score", SCORE_BINS},
    [SERIES_RULE] = {"rule", RULES},
    [SERIES_COMMIT] = {"commit", LOG_BUCKETS},
    [SERIES_RECORD] = {"record", RECORD_COUNTERS},
};

/* The first counter of a new series, or NO_SERIES. */
static int add_series(struct slices *slices, enum series_kind kind, int n, int field,
                      const char *name, const char *word)
{
    if (slices->n_series == MAX_SERIES)
        return NO_SERIES;
    struct slice_series *series = &slices->series[slices->n_series++];
    *series =
        (struct slice_series){.kind = kind, .first = slices->n_counters, .n = n, .field = field};
    snprintf(series->name, sizeof series->name, "%s%s%s", name, word ? "=" : "", word ? word : "");
    slices->n_counters += n;
    return series->first;
}

static uint64_t shape_digest(enum field_type type, const struct slice_field *shape)
{
    uint64_t meaning = hash64(&type, sizeof type, 0);
    for (size_t i = 0; shape->words && i < shape->n_words; i++)
        meaning = hash64(shape->words[i], strlen(shape->words[i]) + 1, meaning);
    return meaning;
}

static void place_field(struct slices *slices, int i, const struct slice_field *shape)
{
    const char *name = slices->schema->fields[i].name;
    struct place *place = &slices->places[i];
    place->meaning = shape_digest(slices->schema->fields[i].type, shape);
    place->words = NO_SERIES;
    place->field = add_series(slices, SERIES_FIELD, FIELD_COUNTERS, i, name, NULL);
    place->reasons = add_series(slices, SERIES_REASON, VIOLATION_CODES, i, name, NULL);
    size_t room = (size_t)(MAX_SERIES - slices->n_series);
    if (!shape->words || shape->n_words > MAX_SLICE_WORDS || shape->n_words > room)
        return;
    for (size_t word = 0; word < shape->n_words; word++) {
        int first = add_series(slices, SERIES_SLICE, SLICE_COUNTERS, i, name, shape->words[word]);
        place->words = word == 0 ? first : place->words;
    }
}

/* Money at stake is told by the first number whose name says that it is an amount. */
static int find_amount(const struct schema *schema)
{
    for (size_t i = 0; schema && i < schema->n_fields; i++) {
        const struct field *field = &schema->fields[i];
        if (field->type == FIELD_FLOAT && strstr(field->name, "amount"))
            return (int)i;
    }
    return -1;
}

/* Texts without a list of words, and numbers, have more to be known than counts. */
static void place_extra(struct slices *slices, int i, const struct slice_field *shape)
{
    enum field_type type = slices->schema->fields[i].type;
    bool wanted =
        (type == FIELD_STRING && shape->n_words == 0) || type == FIELD_FLOAT || type == FIELD_INT;
    slices->extra_of[i] = wanted && slices->n_extras < EXTRAS ? slices->n_extras++ : -1;
}

static void lay_out(struct slices *slices, const struct slices_options *options)
{
    for (int kind = 0; kind < SERIES_SLICE; kind++)
        slices->fixed[kind] = add_series(slices, (enum series_kind)kind, fixed_series[kind].n, -1,
                                         fixed_series[kind].name, NULL);
    for (int i = 0; i < VARIANT_SHADOW; i++) {
        int first = add_series(slices, SERIES_SLICE, SLICE_COUNTERS, -1, "variant",
                               variant_name((enum variant)i));
        slices->variants = i == 0 ? first : slices->variants;
    }
    for (size_t i = 0; options->schema && i < options->schema->n_fields; i++)
        place_field(slices, (int)i, &options->fields[i]);
    for (size_t i = 0; options->schema && i < options->schema->n_fields; i++)
        place_extra(slices, (int)i, &options->fields[i]);
    slices->amount = find_amount(options->schema);
    if (slices->amount >= 0)
        snprintf(slices->amount_field, sizeof slices->amount_field, "%s",
                 options->schema->fields[slices->amount].name);
}

/* False: out of memory. */
static bool keep_words(struct slices *slices, const struct slices_options *options)
{
    size_t n_fields = options->schema ? options->schema->n_fields : 0;
    for (size_t i = 0; i < n_fields; i++) {
        const struct slice_field *shape = &options->fields[i];
        struct place *place = &slices->places[i];
        if (shape->n_words == 0 || !shape->words)
            continue;
        place->texts = dictionary_create(shape->n_words);
        for (size_t word = 0; place->texts && word < shape->n_words; word++)
            (void)dictionary_add(place->texts, slice_of(shape->words[word]));
        if (!place->texts)
            return false;
    }
    return true;
}

struct slices *slices_create(const struct slices_options *options)
{
    struct slices *slices = calloc(1, sizeof *slices);
    if (!slices)
        return NULL;
    lock_init(&slices->lock, "slices");
    slices->schema = options->schema;
    size_t n_fields = options->schema ? options->schema->n_fields : 0;
    slices->places = calloc(n_fields + 1, sizeof *slices->places);
    slices->extra_of = calloc(n_fields + 1, sizeof *slices->extra_of);
    if (slices->places && slices->extra_of)
        lay_out(slices, options);
    slices->extras = calloc(SLICE_CELLS * (size_t)slices->n_extras + 1, sizeof *slices->extras);
    slices->rows = calloc(SLICE_CELLS * (size_t)slices->n_counters + 1, sizeof *slices->rows);
    if (!slices->places || !keep_words(slices, options) || !slices->extra_of || !slices->extras ||
        !slices->rows) {
        slices_destroy(slices);
        return NULL;
    }
    return slices;
}

void slices_destroy(struct slices *slices)
{
    if (!slices)
        return;
    lock_destroy(&slices->lock);
    free(slices->extras);
    free(slices->extra_of);
    free(slices->rows);
    size_t n_fields = slices->schema ? slices->schema->n_fields : 0;
    for (size_t i = 0; slices->places && i < n_fields; i++)
        dictionary_destroy(slices->places[i].texts);
    free(slices->places);
    free(slices);
}
