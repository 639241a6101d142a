/* What the history keeps, against the same events counted by brute force: any range, any labels,
 * across restarts, crashes and a disk that is full. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/base/db.h"
#include "engine/base/json.h"
#include "engine/history/answer.h"
#include "engine/history/disk.h"
#include "engine/history/labels.h"
#include "engine/history/measure.h"
#include "engine/history/range.h"
#include "engine/observe/bin_stage.h"

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
static char folder[] = "/tmp/binnacle-history-XXXXXX";
static char path[64];

static uint64_t random_state = 88172645463325252u;

static uint64_t random_below(uint64_t n)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state % n;
}

/* Events in order of their decision; every tenth is late by up to two hours. */
static void make_events(void)
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

static struct history_store *create(int64_t limit_us)
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

static void take(const struct observe_sink *sink, struct observation *observation,
                 const uint8_t *codes)
{
    observation->coded = codes != NULL;
    struct observations one = {observation, codes, BIN_STAGE_STEP, 1};
    sink->take(sink->context, &one);
}

static void tell(struct history_store *history, const struct happened *event)
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

static void tell_range(struct history_store *history, int from, int to)
{
    for (int i = from; i < to; i++)
        tell(history, &all[i]);
}

/* A new file with everything in it. */
static struct history_store *fill(void)
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

static bool is_in(const struct happened *event, const struct query *query)
{
    int64_t minute_s = event->event_us / US_PER_S / 60 * 60; /* what is kept is by the minute */
    return minute_s >= query->from_s && minute_s < query->to_s &&
           (query->country < 0 || event->country == query->country) &&
           (query->device < 0 || event->device == query->device);
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

struct truth {
    uint64_t n, declined, below;
    int64_t latencies[N_EVENTS];
    uint64_t bins[MAX_BINS];
};

static void count_by_hand(const struct query *query, struct truth *truth)
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

static void take_point(void *context, const struct point *point)
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

static uint64_t with_label(struct history_store *history, const char *name, const char *value,
                           uint64_t *mask)
{
    const struct labels *labels = history_labels(history);
    int label = labels_find(labels, name);
    assert_true(label >= 0);
    *mask |= label_mask(label);
    return (uint64_t)labels_code(labels, label, slice_of(value)) << (8 * label);
}

static struct got ask(struct history_store *history, const struct query *query)
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

static void check(struct history_store *history, const struct query *query)
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
static struct query random_query(void)
{
    int64_t first = (int64_t)random_below(SPAN_S / 1800 + 4) - 4;
    return (struct query){.from_s = T0_S + first * 1800,
                          .to_s = T0_S + (first + 1 + (int64_t)random_below(7)) * 1800,
                          .country = (int)random_below(5) - 1,
                          .device = (int)random_below(3) - 1};
}

static void check_many(struct history_store *history)
{
    for (int i = 0; i < 60; i++) {
        struct query query = random_query();
        check(history, &query);
    }
}

/* ---- tests ---- */

static void any_range_and_any_labels_add_up_as_counted_by_hand(void **state)
{
    (void)state;
    struct history_store *history = fill();
    check_many(history); /* partly in memory */
    assert_true(history_flush(history, PATIENCE));
    check_many(history);
    history_destroy(history);
}

static void a_restart_forgets_nothing_and_goes_on(void **state)
{
    (void)state;
    unlink(path);
    struct history_store *history = create(LIMIT_US);
    history_begin(history, T0);
    tell_range(history, 0, N_EVENTS / 2);
    history_destroy(history);
    history = create(LIMIT_US);
    assert_true(history_upto_us(history) > all[N_EVENTS / 2 - 1].at_us);
    history_begin(history, all[N_EVENTS / 2 - 1].at_us);
    tell_range(history, N_EVENTS / 2, N_EVENTS);
    check_many(history);
    history_destroy(history);
}

/* A copy of the file as it stood at some moment is what a killed process leaves. */
static void what_a_crash_lost_is_counted_again_from_the_ledger_and_nothing_twice(void **state)
{
    (void)state;
    char command[400];
    unlink(path);
    struct history_store *history = create(LIMIT_US);
    history_begin(history, T0);
    tell_range(history, 0, N_EVENTS / 2);
    usleep(300000); /* the writer has written most of it, on its own */
    snprintf(command, sizeof command, "cd %s && for f in history.db*; do cp $f crashed-$f; done",
             folder);
    assert_int_equal(system(command), 0);
    history_destroy(history);
    snprintf(command, sizeof command,
             "cd %s && rm history.db* && for f in crashed-*; do mv $f ${f#crashed-}; done", folder);
    assert_int_equal(system(command), 0);

    history = create(LIMIT_US);
    int64_t upto_us = history_upto_us(history);
    assert_true(upto_us > T0 && upto_us < all[N_EVENTS / 2].at_us);
    tell_range(history, 0, N_EVENTS / 2); /* the ledger, from its beginning */
    history_begin(history, all[N_EVENTS / 2].at_us);
    tell_range(history, N_EVENTS / 2, N_EVENTS);
    check_many(history);
    history_destroy(history);
}

static void refuse(struct history_store *history, int64_t at_us)
{
    struct observe_sink sink = history_sink(history);
    struct observation observation = {.at_us = at_us,
                                      .event_us = at_us,
                                      .latency_us = -1,
                                      .age_us = INT64_MAX,
                                      .labels = labels_of_nothing(history_labels(history)),
                                      .kind = OBSERVED_QUARANTINE,
                                      .arm = NO_ARM};
    take(&sink, &observation, NULL);
}

static size_t series_by_variant(struct history_store *history, const char *series)
{
    struct buffer out;
    struct error error;
    struct json *json = NULL;
    buffer_init(&out, 1u << 20);
    struct history_question question = {.from_us = T0,
                                        .to_us = T0 + 600 * US_PER_S,
                                        .step_us = 60 * US_PER_S,
                                        .series = slice_of(series),
                                        .by = slice_of("variant")};
    assert_int_equal(history_answer(history, &question, &out, &error), STATUS_OK);
    assert_int_equal(json_parse(buffer_slice(&out), &json, &error), STATUS_OK);
    size_t n = json_size(json_get(json, "series"));
    json_destroy(json);
    buffer_free(&out);
    return n;
}

/* Quarantined events have no arm: they are a series of what is counted of them, and no other. */
static void events_without_an_arm_are_no_series_of_what_arms_do(void **state)
{
    (void)state;
    unlink(path);
    struct history_store *history = create(LIMIT_US);
    history_begin(history, T0);
    struct happened event = all[0];
    event.at_us = event.event_us = T0 + 90 * US_PER_S;
    tell(history, &event);
    refuse(history, T0 + 100 * US_PER_S);
    history_tick(history, T0 + 300 * US_PER_S);
    assert_int_equal(series_by_variant(history, "latency_p95_us"), 1);
    assert_int_equal(series_by_variant(history, "decline_ratio"), 1);
    assert_int_equal(series_by_variant(history, "accepted"), 1);
    assert_int_equal(series_by_variant(history, "events"), 2);
    assert_int_equal(series_by_variant(history, "quarantined"), 2);
    history_destroy(history);
}

/* Hours are kept by each label alone, too; of those only the one that is asked for counts. */
static void whole_hours_by_one_label_hold_each_event_once(void **state)
{
    (void)state;
    struct history_store *history = fill();
    struct error error;
    struct json *json = NULL;
    struct buffer out;
    struct query query = {T0_S, T0_S + 2 * 3600, -1, -1};
    static struct truth truth;
    assert_true(history_flush(history, PATIENCE));
    buffer_init(&out, 1u << 20);
    struct history_question question = {.from_us = query.from_s * US_PER_S,
                                        .to_us = query.to_s * US_PER_S,
                                        .step_us = 3600 * US_PER_S,
                                        .by = slice_of("country"),
                                        .series = slice_of("accepted")};
    if (history_answer(history, &question, &out, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    assert_int_equal(json_parse(buffer_slice(&out), &json, &error), STATUS_OK);
    const struct json *series = json_get(json, "series");
    assert_int_equal(json_size(series), 4);
    double sum = 0;
    for (const struct json *one = json_first(series); one; one = json_next(one))
        for (const struct json *point = json_first(json_get(one, "points")); point;
             point = json_next(point))
            sum += json_as_number(json_item(point, 1), NAN);
    count_by_hand(&query, &truth);
    assert_true(sum == (double)truth.n);
    json_destroy(json);
    buffer_free(&out);
    history_destroy(history);
}

static double value_at(struct history_store *history, const char *series, int64_t from_s,
                       int64_t to_s)
{
    struct buffer out;
    struct error error;
    struct json *json = NULL;
    buffer_init(&out, 1u << 20);
    struct history_question question = {.from_us = from_s * US_PER_S,
                                        .to_us = to_s * US_PER_S,
                                        .step_us = (to_s - from_s) * US_PER_S,
                                        .series = slice_of(series)};
    if (history_answer(history, &question, &out, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    assert_int_equal(json_parse(buffer_slice(&out), &json, &error), STATUS_OK);
    const struct json *points = json_get(json_item(json_get(json, "series"), 0), "points");
    double value = json_as_number(json_item(json_item(points, 0), 1), NAN);
    json_destroy(json);
    buffer_free(&out);
    return value;
}

static void nothing_counted_is_zero_where_the_service_was_and_null_where_it_was_not(void **state)
{
    (void)state;
    unlink(path);
    struct history_store *history = create(LIMIT_US);
    history_begin(history, T0);
    tell(history, &all[0]);
    history_tick(history, T0 + 1800 * US_PER_S);
    assert_true(history_flush(history, PATIENCE));
    assert_true(value_at(history, "accepted", T0_S + 600, T0_S + 1200) == 0);
    assert_true(value_at(history, "errors", T0_S + 600, T0_S + 1200) == 0);
    assert_true(isnan(value_at(history, "latency_p99_us", T0_S + 600, T0_S + 1200)));
    assert_true(isnan(value_at(history, "error_ratio", T0_S + 600, T0_S + 1200)));
    assert_true(isnan(value_at(history, "accepted", T0_S + 7200, T0_S + 10800)));
    assert_true(isnan(value_at(history, "errors", T0_S - 7200, T0_S - 3600)));
    history_destroy(history);
    history = create(LIMIT_US); /* the gap between two runs */
    history_begin(history, T0 + 5400 * US_PER_S);
    history_tick(history, T0 + 7200 * US_PER_S);
    assert_true(isnan(value_at(history, "accepted", T0_S + 2400, T0_S + 3000)));
    assert_true(value_at(history, "accepted", T0_S + 6000, T0_S + 6600) == 0);
    history_destroy(history);
}

static void a_rate_is_over_the_time_that_was_counted(void **state)
{
    (void)state;
    unlink(path);
    struct history_store *history = create(LIMIT_US);
    history_begin(history, T0 + 3480 * US_PER_S);
    struct happened event = all[0];
    for (int i = 0; i < 30; i++) {
        event.at_us = event.event_us = T0 + (3500 + i) * US_PER_S;
        tell(history, &event);
    }
    history_tick(history, T0 + 3540 * US_PER_S);
    double of_the_hour = value_at(history, "events_per_s", T0_S, T0_S + 3600);
    assert_true(of_the_hour > 0.499 && of_the_hour < 0.501);
    history_destroy(history);
}

static void every_series_is_a_number_or_null_for_nothing_and_for_one_event(void **state)
{
    (void)state;
    unlink(path);
    struct history_store *history = create(LIMIT_US);
    history_begin(history, T0);
    struct buffer names, out;
    struct error error;
    struct json *json = NULL;
    buffer_init(&names, 1u << 20);
    buffer_init(&out, 1u << 20);
    for (int round = 0; round < 2; round++) {
        buffer_reset(&names);
        history_names(history, &names);
        assert_int_equal(json_parse(buffer_slice(&names), &json, &error), STATUS_OK);
        const struct json *list = json_get(json, "series");
        assert_true(json_size(list) > 50);
        for (const struct json *item = json_first(list); item; item = json_next(item)) {
            double value =
                value_at(history, json_as_text(json_get(item, "name"), ""), T0_S, T0_S + 600);
            assert_true(isnan(value) || isfinite(value));
        }
        json_destroy(json);
        tell(history, &all[0]);
    }
    buffer_free(&out);
    buffer_free(&names);
    history_destroy(history);
}

/* Half is counted under one limit, half under another. */
static void a_share_under_a_new_limit_is_known_only_where_it_was_an_edge(void **state)
{
    (void)state;
    unlink(path);
    struct history_store *history = create(LIMIT_US);
    history_begin(history, T0);
    tell_range(history, 0, N_EVENTS / 2);
    history_destroy(history);
    int64_t other_us = 150001, half_s = SPAN_S / 2;
    history = create(other_us);
    history_begin(history, all[N_EVENTS / 2].at_us);
    tell_range(history, N_EVENTS / 2, N_EVENTS);
    uint64_t n = 0, below = 0;
    for (int i = N_EVENTS / 2; i < N_EVENTS; i++) {
        int64_t minute_s = all[i].event_us / US_PER_S / 60 * 60;
        n += minute_s >= T0_S + half_s + 9000 - 600;
        below += minute_s >= T0_S + half_s + 9000 - 600 && all[i].latency_us < other_us;
    }
    assert_true(n > 0);
    assert_true(value_at(history, "latency_good_ratio", T0_S + half_s + 9000 - 600,
                         T0_S + SPAN_S) == (double)below / (double)n);
    assert_true(isnan(value_at(history, "latency_good_ratio", T0_S, T0_S + 3600)));
    /* Percentiles do not depend on edges. */
    struct query query = {T0_S, T0_S + SPAN_S, -1, -1};
    static struct truth truth;
    count_by_hand(&query, &truth);
    double p99 = (double)truth.latencies[(size_t)ceil(0.99 * (double)truth.n) - 1];
    struct got got = ask(history, &query);
    assert_int_equal(got.n, truth.n);
    assert_true(fabs(got.p99 - p99) <= 0.01 * p99);
    history_destroy(history);
}

static void bins_of_another_reference_are_left_out(void **state)
{
    (void)state;
    struct history_store *history = fill();
    struct observe_sink sink = history_sink(history);
    struct binning other[2] = {cuts[0], cuts[1]};
    other[1].edges[0] += 1;
    sink.cuts(sink.context, other, 2);
    struct query query = {T0_S, T0_S + SPAN_S, -1, -1};
    struct got got = ask(history, &query);
    for (int i = 0; i < MAX_BINS; i++)
        assert_int_equal(got.bins[i], 0);
    assert_int_equal(got.n, ask(history, &(struct query){T0_S, T0_S + SPAN_S, -1, -1}).n);
    assert_true(isnan(value_at(history, "psi.amount", T0_S, T0_S + SPAN_S / 300 * 300)));
    sink.cuts(sink.context, cuts, 2);
    check(history, &query); /* the first layout is known again */
    history_destroy(history);
}

static void values_beyond_the_most_are_other(void **state)
{
    (void)state;
    struct error error;
    struct labels *labels = labels_create();
    assert_int_equal(labels_use(labels, "country", &schema, &error), STATUS_OK);
    assert_int_equal(labels_use(labels, "user", &schema, &error), STATUS_INVALID);
    assert_int_equal(labels_use(labels, "nonsense", &schema, &error), STATUS_INVALID);
    struct value values[5] = {0};
    struct event event = {.schema = &schema, .values = values};
    struct outcome outcome = {.event = &event};
    const struct outcome *one = &outcome;
    uint64_t codes[100], none;
    char text[8];
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 100; i++) {
            snprintf(text, sizeof text, "C%d", i);
            values[2] = value_string(slice_of(text));
            uint64_t code;
            labels_of_outcomes(labels, &one, 1, &code);
            assert_true(round == 0 || codes[i] == code);
            codes[i] = code;
            assert_true(i < LABEL_VALUES ? code == (uint64_t)(LABEL_FIRST + i)
                                         : code == LABEL_OTHER);
        }
    }
    values[2] = value_null();
    labels_of_outcomes(labels, &one, 1, &none);
    assert_int_equal(none, LABEL_NONE);
    labels_destroy(labels);
}

/* By the formulas of engine/stats' headers, with plain loops over what was told. */
static void distances_are_those_of_the_shares(void **state)
{
    (void)state;
    struct history_store *history = fill();
    int64_t to_s = T0_S + 3600; /* points lie on multiples of their step */
    static struct truth truth;
    struct query query = {.from_s = T0_S, .to_s = to_s, .country = -1, .device = -1};
    count_by_hand(&query, &truth);
    double n = 0, m = 0, tvd = 0, js = 0, chi = 0;
    for (int i = 0; i < MAX_BINS; i++) {
        n += (double)cuts[1].reference[i];
        m += (double)truth.bins[i];
    }
    for (int i = 0; i < MAX_BINS; i++) {
        double a = (double)cuts[1].reference[i], b = (double)truth.bins[i];
        double p = a / n, q = b / m, half = (p + q) / 2;
        tvd += fabs(p - q) / 2;
        js += p > 0 ? p * log2(p / half) / 2 : 0;
        js += q > 0 ? q * log2(q / half) / 2 : 0;
        chi += a + b > 0 ? pow(a * sqrt(m / n) - b * sqrt(n / m), 2) / (a + b) : 0;
    }
    assert_true(m > 1000);
    assert_true(fabs(value_at(history, "tvd.amount", T0_S, to_s) - tvd) < 1e-9);
    assert_true(fabs(value_at(history, "js.amount", T0_S, to_s) - sqrt(js)) < 1e-9);
    assert_true(fabs(value_at(history, "chi_square.amount", T0_S, to_s) / chi - 1) < 1e-9);
    history_destroy(history);
}

static void a_full_disk_loses_history_and_says_so_and_deciding_goes_on(void **state)
{
    (void)state;
    unlink(path);
    struct history_store *history = create(LIMIT_US);
    history_begin(history, T0);
    tell_range(history, 0, 1000);
    assert_true(history_flush(history, PATIENCE));
    struct rlimit before, none = {0};
    getrlimit(RLIMIT_FSIZE, &before);
    none.rlim_max = before.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &none);
    tell_range(history, 1000, N_EVENTS); /* returns */
    struct history_stats stats;
    for (int i = 0; i < 100; i++) {
        history_stats(history, &stats);
        if (stats.problem[0])
            break;
        usleep(50000);
    }
    assert_true(stats.problem[0] != '\0');
    assert_true(stats.waiting > 0);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_true(history_flush(history, PATIENCE));
    history_stats(history, &stats);
    assert_string_equal(stats.problem, "");
    assert_int_equal(stats.lost_minutes, 0);
    check_many(history);
    history_destroy(history);
}

static void a_clock_that_leaps_or_stands_still_is_counted_once(void **state)
{
    (void)state;
    unlink(path);
    struct history_store *history = create(LIMIT_US);
    history_begin(history, T0);
    struct happened event = all[0];
    int64_t times_s[] = {0, 30, 30, 5 * 86400, 5 * 86400 + 1, 5 * 86400 - 600, 40 * 86400};
    for (size_t i = 0; i < sizeof times_s / sizeof *times_s; i++) {
        event.at_us = event.event_us = T0 + times_s[i] * US_PER_S;
        tell(history, &event);
    }
    assert_true(history_flush(history, PATIENCE));
    assert_true(value_at(history, "accepted", T0_S, T0_S + 86400) == 3);
    assert_true(value_at(history, "accepted", T0_S + 4 * 86400, T0_S + 6 * 86400) == 3);
    struct query query = {T0_S, T0_S + 60 * 86400, -1, -1};
    assert_int_equal(ask(history, &query).n, 7);
    history_destroy(history);
}

static void a_question_that_makes_no_sense_says_why(void **state)
{
    (void)state;
    struct history_store *history = fill();
    struct buffer out;
    struct error error;
    buffer_init(&out, 1u << 22);
    static const struct {
        const char *series, *by, *where;
        int64_t step_us;
    } wrong[] = {
        {"nonsense", "", "", 0},       {"", "", "", 0},
        {"events", "nonsense", "", 0}, {"events", "", "country", 0},
        {"events", "", "planet:X", 0}, {"events", "", "", 1500000},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct history_question question = {.from_us = T0,
                                            .to_us = INT64_MAX,
                                            .step_us = wrong[i].step_us,
                                            .series = slice_of(wrong[i].series),
                                            .by = slice_of(wrong[i].by),
                                            .where = slice_of(wrong[i].where)};
        assert_int_equal(history_answer(history, &question, &out, &error), STATUS_INVALID);
        assert_true(strlen(error.message) > 10);
    }
    buffer_free(&out);
    history_destroy(history);
}

static void a_heatmap_holds_every_event_once(void **state)
{
    (void)state;
    struct history_store *history = fill();
    static const char *const of[] = {"latency", "score", "amount"};
    for (int i = 0; i < 3; i++) {
        struct buffer out;
        struct error error;
        struct json *json = NULL;
        buffer_init(&out, 1u << 22);
        struct history_question question = {.from_us = T0 - 7200 * US_PER_S,
                                            .to_us = INT64_MAX,
                                            .step_us = 300 * US_PER_S,
                                            .of = slice_of(of[i])};
        assert_int_equal(history_heatmap(history, &question, &out, &error), STATUS_OK);
        assert_int_equal(json_parse(buffer_slice(&out), &json, &error), STATUS_OK);
        double n = 0;
        size_t n_edges = json_size(json_get(json, "edges"));
        const struct json *cells = json_get(json, "cells");
        for (const struct json *cell = json_first(cells); cell; cell = json_next(cell)) {
            const struct json *counts = json_item(cell, 1);
            for (const struct json *count = json_first(counts); count; count = json_next(count))
                n += json_as_number(count, NAN);
            assert_true(json_kind(counts) == JSON_NULL ||
                        json_size(counts) == n_edges + 1 + (i == 2));
        }
        assert_true(n == N_EVENTS);
        json_destroy(json);
        buffer_free(&out);
    }
    history_destroy(history);
}

/* ---- a file of an earlier release ---- */

/* The cells of a block as that release wrote them: all of a cell together, one frame a row. */
static void pack_as_before(struct row_cells cells, const struct layouts *layouts,
                           struct packer *packer, struct buffer *out)
{
    struct buffer plain;
    buffer_init(&plain, 1u << 24);
    buffer_reset(out);
    while (cells.n > 0) {
        struct packed_cell packed;
        assert_true(row_next(&cells, &packed));
        struct cell cell = {.labels = packed.labels, .layout = layouts_get(layouts, packed.layout)};
        assert_true(cell_unpack(&cell, &packed, SECTION_ALL));
        cell_encode(&cell, SECTION_ALL, &plain);
        cell_free(&cell);
    }
    assert_true(packer_pack(packer, buffer_slice(&plain), out));
    buffer_free(&plain);
}

/* The row at `start_s`, if there is one, becomes a row for each of its blocks. */
static void store_as_before(struct disk *disk, const struct layouts *layouts, struct db *db,
                            int shelf, int64_t start_s)
{
    struct row *row = row_create();
    struct packer *packer = packer_create();
    struct db_stmt *put;
    struct error error;
    struct buffer bytes;
    char sql[100];
    buffer_init(&bytes, 1u << 24);
    assert_int_equal(disk_read_row(disk, (enum shelf)shelf, start_s, row, &error), STATUS_OK);
    snprintf(sql, sizeof sql, "DELETE FROM piece%d WHERE start_s = %lld", shelf,
             (long long)start_s);
    assert_int_equal(db_exec(db, sql, &error), STATUS_OK);
    snprintf(sql, sizeof sql, "INSERT INTO piece%d VALUES (?1, ?2)", shelf);
    assert_int_equal(db_prepare(db, sql, &put, &error), STATUS_OK);
    for (size_t i = 0; i < row_size(row); i++) {
        pack_as_before(row_block(row, i), layouts, packer, &bytes);
        db_bind_int(put, 1, start_s + row_index(row, i) * shelf_shapes[shelf].width_s);
        db_bind_blob(put, 2, buffer_slice(&bytes));
        assert_int_equal(db_run(put, &error), STATUS_OK);
    }
    db_finish(put);
    buffer_free(&bytes);
    packer_destroy(packer);
    row_destroy(row);
}

/* Nobody has the file open. */
static void make_file_an_earlier_one(void)
{
    struct labels *labels = labels_create();
    struct layouts layouts = {0};
    struct disk_state disk_state;
    struct disk *disk;
    struct db *db;
    struct error error;
    assert_int_equal(disk_open(path, false, &disk, &error), STATUS_OK);
    assert_int_equal(disk_load(disk, labels, &layouts, &disk_state, &error), STATUS_OK);
    assert_int_equal(db_open(path, DB_WRITE, DB_SYNC_OFF, &db, &error), STATUS_OK);
    for (int shelf = 0; shelf < SHELVES; shelf++) {
        int64_t row_s = shelf_shapes[shelf].row_s;
        for (int64_t start_s = T0_S - 3 * 3600; start_s < T0_S + SPAN_S; start_s += row_s)
            store_as_before(disk, &layouts, db, shelf, start_s);
    }
    assert_int_equal(db_exec(db, "PRAGMA user_version=2", &error), STATUS_OK);
    disk_close(disk);
    db_close(db);
    for (int i = 0; i < layouts.n; i++)
        layout_destroy(layouts.list[i]);
    labels_destroy(labels);
}

static int64_t number_of(const char *sql)
{
    struct db *db;
    struct db_stmt *stmt;
    struct error error;
    assert_int_equal(db_open(path, DB_READ, DB_SYNC_OFF, &db, &error), STATUS_OK);
    assert_int_equal(db_prepare(db, sql, &stmt, &error), STATUS_OK);
    assert_int_equal(db_step(stmt, &error), STATUS_OK);
    int64_t number = db_int(stmt, 0);
    db_finish(stmt);
    db_close(db);
    return number;
}

static void a_file_of_an_earlier_release_is_read_as_it_is(void **state)
{
    (void)state;
    history_destroy(fill());
    int64_t rows = number_of("SELECT count(*) FROM piece0");
    make_file_an_earlier_one();
    assert_true(number_of("SELECT count(*) FROM piece0") > 10 * rows);
    struct history_store *history = create(LIMIT_US);
    check_many(history);
    history_destroy(history);
}

/* Late events come to minutes that the earlier release wrote. */
static void a_file_of_an_earlier_release_goes_on(void **state)
{
    (void)state;
    unlink(path);
    struct history_store *history = create(LIMIT_US);
    history_begin(history, T0);
    tell_range(history, 0, N_EVENTS / 2);
    history_destroy(history);
    make_file_an_earlier_one();
    history = create(LIMIT_US);
    history_begin(history, all[N_EVENTS / 2 - 1].at_us);
    tell_range(history, N_EVENTS / 2, N_EVENTS);
    check_many(history);
    history_destroy(history);
    assert_int_equal(number_of("PRAGMA user_version"), 3);
    /* Half an hour that was written again is one row. */
    assert_int_equal(number_of("SELECT count(*) FROM piece1 WHERE start_s >= 1533088800 AND "
                               "start_s < 1533088800 + 1800"),
                     1);
    history = create(LIMIT_US);
    check_many(history);
    history_destroy(history);
}

static int make_folder(void **state)
{
    (void)state;
    make_events();
    if (!mkdtemp(folder))
        return 1;
    snprintf(path, sizeof path, "%s/history.db", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    char command[100];
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_range_and_any_labels_add_up_as_counted_by_hand),
        cmocka_unit_test(a_restart_forgets_nothing_and_goes_on),
        cmocka_unit_test(what_a_crash_lost_is_counted_again_from_the_ledger_and_nothing_twice),
        cmocka_unit_test(nothing_counted_is_zero_where_the_service_was_and_null_where_it_was_not),
        cmocka_unit_test(a_rate_is_over_the_time_that_was_counted),
        cmocka_unit_test(every_series_is_a_number_or_null_for_nothing_and_for_one_event),
        cmocka_unit_test(a_share_under_a_new_limit_is_known_only_where_it_was_an_edge),
        cmocka_unit_test(bins_of_another_reference_are_left_out),
        cmocka_unit_test(values_beyond_the_most_are_other),
        cmocka_unit_test(distances_are_those_of_the_shares),
        cmocka_unit_test(a_full_disk_loses_history_and_says_so_and_deciding_goes_on),
        cmocka_unit_test(a_clock_that_leaps_or_stands_still_is_counted_once),
        cmocka_unit_test(a_question_that_makes_no_sense_says_why),
        cmocka_unit_test(events_without_an_arm_are_no_series_of_what_arms_do),
        cmocka_unit_test(whole_hours_by_one_label_hold_each_event_once),
        cmocka_unit_test(a_heatmap_holds_every_event_once),
        cmocka_unit_test(a_file_of_an_earlier_release_is_read_as_it_is),
        cmocka_unit_test(a_file_of_an_earlier_release_goes_on),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
