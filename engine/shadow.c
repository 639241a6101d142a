/* Shadow models on live traffic: scored by a thread of their own from copies of the served
 * features, so that an answer never waits for them. The copies are made into slots that are there
 * from the start; when none is free the event is left out and counted, and the screens show that
 * and how much of its share a shadow has really seen. */
#include "engine/shadow.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/thread.h"
#include "engine/reasons_priv.h"
#include "engine/worker_priv.h"

#define SHADOW_QUEUE 4096

struct shadow_job {
    struct observed_shadow seen;
    struct scorer *shadows[MAX_SHADOWS];
    int n_shadows;
    float *features; /* one row of the view */
};

struct shadow {
    struct engine *engine;
    struct queue *queue;     /* jobs to do */
    struct queue *spare;     /* jobs that nobody uses */
    struct shadow_job *jobs; /* SHADOW_QUEUE of them, each with its part of `rows` */
    float *rows;
    struct thread *thread;
    struct scorer_scratch *scratch;
    int number; /* of its counters in observe */
    _Atomic uint64_t left_out;
};

/* The row as this model wants it: the next one may want it otherwise. */
static enum status score_row(struct shadow *shadow, const struct scorer *scorer, const float *row,
                             float *score, struct error *error)
{
    float scaled[MAX_FEATURES];
    memcpy(scaled, row, shadow->engine->features->n_features * sizeof *scaled);
    reasons_scale(shadow->engine, scorer, scaled, 1);
    return scorer_score(scorer, shadow->scratch, scaled, 1, NULL, score, error);
}

static void run_job(struct shadow *shadow, const struct shadow_job *job)
{
    for (int i = 0; i < job->n_shadows; i++) {
        struct error error;
        const struct model *model = scorer_model(job->shadows[i]);
        struct shadow_score made = {.model = model_name(model), .version = model_version(model)};
        if (score_row(shadow, job->shadows[i], job->features, &made.score, &error) != STATUS_OK) {
            log_write(shadow->engine->parts.log, LOG_ERROR, "traffic", "shadow_failed", "%s",
                      error.message);
            continue;
        }
        observe_shadow(shadow->engine->observe, shadow->number, &job->seen, &made);
    }
}

static void give_back(struct shadow *shadow, struct shadow_job *job)
{
    enum status status = queue_push(shadow->spare, job);
    assert(status == STATUS_OK); /* there is room for all of them */
    (void)status;
}

static void run(void *context)
{
    struct shadow *shadow = context;
    void *jobs[64];
    for (;;) {
        size_t n = queue_take(shadow->queue, jobs, 64, 1000);
        for (size_t i = 0; i < n; i++) {
            run_job(shadow, jobs[i]);
            give_back(shadow, jobs[i]);
        }
        if (n == 0 && queue_is_closed(shadow->queue))
            return;
    }
}

/* All jobs there will ever be: none is made per event. */
static enum status make_jobs(struct shadow *shadow, struct error *error)
{
    size_t width = shadow->engine->features->n_features;
    shadow->queue = queue_create("shadow", SHADOW_QUEUE, QUEUE_REFUSE);
    shadow->spare = queue_create("shadow.spare", SHADOW_QUEUE, QUEUE_REFUSE);
    shadow->jobs = calloc(SHADOW_QUEUE, sizeof *shadow->jobs);
    shadow->rows = calloc(SHADOW_QUEUE * width, sizeof *shadow->rows);
    if (!shadow->queue || !shadow->spare || !shadow->jobs || !shadow->rows)
        return error_set(error, STATUS_MEMORY, "out of memory");
    for (size_t i = 0; i < SHADOW_QUEUE; i++) {
        shadow->jobs[i].features = shadow->rows + i * width;
        give_back(shadow, &shadow->jobs[i]);
    }
    return STATUS_OK;
}

enum status shadow_create(struct engine *engine, struct shadow **shadow, struct error *error)
{
    *shadow = NULL;
    struct shadow *made = calloc(1, sizeof *made);
    if (!made)
        return error_set(error, STATUS_MEMORY, "out of memory");
    made->engine = engine;
    made->number = atomic_fetch_add(&engine->n_workers, 1);
    enum status status = make_jobs(made, error);
    if (status == STATUS_OK)
        status = scorer_scratch_create(1, MAX_FEATURES, &made->scratch, error);
    if (status == STATUS_OK)
        status = thread_start("shadow", run, made, &made->thread, error);
    if (status != STATUS_OK) {
        shadow_destroy(made);
        return status;
    }
    *shadow = made;
    return STATUS_OK;
}

void shadow_destroy(struct shadow *shadow)
{
    if (!shadow)
        return;
    if (shadow->queue)
        queue_close(shadow->queue);
    thread_join(shadow->thread);
    scorer_scratch_destroy(shadow->scratch);
    queue_destroy(shadow->queue);
    queue_destroy(shadow->spare);
    free(shadow->rows);
    free(shadow->jobs);
    free(shadow);
}

static void offer(struct shadow *shadow, const struct item *item, struct shadow_job *job)
{
    const struct feature_vector *vector = &item->outcome.features;
    job->seen = (struct observed_shadow){item->now_us, item->outcome.event->time_us,
                                         item->outcome.score, job->features};
    job->n_shadows = item->n_shadows;
    memcpy(job->shadows, item->shadows, sizeof job->shadows);
    memcpy(job->features, vector->values, vector->schema->n_features * sizeof(float));
    if (queue_push(shadow->queue, job) != STATUS_OK)
        give_back(shadow, job); /* it is closed */
}

static bool is_wanted(const struct item *item)
{
    return item->alive && item->n_shadows > 0;
}

static void leave_out(struct shadow *shadow, const struct item *items, size_t n)
{
    uint64_t left_out = 0;
    for (size_t i = 0; i < n; i++)
        left_out += is_wanted(&items[i]);
    atomic_fetch_add_explicit(&shadow->left_out, left_out, memory_order_relaxed);
}

void shadow_offer(struct worker *worker)
{
    struct shadow *shadow = worker->engine->shadow;
    for (size_t i = 0; i < worker->n; i++) {
        void *job;
        if (!is_wanted(&worker->items[i]))
            continue;
        if (queue_take(shadow->spare, &job, 1, 0) == 0) { /* all of them wait or run */
            leave_out(shadow, worker->items + i, worker->n - i);
            return;
        }
        offer(shadow, &worker->items[i], job);
    }
}

void shadow_queue(struct shadow *shadow, struct queue_statuses *queues)
{
    queues_add(queues, "shadow", queue_depth(shadow->queue), SHADOW_QUEUE,
               atomic_load_explicit(&shadow->left_out, memory_order_relaxed));
}
