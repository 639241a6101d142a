/* The last steps of a batch: rows into the ledger's queue, duplicates tied to their first row,
 * and what happened counted. Run by the worker's thread. */
#include <stdlib.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/base/hash.h"
#include "engine/worker_priv.h"

#define DOCUMENT_BYTES  (4u << 20)
#define LOOK_AHEAD      8 /* events */
#define LOOK_AGAIN_US   50
#define FIRST_ROW_LOOKS 20000 /* a second in all; who has it may wait for room in the queue */

/* In a replay two runs must write the same rows, so nothing random or measured enters them. */
static void finish_outcome(struct worker *worker, struct item *item)
{
    static const uint8_t none[16];
    struct outcome *outcome = &item->outcome;
    outcome->decided_at_us = item->now_us;
    outcome->latency_us = item->received_ns ? (monotonic_ns() - item->received_ns) / 1000 : -1;
    if (memcmp(outcome->trace_id, none, sizeof none) != 0)
        return;
    uint64_t salt = worker->engine->parts.event_time ? 0 : (uint64_t)monotonic_ns();
    struct hash128 made = hash128(item->id.data, item->id.size, salt);
    memcpy(outcome->trace_id, &made.low, 8);
    memcpy(outcome->trace_id + 8, &made.high, 8);
    if (memcmp(outcome->trace_id, none, sizeof none) == 0)
        outcome->trace_id[15] = 1; /* W3C: not all zeros */
}

/* A CSV record says nothing without its header: quarantine keeps both. */
static enum status keep_document(struct worker *worker, struct item *item, struct error *error)
{
    if (!item->csv)
        return STATUS_OK;
    struct buffer document;
    buffer_init(&document, DOCUMENT_BYTES);
    decoder_document(worker->csv, FORMAT_CSV, item->event.raw, &document);
    char *copy = document.overflow ? NULL : arena_alloc(worker->arena, document.size + 1);
    if (copy) {
        memcpy(copy, document.data, document.size);
        item->event.raw = slice_make(copy, document.size);
    }
    buffer_free(&document);
    return copy ? STATUS_OK : error_set(error, STATUS_MEMORY, "out of memory for a bad event");
}

static struct ledger_entry entry_for(struct item *item)
{
    struct ledger_entry entry = {.position = item->event.position};
    if (item->kind == ANSWER_DECIDED) {
        entry.kind = ENTRY_DECISION;
        entry.decision.outcome = &item->outcome;
        entry.decision.event_id = item->id;
        entry.decision.entity = item->entity;
        entry.decision.input = item->input;
    } else if (item->kind == ANSWER_DUPLICATE) {
        entry.kind = ENTRY_POSITION;
    } else {
        entry.kind = ENTRY_QUARANTINE;
        entry.quarantine.event = &item->event;
    }
    return entry;
}

static size_t collect_entries(struct worker *worker)
{
    size_t n = 0;
    for (size_t i = 0; i < worker->n; i++) {
        struct item *item = &worker->items[i];
        if (item->kind == ANSWER_REFUSED)
            continue;
        if (item->kind == ANSWER_DUPLICATE && item->event.position.source < 0)
            continue; /* nothing to say: no row and no position */
        worker->entries[n] = entry_for(item);
        worker->entry_items[n++] = (int)i;
    }
    return n;
}

/* Asks for where the id of an event further on is kept. */
static void foresee(const struct worker *worker, size_t entry, size_t n_entries)
{
    if (worker->engine->unique && entry < n_entries)
        unique_prefetch(worker->engine->unique, worker->items[worker->entry_items[entry]].id);
}

static void take_indexes(struct worker *worker, size_t n_entries)
{
    for (size_t i = 0; i < n_entries; i++) {
        foresee(worker, i + LOOK_AHEAD, n_entries);
        struct item *item = &worker->items[worker->entry_items[i]];
        if (item->kind == ANSWER_DECIDED) {
            item->ledger_index = worker->entries[i].index;
            if (worker->engine->unique)
                unique_assign(worker->engine->unique, item->id, item->ledger_index);
        } else if (worker->entries[i].kind == ENTRY_QUARANTINE) {
            item->quarantine_id = worker->entries[i].index;
        }
    }
}

/* A duplicate of an event that had no row yet: it does by now if it was in this batch; if another
 * worker has it, that worker submits in a moment. */
static void resolve_duplicate(struct worker *worker, struct item *item)
{
    struct unique *unique = worker->engine->unique;
    for (int looks = 0; item->ledger_index == UNIQUE_PENDING && looks < FIRST_ROW_LOOKS; looks++) {
        enum unique_result known =
            unique_reserve(unique, item->id, item->content, item->now_us, &item->ledger_index);
        if (known == UNIQUE_NEW) { /* its first attempt was refused: so is this one */
            unique_forget(unique, item->id);
            break;
        }
        if (item->ledger_index == UNIQUE_PENDING)
            pause_us(LOOK_AGAIN_US);
    }
    if (item->ledger_index == UNIQUE_PENDING)
        item->kind = ANSWER_REFUSED;
    else if (item->kind == ANSWER_DUPLICATE &&
             (worker->repeated == UINT64_MAX || item->ledger_index > worker->repeated))
        worker->repeated = item->ledger_index;
}

static void resolve_duplicates(struct worker *worker)
{
    for (size_t i = 0; i < worker->n; i++) {
        if (worker->items[i].kind == ANSWER_DUPLICATE)
            resolve_duplicate(worker, &worker->items[i]);
    }
}

static void finish_outcomes(struct worker *worker)
{
    for (size_t i = 0; i < worker->n; i++) {
        struct item *item = &worker->items[i];
        if (item->kind == ANSWER_DECIDED)
            finish_outcome(worker, item);
        if (!worker->engine->ledger)
            item->outcome.ledger_index = UINT64_MAX;
    }
}

static enum status keep_documents(struct worker *worker, struct error *error)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < worker->n && status == STATUS_OK; i++) {
        struct item *item = &worker->items[i];
        if (item->kind == ANSWER_QUARANTINED || item->kind == ANSWER_CONFLICT)
            status = keep_document(worker, item, error);
    }
    return status;
}

static enum status submit(struct worker *worker, struct error *error)
{
    size_t n = collect_entries(worker);
    if (n == 0)
        return STATUS_OK;
    unsigned flags = worker->reserved > 0 ? SUBMIT_RESERVED : SUBMIT_WAIT;
    enum status status =
        ledger_submit(worker->engine->ledger, worker->entries, n, flags, &worker->ticket, error);
    if (status != STATUS_OK)
        return status;
    worker->reserved -= worker->reserved > 0 ? n : 0;
    worker->waiting = true;
    take_indexes(worker, n);
    return STATUS_OK;
}

enum status step_record(struct worker *worker, struct error *error)
{
    finish_outcomes(worker);
    if (!worker->engine->ledger)
        return STATUS_OK;
    enum status status = keep_documents(worker, error);
    if (status == STATUS_OK)
        status = submit(worker, error);
    if (status == STATUS_OK)
        resolve_duplicates(worker);
    return status;
}

enum status step_observe(struct worker *worker, struct error *error)
{
    (void)error;
    struct observe *observe = worker->engine->observe;
    const struct outcome *outcomes[MAX_BATCH];
    size_t n = 0;
    for (size_t i = 0; i < worker->n; i++) {
        struct item *item = &worker->items[i];
        switch (item->kind) {
        case ANSWER_DECIDED:
            outcomes[n++] = &item->outcome;
            break;
        case ANSWER_DUPLICATE:
            observe_duplicate(observe, worker->number, item->now_us);
            break;
        case ANSWER_CONFLICT:
        case ANSWER_QUARANTINED:
            observe_quarantine(observe, worker->number, &item->event, item->now_us);
            break;
        case ANSWER_REFUSED:
            observe_error(observe, worker->number, item->now_us);
            break;
        }
    }
    observe_outcomes(observe, worker->number, outcomes, n);
    return STATUS_OK;
}
