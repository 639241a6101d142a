/* Runs a batch through the table of steps. Decoding, checking and reserving ids happen event by
 * event, because in a replay each accepted event moves the clock that the next one is held
 * against; everything after that works on the batch. Used by one thread per worker. */
#include "engine/pipeline.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/base/hash.h"
#include "engine/worker_priv.h"

#define ARENA_BYTES   (64u << 20)
#define INPUTS_BYTES  (64u << 20)
#define DECODED_AHEAD 16
#define LOOK_AGAIN_US 1000

typedef enum status step_run(struct worker *worker, struct error *error);

/* ---- from bytes to accepted events ---- */

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
    int reasons = raw->reasons_asked ? raw->max_reasons : worker->options.reasons;
    item->top = reasons < 0 ? worker->engine->features->n_features : (size_t)reasons;
    item->always = raw->reasons_asked || worker->options.always;
    item->received_ns = raw->received_ns;
    item->csv = raw->format == FORMAT_CSV && !raw->document;
    memcpy(item->outcome.trace_id, raw->trace_id, sizeof raw->trace_id);
}

static enum status accept_all(struct worker *worker, const struct raw_event *events, size_t n,
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
    return status;
}

static void settle_inputs(struct worker *worker)
{
    for (size_t i = 0; i < worker->n; i++) {
        struct item *item = &worker->items[i];
        if (item->input.size > 0)
            item->input.data = worker->inputs.data + (uintptr_t)item->input.data;
    }
}

/* Ids that were reserved for events which got no row may come again. */
static void forget_ids(struct worker *worker)
{
    for (size_t i = 0; worker->engine->unique && i < worker->n; i++) {
        if (worker->items[i].kind == ANSWER_DECIDED)
            unique_forget(worker->engine->unique, worker->items[i].id);
    }
}

/* ---- the batch ---- */

/* Its windows may be gone already: better no decision than one from half a history. */
static void refuse_late(struct worker *worker, struct item *item)
{
    event_violate(&item->event, VIOLATION_TOO_LATE, worker->engine->schema->time);
    item->kind = ANSWER_QUARANTINED;
    item->alive = false;
}

/* Repeats later in the batch were taken for duplicates of a decision that there will not be. */
static void refuse_repeats(struct worker *worker, size_t late)
{
    struct slice id = worker->items[late].id;
    if (!worker->engine->unique)
        return;
    unique_forget(worker->engine->unique, id);
    for (size_t i = late + 1; i < worker->n; i++) {
        struct item *item = &worker->items[i];
        if (item->kind == ANSWER_DUPLICATE && slice_equal(item->id, id))
            refuse_late(worker, item);
    }
}

/* Since when windows are being filled. */
static void note_start(struct worker *worker)
{
    if (atomic_load_explicit(&worker->engine->start_us, memory_order_relaxed) > 0)
        return;
    for (size_t i = 0; i < worker->n; i++) {
        long long none = 0;
        if (worker->items[i].alive &&
            (atomic_compare_exchange_strong(&worker->engine->start_us, &none,
                                            worker->items[i].event.time_us) ||
             none > 0))
            return;
    }
}

static enum status step_features(struct worker *worker, struct error *error)
{
    (void)error;
    note_start(worker);
    size_t n = 0;
    for (size_t i = 0; i < worker->n; i++) {
        const struct item *item = &worker->items[i];
        if (!item->alive)
            continue;
        worker->requests[n] = (struct feature_request){.event = &item->event,
                                                       .replacements = item->replacements,
                                                       .out = worker_features(worker, i)};
        worker->entry_items[n++] = (int)i;
    }
    feature_compute_many(worker->engine->store, worker->feature_scratch, worker->requests, n);
    for (size_t i = 0; i < n; i++) {
        if (worker->requests[i].status == STATUS_OK)
            continue;
        size_t late = (size_t)worker->entry_items[i];
        refuse_late(worker, &worker->items[late]);
        refuse_repeats(worker, late);
    }
    return STATUS_OK;
}

/* In this order, each over the whole batch. */
static const struct {
    step_run *run;
    bool needs_model; /* left out when the engine only computes features */
    enum pipeline_stage stage;
} steps[] = {
    {step_features, false, STAGE_FEATURES}, {step_route, true, STAGE_ROUTE},
    {step_score, true, STAGE_SCORE},        {step_shadow, true, STAGE_SHADOW},
    {step_decide, true, STAGE_DECIDE},      {step_reason, true, STAGE_REASON},
    {step_record, true, STAGE_RECORD},      {step_observe, true, STAGE_OBSERVE},
};

/* Adds what passed since *began_ns, and begins again. */
static void profile_add(const struct worker *worker, enum pipeline_stage stage, int64_t *began_ns)
{
    if (!worker->profile)
        return;
    int64_t now_ns = thread_cpu_ns();
    worker->profile->ns[stage] += now_ns - *began_ns;
    *began_ns = now_ns;
}

static enum status run_steps(struct worker *worker, int64_t began_ns, struct error *error)
{
    enum status status = STATUS_OK;
    bool decides = worker->engine->parts.n_models > 0;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0] && status == STATUS_OK; i++) {
        if (decides || !steps[i].needs_model)
            status = steps[i].run(worker, error);
        profile_add(worker, steps[i].stage, &began_ns);
    }
    return status;
}

static void fill_answers(struct worker *worker, struct answer *answers)
{
    for (size_t i = 0; i < worker->n; i++) {
        const struct item *item = &worker->items[i];
        answers[i] = (struct answer){
            .kind = item->kind,
            .item = i,
            .event = &item->event,
            .outcome = item->kind == ANSWER_DECIDED ? &item->outcome : NULL,
            .ledger_index = item->ledger_index,
            .quarantine_id = item->quarantine_id,
        };
    }
}

enum status worker_process(struct worker *worker, const struct raw_event *events, size_t n,
                           struct answer *answers, struct error *error)
{
    assert(n <= MAX_BATCH);
    int64_t began_ns = worker->profile ? thread_cpu_ns() : 0;
    arena_reset(worker->arena);
    buffer_reset(&worker->inputs);
    worker->n = 0;
    if (!worker_admit(worker, n))
        return worker_refuse(worker, n, answers);
    gate_enter(&worker->engine->gate);
    enum status status = accept_all(worker, events, n, error);
    settle_inputs(worker);
    profile_add(worker, STAGE_ACCEPT, &began_ns);
    if (status == STATUS_OK)
        status = run_steps(worker, began_ns, error);
    if (status != STATUS_OK)
        forget_ids(worker);
    gate_leave(&worker->engine->gate);
    worker_admitted(worker);
    if (status != STATUS_OK)
        return status;
    fill_answers(worker, answers);
    return STATUS_OK;
}

enum status worker_csv_header(struct worker *worker, struct slice header, struct error *error)
{
    return decoder_csv_header(worker->csv, header, error);
}

void worker_set_options(struct worker *worker, const struct worker_options *options)
{
    worker->options = *options;
}

void worker_profile(struct worker *worker, struct pipeline_profile *profile)
{
    worker->profile = profile;
}

/* ---- making and ending ---- */

static bool allocate(struct worker *worker)
{
    size_t n_features = worker->engine->features->n_features;
    worker->arena = arena_create(ARENA_BYTES);
    buffer_init(&worker->inputs, INPUTS_BYTES);
    worker->items = calloc(MAX_BATCH, sizeof *worker->items);
    worker->features = calloc(MAX_BATCH * n_features, sizeof *worker->features);
    worker->gathered = calloc(MAX_BATCH * n_features, sizeof *worker->gathered);
    worker->gathered_items = calloc(MAX_BATCH, sizeof *worker->gathered_items);
    worker->margins = calloc(MAX_BATCH, sizeof *worker->margins);
    worker->scores = calloc(MAX_BATCH, sizeof *worker->scores);
    worker->contribs = calloc(n_features + 1, sizeof *worker->contribs);
    worker->requests = calloc(MAX_BATCH, sizeof *worker->requests);
    worker->entries = calloc(MAX_BATCH, sizeof *worker->entries);
    worker->entry_items = calloc(MAX_BATCH, sizeof *worker->entry_items);
    return worker->arena && worker->items && worker->features && worker->gathered &&
           worker->gathered_items && worker->margins && worker->scores && worker->contribs &&
           worker->requests && worker->entries && worker->entry_items;
}

enum status worker_create(struct engine *engine, const struct worker_options *options,
                          struct worker **worker, struct error *error)
{
    *worker = NULL;
    struct worker *made = calloc(1, sizeof *made);
    if (!made)
        return error_set(error, STATUS_MEMORY, "out of memory");
    made->engine = engine;
    made->options = *options;
    made->number = atomic_fetch_add(&engine->n_workers, 1);
    bool additional = contract_additional_fields(engine->parts.contract);
    enum status status = STATUS_OK;
    if (!allocate(made))
        status = error_set(error, STATUS_MEMORY, "out of memory for a worker");
    if (status == STATUS_OK)
        status = feature_scratch_create(engine->store, &made->feature_scratch, error);
    if (status == STATUS_OK)
        status = decoder_create(engine->schema, additional, &made->json, error);
    if (status == STATUS_OK)
        status = decoder_create(engine->schema, additional, &made->csv, error);
    if (status == STATUS_OK)
        status = scorer_scratch_create(MAX_BATCH, MAX_FEATURES, &made->scorer_scratch, error);
    if (status == STATUS_OK)
        status = rules_scratch_create(&made->rules_scratch, error);
    if (status == STATUS_OK)
        status = traffic_reader_create(engine->traffic, &made->traffic, error);
    if (status != STATUS_OK) {
        worker_destroy(made);
        return status;
    }
    *worker = made;
    return STATUS_OK;
}

void worker_destroy(struct worker *worker)
{
    if (!worker)
        return;
    traffic_reader_destroy(worker->traffic);
    rules_scratch_destroy(worker->rules_scratch);
    scorer_scratch_destroy(worker->scorer_scratch);
    decoder_destroy(worker->csv);
    decoder_destroy(worker->json);
    feature_scratch_destroy(worker->feature_scratch);
    free(worker->entry_items);
    free(worker->entries);
    free(worker->requests);
    free(worker->contribs);
    free(worker->scores);
    free(worker->margins);
    free(worker->gathered_items);
    free(worker->gathered);
    free(worker->features);
    free(worker->items);
    buffer_free(&worker->inputs);
    arena_destroy(worker->arena);
    free(worker);
}
