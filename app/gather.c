/* Requests scored together. A batch is what had arrived when the loop came round; while its rows
 * are being committed the loop goes on, so the next batch forms by itself from what arrives
 * meanwhile, and one commit and one pass over cold memory serve many answers.
 *
 * Answers are written at once, while the pipeline still has what they are made of, and held back
 * until the ledger says that the batch's ticket is on the disk; tickets rise, so those who wait
 * stand in a ring. With durability `batch` nobody waits. A repeated event is answered from the
 * record, which may mean reading the disk: that is handed back for a thread that may wait. */
#include "app/gather.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/observe/observe.h"
#include "engine/record/ledger.h"

/* Of requests in one pass, so that none is large for long. */
#define BATCH_BYTES ((size_t)4 << 20)

struct waiting {
    uint64_t ticket;
    void *asker;
    int64_t received_ns;
    int code;
};

struct gather {
    struct engine *engine;
    struct worker_options options;
    struct worker *worker; /* made by the first call */
    int fd;
    web_score_done *done;
    struct raw_event events[MAX_BATCH];
    struct answer answers[MAX_BATCH];
    struct waiting ring[WEB_SCORE_CONNECTIONS];
    size_t first, n_waiting;
};

/* ---- a request's event and its status ---- */

struct raw_event gather_event(const struct web_score_request *request, struct slice bytes,
                              int64_t received_ns)
{
    struct raw_event event = {.bytes = bytes,
                              .position.source = -1,
                              .received_ns = received_ns,
                              .reasons_asked = request->reasons_asked,
                              .max_reasons = request->max_reasons};
    memcpy(event.trace_id, request->trace.id, sizeof event.trace_id);
    return event;
}

int gather_code(enum answer_kind kind)
{
    switch (kind) {
    case ANSWER_DECIDED:
    case ANSWER_DUPLICATE:
        return 200;
    case ANSWER_CONFLICT:
        return 409;
    case ANSWER_QUARANTINED:
        return 422;
    case ANSWER_REFUSED:
        return 503;
    }
    return 500;
}

/* ---- the end of a request ---- */

static void end(struct gather *gather, const struct waiting *request)
{
    const struct web_score_end how = {.code = request->code};
    observe_answer_latency(engine_observe(gather->engine),
                           (monotonic_ns() - request->received_ns) / 1000);
    gather->done(request->asker, &how);
}

static void fail(struct gather *gather, void *asker, const struct error *error)
{
    const struct web_score_end how = {.code = 503, .error = error};
    gather->done(asker, &how);
}

/* The first of the ring, whatever becomes of it. */
static struct waiting take_waiting(struct gather *gather)
{
    struct waiting first = gather->ring[gather->first];
    gather->first = (gather->first + 1) % WEB_SCORE_CONNECTIONS;
    gather->n_waiting--;
    return first;
}

static void wait_for_disk(struct gather *gather, const struct waiting *request)
{
    if (gather->n_waiting == WEB_SCORE_CONNECTIONS) {
        struct error error;
        error_set(&error, STATUS_FULL, "too many requests wait for the disk");
        fail(gather, request->asker, &error);
        return;
    }
    size_t last = (gather->first + gather->n_waiting++) % WEB_SCORE_CONNECTIONS;
    gather->ring[last] = *request;
}

/* Everybody who has waited for so long, or at all when the disk refuses. */
static void give_up(struct gather *gather, enum status status, int64_t since_ns)
{
    size_t n = 0;
    while (n < gather->n_waiting &&
           gather->ring[(gather->first + n) % WEB_SCORE_CONNECTIONS].received_ns <= since_ns)
        n++;
    if (n == 0)
        return;
    struct error error;
    worker_not_settled(gather->worker, status, n, &error);
    for (size_t i = 0; i < n; i++) {
        struct waiting request = take_waiting(gather);
        fail(gather, request.asker, &error);
    }
}

void gather_settle(struct gather *gather)
{
    struct ledger_stats stats;
    if (gather->n_waiting == 0)
        return;
    ledger_stats(engine_ledger(gather->engine), &stats);
    while (gather->n_waiting > 0 && gather->ring[gather->first].ticket <= stats.durable) {
        struct waiting request = take_waiting(gather);
        end(gather, &request);
    }
    if (stats.health != LEDGER_OK)
        give_up(gather, STATUS_IO, INT64_MAX);
    else
        give_up(gather, STATUS_UNAVAILABLE, monotonic_ns() - (int64_t)ENGINE_PATIENCE_MS * 1000000);
}

/* ---- a batch ---- */

static void answer(struct gather *gather, const struct web_score_call *call, size_t i,
                   const uint64_t *ticket)
{
    const struct answer *given = &gather->answers[i];
    struct waiting request = {.asker = call->asker,
                              .received_ns = gather->events[i].received_ns,
                              .code = gather_code(given->kind)};
    struct web_score_end repeat = {.recorded = true, .ledger_index = given->ledger_index};
    switch (given->kind) {
    case ANSWER_REFUSED:
        fail(gather, call->asker, worker_refusal(gather->worker));
        return;
    case ANSWER_DUPLICATE:
        if (engine_ledger(gather->engine) && given->ledger_index != UINT64_MAX) {
            gather->done(call->asker, &repeat);
            return;
        }
        (void)answer_json(gather->worker, given, call->out);
        break;
    case ANSWER_CONFLICT:
    case ANSWER_QUARANTINED:
        answer_problem_json(given, call->out);
        break;
    case ANSWER_DECIDED:
        (void)answer_json(gather->worker, given, call->out);
        break;
    }
    if (!ticket) {
        end(gather, &request);
        return;
    }
    request.ticket = *ticket;
    wait_for_disk(gather, &request);
}

static enum status process(struct gather *gather, size_t n, struct error *error)
{
    enum status status = STATUS_OK;
    if (!gather->worker)
        status = worker_create(gather->engine, &gather->options, &gather->worker, error);
    if (status == STATUS_OK)
        status = worker_process(gather->worker, gather->events, n, gather->answers, error);
    return status;
}

/* With durability `batch` an answer may be given before its row is on the disk. */
static bool must_wait(const struct gather *gather, uint64_t ticket)
{
    struct error error;
    return engine_parts(gather->engine)->batch_us == 0 ||
           ledger_settle(engine_ledger(gather->engine), ticket, 0, &error) != STATUS_OK;
}

static void score_batch(struct gather *gather, const struct web_score_call *calls, size_t n)
{
    struct error error;
    uint64_t ticket;
    if (process(gather, n, &error) != STATUS_OK) {
        for (size_t i = 0; i < n; i++)
            fail(gather, calls[i].asker, &error);
        return;
    }
    bool waits = worker_take_ticket(gather->worker, &ticket) && must_wait(gather, ticket);
    for (size_t i = 0; i < n; i++)
        answer(gather, &calls[i], i, waits ? &ticket : NULL);
}

void gather_score(struct gather *gather, const struct web_score_call *calls, size_t n,
                  web_score_done *done)
{
    int64_t now_ns = monotonic_ns();
    gather->done = done;
    for (size_t from = 0, to; from < n; from = to) {
        size_t bytes = 0;
        for (to = from; to < n && to - from < MAX_BATCH && bytes < BATCH_BYTES; to++) {
            const struct web_score_request *request = &calls[to].request;
            gather->events[to - from] = gather_event(request, request->body, now_ns);
            bytes += request->body.size;
        }
        score_batch(gather, calls + from, to - from);
    }
    gather_settle(gather); /* a disk that refused since would not say so again for a while */
}

/* ---- making and ending ---- */

enum status gather_create(struct engine *engine, const struct worker_options *options,
                          struct gather **out, struct error *error)
{
    struct gather *gather = calloc(1, sizeof *gather);
    if (!gather)
        return error_set(error, STATUS_MEMORY, "out of memory");
    gather->engine = engine;
    gather->options = *options;
    gather->fd = -1;
    struct ledger *ledger = engine_ledger(engine);
    enum status status = ledger ? ledger_watch(ledger, &gather->fd, error) : STATUS_OK;
    if (status != STATUS_OK) {
        free(gather);
        return status;
    }
    *out = gather;
    return STATUS_OK;
}

void gather_destroy(struct gather *gather)
{
    if (!gather)
        return;
    worker_destroy(gather->worker);
    free(gather);
}

int gather_fd(const struct gather *gather)
{
    return gather->fd;
}
