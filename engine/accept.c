/* From bytes to accepted events: decoded, held against the contract, personal values replaced, ids
 * reserved. Event by event, because in a replay each accepted event moves the clock that the next
 * one is held against. Used by one thread per worker. */
#include <stdio.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/base/hash.h"
#include "engine/worker_priv.h"

#define DECODED_AHEAD 16
#define LOOK_AGAIN_US 1000

static void decode(struct worker *worker, const struct raw_event *raw, struct item *item)
{
    struct event *event = &item->event;
    event->schema = worker->engine->schema;
    event->position = raw->position;
    if (raw->document)
        decoder_retry(worker->json, raw->bytes, worker->arena, event);
    else if (raw->format == FORMAT_CSV)
        decoder_csv(worker->csv, raw->bytes, worker->arena, event);
    else
        decoder_json(worker->json, raw->bytes, worker->arena, event);
}

static void check(struct worker *worker, struct item *item)
{
    const struct engine_parts *parts = &worker->engine->parts;
    int64_t now_us = clock_now_us(parts->clock);
    item->event.received_us = now_us;
    if (parts->event_time && now_us == 0)
        now_us = INT64_MIN; /* the clock has not been set by an event yet */
    contract_check(parts->contract, &item->event, now_us,
                   parts->event_time ? CONTRACT_EVENT : CONTRACT_WALL);
    item->alive = item->event.n_violations == 0;
    if (item->alive && parts->event_time)
        clock_advance(parts->clock, item->event.time_us);
    item->now_us = clock_now_us(parts->clock);
}

/* Text of an id or entity field, whatever its type. */
static struct slice text_of(struct worker *worker, const struct item *item, int field)
{
    if (field < 0)
        return slice_of("");
    if (item->replacements[field].size > 0)
        return item->replacements[field];
    const struct value *value = &item->event.values[field];
    if (value->type == VALUE_STRING)
        return value->string;
    char text[64];
    int size = 0;
    if (value->type == VALUE_NUMBER)
        size = snprintf(text, sizeof text, "%.17g", value->number);
    else if (value->type == VALUE_BOOL)
        size = snprintf(text, sizeof text, "%s", value->boolean ? "true" : "false");
    char *copy = arena_alloc(worker->arena, (size_t)size + 1);
    if (!copy)
        return slice_of("");
    memcpy(copy, text, (size_t)size);
    return slice_make(copy, (size_t)size);
}

static enum status pseudonymise(struct worker *worker, struct item *item, struct error *error)
{
    struct engine *engine = worker->engine;
    for (int i = 0; engine->pseudonyms && i < engine->n_pii_fields; i++) {
        int field = engine->pii_fields[i];
        if (item->event.values[field].type == VALUE_NULL)
            continue;
        struct slice original = text_of(worker, item, field);
        char *text = arena_alloc(worker->arena, PSEUDONYM_SIZE);
        if (!text)
            return error_set(error, STATUS_MEMORY, "out of memory for a batch");
        enum status status = pseudonym_of(engine->pseudonyms, original, text);
        if (status != STATUS_OK)
            return error_set(error, status, "a personal value could not be pseudonymised");
        item->replacements[field] = slice_make(text, PSEUDONYM_LENGTH);
    }
    item->id = text_of(worker, item, engine->schema->id);
    item->entity = text_of(worker, item, engine->schema->entity);
    return STATUS_OK;
}

/* The same content, however it was spelt, gives the same canonical bytes. */
static enum status canonicalise(struct worker *worker, struct item *item, struct error *error)
{
    size_t start = worker->inputs.size;
    event_json(&item->event, item->replacements, &worker->inputs);
    if (worker->inputs.overflow)
        return error_set(error, STATUS_MEMORY, "a batch of events is larger than %u bytes",
                         INPUTS_BYTES);
    /* The buffer may still move: keep the offset until the batch is decoded. */
    item->input = slice_make((const char *)(uintptr_t)start, worker->inputs.size - start);
    item->content = hash64(worker->inputs.data + start, item->input.size, 0);
    return STATUS_OK;
}

static bool in_batch(const struct worker *worker, struct slice id)
{
    for (size_t i = 0; i < worker->n; i++) {
        if (worker->items[i].kind == ANSWER_DECIDED && slice_equal(worker->items[i].id, id))
            return true;
    }
    return false;
}

/* The same event is with another worker right now, and may yet be refused there. An HTTP caller
 * would learn that and send it again; a source goes past it, so it waits for what becomes of it. */
static enum unique_result await_first(struct worker *worker, struct item *item)
{
    enum unique_result known = UNIQUE_SAME;
    while (known == UNIQUE_SAME && item->ledger_index == UNIQUE_PENDING) {
        pause_us(LOOK_AGAIN_US);
        known = unique_reserve(worker->engine->unique, item->id, item->content, item->now_us,
                               &item->ledger_index);
    }
    return known;
}

static enum status reserve_id(struct worker *worker, struct item *item, struct error *error)
{
    struct unique *unique = worker->engine->unique;
    bool sourced = item->event.position.source >= 0;
    if (!unique)
        return STATUS_OK;
    enum unique_result known =
        unique_reserve(unique, item->id, item->content, item->now_us, &item->ledger_index);
    if (known == UNIQUE_SAME && sourced && item->ledger_index == UNIQUE_PENDING &&
        worker->engine->ledger && !in_batch(worker, item->id))
        known = await_first(worker, item);
    switch (known) {
    case UNIQUE_NEW:
        return STATUS_OK;
    case UNIQUE_SAME:
        item->kind = ANSWER_DUPLICATE;
        break;
    case UNIQUE_CONFLICT:
        event_violate(&item->event, VIOLATION_DUPLICATE_ID, worker->engine->schema->id);
        item->kind = ANSWER_CONFLICT;
        break;
    case UNIQUE_FULL:
        if (sourced)
            return error_set(error, STATUS_FULL,
                             "the event ids of the uniqueness span do not fit into memory; "
                             "shorten `unique: within` of the contract");
        item->kind = ANSWER_REFUSED;
        break;
    }
    item->alive = false;
    return STATUS_OK;
}

static enum status prepare_item(struct worker *worker, size_t i)
{
    struct item *item = &worker->items[i];
    size_t n_fields = worker->engine->schema->n_fields;
    memset(item, 0, sizeof *item);
    item->event.values = arena_alloc(worker->arena, n_fields * sizeof *item->event.values);
    item->replacements = arena_alloc(worker->arena, n_fields * sizeof *item->replacements);
    if (!item->event.values || !item->replacements)
        return STATUS_MEMORY;
    memset(item->replacements, 0, n_fields * sizeof *item->replacements);
    item->kind = ANSWER_QUARANTINED;
    item->ledger_index = UINT64_MAX;
    item->outcome.event = &item->event;
    item->outcome.features =
        (struct feature_vector){worker->engine->features, worker_features(worker, i)};
    return STATUS_OK;
}

/* Asks for the memory that the event's ids will be looked up in. */
static void foresee(const struct worker *worker, const struct item *item)
{
    const struct engine *engine = worker->engine;
    const struct value *values = item->event.values;
    for (int i = 0; engine->pseudonyms && i < engine->n_pii_fields; i++) {
        const struct value *value = &values[engine->pii_fields[i]];
        if (value->type == VALUE_STRING)
            pseudonym_prefetch(engine->pseudonyms, value->string);
    }
    int id = engine->schema->id;
    if (engine->unique && id >= 0 && values[id].type == VALUE_STRING &&
        !engine->schema->fields[id].pii)
        unique_prefetch(engine->unique, values[id].string);
}

/* Decodes events ahead of accepting them, so that the memory they need is on its way by then. */
static enum status decode_ahead(struct worker *worker, const struct raw_event *events, size_t from,
                                size_t n, struct error *error)
{
    for (size_t i = from; i < n && i < from + DECODED_AHEAD; i++) {
        if (prepare_item(worker, i) != STATUS_OK)
            return error_set(error, STATUS_MEMORY, "out of memory for a batch");
        decode(worker, &events[i], &worker->items[i]);
        foresee(worker, &worker->items[i]);
    }
    return STATUS_OK;
}

static enum status accept(struct worker *worker, struct item *item, struct error *error)
{
    check(worker, item);
    if (!item->alive)
        return STATUS_OK;
    enum status status = pseudonymise(worker, item, error);
    if (status == STATUS_OK)
        status = canonicalise(worker, item, error);
    if (status != STATUS_OK)
        return status;
    status = reserve_id(worker, item, error);
    if (status == STATUS_OK && item->alive)
        item->kind = ANSWER_DECIDED;
    return status;
}

static void set_receipt(const struct worker *worker, struct item *item, const struct raw_event *raw)
{
    item->top = raw->reasons_asked ? raw->max_reasons : worker->options.reasons;
    item->always = raw->reasons_asked || worker->options.always;
    item->received_ns = raw->received_ns;
    item->csv = raw->format == FORMAT_CSV && !raw->document;
    memcpy(item->outcome.trace_id, raw->trace_id, sizeof raw->trace_id);
}

/* The buffer of inputs does not move any more. */
static void settle_inputs(struct worker *worker)
{
    for (size_t i = 0; i < worker->n; i++) {
        struct item *item = &worker->items[i];
        if (item->input.size > 0)
            item->input.data = worker->inputs.data + (uintptr_t)item->input.data;
    }
}

enum status accept_events(struct worker *worker, const struct raw_event *events, size_t n,
                          struct error *error)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < n && status == STATUS_OK; i++) {
        if (i % DECODED_AHEAD == 0)
            status = decode_ahead(worker, events, i, n, error);
        if (status == STATUS_OK)
            status = accept(worker, &worker->items[i], error);
        set_receipt(worker, &worker->items[i], &events[i]);
        worker->n = i + 1;
    }
    settle_inputs(worker);
    return status;
}

void accept_forget(struct worker *worker)
{
    for (size_t i = 0; worker->engine->unique && i < worker->n; i++) {
        if (worker->items[i].kind == ANSWER_DECIDED)
            unique_forget(worker->engine->unique, worker->items[i].id);
    }
}
