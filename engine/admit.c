/* Who may begin, and when an answer may be given. A caller who waits for an answer is turned away
 * before anything is done for it when the ledger cannot be written, or will not have it on the disk
 * in time; a source waits instead. Run by the worker's thread. */
#include "engine/worker_priv.h"

#define LATER_MAX_S 30
#define LATER_SHARE 10 /* of how long it has not been written: callers need not hurry back */

/* When it is worth trying again: after what waits is written; while nothing is written, soon at
 * first and the later, the longer it lasts. */
static int retry_after_s(const struct ledger_stats *stats)
{
    int64_t seconds = stats->wait_us / US_PER_S + 1;
    if (stats->health != LEDGER_OK)
        seconds = 1 + stats->current_stop_us / US_PER_S / LATER_SHARE;
    if (stats->health == LEDGER_FAILED || seconds > LATER_MAX_S)
        seconds = LATER_MAX_S;
    return (int)seconds;
}

static void advise(const struct engine *engine, struct error *error)
{
    struct ledger_stats stats = {.health = LEDGER_OK};
    if (engine->ledger)
        ledger_stats(engine->ledger, &stats);
    error->retry_after_s = retry_after_s(&stats);
}

bool worker_admit(struct worker *worker, size_t n)
{
    worker->reserved = 0;
    worker->waiting = false;
    worker->repeated = UINT64_MAX;
    worker->refusal.code = STATUS_OK;
    if (!worker->engine->ledger || worker->options.wait_for_room)
        return true;
    enum status status = ledger_reserve(worker->engine->ledger, n, &worker->refusal);
    worker->reserved = status == STATUS_OK ? n : 0;
    return status == STATUS_OK;
}

void worker_admitted(struct worker *worker)
{
    if (worker->engine->ledger)
        ledger_unreserve(worker->engine->ledger, worker->reserved);
    worker->reserved = 0;
}

enum status worker_refuse(struct worker *worker, size_t n, struct answer *answers)
{
    struct engine *engine = worker->engine;
    int64_t now_us = clock_now_us(engine->parts.clock);
    bool busy = worker->refusal.code == STATUS_FULL;
    error_set(&worker->refusal, STATUS_FULL,
              "nothing was decided: the ledger %s; send the event again",
              busy ? "cannot keep up" : "is not written at present");
    advise(engine, &worker->refusal);
    for (size_t i = 0; i < n; i++) {
        answers[i] = (struct answer){.kind = ANSWER_REFUSED, .item = i, .ledger_index = UINT64_MAX};
        observe_error(engine->observe, worker->number, now_us);
    }
    atomic_fetch_add_explicit(&engine->refused, n, memory_order_relaxed);
    return STATUS_OK;
}

const struct error *worker_refusal(struct worker *worker)
{
    if (worker->refusal.code == STATUS_OK) { /* the batch was let in, but not this event of it */
        error_set(&worker->refusal, STATUS_FULL, "nothing was decided; send the event again later");
        advise(worker->engine, &worker->refusal);
    }
    return &worker->refusal;
}

enum status worker_wait(struct worker *worker, struct error *error)
{
    if (!worker->waiting)
        return STATUS_OK;
    enum status status = ledger_wait(worker->engine->ledger, worker->ticket, -1, error);
    worker->waiting = status != STATUS_OK;
    return status;
}

uint64_t worker_ticket(const struct worker *worker)
{
    return worker->ticket;
}

bool worker_take_ticket(struct worker *worker, uint64_t *ticket)
{
    bool waiting = worker->waiting;
    worker->waiting = false;
    *ticket = worker->ticket;
    return waiting;
}

static size_t count_answers(const struct worker *worker)
{
    size_t n = 0;
    for (size_t i = 0; i < worker->n; i++)
        n += worker->items[i].kind != ANSWER_REFUSED;
    return n;
}

static void say_not_settled(enum status status, struct error *error)
{
    error_set(
        error, status,
        "not on the disk yet: %s; send the event again and it gets the decision that was made",
        status == STATUS_IO ? "the ledger is not written at present"
                            : "the disk of the ledger is slow");
}

void worker_not_settled(struct worker *worker, enum status status, size_t n, struct error *error)
{
    struct engine *engine = worker->engine;
    int64_t now_us = clock_now_us(engine->parts.clock);
    for (size_t i = 0; i < n; i++)
        observe_error(engine->observe, worker->number, now_us);
    atomic_fetch_add_explicit(&engine->unconfirmed, n, memory_order_relaxed);
    say_not_settled(status, error);
    advise(engine, error);
}

enum status engine_await_row(struct engine *engine, uint64_t ledger_index, struct error *error)
{
    struct error cause;
    enum status status =
        ledger_wait_index(engine->ledger, ledger_index, ENGINE_PATIENCE_MS, &cause);
    if (status == STATUS_OK)
        return status;
    atomic_fetch_add_explicit(&engine->unconfirmed, 1, memory_order_relaxed);
    say_not_settled(status, error);
    advise(engine, error);
    return status;
}

enum status worker_settle(struct worker *worker, struct error *error)
{
    struct ledger *ledger = worker->engine->ledger;
    enum status status = STATUS_OK;
    struct error cause;
    if (worker->waiting)
        status = ledger_settle(ledger, worker->ticket, ENGINE_PATIENCE_MS, &cause);
    if (status == STATUS_OK && ledger && worker->repeated != UINT64_MAX)
        status = ledger_wait_index(ledger, worker->repeated, ENGINE_PATIENCE_MS, &cause);
    worker->waiting = worker->waiting && status != STATUS_OK;
    if (status == STATUS_OK)
        return status;
    worker_not_settled(worker, status, count_answers(worker), error);
    return status;
}
