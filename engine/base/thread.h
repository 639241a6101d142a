/* Threads and locks with names, and a bounded queue between two threads. */
#ifndef BINNACLE_BASE_THREAD_H
#define BINNACLE_BASE_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/base/status.h"

/* A mutex that knows its name and owner. The order in which locks are taken is written down in
 * engine/base/README.md. */
struct lock {
    pthread_mutex_t mutex;
    pthread_t owner;
    bool held;
    const char *name;
};

void lock_init(struct lock *lock, const char *name);
void lock_destroy(struct lock *lock);
void lock_take(struct lock *lock);
void lock_release(struct lock *lock);
void lock_assert_held(const struct lock *lock);

/* Waits on a condition until signalled or `timeout_ms` passes (<0: no limit). True if signalled. */
bool condition_wait(pthread_cond_t *condition, struct lock *lock, int64_t timeout_ms);
/* The same until a time by monotonic_ns() (<0: no limit). */
bool condition_wait_until(pthread_cond_t *condition, struct lock *lock, int64_t deadline_ns);
/* A condition that condition_wait times by the monotonic clock. */
void condition_init(pthread_cond_t *condition);

struct thread;
/* Starts `run(context)`; the name (at most 15 characters) shows in top and gdb. */
MUST_USE enum status thread_start(const char *name, void (*run)(void *context), void *context,
                                  struct thread **thread, struct error *error);
/* For the calling thread, which others wait for and which itself often waits: it asks the scheduler
 * for short turns, and so gets the next one sooner when it wakes on a busy machine. Its share of
 * the processor and its niceness stay what they are. Linux 6.12 and later; before, nothing changes.
 */
void thread_ask_short_slices(void);
void thread_join(struct thread *thread); /* waits for its end and frees it; NULL is ignored */

/* A bounded queue of pointers, many producers and one consumer, by lock and condition; consumers
 * that do not wait may be several. */
struct queue;
enum queue_policy {
    QUEUE_REFUSE, /* push on a full queue fails at once: the caller sheds load */
    QUEUE_WAIT,   /* push waits for room: the caller is slowed down */
};
struct queue *queue_create(const char *name, size_t capacity, enum queue_policy policy);
void queue_destroy(struct queue *queue);
/* STATUS_FULL (refused, counted) or STATUS_END when the queue is closed. */
MUST_USE enum status queue_push(struct queue *queue, void *item);
/* Takes up to `max` items at once; waits up to timeout_ms for the first. 0: none came. */
size_t queue_take(struct queue *queue, void **items, size_t max, int64_t timeout_ms);
void queue_close(struct queue *queue); /* wakes everybody; what is inside can still be taken */
bool queue_is_closed(struct queue *queue);
size_t queue_depth(struct queue *queue);
uint64_t queue_refused(struct queue *queue);

#endif
