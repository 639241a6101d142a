/* What tests of the counters share: counters of two features, decisions told to them, their
 * snapshot. */
#ifndef BINNACLE_TESTS_OBSERVE_FIXTURE_H
#define BINNACLE_TESTS_OBSERVE_FIXTURE_H

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/base/json.h"
#include "engine/observe/observe.h"
#include "tests/unit/folder.h"
#include "tests/unit/random.h"

#define T0 (INT64_C(1533081600) * US_PER_S) /* 2018-08-01T00:00:00Z */

static const char *const feature_names[] = {"amount", "night"};
static const struct feature_schema features = {feature_names, 2};
static const struct field fields[] = {{"event_id", FIELD_STRING, true, false, false}};
static const struct schema schema = {"t", "1", fields, 1, 0, 0, -1, -1};

static inline struct observe *create(int64_t reference_events)
{
    struct observe_options options;
    observe_options_init(&options);
    options.features = &features;
    options.reference_events = reference_events;
    struct observe *observe = NULL;
    struct error error;
    assert_int_equal(observe_create(&options, &observe, &error), STATUS_OK);
    return observe;
}

/* One outcome by the champion. */
static inline void tell(struct observe *observe, int64_t at_us, int64_t latency_us,
                        enum decision decision, float score)
{
    struct value id = value_string(slice_of("01ARZ3NDEKTSV4RRFFQ69G5FAV"));
    struct event event = {.schema = &schema, .values = &id, .time_us = at_us};
    float values[] = {(float)(random_bits() % 1000), (float)(random_bits() % 10 == 0)};
    struct outcome outcome = {.event = &event,
                              .features = {&features, values},
                              .score = score,
                              .decision = decision,
                              .rule = "default",
                              .model = "fraud",
                              .model_version = "3",
                              .variant = VARIANT_CHAMPION,
                              .decided_at_us = at_us,
                              .latency_us = latency_us};
    const struct outcome *pointer = &outcome;
    observe_outcomes(observe, 0, &pointer, 1);
}

static inline struct snapshot *fill(struct observe *observe, int64_t now_us, int64_t monotonic_s)
{
    struct snapshot *snapshot = snapshot_create();
    assert_non_null(snapshot);
    snapshot->time_us = now_us;
    observe_fill(observe, now_us, monotonic_s * 1000000000, snapshot);
    return snapshot;
}

#endif
