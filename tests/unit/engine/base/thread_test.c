/* Locks, conditions, threads and the queue between them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>

#include "engine/base/clock.h"
#include "engine/base/thread.h"

#define N_ITEMS     20000
#define N_PRODUCERS 4

struct shared {
    struct queue *queue;
    struct lock lock;
    pthread_cond_t condition;
    bool ready;
    _Atomic int next_producer;
    _Atomic uint64_t pushed, refused;
    char name[32];
};

static void name_thread(void *context)
{
    struct shared *shared = context;
    pthread_getname_np(pthread_self(), shared->name, sizeof shared->name);
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    shared->ready =
        sigismember(&mask, SIGTERM) && sigismember(&mask, SIGINT) && !sigismember(&mask, SIGSEGV);
}

static void thread_has_its_name_and_leaves_signals_to_main(void **state)
{
    (void)state;
    struct shared shared = {0};
    struct thread *thread;
    struct error error;
    assert_int_equal(thread_start("a-rather-long-name", name_thread, &shared, &thread, &error),
                     STATUS_OK);
    thread_join(thread);
    assert_string_equal(shared.name, "a-rather-long-n");
    assert_true(shared.ready);
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    assert_false(sigismember(&mask, SIGTERM));
    thread_join(NULL);
}

static void signal_ready(void *context)
{
    struct shared *shared = context;
    lock_take(&shared->lock);
    lock_assert_held(&shared->lock);
    shared->ready = true;
    pthread_cond_signal(&shared->condition);
    lock_release(&shared->lock);
}

static void ask_short_slices(void *context)
{
    bool *same = context;
    id_t thread = (id_t)gettid();
    int nice = getpriority(PRIO_PROCESS, 0) < 19 ? getpriority(PRIO_PROCESS, 0) + 1 : 19;
    assert_int_equal(setpriority(PRIO_PROCESS, thread, nice), 0);
    thread_ask_short_slices();
    *same = sched_getscheduler(0) == SCHED_OTHER && getpriority(PRIO_PROCESS, thread) == nice;
}

static void short_slices_change_neither_policy_nor_niceness(void **state)
{
    (void)state;
    bool same = false;
    struct error error;
    struct thread *thread;
    if (sched_getscheduler(0) != SCHED_OTHER)
        skip(); /* whoever runs this has chosen otherwise */
    assert_int_equal(thread_start("slices", ask_short_slices, &same, &thread, &error), STATUS_OK);
    thread_join(thread);
    assert_true(same);
}

static void condition_wakes_or_times_out(void **state)
{
    (void)state;
    struct shared shared = {0};
    lock_init(&shared.lock, "test");
    condition_init(&shared.condition);
    lock_take(&shared.lock);
    int64_t before_ns = monotonic_ns();
    while (condition_wait(&shared.condition, &shared.lock, 30))
        ; /* woken without a reason */
    assert_true(monotonic_ns() - before_ns >= 30000000);
    struct thread *thread;
    struct error error;
    assert_int_equal(thread_start("signal", signal_ready, &shared, &thread, &error), STATUS_OK);
    while (!shared.ready)
        condition_wait(&shared.condition, &shared.lock, -1);
    lock_assert_held(&shared.lock);
    lock_release(&shared.lock);
    thread_join(thread);
    pthread_cond_destroy(&shared.condition);
    lock_destroy(&shared.lock);
}

static void full_queue_refuses_and_counts(void **state)
{
    (void)state;
    struct queue *queue = queue_create("test", 2, QUEUE_REFUSE);
    int items[3];
    assert_int_equal(queue_push(queue, &items[0]), STATUS_OK);
    assert_int_equal(queue_push(queue, &items[1]), STATUS_OK);
    assert_int_equal(queue_push(queue, &items[2]), STATUS_FULL);
    assert_int_equal(queue_depth(queue), 2);
    assert_int_equal(queue_refused(queue), 1);
    void *taken[3];
    assert_int_equal(queue_take(queue, taken, 1, 0), 1);
    assert_ptr_equal(taken[0], &items[0]);
    assert_int_equal(queue_push(queue, &items[2]), STATUS_OK);
    assert_int_equal(queue_take(queue, taken, 3, 0), 2);
    assert_ptr_equal(taken[0], &items[1]);
    assert_ptr_equal(taken[1], &items[2]);
    assert_int_equal(queue_take(queue, taken, 3, 0), 0);
    assert_int_equal(queue_take(queue, taken, 3, 20), 0);
    queue_destroy(queue);
    queue_destroy(NULL);
}

static void closed_queue_still_gives_what_is_inside(void **state)
{
    (void)state;
    struct queue *queue = queue_create("test", 2, QUEUE_WAIT);
    int item;
    assert_int_equal(queue_push(queue, &item), STATUS_OK);
    assert_false(queue_is_closed(queue));
    queue_close(queue);
    assert_true(queue_is_closed(queue));
    assert_int_equal(queue_push(queue, &item), STATUS_END);
    void *taken[2];
    assert_int_equal(queue_take(queue, taken, 2, -1), 1);
    assert_int_equal(queue_take(queue, taken, 2, -1), 0);
    assert_int_equal(queue_refused(queue), 0);
    queue_destroy(queue);
}

static void push_until_closed(void *context)
{
    struct shared *shared = context;
    static int item;
    while (queue_push(shared->queue, &item) == STATUS_OK)
        shared->pushed++;
    lock_take(&shared->lock);
    shared->ready = true;
    lock_release(&shared->lock);
}

static void closing_wakes_a_waiting_producer(void **state)
{
    (void)state;
    struct shared shared = {.queue = queue_create("test", 4, QUEUE_WAIT)};
    lock_init(&shared.lock, "test");
    struct thread *thread;
    struct error error;
    assert_int_equal(thread_start("push", push_until_closed, &shared, &thread, &error), STATUS_OK);
    while (queue_depth(shared.queue) < 4)
        usleep(1000);
    usleep(5000);
    queue_close(shared.queue);
    thread_join(thread);
    assert_true(shared.ready);
    assert_int_equal(shared.pushed, 4);
    lock_destroy(&shared.lock);
    queue_destroy(shared.queue);
}

/* Items are numbers: the producer in the high digits, its count in the low ones. */
static void produce(void *context)
{
    struct shared *shared = context;
    uintptr_t producer = (uintptr_t)shared->next_producer++;
    for (uintptr_t i = 1; i <= N_ITEMS; i++) {
        enum status status = queue_push(shared->queue, (void *)(producer * 1000000 + i));
        if (status == STATUS_OK)
            shared->pushed++;
        else
            shared->refused++;
    }
}

static void run_producers(enum queue_policy policy)
{
    struct shared shared = {.queue = queue_create("test", 64, policy)};
    struct thread *threads[N_PRODUCERS];
    struct error error;
    for (int i = 0; i < N_PRODUCERS; i++)
        assert_int_equal(thread_start("producer", produce, &shared, &threads[i], &error),
                         STATUS_OK);
    uintptr_t last[N_PRODUCERS] = {0};
    uint64_t taken = 0;
    while (taken + shared.refused < N_PRODUCERS * N_ITEMS) {
        void *items[50];
        size_t n = queue_take(shared.queue, items, 50, 10);
        for (size_t i = 0; i < n; i++) {
            uintptr_t producer = (uintptr_t)items[i] / 1000000,
                      count = (uintptr_t)items[i] % 1000000;
            assert_true(producer < N_PRODUCERS);
            if (policy == QUEUE_WAIT)
                assert_int_equal(count, last[producer] + 1); /* none lost, in order */
            assert_true(count > last[producer]);
            last[producer] = count;
        }
        taken += n;
    }
    for (int i = 0; i < N_PRODUCERS; i++)
        thread_join(threads[i]);
    assert_int_equal(taken, shared.pushed);
    assert_int_equal(queue_refused(shared.queue), shared.refused);
    if (policy == QUEUE_WAIT)
        assert_int_equal(shared.refused, 0);
    queue_destroy(shared.queue);
}

static void waiting_queue_loses_nothing_and_keeps_order(void **state)
{
    (void)state;
    run_producers(QUEUE_WAIT);
}

static void refusing_queue_accounts_for_every_item(void **state)
{
    (void)state;
    run_producers(QUEUE_REFUSE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thread_has_its_name_and_leaves_signals_to_main),
        cmocka_unit_test(short_slices_change_neither_policy_nor_niceness),
        cmocka_unit_test(condition_wakes_or_times_out),
        cmocka_unit_test(full_queue_refuses_and_counts),
        cmocka_unit_test(closed_queue_still_gives_what_is_inside),
        cmocka_unit_test(closing_wakes_a_waiting_producer),
        cmocka_unit_test(waiting_queue_loses_nothing_and_keeps_order),
        cmocka_unit_test(refusing_queue_accounts_for_every_item),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
