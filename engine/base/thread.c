/* Named locks that can assert that they are held, conditions on the monotonic clock, named
 * threads that leave signals to the main thread, and the bounded queue between threads. */
#include "engine/base/thread.h"

#include <assert.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/clock.h"

#define NAME_SIZE   16 /* what Linux keeps of a thread's name, with its zero */
#define NS_PER_S    INT64_C(1000000000)
#define NS_PER_MS   INT64_C(1000000)
#define QUEUE_MAGIC 0x51554555u

#define SHORT_SLICE_NS 100000 /* the shortest that Linux grants */

void lock_init(struct lock *lock, const char *name)
{
    int failed = pthread_mutex_init(&lock->mutex, NULL);
    assert(!failed);
    (void)failed;
    lock->held = false;
    lock->name = name;
}

void lock_destroy(struct lock *lock)
{
    int failed = pthread_mutex_destroy(&lock->mutex);
    assert(!failed);
    (void)failed;
}

static void mark_held(struct lock *lock)
{
    lock->owner = pthread_self();
    lock->held = true;
}

void lock_take(struct lock *lock)
{
    int failed = pthread_mutex_lock(&lock->mutex);
    assert(!failed);
    (void)failed;
    mark_held(lock);
}

void lock_release(struct lock *lock)
{
    lock_assert_held(lock);
    lock->held = false;
    int failed = pthread_mutex_unlock(&lock->mutex);
    assert(!failed);
    (void)failed;
}

void lock_assert_held(const struct lock *lock)
{
    assert(lock->held && pthread_equal(lock->owner, pthread_self()));
    (void)lock;
}

void condition_init(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    int failed = pthread_condattr_init(&attributes);
    assert(!failed);
    failed = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    assert(!failed);
    failed = pthread_cond_init(condition, &attributes);
    assert(!failed);
    (void)failed;
    pthread_condattr_destroy(&attributes);
}

bool condition_wait_until(pthread_cond_t *condition, struct lock *lock, int64_t deadline_ns)
{
    lock_assert_held(lock);
    lock->held = false;
    int result;
    if (deadline_ns < 0) {
        result = pthread_cond_wait(condition, &lock->mutex);
    } else {
        struct timespec deadline = {.tv_sec = deadline_ns / NS_PER_S,
                                    .tv_nsec = deadline_ns % NS_PER_S};
        result = pthread_cond_timedwait(condition, &lock->mutex, &deadline);
    }
    assert(result == 0 || result == ETIMEDOUT);
    mark_held(lock);
    return result == 0;
}

static int64_t deadline_of(int64_t timeout_ms)
{
    int64_t deadline_ns;
    if (timeout_ms < 0 || __builtin_mul_overflow(timeout_ms, NS_PER_MS, &deadline_ns) ||
        __builtin_add_overflow(deadline_ns, monotonic_ns(), &deadline_ns))
        return -1;
    return deadline_ns;
}

bool condition_wait(pthread_cond_t *condition, struct lock *lock, int64_t timeout_ms)
{
    return condition_wait_until(condition, lock, deadline_of(timeout_ms));
}

struct thread {
    pthread_t handle;
    void (*run)(void *context);
    void *context;
    char name[NAME_SIZE];
};

static void *run_thread(void *argument)
{
    struct thread *thread = argument;
    pthread_setname_np(pthread_self(), thread->name);
    thread->run(thread->context);
    return NULL;
}

enum status thread_start(const char *name, void (*run)(void *context), void *context,
                         struct thread **thread, struct error *error)
{
    *thread = NULL;
    struct thread *started = calloc(1, sizeof *started);
    if (!started)
        return error_set(error, STATUS_MEMORY, "thread %s: out of memory", name);
    started->run = run;
    started->context = context;
    strncpy(started->name, name, NAME_SIZE - 1);
    /* Signals sent to the process are for the main thread alone: the new thread inherits a mask
     * that leaves only those which a fault in it raises. */
    sigset_t all, before;
    sigfillset(&all);
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        sigdelset(&all, faults[i]);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&started->handle, NULL, run_thread, started);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed) {
        free(started);
        return error_set(error, STATUS_UNAVAILABLE, "thread %s: %s", name, strerror(failed));
    }
    *thread = started;
    return STATUS_OK;
}

/* What sched_getattr(2) gives; the C library does not declare it. */
struct turns {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t slice_ns, deadline_ns, period_ns;
};

void thread_ask_short_slices(void)
{
    struct turns turns = {0};
    if (syscall(SYS_sched_getattr, 0, &turns, sizeof turns, 0) != 0 || turns.policy != SCHED_OTHER)
        return;
    turns.slice_ns = SHORT_SLICE_NS;
    (void)syscall(SYS_sched_setattr, 0, &turns, 0); /* refused in some containers */
}

void thread_join(struct thread *thread)
{
    if (!thread)
        return;
    int failed = pthread_join(thread->handle, NULL);
    assert(!failed);
    (void)failed;
    free(thread);
}

/* A ring: `first` is the oldest item. */
struct queue {
    unsigned magic;
    struct lock lock;
    pthread_cond_t not_empty;
    pthread_cond_t not_full;
    enum queue_policy policy;
    bool closed;
    size_t capacity;
    size_t first;
    size_t depth;
    uint64_t refused;
    void *items[];
};

struct queue *queue_create(const char *name, size_t capacity, enum queue_policy policy)
{
    assert(capacity > 0);
    struct queue *queue = calloc(1, sizeof *queue + capacity * sizeof(void *));
    if (!queue)
        return NULL;
    queue->magic = QUEUE_MAGIC;
    queue->policy = policy;
    queue->capacity = capacity;
    lock_init(&queue->lock, name);
    condition_init(&queue->not_empty);
    condition_init(&queue->not_full);
    return queue;
}

void queue_destroy(struct queue *queue)
{
    if (!queue)
        return;
    assert(queue->magic == QUEUE_MAGIC);
    queue->magic = 0;
    pthread_cond_destroy(&queue->not_full);
    pthread_cond_destroy(&queue->not_empty);
    lock_destroy(&queue->lock);
    free(queue);
}

enum status queue_push(struct queue *queue, void *item)
{
    assert(queue->magic == QUEUE_MAGIC);
    enum status status = STATUS_OK;
    lock_take(&queue->lock);
    while (queue->policy == QUEUE_WAIT && queue->depth == queue->capacity && !queue->closed)
        condition_wait_until(&queue->not_full, &queue->lock, -1);
    if (queue->closed) {
        status = STATUS_END;
    } else if (queue->depth == queue->capacity) {
        queue->refused++;
        status = STATUS_FULL;
    } else {
        queue->items[(queue->first + queue->depth) % queue->capacity] = item;
        queue->depth++;
        pthread_cond_signal(&queue->not_empty);
    }
    lock_release(&queue->lock);
    return status;
}

size_t queue_take(struct queue *queue, void **items, size_t max, int64_t timeout_ms)
{
    assert(queue->magic == QUEUE_MAGIC);
    int64_t deadline_ns = deadline_of(timeout_ms);
    lock_take(&queue->lock);
    while (queue->depth == 0 && !queue->closed)
        if (!condition_wait_until(&queue->not_empty, &queue->lock, deadline_ns))
            break;
    size_t n = queue->depth < max ? queue->depth : max;
    for (size_t i = 0; i < n; i++)
        items[i] = queue->items[(queue->first + i) % queue->capacity];
    queue->first = (queue->first + n) % queue->capacity;
    queue->depth -= n;
    if (n > 0)
        pthread_cond_broadcast(&queue->not_full);
    lock_release(&queue->lock);
    return n;
}

void queue_close(struct queue *queue)
{
    lock_take(&queue->lock);
    queue->closed = true;
    pthread_cond_broadcast(&queue->not_empty);
    pthread_cond_broadcast(&queue->not_full);
    lock_release(&queue->lock);
}

bool queue_is_closed(struct queue *queue)
{
    lock_take(&queue->lock);
    bool closed = queue->closed;
    lock_release(&queue->lock);
    return closed;
}

size_t queue_depth(struct queue *queue)
{
    lock_take(&queue->lock);
    size_t depth = queue->depth;
    lock_release(&queue->lock);
    return depth;
}

uint64_t queue_refused(struct queue *queue)
{
    lock_take(&queue->lock);
    uint64_t refused = queue->refused;
    lock_release(&queue->lock);
    return refused;
}
