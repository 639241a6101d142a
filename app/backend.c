/* Answers HTTP requests by running the pipeline on the request's own thread. Pipeline workers are
 * kept in a pool and made as they are needed. Any thread. A server with a loop scores through
 * gather.c instead. */
#include "app/backend_priv.h"

#include <stdlib.h>

#include "app/gather.h"
#include "engine/observe/metrics.h"
#include "engine/observe/observe.h"
#include "engine/reasons.h"

/* ---- the pool ---- */

struct worker *backend_borrow(struct backend *backend, struct error *error)
{
    struct worker *worker = NULL;
    lock_take(&backend->lock);
    while (backend->n_idle == 0 && backend->n_made == backend->n_most)
        condition_wait(&backend->returned, &backend->lock, -1);
    if (backend->n_idle > 0)
        worker = backend->idle[--backend->n_idle];
    else
        backend->n_made++;
    lock_release(&backend->lock);
    if (worker || worker_create(backend->engine, &backend->options, &worker, error) == STATUS_OK)
        return worker;
    lock_take(&backend->lock);
    backend->n_made--;
    pthread_cond_signal(&backend->returned);
    lock_release(&backend->lock);
    return NULL;
}

void backend_return(struct backend *backend, struct worker *worker)
{
    lock_take(&backend->lock);
    backend->idle[backend->n_idle++] = worker;
    pthread_cond_signal(&backend->returned);
    lock_release(&backend->lock);
}

/* ---- scoring ---- */

static int score_one(struct backend *backend, struct worker *worker,
                     const struct web_score_request *request, struct buffer *out,
                     struct error *error)
{
    struct raw_event event = gather_event(request, request->body, monotonic_ns());
    struct answer answer;
    enum status status = worker_process(worker, &event, 1, &answer, error);
    if (status == STATUS_OK)
        status = worker_settle(worker, error);
    if (status != STATUS_OK)
        return 503;
    int code = gather_code(answer.kind);
    if (code == 503) {
        *error = *worker_refusal(worker);
        return code;
    }
    if (code != 200)
        answer_problem_json(&answer, out);
    else if (!answer_json(worker, &answer, out))
        code = 503;
    observe_answer_latency(engine_observe(backend->engine),
                           (monotonic_ns() - event.received_ns) / 1000);
    return code;
}

static int score(void *context, const struct web_score_request *request, struct buffer *out,
                 struct error *error)
{
    struct backend *backend = context;
    struct worker *worker = backend_borrow(backend, error);
    if (!worker)
        return 503;
    int code = score_one(backend, worker, request, out, error);
    backend_return(backend, worker);
    return code;
}

static void score_gathered(void *context, const struct web_score_call *calls, size_t n,
                           web_score_done *done)
{
    struct backend *backend = context;
    gather_score(backend->gather, calls, n, done);
}

static void settle_gathered(void *context)
{
    struct backend *backend = context;
    gather_settle(backend->gather);
}

static int recorded(void *context, uint64_t ledger_index, struct buffer *out, struct error *error)
{
    struct backend *backend = context;
    enum status status = engine_recorded_answer(backend->engine, ledger_index, out, error);
    return status == STATUS_OK ? 200 : 503;
}

/* ---- why ---- */

static int decision(void *context, const char *event_id, int max_reasons, struct buffer *out,
                    struct error *error)
{
    struct backend *backend = context;
    return web_code(
        engine_explain_event(backend->engine, slice_of(event_id), max_reasons, out, error));
}

static void metrics(void *context, struct buffer *out)
{
    struct backend *backend = context;
    const struct snapshot *snapshot = snapshot_acquire(backend->board);
    if (!snapshot)
        return;
    metrics_text(snapshot, out);
    snapshot_release(snapshot);
}

/* ---- making and ending ---- */

enum status backend_create(struct engine *engine, struct snapshot_board *board, int max_workers,
                           const struct worker_options *options, struct backend **backend,
                           struct error *error)
{
    struct backend *made = calloc(1, sizeof *made);
    if (made)
        made->idle = calloc((size_t)max_workers, sizeof *made->idle);
    if (!made || !made->idle) {
        free(made);
        return error_set(error, STATUS_MEMORY, "out of memory");
    }
    made->engine = engine;
    made->options = *options;
    made->board = board;
    made->n_most = max_workers;
    lock_init(&made->lock, "backend.pool");
    lock_init(&made->split, "backend.split");
    condition_init(&made->returned);
    enum status status = gather_create(engine, options, &made->gather, error);
    if (status != STATUS_OK) {
        backend_destroy(made);
        return status;
    }
    *backend = made;
    return STATUS_OK;
}

void backend_list_changes(struct backend *backend, struct changes *changes)
{
    backend->changes = changes;
}

void backend_destroy(struct backend *backend)
{
    if (!backend)
        return;
    gather_destroy(backend->gather);
    for (int i = 0; i < backend->n_idle; i++)
        worker_destroy(backend->idle[i]);
    pthread_cond_destroy(&backend->returned);
    lock_destroy(&backend->split);
    lock_destroy(&backend->lock);
    free(backend->idle);
    free(backend);
}

void backend_tell(struct backend *backend, const struct backend_about *about)
{
    backend->about = *about;
}

void backend_table(struct backend *backend, struct web_backend *table)
{
    *table = (struct web_backend){
        .context = backend,
        .board = backend->board,
        .score = score,
        .gather = {.max_calls = GATHER_CALLS,
                   .score = score_gathered,
                   .settle = settle_gathered,
                   .fd = gather_fd(backend->gather),
                   .recorded = recorded},
        .score_batch = backend_score_batch,
        .decision = decision,
        .labels = backend_labels,
        .traffic_get = backend_traffic_get,
        .traffic_set = backend_traffic_set,
        .settings = backend->about.config ? backend_settings : NULL,
        .views = backend->about.config ? backend_views : NULL,
        .logs = backend->about.log ? backend_logs : NULL,
        .metrics = metrics,
    };
}
