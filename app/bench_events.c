/* Makes or reads the events of one run at a time, outside of what is timed, and times decoding and
 * checking them with the pipeline's own functions. One thread. */
#include "app/bench_events.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/base/order.h"
#include "engine/event/file_source.h"
#include "engine/event/producer.h"

#define EVENTS_BYTES  ((size_t)1 << 30)
#define DECODED_BYTES (64u << 20)
#define START_US      (1767225600 * US_PER_S) /* 2026-01-01: the date does not matter */
#define RATE_PER_S    100 /* a thousand events are ten seconds, a run some minutes */
#define USERS         20000
#define SEED          4
#define REPETITIONS   5

struct bench_events {
    struct producer *producer; /* NULL: from the file */
    struct file_source *file;
    struct arena *arena;
    struct raw_event *events;
    int *labels;
    size_t n;
};

static enum status open_source(const char *path, struct bench_events *events, struct error *error)
{
    struct producer_options options = {
        .seed = SEED,
        .start_us = START_US,
        .rate_per_s = RATE_PER_S,
        .n_users = USERS,
        .fraud_share = 0.02,
    };
    if (path)
        return file_source_open(path, FILE_AUTO, &events->file, error);
    return producer_create(&options, &events->producer, error);
}

enum status bench_events_create(const char *path, size_t most, struct bench_events **events,
                                struct error *error)
{
    *events = NULL;
    struct bench_events *made = calloc(1, sizeof *made);
    if (!made)
        return error_set(error, STATUS_MEMORY, "out of memory");
    if (most < MAX_BATCH)
        most = MAX_BATCH;
    made->arena = arena_create(EVENTS_BYTES);
    made->events = calloc(most, sizeof *made->events);
    made->labels = calloc(most, sizeof *made->labels);
    enum status status = STATUS_OK;
    if (!made->arena || !made->events || !made->labels)
        status = error_set(error, STATUS_MEMORY, "out of memory for %zu events", most);
    if (status == STATUS_OK)
        status = open_source(path, made, error);
    if (status != STATUS_OK) {
        bench_events_destroy(made);
        return status;
    }
    *events = made;
    return STATUS_OK;
}

void bench_events_destroy(struct bench_events *events)
{
    if (!events)
        return;
    producer_destroy(events->producer);
    file_source_close(events->file);
    arena_destroy(events->arena);
    free(events->events);
    free(events->labels);
    free(events);
}

static bool has_header(const struct bench_events *events)
{
    return events->file && file_source_format(events->file) == FORMAT_CSV;
}

enum status bench_events_prepare(const struct bench_events *events, struct worker *worker,
                                 struct error *error)
{
    if (!has_header(events))
        return STATUS_OK;
    return worker_csv_header(worker, file_source_header(events->file), error);
}

static enum status make(struct bench_events *events, struct error *error)
{
    struct producer_event event;
    producer_next(events->producer, &event);
    char *copy = arena_alloc(events->arena, event.json.size);
    if (!copy)
        return error_set(error, STATUS_MEMORY, "out of memory for events");
    memcpy(copy, event.json.data, event.json.size);
    events->labels[events->n] = event.label;
    events->events[events->n++] =
        (struct raw_event){.bytes = slice_make(copy, event.json.size), .position.source = -1};
    return STATUS_OK;
}

static enum status read_one(struct bench_events *events, struct error *error)
{
    struct file_record record;
    enum status status = file_source_next(events->file, events->arena, &record, error);
    if (status != STATUS_OK)
        return status;
    events->labels[events->n] = -1;
    events->events[events->n++] = (struct raw_event){
        .bytes = record.raw,
        .format = file_source_format(events->file),
        .position.source = -1,
    };
    return STATUS_OK;
}

enum status bench_events_fill(struct bench_events *events, size_t n, struct error *error)
{
    arena_reset(events->arena);
    events->n = 0;
    enum status status = STATUS_OK;
    while (events->n < n && status == STATUS_OK)
        status = events->file ? read_one(events, error) : make(events, error);
    return status == STATUS_END ? STATUS_OK : status;
}

size_t bench_events_count(const struct bench_events *events)
{
    return events->n;
}

const struct raw_event *bench_events_at(const struct bench_events *events, size_t index)
{
    return &events->events[index];
}

int bench_events_label(const struct bench_events *events, size_t index)
{
    return events->labels[index];
}

enum status bench_events_refused(const struct bench_events *events, const struct answer *answers,
                                 size_t n, struct error *error)
{
    const struct event *event = n > 0 ? answers[0].event : NULL;
    const char *hint = events->file ? ""
                                    : "; synthetic events are of the contract `transactions`: "
                                      "give a file of your own events";
    if (!event || event->n_violations == 0)
        return error_set(error, STATUS_INVALID, "there are no events to measure with%s", hint);
    const struct violation *first = &event->violations[0];
    return error_set(error, STATUS_INVALID, "no event fits the contract, the first for %s: %s%s",
                     first->field >= 0 ? event->schema->fields[first->field].name : "its form",
                     violation_name(first->code), hint);
}

/* ---- decoding and checking alone ---- */

struct timing {
    const struct bench_events *events;
    const struct contract *contract;
    struct decoder *decoder;
    struct arena *arena;
    struct event *decoded; /* CACHED_BATCH */
    double parse_ns[REPETITIONS], contract_ns[REPETITIONS];
};

static void decode_batch(struct timing *timing, size_t first, size_t n)
{
    arena_reset(timing->arena);
    for (size_t i = 0; i < n; i++) {
        const struct raw_event *raw = &timing->events->events[first + i];
        struct event *event = &timing->decoded[i];
        *event = (struct event){.schema = contract_schema(timing->contract)};
        if (raw->format == FORMAT_CSV)
            decoder_csv(timing->decoder, raw->bytes, timing->arena, event);
        else
            decoder_json(timing->decoder, raw->bytes, timing->arena, event);
    }
}

static void time_once(struct timing *timing, int repetition)
{
    size_t n_events = timing->events->n;
    int64_t parse_ns = 0, contract_ns = 0;
    for (size_t first = 0; first < n_events; first += CACHED_BATCH) {
        size_t n = n_events - first < CACHED_BATCH ? n_events - first : CACHED_BATCH;
        int64_t began_ns = thread_cpu_ns();
        decode_batch(timing, first, n);
        int64_t decoded_ns = thread_cpu_ns();
        for (size_t i = 0; i < n; i++)
            contract_check(timing->contract, &timing->decoded[i], INT64_MIN, CONTRACT_EVENT);
        contract_ns += thread_cpu_ns() - decoded_ns;
        parse_ns += decoded_ns - began_ns;
    }
    timing->parse_ns[repetition] = (double)parse_ns / (double)n_events;
    timing->contract_ns[repetition] = (double)contract_ns / (double)n_events;
}

static double middle(double values[REPETITIONS])
{
    qsort(values, REPETITIONS, sizeof *values, order_doubles);
    return values[REPETITIONS / 2];
}

enum status bench_events_time(const struct bench_events *events, const struct contract *contract,
                              double *parse_ns, double *contract_ns, struct error *error)
{
    struct timing timing = {.events = events, .contract = contract};
    timing.arena = arena_create(DECODED_BYTES);
    timing.decoded = calloc(CACHED_BATCH, sizeof *timing.decoded);
    enum status status = STATUS_OK;
    if (!timing.arena || !timing.decoded)
        status = error_set(error, STATUS_MEMORY, "out of memory");
    if (status == STATUS_OK)
        status = decoder_create(contract_schema(contract), contract_additional_fields(contract),
                                &timing.decoder, error);
    if (status == STATUS_OK && has_header(events))
        status = decoder_csv_header(timing.decoder, file_source_header(events->file), error);
    for (int i = 0; i < REPETITIONS && status == STATUS_OK; i++)
        time_once(&timing, i);
    if (status == STATUS_OK) {
        *parse_ns = middle(timing.parse_ns);
        *contract_ns = middle(timing.contract_ns);
    }
    decoder_destroy(timing.decoder);
    free(timing.decoded);
    arena_destroy(timing.arena);
    return status;
}
