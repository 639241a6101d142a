/* The gate between batches: a count of who is inside and a flag that it is closed, each written
 * before the other is read, so that one of the two sides always sees the other. */
#include "engine/gate.h"

#include "engine/base/clock.h"

#define LOOK_AGAIN_US 20
#define OPENED_MS     100 /* a signal that was missed costs no more */

void gate_init(struct gate *gate)
{
    atomic_init(&gate->inside, 0);
    atomic_init(&gate->closed, false);
    lock_init(&gate->lock, "engine.gate");
    condition_init(&gate->opened);
}

void gate_destroy(struct gate *gate)
{
    pthread_cond_destroy(&gate->opened);
    lock_destroy(&gate->lock);
}

static void wait_until_open(struct gate *gate)
{
    lock_take(&gate->lock);
    while (atomic_load(&gate->closed))
        condition_wait(&gate->opened, &gate->lock, OPENED_MS);
    lock_release(&gate->lock);
}

void gate_enter(struct gate *gate)
{
    for (;;) {
        atomic_fetch_add(&gate->inside, 1);
        if (!atomic_load(&gate->closed))
            return;
        gate_leave(gate);
        wait_until_open(gate);
    }
}

void gate_leave(struct gate *gate)
{
    atomic_fetch_sub(&gate->inside, 1);
}

bool gate_close(struct gate *gate, int64_t timeout_ms)
{
    int64_t deadline_ns = monotonic_ns() + timeout_ms * 1000000;
    atomic_store(&gate->closed, true);
    while (atomic_load(&gate->inside) > 0) {
        if (monotonic_ns() > deadline_ns) {
            gate_open(gate);
            return false;
        }
        pause_us(LOOK_AGAIN_US);
    }
    return true;
}

void gate_open(struct gate *gate)
{
    lock_take(&gate->lock);
    atomic_store(&gate->closed, false);
    pthread_cond_broadcast(&gate->opened);
    lock_release(&gate->lock);
}
