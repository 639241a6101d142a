/* Any text as features.yaml: refused with a place, or views by which events are turned into finite
 * features, the same every time. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/feature/store.h"

#define N_FIELDS 6
#define N_EVENTS 12

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct field fields[N_FIELDS] = {
    {"id", FIELD_STRING, true, false, false}, {"at", FIELD_TIMESTAMP, true, false, false},
    {"user", FIELD_STRING, true, true, true}, {"amount", FIELD_FLOAT, true, true, false},
    {"ok", FIELD_BOOL, true, true, false},    {"label", FIELD_INT, false, true, false},
};
static const struct schema schema = {.name = "fuzz",
                                     .version = "1",
                                     .fields = fields,
                                     .n_fields = N_FIELDS,
                                     .id = 0,
                                     .time = 1,
                                     .label = 5,
                                     .entity = 2};

static void fail(const char *what)
{
    (void)fprintf(stderr, "features_fuzz: %s\n", what);
    abort();
}

/* Every third event is late, every fifth lacks its values. */
static void run(const struct feature_views *views, float *out)
{
    static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"};
    const struct feature_store_options options = {.shards = 2};
    struct feature_store *store;
    struct feature_scratch *scratch;
    size_t n = feature_views_schema(views)->n_features;
    if (feature_store_create(views, &options, &store, NULL) != STATUS_OK ||
        feature_scratch_create(store, &scratch, NULL) != STATUS_OK)
        fail("no store");
    for (int i = 0; i < N_EVENTS; i++) {
        int64_t time_us = (i % 3 == 2 ? i - 2 : i) * US_PER_HOUR;
        struct value values[N_FIELDS] = {
            value_string(slice_of(names[i])),
            value_time(time_us),
            value_string(slice_of(names[i % 2])),
            value_number(i * 1.1),
            value_bool(i % 2),
            value_number(i % 2),
        };
        if (i % 5 == 4)
            values[3] = values[4] = values[5] = value_null();
        struct event event = {.schema = &schema, .values = values, .time_us = time_us};
        (void)!feature_compute(store, scratch, &event, NULL, out + (size_t)i * n);
        (void)!feature_label(store, scratch, &event, NULL, i % 2);
    }
    feature_scratch_destroy(scratch);
    feature_store_destroy(store);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct feature_views *views;
    struct error error = {0};
    if (feature_views_load_text("f.yaml", slice_make(data, size), &schema, &views, &error) !=
        STATUS_OK) {
        if (!error.message[0] || views)
            fail("refused without a word");
        return 0;
    }
    size_t n = feature_views_schema(views)->n_features * N_EVENTS;
    float *first = calloc(n, sizeof *first), *second = calloc(n, sizeof *second);
    run(views, first);
    run(views, second);
    for (size_t i = 0; i < n; i++)
        if (isinf(first[i]) || memcmp(&first[i], &second[i], sizeof *first) != 0)
            fail("features that are infinite, or not the same again");
    free(first);
    free(second);
    feature_views_destroy(views);
    return 0;
}
