/* The ledger's queue, from the submitters' side; called from any thread.
 *
 * Submitters encode into a chunk of their own (chunk.c), then take the lock for as long as it
 * takes to number the chunk's leaves and append it to the queue. The writer (writer.c) takes
 * everything that is there, commits it in groups and moves `durable` on. Rows count against the
 * queue's bound until they are committed, so that a disk that refuses becomes back pressure. */
#include <assert.h>
#include <stdlib.h>

#include "engine/record/ledger_priv.h"

#define MAX_SPARE   8
#define SPARE_BYTES ((size_t)8 << 20) /* larger chunks are given back to the system */

/* What is in the way of a submission of n rows; STATUS_OK: nothing. */
static enum status obstacle(const struct ledger *ledger, size_t n, size_t bytes, unsigned flags,
                            struct error *error)
{
    lock_assert_held(&ledger->lock);
    if (ledger->closing)
        return error_set(error, STATUS_END, "the ledger is closing");
    if (ledger->stats.health == LEDGER_FAILED ||
        (ledger->stats.health != LEDGER_OK && flags == SUBMIT_REFUSE))
        return error_set(error, STATUS_IO, "the ledger cannot write: %s", ledger->stats.problem);
    if (flags & SUBMIT_RESERVED)
        return STATUS_OK;
    bool fits = ledger->rows + ledger->reserved + n <= ledger->queue_rows &&
                (ledger->rows == 0 || ledger->bytes + bytes <= ledger->queue_bytes);
    if (!fits)
        return error_set(error, STATUS_FULL, "%zu entries wait to be written: try again shortly",
                         ledger->rows);
    return STATUS_OK;
}

/* An empty chunk, or NULL with the reason: not worth encoding, or no memory. */
static struct chunk *acquire_chunk(struct ledger *ledger, size_t n, unsigned flags,
                                   enum status *status, struct error *error)
{
    struct chunk *chunk = NULL;
    lock_take(&ledger->lock);
    *status = flags != SUBMIT_REFUSE ? STATUS_OK : obstacle(ledger, n, 0, flags, error);
    if (*status == STATUS_OK && ledger->spare) {
        chunk = ledger->spare;
        ledger->spare = chunk->next;
        ledger->n_spare--;
    } else if (*status != STATUS_OK) {
        ledger->stats.refused += n;
    }
    lock_release(&ledger->lock);
    if (*status == STATUS_OK && !chunk) {
        chunk = calloc(1, sizeof *chunk);
        if (!chunk)
            *status = error_set(error, STATUS_MEMORY, "out of memory for the ledger's queue");
    }
    if (chunk)
        chunk_clear(chunk);
    return chunk;
}

void chunk_release(struct ledger *ledger, struct chunk *chunk)
{
    lock_assert_held(&ledger->lock);
    if (ledger->n_spare == MAX_SPARE || chunk->bytes.capacity > SPARE_BYTES) {
        chunk_destroy(chunk);
        return;
    }
    chunk->next = ledger->spare;
    ledger->spare = chunk;
    ledger->n_spare++;
}

/* Waits for room if asked to, numbers the chunk and puts it at the end of the queue. */
static enum status enqueue(struct ledger *ledger, struct chunk *chunk, unsigned flags,
                           struct error *error)
{
    lock_assert_held(&ledger->lock);
    enum status status;
    while ((status = obstacle(ledger, chunk->n, chunk->bytes.size, flags, error)) == STATUS_FULL &&
           flags & SUBMIT_WAIT && !ledger_is_interrupted(ledger))
        condition_wait(&ledger->room, &ledger->lock, ROOM_LOOK_AGAIN_MS);
    if (status == STATUS_FULL && flags & SUBMIT_WAIT)
        status = error_set(error, STATUS_END, "stopped while the ledger had no room");
    if (status != STATUS_OK) {
        ledger->stats.refused += chunk->n;
        return status;
    }
    chunk->first_index = ledger->next_index;
    chunk->first_quarantine = ledger->next_quarantine;
    chunk->ticket = ++ledger->next_ticket;
    chunk->queued_ns = monotonic_ns();
    if (ledger->rows == 0)
        ledger->oldest_ns = chunk->queued_ns;
    if (flags & SUBMIT_RESERVED)
        ledger->reserved -= chunk->n;
    ledger->next_index += chunk->n_leaves;
    ledger->next_quarantine += chunk->n_quarantined;
    ledger->rows += chunk->n;
    ledger->bytes += chunk->bytes.size;
    if (ledger->head)
        ledger->tail->next = chunk;
    else
        ledger->head = chunk;
    ledger->tail = chunk;
    pthread_cond_signal(&ledger->work);
    return STATUS_OK;
}

enum status ledger_reserve(struct ledger *ledger, size_t n, struct error *error)
{
    lock_take(&ledger->lock);
    enum status status = obstacle(ledger, n, 0, SUBMIT_REFUSE, error);
    int64_t wait_us = health_wait_us(ledger);
    if (status == STATUS_OK && wait_us > LEDGER_LONGEST_WAIT_US)
        status =
            error_set(error, STATUS_FULL, "%zu entries wait for a slow disk, %lld ms as it looks",
                      ledger->rows, (long long)(wait_us / 1000));
    if (status == STATUS_OK && ledger->n_subjects > ledger->most_subjects / 2) {
        ledger->stats.subjects_full += n;
        status = error_set(error, STATUS_FULL, "%zu personal values wait to be written",
                           ledger->n_subjects);
    }
    if (status == STATUS_OK)
        ledger->reserved += n;
    else
        ledger->stats.refused += n;
    lock_release(&ledger->lock);
    return status;
}

void ledger_unreserve(struct ledger *ledger, size_t n)
{
    if (n == 0)
        return;
    lock_take(&ledger->lock);
    assert(ledger->reserved >= n);
    ledger->reserved -= n;
    pthread_cond_broadcast(&ledger->room);
    lock_release(&ledger->lock);
}

static void tell_indexes(struct ledger_entry *entries, size_t n, uint64_t index,
                         uint64_t quarantine)
{
    for (size_t i = 0; i < n; i++) {
        switch (entries[i].kind) {
        case ENTRY_DECISION:
            entries[i].decision.outcome->ledger_index = index;
            entries[i].index = index++;
            break;
        case ENTRY_LABEL:
        case ENTRY_ACTION:
            entries[i].index = index++;
            break;
        case ENTRY_QUARANTINE:
            entries[i].index = quarantine++;
            break;
        case ENTRY_QUARANTINE_MARK:
        case ENTRY_POSITION:
            break;
        }
    }
}

enum status ledger_submit(struct ledger *ledger, struct ledger_entry *entries, size_t n,
                          unsigned flags, uint64_t *ticket, struct error *error)
{
    assert(ledger->magic == LEDGER_MAGIC);
    if (n > ledger->queue_rows)
        return error_set(error, STATUS_INVALID, "%zu entries at once: the queue holds %zu", n,
                         ledger->queue_rows);
    if (n == 0) {
        if (ticket) {
            lock_take(&ledger->lock);
            *ticket = ledger->next_ticket;
            lock_release(&ledger->lock);
        }
        return STATUS_OK;
    }
    enum status status;
    struct chunk *chunk = acquire_chunk(ledger, n, flags, &status, error);
    if (!chunk)
        return status;
    for (size_t i = 0; i < n && status == STATUS_OK; i++)
        status = chunk_add(chunk, ledger, &entries[i], error);
    uint64_t index = 0, quarantine = 0, own_ticket = 0;
    lock_take(&ledger->lock);
    if (status == STATUS_OK)
        status = enqueue(ledger, chunk, flags, error);
    if (status == STATUS_OK) {
        index = chunk->first_index;
        quarantine = chunk->first_quarantine;
        own_ticket = chunk->ticket;
    } else {
        chunk_release(ledger, chunk);
    }
    lock_release(&ledger->lock);
    if (status != STATUS_OK)
        return status;
    tell_indexes(entries, n, index, quarantine);
    if (ticket)
        *ticket = own_ticket;
    return STATUS_OK;
}

/* What the writer has taken already ends with a group in any case. */
void ledger_fence(struct ledger *ledger, uint64_t *tree_size, uint64_t *ticket)
{
    lock_take(&ledger->lock);
    if (ledger->tail)
        ledger->tail->ends_group = true;
    *tree_size = ledger->next_index;
    *ticket = ledger->next_ticket;
    lock_release(&ledger->lock);
}

enum status ledger_flush(struct ledger *ledger, int64_t timeout_ms, struct error *error)
{
    int64_t deadline_ns = monotonic_ns() + timeout_ms * 1000000;
    lock_take(&ledger->lock);
    ledger->flushing = true;
    pthread_cond_signal(&ledger->work);
    uint64_t ticket = ledger->next_ticket;
    lock_release(&ledger->lock);
    enum status status = ledger_wait(ledger, ticket, timeout_ms, error);
    lock_take(&ledger->lock);
    while (status == STATUS_OK && ledger->n_subjects > 0) {
        ledger->flushing = true;
        pthread_cond_signal(&ledger->work);
        condition_wait(&ledger->subjects_changed, &ledger->lock, 50);
        if (ledger->n_subjects > 0 && timeout_ms >= 0 && monotonic_ns() > deadline_ns)
            status = error_set(error, STATUS_UNAVAILABLE, "not on the disk within %lld ms",
                               (long long)timeout_ms);
    }
    lock_release(&ledger->lock);
    return status;
}
