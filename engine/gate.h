/* Lets batches through, and keeps them out for the moment in which the state of all of them is
 * looked at. Whoever goes through pays two atomic additions. */
#ifndef BINNACLE_ENGINE_GATE_H
#define BINNACLE_ENGINE_GATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/base/thread.h"

struct gate {
    atomic_int inside;
    atomic_bool closed;
    struct lock lock;
    pthread_cond_t opened;
};

void gate_init(struct gate *gate);
void gate_destroy(struct gate *gate);
/* Waits while it is closed. Any thread; not twice. */
void gate_enter(struct gate *gate);
void gate_leave(struct gate *gate);
/* Keeps out who comes, and waits for who is inside; after `timeout_ms` it is open again, and false.
 * One thread at a time. */
bool gate_close(struct gate *gate, int64_t timeout_ms);
void gate_open(struct gate *gate);

#endif
