/* A world whose history is known: made-up events, a store they are told to, the same questions
 * answered by counting the events themselves. Every test program that includes it runs its group
 * with make_folder and remove_folder. */
#ifndef BINNACLE_TESTS_HISTORY_FIXTURE_H
#define BINNACLE_TESTS_HISTORY_FIXTURE_H

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/base/json.h"
#include "engine/history/answer.h"
#include "engine/history/labels.h"
#include "engine/history/measure.h"
#include "engine/history/range.h"
#include "engine/observe/bin_stage.h"
#include "tests/unit/folder.h"
#include "tests/unit/random.h"

#define T0       (INT64_C(1533081600) * US_PER_S) /* 2018-08-01T00:00:00Z */
#define T0_S     INT64_C(1533081600)
#define N_EVENTS 6000
#define SPAN_S   (5 * 3600)
#define LIMIT_US 200000
#define PATIENCE 20000

static const struct field fields[] = {{"event_id", FIELD_STRING, true, false, false},
                                      {"event_ts", FIELD_TIMESTAMP, true, false, false},
                                      {"country", FIELD_STRING, true, false, false},
                                      {"device", FIELD_STRING, true, false, false},
                                      {"user", FIELD_STRING, true, false, true}};
static const struct schema schema = {"t", "1", fields, 5, 0, 1, -1, -1};
static const char *const countries[] = {"US", "CA", "GB", "DE"};
static const char *const devices[] = {"ios", "web"};
static const char *const columns[] = {"score", "amount"};

struct happened {
    int64_t at_us, event_us, latency_us;
    int country, device, decision;
    float score;
    uint8_t codes[BIN_STAGE_STEP]; /* of two columns */
};

static struct happened all[N_EVENTS];
static struct binning cuts[2];
static char path[FOLDER_PATH];

/* Events in order of their decision; every tenth is late by up to two hours. */
static inline void make_events(void)
{
    for (int c = 0; c < 2; c++) {
        float values[1000];
        for (int i = 0; i < 1000; i++)
            values[i] = (float)i;
        binning_make(&cuts[c], values, 1000, 10);
    }
    for (int i = 0; i < N_EVENTS; i++) {
        struct happened *event = &all[i];
        event->at_us = T0 + (int64_t)i * SPAN_S * US_PER_S / N_EVENTS;
        bool late = random_below(10) == 0;
        event->event_us = event->at_us - (late ? (int64_t)random_below(7200) * US_PER_S : 0);
        event->latency_us = (int64_t)exp((double)random_below(140000) / 10000);
        event->country = (int)random_below(4);
        event->device = (int)random_below(2);
        event->decision = random_below(5) ? DECISION_APPROVE : DECISION_DECLINE;
        event->score = (float)random_below(1000) / 1000;
        event->codes[0] = (uint8_t)random_below(10);
        event->codes[1] = (uint8_t)(random_below(20) ? random_below(10) : MISSING_BIN);
    }
}

static inline struct history_store *create(int64_t limit_us)
{
    struct history_options options;
    struct history_store *history = NULL;
    struct error error;
    history_options_init(&options);
    options.schema = &schema;
    options.path = path;
    options.columns = columns;
    options.n_columns = 2;
    options.event_time = true;
    options.latency_limits_us[0] = limit_us;
    assert_int_equal(history_read(NULL, &options, &error), STATUS_OK);
    if (history_create(&options, &history, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    struct observe_sink sink = history_sink(history);
    sink.cuts(sink.context, cuts, 2);
    return history;
}

static inline void take(const struct observe_sink *sink, struct observation *observation,
                        const uint8_t *codes)
{
    observation->coded = codes != NULL;
    struct observations one = {observation, codes, BIN_STAGE_STEP, 1};
    sink->take(sink->context, &one);
}

static inline void tell(struct history_store *history, const struct happened *event)
{
    struct observe_sink sink = history_sink(history);
    struct value values[5] = {[2] = value_string(slice_of(countries[event->country])),
                              [3] = value_string(slice_of(devices[event->device]))};
    struct event told = {.schema = &schema, .values = values, .time_us = event->event_us};
    struct outcome outcome = {.event = &told,
                              .decision = (enum decision)event->decision,
                              .rule = "default",
                              .variant = VARIANT_CHAMPION};
    const struct outcome *one = &outcome;
    struct observation observation = {.at_us = event->at_us,
                                      .event_us = event->event_us,
                                      .latency_us = event->latency_us,
                                      .age_us = INT64_MAX,
                                      .score = event->score,
                                      .kind = OBSERVED_OUTCOME,
                                      .decision = (uint8_t)event->decision,
                                      .arm = NO_ARM};
    sink.labels(sink.context, &one, 1, &observation.labels);
    take(&sink, &observation, event->codes);
}

static inline void tell_range(struct history_store *history, int from, int to)
{
    for (int i = from; i < to; i++)
        tell(history, &all[i]);
}

/* A new file with everything in it. */
static inline struct history_store *fill(void)
{
    unlink(path);
    struct history_store *history = create(LIMIT_US);
    history_begin(history, T0);
    tell_range(history, 0, N_EVENTS);
    return history;
}

/* ---- the oracle ---- */

struct query {
    int64_t from_s, to_s;
    int country, device; /* -1: any */
};

static inline bool is_in(const struct happened *event, const struct query *query)
{
    int64_t minute_s = event->event_us / US_PER_S / 60 * 60; /* what is kept is by the minute */
    return minute_s >= query->from_s && minute_s < query->to_s &&
           (query->country < 0 || event->country == query->country) &&
           (query->device < 0 || event->device == query->device);
}

static inline int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

struct truth {
    uint64_t n, declined, below;
    int64_t latencies[N_EVENTS];
    uint64_t bins[MAX_BINS];
};

static inline void count_by_hand(const struct query *query, struct truth *truth)
{
    memset(truth, 0, sizeof *truth);
    for (int i = 0; i < N_EVENTS; i++) {
        if (!is_in(&all[i], query))
            continue;
        truth->latencies[truth->n++] = all[i].latency_us;
        truth->declined += all[i].decision == DECISION_DECLINE;
        truth->below += all[i].latency_us < LIMIT_US;
        truth->bins[all[i].codes[1]]++;
    }
    qsort(truth->latencies, truth->n, sizeof(int64_t), compare);
}

/* ---- asking ---- */

struct got {
    int points;
    bool covered;
    uint64_t n, declined, measured;
    double p50, p99, below, psi;
    uint64_t bins[MAX_BINS];
};

static inline void take_point(void *context, const struct point *point)
{
    struct got *got = context;
    got->points++;
    got->covered = point->covered;
    if (point->n_groups == 0)
        return;
    assert_int_equal(point->n_groups, 1);
    const struct sums *sums = point->groups[0];
    got->n = sums->cell.scalars[SCALAR_ACCEPTED];
    got->declined = sums->cell.scalars[SCALAR_DECLINED];
    got->measured = sums_measured(sums);
    got->p50 = sums_latency(sums, 0.5);
    got->p99 = sums_latency(sums, 0.99);
    got->below = sums_below(sums, LIMIT_US);
    const uint64_t *bins = sums_bins(sums, 1);
    if (bins)
        memcpy(got->bins, bins, sizeof got->bins);
}

static inline uint64_t with_label(struct history_store *history, const char *name,
                                  const char *value, uint64_t *mask)
{
    const struct labels *labels = history_labels(history);
    int label = labels_find(labels, name);
    assert_true(label >= 0);
    *mask |= label_mask(label);
    return (uint64_t)labels_code(labels, label, slice_of(value)) << (8 * label);
}

static inline struct got ask(struct history_store *history, const struct query *query)
{
    struct range range = {.from_s = query->from_s, .to_s = query->to_s, .sections = SECTION_ALL};
    struct got got = {0};
    struct error error;
    if (query->country >= 0)
        range.where |= with_label(history, "country", countries[query->country], &range.where_mask);
    if (query->device >= 0)
        range.where |= with_label(history, "device", devices[query->device], &range.where_mask);
    if (range_read(history, &range, take_point, &got, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    assert_int_equal(got.points, 1);
    return got;
}

static inline void check(struct history_store *history, const struct query *query)
{
    static struct truth truth;
    struct got got = ask(history, query);
    count_by_hand(query, &truth);
    assert_int_equal(got.n, truth.n);
    assert_int_equal(got.declined, truth.declined);
    assert_int_equal(got.measured, truth.n);
    assert_memory_equal(got.bins, truth.bins, sizeof truth.bins);
    if (truth.n == 0)
        return;
    double p50 = (double)truth.latencies[(truth.n + 1) / 2 - 1];
    double p99 = (double)truth.latencies[(size_t)ceil(0.99 * (double)truth.n) - 1];
    assert_true(fabs(got.p50 - p50) <= 0.01 * p50 + 0.5);
    assert_true(fabs(got.p99 - p99) <= 0.01 * p99 + 0.5);
    assert_true(got.below == (double)truth.below / (double)truth.n); /* exact at the edge */
}

/* To half an hour, which is what bins by labels are kept by. */
static inline struct query random_query(void)
{
    int64_t first = (int64_t)random_below(SPAN_S / 1800 + 4) - 4;
    return (struct query){.from_s = T0_S + first * 1800,
                          .to_s = T0_S + (first + 1 + (int64_t)random_below(7)) * 1800,
                          .country = (int)random_below(5) - 1,
                          .device = (int)random_below(3) - 1};
}

static inline void check_many(struct history_store *history)
{
    for (int i = 0; i < 60; i++) {
        struct query query = random_query();
        check(history, &query);
    }
}

/* What the history answers, parsed; the caller destroys it. */
static inline struct json *answer(struct history_store *history,
                                  const struct history_question *question)
{
    struct buffer out;
    struct error error;
    struct json *json = NULL;
    buffer_init(&out, 1u << 20);
    if (history_answer(history, question, &out, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    assert_int_equal(json_parse(buffer_slice(&out), &json, &error), STATUS_OK);
    buffer_free(&out);
    return json;
}

/* The one point of a series over a span; NAN: null. */
static inline double value_at(struct history_store *history, const char *series, int64_t from_s,
                              int64_t to_s)
{
    struct history_question question = {.from_us = from_s * US_PER_S,
                                        .to_us = to_s * US_PER_S,
                                        .step_us = (to_s - from_s) * US_PER_S,
                                        .series = slice_of(series)};
    struct json *json = answer(history, &question);
    const struct json *points = json_get(json_item(json_get(json, "series"), 0), "points");
    double value = json_as_number(json_item(json_item(points, 0), 1), NAN);
    json_destroy(json);
    return value;
}

static inline int set_up(void **state)
{
    make_events();
    if (make_folder(state))
        return 1;
    folder_path("history.db", path);
    return 0;
}

#endif
