/* Waiting until rows are on the disk, and being told of it without waiting. Who waits stands on a
 * list with a semaphore of its own; the writer takes off the list who has what it waits for, and
 * wakes it without the lock. A commit then costs one wake-up for each that it concerns: on one
 * condition for all, every commit wakes everybody, and they queue up for the lock. Any thread. */
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "engine/record/ledger_priv.h"

struct waiter *waiters_take(struct ledger *ledger)
{
    lock_assert_held(&ledger->lock);
    bool failing = ledger->stats.health != LEDGER_OK;
    struct waiter *taken = NULL, **link = &ledger->waiters;
    while (*link) {
        struct waiter *waiter = *link;
        bool reached = *waiter->reached >= waiter->wanted;
        if (!reached && !failing) {
            link = &waiter->next;
            continue;
        }
        *link = waiter->next;
        waiter->done = true;
        waiter->failed = !reached;
        waiter->next = taken;
        taken = waiter;
    }
    return taken;
}

void waiters_wake(struct ledger *ledger, struct waiter *taken)
{
    int watch = atomic_load_explicit(&ledger->watch, memory_order_acquire);
    const uint64_t one = 1;
    if (watch >= 0)
        (void)!write(watch, &one, sizeof one);
    while (taken) {
        struct waiter *next = taken->next; /* once posted it may be gone */
        atomic_store_explicit(&taken->woken, true, memory_order_release);
        sem_post(&taken->posted);
        taken = next;
    }
}

static void waiter_leave(struct ledger *ledger, struct waiter *waiter)
{
    struct waiter **link = &ledger->waiters;
    while (*link != waiter)
        link = &(*link)->next;
    *link = waiter->next;
}

/* False: `timeout_ms` (<0: none) passed first. */
static bool wait_woken(struct waiter *waiter, int64_t timeout_ms)
{
    int64_t until_ns = monotonic_ns() + timeout_ms * 1000000;
    const struct timespec until = {until_ns / 1000000000, until_ns % 1000000000};
    int failed;
    do
        failed = timeout_ms < 0 ? sem_wait(&waiter->posted)
                                : sem_clockwait(&waiter->posted, CLOCK_MONOTONIC, &until);
    while (failed && errno == EINTR);
    return !failed && atomic_load_explicit(&waiter->woken, memory_order_acquire);
}

static enum status refuses(struct ledger *ledger, struct error *error)
{
    lock_assert_held(&ledger->lock);
    return error_set(error, STATUS_IO, "the ledger cannot write at present: %s",
                     ledger->stats.problem);
}

/* Waits until `*reached`, which is under the lock, is at least `wanted`. */
static enum status wait_for(struct ledger *ledger, const uint64_t *reached, uint64_t wanted,
                            int64_t timeout_ms, struct error *error)
{
    struct waiter waiter = {.reached = reached, .wanted = wanted};
    enum status status = STATUS_OK;
    lock_take(&ledger->lock);
    bool waits = *reached < wanted;
    if (waits && ledger->stats.health != LEDGER_OK) {
        status = refuses(ledger, error);
        waits = false;
    } else if (waits) {
        sem_init(&waiter.posted, 0, 0);
        waiter.next = ledger->waiters;
        ledger->waiters = &waiter;
    }
    lock_release(&ledger->lock);
    if (!waits)
        return status;
    bool woken = wait_woken(&waiter, timeout_ms);
    if (!woken || waiter.failed) {
        lock_take(&ledger->lock);
        if (waiter.failed)
            status = refuses(ledger, error);
        else if (!waiter.done) {
            waiter_leave(ledger, &waiter);
            status = error_set(error, STATUS_UNAVAILABLE, "not on the disk within %lld ms",
                               (long long)timeout_ms);
        }
        lock_release(&ledger->lock);
    }
    if (!woken && waiter.done)
        (void)wait_woken(&waiter, -1); /* the writer has it in hand */
    sem_destroy(&waiter.posted);
    return status;
}

enum status ledger_wait(struct ledger *ledger, uint64_t ticket, int64_t timeout_ms,
                        struct error *error)
{
    return wait_for(ledger, &ledger->stats.durable, ticket, timeout_ms, error);
}

/* Nothing that is not on the disk is older than may be lost, so neither is this. What was reported
 * at once lies between the oldest of it and `batch` later, however long the disk then hangs. */
static bool is_recent(struct ledger *ledger)
{
    lock_take(&ledger->lock);
    bool recent =
        ledger->stats.health == LEDGER_OK &&
        (ledger->oldest_ns == 0 || monotonic_ns() - ledger->oldest_ns <= ledger->batch_ns);
    lock_release(&ledger->lock);
    return recent;
}

enum status ledger_settle(struct ledger *ledger, uint64_t ticket, int64_t timeout_ms,
                          struct error *error)
{
    if (ledger->batch_ns > 0 && is_recent(ledger))
        return STATUS_OK;
    return ledger_wait(ledger, ticket, timeout_ms, error);
}

enum status ledger_wait_index(struct ledger *ledger, uint64_t index, int64_t timeout_ms,
                              struct error *error)
{
    return wait_for(ledger, &ledger->stats.tree_size, index + 1, timeout_ms, error);
}

enum status ledger_watch(struct ledger *ledger, int *fd, struct error *error)
{
    enum status status = STATUS_OK;
    lock_take(&ledger->lock);
    *fd = atomic_load(&ledger->watch);
    if (*fd < 0) {
        *fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        atomic_store_explicit(&ledger->watch, *fd, memory_order_release);
    }
    if (*fd < 0)
        status =
            error_set(error, STATUS_UNAVAILABLE, "no eventfd for the ledger: %s", strerror(errno));
    lock_release(&ledger->lock);
    return status;
}
