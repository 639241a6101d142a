/* A worker: takes a batch from bytes (accept.c) through the table of steps to answers. Each step
 * works on the whole batch. Used by one thread. */
#include "engine/pipeline.h"

#include <assert.h>
#include <stdlib.h>

#include "engine/base/clock.h"
#include "engine/worker_priv.h"

#define ARENA_BYTES (64u << 20)

typedef enum status step_run(struct worker *worker, struct error *error);

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
    enum status status = accept_events(worker, events, n, error);
    profile_add(worker, STAGE_ACCEPT, &began_ns);
    if (status == STATUS_OK)
        status = run_steps(worker, began_ns, error);
    if (status != STATUS_OK)
        accept_forget(worker);
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
