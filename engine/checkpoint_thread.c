/* When checkpoints are written while a service runs. They cost a share of the machine, not a moment
 * of the writer's: what one takes is waited for many times over before the next, and a disk that is
 * nearly full gets none. */
#include <stdlib.h>
#include <sys/statvfs.h>

#include "engine/checkpoint.h"

#define LOOK_MS       1000
#define PAUSE_SHARE   20 /* of its own time does a checkpoint wait for the next */
#define BUSY_PAUSE_NS (5 * INT64_C(1000000000))
#define FAIL_PAUSE_NS (60 * INT64_C(1000000000))
#define SPARE_BYTES   (UINT64_C(64) << 20)

struct checkpoint_thread {
    struct engine *engine;
    struct thread *thread;
    struct lock lock;
    pthread_cond_t changed;
    bool closing;
    uint64_t upto;         /* rows that the last one has */
    int64_t since_ns;      /* when it was written */
    int64_t not_before_ns; /* is the next one */
};

static uint64_t next_index(struct engine *engine)
{
    struct ledger_stats stats;
    ledger_stats(engine->ledger, &stats);
    return stats.health == LEDGER_OK ? stats.next_index : 0;
}

static bool is_due(const struct checkpoint_thread *thread, uint64_t index, int64_t now_ns)
{
    const struct engine_parts *parts = &thread->engine->parts;
    if (index <= thread->upto || now_ns < thread->not_before_ns)
        return false;
    return index - thread->upto >= (uint64_t)parts->checkpoint_rows ||
           now_ns - thread->since_ns >= parts->checkpoint_us * 1000;
}

/* Both sets of files are there while one is written. */
static bool has_room(struct engine *engine)
{
    struct statvfs system;
    struct feature_usage usage;
    struct unique_stats ids = {0};
    feature_store_usage(engine->store, &usage);
    if (engine->unique)
        unique_stats(engine->unique, &ids);
    return statvfs(engine->parts.ledger_dir, &system) == 0 &&
           (uint64_t)system.f_bavail * system.f_frsize >
               SPARE_BYTES + 2 * (usage.bytes + ids.bytes);
}

static void write_one(struct checkpoint_thread *thread, uint64_t index)
{
    struct engine *engine = thread->engine;
    struct error error = {.code = STATUS_OK};
    int64_t began_ns = monotonic_ns();
    enum status status = has_room(engine)
                             ? checkpoint_write(engine, CHECKPOINT_ASIDE, &error)
                             : error_set(&error, STATUS_FULL, "the disk has no room for it");
    int64_t now_ns = monotonic_ns();
    if (status == STATUS_OK) {
        thread->upto = index;
        thread->since_ns = now_ns;
        thread->not_before_ns = now_ns + PAUSE_SHARE * (now_ns - began_ns);
        return;
    }
    bool busy = status == STATUS_UNAVAILABLE;
    thread->not_before_ns = now_ns + (busy ? BUSY_PAUSE_NS : FAIL_PAUSE_NS);
    log_write(engine->parts.log, busy ? LOG_DEBUG : LOG_WARN, "engine", "checkpoint_failed",
              "no checkpoint: %s; a start after a crash takes longer until there is one",
              error.message);
}

static void run(void *context)
{
    struct checkpoint_thread *thread = context;
    lock_take(&thread->lock);
    while (!thread->closing) {
        condition_wait(&thread->changed, &thread->lock, LOOK_MS);
        if (thread->closing)
            break;
        lock_release(&thread->lock);
        uint64_t index = next_index(thread->engine);
        if (is_due(thread, index, monotonic_ns()))
            write_one(thread, index);
        lock_take(&thread->lock);
    }
    lock_release(&thread->lock);
}

enum status checkpoint_thread_start(struct engine *engine, struct checkpoint_thread **thread,
                                    struct error *error)
{
    struct checkpoint_thread *made = calloc(1, sizeof *made);
    struct checkpoint_mark mark;
    if (!made)
        return error_set(error, STATUS_MEMORY, "out of memory");
    made->engine = engine;
    made->since_ns = monotonic_ns();
    if (checkpoint_load_mark(engine, &mark, error) == STATUS_OK)
        made->upto = mark.tree_size;
    lock_init(&made->lock, "engine.checkpoint");
    condition_init(&made->changed);
    enum status status = thread_start("checkpoint", run, made, &made->thread, error);
    if (status != STATUS_OK) {
        checkpoint_thread_stop(made);
        return status;
    }
    *thread = made;
    return STATUS_OK;
}

void checkpoint_thread_stop(struct checkpoint_thread *thread)
{
    if (!thread)
        return;
    lock_take(&thread->lock);
    thread->closing = true;
    atomic_store(&thread->engine->ending, true);
    pthread_cond_broadcast(&thread->changed);
    lock_release(&thread->lock);
    thread_join(thread->thread);
    pthread_cond_destroy(&thread->changed);
    lock_destroy(&thread->lock);
    free(thread);
}
